// Which version a request gets: rules, split, stickiness. The same input gives the same version everywhere.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Choice, MAX_KEY_CHARACTERS, hash32, hashToUnit, onlyVersionOf } from '../../../core/routing/index.ts';
import type { RequestFacts } from '../../../core/routing/index.ts';
import type { Condition, Traffic } from '../../../core/schemas/index.ts';

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
const chosen = (of: Traffic, given: Given, salt = 'f'): number => new Choice(of, null, salt).of(facts(given));
const matches = (when: Condition, given: Given): boolean => chosen(traffic([[1, 100]], { rules: [{ when, version: 2 }] }), given) === 2;

/** mulberry32: the same draws in every run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

describe('the split', () => {
  it('gives each version exactly its places, down to 0.01 %', () => {
    const choice = new Choice(traffic([[1, 90], [2, 9.99], [3, 0.01]]), null, 'f');
    const counts = [0, 0, 0, 0];
    for (let place = 0; place < 10_000; place++) {
      const version = choice.of(facts({ random: (place + 0.5) / 10_000 }));
      counts[version] = (counts[version] ?? 0) + 1;
    }
    expect(counts).toEqual([0, 9_000, 999, 1]);
  });

  it('never gives a version of weight 0, and always one of the split, for any key and any weights', () => {
    const cuts = fc.uniqueArray(fc.integer({ min: 1, max: 9_999 }), { maxLength: 8 });
    fc.assert(fc.property(cuts, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), fc.string(), (at, random, user) => {
      const edges = [0, ...at.toSorted((a, b) => a - b), 10_000];
      const weights = edges.slice(1).map((edge, i) => [i + 1, (edge - (edges[i] ?? 0)) / 100] as const);
      for (const sticky of [undefined, 'user']) {
        const version = chosen(traffic([[99, 0], ...weights, [98, 0]], sticky === undefined ? {} : { sticky }), { random, user });
        expect(version).toBeGreaterThan(0);
        expect(version).toBeLessThan(98);
      }
    }));
  });

  it('takes 1 % ± 0.1 of 100,000 requests at a canary of 1 %: of users with names of all kinds, and of those without', () => {
    const canary = traffic([[1, 99], [2, 1]], { sticky: 'user' });
    const kinds = [(i: number) => String(i), (i: number) => `user-${i}@example.org`, (i: number) => `00000000-0000-4000-8000-${String(i).padStart(12, '0')}`, (i: number) => i.toString(16)];
    for (const salt of ['card', 'hello', 'x']) {
      const choice = new Choice(canary, null, salt);
      const share = (given: (i: number) => Given): number => {
        let hits = 0;
        for (let i = 0; i < 100_000; i++) if (choice.of(facts(given(i))) === 2) hits += 1;
        return hits / 1_000;
      };
      for (const name of kinds) expect(Math.abs(share((i) => ({ user: name(i) })) - 1)).toBeLessThan(0.1);
      const random = seeded(7);
      expect(Math.abs(share(() => ({ random: random() })) - 1)).toBeLessThan(0.1);
    }
  });

  it('of one version needs no choice', () => {
    expect([traffic([[3, 100]]), traffic([[1, 0], [2, 100]]), traffic([[1, 50], [2, 50]]), traffic([[1, 100]], { rules: [{ when: {}, version: 1 }] })].map(onlyVersionOf)).toEqual([3, 2, 0, 0]);
  });
});

describe('stickiness', () => {
  it.each([['user', { user: 'u1' }], ['header:X-User-Id', { header: { 'x-user-id': 'u1' } }], ['cookie:uid', { cookie: { uid: 'u1' } }]] as const)('by %s keeps a caller on its version', (sticky, given) => {
    const t = traffic([[1, 50], [2, 50]], { sticky });
    const first = chosen(t, { ...given, random: 0 });
    for (let i = 0; i < 20; i++) expect(chosen(t, { ...given, random: i / 20 })).toBe(first);
    expect(new Set(Array.from({ length: 20 }, (_, i) => chosen(t, { random: i / 20 })))).toEqual(new Set([1, 2]));
  });

  it('is another draw for each function', () => {
    const t = traffic([[1, 50], [2, 50]], { sticky: 'user' });
    const [card, hello] = [new Choice(t, null, 'card'), new Choice(t, null, 'hello')];
    const same = Array.from({ length: 4_000 }, (_, i) => facts({ user: `u${i}` })).filter((f) => card.of(f) === hello.of(f)).length;
    expect(Math.abs(same / 4_000 - 0.5)).toBeLessThan(0.04);
  });

  it('does not follow from who is in a percent rule', () => {
    const split = new Choice(traffic([[1, 90], [2, 10]], { sticky: 'user' }), null, 'card');
    const rule = new Choice(traffic([[1, 100]], { rules: [{ when: { user: { percent: 10 } }, version: 2 }] }), null, 'card');
    let [both, inSplit, inRule] = [0, 0, 0];
    for (let i = 0; i < 100_000; i++) {
      const user = facts({ user: `u${i}` });
      const [a, b] = [split.of(user) === 2, rule.of(user) === 2];
      if (a) inSplit += 1;
      if (b) inRule += 1;
      if (a && b) both += 1;
    }
    // Independent draws: a tenth of a tenth. Four standard deviations.
    expect(Math.abs(both - (inSplit * inRule) / 100_000)).toBeLessThan(130);
  });

  it('takes a key of hostile length for none', () => {
    const t = traffic([[1, 50], [2, 50]], { sticky: 'cookie:uid' });
    const long = { cookie: { uid: 'x'.repeat(MAX_KEY_CHARACTERS + 1) } };
    expect(new Set(Array.from({ length: 20 }, (_, i) => chosen(t, { ...long, random: i / 20 })))).toEqual(new Set([1, 2]));
    expect(matches({ user: { percent: 100 } }, { user: 'x'.repeat(MAX_KEY_CHARACTERS + 1) })).toBe(false);
    expect(matches({ user: { percent: 100 } }, { user: 'x'.repeat(MAX_KEY_CHARACTERS) })).toBe(true);
  });
});

describe('rules', () => {
  it('go before the split; the first that matches wins', () => {
    const t = traffic([[1, 100]], { rules: [{ when: { header: { 'X-Beta': '1' } }, version: 2 }, { when: { query: { v: '3' } }, version: 3 }, { when: {}, version: 4 }] });
    expect(chosen(t, { header: { 'x-beta': '1' }, query: { v: '3' } })).toBe(2);
    expect(chosen(t, { query: { v: '3' } })).toBe(3);
    expect(chosen(t, {})).toBe(4);
  });

  it.each([
    [{ header: { a: '1', b: '2' } }, { header: { a: '1', b: '2' } }, true], [{ header: { a: '1', b: '2' } }, { header: { a: '1' } }, false], [{ cookie: { a: '1' } }, { cookie: { a: '1' } }, true],
    [{ cookie: { a: '1' } }, { cookie: { a: '2' } }, false], [{ query: { a: '' } }, { query: { a: '' } }, true], [{ query: { a: '' } }, {}, false], [{ user: { in: ['x'] } }, { user: 'x' }, true],
    [{ user: { in: ['x'] } }, { user: 'y' }, false], [{ user: { in: ['x'] } }, {}, false], [{ user: { percent: 100 } }, { user: 'x' }, true], [{ user: { percent: 0 } }, { user: 'x' }, false],
    [{ user: { percent: 100 } }, {}, false], [{ user: {} }, { user: 'x' }, true], [{ user: {} }, {}, false], [{ any: [{ query: { a: '1' } }, { query: { b: '1' } }] }, { query: { b: '1' } }, true], [{ any: [] }, {}, false],
    [{ all: [] }, {}, true], [{ all: [{ query: { a: '1' } }, { any: [{ user: { in: ['x'] } }] }] }, { query: { a: '1' }, user: 'x' }, true], [{ all: [{ query: { a: '1' } }, { query: { b: '1' } }] }, { query: { a: '1' } }, false],
    [{ header: { a: '1' }, any: [{ query: { a: '1' } }] }, { header: { a: '1' } }, false], [{ user: { in: ['x'], percent: 0 } }, { user: 'x' }, false],
  ])('%j against %j: %s', (condition, given, expected) => expect(matches(condition, given)).toBe(expected));

  it('by percent take that share of the users; a larger share takes the same and more', () => {
    const users = Array.from({ length: 10_000 }, (_, i) => `u${i}`);
    const within = (percent: number): Set<string> => new Set(users.filter((user) => matches({ user: { percent } }, { user })));
    const [quarter, half] = [within(25), within(50)];
    expect(Math.abs(quarter.size / 10_000 - 0.25)).toBeLessThan(0.02);
    expect([...quarter].every((user) => half.has(user))).toBe(true);
  });
});

describe('the hashes', () => {
  it('stay the same over releases', () => {
    // A change of the first would move every version to other hosts, of the second every sticky caller.
    expect(hashToUnit('')).toBeCloseTo(0.6689221884589642, 12);
    expect(hashToUnit('card/split/u1')).toBeCloseTo(0.0006666961126029491, 12);
    // Reference values of MurmurHash3_x86_32 for the same bytes (UTF-16, little endian).
    expect([hash32('', 0), hash32('', 1), hash32('\u0000\u0000', 0)]).toEqual([0, 0x514e28b7, 0x2362f9de]);
    expect(hash32('u1', 42)).toBe(hash32('u1', 42));
  });

  it('are within their range', () => {
    const within = fc.property(fc.string({ unit: 'binary' }), fc.integer(), (key, seed) => {
      const [unit, h] = [hashToUnit(key), hash32(key, seed)];
      return unit >= 0 && unit < 1 && Number.isInteger(h) && h >= 0 && h < 2 ** 32;
    });
    expect(fc.check(within).counterexample).toBeNull();
  });
});
