// The trigger index against URLPattern itself, its order, and its speed with many functions.
import fc from 'fast-check';
import { URLPattern } from 'urlpattern-polyfill';
import { describe, expect, test } from 'vitest';
import type { Trigger } from '../../../core/schemas/index.ts';
import { allowList, methodBit, methodSet } from '../../../gateway/method-set.ts';
import { PathMatcher } from '../../../gateway/path-matcher.ts';
import { TriggerIndex } from '../../../gateway/trigger-index.ts';

const http = (path: string, rest: { host?: string; methods?: ('GET' | 'POST' | 'DELETE')[] } = {}): Trigger => ({ type: 'http', path, ...rest });
const GET = methodBit('GET');

const segment = fc.constantFrom('a', 'b', 'cards', 'items', '42', 'x.json', '', 'a-b', ':id', ':name', '*', 'v:major', ':id.json', ':id?', '(\\d+)', ':n(\\d+)', '{b}?');
const pattern = fc.array(segment, { minLength: 1, maxLength: 4 }).map((parts) => `/${parts.join('/')}`).filter((path) => {
  try {
    new URLPattern({ pathname: path });
    return true;
  } catch {
    return false;
  }
});
const path = fc.array(fc.constantFrom('a', 'b', 'cards', 'items', '42', 'x.json', '', 'a-b', 'v2', '7.json'), { minLength: 1, maxLength: 5 }).map((parts) => `/${parts.join('/')}`);

test('a path matches as URLPattern says', () => {
  fc.assert(fc.property(pattern, path, (p, u) => {
    // The polyfill takes `//x` for a host, in patterns and in paths.
    fc.pre(!p.startsWith('//') && !u.startsWith('//'));
    expect(new PathMatcher(p).matches(u)).toBe(new URLPattern({ pathname: p }).test({ pathname: u }));
  }), { numRuns: 2_000 });
});

test('a path that begins with two slashes is not its second half', () => {
  const matches = (p: string, u: string): boolean => new PathMatcher(p).matches(u);
  expect([matches('/', '//a'), matches('/a', '//a'), matches('/:x', '//a'), matches('/(a)', '//a'), matches('//a', '//a'), matches('/*', '//a')]).toEqual([false, false, false, false, true, true]);
});

test('the index finds what a scan in order of specificity finds, whatever the order of deployment', () => {
  fc.assert(fc.property(fc.uniqueArray(pattern, { minLength: 1, maxLength: 12 }), path, fc.boolean(), (patterns, u, reversed) => {
    const index = new TriggerIndex<string>();
    const order = reversed ? patterns.toReversed() : patterns;
    for (const p of order) index.set(`f${patterns.indexOf(p)}`, p, [http(p)]);
    const scan = patterns.map((p) => new PathMatcher(p)).toSorted((a, b) => a.compare(b)).find((m) => m.matches(u));
    expect(index.find('h', u, GET)).toBe(scan?.pattern);
  }), { numRuns: 1_000 });
});

test('functions that are removed leave nothing behind', () => {
  fc.assert(fc.property(fc.uniqueArray(pattern, { minLength: 1, maxLength: 8 }), path, fc.constantFrom('', 'h', '*.h.example', ':sub.h.example'), (patterns, u, host) => {
    const index = new TriggerIndex<string>();
    index.set('keep', 'keep', [http('/*')]);
    for (const [i, p] of patterns.entries()) index.set(`f${i}`, p, [http(p, host === '' ? {} : { host })]);
    for (let i = 0; i < patterns.length; i++) index.remove(`f${i}`);
    expect(index.find('x.h.example', u, GET)).toBe('keep');
    expect(index.find('h', u, GET)).toBe('keep');
  }), { numRuns: 300 });
});

describe('order', () => {
  const found = (triggers: readonly (readonly [string, Trigger])[], host: string, u: string, method = 'GET'): string | undefined => {
    const index = new TriggerIndex<string>();
    for (const [name, trigger] of triggers) index.set(name, name, [trigger]);
    return index.find(host, u, methodBit(method)) ?? (index.allow === '' ? undefined : `allow ${index.allow}`);
  };
  const paths = [
    ['wild', http('/cards/*')], ['param', http('/cards/:id')], ['literal', http('/cards/new')], ['number', http('/cards/(\\d+)')], ['deep', http('/cards/:id/items')], ['root', http('/*')],
  ] as const;

  test.each([
    ['/cards/new', 'literal'], ['/cards/7', 'number'], ['/cards/x', 'param'], ['/cards/x/items', 'deep'], ['/cards/x/y', 'wild'], ['/cards/', 'wild'], ['/cards', 'root'], ['/', 'root'],
  ])('%s goes to %s', (u, name) => {
    expect(found(paths, 'h', u)).toBe(name);
    expect(found(paths.toReversed(), 'h', u)).toBe(name);
  });

  test('a host of its own goes before a host pattern, that before any host', () => {
    const hosts = [
      ['any', http('/a')], ['all', http('/a', { host: '*.example.com' })], ['shop', http('/a', { host: '*.shop.example.com' })], ['exact', http('/a', { host: 'Eu.Shop.example.com' })],
      ['label', http('/a', { host: ':tenant.example.org' })], ['digits', http('/a', { host: 'n(\\d+).example.net' })],
    ] as const;
    expect(['eu.shop.example.com', 'us.shop.example.com', 'x.example.com', 'x.example.org', 'x.y.example.org', 'n42.example.net', 'nx.example.net', 'example.com'].map((h) => found(hosts, h, '/a')))
      .toEqual(['exact', 'shop', 'all', 'label', 'any', 'digits', 'any', 'any']);
  });

  test('a less specific trigger that takes the method wins; else Allow lists all of them', () => {
    const methods = [['get', http('/a/:x', { methods: ['GET'] })], ['post', http('/a/*', { methods: ['POST'] })]] as const;
    expect(['GET', 'HEAD', 'POST', 'DELETE'].map((m) => found(methods, 'h', '/a/1', m))).toEqual(['get', 'get', 'post', 'allow GET, HEAD, POST']);
    expect(found(methods, 'h', '/b', 'GET')).toBeUndefined();
  });

  test('methods', () => {
    expect([allowList(methodSet(['POST', 'GET'])), methodBit('get'), methodBit('TRACE'), allowList(0)]).toEqual(['GET, HEAD, POST', 0, 0, '']);
  });
});

test('10,000 functions with triggers are found in microseconds', () => {
  const index = new TriggerIndex<number>();
  const begun = performance.now();
  for (let i = 0; i < 10_000; i++) {
    index.set(`f${i}`, i, [http(`/team-${i % 100}/f${i}/:id`), http('/*', { host: `f${i}.example.com` }), http('/x', { host: `*.f${i}.example.org` }), http(`/team-${i % 100}/f${i}/:n(\\d+)/x`)]);
  }
  expect(performance.now() - begun).toBeLessThan(5_000);
  let wrong = 0;
  let fastest = Number.POSITIVE_INFINITY;
  for (let first = 0; first < 10_000; first += 100) {
    const from = performance.now();
    for (let i = first; i < first + 100; i++) {
      if (index.find('any', `/team-${i % 100}/f${i}/7`, GET) !== i) wrong += 1;
      if (index.find(`f${i}.example.com`, '/whatever', GET) !== i) wrong += 1;
    }
    fastest = Math.min(fastest, (performance.now() - from) / 200);
  }
  // A look at every pattern would take milliseconds each. The best of a hundred: others may have the core for some of them.
  expect(fastest).toBeLessThan(0.1);
  expect(wrong).toBe(0);
  expect([index.find('a.f9999.example.org', '/x', GET), index.find('a.nobody.example.org', '/x', GET)]).toEqual([9_999, undefined]);
}, 20_000);
