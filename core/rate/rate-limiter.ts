// Requests per second by the generic cell rate algorithm (ITU-T I.371, virtual scheduling): one number of state per function.

/**
 * GCRA as in ITU-T I.371 annex A and https://brandur.org/rate-limiting: `tat` is when the next request would be due at an even rate;
 * requests may come early by the tolerance, so a second's worth may come at once.
 */
export class RateLimiter {
  /** Milliseconds between requests at the even rate; 0: no limit. */
  #intervalMs = 0;
  #toleranceMs = 0;
  /** Theoretical arrival time, milliseconds. */
  #tatMs = 0;

  /** @param ratePerSec  0: no limit. What was used up under the old rate stays used up. */
  configure(ratePerSec: number): void {
    this.#intervalMs = ratePerSec === 0 ? 0 : 1_000 / ratePerSec;
    this.#toleranceMs = ratePerSec === 0 ? 0 : 1_000 - this.#intervalMs;
  }

  /** @returns 0 when the request may pass, which counts it, or the milliseconds after which one may */
  take(nowMs: number): number {
    if (this.#intervalMs === 0) return 0;
    const due = this.#tatMs > nowMs ? this.#tatMs : nowMs;
    const earliest = due - this.#toleranceMs;
    // Sums of fractions: a millionth of a millisecond is no reason to refuse.
    if (nowMs < earliest - 1e-6) return earliest - nowMs;
    this.#tatMs = due + this.#intervalMs;
    return 0;
  }
}
