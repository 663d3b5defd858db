// util.inspect and util.format as Node has them, in a module of its own: most users of util need neither, and they are 50 KB.
import { format, formatWithOptions, inspect, stripVTControlCharacters } from 'node-inspect-extracted';

export { format, formatWithOptions, inspect, stripVTControlCharacters };
