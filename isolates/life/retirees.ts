// Retired isolates that still run something: bounded in number and in time, since each holds on to its memory.
import type { TenantIsolate } from '../tenant-isolate.ts';

/** As long as the default of `limits.streamMs` and the time of waitUntil behind it. */
export const MAX_RETIRING_MS = 330_000;
/** Of one version. */
export const MAX_RETIRING_PER_VERSION = 4;
/** Of one host. */
export const MAX_RETIRING = 64;
const REVIEW_MS = 1_000;

export class Retirees {
  /** Since when, in this order. */
  readonly #since = new Map<TenantIsolate, number>();
  readonly #giveUp: (isolate: TenantIsolate, why: string) => void;
  readonly #timer: NodeJS.Timeout;

  /** @param giveUp  kills it, which removes it from here */
  constructor(giveUp: (isolate: TenantIsolate, why: string) => void) {
    this.#giveUp = giveUp;
    this.#timer = setInterval(() => this.#review(performance.now()), REVIEW_MS);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  get size(): number {
    return this.#since.size;
  }

  /** Something runs in it. Beyond the bounds the oldest one is given up. */
  add(isolate: TenantIsolate): void {
    this.#since.set(isolate, performance.now());
    isolate.state.retiring += 1;
    const same = [...this.#since.keys()].filter(({ state }) => state === isolate.state);
    if (same.length > MAX_RETIRING_PER_VERSION) this.#giveUpOn(same[0], `more than ${MAX_RETIRING_PER_VERSION} of its version drain`);
    else if (this.#since.size > MAX_RETIRING) this.#giveUpOn(this.#since.keys().next().value, `more than ${MAX_RETIRING} of the host drain`);
  }

  remove(isolate: TenantIsolate): void {
    if (this.#since.delete(isolate)) isolate.state.retiring -= 1;
  }

  #review(nowMs: number): void {
    for (const [isolate, sinceMs] of this.#since) {
      if (nowMs - sinceMs < MAX_RETIRING_MS) return;
      this.#giveUpOn(isolate, `it drained for more than ${MAX_RETIRING_MS / 1_000} s`);
    }
  }

  // Not from within what made it retire: killing answers its invocations.
  #giveUpOn(isolate: TenantIsolate | undefined, why: string): void {
    if (isolate === undefined) return;
    this.remove(isolate);
    setImmediate(() => this.#giveUp(isolate, why));
  }
}
