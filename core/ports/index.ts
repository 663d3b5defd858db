// Interfaces where parts meet and implementations may differ.
export type { OrderedRows, RowStore } from './ordered-rows.ts';
export type { Change, Expectation, ListOptions, RecordStore, StoredRecord } from './record-store.ts';
