// The gateway's copy of the route table on disk: changes are added behind it, a torn end costs only itself, and the file stays bounded.
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createLogger } from '../../../core/log/index.ts';
import { RouteFile, readRouteFile } from '../../../gateway/route-file.ts';
import { parseRouteFile } from '../../../gateway/route-file-format.ts';
import { RouteTable } from '../../../gateway/route-table.ts';
import type { RouteDelta, RouteFunction } from '../../../core/routing/index.ts';
import { routeFunction } from '../../support/gateway-fakes.ts';
import { tempFolder } from '../../support/gateway-stand.ts';

const EPOCH = 11;
const log: string[] = [];
let path = '';
let table = new RouteTable(() => {});
let file: RouteFile;

beforeEach(() => {
  log.length = 0;
  path = join(tempFolder(), 'routes.msgpack');
  table = new RouteTable(() => {});
  file = fileOf(table);
});
afterEach(() => file.close());

const fileOf = (of: RouteTable, retryMs?: number): RouteFile => new RouteFile(path, () => of.snapshot(), createLogger({ name: 'test', destination: { write: (line) => void log.push(line) } }), retryMs);

async function start(functions: readonly RouteFunction[]): Promise<void> {
  table.replace({ epoch: EPOCH, revision: 1, functions: [...functions] });
  file.changed();
  await file.close();
}

async function apply(upsert: readonly RouteFunction[], remove: readonly string[] = []): Promise<void> {
  const delta: RouteDelta = { epoch: EPOCH, previous: table.revision, revision: table.revision + 1, upsert: [...upsert], remove: [...remove] };
  expect(table.apply(delta)).toBe(true);
  file.changed(delta);
  await file.close();
}

const onDisk = (): { revision: number; names: string[]; torn: number } => {
  const content = readRouteFile(path);
  if (content === undefined) throw new Error('there is no file');
  return { revision: content.table.revision, names: content.table.functions.map(({ name }) => name), torn: content.torn };
};

test('a change is added to the file, and read back with the table', async () => {
  await start(Array.from({ length: 500 }, (_, n) => routeFunction(`f${n}`)));
  const before = readFileSync(path);
  await apply([routeFunction('new')], ['f3']);
  await apply([routeFunction('f7', { debug: true })]);
  const after = readFileSync(path);
  // What was there is untouched, and what was added is of the size of the change.
  expect(after.subarray(0, before.length).equals(before)).toBe(true);
  expect(after.length - before.length).toBeLessThan(2_000);
  const { table: read, torn } = readRouteFile(path) ?? { table: undefined, torn: -1 };
  expect([read?.revision, read?.functions.length, torn]).toEqual([3, 500, 0]);
  expect(read?.functions.toSorted((a, b) => (a.name < b.name ? -1 : 1))).toEqual(table.snapshot().functions.toSorted((a, b) => (a.name < b.name ? -1 : 1)));
});

test('a change is written some time after it, not with it', async () => {
  await start([routeFunction('one')]);
  const delta: RouteDelta = { epoch: EPOCH, previous: 1, revision: 2, upsert: [routeFunction('two')], remove: [] };
  table.apply(delta);
  file.changed(delta);
  expect(onDisk().revision).toBe(1);
  await vi.waitUntil(() => onDisk().revision === 2, 10_000);
});

test('several changes before a write are all in it', async () => {
  await start([routeFunction('one')]);
  for (const name of ['two', 'three', 'four']) {
    const delta: RouteDelta = { epoch: EPOCH, previous: table.revision, revision: table.revision + 1, upsert: [routeFunction(name)], remove: [] };
    table.apply(delta);
    file.changed(delta);
  }
  await file.close();
  expect(onDisk()).toEqual({ revision: 4, names: ['one', 'two', 'three', 'four'], torn: 0 });
});

test('a change that a crash cut off costs only itself, wherever it was cut', async () => {
  await start([routeFunction('one')]);
  const table1 = statSync(path).size;
  await apply([routeFunction('two')]);
  const table2 = statSync(path).size;
  await apply([routeFunction('three')]);
  const whole = readFileSync(path);
  for (const size of [whole.length - 1, table2 + 20, table2 + 5, table2 + 1]) {
    writeFileSync(path, whole.subarray(0, size));
    expect(onDisk()).toEqual({ revision: 2, names: ['one', 'two'], torn: size - table2 });
  }
  const flipped = Buffer.from(whole);
  flipped[table1 + 30] = (flipped[table1 + 30] ?? 0) ^ 1;
  writeFileSync(path, flipped);
  // The third follows on the second: without that it is worth nothing.
  expect(onDisk()).toEqual({ revision: 1, names: ['one'], torn: whole.length - table1 });
});

test('the next life writes the whole table first, over whatever lies there', async () => {
  await start([routeFunction('one')]);
  await apply([routeFunction('two')]);
  appendFileSync(path, 'torn');
  const content = readRouteFile(path);
  const next = new RouteTable(() => {});
  if (content !== undefined) next.replace(content.table);
  file = fileOf(next);
  table = next;
  await apply([routeFunction('three')]);
  expect(onDisk()).toEqual({ revision: 3, names: ['one', 'two', 'three'], torn: 0 });
});

test('changes as large as the table make it be written anew', async () => {
  const many = Array.from({ length: 400 }, (_, n) => routeFunction(`f${n}`));
  await start(many);
  let largest = 0;
  for (let round = 0; round < 12; round++) {
    await apply(many.map((fn) => ({ ...fn, debug: round % 2 === 0 })));
    largest = Math.max(largest, statSync(path).size);
  }
  expect(onDisk().revision).toBe(13);
  // Twelve times the table were written; the bound is the table with 256 KiB of changes.
  expect(largest).toBeLessThan(262_144 + 200_000);
});

test('a file that somebody else changed is written anew after the error', async () => {
  await start([routeFunction('one')]);
  truncateSync(path, 10);
  await apply([routeFunction('two')]);
  expect(log.join('')).toContain('the route file was not written');
  await apply([routeFunction('three')]);
  expect(onDisk()).toEqual({ revision: 3, names: ['one', 'two', 'three'], torn: 0 });
});

test('a write that failed is tried again without another change, with the whole table', async () => {
  await start([routeFunction('one')]);
  file = fileOf(table, 20);
  rmSync(dirname(path), { recursive: true });
  const delta: RouteDelta = { epoch: EPOCH, previous: 1, revision: 2, upsert: [routeFunction('two')], remove: [] };
  table.apply(delta);
  file.changed(delta);
  await vi.waitUntil(() => log.length >= 2, 10_000);
  mkdirSync(dirname(path));
  await vi.waitUntil(() => existsSync(path), 10_000);
  await expect.poll(() => onDisk().revision, { timeout: 10_000 }).toBe(2);
});

test('whatever byte of it is changed or wherever it is cut, it is read as it was at some time, or refused', async () => {
  await start([routeFunction('one'), routeFunction('two')]);
  await apply([routeFunction('three')]);
  await apply([], ['one']);
  const whole = readFileSync(path);
  const states = new Map([[1, ['one', 'two']], [2, ['one', 'two', 'three']], [3, ['two', 'three']]]);
  const broken = fc.property(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), fc.boolean(), (at, flip, cut) => {
    const bytes = cut ? whole.subarray(0, at) : Buffer.from(whole);
    if (!cut) bytes[at] = (bytes[at] ?? 0) ^ flip;
    try {
      const { table: read } = parseRouteFile(bytes);
      return JSON.stringify(read.functions.map(({ name }) => name)) === JSON.stringify(states.get(read.revision));
    } catch (thrown) {
      return thrown instanceof Error && !(thrown instanceof RangeError);
    }
  });
  expect(fc.check(broken, { numRuns: 2_000 }).counterexample).toBeNull();
});
