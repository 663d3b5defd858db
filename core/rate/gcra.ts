// The generic cell rate algorithm (ITU-T I.371 annex A, virtual scheduling), pure: one number of state for each who is limited.

/** An even rate, and how far ahead of it requests may come. */
export interface CellRate {
  /** Milliseconds between requests at the even rate; 0: no limit. */
  readonly intervalMs: number;
  readonly toleranceMs: number;
}

export const UNLIMITED: CellRate = { intervalMs: 0, toleranceMs: 0 };

/**
 * @param ratePerSec  0: no limit
 * @param burst  requests that may come at once; 0: a second's worth, at least one
 */
export function cellRate(ratePerSec: number, burst = 0): CellRate {
  if (ratePerSec === 0) return UNLIMITED;
  const intervalMs = 1_000 / ratePerSec;
  return { intervalMs, toleranceMs: burst === 0 ? Math.max(0, 1_000 - intervalMs) : (burst - 1) * intervalMs };
}

/** When the next request would be due at an even rate: theoretical arrival time, milliseconds. At or before the present it says nothing. */
export interface Arrivals {
  tatMs: number;
}

/** @returns 0 when the request conforms, which counts it, or the milliseconds after which one does. https://brandur.org/rate-limiting tells it well. */
export function conform(arrivals: Arrivals, { intervalMs, toleranceMs }: CellRate, nowMs: number): number {
  if (intervalMs === 0) return 0;
  // No further ahead than this rate could have led: under a raised one nobody goes on paying for the old one.
  const due = Math.min(Math.max(arrivals.tatMs, nowMs), nowMs + toleranceMs + intervalMs);
  if (due < arrivals.tatMs) arrivals.tatMs = due;
  const earliest = due - toleranceMs;
  // Sums of fractions: a millionth of a millisecond is no reason to refuse.
  if (nowMs < earliest - 1e-6) return earliest - nowMs;
  arrivals.tatMs = due + intervalMs;
  return 0;
}
