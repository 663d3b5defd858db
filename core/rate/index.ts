// Limits per second.
export { RateLimiter } from './rate-limiter.ts';
export { UNLIMITED, cellRate, conform } from './gcra.ts';
export type { Arrivals, CellRate } from './gcra.ts';
