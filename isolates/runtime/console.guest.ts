// console (Console standard): each call is one line of the function's log.
import { log } from './host.guest.ts';
import { describeThrown } from './errors.guest.ts';
import { NativeString } from './primordials.guest.ts';

const DEPTH = 4;
const ITEMS = 100;
const CHARACTERS = 10_240;

/** A readable form of any value: bounded in depth, items and length, safe for cycles, getters that throw, and proxies. */
export function inspect(value: unknown, depth = DEPTH, seen: object[] = []): string {
  try {
    return inspectUnsafe(value, depth, seen);
  } catch {
    return '[unreadable]';
  }
}

function inspectUnsafe(value: unknown, depth: number, seen: object[]): string {
  if (typeof value === 'string') return JSON.stringify(value.length > CHARACTERS ? value.slice(0, CHARACTERS) : value);
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'function') return `[Function: ${NativeString(value.name) || 'anonymous'}]`;
  if (typeof value !== 'object' || value === null) return NativeString(value);
  if (seen.includes(value)) return '[Circular]';
  if (value instanceof Error) {
    const { message, stack } = describeThrown(value);
    return stack || message;
  }
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
  if (value instanceof RegExp) return NativeString(value);
  if (depth === 0) return Array.isArray(value) ? '[Array]' : '[Object]';
  const path = [...seen, value];
  const inner = (v: unknown): string => inspect(v, depth - 1, path);
  if (Array.isArray(value)) return `[${list(value.slice(0, ITEMS).map(inner), value.length)}]`;
  if (ArrayBuffer.isView(value)) return `${value.constructor.name}(${(value as Uint8Array).length ?? value.byteLength})`;
  if (value instanceof Map) return `Map(${value.size}) {${list([...value].slice(0, ITEMS).map(([k, v]) => `${inner(k)} => ${inner(v)}`), value.size)}}`;
  if (value instanceof Set) return `Set(${value.size}) {${list([...value].slice(0, ITEMS).map(inner), value.size)}}`;
  const keys = Object.keys(value);
  const named = value.constructor?.name;
  const prefix = named === undefined || named === 'Object' ? '' : `${named} `;
  const body = list(keys.slice(0, ITEMS).map((key) => `${/^[A-Za-z_$][\w$]*$/.test(key) ? key : JSON.stringify(key)}: ${inner((value as Record<string, unknown>)[key])}`), keys.length);
  return body === '' ? `${prefix}{}` : `${prefix}{ ${body} }`;
}

function list(parts: string[], total: number): string {
  return total > parts.length ? `${parts.join(', ')}, … ${total - parts.length} more` : parts.join(', ');
}

/** Console standard, "formatter": %s %d %i %f %j %o %O %c in the first argument, the rest appended. */
export function format(args: readonly unknown[]): string {
  const show = (value: unknown): string => (typeof value === 'string' ? value : inspect(value));
  let text: string;
  let next = 0;
  const first = args[0];
  if (typeof first === 'string' && args.length > 1 && first.includes('%')) {
    next = 1;
    text = first.replace(/%[sdifjoOc%]/g, (spec) => {
      if (spec === '%%') return '%';
      if (next >= args.length) return spec;
      const value = args[next++];
      switch (spec) {
        case '%s': return show(value);
        case '%d': return typeof value === 'bigint' ? `${value}n` : NativeString(typeof value === 'symbol' ? Number.NaN : Number(value));
        case '%i': return NativeString(typeof value === 'symbol' ? Number.NaN : Number.parseInt(NativeString(value), 10));
        case '%f': return NativeString(typeof value === 'symbol' ? Number.NaN : Number.parseFloat(NativeString(value)));
        case '%j': return JSON.stringify(value) ?? 'undefined';
        case '%c': return '';
        default: return inspect(value);
      }
    });
  } else {
    text = '';
  }
  for (let i = next; i < args.length; i++) text += `${i === 0 ? '' : ' '}${show(args[i])}`;
  return text.length > CHARACTERS ? `${text.slice(0, CHARACTERS)}…` : text;
}

let groups = 0;
const counts = new Map<string, number>();
const timers = new Map<string, number>();

function write(level: string, args: readonly unknown[]): void {
  log(level, `${'  '.repeat(Math.min(groups, 20))}${format(args)}`);
}

const label = (value: unknown): string => (value === undefined ? 'default' : NativeString(value));

export const console = {
  log: (...args: unknown[]): void => write('info', args),
  info: (...args: unknown[]): void => write('info', args),
  debug: (...args: unknown[]): void => write('debug', args),
  warn: (...args: unknown[]): void => write('warn', args),
  error: (...args: unknown[]): void => write('error', args),
  trace: (...args: unknown[]): void => write('debug', [...args, new Error('Trace').stack ?? '']),
  dir: (value: unknown): void => write('info', [value]),
  dirxml: (...args: unknown[]): void => write('info', args),
  table: (value: unknown): void => write('info', [value]),
  assert(condition?: unknown, ...args: unknown[]): void {
    if (!condition) write('error', ['Assertion failed', ...args]);
  },
  clear(): void {
    groups = 0;
  },
  count(name?: unknown): void {
    const n = (counts.get(label(name)) ?? 0) + 1;
    counts.set(label(name), n);
    write('info', [`${label(name)}: ${n}`]);
  },
  countReset(name?: unknown): void {
    counts.delete(label(name));
  },
  group(...args: unknown[]): void {
    if (args.length > 0) write('info', args);
    groups += 1;
  },
  groupCollapsed(...args: unknown[]): void {
    if (args.length > 0) write('info', args);
    groups += 1;
  },
  groupEnd(): void {
    groups = Math.max(0, groups - 1);
  },
  time(name?: unknown): void {
    timers.set(label(name), Date.now());
  },
  timeLog(name?: unknown, ...args: unknown[]): void {
    const started = timers.get(label(name));
    if (started !== undefined) write('info', [`${label(name)}: ${Date.now() - started} ms`, ...args]);
  },
  timeEnd(name?: unknown): void {
    const started = timers.get(label(name));
    timers.delete(label(name));
    if (started !== undefined) write('info', [`${label(name)}: ${Date.now() - started} ms`]);
  },
};
