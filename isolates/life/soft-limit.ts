// The soft limit of memory: finds isolates that hold on to more than they should, and has them retired before the hard limit kills them.
import type { HeapSize } from '../vm.ts';
import { TimeBudget } from './time-budget.ts';
import type { HeapGauge } from './heap-gauge.ts';

/** What this needs of an isolate. */
export interface Gauged {
  readonly gauge: HeapGauge;
  /** No new invocation enters it, or none ever will. */
  readonly leaving: boolean;
  /** `performance.now()` until which its version counts as one that leaks. Shared by its isolates. */
  leaksUntilMs: number;
  measure(into: HeapSize): void;
  /** A full collection. @returns false when it cost the isolate its life */
  collect(shrink: boolean): boolean;
  /** `collect` does nothing. Default: it does. */
  readonly uncollectable?: boolean;
}

/** A larger heap is not collected to find out what is garbage: that takes a millisecond for each MB that survives, and everybody waits. */
const MAX_COLLECTED_BYTES = 128 * 1_048_576;
/**
 * What such a heap may use. V8 begins a full collection before a heap has come halfway from what survived the last one to its limit (V8,
 * MemoryController::BoundAllocationLimit), so 90 % in use means that 80 % survived.
 */
const LARGE_SHARE = 0.9;
/** The same for a smaller one that can't be collected, or while the time for collections is used up. */
const UNCOLLECTED_SHARE = 0.95;
/** Loop time for collections. Under a hundredth, so that neighbours do not feel it at their 99th percentile. */
const COLLECT_MS_PER_S = 8;
const COLLECT_SAVED_MS = 30;
/** What a collection has shown of one isolate holds for the next ones of its version: one that leaks is collected once in a while, not each time. */
const KNOWN_MS = 60_000;

export class SoftLimit<T extends Gauged> {
  readonly #retire: (isolate: T) => void;
  readonly #size: HeapSize = { usedBytes: 0, residentBytes: 0 };
  readonly #suspects = new Set<T>();
  readonly #time = new TimeBudget(COLLECT_MS_PER_S, COLLECT_SAVED_MS);
  #due = false;
  /** Collections so far. */
  collections = 0;

  /** @param retire  it holds on to more than its soft limit */
  constructor(retire: (isolate: T) => void) {
    this.#retire = retire;
  }

  /** After an entry. Nothing happens to the isolate before the next loop turn. @returns how much more memory V8 holds for it, bytes */
  look(isolate: T): number {
    const before = isolate.gauge.residentBytes;
    isolate.measure(this.#size);
    if (isolate.gauge.take(this.#size) && !isolate.leaving) {
      this.#suspects.add(isolate);
      this.#schedule();
    }
    return isolate.gauge.residentBytes - before;
  }

  forget(isolate: T): void {
    this.#suspects.delete(isolate);
  }

  #schedule(): void {
    if (this.#due) return;
    this.#due = true;
    setImmediate(this.#reviewOne);
  }

  // One a turn: a collection may take tens of milliseconds.
  readonly #reviewOne = (): void => {
    this.#due = false;
    const [isolate] = this.#suspects;
    if (isolate === undefined) return;
    this.#suspects.delete(isolate);
    if (this.#suspects.size > 0) this.#schedule();
    if (!isolate.leaving && this.#holdsTooMuch(isolate)) this.#retire(isolate);
  };

  #holdsTooMuch(isolate: T): boolean {
    const { gauge } = isolate;
    if (gauge.usedBytes > MAX_COLLECTED_BYTES) return gauge.usedBytes > LARGE_SHARE * gauge.limitBytes;
    const startedMs = performance.now();
    if (startedMs < isolate.leaksUntilMs) return true;
    if (isolate.uncollectable === true || !this.#time.open(startedMs)) return gauge.usedBytes > UNCOLLECTED_SHARE * gauge.limitBytes;
    this.collections += 1;
    const alive = isolate.collect(false);
    this.#time.spend(performance.now() - startedMs);
    if (!alive) return false;
    isolate.measure(this.#size);
    if (!gauge.collected(this.#size)) return false;
    isolate.leaksUntilMs = startedMs + KNOWN_MS;
    return true;
  }
}
