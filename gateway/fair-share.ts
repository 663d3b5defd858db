// How much of a bound that all share one of them may take, so that a flood of one never leaves the others without.

/**
 * Dynamic thresholds (A. Choudhury and E. Hahne, "Dynamic queue length thresholds for shared-memory packet switches", IEEE/ACM Transactions on
 * Networking, 1998): whoever holds less than twice what is free may take more. One that takes all it can gets two thirds, n of them get 2 / (2n + 1)
 * each, and there is always something left for the next one. Nothing is kept per taker but what it holds.
 *
 * @param held  what this one holds
 * @param taken  what all hold together, of `limit`
 */
export function mayTake(held: number, taken: number, limit: number): boolean {
  return held < 2 * (limit - taken);
}
