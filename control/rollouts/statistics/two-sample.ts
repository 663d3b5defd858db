// How strongly one block of requests speaks against "the canary has no higher share of bad requests than live": an e-value of a 2×2 table.

/** Requests of one side within a block, and how many of them were bad (failed, or slow). */
export interface Side {
  readonly n: number;
  readonly bad: number;
}

export interface Shares {
  readonly canary: number;
  readonly live: number;
}

/** Halvings: to 2^-40 of the interval. */
const HALVINGS = 40;

/**
 * The shares within the null hypothesis `canary ≤ live + margin` that are nearest to `alternative`: those that minimise
 * `n_c KL(canary* ‖ canary) + n_l KL(live* ‖ live)`. On the boundary, where the derivative of this convex function of `live` is 0.
 *
 * @param alternative  strictly between 0 and 1
 */
export function nearestNull(alternative: Shares, margin: number, nCanary: number, nLive: number): Shares {
  const { canary, live } = alternative;
  if (canary <= live + margin) return alternative;
  const slope = (q: number): number => (nCanary * (q + margin - canary)) / ((q + margin) * (1 - q - margin)) + (nLive * (q - live)) / (q * (1 - q));
  let low = live;
  let high = canary - margin;
  for (let i = 0; i < HALVINGS; i++) {
    const middle = (low + high) / 2;
    if (slope(middle) < 0) low = middle;
    else high = middle;
  }
  const q = (low + high) / 2;
  return { canary: q + margin, live: q };
}

/**
 * Logarithm of the e-value of one block: the likelihood of what was seen under `alternative`, against its likelihood under the nearest shares of
 * the null hypothesis. Its expectation (not of the logarithm) is at most 1 whatever the true shares are, as long as they are within the
 * null hypothesis on the average of the block; they may be others in each block, so a change that comes over both versions is no evidence.
 *
 * The alternative must be chosen before the block is looked at. A side without requests gives 0: one side alone says nothing.
 *
 * @see Turner and Grünwald 2022, "Exact anytime-valid confidence intervals for contingency tables and beyond", arXiv:2203.09785, theorem 1;
 *   docs/decisions/0020-staged-rollouts.md has the proof in five lines
 */
export function blockEvidence(canary: Side, live: Side, alternative: Shares, margin: number): number {
  if (canary.n === 0 || live.n === 0) return 0;
  const null0 = nearestNull(alternative, margin, canary.n, live.n);
  return logRatio(canary, alternative.canary, null0.canary) + logRatio(live, alternative.live, null0.live);
}

function logRatio({ n, bad }: Side, share: number, null0: number): number {
  return bad * Math.log(share / null0) + (n - bad) * Math.log((1 - share) / (1 - null0));
}
