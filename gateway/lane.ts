// Fast or slow: the decision for one version, from how long its entries are, with hysteresis.

/**
 * An entry holds its host's loop. Neighbours feel it at their 99th percentile once long entries take about a hundredth of the time, however many
 * they are and however long each is; so their CPU time fills a bucket that leaks so much, microseconds per millisecond.
 */
const LEAK_US_PER_MS = 10;
/** The level at which a version has held its host too much, microseconds: the third of a row of 20 ms entries, the thirteenth of 4 ms. */
const FULL_US = 50_000;
/** What goes beyond is not remembered, so that a burst is over some seconds after its end. */
const MOST_US = 100_000;
/** One long entry, or two, may be an accident: a large input, or the machine. */
const MIN_LONG = 3;

/** How long a version on the slow lane must stay below the mark before it returns, milliseconds: at first, and at the most. */
export const RETURN_MS = 10_000;
export const MAX_RETURN_MS = 300_000;
/** ... and how many short entries must show it. */
export const MIN_SHORT = 20;
/** A version that is back and long again within so many times its wait waits twice as long the next time. */
const RELAPSE = 6;

/** What caused a move, for the log: CPU time of long entries. */
export interface LaneFigures {
  readonly longEntries: number;
  readonly longMs: number;
  readonly maxMs: number;
}

/** Times are milliseconds on any clock that does not go back. */
export class Lane {
  #slow = false;
  #levelUs = 0;
  #atMs = 0;
  /** Long entries, and the longest of them, since the bucket was last empty. */
  #long = 0;
  #longUs = 0;
  #maxUs = 0;
  /** Short entries since it has been calm. */
  #short = 0;
  #calmFromMs = 0;
  #returnedAtMs = Number.NEGATIVE_INFINITY;
  #returnMs = RETURN_MS;

  get slow(): boolean {
    return this.#slow;
  }

  /** How long it has to be calm before it may return, milliseconds. */
  get returnMs(): number {
    return this.#returnMs;
  }

  get figures(): LaneFigures {
    return { longEntries: this.#long, longMs: Math.round(this.#longUs / 1_000), maxMs: Math.round(this.#maxUs / 1_000) };
  }

  /**
   * Entries over `LONG_ENTRY_US`.
   *
   * @param us  their CPU time in all, microseconds
   * @param maxUs  the longest one's
   * @returns whether the version changes to the slow lane with them
   */
  long(nowMs: number, entries: number, us: number, maxUs: number): boolean {
    this.#leak(nowMs);
    this.#levelUs = Math.min(MOST_US, this.#levelUs + us);
    this.#long += entries;
    this.#longUs += us;
    this.#maxUs = Math.max(this.#maxUs, maxUs);
    if (this.#levelUs < FULL_US) return false;
    this.#calmFromMs = nowMs + (this.#levelUs - FULL_US) / LEAK_US_PER_MS;
    this.#short = 0;
    if (this.#slow || this.#long < MIN_LONG) return false;
    this.#slow = true;
    this.#returnMs = nowMs - this.#returnedAtMs < this.#returnMs * RELAPSE ? Math.min(MAX_RETURN_MS, this.#returnMs * 2) : RETURN_MS;
    return true;
  }

  /**
   * Entries that were not long.
   *
   * @returns whether the version changes back to the fast lane with them
   */
  short(nowMs: number, entries: number): boolean {
    if (!this.#slow || nowMs < this.#calmFromMs) return false;
    this.#short += entries;
    if (this.#short < MIN_SHORT || nowMs - this.#calmFromMs < this.#returnMs) return false;
    this.#leak(nowMs);
    this.#slow = false;
    this.#returnedAtMs = nowMs;
    return true;
  }

  #leak(nowMs: number): void {
    this.#levelUs -= (nowMs - this.#atMs) * LEAK_US_PER_MS;
    this.#atMs = nowMs;
    if (this.#levelUs > 0) return;
    this.#levelUs = this.#long = this.#longUs = this.#maxUs = 0;
  }
}
