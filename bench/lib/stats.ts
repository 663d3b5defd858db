// Medians and percentiles of measured values.

const ascending = (values: readonly number[]): number[] => [...values].sort((a, b) => a - b);

/**
 * Nearest-rank percentile: always one of the values.
 *
 * @param p  0 to 100
 * @returns NaN for no values
 */
export function percentile(values: readonly number[], p: number): number {
  const sorted = ascending(values);
  const rank = Math.max(1, Math.ceil((p / 100) * sorted.length));
  return sorted[rank - 1] ?? Number.NaN;
}

/** Mean of the two middle values when their number is even. */
export function median(values: readonly number[]): number {
  const sorted = ascending(values);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle];
  if (upper === undefined) return Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}

export interface Spread {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export function spread(values: readonly number[]): Spread {
  return { count: values.length, p50: median(values), p99: percentile(values, 99), max: percentile(values, 100) };
}
