// Limits per second.
export { RateLimiter } from './rate-limiter.ts';
