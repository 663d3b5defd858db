// What console's methods do (Console standard, section 1), when a line takes more than joining text.
import { elapsedMs } from '../clock.guest.ts';
import { log } from '../host.guest.ts';
import { MapPrototypeDelete, MapPrototypeGet, MapPrototypeSet, NativeError, NativeMap, StringPrototypeSplit, append, ArrayPrototypeJoin } from '../primordials.guest.ts';
import { format } from './console/format.guest.ts';
import { inspect } from './console/inspect.guest.ts';
import { table } from './console/table.guest.ts';

export { inspect } from './console/inspect.guest.ts';

/** Deeper groups are not indented any further. */
const MAX_INDENT = 20;
/** Labels that count() and time() keep at once; what goes beyond is not kept. */
const MAX_LABELS = 1_000;

let groups = 0;
const counts = new NativeMap<string, number>();
const timers = new NativeMap<string, number>();
let labels = 0;

function line(level: string, text: string): void {
  if (groups === 0) {
    log(level, text);
    return;
  }
  let indent = '';
  for (let i = 0; i < groups && i < MAX_INDENT; i++) indent += '  ';
  log(level, indent + ArrayPrototypeJoin(StringPrototypeSplit(text, '\n'), `\n${indent}`));
}

function write(level: string, args: readonly unknown[]): void {
  if (args.length > 0) line(level, format(args));
}

/** DOMString, as Web IDL converts a label: what its toString throws goes to the caller. */
function label(value: unknown): string {
  return value === undefined ? 'default' : `${value as string}`;
}

function keep(map: Map<string, number>, name: string, value: number): boolean {
  if (MapPrototypeGet(map, name) === undefined) {
    if (labels >= MAX_LABELS) return false;
    labels += 1;
  }
  MapPrototypeSet(map, name, value);
  return true;
}

function elapsed(name: string): string | undefined {
  const started = MapPrototypeGet(timers, name) as number | undefined;
  if (started !== undefined) return `${name}: ${elapsedMs() - started} ms`;
  line('warn', `Timer '${name}' does not exist`);
  return undefined;
}

function group(args: readonly unknown[]): void {
  write('info', args);
  groups += 1;
}

export const console: Readonly<Record<string, (...args: unknown[]) => void>> = {
  log: (...args) => write('info', args),
  info: (...args) => write('info', args),
  debug: (...args) => write('debug', args),
  warn: (...args) => write('warn', args),
  error: (...args) => write('error', args),
  dirxml: (...args) => write('info', args),
  dir: (value) => line('info', inspect(value)),
  table: (...args) => line('info', table(args[0], args[1]) ?? format(args)),
  group: (...args) => group(args),
  groupCollapsed: (...args) => group(args),
  trace(...args): void {
    const stack = new NativeError('').stack ?? '';
    const at = stack.indexOf('\n');
    line('debug', `Trace${args.length === 0 ? '' : `: ${format(args)}`}${at < 0 ? '' : stack.slice(at)}`);
  },
  assert(condition, ...args): void {
    if (condition) return;
    const all: unknown[] = [];
    const first = args[0];
    append(all, typeof first === 'string' ? `Assertion failed: ${first}` : 'Assertion failed');
    for (let i = typeof first === 'string' ? 1 : 0; i < args.length; i++) append(all, args[i]);
    write('error', all);
  },
  clear(): void {
    groups = 0;
  },
  groupEnd(): void {
    if (groups > 0) groups -= 1;
  },
  count(value): void {
    const name = label(value);
    const n = ((MapPrototypeGet(counts, name) as number | undefined) ?? 0) + 1;
    if (keep(counts, name, n)) line('info', `${name}: ${n}`);
  },
  countReset(value): void {
    const name = label(value);
    if (MapPrototypeGet(counts, name) === undefined) line('warn', `Count for '${name}' does not exist`);
    else MapPrototypeSet(counts, name, 0);
  },
  time(value): void {
    const name = label(value);
    if (MapPrototypeGet(timers, name) === undefined) keep(timers, name, elapsedMs());
    else line('warn', `Timer '${name}' already exists`);
  },
  timeLog(value, ...args): void {
    const text = elapsed(label(value));
    if (text !== undefined) line('info', args.length === 0 ? text : `${text} ${format(args)}`);
  },
  timeEnd(value): void {
    const name = label(value);
    const text = elapsed(name);
    if (text === undefined) return;
    MapPrototypeDelete(timers, name);
    labels -= 1;
    line('info', text);
  },
};
