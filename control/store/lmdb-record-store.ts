// RecordStore over LMDB.
import { existsSync, mkdirSync } from 'node:fs';
import { chmod, open as openFile } from 'node:fs/promises';
import { join } from 'node:path';
import { open } from 'lmdb';
import type { Database, RootDatabase } from 'lmdb';
import { z } from 'zod';
import { PlatformError } from '../../core/errors/index.ts';
import type { Change, Expectation, ListOptions, RecordStore, StoredRecord } from '../../core/ports/index.ts';
import { decode, encode } from '../../core/protocol/index.ts';
import { FORMAT, MIGRATIONS } from './migrations.ts';
import type { Migration } from './migrations.ts';

/** Keys are printable ASCII, so that LMDB's byte order is the code unit order that the port promises. */
const KEY = /^[\x20-\x7e]{1,500}$/;
const REVISION_KEY = 'revision';
const FORMAT_KEY = 'format';
const DEFAULT_LIMIT = 100;

function checkKey(key: string): void {
  if (!KEY.test(key)) throw new RangeError('a key is 1 to 500 printable ASCII characters');
}

export interface OpenOptions {
  /** For looking at a store beside the process that has it open: nothing is written, and commits fail. */
  readonly readOnly?: boolean;
  /** Called once for each step that was taken to this release's form. */
  readonly onMigrated?: (step: Migration) => void;
}

/**
 * Opens, or makes, the store in `folder` (mode 0700), and brings it to this release's form: all steps in one transaction, so that a crash leaves the
 * old form or the new one. One process may have it open to write; the data lock of the node holds that.
 *
 * @throws storage_failed  the folder cannot be written
 * @throws store_too_new  a later release wrote it; nothing was changed
 */
export function openLmdbStore(folder: string, { readOnly = false, onMigrated = () => {} }: OpenOptions = {}): CopyableStore {
  try {
    if (!readOnly) mkdirSync(folder, { recursive: true, mode: 0o700 });
    else if (!existsSync(folder)) throw new Error('there is no such folder');
    // Without overlapping sync a commit that has returned is on disk: LMDB flushes the data (fdatasync) and writes its meta page through
    // a synchronous descriptor before it reports success. With it, lmdb-js resolves a write once it is visible and flushes later.
    const root = open<Buffer, string>({ path: folder, readOnly, noSubdir: false, overlappingSync: false, encoding: 'binary', maxDbs: 4 });
    try {
      return new LmdbRecordStore(root, readOnly, onMigrated);
    } catch (thrown) {
      void root.close();
      throw thrown;
    }
  } catch (cause) {
    throw cause instanceof PlatformError ? cause : new PlatformError('storage_failed', undefined, { cause });
  }
}

export interface CopyableStore extends RecordStore {
  /**
   * Writes the store as of now into `folder`, which must be empty or not there, without what deletions have left, and flushed. Commits go on meanwhile and are not in
   * it. The copy is a store that can be opened.
   *
   * @throws storage_failed
   */
  copyTo(folder: string): Promise<void>;
}

class LmdbRecordStore implements CopyableStore {
  readonly #root: RootDatabase<Buffer, string>;
  readonly #records: Database<Buffer, string>;
  readonly #meta: Database<Buffer, string>;
  #revision: number;
  #closed = false;

  constructor(root: RootDatabase<Buffer, string>, readOnly: boolean, onMigrated: (step: Migration) => void) {
    this.#root = root;
    this.#records = root.openDB<Buffer, string>({ name: 'records', encoding: 'binary' });
    this.#meta = root.openDB<Buffer, string>({ name: 'meta', encoding: 'binary' });
    this.#migrate(readOnly, onMigrated);
    const revision = this.#meta.get(REVISION_KEY);
    this.#revision = revision === undefined ? 0 : z.number().parse(decode(revision));
  }

  get revision(): number {
    return this.#revision;
  }

  get(key: string): StoredRecord | undefined {
    checkKey(key);
    const bytes = this.#records.get(key);
    return bytes === undefined ? undefined : toRecord(key, bytes);
  }

  list(options: ListOptions): readonly StoredRecord[] {
    const { prefix, after } = options;
    const start = after === undefined || after < prefix ? prefix : after;
    const rows: StoredRecord[] = [];
    // '' sorts before every key, so that an empty prefix starts at the first one; no key holds 0x7f.
    for (const { key, value } of this.#records.getRange({ start, end: `${prefix}\x7f`, limit: (options.limit ?? DEFAULT_LIMIT) + 1 })) {
      if (after !== undefined && key <= after) continue;
      if (rows.length === (options.limit ?? DEFAULT_LIMIT)) break;
      rows.push(toRecord(key, value));
    }
    return rows;
  }

  // The synchronous transaction on purpose: after a failed asynchronous one (disk full) lmdb-js 3.5 leaves a rejected promise that nobody
  // can handle, which ends the process. This one throws, leaves everything as it was, and works again once there is space. It also is
  // quicker (0.3 ms against 0.9 ms), and what it blocks is only the control plane.
  // eslint-disable-next-line @typescript-eslint/require-await -- the port is asynchronous, this engine is not
  async commit(changes: readonly Change[], expected: readonly Expectation[] = []): Promise<number> {
    if (this.#closed) throw new PlatformError('storage_failed', undefined, { cause: new Error('the store is closed') });
    for (const change of changes) checkKey(change.key);
    const revision = this.#revision + 1;
    // Encoded first: what cannot be stored must not leave half a transaction behind.
    const writes = changes.map((change) => ({ key: change.key, bytes: 'remove' in change ? undefined : encode([revision, change.value]) }));
    try {
      this.#root.transactionSync(() => {
        for (const { key, revision: wanted } of expected) {
          const bytes = this.#records.get(key);
          if ((bytes === undefined ? 0 : toRecord(key, bytes).revision) !== wanted) throw new PlatformError('precondition_failed');
        }
        for (const { key, bytes } of writes) {
          if (bytes === undefined) this.#records.removeSync(key);
          else this.#records.putSync(key, bytes);
        }
        this.#meta.putSync(REVISION_KEY, encode(revision));
      });
    } catch (cause) {
      throw cause instanceof PlatformError ? cause : new PlatformError('storage_failed', undefined, { cause });
    }
    this.#revision = revision;
    return revision;
  }

  async copyTo(folder: string): Promise<void> {
    try {
      // LMDB's own copy of a snapshot: a reader of its own on a thread of its own (mdb_env_copy2 with MDB_CP_COMPACT).
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      await this.#root.backup(folder, true);
      await chmod(join(folder, 'data.mdb'), 0o600);
      for (const path of [join(folder, 'data.mdb'), folder]) await flush(path);
    } catch (cause) {
      throw new PlatformError('storage_failed', undefined, { cause });
    }
  }

  #migrate(readOnly: boolean, onMigrated: (step: Migration) => void): void {
    const stored = this.#meta.get(FORMAT_KEY);
    if (stored === undefined && readOnly) throw new Error('it holds no store');
    const found = stored === undefined ? FORMAT : z.int().min(1).parse(decode(stored));
    if (found > FORMAT) throw new PlatformError('store_too_new', { found, known: FORMAT });
    const steps = MIGRATIONS.filter(({ to }) => to > found);
    // What only looks sees the old form as it is.
    if (readOnly || (stored !== undefined && steps.length === 0)) return;
    this.#root.transactionSync(() => {
      for (const step of steps) {
        step.run({
          list: (prefix) => [...this.#records.getRange({ start: prefix, end: `${prefix}\x7f` })].map(({ key, value }) => toRecord(key, value)),
          replace: (key, value) => {
            const before = this.#records.get(key);
            if (before !== undefined) this.#records.putSync(key, encode([toRecord(key, before).revision, value]));
          },
        });
      }
      this.#meta.putSync(FORMAT_KEY, encode(FORMAT));
    });
    for (const step of steps) onMigrated(step);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#root.close();
  }
}

function toRecord(key: string, bytes: Buffer): StoredRecord {
  const row = decode(bytes);
  // By hand: a start reads tens of thousands of rows, and a schema costs as much as the decoding.
  if (!Array.isArray(row) || row.length !== 2 || typeof row[0] !== 'number') throw new PlatformError('storage_failed', undefined, { cause: new Error(`the row ${key} has an unknown form`) });
  return { key, value: row[1], revision: row[0] };
}

/** A file or a folder. */
async function flush(path: string): Promise<void> {
  const handle = await openFile(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
