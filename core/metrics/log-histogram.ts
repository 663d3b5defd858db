// A histogram with logarithmic buckets, four an octave: any value from 1 to 2^40 within 19 %, mergeable, sparse on the wire.

const PER_OCTAVE = 4;
const OCTAVES = 40;
/** Buckets of a histogram; their indexes begin at 0. */
export const BUCKETS = PER_OCTAVE * OCTAVES + 1;

export class LogHistogram {
  readonly #counts = new Uint32Array(BUCKETS);
  #total = 0;

  get total(): number {
    return this.#total;
  }

  /** Counts `value`, in whatever unit the owner chose. Values below 1 count as 1. */
  record(value: number): void {
    const index = value <= 1 ? 0 : Math.min(BUCKETS - 1, Math.ceil(Math.log2(value) * PER_OCTAVE));
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.#total += 1;
  }

  /** Upper bound of the bucket that holds the `q` quantile (0 to 1); 0 when empty. */
  quantile(q: number): number {
    if (this.#total === 0) return 0;
    const rank = Math.max(1, Math.ceil(q * this.#total));
    let seen = 0;
    for (let i = 0; i < BUCKETS; i++) {
      seen += this.#counts[i] ?? 0;
      if (seen >= rank) return 2 ** (i / PER_OCTAVE);
    }
    return 2 ** OCTAVES;
  }

  /** Counts `n` more in one bucket, an integer from 0 to `BUCKETS` - 1. */
  add(index: number, n: number): void {
    this.#counts[index] = (this.#counts[index] ?? 0) + n;
    this.#total += n;
  }

  /** What was counted in one bucket. */
  count(index: number): number {
    return this.#counts[index] ?? 0;
  }

  /** Pairs of bucket index and count, the empty ones left out. */
  toPairs(): [number, number][] {
    const pairs: [number, number][] = [];
    for (let i = 0; i < BUCKETS; i++) {
      const n = this.#counts[i] ?? 0;
      if (n > 0) pairs.push([i, n]);
    }
    return pairs;
  }

  /** Adds what another process counted; indexes that do not exist are ignored. */
  addPairs(pairs: readonly (readonly [number, number])[]): void {
    for (const [index, n] of pairs) {
      if (!Number.isInteger(index) || index < 0 || index >= BUCKETS) continue;
      this.add(index, n);
    }
  }

  clear(): void {
    this.#counts.fill(0);
    this.#total = 0;
  }
}
