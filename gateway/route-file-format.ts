// The bytes of the gateway's route file: one whole table, then the changes since, each added behind the last.
//
// Layout: 8 bytes of magic, 4 of length of the table, its SHA-256, the table; then changes of a 4-byte length, 16 bytes of the SHA-256 of
// what follows, and a delta as msgpack. The table is records of a 4-byte length and msgpack: first {epoch, revision, count}, then one per
// function. Lengths are little-endian.
import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { z } from 'zod';
import { decode, encode } from '../core/protocol/index.ts';
import { routeDeltaSchema, routeTableSchema } from '../core/routing/index.ts';
import type { RouteDelta, RouteFunction, RouteTable as TableData } from '../core/routing/index.ts';

const MAGIC = Buffer.from('THIMRT02', 'latin1');
const LENGTH_BYTES = 4;
const HASH_BYTES = 32;
const SHORT_HASH_BYTES = 16;
const HEAD_BYTES = MAGIC.length + LENGTH_BYTES + HASH_BYTES;
/** Functions encoded per loop turn: the table is written beside requests. */
const PER_TURN = 200;

const headSchema = z.object({ epoch: z.number(), origin: z.number().optional(), revision: z.number(), count: z.number() });

const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();

function lengthOf(bytes: number): Buffer {
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32LE(bytes);
  return length;
}

export async function tableBytes(table: TableData): Promise<Buffer> {
  const hash = createHash('sha256');
  const parts: Buffer[] = [];
  let bytes = 0;
  const add = (value: unknown): void => {
    const record = encode(value);
    const length = lengthOf(record.length);
    hash.update(length).update(record);
    parts.push(length, record);
    bytes += length.length + record.length;
  };
  add({ epoch: table.epoch, ...(table.origin === undefined ? undefined : { origin: table.origin }), revision: table.revision, count: table.functions.length });
  for (let i = 0; i < table.functions.length; i++) {
    if (i % PER_TURN === PER_TURN - 1) await nextTurn();
    add(table.functions[i]);
  }
  return Buffer.concat([MAGIC, lengthOf(bytes), hash.digest(), ...parts]);
}

export function changeBytes(delta: RouteDelta): Buffer {
  const record = encode(delta);
  return Buffer.concat([lengthOf(record.length), sha256(record).subarray(0, SHORT_HASH_BYTES), record]);
}

export interface RouteFileContent {
  readonly table: TableData;
  /** Bytes at the end that are no whole change: a write that a crash cut off. The table is that of before it. */
  readonly torn: number;
}

/** @throws Error  it is of another format, or its table is damaged */
export function parseRouteFile(bytes: Buffer): RouteFileContent {
  if (bytes.length < HEAD_BYTES || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) throw new Error('it is no route file of this release');
  const end = HEAD_BYTES + bytes.readUInt32LE(MAGIC.length);
  const digest = bytes.subarray(MAGIC.length + LENGTH_BYTES, HEAD_BYTES);
  if (end > bytes.length || !sha256(bytes.subarray(HEAD_BYTES, end)).equals(digest)) throw new Error('its checksum does not match');
  const records: unknown[] = [];
  for (let at = HEAD_BYTES; at < end; ) {
    const from = at + LENGTH_BYTES;
    at = from + bytes.readUInt32LE(at);
    records.push(decode(bytes, from, at));
  }
  const head = headSchema.parse(records[0]);
  const functions = records.slice(1);
  if (functions.length !== head.count) throw new Error('functions are missing');
  const { deltas, torn } = parseChanges(bytes, end);
  return { table: withChanges(routeTableSchema.parse({ epoch: head.epoch, origin: head.origin, revision: head.revision, functions }), deltas), torn };
}

function parseChanges(bytes: Buffer, start: number): { readonly deltas: readonly RouteDelta[]; readonly torn: number } {
  const deltas: RouteDelta[] = [];
  let at = start;
  while (at + LENGTH_BYTES + SHORT_HASH_BYTES <= bytes.length) {
    const from = at + LENGTH_BYTES + SHORT_HASH_BYTES;
    const end = from + bytes.readUInt32LE(at);
    if (end > bytes.length || !sha256(bytes.subarray(from, end)).subarray(0, SHORT_HASH_BYTES).equals(bytes.subarray(at + LENGTH_BYTES, from))) break;
    deltas.push(routeDeltaSchema.parse(decode(bytes, from, end)));
    at = end;
  }
  return { deltas, torn: bytes.length - at };
}

/** @throws Error  the changes do not follow on the table */
function withChanges(table: TableData, deltas: readonly RouteDelta[]): TableData {
  if (deltas.length === 0) return table;
  const functions = new Map<string, RouteFunction>(table.functions.map((fn) => [fn.name, fn]));
  let { epoch, revision } = table;
  for (const delta of deltas) {
    if ((delta.formerEpoch ?? delta.epoch) !== epoch || delta.previous !== revision) throw new Error('its changes do not follow on each other');
    for (const name of delta.remove) functions.delete(name);
    for (const fn of delta.upsert) functions.set(fn.name, fn);
    ({ epoch, revision } = delta);
  }
  return { ...table, epoch, revision, functions: [...functions.values()] };
}
