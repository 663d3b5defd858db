// The LMDB adapters: of the record store, and of rows that are kept beside it.
export { openLmdbStore } from './lmdb-record-store.ts';
export { openLmdbRows } from './lmdb-row-store.ts';
