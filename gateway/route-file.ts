// The gateway's own copy of the route table: what it starts from when the control plane is dead.
import { mkdirSync, readFileSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { toPlatformError } from '../core/errors/index.ts';
import { replaceFile } from '../core/files/index.ts';
import type { Logger } from '../core/log/index.ts';
import type { RouteDelta, RouteTable as TableData } from '../core/routing/index.ts';
import { changeBytes, parseRouteFile, tableBytes } from './route-file-format.ts';
import type { RouteFileContent } from './route-file-format.ts';

const DELAY_MS = 200;
/** After a write that failed. */
const RETRY_MS = 5_000;
/** Bytes of changes that may lie behind the table before it is written anew: as many as the table's, and at least these. */
const MIN_CHANGES_BYTES = 262_144;

/**
 * Reads a route file.
 *
 * @returns undefined when there is none
 * @throws Error  it is damaged or of another format: the caller logs that and goes on without
 */
export function readRouteFile(path: string): (RouteFileContent & { readonly ageMs: number }) | undefined {
  try {
    // By the wall clock: it was written by another life of the gateway, if not before the machine's last start.
    const ageMs = Math.max(0, Date.now() - statSync(path).mtimeMs);
    return { ...parseRouteFile(readFileSync(path)), ageMs };
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw thrown;
  }
}

/**
 * Writes what has changed some time after it did, never two writes at once. A change is added to the file: with ten thousand functions the
 * whole table is 3.4 MB and 60 ms of this process's time. It is written anew when the changes have become as large as itself.
 */
export class RouteFile {
  readonly #path: string;
  readonly #snapshot: () => TableData;
  readonly #logger: Logger;
  readonly #retryMs: number;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;
  /** Not on disk yet, in order; undefined: the whole table has to be written. */
  #pending: RouteDelta[] | undefined;
  #tableBytes = 0;
  #changesBytes = 0;

  /** The first write is a whole table: nothing is known of what lies there. */
  constructor(path: string, snapshot: () => TableData, logger: Logger, retryMs = RETRY_MS) {
    this.#retryMs = retryMs;
    this.#path = path;
    this.#snapshot = snapshot;
    this.#logger = logger;
    mkdirSync(dirname(path), { recursive: true });
  }

  /**
   * The table has changed: it is on disk about 200 ms later, with all changes until then.
   *
   * @param delta  what turned the table before into the present one; absent: it is another table
   */
  changed(delta?: RouteDelta): void {
    if (delta === undefined) this.#pending = undefined;
    else this.#pending?.push(delta);
    this.#writeIn(DELAY_MS);
  }

  #writeIn(ms: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.#write();
    }, ms);
  }

  /** Writes what has changed at once; resolves when nothing is left to write. */
  async close(): Promise<void> {
    if (this.#timer !== undefined) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      await this.#write();
    }
    await this.#writing;
    // The last write has failed: nobody waits for another.
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  async #write(): Promise<void> {
    const before = this.#writing;
    const writing = (async () => {
      await before;
      const changes = this.#pending;
      this.#pending = [];
      try {
        const bytes = changes === undefined ? undefined : Buffer.concat(changes.map(changeBytes));
        if (bytes === undefined || this.#changesBytes + bytes.length > Math.max(this.#tableBytes, MIN_CHANGES_BYTES)) await this.#replace();
        else if (bytes.length > 0) await this.#append(bytes);
      } catch (thrown) {
        // Nobody knows how much of it was written. The table in memory goes on serving; the next write is of the whole.
        this.#pending = undefined;
        this.#writeIn(this.#retryMs);
        this.#logger.error({ err: thrown, code: toPlatformError(thrown).code, path: this.#path }, 'the route file was not written');
      }
    })();
    this.#writing = writing;
    await writing;
  }

  async #replace(): Promise<void> {
    const bytes = await tableBytes(this.#snapshot());
    await replaceFile(this.#path, bytes);
    this.#tableBytes = bytes.length;
    this.#changesBytes = 0;
  }

  async #append(bytes: Buffer): Promise<void> {
    // Not made here if it is gone: changes without a table say nothing.
    const file = await open(this.#path, 'r+');
    try {
      const { size } = await file.stat();
      if (size !== this.#tableBytes + this.#changesBytes) throw new Error('the route file was changed by somebody else');
      await file.write(bytes, 0, bytes.length, size);
      await file.datasync();
    } finally {
      await file.close();
    }
    this.#changesBytes += bytes.length;
  }
}
