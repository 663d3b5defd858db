// The gateway's own copy of the route table: what it starts from when the control plane is dead.
//
// Layout: 8 bytes of magic, SHA-256 of the rest, then records of a 4-byte little-endian length and msgpack: first
// {epoch, revision, count}, then one per function.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { z } from 'zod';
import { toPlatformError } from '../core/errors/index.ts';
import { replaceFile } from '../core/files/index.ts';
import type { Logger } from '../core/log/index.ts';
import { decode, encode } from '../core/protocol/index.ts';
import { routeTableSchema } from '../core/routing/index.ts';
import type { RouteTable as TableData } from '../core/routing/index.ts';

const MAGIC = Buffer.from('THIMRT01', 'latin1');
const HASH_BYTES = 32;
const START = MAGIC.length + HASH_BYTES;
const PREFIX_BYTES = 4;
const DELAY_MS = 200;
/** Functions encoded per loop turn: the table is written beside requests. */
const PER_TURN = 200;

const headSchema = z.object({ epoch: z.number(), revision: z.number(), count: z.number() });

async function toBytes(table: TableData): Promise<Buffer> {
  const hash = createHash('sha256');
  const parts: Buffer[] = [MAGIC, Buffer.alloc(HASH_BYTES)];
  const add = (value: unknown): void => {
    const bytes = encode(value);
    const prefix = Buffer.alloc(PREFIX_BYTES);
    prefix.writeUInt32LE(bytes.length);
    hash.update(prefix).update(bytes);
    parts.push(prefix, bytes);
  };
  add({ epoch: table.epoch, revision: table.revision, count: table.functions.length });
  for (let i = 0; i < table.functions.length; i++) {
    if (i % PER_TURN === PER_TURN - 1) await nextTurn();
    add(table.functions[i]);
  }
  parts[1] = hash.digest();
  return Buffer.concat(parts);
}

/**
 * Reads a route file.
 *
 * @returns undefined when there is none
 * @throws Error  it is damaged or of another format: the caller logs that and goes on without
 */
export function readRouteFile(path: string): TableData | undefined {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw thrown;
  }
  if (bytes.length < START || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) throw new Error('it is no route file of this release');
  const digest = createHash('sha256').update(bytes.subarray(START)).digest();
  if (!digest.equals(bytes.subarray(MAGIC.length, START))) throw new Error('its checksum does not match');
  const records: unknown[] = [];
  for (let at = START; at < bytes.length; ) {
    const end = at + PREFIX_BYTES + bytes.readUInt32LE(at);
    records.push(decode(bytes, at + PREFIX_BYTES, end));
    at = end;
  }
  const head = headSchema.parse(records[0]);
  const functions = records.slice(1);
  if (functions.length !== head.count) throw new Error('functions are missing');
  return routeTableSchema.parse({ epoch: head.epoch, revision: head.revision, functions });
}

/** Writes the table some time after it changed, in slices, never two writes at once. */
export class RouteFile {
  readonly #path: string;
  readonly #snapshot: () => TableData;
  readonly #logger: Logger;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;

  constructor(path: string, snapshot: () => TableData, logger: Logger) {
    this.#path = path;
    this.#snapshot = snapshot;
    this.#logger = logger;
    mkdirSync(dirname(path), { recursive: true });
  }

  /** The table has changed: it is on disk about 200 ms later, with all changes until then. */
  changed(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.#write();
    }, DELAY_MS);
  }

  /** Writes what has changed at once; resolves when nothing is left to write. */
  async close(): Promise<void> {
    if (this.#timer !== undefined) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      await this.#write();
    }
    await this.#writing;
  }

  async #write(): Promise<void> {
    const before = this.#writing;
    const writing = (async () => {
      await before;
      try {
        await replaceFile(this.#path, await toBytes(this.#snapshot()));
      } catch (thrown) {
        // The table in memory goes on serving; the next change tries again.
        this.#logger.error({ err: thrown, code: toPlatformError(thrown).code, path: this.#path }, 'the route file was not written');
      }
    })();
    this.#writing = writing;
    await writing;
  }
}
