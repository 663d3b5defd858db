// Response and bodies (Fetch standard, sections 5.3 and 5.5), as functions see them.
import { expect, test } from 'vitest';
import { expectChecks } from '../../../support/guest-checks.ts';
import { TestHost } from '../../../support/isolates-host.ts';

const host = TestHost.shared();

test('the interface', () => expectChecks(host(), `
check('members', async () => {
  for (const name of ['type', 'url', 'redirected', 'status', 'ok', 'statusText', 'headers', 'body', 'bodyUsed']) { const { enumerable, get } = Object.getOwnPropertyDescriptor(Response.prototype, name); ok(enumerable, name); throwsWith('TypeError', () => get.call({}), name); }
  for (const name of ['arrayBuffer', 'blob', 'bytes', 'formData', 'json', 'text']) { ok(Object.getOwnPropertyDescriptor(Response.prototype, name).enumerable, name); await rejectsWith('TypeError', () => Response.prototype[name].call({}), name); }
  for (const name of ['error', 'redirect', 'json']) ok(Object.getOwnPropertyDescriptor(Response, name).enumerable, name);
  eq([Response.length, Response.name, Response.json.length, Response.redirect.length, Object.prototype.toString.call(new Response())], [0, 'Response', 1, 1, '[object Response]']);
  throwsWith('TypeError', () => Response()); throwsWith('TypeError', () => Response.prototype.clone.call({}));
});
check('defaults', () => { const r = new Response(); eq([r.type, r.url, r.redirected, r.status, r.ok, r.statusText, r.body, r.bodyUsed, [...r.headers]], ['default', '', false, 200, true, '', null, false, []]); ok(r.headers === r.headers); });
`));

test('init: status, statusText, headers, null bodies', () => expectChecks(host(), `
check('status', () => {
  for (const bad of [0, 100, 101, 199, 600, 1000, -1, NaN, 'x']) throwsWith('RangeError', () => new Response('', { status: bad }), String(bad));
  for (const [given, seen] of [[200, 200], [599, 599], ['404', 404], [299.9, 299], [65_736, 200]]) eq(new Response('', { status: given }).status, seen);
  eq([new Response('', { status: 299 }).ok, new Response('', { status: 300 }).ok], [true, false]);
  for (const bad of [1, 'x', true]) throwsWith('TypeError', () => new Response('', bad)); new Response('', null);
});
check('statusText', () => {
  for (const bad of ['\\n', '\\u0100', 'a\\0', '\\u007f']) throwsWith('TypeError', () => new Response('', { statusText: bad }), show(bad));
  eq([new Response('', { statusText: 'All \\t\\u00ff' }).statusText, new Response('', { statusText: null }).statusText], ['All \\t\\u00ff', 'null']);
});
check('null body statuses', () => { for (const status of [204, 205, 304]) { eq(new Response(null, { status }).body, null); for (const body of ['', 'x', new ReadableStream(), new Uint8Array(0)]) throwsWith('TypeError', () => new Response(body, { status })); throwsWith('TypeError', () => Response.json({}, { status })); } });
check('content types', () => {
  const type = (body, headers) => new Response(body, headers && { headers }).headers.get('content-type');
  eq([type('x'), type(''), type(new Uint8Array(1)), type(new URLSearchParams('a=b')), type(new Blob(['x'], { type: 'a/b' })), type(new ReadableStream()), type(null)], ['text/plain;charset=UTF-8', 'text/plain;charset=UTF-8', null, 'application/x-www-form-urlencoded;charset=UTF-8', 'a/b', null, null]);
  eq([type('x', { 'content-type': 'my/own' }), type('x', { other: '1' }), type('x', [['Content-Type', '']])], ['my/own', 'text/plain;charset=UTF-8', '']);
});
check('order of conversions', () => {
  const log = []; const init = { get statusText() { log.push('statusText'); return ''; }, get headers() { log.push('headers'); return {}; }, get status() { log.push('status'); return 200; } };
  new Response('', init); eq(log, ['headers', 'status', 'statusText']);
});
`));

test('json, redirect, error', () => expectChecks(host(), `
check('json', async () => {
  const r = Response.json({ a: [1, null] }); eq([r.status, r.type, r.headers.get('content-type'), await r.text()], [200, 'default', 'application/json', '{"a":[1,null]}']);
  eq([Response.json(1, { headers: { 'content-type': 'x/y' } }).headers.get('content-type'), Response.json(1, { headers: { a: 'b' } }).headers.get('content-type'), Response.json(null, { status: 404, statusText: 'no' }).status], ['x/y', 'application/json', 404]);
  for (const bad of [undefined, Symbol('x'), () => {}]) throwsWith('TypeError', () => Response.json(bad)); throwsWith('TypeError', () => Response.json()); throwsWith('TypeError', () => { const a = {}; a.a = a; Response.json(a); });
  throwsWith('Error', () => Response.json({ get a() { throw new Error('mine'); } })); throwsWith('RangeError', () => Response.json(1, { status: 100 }));
  eq(await Response.json('\\ud800').json(), '\\ud800');
});
check('redirect', () => {
  const r = Response.redirect('https://A.test/x y'); eq([r.status, r.headers.get('location'), r.type, r.ok, r.body], [302, 'https://a.test/x%20y', 'default', false, null]);
  for (const status of [301, 302, 303, 307, 308]) eq(Response.redirect('https://a.test/', status).status, status);
  for (const status of [200, 300, 304, 309, 400]) throwsWith('RangeError', () => Response.redirect('https://a.test/', status)); for (const url of ['', '/a', 'http://']) throwsWith('TypeError', () => Response.redirect(url)); throwsWith('TypeError', () => Response.redirect());
});
check('error', () => { const r = Response.error(); eq([r.type, r.status, r.ok, r.url, r.body, [...r.headers]], ['error', 0, false, '', null, []]); eq(r.clone().type, 'error'); });
`));

test('every kind of body reads back in every way', () => expectChecks(host(), `
const bodies = {
  text: () => 'h\\u00e4\\ud83d\\ude00', bytes: () => utf8('h\\u00e4\\ud83d\\ude00'), view: () => new DataView(utf8('xh\\u00e4\\ud83d\\ude00').buffer, 1), buffer: () => utf8('h\\u00e4\\ud83d\\ude00').buffer,
  blob: () => new Blob(['h\\u00e4', utf8('\\ud83d\\ude00')]), stream: () => new ReadableStream({ start(c) { const all = utf8('h\\u00e4\\ud83d\\ude00'); c.enqueue(all.subarray(0, 2)); c.enqueue(all.subarray(2)); c.close(); } }),
  byteStream: () => new ReadableStream({ type: 'bytes', start(c) { c.enqueue(utf8('h\\u00e4\\ud83d\\ude00')); c.close(); } }), cloned: () => new Response('h\\u00e4\\ud83d\\ude00').clone().body, untouched: () => new Response(utf8('h\\u00e4\\ud83d\\ude00')).body,
};
for (const [kind, make] of Object.entries(bodies)) check(kind, async () => {
  eq(await new Response(make()).text(), 'h\\u00e4\\ud83d\\ude00');
  eq((await new Response(make()).arrayBuffer()).byteLength, 7);
  const bytes = await new Response(make()).bytes(); ok(bytes.constructor === Uint8Array); eq(bytes, utf8('h\\u00e4\\ud83d\\ude00'));
  const blob = await new Response(make(), { headers: { 'content-type': 'Text/Plain ; Charset=UTF-8;x="a b"' } }).blob(); eq([blob.size, blob.type], [7, 'text/plain;charset=utf-8;x="a b"']);
  eq(await readAll(new Response(make()).body), utf8('h\\u00e4\\ud83d\\ude00'));
  const touched = new Response(make()); ok(touched.body instanceof ReadableStream); eq(await touched.text(), 'h\\u00e4\\ud83d\\ude00'); eq([touched.bodyUsed, touched.body.locked], [true, true]);
  const twice = new Response(make()); const copy = twice.clone(); eq([await copy.text(), await twice.text()], ['h\\u00e4\\ud83d\\ude00', 'h\\u00e4\\ud83d\\ude00']);
  const reader = new Response(make()); await reader.text(); for (const how of ['text', 'json', 'bytes', 'arrayBuffer', 'blob', 'formData']) await rejectsWith('TypeError', () => reader[how](), how);
  throwsWith('TypeError', () => reader.clone()); ok(reader.bodyUsed);
});
check('a copy was made', async () => { const bytes = utf8('abc'); const r = new Response(bytes); bytes[0] = 0; eq(await r.text(), 'abc'); const first = await new Response('x').clone().bytes(); first[0] = 0; });
check('byte order marks and lone surrogates', async () => { eq([await new Response('\\ufeffa').text(), await new Response('\\ufeff\\ufeffa').text(), await new Response('\\ud800').text(), await new Response('\\ufeff1').json()], ['a', '\\ufeffa', '\\ufffd', 1]); eq(await new Response(new Uint8Array([0xef, 0xbb, 0xbf, 97, 255])).text(), 'a\\ufffd'); });
check('empty bodies', async () => { for (const body of ['', new Uint8Array(0), new Blob([]), new URLSearchParams()]) { const r = new Response(body); ok(r.body !== null); eq(await readAll(r.body), []); ok(r.bodyUsed); eq(await new Response(body).text(), ''); } await rejectsWith('SyntaxError', () => new Response('').json()); });
`));

test('streams as bodies: locks, disturbance, errors, wrong chunks', () => expectChecks(host(), `
check('locked', async () => { const r = new Response('abc'); const reader = r.body.getReader(); eq(r.bodyUsed, false); await rejectsWith('TypeError', () => r.text()); throwsWith('TypeError', () => r.clone()); reader.releaseLock(); eq(await r.text(), 'abc'); });
check('read', async () => { const r = new Response('abc'); const reader = r.body.getReader(); await reader.read(); reader.releaseLock(); ok(r.bodyUsed); await rejectsWith('TypeError', () => r.text()); throwsWith('TypeError', () => new Response(r.body)); });
check('cancelled', async () => { const r = new Response('abc'); await r.body.cancel(); ok(r.bodyUsed); await rejectsWith('TypeError', () => r.text()); });
check('of a stream: used is disturbed', async () => { const s = new ReadableStream({ start(c) { c.enqueue(utf8('a')); c.close(); } }); const r = new Response(s); ok(r.body === s); eq(r.bodyUsed, false); const reader = s.getReader(); eq(r.bodyUsed, false); await reader.read(); ok(r.bodyUsed); });
check('reading before asking for the stream', async () => { const r = new Response('abc'); await r.text(); ok(r.body.locked); throwsWith('TypeError', () => r.body.getReader()); });
check('errors', async () => { const boom = new RangeError('boom'); await rejectsWith('RangeError', () => new Response(new ReadableStream({ start(c) { c.error(boom); } })).text()); await rejectsWith('RangeError', () => new Response(new ReadableStream({ pull() { throw boom; } })).blob()); });
check('chunks that are no bytes', async () => { for (const chunk of ['text', 1, {}, null, undefined, new ArrayBuffer(1), new Uint16Array(1)]) await rejectsWith('TypeError', () => new Response(new ReadableStream({ start(c) { c.enqueue(chunk); c.close(); } })).text()); });
check('clone copies chunks', async () => {
  const chunk = new Uint8Array([1, 2]); const r = new Response(new ReadableStream({ start(c) { c.enqueue(chunk); c.close(); } })); const copy = r.clone();
  const mine = (await r.body.getReader().read()).value; const theirs = (await copy.body.getReader().read()).value; eq(theirs, [1, 2]); ok(mine.buffer !== theirs.buffer);
});
check('clone: the other branch outlives a cancel', async () => { const r = new Response(new ReadableStream({ start(c) { c.enqueue(utf8('ab')); c.close(); } })); const copy = r.clone(); const cancelled = r.body.cancel(); eq(await copy.text(), 'ab'); await cancelled; });
check('BYOB', async () => { for (const body of ['abc', new Blob(['abc']), utf8('abc')]) { const reader = new Response(body).body.getReader({ mode: 'byob' }); eq((await reader.read(new Uint8Array(2))).value, [97, 98]); eq((await reader.read(new Uint8Array(2))).value, [99]); const end = await reader.read(new Uint8Array(2)); ok(end.done); eq(end.value, []); } });
`));

test('the type of a Blob: MIME types of headers', () => expectChecks(host(), `
for (const [header, type] of [['', ''], ['text', ''], ['text/', ''], ['/html', ''], ['a/b', 'a/b'], [' A/B ;', 'a/b'], ['a/b;c', 'a/b'], ['a/b;c=', 'a/b'], ['a/b;c=d;C=e', 'a/b;c=d'], ['a/b;c="d\\\\"e"', 'a/b;c="d\\\\"e"'], ['a/b;c="d', 'a/b;c=d'], ['a/b;x="";y=1', 'a/b;x="";y=1'],
  ['a/b, c/d', 'c/d'], ['a/b;charset=x, a/b', 'a/b;charset=x'], ['a/b;charset=x, c/d', 'c/d'], ['a/b, */*', 'a/b'], ['a/b, nonsense', 'a/b'], ['a/b;x=",", c/d', 'c/d'], ['a/b;x=\\u00e9', '']])
  check(show(header), async () => eq((await new Response('', { headers: { 'content-type': header } }).blob()).type, type));
check('set later', async () => { const r = new Response(''); r.headers.set('content-type', 'test/test'); eq((await r.blob()).type, 'test/test'); const q = new Request('https://a.test/', { headers: { 'content-type': 'a/b' } }); q.headers.set('content-type', 'c/d'); eq((await q.blob()).type, 'c/d'); });
`));

test('large bodies of every kind leave in pieces, whole and in order', async () => {
  const f = await host().deploy(`
const part = (n) => { const bytes = new Uint8Array(700_000); for (let i = 0; i < bytes.length; i++) bytes[i] = (i * 7 + n) & 255; return bytes; };
export default { async fetch(request) {
  const parts = [part(1), part(2), part(3)];
  switch (new URL(request.url).pathname) {
    case '/blob': return new Response(new Blob(parts));
    case '/slice': return new Response(new Blob(['xx', ...parts]).slice(2));
    case '/bytes': return new Response(await new Blob(parts).bytes());
    case '/clone': { const r = new Response(new Blob(parts)); const c = r.clone(); await r.arrayBuffer(); return c; }
    case '/small': return new Response(new Blob(['small ', 'Blob']));
  }
} };`, { cpuMs: 2_000 });
  const expected = Buffer.concat([1, 2, 3].map((n) => Buffer.from(Array.from({ length: 700_000 }, (_, i) => (i * 7 + n) & 255))));
  for (const path of ['/blob', '/slice', '/bytes', '/clone']) expect([path, (await host().call(f, { path })).body.equals(expected)]).toEqual([path, true]);
  expect(await host().text(f, { path: '/small' })).toBe('small Blob');
});
