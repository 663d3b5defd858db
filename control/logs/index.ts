// Logs of functions.
export { LogStore, logRowSchema } from './log-store.ts';
export type { Follower, LogLine, LogStoreOptions } from './log-store.ts';
