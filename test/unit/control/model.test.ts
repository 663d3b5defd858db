// The rules of the model: trigger patterns, canonical JSON, the audit chain, the ledger on a store that fails, bounded series.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TierFiles } from '../../../control/builder/index.ts';
import { Catalog, Functions, KEYS, Ledger, Tiers, TrafficControl, canonicalJson, methodsOverlap, patternKey, verifyTrail } from '../../../control/model/index.ts';
import { BoundedSeries } from '../../../control/stats/bounded-series.ts';
import { createLogger } from '../../../core/log/index.ts';
import type { RecordStore } from '../../../core/ports/index.ts';
import type { HttpTrigger } from '../../../core/schemas/index.ts';
import { MemoryStore } from '../../support/control-memory-store.ts';

const ME = { name: 'me', from: '' };

const trigger = (path: string, more: Partial<HttpTrigger> = {}): HttpTrigger => ({ type: 'http', path, ...more });

describe('trigger patterns', () => {
  it('are the same when only parameter names or the case of the host differ', () => {
    expect(patternKey(trigger('/a/:id'))).toBe(patternKey(trigger('/a/:other')));
    expect(patternKey(trigger('/a/:id(\\d+)'))).toBe(patternKey(trigger('/a/:n(\\d+)')));
    expect(patternKey(trigger('/a', { host: 'API.example' }))).toBe(patternKey(trigger('/a', { host: 'api.EXAMPLE' })));
    expect(patternKey(trigger('/a/:id?'))).toBe(patternKey(trigger('/a/:b?')));
  });

  it('are different when they match different paths', () => {
    const different = ['/a', '/A', '/a/:id', '/a/:id?', '/a/:id+', '/a/*', '/a/:id(\\d+)', '/a/:id([a-z:b]+)', '/a/:id([a-z:c]+)', '/a/\\:id', '/a/\\:ab', '/a/{:id}?', '/b'];
    expect(new Set(different.map((path) => patternKey(trigger(path)))).size).toBe(different.length);
    expect(patternKey(trigger('/a', { host: 'x' }))).not.toBe(patternKey(trigger('/a')));
  });

  it('overlap in methods symmetrically, with HEAD under GET', () => {
    const methods = fc.option(fc.uniqueArray(fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'DELETE' as const), { minLength: 1 }), { nil: undefined });
    const made = (list: readonly string[] | undefined): HttpTrigger => trigger('/', list === undefined ? {} : { methods: [...list] as NonNullable<HttpTrigger['methods']> });
    fc.assert(
      fc.property(methods, methods, (a, b) => {
        expect(methodsOverlap(made(a), made(b))).toBe(methodsOverlap(made(b), made(a)));
        const common = a === undefined || b === undefined || a.some((one) => b.includes(one) || (one === 'GET' && b.includes('HEAD')) || (one === 'HEAD' && b.includes('GET')));
        expect(methodsOverlap(made(a), made(b))).toBe(common);
      }),
    );
    expect(methodsOverlap(made(['GET']), made(['HEAD']))).toBe(true);
    expect(methodsOverlap(made(['GET']), made(['POST']))).toBe(false);
    expect(methodsOverlap(made(['HEAD']), made(['POST', 'GET']))).toBe(true);
    expect(methodsOverlap(made(undefined), made(['DELETE']))).toBe(true);
  });
});

describe('canonical JSON', () => {
  it('is JSON of the same value, whatever the order of keys', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string().filter((key) => key !== '__proto__'), fc.jsonValue({ maxDepth: 2 })), (value) => {
        const shuffled = Object.fromEntries(Object.entries(value).toReversed());
        expect(canonicalJson(shuffled)).toBe(canonicalJson(value));
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});

function model(store: RecordStore): { catalog: Catalog; functions: Functions; traffic: TrafficControl; ledger: Ledger } {
  const catalog = Catalog.load(store);
  const ledger = new Ledger({ store, catalog, onCommit: () => {} });
  const files = new TierFiles({ dataFolder: '/nonexistent', canonical: canonicalJson });
  const tiers = new Tiers({ keys: new Map([['default', Buffer.alloc(32, 7)]]), catalog, files, logger: createLogger({ name: 'control', level: 'fatal' }) });
  return { catalog, ledger, functions: new Functions({ catalog, ledger, tiers }), traffic: new TrafficControl(catalog, ledger) };
}

describe('the ledger', () => {
  it('changes nothing in memory or in the chain when the store fails, and goes on after', async () => {
    const store = new MemoryStore();
    const { functions, catalog } = model(store);
    await functions.put(ME, 'a', {});
    store.failNext = true;
    await expect(functions.put(ME, 'b', { env: { A: '1' } })).rejects.toMatchObject({ code: 'storage_failed' });
    expect([catalog.size, catalog.get('b'), store.revision]).toEqual([1, undefined, 1]);
    await functions.put(ME, 'b', {});
    expect(catalog.size).toBe(2);
    expect(verifyTrail(store)).toBeNull();
  });

  it('finds the end of a long trail again', async () => {
    const store = new MemoryStore();
    for (const count of [1, 2, 3, 8, 17]) {
      const { functions } = model(store);
      for (let i = 0; i < count; i++) await functions.put(ME, 'a', { env: { N: `${count}-${i}` } });
    }
    expect(store.list({ prefix: KEYS.audit, limit: 1_000 })).toHaveLength(31);
    expect(verifyTrail(store)).toBeNull();
  });

  it('shows a trail that was tampered with', async () => {
    const store = new MemoryStore();
    const { functions } = model(store);
    for (let i = 0; i < 5; i++) await functions.put(ME, 'a', { env: { N: String(i) } });
    const key = KEYS.auditRow(3);
    const row = store.get(key)?.value as Record<string, unknown>;
    await store.commit([{ key, value: { ...row, actor: 'someone else' } }]);
    expect(verifyTrail(store)).toBe(3);
    await store.commit([{ key, value: row }]);
    expect(verifyTrail(store)).toBeNull();
    await store.commit([{ key, remove: true }]);
    expect(verifyTrail(store)).toBe(3);
  });

  it('keeps long values out of the trail, and shows that they changed', async () => {
    const store = new MemoryStore();
    const { functions } = model(store);
    await functions.put(ME, 'a', { env: { BIG: 'x'.repeat(60_000) } });
    await functions.put(ME, 'a', { env: { BIG: 'y'.repeat(60_000) } });
    const rows = store.list({ prefix: KEYS.audit });
    expect(JSON.stringify(rows).length).toBeLessThan(4_000);
    const row = rows[1]?.value as { before: unknown; after: unknown } | undefined;
    expect(row?.before).toBeDefined();
    expect(row?.before).not.toEqual(row?.after);
  });

  it('has at every moment the state that a fresh load of the store has', async () => {
    const name = fc.constantFrom('a', 'b', 'c');
    const path = fc.constantFrom('/x', '/y', '/:z');
    const step = fc.oneof(fc.record({ do: fc.constant('put' as const), name, path }), fc.record({ do: fc.constant('delete' as const), name }));
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 15 }), async (steps) => {
        const store = new MemoryStore();
        const { functions, catalog } = model(store);
        for (const one of steps) {
          await (one.do === 'put' ? functions.put(ME, one.name, { triggers: [trigger(one.path)] }) : functions.delete(ME, one.name)).catch(() => {});
        }
        const loaded = Catalog.load(store);
        expect(loaded.routes().toSorted((x, y) => (x.name < y.name ? -1 : 1))).toEqual(catalog.routes().toSorted((x, y) => (x.name < y.name ? -1 : 1)));
        expect(loaded.names(undefined, 10)).toEqual(catalog.names(undefined, 10));
        expect(loaded.changedSince(0)).toEqual({ upsert: expect.arrayContaining([...catalog.changedSince(0).upsert]) as unknown, remove: expect.arrayContaining([...catalog.changedSince(0).remove]) as unknown });
        // No pattern has two owners, and no owner is a function that gave it up.
        const owned = catalog.routes().flatMap((route) => route.triggers.map((one) => patternKey(one)));
        expect(new Set(owned).size).toBe(owned.length);
        for (const one of ['/x', '/y', '/:z']) expect(catalog.ownerOf(trigger(one), '') !== undefined).toBe(owned.includes(patternKey(trigger(one))));
      }),
      { numRuns: 60 },
    );
  });
});

describe('bounded series', () => {
  const figures = (requests: number): Parameters<BoundedSeries['add']>[1] => ({ function: 'x', version: 1, statuses: { 200: requests }, codes: {}, wallUs: [], cpuUs: [], coldStarts: 0, coldUs: [], coldPhasesMs: [0, 0, 0, 0], limits: {} });

  it('never lose a request or count one twice, and no counter goes down', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ name: fc.constantFrom('a', 'b', 'c', 'd', 'other'), n: fc.nat(50), review: fc.boolean() }), { maxLength: 60 }), (steps) => {
        const series = new BoundedSeries(2);
        let sent = 0;
        let other = 0;
        let retired = 0;
        let last = new Map<string, number>();
        for (const { name, n, review } of steps) {
          series.add(name, figures(n));
          sent += n;
          last = new Map([...series.named].map(([key, totals]) => [key, totals.requests]));
          if (review) {
            series.review();
            for (const [key, requests] of last) if (!series.named.has(key)) retired += requests;
          }
          expect(series.named.size).toBeLessThanOrEqual(2);
          expect(series.other.requests).toBeGreaterThanOrEqual(other);
          other = series.other.requests;
          const named = [...series.named.values()].reduce((sum, totals) => sum + totals.requests, 0);
          expect(named + other + retired).toBe(sent);
        }
      }),
    );
  });

  it('give a name that has become busy a series of its own', () => {
    const series = new BoundedSeries(1);
    series.add('quiet', figures(10));
    series.add('busy', figures(100));
    series.review();
    series.add('busy', figures(5));
    expect([...series.named].map(([name, totals]) => [name, totals.requests])).toEqual([['busy', 5]]);
    expect(series.other.requests).toBe(100);
  });
});
