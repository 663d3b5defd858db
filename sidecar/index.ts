// The sidecar's public face, for tests and for embedding; the process itself is main.ts.
export { CacheClient, cacheLimits } from './clients/cache/index.ts';
export type { CacheLimits } from './clients/cache/index.ts';
export { HttpClient } from './clients/http/index.ts';
export type { HttpClientOptions } from './clients/http/index.ts';
export { ControlLink, DEFAULT_LIMITS, SidecarServer } from './engine/index.ts';
export type { AdmissionLimits, Call, CallTask, MiddlewareClient, SidecarServerOptions } from './engine/index.ts';
export { startSidecar } from './start.ts';
