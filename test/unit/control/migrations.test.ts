// Forms of the store: an old one becomes the present one at once and once, a later one is refused and left alone.
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { open } from 'lmdb';
import { describe, expect, it } from 'vitest';
import { Catalog, KEYS, verifyTrail } from '../../../control/model/index.ts';
import { FORMAT, openLmdbStore } from '../../../control/store/index.ts';
import { encode } from '../../../core/protocol/index.ts';
import { limitsSchema } from '../../../core/schemas/index.ts';
import { useTempFolder } from '../../support/control-temp.ts';

/** A store as a release wrote it: rows of `[revision, value]` by key, and what it says of itself. */
async function written(folder: string, format: number, rows: Readonly<Record<string, readonly [number, unknown]>>): Promise<void> {
  const root = open<Buffer, string>({ path: folder, noSubdir: false, overlappingSync: false, encoding: 'binary', maxDbs: 4 });
  const records = root.openDB<Buffer, string>({ name: 'records', encoding: 'binary' });
  const meta = root.openDB<Buffer, string>({ name: 'meta', encoding: 'binary' });
  for (const [key, row] of Object.entries(rows)) records.putSync(key, encode(row));
  meta.putSync('format', encode(format));
  meta.putSync('revision', encode(Math.max(0, ...Object.values(rows).map(([revision]) => revision))));
  await root.close();
}

/** What the release before this one stored of a function: no tier yet, nothing about delivery. */
const oldFunction = {
  name: 'card', tenant: 'shop', limits: limitsSchema.parse({ cpuMs: 20 }), env: { A: '1' }, secretNames: ['KEY'], secrets: 'sealed', triggers: [{ type: 'http', path: '/cards/:id' }], bindings: {}, public: true, debug: false,
  keepWarm: 1, shape: 'auto', user: 'cookie:uid', traffic: { rules: [], split: [{ version: 2, weight: 100 }] }, history: [{ rules: [], split: [{ version: 1, weight: 100 }] }], lastVersion: 2, firstVersion: 1, createdAt: '2026-01-01T00:00:00.000Z', changedAt: '2026-01-02T00:00:00.000Z',
};
const oldVersion = (version: number): unknown => ({ version, digest: `sha256-${version}`, bytes: 1, buildMs: 1, message: null, from: null, main: 'a', sources: `s${version}`, env: {}, bindings: {}, createdAt: '', createdBy: 'admin' });

describe('a store of format 1', () => {
  it('becomes one of format 2: complete records under their old revisions, and nothing else', async () => {
    const folder = useTempFolder();
    await written(folder, 1, {
      [KEYS.function('card')]: [7, oldFunction], [KEYS.function('lab')]: [8, { ...oldFunction, name: 'lab', tier: 'lab', triggers: [] }], [KEYS.removed('gone')]: [5, { name: 'gone', lastVersion: 3, removedAt: '2026-01-01T00:00:00.000Z' }],
      [KEYS.version('card', 1)]: [2, oldVersion(1)], [KEYS.version('card', 2)]: [3, oldVersion(2)], [KEYS.store]: [1, { epoch: 42, createdAt: '' }],
    });
    const steps: number[] = [];
    const store = openLmdbStore(folder, { onMigrated: ({ to }) => void steps.push(to) });
    expect([FORMAT, steps, store.revision]).toEqual([2, [2], 8]);
    const added = { callers: null, fallback: null, skew: null, retention: null, shadow: null, emergency: { killed: false, forced: null, frozen: false, reason: '' }, aliases: {}, pinned: [] };
    expect(store.get(KEYS.function('card'))).toEqual({ key: KEYS.function('card'), revision: 7, value: { ...oldFunction, tier: 'default', ...added } });
    expect(store.get(KEYS.function('lab'))).toMatchObject({ revision: 8, value: { tier: 'lab', ...added } });
    expect(store.get(KEYS.removed('gone'))).toEqual({ key: KEYS.removed('gone'), revision: 5, value: { name: 'gone', tier: 'default', lastVersion: 3, removedAt: '2026-01-01T00:00:00.000Z' } });
    expect(store.get(KEYS.version('card', 1))).toEqual({ key: KEYS.version('card', 1), revision: 2, value: oldVersion(1) });
    expect(store.get(KEYS.store)?.value).toEqual({ epoch: 42, createdAt: '' });
    expect(verifyTrail(store)).toBeNull();
    const catalog = Catalog.load(store);
    expect(catalog.require('card')).toMatchObject({ revision: 7, record: { traffic: oldFunction.traffic } });
    expect([...catalog.digests('card').values()]).toEqual(['sha256-1', 'sha256-2']);
    await store.close();
    // Once.
    const again = openLmdbStore(folder, { onMigrated: ({ to }) => void steps.push(to) });
    expect(steps).toEqual([2]);
    await again.close();
  });
});

describe('a store of a later release', () => {
  it('is refused by the name of its form, and left as it is', async () => {
    const folder = useTempFolder();
    await written(folder, FORMAT + 1, { [KEYS.function('card')]: [1, { shape: 'of tomorrow' }] });
    const kept = useTempFolder();
    mkdirSync(kept, { recursive: true });
    copyFileSync(join(folder, 'data.mdb'), join(kept, 'data.mdb'));
    expect(() => openLmdbStore(folder)).toThrow(expect.objectContaining({ code: 'store_too_new', message: `the store has format ${FORMAT + 1}, and this release knows formats up to ${FORMAT}` }));
    expect(readFileSync(join(folder, 'data.mdb')).equals(readFileSync(join(kept, 'data.mdb')))).toBe(true);
  });
});

describe('a new store', () => {
  it('has the present form and needs no step', async () => {
    const steps: unknown[] = [];
    const store = openLmdbStore(useTempFolder(), { onMigrated: (step) => void steps.push(step) });
    expect([steps, store.revision]).toEqual([[], 0]);
    await store.close();
  });
});

describe('a copy of a store', () => {
  it('is the store as it was, while commits go on', async () => {
    const store = openLmdbStore(useTempFolder());
    for (let i = 0; i < 50; i++) await store.commit([{ key: `a/${i}`, value: 'x'.repeat(1_000) }]);
    const folder = join(useTempFolder(), 'copy');
    const copying = store.copyTo(folder);
    for (let i = 0; i < 20; i++) await store.commit([{ key: `b/${i}`, value: i }]);
    await copying;
    const copy = openLmdbStore(folder);
    // Some revision between the call and its end, whole.
    expect(copy.revision).toBeGreaterThanOrEqual(50);
    expect(copy.list({ prefix: 'a/' })).toHaveLength(50);
    expect(copy.list({ prefix: 'b/' })).toHaveLength(copy.revision - 50);
    await copy.commit([{ key: 'c', value: 1 }]);
    expect(store.get('c')).toBeUndefined();
    await Promise.all([store.close(), copy.close()]);
  });
});
