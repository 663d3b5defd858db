// The store behind functions' caches: what matches, what is kept and for how long, and every bound, by fake time.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PlatformError } from '../../../core/errors/index.ts';
import { CacheStore, cacheLimits } from '../../../sidecar/clients/cache/cache-store.ts';
import type { CacheLimits } from '../../../sidecar/clients/cache/cache-store.ts';
import { parseDeposit, parseQuery } from '../../../sidecar/clients/cache/cache-head.ts';
import type { Query } from '../../../sidecar/clients/cache/cache-head.ts';
import { keeping } from '../../../sidecar/clients/cache/freshness.ts';

const NOW = Date.UTC(2026, 0, 1);
const LIMITS: CacheLimits = { nodeBytes: 200_000, tenantBytes: 100_000, entryBytes: 40_000, entriesPerFunction: 50, cachesPerFunction: 3 };

class Bench {
  nowMs = NOW;
  readonly store: CacheStore;
  constructor(limits: Partial<CacheLimits> = {}) {
    this.store = new CacheStore({ ...LIMITS, ...limits }, () => this.nowMs);
  }
  put(url: string, options: { bytes?: number; tenant?: string; fn?: string; cache?: string; headers?: string[]; fields?: string[] } = {}): string | undefined {
    const { bytes = 10, tenant = 't', fn = 'f', cache = '"c"', headers = [], fields = [] } = options;
    const keep = keeping(fields, this.nowMs);
    if (keep === undefined) return 'not kept';
    const reservation = this.store.reserve(tenant);
    if (!this.store.grow(reservation, bytes)) return 'no room';
    return this.store.put(tenant, fn, { cache, url, headers, about: ['200', 'default', '', ''], fields }, keep, [new Uint8Array(bytes)], reservation);
  }
  urls(query: Partial<Query> = {}, tenant = 't', fn = 'f'): string[] {
    return this.store.find(tenant, fn, { cache: '"c"', ignoreSearch: false, ignoreVary: false, url: '', headers: [], ...query }).map((entry) => entry.deposit.url);
  }
}

describe('what is kept', () => {
  const until = (...fields: string[]): number | undefined => {
    const kept = keeping(fields, NOW);
    return kept === undefined ? undefined : (kept.expiresMs - NOW) / 1_000;
  };
  it.each([
    [[], Infinity], [['cache-control', 'max-age=60'], 60], [['cache-control', 'public, MAX-AGE="60"'], 60], [['cache-control', 'max-age=60, s-maxage=5'], 5], [['cache-control', 'max-age=0'], undefined],
    [['cache-control', 'max-age=-1'], undefined], [['cache-control', 'max-age=x'], undefined], [['cache-control', 'no-store'], undefined], [['cache-control', 'no-cache'], undefined], [['cache-control', 'private, max-age=60'], undefined],
    [['cache-control', 'max-age=60', 'cache-control', 'no-store'], undefined], [['expires', new Date(NOW + 30_000).toUTCString()], 30], [['expires', new Date(NOW - 1_000).toUTCString()], undefined], [['expires', '0'], undefined],
    [['expires', '0', 'cache-control', 'max-age=9'], 9], [['set-cookie', 'a=b'], undefined], [['set-cookie', 'a=b', 'cache-control', 'private=Set-Cookie, max-age=9'], 9], [['vary', 'a, *'], undefined], [['vary', 'a'], Infinity],
    [['cache-control', 'max-age=99999999999'], 2 ** 31],
  ] as [string[], number | undefined][])('%j: %s', (fields, seconds) => expect(until(...fields)).toBe(seconds));

  it('takes off the cookies that must not be kept', () => expect(keeping(['set-cookie', 'a', 'x', '1', 'cache-control', 'private="set-cookie"'], NOW)?.fields).toEqual(['x', '1', 'cache-control', 'private="set-cookie"']));
});

describe('what matches', () => {
  it('by URL, with or without its query, the oldest first', () => {
    const b = new Bench();
    for (const url of ['https://a.test/x?1', 'https://a.test/x', 'https://a.test/y', 'https://a.test/x?2']) b.put(url);
    expect(b.urls({ url: 'https://a.test/x' })).toEqual(['https://a.test/x']);
    expect(b.urls({ url: 'https://a.test/x?9', ignoreSearch: true })).toEqual(['https://a.test/x?1', 'https://a.test/x', 'https://a.test/x?2']);
    expect(b.urls()).toHaveLength(4);
    b.put('https://a.test/x?1');
    expect(b.urls()).toEqual(['https://a.test/x', 'https://a.test/y', 'https://a.test/x?2', 'https://a.test/x?1']);
  });

  it('by what Vary names', () => {
    const b = new Bench();
    const vary = { fields: ['vary', 'Accept, x-a'] };
    b.put('https://a.test/', { ...vary, headers: ['accept', 'json'] });
    b.put('https://a.test/', { ...vary, headers: ['accept', 'html'] });
    expect(b.urls({ url: 'https://a.test/' })).toHaveLength(0);
    expect(b.urls({ url: 'https://a.test/', headers: ['accept', 'json'] })).toHaveLength(1);
    expect(b.urls({ url: 'https://a.test/', headers: ['accept', 'json', 'x-a', '1'] })).toHaveLength(0);
    expect(b.urls({ url: 'https://a.test/', ignoreVary: true })).toHaveLength(2);
    b.put('https://a.test/', { ...vary, headers: ['accept', 'html'] });
    expect(b.urls({ url: 'https://a.test/', ignoreVary: true })).toHaveLength(2);
  });

  it('until it expires', () => {
    const b = new Bench();
    b.put('https://a.test/', { fields: ['cache-control', 'max-age=10'] });
    b.nowMs += 9_999;
    expect(b.urls()).toHaveLength(1);
    b.nowMs += 1;
    expect([b.urls(), b.store.bytes]).toEqual([[], 0]);
  });

  it('never in another cache, function or tenant', () => {
    const b = new Bench();
    b.put('https://a.test/');
    b.put('https://a.test/default', { cache: '*' });
    for (const [tenant, fn] of [['t', 'g'], ['u', 'f'], ['t","f', ''], ['', 't","f']] as const) {
      expect(b.urls({}, tenant, fn)).toEqual([]);
      expect(b.urls({ cache: '' }, tenant, fn)).toEqual([]);
      expect([b.store.names(tenant, fn), b.store.drop(tenant, fn, '"c"'), b.store.delete(tenant, fn, parseQuery('"c"\n\n'))]).toEqual([[], false, 0]);
    }
    expect(b.urls({ cache: '' })).toEqual(['https://a.test/']);
    expect(b.store.drop('t', 'f', '"c"')).toBe(true);
    expect(b.urls({ cache: '*' })).toEqual(['https://a.test/default']);
  });
});

describe('bounds', () => {
  it('of a tenant: what was used longest ago goes', () => {
    const b = new Bench();
    for (let i = 0; i < 5; i++) b.put(`https://a.test/${i}`, { bytes: 18_000 });
    const [first] = b.store.find('t', 'f', parseQuery('"c"\n\nhttps://a.test/0'));
    if (first !== undefined) b.store.touch(first);
    b.put('https://a.test/new', { bytes: 18_000 });
    expect(b.urls()).toEqual(['https://a.test/0', 'https://a.test/2', 'https://a.test/3', 'https://a.test/4', 'https://a.test/new']);
    expect(b.store.bytes).toBeLessThanOrEqual(LIMITS.tenantBytes);
  });

  it('of the node: whoever has most gives way, not whoever came first', () => {
    const b = new Bench({ tenantBytes: 150_000 });
    b.put('https://a.test/small', { tenant: 'small', bytes: 20_000 });
    for (let i = 0; i < 30; i++) b.put(`https://a.test/${i}`, { tenant: 'flood', bytes: 20_000 });
    for (let i = 0; i < 4; i++) b.put(`https://a.test/${i}`, { tenant: 'third', bytes: 20_000 });
    expect(b.urls({}, 'small')).toEqual(['https://a.test/small']);
    expect(b.urls({}, 'third')).toHaveLength(4);
    expect(b.store.bytes).toBeLessThanOrEqual(LIMITS.nodeBytes);
  });

  it('of entries, of caches, of variants', () => {
    const b = new Bench();
    for (let i = 0; i < 60; i++) b.put(`https://a.test/${i}`, { bytes: 1 });
    expect(b.urls()).toHaveLength(50);
    expect(b.urls()[0]).toBe('https://a.test/10');
    expect([b.store.open('t', 'g', '"1"'), b.store.open('t', 'g', '"2"'), b.store.open('t', 'g', '"3"'), b.store.open('t', 'g', '"3"'), b.store.open('t', 'g', '"4"')]).toEqual([true, true, true, true, false]);
    expect(b.put('https://a.test/', { fn: 'g', cache: '"4"' })).toBe('caches of this function');
    const v = new Bench();
    for (let i = 0; i < 40; i++) v.put('https://a.test/', { bytes: 1, headers: ['x', String(i)], fields: ['vary', 'x'] });
    expect(v.urls()).toHaveLength(16);
  });

  it('hold while entries are being sent, and for bodies on their way in', () => {
    const b = new Bench();
    for (let i = 0; i < 5; i++) b.put(`https://a.test/${i}`, { bytes: 18_000 });
    const held = b.store.find('t', 'f', parseQuery('"c"\n\n'));
    for (const entry of held) b.store.hold(entry);
    expect(b.put('https://a.test/new', { bytes: 18_000 })).toBe('no room');
    expect(b.store.delete('t', 'f', parseQuery('"c"\n\n'))).toBe(5);
    expect(b.store.bytes).toBeGreaterThan(90_000);
    for (const entry of held) b.store.letGo(entry);
    expect(b.store.bytes).toBe(0);
    const reservation = b.store.reserve('t');
    expect(b.store.grow(reservation, 90_000)).toBe(true);
    expect(b.put('https://a.test/new', { bytes: 18_000 })).toBe('no room');
    b.store.release(reservation);
    expect(b.store.bytes).toBe(0);
  });

  it('count to nothing when everything is gone, whatever happened before', () => {
    const action = fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 6 }), fc.integer({ min: 1, max: 39_000 }), fc.constantFrom('t', 'u'), fc.constantFrom('f', 'g'));
    fc.assert(fc.property(fc.array(action, { maxLength: 80 }), (actions) => {
      const b = new Bench();
      for (const [kind, key, bytes, tenant, fn] of actions) {
        const url = `https://a.test/${key}`;
        if (kind < 2) b.put(url, { bytes, tenant, fn, fields: kind === 0 ? [] : ['cache-control', `max-age=${key}`] });
        else if (kind === 2) b.store.delete(tenant, fn, parseQuery(`"c"\n\n${url}`));
        else b.nowMs += bytes;
        expect(b.store.bytes).toBeLessThanOrEqual(LIMITS.nodeBytes);
      }
      for (const tenant of ['t', 'u']) for (const fn of ['f', 'g']) b.store.drop(tenant, fn, '"c"');
      expect(b.store.bytes).toBe(0);
    }), { numRuns: 200 });
  });

  it('follow from one setting', () => expect(cacheLimits(256)).toMatchObject({ nodeBytes: 2 ** 28, tenantBytes: 2 ** 26, entryBytes: 2 ** 23 }));
});

describe('heads', () => {
  it('are read', () => {
    expect(parseQuery('"a\\nb"\nsv\nhttps://a.test/\nx\n1')).toEqual({ cache: '"a\\nb"', ignoreSearch: true, ignoreVary: true, url: 'https://a.test/', headers: ['x', '1'] });
    expect(parseDeposit('*\nhttps://a.test/\n2\nx\n1\n200\nbasic\nOK\nhttps://b.test/\ny\n2')).toEqual({ cache: '*', url: 'https://a.test/', headers: ['x', '1'], about: ['200', 'basic', 'OK', 'https://b.test/'], fields: ['y', '2'] });
  });

  it.each(['', '*', '*\n', `${'x'.repeat(1_025)}\n\n`, '*\n\nhttps://a.test/\nx', '*\n\nhttps://a.test/\nx y\n1'])('that are malformed are refused: query %j', (head) => expect(() => parseQuery(head)).toThrow(PlatformError));
  it.each(['', '*\nno url\n0\n200\n\n\n', '*\nhttps://a.test/\nx\n200\n\n\n', '*\nhttps://a.test/\n2\nx\n1\n200', '*\nhttps://a.test/\n1\nx\n200\n\n\n\n', '*\nhttps://a.test/\n-1\n200\n\n\n'])('that are malformed are refused: deposit %j', (head) => expect(() => parseDeposit(head)).toThrow(PlatformError));
});
