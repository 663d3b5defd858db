// Timers of one isolate: the host keeps the time and enters when one is due.
import type { Invocation } from './invocation.ts';
import { ENTER } from './runtime/abi.ts';
import type { TenantIsolate } from './tenant-isolate.ts';

/** Timers of one isolate at the same time. */
const MAX_TIMERS = 10_000;

interface Timer {
  readonly owner: Invocation;
  readonly handle: NodeJS.Timeout;
}

export class IsolateTimers {
  readonly #isolate: TenantIsolate;
  readonly #timers = new Map<number, Timer>();

  constructor(isolate: TenantIsolate) {
    this.#isolate = isolate;
  }

  /** Throws a RangeError into the function when it has too many. */
  start(owner: Invocation, id: number, delayMs: number, repeats: boolean): void {
    if (this.#timers.size >= MAX_TIMERS) throw new RangeError('too many timers');
    const fire = (): void => {
      if (!repeats) this.#forget(id);
      this.#isolate.enter(owner, ENTER.timer, id);
    };
    const handle = repeats ? setInterval(fire, Math.max(1, delayMs)) : setTimeout(fire, delayMs);
    this.#timers.set(id, { owner, handle });
    owner.timers ??= new Set();
    owner.timers.add(id);
  }

  clear(id: number): void {
    const timer = this.#timers.get(id);
    if (timer === undefined) return;
    clearTimeout(timer.handle);
    this.#forget(id);
  }

  clearOf(owner: Invocation): void {
    if (owner.timers !== null) for (const id of owner.timers) this.clear(id);
  }

  clearAll(): void {
    for (const { handle } of this.#timers.values()) clearTimeout(handle);
    this.#timers.clear();
  }

  #forget(id: number): void {
    this.#timers.get(id)?.owner.timers?.delete(id);
    this.#timers.delete(id);
  }
}
