// console (Console standard): each call is one line of the function's log. Formatting is a part; lines of plain text do without it.
import { log } from './host.guest.ts';
import { loadPart, partIfLoaded } from './parts.guest.ts';
import type * as Part from './parts/console.guest.ts';
import { ObjectDefineProperty, ObjectSetPrototypeOf, StringPrototypeIndexOf, StringPrototypeSlice, reflectApply } from './primordials.guest.ts';

const { toStringTag } = Symbol;

export type ConsolePart = typeof Part;

/** Longest line, characters; the host cuts there, too. */
export const LINE_CHARACTERS = 10_240;

/** The line, when it needs neither specifiers nor inspection. */
function plainLine(args: readonly unknown[]): string | undefined {
  let line = '';
  for (let i = 0; i < args.length; i++) {
    const arg = args[i];
    const type = typeof arg;
    if (type !== 'string' && type !== 'number' && type !== 'boolean') return undefined;
    if (i === 0 && args.length > 1 && type === 'string' && StringPrototypeIndexOf(arg as string, '%') >= 0) return undefined;
    line += `${i === 0 ? '' : ' '}${arg as string}`;
  }
  return line.length > LINE_CHARACTERS ? `${StringPrototypeSlice(line, 0, LINE_CHARACTERS)}…` : line;
}

function call(name: string, args: unknown[]): void {
  reflectApply(loadPart<ConsolePart>('console').console[name] as never, undefined, args);
}

/** A method that writes one formatted line. */
function write(name: string, args: unknown[], level: string): void {
  // Groups indent, and groups are the part's.
  const line = partIfLoaded('console') === undefined ? plainLine(args) : undefined;
  if (line === undefined) call(name, args);
  else log(level, line);
}

/** A namespace object (Web IDL, section 3.13): its prototype is an empty object of its own. */
export const console = {
  assert(...args: unknown[]): void { call('assert', args); },
  clear(...args: unknown[]): void { call('clear', args); },
  debug(...args: unknown[]): void { write('debug', args, 'debug'); },
  error(...args: unknown[]): void { write('error', args, 'error'); },
  info(...args: unknown[]): void { write('info', args, 'info'); },
  log(...args: unknown[]): void { write('log', args, 'info'); },
  table(...args: unknown[]): void { call('table', args); },
  trace(...args: unknown[]): void { call('trace', args); },
  warn(...args: unknown[]): void { write('warn', args, 'warn'); },
  dir(...args: unknown[]): void { call('dir', args); },
  dirxml(...args: unknown[]): void { call('dirxml', args); },
  count(...args: unknown[]): void { call('count', args); },
  countReset(...args: unknown[]): void { call('countReset', args); },
  group(...args: unknown[]): void { call('group', args); },
  groupCollapsed(...args: unknown[]): void { call('groupCollapsed', args); },
  groupEnd(...args: unknown[]): void { call('groupEnd', args); },
  time(...args: unknown[]): void { call('time', args); },
  timeLog(...args: unknown[]): void { call('timeLog', args); },
  timeEnd(...args: unknown[]): void { call('timeEnd', args); },
};
ObjectSetPrototypeOf(console, {});
ObjectDefineProperty(console, toStringTag, { value: 'console', writable: false, enumerable: false, configurable: true });
