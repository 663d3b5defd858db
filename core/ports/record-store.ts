// The control plane's store: ordered keys, plain values, atomic commits with preconditions. LMDB now, a distributed engine later.

/** A stored value with the revision that wrote it. */
export interface StoredRecord {
  readonly key: string;
  readonly value: unknown;
  /** Revision of the last commit that changed this record. */
  readonly revision: number;
}

export type Change = { readonly key: string; readonly value: unknown } | { readonly key: string; readonly remove: true };

/** The record must have this revision (0: must not exist) for the commit to happen. */
export interface Expectation {
  readonly key: string;
  readonly revision: number;
}

export interface ListOptions {
  readonly prefix: string;
  /** Only keys after this one, in code unit order. */
  readonly after?: string;
  /** Default 100. */
  readonly limit?: number;
}

/**
 * One suite (test/contract/record-store.contract.ts) runs against every implementation.
 * Values are plain data (JSON types and Uint8Array); what is returned is the caller's to keep.
 */
export interface RecordStore {
  /** Revision of the last commit; 0 when there was none. */
  readonly revision: number;
  get(key: string): StoredRecord | undefined;
  /** In key order. */
  list(options: ListOptions): readonly StoredRecord[];
  /**
   * All changes or none, in order. Resolves with the new revision when they are flushed to disk: a crash of the process or the machine
   * right after keeps them.
   *
   * @throws precondition_failed  an expectation does not hold; nothing was changed
   * @throws storage_failed  the disk refused; nothing was changed
   */
  commit(changes: readonly Change[], expected?: readonly Expectation[]): Promise<number>;
  /** Waits for commits under way. */
  close(): Promise<void>;
}
