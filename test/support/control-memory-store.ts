// The record store in memory: the fake that the contract suite holds equal to LMDB.
import { PlatformError } from '../../core/errors/index.ts';
import type { Change, Expectation, ListOptions, RecordStore, StoredRecord } from '../../core/ports/index.ts';

export class MemoryStore implements RecordStore {
  readonly #records = new Map<string, { readonly value: unknown; readonly revision: number }>();
  #revision = 0;
  #closed = false;
  /** Set: the next commit fails as a full disk would. */
  failNext = false;

  get revision(): number {
    return this.#revision;
  }

  get(key: string): StoredRecord | undefined {
    checkKey(key);
    const found = this.#records.get(key);
    return found === undefined ? undefined : { key, value: structuredClone(found.value), revision: found.revision };
  }

  list({ prefix, after, limit = 100 }: ListOptions): readonly StoredRecord[] {
    return [...this.#records]
      .filter(([key]) => key.startsWith(prefix) && (after === undefined || key > after))
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .slice(0, limit)
      .map(([key, { value, revision }]) => ({ key, value: structuredClone(value), revision }));
  }

  async commit(changes: readonly Change[], expected: readonly Expectation[] = []): Promise<number> {
    await Promise.resolve();
    if (this.#closed || this.failNext) {
      this.failNext = false;
      throw new PlatformError('storage_failed');
    }
    for (const change of changes) checkKey(change.key);
    for (const { key, revision } of expected) {
      if ((this.#records.get(key)?.revision ?? 0) !== revision) throw new PlatformError('precondition_failed');
    }
    this.#revision += 1;
    for (const change of changes) {
      if ('remove' in change) this.#records.delete(change.key);
      else this.#records.set(change.key, { value: structuredClone(change.value), revision: this.#revision });
    }
    return this.#revision;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.resolve();
  }
}

function checkKey(key: string): void {
  if (!/^[\x20-\x7e]{1,500}$/.test(key)) throw new RangeError('a key is 1 to 500 printable ASCII characters');
}
