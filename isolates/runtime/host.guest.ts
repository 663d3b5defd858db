// The isolate's way to the host: one operation callback, and promises for those that settle later.
import { OP } from './abi.ts';
import {
  MapPrototypeDelete, MapPrototypeGet, MapPrototypeSet, NativeMap, NativeNumber, NativeRangeError, NativeTypeError, StringPrototypeSplit, deferred, reflectDefineProperty,
} from './primordials.guest.ts';
import type { Deferred } from './primordials.guest.ts';

type Operation = (code: number, a?: unknown, b?: unknown, c?: unknown, d?: unknown, e?: unknown, f?: unknown) => unknown;

let operation: Operation = () => {
  throw new NativeTypeError('the host is not bound');
};

/** Once per isolate, right after the context is made: callbacks cannot live in a snapshot. */
export function bindOperation(bound: Operation): void {
  operation = bound;
}

/** Asks the host. Only runtime code holds this function; tenants get what is built on it. */
export function op(code: number, a?: unknown, b?: unknown, c?: unknown, d?: unknown, e?: unknown, f?: unknown): unknown {
  try {
    return operation(code, a, b, c, d, e, f);
  } catch (refused) {
    throw refusal(refused);
  }
}

/** The host's error, made anew: its stack names files of the host. */
function refusal(refused: unknown): Error {
  const { name, message } = refused as Error;
  return name === 'RangeError' ? new NativeRangeError(message) : new NativeTypeError(message);
}

/** What a settled operation carries. */
export interface Settled {
  readonly value: unknown;
  readonly extra: unknown;
}

let lastId = 0;
const pending = new NativeMap<number, Deferred<Settled>>();

/** An id that is not in use: operations, timers and sinks share the numbers. */
export function nextId(): number {
  lastId += 1;
  return lastId;
}

/** Waits for `settle(id, …)`. */
export function expectSettlement(id: number): Promise<Settled> {
  const waiting = deferred<Settled>();
  MapPrototypeSet(pending, id, waiting);
  return waiting.promise;
}

/** Forgets an operation whose caller lost interest. */
export function forgetSettlement(id: number): void {
  MapPrototypeDelete(pending, id);
}

/** What an operation says of others whose invocations have ended: ids parted by commas. Nobody will settle them, so whoever waits is let go. */
export function forgetEnded(told: unknown): void {
  if (typeof told !== 'string') return;
  const ids = StringPrototypeSplit(told, ',');
  for (let i = 0; i < ids.length; i++) MapPrototypeDelete(pending, NativeNumber(ids[i]));
}

/** The host's answer. Unknown ids are operations that were forgotten. */
export function settle(id: number, ok: boolean, value: unknown, extra: unknown): void {
  const waiting = MapPrototypeGet(pending, id) as Deferred<Settled> | undefined;
  if (waiting === undefined) return;
  MapPrototypeDelete(pending, id);
  if (ok) waiting.resolve({ value, extra });
  else waiting.reject(hostError(value as string, extra as string));
}

/** A failure of the platform as functions see it: a TypeError, as fetch has it, with a stable `code`. */
export function hostError(code: string, message: string): TypeError {
  const error = new NativeTypeError(message);
  reflectDefineProperty(error, 'code', { value: code, writable: true, enumerable: true, configurable: true });
  return error;
}

/** An operation that returns at once when it can; else a promise. */
export function opOrWait(code: number, a: unknown): unknown {
  const id = nextId();
  const now = op(code, a, id);
  if (now !== undefined) return now;
  return firstOf(expectSettlement(id));
}

async function firstOf(settled: Promise<Settled>): Promise<unknown> {
  return (await settled).value;
}

export function log(level: string, message: string): void {
  op(OP.log, level, message, '');
}
