// What stands in for failures: every code has its cause, nobody gets what another was answered, and what is kept is bounded.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ERRORS } from '../../../core/errors/index.ts';
import type { ErrorCode } from '../../../core/errors/index.ts';
import { FALLBACK_CAUSES, fallbackSchema } from '../../../core/schemas/index.ts';
import { CAUSES, causeOf } from '../../../gateway/fallback/causes.ts';
import { MAX_FUNCTION_BYTES, MAX_STORE_BYTES, Shelf } from '../../../gateway/fallback/last-good.ts';
import type { GoodAnswer } from '../../../gateway/fallback/last-good.ts';
import { FallbackPlan } from '../../../gateway/fallback/plan.ts';
import { requestKey } from '../../../gateway/fallback/request-key.ts';
import { cacheDirectives, isForWhole, isPlainGet, storable } from '../../../gateway/fallback/storable.ts';

type Fields = Readonly<Record<string, string>>;

const lines = (fields: Fields): string => Object.entries(fields).map(([name, value]) => `\n${name}\n${value}`).join('');
const asked = (fields: Fields = {}, { method = 'GET', url = 'http://card.localhost/cards?page=1' } = {}): string => `${method}\n${url}\nhost\ncard.localhost${lines(fields)}`;
const answered = (fields: Fields): string => lines(fields).slice(1);

describe('causes', () => {
  test('are given to every code that is not the caller\'s fault, and to no code that is but throttles', () => {
    const codes = Object.keys(ERRORS) as ErrorCode[];
    expect(codes.filter((code) => ERRORS[code].fault !== 'caller' && !Object.hasOwn(CAUSES, code))).toEqual([]);
    expect(codes.filter((code) => ERRORS[code].fault === 'caller' && causeOf(code) !== null && ERRORS[code].status !== 429)).toEqual([]);
    // Whoever may read one of these as the answer to a call has a cause in the schema.
    const named = new Set(codes.map(causeOf).filter((cause) => cause !== null && cause !== 'switch'));
    expect([...named].toSorted()).toEqual([...FALLBACK_CAUSES].toSorted());
  });

  test('leave what the caller did wrong a failure', () => {
    for (const code of ['bad_request', 'no_route', 'no_version', 'method_not_allowed', 'body_too_large', 'headers_too_large', 'loop_detected', 'unauthorized', 'not_found', 'invalid', 'frozen'] as const) expect(causeOf(code)).toBeNull();
  });
});

describe('the key of a request', () => {
  test('is the same for what says nothing of who asks, and for HEAD', () => {
    const key = requestKey(asked());
    for (const fields of [
      { accept: 'text/html', 'accept-encoding': 'gzip', 'user-agent': 'x', 'sec-ch-ua': 'y', 'sec-fetch-mode': 'cors' }, { 'x-request-id': '1', traceparent: '00-1-1-01', 'x-forwarded-for': '192.0.2.1' }, { 'if-none-match': '"a"' },
    ] satisfies Fields[]) expect(requestKey(asked(fields))).toBe(key);
    expect(requestKey(asked({}, { method: 'HEAD' }))).toBe(key);
  });

  test('differs by everything that may: credentials, the user, unknown fields, host, scheme, path and query', () => {
    const keys = [
      asked(), asked({ cookie: 'sid=a' }), asked({ cookie: 'sid=b' }), asked({ authorization: 'Bearer a' }), asked({ authorization: 'Bearer b' }), asked({ 'x-api-key': 'a' }), asked({ 'x-api-key': 'b' }), asked({ 'x-thimble-user': 'a' }),
      asked({ 'x-thimble-user': 'b' }), asked({ 'x-user-id': 'a' }), asked({ origin: 'https://a.example' }), asked({ 'x-forwarded-host': 'a' }), asked({ 'sec-token': 'a' }),
      asked({}, { url: 'https://card.localhost/cards?page=1' }), asked({}, { url: 'http://card.localhost/cards?page=2' }), asked({}, { url: 'http://v2--card.localhost/cards?page=1' }),
    ].map((head) => requestKey(head));
    expect(new Set(keys).size).toBe(keys.length);
  });

  test('leaves out the cookie that the gateway itself has set, and that one only', () => {
    const key = (cookie: string): string => requestKey(asked({ cookie }), 'thimble-version.f');
    expect([key('thimble-version.f=7.1'), key('thimble-version.f=8.2')]).toEqual([requestKey(asked()), requestKey(asked())]);
    expect(key('a=1; thimble-version.f=7.1; b=2')).toBe(key('a=1;b=2'));
    expect(new Set(['a=1', 'a=2', 'thimble-version.g=7.1', 'xthimble-version.f=7.1', 'thimble-version.f', ''].map(key)).size).toBe(6);
  });

  test('is never the same for two who differ in anything but what is known to say nothing of them', () => {
    const name = fc.stringMatching(/^[a-z][a-z-]{0,12}$/).filter((n) => !/^(?:accept|user-agent|referer|dnt|priority|purpose|te|via|b3|pragma|baggage|save-data)/.test(n));
    const value = fc.stringMatching(/^[ -~]{0,20}$/);
    const request = fc.array(fc.tuple(name, value), { maxLength: 5 });
    fc.assert(fc.property(request, request, (a, b) => {
      const head = (pairs: readonly (readonly [string, string])[]): string => `GET\nhttp://f.localhost/${pairs.map(([n, v]) => `\n${n}\n${v}`).join('')}`;
      expect(requestKey(head(a)) === requestKey(head(b))).toBe(head(a) === head(b));
    }), { numRuns: 500 });
  });
});

describe('what is kept', () => {
  test.each<[string, number, Fields, number | undefined]>([
    ['a plain answer', 200, {}, Number.POSITIVE_INFINITY],
    ['an answer without a body', 204, {}, Number.POSITIVE_INFINITY],
    ['a public one that is stale long since', 200, { 'cache-control': 'public, max-age=1' }, Number.POSITIVE_INFINITY],
    ['as long as it says itself', 200, { 'cache-control': 'max-age=10, stale-if-error=20' }, 30_000],
    ['fresh, when it may not be stale', 200, { 'cache-control': 'max-age=10, must-revalidate' }, 10_000],
    ['fresh for shared caches', 200, { 'cache-control': 'max-age=99, s-maxage=5' }, 5_000],
    ['not: it may never be given out unasked', 200, { 'cache-control': 'must-revalidate' }, undefined],
    ['not: an argument that is no number', 200, { 'cache-control': 's-maxage=soon' }, undefined],
    ['not: a failure', 500, {}, undefined], ['not: a part', 206, {}, undefined], ['not: a redirect', 302, { location: '/' }, undefined], ['not: a form to reset', 205, {}, undefined],
    ['not: it sets a cookie', 200, { 'Set-Cookie': 'a=b' }, undefined],
    ['not: it depends on what nobody can say', 200, { vary: 'accept, *' }, undefined],
    ['not: no-store', 200, { 'Cache-Control': 'No-Store' }, undefined],
    ['not: private', 200, { 'cache-control': 'max-age=60, private' }, undefined],
    ['not: private for one field', 200, { 'cache-control': 'private="x-user, etag"' }, undefined],
    ['not: no-cache', 200, { 'cache-control': 'no-cache' }, undefined],
    ['whose quoted argument only looks like one', 200, { 'cache-control': 'x="a, no-store"' }, Number.POSITIVE_INFINITY],
  ])('%s', (_, status, fields, usableMs) => {
    expect(storable(status, answered(fields))?.usableMs).toBe(usableMs);
  });

  test('joins fields that came twice', () => {
    expect(storable(200, 'cache-control\nmax-age=60\ncontent-type\ntext/plain\ncache-control\nno-store')).toBeUndefined();
    expect(storable(200, 'vary\nOrigin\nVary\naccept, X-Lang')?.vary).toEqual(['origin', 'accept', 'x-lang']);
    expect(storable(200, 'content-encoding\ngzip')?.vary).toEqual(['accept-encoding']);
  });

  test('is of plain GETs for the whole of it', () => {
    expect(isPlainGet('GET', asked(), false)).toBe(true);
    expect([isPlainGet('GET', asked(), true), isPlainGet('POST', asked(), false), isPlainGet('HEAD', asked(), false), isPlainGet('@queue', asked(), false)]).toEqual([false, false, false, false]);
    expect([isPlainGet('GET', asked({ range: 'bytes=0-1' }), false), isPlainGet('GET', asked({ 'cache-control': 'no-store' }), false), isForWhole(asked({ range: 'bytes=0-1' }))]).toEqual([false, false, false]);
  });

  test('directives are read whatever stands in them', () => {
    fc.assert(fc.property(fc.stringMatching(/^[\t -~]{0,60}$/), (value) => void cacheDirectives(value)));
    expect([...cacheDirectives('Max-Age = 5 , , foo, bar="a\\"b, c" ;x')]).toEqual([['max-age', '5'], ['foo', ''], ['bar', 'a\\"b, c'], ['x', '']]);
  });
});

describe('the shelf of a function', () => {
  const answer = (body: string | Buffer, more: Partial<GoodAnswer> = {}): Omit<GoodAnswer, 'bytes'> => ({ status: 200, head: '', body: Buffer.from(body), version: 1, storedAtMs: 0, usableMs: Number.POSITIVE_INFINITY, vary: [], ...more });
  const none = (): string => '';
  const text = (found: GoodAnswer | undefined): string | undefined => found?.body?.toString();

  test('gives out the last answer while it is young enough for the settings and for itself', () => {
    const shelf = new Shelf({ bytes: 0, answers: 0 });
    shelf.put('k', answer('a'), none);
    shelf.put('k', answer('b', { storedAtMs: 100 }), none);
    expect([text(shelf.find('k', none, 1_000, 1_100)), shelf.find('k', none, 1_000, 1_101), shelf.find('other', none, 1_000, 100)]).toEqual(['b', undefined, undefined]);
    shelf.put('k', answer('c', { usableMs: 50 }), none);
    expect([text(shelf.find('k', none, 1_000, 50)), shelf.find('k', none, 1_000, 51)]).toEqual(['c', undefined]);
    shelf.drop('k');
    expect([shelf.find('k', none, 1_000, 0), shelf.bytes]).toEqual([undefined, 0]);
  });

  test('keeps answers apart by what they vary with, and forgets them when that changes', () => {
    const shelf = new Shelf({ bytes: 0, answers: 0 });
    const lang = (value: string) => (name: string): string => (name === 'accept-language' ? value : '');
    for (const l of ['de', 'en', 'fr']) shelf.put('k', answer(l, { vary: ['accept-language', l] }), lang(l));
    expect(['de', 'en', 'fr', 'nl'].map((l) => text(shelf.find('k', lang(l), 1, 0)))).toEqual(['de', 'en', 'fr', undefined]);
    shelf.put('k', answer('all'), lang('de'));
    expect(['de', 'en'].map((l) => text(shelf.find('k', lang(l), 1, 0)))).toEqual(['all', 'all']);
    for (let i = 0; i < 100; i++) shelf.put('k', answer('x', { vary: ['accept-language', `l${i}`] }), lang(`l${i}`));
    expect(Array.from({ length: 100 }, (_, i) => shelf.find('k', lang(`l${i}`), 1, 0)).filter((found) => found !== undefined)).toHaveLength(8);
  });

  test('stays within its bound by letting go of the oldest, and counts to the byte', () => {
    const store = { bytes: 0, answers: 0 };
    const shelf = new Shelf(store);
    const body = Buffer.alloc(64 * 1_024);
    for (let i = 0; i < 1_000; i++) {
      shelf.put(`k${i}`, answer(body, { storedAtMs: i }), none);
      expect(shelf.bytes).toBeLessThanOrEqual(MAX_FUNCTION_BYTES);
    }
    expect([shelf.find('k0', none, 1e9, 1_000), text(shelf.find('k999', none, 1e9, 1_000))?.length, store.bytes]).toEqual([undefined, body.length, shelf.bytes]);
    // The oldest went first.
    const left = Array.from({ length: 1_000 }, (_, i) => shelf.find(`k${i}`, none, 1e9, 1_000) !== undefined);
    expect(left.indexOf(true)).toBe(1_000 - store.answers);
    expect(left.slice(left.indexOf(true)).every(Boolean)).toBe(true);
    shelf.sweep(100, 1_000);
    expect(store.answers).toBe(100);
    shelf.clear();
    expect(store).toEqual({ bytes: 0, answers: 0 });
  });

  test('takes no other function\'s room: all together stay within the bound, and there is some left for one more', () => {
    const store = { bytes: 0, answers: 0 };
    const shelves = Array.from({ length: 6 }, () => new Shelf(store));
    const body = Buffer.alloc(60_000);
    for (let i = 0; i < 400; i++) for (const shelf of shelves) shelf.put(`k${i}`, answer(body), none);
    expect(store.bytes).toBeLessThanOrEqual(MAX_STORE_BYTES);
    for (const shelf of shelves) expect(shelf.bytes).toBeGreaterThan(2 * 1_048_576);
    const late = new Shelf(store);
    late.put('k', answer(body), none);
    expect(late.find('k', none, 1, 0)).toBeDefined();
  });

  test('counts right whatever is put, dropped and swept', () => {
    fc.assert(fc.property(fc.array(fc.record({ key: fc.nat(4), bytes: fc.nat(500), vary: fc.nat(3), drop: fc.boolean() }), { maxLength: 60 }), (steps) => {
      const store = { bytes: 0, answers: 0 };
      const shelf = new Shelf(store);
      for (const [i, { key, bytes, vary, drop }] of steps.entries()) {
        const read = (): string => `v${vary}`;
        if (drop && i % 3 === 0) shelf.drop(`k${key}`);
        else shelf.put(`k${key}`, answer(Buffer.alloc(bytes), { storedAtMs: i, vary: vary === 0 ? [] : ['x', `v${vary}`] }), read);
      }
      expect(store.bytes).toBe(shelf.bytes);
      shelf.sweep(0, 1_000);
      expect([store.bytes, store.answers]).toEqual([0, 0]);
    }), { numRuns: 200 });
  });
});

describe('the static answer', () => {
  const plan = (fallback: unknown): FallbackPlan => new FallbackPlan(fallbackSchema.parse(fallback));

  test('has a type, and is not for caches unless its owner says so', () => {
    expect(plan({ static: { body: 'Back soon' } }).static).toEqual({ status: 200, head: 'content-type\ntext/plain;charset=UTF-8\ncache-control\nno-store', body: 'Back soon' });
    expect(plan({ static: { status: 503, headers: { 'Content-Type': ' text/html ', 'Cache-Control': 'max-age=5' }, body: '<p>' } }).static?.head).toBe('content-type\ntext/html\ncache-control\nmax-age=5');
    expect(plan({ lastGood: { ttlMs: 5_000 } })).toMatchObject({ static: null, ttlMs: 5_000 });
    expect(plan({ static: { status: 204 } }).static?.head).toBe('cache-control\nno-store');
  });

  test('stands in for the causes that it is on for', () => {
    const { answers } = { answers: (on: readonly string[] | undefined) => FALLBACK_CAUSES.map((cause) => plan({ static: {}, ...(on === undefined ? {} : { on }) }).answers(cause)) };
    expect([answers(undefined), answers(['kill'])]).toEqual([[true, true, true, true], [false, true, false, false]]);
  });
});
