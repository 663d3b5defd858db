// Interfaces where parts meet and implementations may differ.
export type { Change, Expectation, ListOptions, RecordStore, StoredRecord } from './record-store.ts';
