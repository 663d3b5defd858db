// Ordered rows of bytes: what the control plane keeps beside its records, without revision and audit trail. LMDB now.

/**
 * One named set of rows. Calls are synchronous: a write is on disk when it returns, and what it blocks is only the control plane.
 * Keys are 1 to 500 printable ASCII characters, in code unit order.
 */
export interface OrderedRows {
  get(key: string): Uint8Array | undefined;
  /** Up to `limit` rows of [from, to). */
  range(from: string, to: string, limit: number): { readonly key: string; readonly bytes: Uint8Array }[];
  /** Up to `limit` keys of [from, to). */
  keys(from: string, to: string, limit: number): string[];
  /**
   * All or none; null removes a row.
   *
   * @throws storage_failed  the disk refused; nothing was changed
   */
  write(changes: readonly (readonly [key: string, bytes: Uint8Array | null])[]): void;
  /** Rows there are. */
  readonly count: number;
}

export interface RowStore {
  rows(name: string): OrderedRows;
  close(): Promise<void>;
}
