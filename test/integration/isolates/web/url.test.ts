// URL standard inside an isolate, against Node's own classes.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { runChecks } from '../../../support/isolate-checks.ts';
import { TestHost } from '../../../support/isolates-host.ts';

const host = TestHost.shared();

const PARTS = ['href', 'origin', 'protocol', 'username', 'password', 'host', 'hostname', 'port', 'pathname', 'search', 'hash'] as const;

/** What one URL shows, or that there is none. */
function show(address: string, base?: string): unknown {
  const url = URL.parse(address, base);
  return url === null ? null : [...PARTS.map((part) => url[part]), [...url.searchParams]];
}

const SHOW = `const PARTS = ${JSON.stringify(PARTS)};
  const show = (address, base) => { const url = URL.parse(address, base); if (URL.canParse(address, base) !== (url !== null)) throw new Error('canParse differs'); let made = null; try { made = new URL(address, base); } catch (e) { if (!(e instanceof TypeError)) throw e; }
    if (String(made) !== String(url)) throw new Error('constructor differs'); return url === null ? null : [...PARTS.map((part) => url[part]), [...url.searchParams]]; };`;

async function inIsolate(body: string, input: unknown): Promise<unknown> {
  const f = await host().deploy(`${SHOW} export default { async fetch(req) { const input = await req.json(); return Response.json(${body}); } };`, { debug: true, cpuMs: 10_000 });
  const answer = await host().call(f, { body: JSON.stringify(input) });
  if (answer.code !== null) throw new Error(`${answer.code}: ${answer.detail}`);
  return JSON.parse(answer.body.toString());
}

/** Addresses around everything that the parser treats apart, and around the grammar that is read without the host. */
const piece = fc.constantFrom(
  'http', 'https', 'ftp', 'file', 'data', 'blob', 'mailto', 'ws', 'javascript', 'x', ':', ':', '//', '/', '/', '\\', '?', '#', '@', 'user', 'pa ss', ':80', ':443', ':0', ':65535', ':65536', ':08', ':8080',
  'example.com', 'EXAMPLE.com', 'a-b.c', '-a', 'a-', 'xn--nxasmq6b', 'xn--a', 'bücher.de', '192.168.0.1', '192.168.0.257', '1.2.3', '0x7f.1', '127.0.0.1.', '[::1]', '[1:2::3]', '[::g]', 'a..b', '.', '..', '%2e', '%2E%2e', '%zz', '%41',
  '%', '~', '!', '$', '&', "'", '(', '*', '+', ',', ';', '=', '|', '^', '`', '{', '"', '<', ' ', '\t', '\n', '\u0000', 'é', '😀', '\ud800', 'a', 'b', '1', '-', '_', 'index.html', 'a=b', 'q', '\u00ad', '。',
);
const address = fc.oneof(
  fc.array(piece, { maxLength: 10 }).map((parts) => parts.join('')),
  fc.tuple(fc.constantFrom('http://', 'https://', 'HTTP://', 'ftp://', 'x://', 'http:/', 'file:///'), fc.array(piece, { maxLength: 6 })).map(([scheme, parts]) => scheme + parts.join('')),
  fc.tuple(fc.constantFrom('http://a.test', 'https://b.test:8443', 'http://10.0.0.1'), fc.array(fc.constantFrom('/', '/', 'a', '.', '..', '%20', '%2e', '-', '~', 'x.y', '?', '?', 'k=v', '&', '#', '+', "'", '@', ':'), { maxLength: 9 })).map(([start, parts]) => start + parts.join('')),
  fc.webUrl({ withFragments: true, withQueryParameters: true }),
);

describe('URL', () => {
  test('parses as Node does, whatever comes', async () => {
    const inputs = fc.sample(fc.tuple(address, fc.option(fc.oneof(address, fc.constantFrom('http://base.test/a/b?c#d', 'mailto:x', 'file:///c:/a/b')), { nil: null, freq: 2 })), { numRuns: 4_000, seed: 5 });
    const got = (await inIsolate('input.map(([a, b]) => show(a, b ?? undefined))', inputs)) as unknown[];
    const wanted = JSON.parse(JSON.stringify(inputs.map(([a, b]) => show(a, b ?? undefined)))) as unknown[];
    const at = got.findIndex((g, i) => JSON.stringify(g) !== JSON.stringify(wanted[i]));
    expect(at < 0 ? undefined : { input: inputs[at], got: got[at], wanted: wanted[at] }).toBeUndefined();
    expect(wanted.filter((w) => w !== null).length).toBeGreaterThan(1_000);
    expect(wanted.filter((w) => w === null).length).toBeGreaterThan(500);
  });

  test('setters do what those of Node do', async () => {
    const settable = ['href', 'protocol', 'username', 'password', 'host', 'hostname', 'port', 'pathname', 'search', 'hash'] as const;
    const step = fc.tuple(fc.constantFrom(...settable), fc.array(piece, { maxLength: 3 }).map((parts) => parts.join('')));
    const inputs = fc.sample(fc.tuple(fc.constantFrom('http://u:p@a.test:81/p?q=1#h', 'https://b.test/', 'file:///x/y', 'mailto:me', 'data:text/plain,hi  #x', 'x://h/p', 'http://a.test/plain?k=v'), fc.array(step, { minLength: 1, maxLength: 4 })), { numRuns: 1_500, seed: 9 });
    const apply = `((start, steps) => { const url = new URL(start); const query = url.searchParams; for (const [name, value] of steps) { try { url[name] = value; } catch (e) { if (name !== 'href' || !(e instanceof TypeError)) throw e; } } return [...PARTS.map((p) => url[p]), String(query), url.searchParams === query]; })`;
    const got = (await inIsolate(`input.map(([start, steps]) => ${apply}(start, steps))`, inputs)) as unknown[];
    const wanted = JSON.parse(JSON.stringify(inputs.map(([start, steps]) => {
      const url = new URL(start);
      const query = url.searchParams;
      for (const [name, value] of steps) {
        try {
          url[name] = value;
        } catch (error) {
          if (name !== 'href') throw error;
        }
      }
      return [...PARTS.map((p) => url[p]), String(query), url.searchParams === query];
    }))) as unknown[];
    const at = got.findIndex((g, i) => JSON.stringify(g) !== JSON.stringify(wanted[i]));
    expect(at < 0 ? undefined : { input: inputs[at], got: got[at], wanted: wanted[at] }).toBeUndefined();
  });

  test('form, conversions and the link to searchParams', async () => {
    expect(await runChecks(host(), `
      check('an argument is needed', () => { throws('TypeError', () => new URL()); throws('TypeError', () => URL.parse()); throws('TypeError', () => URL.canParse()); throws('TypeError', () => URL('http://a')); });
      check('lengths', () => equal([URL.length, URL.parse.length, URL.canParse.length, URL.name], [1, 1, 1, 'URL']));
      check('conversions', () => { equal([new URL({ toString: () => 'http://a' }).href, new URL('x', new URL('http://a/b/c')).href, URL.canParse('x', undefined), URL.parse(undefined, 'http://a/').href], ['http://a/', 'http://a/b/x', false, 'http://a/undefined']); throws('TypeError', () => new URL(Symbol())); });
      check('a conversion that throws is no invalid address', () => { const bad = { toString() { throw new RangeError('mine'); } }; for (const run of [() => URL.parse(bad), () => URL.canParse(bad), () => new URL('x', bad)]) throws('RangeError', run); });
      check('null is a base', () => equal(URL.parse('http://a', null), null));
      check('errors', () => equal([throws('TypeError', () => new URL('nope')).code, throws('TypeError', () => { new URL('http://a').href = 'nope'; }) instanceof TypeError], ['ERR_INVALID_URL', true]));
      check('read-only members', () => { 'use strict'; const u = new URL('http://a'); throws('TypeError', () => { u.origin = 'x'; }); throws('TypeError', () => { u.searchParams = 'x'; }); });
      check('text', () => { const u = new URL('http://a/b?c'); equal([String(u), u.toJSON(), JSON.stringify({ u }), u + ''], ['http://a/b?c', 'http://a/b?c', '{"u":"http://a/b?c"}', 'http://a/b?c']); });
      check('searchParams is one object', () => { const u = new URL('http://a?b=c'); equal(u.searchParams === u.searchParams, true); u.href = 'http://x?y=z'; equal(u.searchParams.get('y'), 'z'); });
      check('changes go both ways', () => { const u = new URL('http://a/?a=1'); const p = u.searchParams; p.append('b', '2 3'); equal(u.href, 'http://a/?a=1&b=2+3'); u.search = '?c=4'; equal([...p], [['c', '4']]); p.delete('c'); equal([u.href, u.search], ['http://a/', '']); u.search = ''; p.set('x', '#&'); equal(u.search, '?x=%23%26'); });
      check('a change before a setter is kept', () => { const u = new URL('http://a/?a=1#h'); u.searchParams.append('b', '2'); u.hash = 'i'; equal(u.href, 'http://a/?a=1&b=2#i'); u.searchParams.append('c', '3'); u.search = 'z'; equal(u.href, 'http://a/?z#i'); });
      check('an opaque path', () => { const u = new URL('data:space    ?test'); u.searchParams.delete('test'); equal(u.search, ''); });
      check('a query that says the same is not rewritten', () => { const u = new URL('http://a/?a=%7e&b'); equal([u.searchParams.get('a'), u.href], ['~', 'http://a/?a=%7e&b']); });
      check('ten thousand changes are quick', () => { const u = new URL('http://a/'); for (let i = 0; i < 10000; i++) u.searchParams.append('k' + i, 'v'); equal([u.searchParams.size, u.search.length, u.search.slice(-15)], [10000, 78890, 'k9998=v&k9999=v']); });
      check('brand', () => { throws('TypeError', () => Reflect.get(URL.prototype, 'href', {})); throws('TypeError', () => URL.prototype.toString.call({})); equal(Object.prototype.toString.call(new URL('http://a')), '[object URL]'); });
      check('an address beyond 1 MiB is refused', () => { equal(URL.canParse('http://a/' + 'x'.repeat(1 << 20)), false); const u = new URL('http://a/'); u.hash = 'x'.repeat((1 << 20) + 1); equal(u.href, 'http://a/'); });
    `)).toEqual({ ran: 16, failures: [] });
  });
});

describe('URLSearchParams', () => {
  test('form, construction, members', async () => {
    expect(await runChecks(host(), `
      const list = (init) => [...new URLSearchParams(init)];
      check('nothing', () => equal([list(), list(undefined), list(''), list('?')], [[], [], [], []]));
      check('null is text', () => equal(String(new URLSearchParams(null)), 'null='));
      check('strings', () => equal(list('?a=b&a=c+d&&e&=f&g=h=i&%zz=%F0%9F%92%A9&%C3'), [['a', 'b'], ['a', 'c d'], ['e', ''], ['', 'f'], ['g', 'h=i'], ['%zz', '💩'], ['\\ufffd', '']]));
      check('text beside what is no UTF-8', () => equal(list('é%ff=\ud800%ff'), [['é\ufffd', '\ufffd\ufffd']]));
      check('only one question mark is taken off', () => equal(list('??a=b'), [['?a', 'b']]));
      check('marks and nulls stay', () => equal(list('%EF%BB%BFtest=%EF%BB%BF&a%00b=c'), [['\\ufefftest', '\\ufeff'], ['a\\0b', 'c']]));
      check('sequences', () => equal([list([['a', 'b'], ['c', 'd']]), list(new Set([['x', 1]])), list(new Map([['m', null]]))], [[['a', 'b'], ['c', 'd']], [['x', '1']], [['m', 'null']]]));
      check('bad sequences', () => { for (const init of [[[1]], [[1, 2, 3]], ['ab'], [null], { [Symbol.iterator]: 1 }, [[]], [{}]]) throws('TypeError', () => new URLSearchParams(init)); });
      check('records', () => equal([list({ b: 1, a: null }), list({ __proto__: { no: 1 }, yes: 2 }), list(Object.defineProperty({}, 'h', { value: 1 })), list(() => {})], [[['b', '1'], ['a', 'null']], [['yes', '2']], [], []]));
      check('records with symbols', () => throws('TypeError', () => new URLSearchParams({ [Symbol('x')]: 1 })));
      check('lone surrogates, names that become one', () => equal([list({ 'x\\udc53': '1', 'x\\udc5c': '2', 'x\\udc65': '3' }), String(new URLSearchParams([['\\ud800', '\\udc00']]))], [[['x\\ufffd', '3']], '%EF%BF%BD=%EF%BF%BD']));
      check('another one is copied', () => { const a = new URLSearchParams('a=b'); const b = new URLSearchParams(a); a.append('c', 'd'); equal([...b], [['a', 'b']]); });
      check('an iterator of its own is asked', () => { const p = new URLSearchParams(); p[Symbol.iterator] = function* () { yield ['a', 'b']; }; equal(list(p), [['a', 'b']]); });
      check('members', () => { const p = new URLSearchParams('a=1&b=2&a=3&c=4'); equal([p.size, p.get('a'), p.get('z'), p.getAll('a'), p.getAll('z'), p.has('a', '3'), p.has('a', '4'), p.has('a', undefined), p.has('z')], [4, '1', null, ['1', '3'], [], true, false, true, false]);
        p.delete('a', '3'); equal(String(p), 'a=1&b=2&c=4'); p.delete('b', undefined); equal(String(p), 'a=1&c=4'); p.append('a', '5'); p.append('c', '6'); p.set('a', '9'); equal(String(p), 'a=9&c=4&c=6'); p.set('n', ''); equal(String(p), 'a=9&c=4&c=6&n='); });
      check('arguments are needed', () => { const p = new URLSearchParams(); for (const run of [() => p.append('a'), () => p.set('a'), () => p.get(), () => p.getAll(), () => p.has(), () => p.delete(), () => p.forEach()]) throws('TypeError', run); throws('TypeError', () => p.forEach(1)); });
      check('sort is stable and by code units', () => { const p = new URLSearchParams([['\\ufffd', '1'], ['\\u{1f308}', '2'], ['a', '3'], ['', '4'], ['a', '5'], ['\\ufffd', '6']]); p.sort(); equal([...p.values()], ['4', '3', '5', '2', '1', '6']); });
      check('serializes', () => equal(String(new URLSearchParams([["a b~!'()*-._", 'é\\n&=+%']])), 'a+b%7E%21%27%28%29*-._=%C3%A9%0A%26%3D%2B%25'));
      check('iteration is live', () => { const p = new URLSearchParams('a=1&b=2&c=3'); const seen = []; for (const [k] of p) { seen.push(k); if (k === 'a') { p.delete('b'); p.append('d', '4'); } } equal(seen, ['a', 'c', 'd']); const each = []; p.forEach(function (v, k, q) { each.push(k, v, q === p, this.x); if (each.length === 4) p.append('e', '5'); }, { x: 1 }); equal(each.length, 16); });
      check('iterators', () => { const it = new URLSearchParams('a=b').entries(); const p = Object.getPrototypeOf(it); equal([it[Symbol.iterator]() === it, p[Symbol.toStringTag], Object.keys(p), Object.getPrototypeOf(p) === Object.getPrototypeOf(Object.getPrototypeOf([].values())), it.next(), it.next()], [true, 'URLSearchParams Iterator', ['next'], true, { value: ['a', 'b'], done: false }, { value: undefined, done: true }]); throws('TypeError', () => p.next.call({})); });
      check('one function for entries and the iterator', () => equal([URLSearchParams.prototype[Symbol.iterator] === URLSearchParams.prototype.entries, URLSearchParams.prototype.entries.name], [true, 'entries']));
      check('lengths and brand', () => { equal(['append', 'delete', 'get', 'getAll', 'has', 'set', 'sort', 'forEach', 'entries', 'toString'].map((n) => URLSearchParams.prototype[n].length), [2, 1, 1, 1, 1, 2, 0, 1, 0, 0]); equal(URLSearchParams.length, 0); throws('TypeError', () => URLSearchParams()); for (const n of ['append', 'keys', 'toString', 'sort', 'forEach']) throws('TypeError', () => URLSearchParams.prototype[n].call({}, () => {}, '')); });
      check('a body of a request or response', async () => { const r = new Response(new URLSearchParams({ a: 'b c' })); equal([r.headers.get('content-type'), await r.text()], ['application/x-www-form-urlencoded;charset=UTF-8', 'a=b+c']); });
    `)).toEqual({ ran: 22, failures: [] });
  });

  test('any run of changes leaves what it leaves in Node', async () => {
    const name = fc.constantFrom('a', 'b', 'ab', '', 'é', '😀', '\ud800', 'a b', '+', '%41');
    const change = fc.oneof(
      fc.tuple(fc.constantFrom('append', 'set', 'delete', 'has'), name, name), fc.tuple(fc.constantFrom('delete', 'get', 'getAll', 'has'), name), fc.tuple(fc.constant('sort')), fc.tuple(fc.constant('toString')),
    );
    // Node takes non-ASCII text beside malformed sequences apart by itself; the standard's answer is in the checks above.
    const query = fc.array(fc.constantFrom('a', 'b', '=', '&', '+', '%20', '%', '%c3%a9', '%ff', '?', '#', '\u0000', 'x'), { maxLength: 12 }).map((parts) => parts.join(''));
    const inputs = fc.sample(fc.tuple(query, fc.array(change, { maxLength: 8 })), { numRuns: 1_500, seed: 21 });
    const run = (params: URLSearchParams, changes: readonly (readonly string[])[]): unknown => [
      ...changes.map(([member = '', ...values]) => (params as unknown as Record<string, (...values: string[]) => unknown>)[member]?.(...values) ?? null), [...params], String(params), params.size,
    ];
    const got = (await inIsolate(`input.map(([q, changes]) => { const params = new URLSearchParams(q); return [...changes.map(([member, ...values]) => params[member](...values) ?? null), [...params], String(params), params.size]; })`, inputs)) as unknown[];
    const wanted = JSON.parse(JSON.stringify(inputs.map(([q, changes]) => run(new URLSearchParams(q), changes)))) as unknown[];
    const at = got.findIndex((g, i) => JSON.stringify(g) !== JSON.stringify(wanted[i]));
    expect(at < 0 ? undefined : { input: inputs[at], got: got[at], wanted: wanted[at] }).toBeUndefined();
  });
});

test('the part is made on first touch, and a patched intrinsic changes nothing', async () => {
  const f = await host().deploy(`String.prototype.split = String.prototype.slice = String.prototype.indexOf = String.prototype.toWellFormed = Array.prototype.join = Array.prototype.sort = globalThis.decodeURIComponent = globalThis.encodeURIComponent = () => { throw new Error('patched'); };
    export default { fetch(req) { const u = new URL(req.url); u.searchParams.append('x', 'é b'); u.searchParams.sort(); return new Response(u.searchParams.get('q') + ' ' + u.search); } };`);
  expect(await host().text(f, { path: '/?q=a%20b' })).toBe('a b ?q=a+b&x=%C3%A9+b');
});
