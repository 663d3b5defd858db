// node:tty: nothing is a terminal, which is what packages ask for before they write colours.
import { notAvailable } from './internal/not-available.ts';

export const isatty = (): boolean => false;
export const ReadStream = notAvailable('tty.ReadStream');
export const WriteStream = notAvailable('tty.WriteStream');
export default { isatty, ReadStream, WriteStream };
