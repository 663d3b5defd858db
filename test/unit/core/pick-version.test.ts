// Which version a request gets: rules, split, stickiness. The same input gives the same version everywhere.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashToUnit, matches, pickVersion } from '../../../core/routing/index.ts';
import type { RequestFacts } from '../../../core/routing/index.ts';
import type { Traffic } from '../../../core/schemas/index.ts';

interface Given {
  readonly header?: Record<string, string>;
  readonly cookie?: Record<string, string>;
  readonly query?: Record<string, string>;
  readonly user?: string;
  readonly random?: number;
}
const facts = (given: Given = {}): RequestFacts => ({
  header: (name) => given.header?.[name], cookie: (name) => given.cookie?.[name], query: (name) => given.query?.[name], user: () => given.user, random: () => given.random ?? 0,
});
const traffic = (weights: readonly (readonly [number, number])[], more: Partial<Traffic> = {}): Traffic => ({ rules: [], split: weights.map(([version, weight]) => ({ version, weight })), ...more });

describe('the split', () => {
  it('gives each version its share, to the boundary', () => {
    const t = traffic([[1, 90], [2, 9.99], [3, 0.01]]);
    for (const [random, version] of [[0, 1], [0.8999999, 1], [0.9, 2], [0.9998, 2], [0.99995, 3], [0.9999999999, 3]] as const) expect(pickVersion(t, facts({ random }), 'f')).toBe(version);
  });

  it('never gives a version of weight 0, and always one of the split', () => {
    fc.assert(fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 9_999 }), { maxLength: 8 }), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (cuts, random) => {
      const edges = [0, ...cuts.toSorted((a, b) => a - b), 10_000];
      const weights = edges.slice(1).map((edge, i) => [i + 1, (edge - (edges[i] ?? 0)) / 100] as const);
      const version = pickVersion(traffic([[99, 0], ...weights, [98, 0]]), facts({ random }), 'f');
      expect(version).toBeGreaterThan(0);
      expect(version).toBeLessThan(98);
    }));
  });

  it('spreads users evenly over every function, also with short and similar keys', () => {
    for (const [salt, key] of [['card', (i: number) => String(i)], ['hello', (i: number) => `user-${i}`], ['x', (i: number) => `00000000-0000-0000-0000-${String(i).padStart(12, '0')}`]] as const) {
      const t = traffic([[1, 70], [2, 20], [3, 10]], { sticky: 'user' });
      const counts: Record<number, number> = {};
      for (let i = 0; i < 20_000; i++) {
        const version = pickVersion(t, facts({ user: key(i) }), salt);
        counts[version] = (counts[version] ?? 0) + 1;
      }
      for (const [version, share] of [[1, 0.7], [2, 0.2], [3, 0.1]] as const) expect(Math.abs((counts[version] ?? 0) / 20_000 - share)).toBeLessThan(0.012);
    }
  });
});

describe('stickiness', () => {
  it.each([['user', { user: 'u1' }], ['header:X-User-Id', { header: { 'x-user-id': 'u1' } }], ['cookie:uid', { cookie: { uid: 'u1' } }]] as const)('by %s keeps a caller on its version', (sticky, given) => {
    const t = traffic([[1, 50], [2, 50]], { sticky });
    const first = pickVersion(t, facts({ ...given, random: 0 }), 'card');
    for (let i = 0; i < 20; i++) expect(pickVersion(t, facts({ ...given, random: i / 20 }), 'card')).toBe(first);
    expect(pickVersion(t, facts({ random: 0.1 }), 'card')).toBe(1);
    expect(pickVersion(t, facts({ random: 0.9 }), 'card')).toBe(2);
  });

  it('moves only those callers that the change of weights moves', () => {
    const before = traffic([[1, 90], [2, 10]], { sticky: 'user' });
    const after = traffic([[1, 80], [2, 20]], { sticky: 'user' });
    let moved = 0;
    for (let i = 0; i < 5_000; i++) {
      const [a, b] = [pickVersion(before, facts({ user: `u${i}` }), 'card'), pickVersion(after, facts({ user: `u${i}` }), 'card')];
      // Nobody goes back to the old version.
      expect(a === 2 && b !== 2).toBe(false);
      if (a !== b) moved += 1;
    }
    expect(moved / 5_000).toBeGreaterThan(0.07);
    expect(moved / 5_000).toBeLessThan(0.13);
  });

  it('is another draw for each function', () => {
    const t = traffic([[1, 50], [2, 50]], { sticky: 'user' });
    const same = Array.from({ length: 2_000 }, (_, i) => facts({ user: `u${i}` })).filter((f) => pickVersion(t, f, 'card') === pickVersion(t, f, 'hello')).length;
    expect(Math.abs(same / 2_000 - 0.5)).toBeLessThan(0.06);
  });
});

describe('rules', () => {
  it('go before the split; the first that matches wins', () => {
    const t = traffic([[1, 100]], { rules: [{ when: { header: { 'X-Beta': '1' } }, version: 2 }, { when: { query: { v: '3' } }, version: 3 }, { when: {}, version: 4 }] });
    expect(pickVersion(t, facts({ header: { 'x-beta': '1' }, query: { v: '3' } }), 'f')).toBe(2);
    expect(pickVersion(t, facts({ query: { v: '3' } }), 'f')).toBe(3);
    expect(pickVersion(t, facts(), 'f')).toBe(4);
  });

  it.each([
    [{ header: { a: '1', b: '2' } }, { header: { a: '1', b: '2' } }, true], [{ header: { a: '1', b: '2' } }, { header: { a: '1' } }, false], [{ cookie: { a: '1' } }, { cookie: { a: '1' } }, true],
    [{ cookie: { a: '1' } }, { cookie: { a: '2' } }, false], [{ query: { a: '' } }, { query: { a: '' } }, true], [{ query: { a: '' } }, {}, false], [{ user: { in: ['x'] } }, { user: 'x' }, true],
    [{ user: { in: ['x'] } }, { user: 'y' }, false], [{ user: { in: ['x'] } }, {}, false], [{ user: { percent: 100 } }, { user: 'x' }, true], [{ user: { percent: 0 } }, { user: 'x' }, false],
    [{ user: { percent: 100 } }, {}, false], [{ user: {} }, { user: 'x' }, true], [{ user: {} }, {}, false], [{ any: [{ query: { a: '1' } }, { query: { b: '1' } }] }, { query: { b: '1' } }, true], [{ any: [] }, {}, false],
    [{ all: [] }, {}, true], [{ all: [{ query: { a: '1' } }, { any: [{ user: { in: ['x'] } }] }] }, { query: { a: '1' }, user: 'x' }, true], [{ all: [{ query: { a: '1' } }, { query: { b: '1' } }] }, { query: { a: '1' } }, false],
    [{ header: { a: '1' }, any: [{ query: { a: '1' } }] }, { header: { a: '1' } }, false],
  ])('%j against %j: %s', (condition, given, expected) => expect(matches(condition, facts(given), 'f')).toBe(expected));

  it('by percent take that share of the users, always the same', () => {
    const hit = Array.from({ length: 10_000 }, (_, i) => matches({ user: { percent: 25 } }, facts({ user: `u${i}` }), 'card')).filter(Boolean).length;
    expect(Math.abs(hit / 10_000 - 0.25)).toBeLessThan(0.02);
  });
});

describe('the hash', () => {
  it('stays the same over releases, in [0, 1)', () => {
    expect(hashToUnit('card/split/u1')).toBe(hashToUnit('card/split/u1'));
    // A change here would move every sticky caller.
    expect(hashToUnit('')).toBeCloseTo(0.6689221884589642, 12);
    expect(hashToUnit('card/split/u1')).toBeCloseTo(0.0006666961126029491, 12);
    fc.assert(fc.property(fc.string(), (key) => {
      const h = hashToUnit(key);
      expect(h >= 0 && h < 1).toBe(true);
    }));
  });
});
