// setTimeout, setInterval, setImmediate, queueMicrotask (HTML standard, section 8.6 and 8.7): the host keeps the time, the isolate the callbacks.
import { OP } from './abi.ts';
import { bound } from './async-context.guest.ts';
import { nextId, op } from './host.guest.ts';
import { MapPrototypeDelete, MapPrototypeGet, MapPrototypeSet, NativeMap, NativeNumber, NativeTypeError, StringPrototypeSplit, deferred, reflectApply } from './primordials.guest.ts';
import { report } from './reporting.guest.ts';

/** Who may clear it: `clearTimeout` and `clearInterval` share one list, `clearImmediate` has another, and the platform's own are on none. */
const TIMEOUT = 0;
const INTERVAL = 1;
const IMMEDIATE = 2;
const OWN = 3;

interface Timer {
  readonly run: () => void;
  readonly kind: number;
}

const timers = new NativeMap<number, Timer>();

/** The delay of what runs as the next task, before the host's loop waits again. */
const AT_ONCE = -1;

function start(run: () => void, delayMs: number, kind: number): number {
  const id = nextId();
  MapPrototypeSet(timers, id, { run: bound(run), kind });
  let dead: unknown;
  try {
    dead = op(OP.timerStart, id, delayMs, kind === INTERVAL ? 1 : 0);
  } catch (refused) {
    MapPrototypeDelete(timers, id);
    throw refused;
  }
  if (dead !== undefined) forget(dead as string);
  return id;
}

/** Timers die with the invocation that started them; their callbacks are let go when the next timer starts. */
function forget(dead: string): void {
  const ids = StringPrototypeSplit(dead, ',');
  for (let i = 0; i < ids.length; i++) MapPrototypeDelete(timers, NativeNumber(ids[i]));
}

/**
 * A timer of the platform's own, that tenants can't clear: owned by the running invocation, like every other.
 *
 * @returns a number for `clearTimer`
 * @throws RangeError when the isolate has too many timers
 */
export function startTimer(run: () => void, delayMs: number): number {
  return start(run, delayMs, OWN);
}

/** Queues a task: an entry of its own, in the next turn of the host's loop. */
export function queueTask(run: () => void): number {
  return start(run, AT_ONCE, OWN);
}

export function clearTimer(id: number): void {
  if (MapPrototypeDelete(timers, id)) op(OP.timerClear, id);
}

/** The host says that a timer is due. */
export function fireTimer(id: number): void {
  const timer = MapPrototypeGet(timers, id) as Timer | undefined;
  if (timer === undefined) return;
  if (timer.kind !== INTERVAL) MapPrototypeDelete(timers, id);
  guarded(timer.run);
}

function guarded(run: () => void): void {
  try {
    run();
  } catch (thrown) {
    report(thrown);
  }
}

type Handler = (...args: unknown[]) => unknown;

function checked(handler: unknown): Handler {
  // Strings would be code to evaluate: server runtimes refuse them.
  if (typeof handler !== 'function') throw new NativeTypeError('the first argument must be a function');
  return handler as Handler;
}

/** Web IDL's long, so that 2 ** 32 is 0; below zero is zero. */
function delay(value: unknown): number {
  const ms = (value as number) | 0;
  return ms > 0 ? ms : 0;
}

function userTimer(handler: unknown, delayMs: number, kind: number, args: unknown[]): number {
  const call = checked(handler);
  return start(() => reflectApply(call, globalThis, args), delayMs, kind);
}

export function setTimeout(handler: unknown, delayMs: unknown = undefined, ...args: unknown[]): number {
  return userTimer(handler, delay(delayMs), TIMEOUT, args);
}

export function setInterval(handler: unknown, delayMs: unknown = undefined, ...args: unknown[]): number {
  return userTimer(handler, delay(delayMs), INTERVAL, args);
}

export function setImmediate(handler: unknown, ...args: unknown[]): number {
  return userTimer(handler, AT_ONCE, IMMEDIATE, args);
}

function clear(id: unknown, immediate: boolean): void {
  const number = typeof id === 'number' ? id : +(id as string);
  const kind = (MapPrototypeGet(timers, number) as Timer | undefined)?.kind;
  if (kind !== undefined && kind !== OWN && (kind === IMMEDIATE) === immediate) clearTimer(number);
}

export function clearTimeout(id: unknown = undefined): void {
  clear(id, false);
}

export function clearInterval(id: unknown = undefined): void {
  clear(id, false);
}

export function clearImmediate(id: unknown = undefined): void {
  clear(id, true);
}

export function queueMicrotask(callback: unknown): void {
  const call = checked(callback);
  void later(bound(() => reflectApply(call, undefined, [])));
}

const resolved = deferred<undefined>();
resolved.resolve(undefined);

async function later(run: () => void): Promise<void> {
  await resolved.promise;
  guarded(run);
}
