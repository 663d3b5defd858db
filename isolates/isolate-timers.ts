// Timers of one isolate: the host keeps the time and enters when one is due.
import type { Invocation } from './invocation.ts';
import type { Queued } from './run-queue.ts';
import { ENTER } from './runtime/abi.ts';
import type { TenantIsolate } from './tenant-isolate.ts';

/** Timers of one isolate at the same time. */
const MAX_TIMERS = 10_000;

/** Ended timers that one `start` tells the isolate of. */
const MAX_TOLD = 256;

interface Timer {
  readonly owner: Invocation;
  /** Takes it out of the host's loop. */
  readonly cancel: () => void;
}

export class IsolateTimers {
  readonly #isolate: TenantIsolate;
  readonly #timers = new Map<number, Timer>();
  /** Timers that ended with their invocation. Each was started once and is told of once, so there are never more than timers were alive. */
  #ended: number[] = [];

  constructor(isolate: TenantIsolate) {
    this.#isolate = isolate;
  }

  /**
   * Throws a RangeError into the function when it has too many.
   *
   * @param delayMs  below zero: in the next turn of the loop
   * @returns timers whose invocations have ended since, parted by commas: the isolate still holds their callbacks
   */
  start(owner: Invocation, id: number, delayMs: number, repeats: boolean): string | undefined {
    if (this.#timers.size >= MAX_TIMERS) throw new RangeError('too many timers');
    let queued: Queued | null = null;
    const fire = (): void => {
      if (!repeats) this.#forget(id);
      // One that repeats and still waits for its turn does not wait twice, as in browsers.
      else if (queued?.waits === true) return;
      queued = this.#isolate.enter(owner, ENTER.timer, id);
    };
    this.#timers.set(id, { owner, cancel: schedule(fire, delayMs, repeats) });
    owner.timers ??= new Set();
    owner.timers.add(id);
    return this.#ended.length === 0 ? undefined : this.#ended.splice(0, MAX_TOLD).join(',');
  }

  clear(id: number): void {
    const timer = this.#timers.get(id);
    if (timer === undefined) return;
    timer.cancel();
    this.#forget(id);
  }

  clearOf(owner: Invocation): void {
    if (owner.timers === null) return;
    for (const id of owner.timers) {
      this.clear(id);
      this.#ended.push(id);
    }
  }

  clearAll(): void {
    for (const { cancel } of this.#timers.values()) cancel();
    this.#timers.clear();
  }

  #forget(id: number): void {
    this.#timers.get(id)?.owner.timers?.delete(id);
    this.#timers.delete(id);
  }
}

function schedule(fire: () => void, delayMs: number, repeats: boolean): () => void {
  if (delayMs < 0) {
    const handle = setImmediate(fire);
    return () => clearImmediate(handle);
  }
  const handle = repeats ? setInterval(fire, Math.max(1, delayMs)) : setTimeout(fire, delayMs);
  return () => clearTimeout(handle);
}
