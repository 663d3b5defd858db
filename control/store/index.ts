// The LMDB adapter of the record store.
export { openLmdbStore } from './lmdb-record-store.ts';
