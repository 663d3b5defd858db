// How much time the host may spend on stacks: a function whose errors storm must not slow its neighbours, nor take their share.

/** Milliseconds of CPU time a second, of one function and of all, and what may be saved up: enough to decode the largest map. */
const FUNCTION = { perSec: 5, burst: 100 } as const;
const HOST = { perSec: 25, burst: 400 } as const;
/** Functions that are kept apart; when there are more, all start anew. */
const MAX_FUNCTIONS = 2_000;

interface Bucket {
  ms: number;
  atMs: number;
}

/** Token buckets in milliseconds of work. What one piece of work takes beyond its bucket is owed. */
export class WorkBudget {
  readonly #host: Bucket = { ms: HOST.burst, atMs: 0 };
  readonly #functions = new Map<string, Bucket>();

  /** Whether `fn` may do work now. */
  allows(fn: string, nowMs: number): boolean {
    refill(this.#host, HOST, nowMs);
    const own = this.#of(fn, nowMs);
    refill(own, FUNCTION, nowMs);
    return this.#host.ms > 0 && own.ms > 0;
  }

  spend(fn: string, ms: number, nowMs: number): void {
    this.#host.ms -= ms;
    this.#of(fn, nowMs).ms -= ms;
  }

  #of(fn: string, nowMs: number): Bucket {
    let bucket = this.#functions.get(fn);
    if (bucket === undefined) {
      if (this.#functions.size >= MAX_FUNCTIONS) this.#functions.clear();
      bucket = { ms: FUNCTION.burst, atMs: nowMs };
      this.#functions.set(fn, bucket);
    }
    return bucket;
  }
}

function refill(bucket: Bucket, { perSec, burst }: { readonly perSec: number; readonly burst: number }, nowMs: number): void {
  bucket.ms = Math.min(burst, bucket.ms + ((nowMs - bucket.atMs) / 1_000) * perSec);
  bucket.atMs = nowMs;
}
