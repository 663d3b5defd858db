// The `http` client.
export { HttpClient } from './http-client.ts';
export type { HttpClientOptions } from './http-client.ts';
