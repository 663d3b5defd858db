// The REST API.
export { createApp } from './app.ts';
export type { AppOptions } from './app.ts';
export { IdempotencyKeys } from './idempotency-keys.ts';
export { endpoints } from './endpoints.ts';
export type { Services } from './services.ts';
export { listenHttp } from './http-server.ts';
export type { HttpServer } from './http-server.ts';
export { standingEndpoints } from './standing-endpoints.ts';
export { nodeEndpoints } from './node-endpoints.ts';
export { openApi } from './openapi.ts';
export type { Endpoint } from './endpoint.ts';
