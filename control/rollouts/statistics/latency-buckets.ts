// What "slow" means in the next second: a bound at live's quantile of the past, and how many requests of each side lie above it.
import type { Side } from './two-sample.ts';

/** Of core/metrics LogHistogram: four buckets an octave. */
const PER_OCTAVE = 4;
/** What was seen weighs half as much after 35 s. */
const KEEP_PER_SECOND = 0.98;

/** Seconds of live, the older the less they count. */
export class FadingHistogram {
  readonly #counts = new Map<number, number>();
  #total = 0;

  get total(): number {
    return this.#total;
  }

  add(pairs: readonly (readonly [number, number])[]): void {
    for (const [bucket, count] of this.#counts) this.#counts.set(bucket, count * KEEP_PER_SECOND);
    this.#total *= KEEP_PER_SECOND;
    for (const [bucket, count] of pairs) {
      this.#counts.set(bucket, (this.#counts.get(bucket) ?? 0) + count);
      this.#total += count;
    }
  }

  /** The bucket that holds the quantile. */
  bucketOf(q: number): number {
    const buckets = [...this.#counts].toSorted(([a], [b]) => a - b);
    let seen = 0;
    for (const [bucket, count] of buckets) {
      seen += count;
      if (seen >= q * this.#total) return bucket;
    }
    return buckets.at(-1)?.[0] ?? 0;
  }

  /** Share of what lies in buckets above; 0 when empty. */
  shareAbove(bucket: number): number {
    let above = 0;
    for (const [one, count] of this.#counts) if (one > bucket) above += count;
    return this.#total === 0 ? 0 : above / this.#total;
  }
}

/**
 * The bucket whose upper bound is the least that is `1 + maxIncrease` times, and `slackUs` more than, the upper bound of `bucket`.
 * A canary that is slower by less has no more requests above it than live has above `bucket`: scaling a latency by 2^(k/4) moves it by k buckets.
 */
export function tolerated(bucket: number, maxIncrease: number, slackUs: number): number {
  const bound = 2 ** (bucket / PER_OCTAVE);
  const wanted = Math.max(bound * (1 + maxIncrease), bound + slackUs);
  // A bound that is one of the buckets' own must not be rounded to the next.
  return Math.max(bucket, Math.ceil(Math.log2(wanted) * PER_OCTAVE - 1e-9));
}

/** @param excused  requests that are left out, the slow ones first */
export function slowSide(pairs: readonly (readonly [number, number])[], bucket: number, excused = 0): Side {
  let bad = 0;
  let n = 0;
  for (const [one, count] of pairs) {
    n += count;
    if (one > bucket) bad += count;
  }
  return { n: Math.max(0, n - excused), bad: Math.max(0, bad - excused) };
}
