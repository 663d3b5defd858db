// Requests per second of one who is limited, by the generic cell rate algorithm (gcra.ts).
import { UNLIMITED, cellRate, conform } from './gcra.ts';
import type { Arrivals, CellRate } from './gcra.ts';

export class RateLimiter implements Arrivals {
  tatMs = 0;
  #rate: CellRate = UNLIMITED;

  /** @param ratePerSec  0: no limit. A second's worth may come at once. What was used up under the old rate stays used up. */
  configure(ratePerSec: number): void {
    this.#rate = cellRate(ratePerSec);
  }

  /** @returns 0 when the request may pass, which counts it, or the milliseconds after which one may */
  take(nowMs: number): number {
    return conform(this, this.#rate, nowMs);
  }
}
