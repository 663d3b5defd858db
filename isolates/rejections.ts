// What the host sees of a rejection that nobody handled: isolated-vm's copy of the reason, brought back into the form that the isolate had.
import { REASON } from './runtime/abi.ts';

/** The text that isolated-vm gives for everything that is neither a primitive nor looks like an error. */
const OPAQUE = 'An object was thrown from supplied code within isolated-vm, but that object was not an instance of `Error`.';
const BOUNDARY = '\n    at (<isolated-vm boundary>)';
const FRAME = '\n    at ';
/** Name and message, and the stack, as they go back in, characters. */
const MAX_HEAD = 8_192;
const MAX_STACK = 32_768;

export interface Rejection {
  /** Of `REASON`. */
  readonly reason: number;
  /** Name and message, parted by a line feed; or the primitive. */
  readonly value: unknown;
  readonly stack: string;
}

/** Only reads what isolated-vm has made: the copy holds strings, and nothing of the tenant's runs here. */
export function rejectionOf(thrown: unknown): Rejection {
  if (!(thrown instanceof Error)) {
    return { reason: REASON.primitive, value: typeof thrown === 'string' ? thrown.slice(0, MAX_HEAD) : thrown, stack: '' };
  }
  if (thrown.message === OPAQUE) return { reason: REASON.opaque, value: undefined, stack: '' };
  return { reason: REASON.error, value: `${thrown.name.slice(0, 256)}\n${thrown.message.slice(0, MAX_HEAD)}`, stack: stackOf(thrown).slice(0, MAX_STACK) };
}

/** Without the host's own frames. isolated-vm reads the isolate's frames as Latin-1 although they are UTF-8. */
function stackOf({ name, message, stack = '' }: Error): string {
  const end = stack.lastIndexOf(BOUNDARY);
  if (end < 0) return '';
  const head = message === '' ? name : `${name}: ${message}`;
  const frames = stack.indexOf(FRAME, head.length);
  return frames < 0 || frames >= end ? '' : head + Buffer.from(stack.slice(frames, end), 'latin1').toString('utf8');
}
