// What a purge may take and what it may not, decided on the state of the commit; the version index behind it.
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TierFiles } from '../../../control/builder/index.ts';
import { Catalog, KEYS, Ledger, Purge, canonicalJson, verifyTrail } from '../../../control/model/index.ts';
import type { FunctionRecord } from '../../../control/model/index.ts';
import { holdsOf, ranges } from '../../../control/model/purge.ts';
import { liveVersions } from '../../../control/model/catalog.ts';
import { VersionIndex } from '../../../control/model/version-index.ts';
import { createLogger } from '../../../core/log/index.ts';
import { emergencyStateSchema, limitsSchema } from '../../../core/schemas/index.ts';
import type { Traffic } from '../../../core/schemas/index.ts';
import { MemoryStore } from '../../support/control-memory-store.ts';
import { useTempFolder } from '../../support/control-temp.ts';

const ME = { name: 'me', from: '' };

const only = (version: number): Traffic => ({ rules: [], split: [{ version, weight: 100 }] });

function functionRecord(name: string, more: Partial<FunctionRecord> = {}): FunctionRecord {
  return {
    name, tenant: 'default', tier: 'default', limits: limitsSchema.parse({}), env: {}, secretNames: [], secrets: '', triggers: [], bindings: {}, public: true, debug: false, keepWarm: 0, shape: 'auto', user: null,
    callers: null, fallback: null, skew: null, retention: null, gates: null, shadow: null, emergency: emergencyStateSchema.parse({}), aliases: {}, pinned: [], places: null, leftAt: {}, traffic: null, history: [], lastVersion: 0, firstVersion: 1, createdAt: '', changedAt: '', ...more,
  };
}

interface Made {
  readonly store: MemoryStore;
  readonly catalog: Catalog;
  readonly purge: Purge;
  readonly gone: (readonly [string, readonly number[]])[];
  readonly numbers: (name: string) => number[];
}

/** Functions with as many versions as `count` says, each with sources of its own unless `sources` names others. */
async function model(functions: readonly (readonly [record: FunctionRecord, count: number])[], options: { readonly sources?: (name: string, version: number) => string; readonly inRollout?: () => number[] } = {}): Promise<Made> {
  const store = new MemoryStore();
  const sources = options.sources ?? ((name, version): string => `${name}${version}`);
  for (const [record, count] of functions) {
    await store.commit([{ key: KEYS.function(record.name), value: { ...record, lastVersion: count } }]);
    for (let version = 1; version <= count; version++) {
      const digest = sources(record.name, version);
      await store.commit([
        { key: KEYS.version(record.name, version), value: { version, digest: `d-${digest}`, bytes: 1, buildMs: 1, message: null, from: null, main: 'a', sources: digest, env: {}, bindings: {}, createdAt: '', createdBy: '' } },
        { key: KEYS.sources(digest), value: { files: {}, main: 'a' } },
        { key: KEYS.report(record.name, version), value: {} },
        { key: KEYS.snapshot(record.name, version), value: {} },
        { key: KEYS.snapshotSwitch(record.name, version), value: { enabled: false } },
      ]);
    }
  }
  const catalog = Catalog.load(store);
  const gone: (readonly [string, readonly number[]])[] = [];
  const purge = new Purge({
    catalog, ledger: new Ledger({ store, catalog, onCommit: () => {} }), files: new TierFiles({ dataFolder: useTempFolder(), canonical: canonicalJson }), logger: createLogger({ name: 'control', level: 'fatal' }), leaveMs: 0,
    onPurged: (name, versions) => void gone.push([name, versions]), ...(options.inRollout === undefined ? {} : { inRollout: options.inRollout }),
  });
  return { store, catalog, purge, gone, numbers: (name) => [...catalog.digests(name).keys()] };
}

describe('a purge', () => {
  it('takes nothing that is live, forced, shadowed, pinned, named, next in the history or in a rollout', async () => {
    const record = functionRecord('card', {
      traffic: { rules: [{ when: {}, version: 1 }], split: [{ version: 2, weight: 0 }, { version: 3, weight: 100 }] },
      emergency: { ...emergencyStateSchema.parse({}), forced: 4 }, shadow: { version: 5, percent: 1, methods: ['GET'], headers: [], ignore: [], values: true, since: '2026-01-01T00:00:00.000Z' }, aliases: { next: 6, stable: 3 }, pinned: [7], history: [only(8), only(9), { rules: [{ when: {}, version: 10 }], split: [{ version: 11, weight: 100 }] }],
    });
    const { purge, numbers, catalog, store, gone } = await model([[record, 20]], { inRollout: () => [12] });
    const dry = await purge.run(ME, 'card', { keep: 2, dryRun: true });
    expect(dry.versions).toEqual([8, 9, 13, 14, 15, 16, 17, 18]);
    expect([numbers('card').length, store.get(KEYS.auditRow(1))]).toEqual([20, undefined]);
    const done = await purge.run(ME, 'card', { keep: 2, dryRun: false });
    expect({ ...done, dryRun: true, revision: 0 }).toEqual({ ...dry, revision: 0 });
    expect(numbers('card')).toEqual([1, 2, 3, 4, 5, 6, 7, 10, 11, 12, 19, 20]);
    expect(done.held).toEqual([
      { version: 1, by: ['live'] }, { version: 2, by: ['live'] }, { version: 3, by: ['live', 'alias'] }, { version: 4, by: ['forced'] }, { version: 5, by: ['shadow'] }, { version: 6, by: ['alias'] },
      { version: 7, by: ['pinned'] }, { version: 10, by: ['rollback'] }, { version: 11, by: ['rollback'] }, { version: 12, by: ['rollout'] },
    ]);
    // Going back ends where a version is gone; it never skips one.
    expect(catalog.require('card').record.history).toEqual(record.history.slice(2));
    expect(done.history).toBe(2);
    expect(gone).toEqual([['card', done.versions]]);
    for (const key of [KEYS.version('card', 8), KEYS.report('card', 8), KEYS.snapshot('card', 8), KEYS.snapshotSwitch('card', 8), KEYS.sources('card8')]) expect(store.get(key)).toBeUndefined();
    for (const key of [KEYS.version('card', 7), KEYS.report('card', 7), KEYS.snapshot('card', 7), KEYS.snapshotSwitch('card', 7), KEYS.sources('card7')]) expect(store.get(key)).toBeDefined();
    expect(store.get(KEYS.auditRow(1))?.value).toMatchObject({ actor: 'me', action: 'version.purge', target: 'card', before: { versions: '8-9,13-18', count: 8, historyEntries: 2 }, after: { keep: 2 } });
    expect(verifyTrail(store)).toBeNull();
    // Again: nothing is left to do, and nothing is written.
    const { revision } = store;
    expect((await purge.run(ME, 'card', { keep: 2, dryRun: false })).versions).toEqual([]);
    expect(store.revision).toBe(revision);
    // What memory holds is what a start reads.
    const again = Catalog.load(store);
    expect([...again.digests('card')]).toEqual([...catalog.digests('card')]);
  });

  it('holds whatever else must be reachable', () => {
    const record = functionRecord('card', { traffic: only(1), aliases: { a: 2 }, pinned: [3], shadow: { version: 4, percent: 1, methods: ['GET'], headers: [], ignore: [], values: true, since: '2026-01-01T00:00:00.000Z' }, emergency: { ...emergencyStateSchema.parse({}), forced: 5 } });
    expect(liveVersions(record).isSubsetOf(new Set(holdsOf(record, []).keys()))).toBe(true);
  });

  it('leaves sources to the versions of whichever function still has them', async () => {
    const { purge, store } = await model([[functionRecord('a'), 3], [functionRecord('b'), 1]], { sources: (name, version) => (version === 1 ? 'shared' : version === 2 ? 'twice' : `own-${name}`) });
    expect((await purge.run(ME, 'a', { keep: 1, dryRun: false })).sources).toBe(1);
    expect([store.get(KEYS.sources('shared')) === undefined, store.get(KEYS.sources('twice')) === undefined]).toEqual([false, true]);
    expect((await purge.run(ME, 'b', { keep: 0, dryRun: false })).sources).toBe(1);
    expect(store.get(KEYS.sources('shared'))).toBeUndefined();
    expect(store.get(KEYS.sources('own-a'))).toBeDefined();
  });

  it('of thousands goes by whole commits, each with its row', async () => {
    const { purge, store, numbers } = await model([[functionRecord('card', { pinned: [5] }), 2_300]]);
    const done = await purge.run(ME, 'card', { keep: 10, dryRun: false });
    expect([done.versions.length, numbers('card').length]).toEqual([2_289, 11]);
    const rows = store.list({ prefix: KEYS.audit }).map(({ value }) => (value as { readonly before: unknown }).before);
    expect(rows).toEqual([{ versions: '1-4,6-1001', count: 1_000, historyEntries: 0 }, { versions: '1002-2001', count: 1_000, historyEntries: 0 }, { versions: '2002-2290', count: 289, historyEntries: 0 }]);
    expect(verifyTrail(store)).toBeNull();
  });

  it('changes nothing when the store fails', async () => {
    const { purge, store, numbers } = await model([[functionRecord('card'), 5]]);
    store.failNext = true;
    await expect(purge.run(ME, 'card', { keep: 1, dryRun: false })).rejects.toMatchObject({ code: 'storage_failed' });
    expect(numbers('card')).toEqual([1, 2, 3, 4, 5]);
    expect(Catalog.load(store).digests('card').size).toBe(5);
  });

  it('by retention counts nobody\'s failure as the deploy\'s, and does nothing while there is nothing to do', async () => {
    const { purge, store, numbers } = await model([[functionRecord('card', { retention: { keep: 3 } }), 5], [functionRecord('all'), 5]]);
    store.failNext = true;
    await purge.retain('card');
    expect(numbers('card').length).toBe(5);
    await purge.retain('card');
    expect(numbers('card')).toEqual([3, 4, 5]);
    expect(store.get(KEYS.auditRow(1))?.value).toMatchObject({ actor: 'retention', from: '', before: { versions: '1-2' } });
    const { revision } = store;
    for (const name of ['card', 'all', 'nobody']) await purge.retain(name);
    expect(store.revision).toBe(revision);
  });

  it('removes a folder only when no version has its content any more, and not one that a deploy holds', async () => {
    const folder = useTempFolder();
    const store = new MemoryStore();
    const files = new TierFiles({ dataFolder: folder, canonical: canonicalJson });
    const contents = ['a', 'b', 'c'].map((bundle) => ({ bundle, map: '{}', env: {}, bindings: {} }));
    const own = files.of('default');
    await own.prepare();
    const digests = contents.map((content) => own.digest(content));
    for (const [at, content] of contents.entries()) await own.write(digests[at] ?? '', content);
    const record = (version: number, digest = ''): unknown => ({ version, digest, bytes: 1, buildMs: 1, message: null, from: null, main: 'a', sources: 's', env: {}, bindings: {}, createdAt: '', createdBy: '' });
    await store.commit([
      { key: KEYS.function('card'), value: functionRecord('card', { lastVersion: 4 }) }, { key: KEYS.function('twin'), value: functionRecord('twin', { lastVersion: 1 }) },
      { key: KEYS.version('card', 1), value: record(1, digests[0]) }, { key: KEYS.version('card', 2), value: record(2, digests[1]) }, { key: KEYS.version('card', 3), value: record(3, digests[2]) },
      { key: KEYS.version('twin', 1), value: record(1, digests[1]) },
    ]);
    const catalog = Catalog.load(store);
    const purge = new Purge({ catalog, ledger: new Ledger({ store, catalog, onCommit: () => {} }), files, logger: createLogger({ name: 'control', level: 'fatal' }), leaveMs: 0 });
    const release = own.hold(digests[2] ?? '');
    await purge.run(ME, 'card', { keep: 0, dryRun: false });
    await expect.poll(() => own.sound(digests[0] ?? '')).toBe(false);
    await sleep(50);
    expect([await own.sound(digests[1] ?? ''), await own.sound(digests[2] ?? '')]).toEqual([true, true]);
    release();
    expect(await own.collect(catalog.digestsOf('default'), 0)).toBe(1);
    expect(await own.sound(digests[1] ?? '')).toBe(true);
  });
});

describe('ranges of numbers', () => {
  it('say which they are', () => {
    fc.assert(fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 60 })), (numbers) => {
      const sorted = numbers.toSorted((a, b) => a - b);
      const back = ranges(sorted).split(',').filter((part) => part !== '').flatMap((part) => {
        const [from = 0, to = from] = part.split('-').map(Number);
        return Array.from({ length: to - from + 1 }, (_, i) => from + i);
      });
      expect(back).toEqual(sorted);
    }));
  });
});

describe('the version index', () => {
  it('counts what a plain list of versions would', () => {
    const step = fc.record({ name: fc.constantFrom('a', 'b', 'c'), version: fc.integer({ min: 1, max: 4 }), content: fc.option(fc.tuple(fc.constantFrom('x', 'y'), fc.constantFrom('s', 't')), { nil: null }) });
    fc.assert(fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const index = new VersionIndex();
      const plain = new Map<string, { readonly name: string; readonly digest: string; readonly sources: string }>();
      for (const { name, version, content } of steps) {
        if (content === null) {
          index.delete(name, version);
          plain.delete(`${name}@${version}`);
        } else {
          const [digest, sources] = content;
          index.set(name, version, { digest, sources });
          plain.set(`${name}@${version}`, { name, digest, sources });
        }
      }
      const all = [...plain.values()];
      for (const digest of ['x', 'y']) expect(index.holders(digest).toSorted()).toEqual(all.filter((one) => one.digest === digest).map(({ name }) => name).toSorted());
      for (const sources of ['s', 't']) expect(index.uses(sources)).toBe(all.filter((one) => one.sources === sources).length);
      for (const name of ['a', 'b', 'c']) expect(index.digests(name).size).toBe(all.filter((one) => one.name === name).length);
    }));
  });
});
