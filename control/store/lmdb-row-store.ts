// RowStore over LMDB, in an environment of its own: what is written here often neither waits for records nor raises their revision.
import { mkdirSync } from 'node:fs';
import { open } from 'lmdb';
import type { Database, RootDatabase } from 'lmdb';
import { z } from 'zod';
import { PlatformError } from '../../core/errors/index.ts';
import type { OrderedRows, RowStore } from '../../core/ports/index.ts';

const statsSchema = z.object({ entryCount: z.number() });

/**
 * Opens, or makes, the rows in `folder` (mode 0700).
 *
 * @throws storage_failed  the folder cannot be written
 */
export function openLmdbRows(folder: string): RowStore {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    // As for records: a write that has returned is on disk.
    const root = open<Buffer, string>({ path: folder, noSubdir: false, overlappingSync: false, encoding: 'binary', maxDbs: 4 });
    return {
      rows: (name) => new LmdbRows(root, root.openDB<Buffer, string>({ name, encoding: 'binary' })),
      close: async () => {
        await root.close();
      },
    };
  } catch (cause) {
    throw new PlatformError('storage_failed', undefined, { cause });
  }
}

class LmdbRows implements OrderedRows {
  readonly #root: RootDatabase<Buffer, string>;
  readonly #rows: Database<Buffer, string>;

  constructor(root: RootDatabase<Buffer, string>, rows: Database<Buffer, string>) {
    this.#root = root;
    this.#rows = rows;
  }

  get count(): number {
    return statsSchema.parse(this.#rows.getStats()).entryCount;
  }

  get(key: string): Uint8Array | undefined {
    return this.#rows.get(key);
  }

  range(from: string, to: string, limit: number): { key: string; bytes: Uint8Array }[] {
    return [...this.#rows.getRange({ start: from, end: to, limit })].map(({ key, value }) => ({ key, bytes: value }));
  }

  keys(from: string, to: string, limit: number): string[] {
    return [...this.#rows.getKeys({ start: from, end: to, limit })];
  }

  write(changes: readonly (readonly [key: string, bytes: Uint8Array | null])[]): void {
    try {
      // Synchronous, since a failed asynchronous transaction ends the process (see lmdb-record-store.ts).
      this.#root.transactionSync(() => {
        for (const [key, bytes] of changes) {
          if (bytes === null) this.#rows.removeSync(key);
          else this.#rows.putSync(key, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
        }
      });
    } catch (cause) {
      throw new PlatformError('storage_failed', undefined, { cause });
    }
  }
}
