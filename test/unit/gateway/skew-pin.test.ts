// Skew protection: who is held to which version, for how long, and what made-up pins can reach.
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RequestFacts } from '../../../core/routing/index.ts';
import { SkewPin } from '../../../gateway/skew-pin.ts';
import type { Pinned } from '../../../gateway/skew-pin.ts';
import { routeFunction } from '../../support/gateway-fakes.ts';

const NOW = 1_763_800_000_000;
const HOUR = 3_600_000;
const VERSIONS = { 1: 'a', 2: 'b', 3: 'c', 4: 'd' };
const to = (version: number) => ({ rules: [], split: [{ version, weight: 100 }] });

interface Given {
  readonly cookie?: string;
  readonly header?: string;
  readonly traffic?: unknown;
  readonly leftAt?: Readonly<Record<number, number>>;
  readonly forced?: number;
  readonly by?: 'cookie' | 'header';
  readonly chosen?: number;
  readonly secure?: boolean;
  readonly nowMs?: number;
}

function place(given: Given): Pinned {
  const { traffic = to(2), leftAt, forced } = given;
  const fn = routeFunction('card', {
    traffic, versions: VERSIONS, skew: { by: given.by ?? 'cookie' }, ...(leftAt === undefined ? {} : { leftAt }), ...(forced === undefined ? {} : { forced }),
  });
  if (fn.skew === undefined) throw new Error('it has no skew');
  const facts: RequestFacts = {
    header: (name) => (name === 'thimble-version' ? given.header : undefined), cookie: (name) => (name === 'thimble-version.card' ? given.cookie : undefined),
    query: () => undefined, user: () => undefined, random: () => 0,
  };
  return new SkewPin(fn, fn.skew, () => given.nowMs ?? NOW).place({ choose: () => given.forced ?? given.chosen ?? 2 }, facts, given.secure ?? false);
}
const cookie = (version: number, ageMs = 0): string => `${version}.${Math.floor((NOW - ageMs) / 1_000)}`;

describe('the cookie', () => {
  test('is given to who has none, for the whole host, out of reach of scripts; secure where the request was', () => {
    expect(place({})).toEqual({ version: 2, cookie: `thimble-version.card=2.${NOW / 1_000}; Max-Age=3600; Path=/; HttpOnly; SameSite=Lax` });
    expect(place({ secure: true }).cookie).toMatch(/; SameSite=Lax; Secure$/);
  });

  test('holds its caller to a version that traffic has left, for the time since it left, and no longer than its own', () => {
    expect(place({ cookie: cookie(1), leftAt: { 1: NOW - HOUR + 1 } })).toEqual({ version: 1, cookie: '' });
    expect(place({ cookie: cookie(1), leftAt: { 1: NOW - HOUR } }).version).toBe(2);
    expect(place({ cookie: cookie(1, HOUR), leftAt: { 1: NOW - 1 } }).version).toBe(2);
    expect(place({ cookie: cookie(1), leftAt: {} })).toMatchObject({ version: 2, cookie: expect.stringContaining('=2.') });
  });

  test('holds to a version that still has some of the traffic, by weight or by rule, but not by a weight of 0', () => {
    const split = [{ version: 1, weight: 10 }, { version: 2, weight: 90 }, { version: 4, weight: 0 }];
    const traffic = { rules: [{ when: { query: { a: '1' } }, version: 3 }], split };
    expect([1, 2, 3, 4].map((version) => place({ traffic, cookie: cookie(version) }).version)).toEqual([1, 2, 3, 2]);
  });

  test('is renewed past half its time only while traffic would send its caller to the same version', () => {
    const traffic = { rules: [], split: [{ version: 1, weight: 50 }, { version: 2, weight: 50 }] };
    expect(place({ traffic, cookie: cookie(2, HOUR / 2 - 1_000) })).toEqual({ version: 2, cookie: '' });
    expect(place({ traffic, cookie: cookie(2, HOUR / 2) })).toMatchObject({ version: 2, cookie: expect.stringContaining(`=2.${NOW / 1_000};`) });
    expect(place({ traffic, cookie: cookie(1, HOUR / 2) })).toEqual({ version: 1, cookie: '' });
  });

  test.each(['', '0', '1', '1.', '.1', '-1.5', '1.0x10', '01.5', `1.${NOW / 1_000 + 61}`, `99.${NOW / 1_000}`, `${'9'.repeat(11)}.1`, `1.${'9'.repeat(4_000)}`, `1.${NOW / 1_000} `, `"1.${NOW / 1_000}"`])('%s is none', (value) => {
    expect(place({ cookie: value, leftAt: { 1: NOW } })).toMatchObject({ version: 2, cookie: expect.stringContaining('=2.') });
  });

  test('made up, reaches nothing but what has traffic or had it a moment ago', () => {
    const leads = fc.property(fc.integer({ min: 0, max: 6 }), fc.integer({ min: -100, max: 4_000 }), fc.integer({ min: -HOUR, max: 3 * HOUR }), (version, ageS, leftMs) => {
      const served = place({ cookie: cookie(version, ageS * 1_000), leftAt: { 1: NOW - leftMs } }).version;
      return served === 2 || (served === 1 && version === 1 && leftMs < HOUR && ageS < 3_600 && ageS >= -60);
    });
    expect(fc.check(leads).counterexample).toBeNull();
  });
});

describe('a forced version', () => {
  test('wins over every pin, and callers get its cookie', () => {
    expect(place({ forced: 3, cookie: cookie(2) })).toEqual({ version: 3, cookie: `thimble-version.card=3.${NOW / 1_000}; Max-Age=3600; Path=/; HttpOnly; SameSite=Lax` });
    expect(place({ forced: 3, by: 'header', header: '2' })).toEqual({ version: 3, cookie: '' });
  });
});

describe('the header', () => {
  test('holds to the version that it names, as long as that one may be held to; no cookie is set', () => {
    expect(place({ by: 'header', header: '1', leftAt: { 1: NOW - 1 } })).toEqual({ version: 1, cookie: '' });
    expect(place({ by: 'header', header: '1', leftAt: { 1: NOW - HOUR } })).toEqual({ version: 2, cookie: '' });
    expect(['3', '01', '1.5', 'x', ''].map((header) => place({ by: 'header', header, leftAt: { 1: NOW } }).version)).toEqual([2, 2, 2, 2, 2]);
    expect(place({ by: 'header', cookie: cookie(1), leftAt: { 1: NOW } }).version).toBe(2);
  });
});

test('a function without a live version has none, and sets no cookie', () => {
  expect(place({ chosen: 0, traffic: null })).toEqual({ version: 0, cookie: '' });
});
