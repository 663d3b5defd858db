// The statistics of rollouts: pure, without clocks and stores.
export { blockEvidence, nearestNull } from './two-sample.ts';
export type { Shares, Side } from './two-sample.ts';
export { Wager } from './wager.ts';
export { FadingHistogram, slowSide, tolerated } from './latency-buckets.ts';
