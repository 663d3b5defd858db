// console (Console standard): each call is one line of the function's log. Formatting is a part; lines of plain text do without it.
import { log } from './host.guest.ts';
import { loadPart, partIfLoaded } from './parts.guest.ts';
import type * as Part from './parts/console.guest.ts';
import { ObjectCreate, ObjectDefineProperty, StringPrototypeIndexOf, StringPrototypeSlice, reflectApply } from './primordials.guest.ts';

export type ConsolePart = typeof Part;

/** Longest line, characters; the host cuts there, too. */
export const LINE_CHARACTERS = 10_240;

/** Methods that write one formatted line, with their levels. */
const LEVELS: Readonly<Record<string, string>> = { debug: 'debug', error: 'error', info: 'info', log: 'info', warn: 'warn' };

/** In the order of the standard. */
const METHODS = [
  'assert', 'clear', 'debug', 'error', 'info', 'log', 'table', 'trace', 'warn', 'dir', 'dirxml', 'count', 'countReset', 'group', 'groupCollapsed', 'groupEnd', 'time',
  'timeLog', 'timeEnd',
] as const;

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

function method(name: (typeof METHODS)[number]): (...args: unknown[]) => void {
  const level = LEVELS[name];
  return {
    [name](...args: unknown[]): void {
      // Groups indent, and groups are the part's.
      const line = level === undefined || partIfLoaded('console') !== undefined ? undefined : plainLine(args);
      if (line === undefined) reflectApply(loadPart<ConsolePart>('console').console[name] as never, undefined, args);
      else log(level as string, line);
    },
  }[name] as (...args: unknown[]) => void;
}

/** A namespace object (Web IDL, section 3.13): its prototype is an empty object of its own. */
export const console = ObjectCreate({}) as Record<(typeof METHODS)[number], (...args: unknown[]) => void>;
for (const name of METHODS) console[name] = method(name);
ObjectDefineProperty(console, Symbol.toStringTag, { value: 'console', configurable: true });

/** `args` as console.log would print them. */
export function formatLine(args: readonly unknown[]): string {
  return plainLine(args) ?? loadPart<ConsolePart>('console').format(args);
}
