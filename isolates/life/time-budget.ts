// A share of the loop's time: what it is spent on waits when it is used up.

export class TimeBudget {
  #share: number;
  #mostMs: number;
  #leftMs: number;
  #filledMs = 0;

  /**
   * @param msPerSecond  loop time that may be used of each second
   * @param mostMs  what can be saved up
   */
  constructor(msPerSecond: number, mostMs: number) {
    this.#share = msPerSecond / 1_000;
    this.#mostMs = mostMs;
    this.#leftMs = mostMs;
  }

  /** Other bounds from now on, as for the constructor. */
  allow(msPerSecond: number, mostMs: number): void {
    this.#share = msPerSecond / 1_000;
    this.#mostMs = mostMs;
  }

  /** Whether anything may be begun. What it takes beyond the rest is owed. */
  open(nowMs: number): boolean {
    this.#leftMs = Math.min(this.#mostMs, this.#leftMs + (nowMs - this.#filledMs) * this.#share);
    this.#filledMs = nowMs;
    return this.#leftMs > 0;
  }

  spend(ms: number): void {
    this.#leftMs -= ms;
  }
}
