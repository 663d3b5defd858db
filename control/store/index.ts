// The LMDB adapters: of the record store, and of rows that are kept beside it.
export { openLmdbStore } from './lmdb-record-store.ts';
export type { CopyableStore } from './lmdb-record-store.ts';
export { openLmdbRows } from './lmdb-row-store.ts';
export { FORMAT } from './migrations.ts';
