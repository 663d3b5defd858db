// setTimeout, setInterval, queueMicrotask: the host keeps the time, the isolate keeps the callbacks.
import { OP } from './abi.ts';
import { bound } from './async-context.guest.ts';
import { describeThrown } from './errors.guest.ts';
import { log, nextId, op } from './host.guest.ts';
import { MapPrototypeDelete, MapPrototypeGet, MapPrototypeSet, NativeMap, NativeTypeError, deferred, reflectApply } from './primordials.guest.ts';

interface Timer {
  readonly run: () => void;
  readonly repeats: boolean;
}

const timers = new NativeMap<number, Timer>();

export function startTimer(run: () => void, delayMs: number, repeats: boolean): number {
  const id = nextId();
  MapPrototypeSet(timers, id, { run, repeats });
  op(OP.timerStart, id, delayMs, repeats ? 1 : 0);
  return id;
}

export function clearTimer(id: number): void {
  if (MapPrototypeDelete(timers, id)) op(OP.timerClear, id);
}

/** The host says that a timer is due. What it throws is reported, as the HTML standard has it. */
export function fireTimer(id: number): void {
  const timer = MapPrototypeGet(timers, id) as Timer | undefined;
  if (timer === undefined) return;
  if (!timer.repeats) MapPrototypeDelete(timers, id);
  guarded(timer.run);
}

function guarded(run: () => void): void {
  try {
    run();
  } catch (thrown) {
    const { message, stack } = describeThrown(thrown);
    log('error', stack || message);
  }
}

type Handler = (...args: unknown[]) => unknown;

function checked(handler: unknown): Handler {
  // Strings would be code to evaluate: server runtimes refuse them.
  if (typeof handler !== 'function') throw new NativeTypeError('the first argument must be a function');
  return handler as Handler;
}

function delay(value: unknown): number {
  const ms = Number(value);
  return ms > 0 ? (ms > 2_147_483_647 ? 0 : ms) : 0;
}

export function setTimeout(handler: unknown, delayMs?: unknown, ...args: unknown[]): number {
  const call = checked(handler);
  return startTimer(bound(() => reflectApply(call, undefined, args)), delay(delayMs), false);
}

export function setInterval(handler: unknown, delayMs?: unknown, ...args: unknown[]): number {
  const call = checked(handler);
  return startTimer(bound(() => reflectApply(call, undefined, args)), delay(delayMs), true);
}

export function clearTimeout(id?: unknown): void {
  if (typeof id === 'number') clearTimer(id);
}

export function clearInterval(id?: unknown): void {
  if (typeof id === 'number') clearTimer(id);
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
