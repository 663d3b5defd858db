export { CacheClient, DEFAULT_CACHE_MB } from './cache-client.ts';
export { cacheLimits } from './cache-store.ts';
export type { CacheLimits } from './cache-store.ts';
