// Request (Fetch standard, section 5.4), as functions see it.
import { test } from 'vitest';
import { expectChecks } from '../../../support/guest-checks.ts';
import { TestHost } from '../../../support/isolates-host.ts';

const host = TestHost.shared();

test('the interface, and what a request from outside shows', () => expectChecks(host(), `
check('members', (request) => {
  const getters = ['method', 'url', 'headers', 'destination', 'referrer', 'referrerPolicy', 'mode', 'credentials', 'cache', 'redirect', 'integrity', 'keepalive', 'isReloadNavigation', 'isHistoryNavigation', 'signal', 'duplex', 'body', 'bodyUsed'];
  for (const name of getters) {
    const { enumerable, get, set } = Object.getOwnPropertyDescriptor(Request.prototype, name);
    eq([name, enumerable, set], [name, true, undefined]);
    throwsWith('TypeError', () => get.call({}), name);
  }
  for (const name of ['clone', 'arrayBuffer', 'blob', 'bytes', 'formData', 'json', 'text']) ok(Object.getOwnPropertyDescriptor(Request.prototype, name).enumerable, name);
  eq([Request.length, Request.name, Object.prototype.toString.call(request), request instanceof Request], [1, 'Request', '[object Request]', true]);
});
check('promises, not throws, on what is no Request', async () => { for (const name of ['arrayBuffer', 'blob', 'bytes', 'formData', 'json', 'text']) await rejectsWith('TypeError', () => Request.prototype[name].call({}), name); });
check('defaults', (request) => {
  for (const r of [request, new Request('https://a.test/')]) eq([r.destination, r.referrer, r.referrerPolicy, r.mode, r.credentials, r.cache, r.redirect, r.integrity, r.keepalive, r.isReloadNavigation, r.isHistoryNavigation, r.duplex],
    ['', 'about:client', '', 'cors', 'same-origin', 'default', 'follow', '', false, false, false, 'half']);
  eq([request.method, request.url, request.bodyUsed], ['POST', 'http://f.localhost/x?y=1', false]);
  ok(request.headers === request.headers); ok(request.signal === request.signal); ok(request.signal instanceof AbortSignal); eq(request.signal.aborted, false);
});
`, {}, { method: 'POST', path: '/x?y=1', body: 'abc' }));

test('input and init: conversions and refusals', () => expectChecks(host(), `
const U = 'https://a.test/';
check('address', () => {
  throwsWith('TypeError', () => new Request()); throwsWith('TypeError', () => Request(U));
  for (const bad of ['', '/relative', 'http://', 'http://user@a.test/', 'http://user:pass@a.test/', 'http://:pass@a.test/']) throwsWith('TypeError', () => new Request(bad), bad);
  eq(new Request('HTTPS://A.test/b/../c#frag').url, 'https://a.test/c#frag');
  eq(new Request(new URL(U)).url, U); eq(new Request({ toString: () => U }).url, U);
  throwsWith('TypeError', () => new Request(Symbol('x')));
});
check('init must be an object', () => { for (const bad of [1, 'x', true]) throwsWith('TypeError', () => new Request(U, bad)); for (const good of [undefined, null, {}, () => {}]) eq(new Request(U, good).method, 'GET'); });
check('method', () => {
  for (const [given, seen] of [['get', 'GET'], ['Post', 'POST'], ['put', 'PUT'], ['dElete', 'DELETE'], ['head', 'HEAD'], ['options', 'OPTIONS'], ['patch', 'patch'], ['PATCH', 'PATCH'], ['chicken', 'chicken'], [undefined, 'GET']]) eq(new Request(U, { method: given }).method, seen);
  for (const bad of ['', 'a b', 'TRACE', 'trace', 'Track', 'CONNECT', 'ä', 'GET\\n', null + ' x']) throwsWith('TypeError', () => new Request(U, { method: bad }), bad);
});
check('enumerations', () => {
  const good = { cache: ['default', 'no-store', 'reload', 'no-cache', 'force-cache'], credentials: ['omit', 'same-origin', 'include'], mode: ['same-origin', 'no-cors', 'cors'], redirect: ['follow', 'error', 'manual'],
    referrerPolicy: ['', 'no-referrer', 'no-referrer-when-downgrade', 'same-origin', 'origin', 'strict-origin', 'origin-when-cross-origin', 'strict-origin-when-cross-origin', 'unsafe-url'] };
  for (const [name, values] of Object.entries(good)) { for (const value of values) eq(new Request(U, { [name]: value })[name], value); throwsWith('TypeError', () => new Request(U, { [name]: 'other' }), name); throwsWith('TypeError', () => new Request(U, { [name]: null }), name); }
  throwsWith('TypeError', () => new Request(U, { mode: 'navigate' }));
  throwsWith('TypeError', () => new Request(U, { cache: 'only-if-cached' }));
  eq(new Request(U, { cache: 'only-if-cached', mode: 'same-origin' }).cache, 'only-if-cached');
  for (const priority of ['high', 'low', 'auto']) new Request(U, { priority });
  throwsWith('TypeError', () => new Request(U, { priority: 'x' }));
  throwsWith('TypeError', () => new Request(U, { duplex: 'full' }));
  throwsWith('TypeError', () => new Request(U, { window: {} })); new Request(U, { window: null });
});
check('others', () => {
  eq([new Request(U, { integrity: 'sha256-x' }).integrity, new Request(U, { keepalive: 1 }).keepalive], ['sha256-x', true]);
  eq([new Request(U, { referrer: '' }).referrer, new Request(U, { referrer: 'about:client' }).referrer, new Request(U, { referrer: 'https://b.test/x' }).referrer], ['', 'about:client', 'about:client']);
  throwsWith('TypeError', () => new Request(U, { referrer: 'http://' }));
});
check('signal', () => {
  for (const bad of [{}, 'x', 1, new AbortController()]) throwsWith('TypeError', () => new Request(U, { signal: bad }));
  const c = new AbortController(); const r = new Request(U, { signal: c.signal });
  ok(r.signal !== c.signal); c.abort('why'); eq([r.signal.aborted, r.signal.reason], [true, 'why']);
  eq(new Request(U, { signal: AbortSignal.abort('gone') }).signal.reason, 'gone');
  const late = new Request(U, { signal: c.signal }); eq(late.signal.reason, 'why');
  eq(new Request(r, { signal: null }).signal.aborted, false); eq(new Request(r).signal.aborted, true); eq(r.clone().signal.reason, 'why');
});
check('body and method', () => {
  for (const method of ['GET', 'HEAD']) throwsWith('TypeError', () => new Request(U, { method, body: 'x' }));
  const post = new Request(U, { method: 'POST', body: 'x' });
  throwsWith('TypeError', () => new Request(post, { method: 'GET' }));
  eq(post.bodyUsed, false);
  new Request(U, { method: 'GET', body: null }); new Request(U, { method: 'GET', body: undefined });
  throwsWith('TypeError', () => new Request(U, { method: 'POST', keepalive: true, body: new ReadableStream() }));
});
check('content types', () => {
  const type = (body, headers) => new Request(U, { method: 'POST', body, ...(headers && { headers }) }).headers.get('content-type');
  eq([type('x'), type(new Uint8Array(1)), type(new ArrayBuffer(1)), type(new URLSearchParams('a=b')), type(new Blob(['x'])), type(new Blob(['x'], { type: 'A/b' })), type(new ReadableStream())],
    ['text/plain;charset=UTF-8', null, null, 'application/x-www-form-urlencoded;charset=UTF-8', null, 'a/b', null]);
  eq([type('x', { 'Content-Type': 'my/own' }), type(1.5), type({}), type([1, 2])], ['my/own', 'text/plain;charset=UTF-8', 'text/plain;charset=UTF-8', 'text/plain;charset=UTF-8']);
  ok(/^multipart\\/form-data; boundary=/.test(type(new FormData())));
});
check('values that are no known body are text', async () => { for (const [body, text] of [[1.5, '1.5'], [{}, '[object Object]'], [[1, 2], '1,2'], [new Date(0), String(new Date(0))], [(async function* () {})(), '[object AsyncGenerator]'], [new Set(), '[object Set]']]) eq(await new Request(U, { method: 'POST', body }).text(), text); });
`));

test('requests of requests: what is copied, what moves on', () => expectChecks(host(), `
const U = 'https://a.test/';
check('members are copied', () => {
  const a = new Request(U, { method: 'PUT', headers: { x: '1' }, redirect: 'error', cache: 'reload', credentials: 'omit', mode: 'same-origin', integrity: 'sha256-x', keepalive: true, referrerPolicy: 'origin', referrer: '' });
  const same = new Request(a);
  eq([same.method, same.headers.get('x'), same.redirect, same.cache, same.credentials, same.mode, same.integrity, same.keepalive, same.referrerPolicy, same.referrer], ['PUT', '1', 'error', 'reload', 'omit', 'same-origin', 'sha256-x', true, 'origin', '']);
  const changed = new Request(a, { cache: 'no-store' });
  eq([changed.cache, changed.redirect, changed.referrerPolicy, changed.referrer, changed.headers.get('x')], ['no-store', 'error', '', 'about:client', '1']);
  eq([...new Request(a, { headers: { y: '2' } }).headers], [['y', '2']]);
});
check('the body moves', async () => {
  const a = new Request(U, { method: 'POST', body: 'abc' });
  const b = new Request(a);
  eq([a.bodyUsed, b.bodyUsed], [true, false]); eq(await b.text(), 'abc'); await rejectsWith('TypeError', () => a.text()); throwsWith('TypeError', () => new Request(a)); throwsWith('TypeError', () => a.clone());
  eq(await new Request(a, { body: 'new' }).text(), 'new');
});
check('a stream moves', async () => {
  const stream = new ReadableStream({ start(c) { c.enqueue(utf8('abc')); c.close(); } });
  const a = new Request(U, { method: 'POST', body: stream, duplex: 'half' });
  ok(a.body === stream);
  const b = new Request(a); eq([a.bodyUsed, stream.locked], [true, true]); eq(await b.text(), 'abc');
});
check('streams that were touched are refused', async () => {
  const locked = new ReadableStream(); locked.getReader(); throwsWith('TypeError', () => new Request(U, { method: 'POST', body: locked, duplex: 'half' }));
  const read = new ReadableStream({ pull: (c) => c.enqueue(new Uint8Array(1)) }); const reader = read.getReader(); await reader.read(); reader.releaseLock();
  throwsWith('TypeError', () => new Request(U, { method: 'POST', body: read, duplex: 'half' }));
  const a = new Request(U, { method: 'POST', body: 'x' }); a.body.getReader(); throwsWith('TypeError', () => new Request(a)); new Request(a, { body: 'y' });
});
check('clone', async () => {
  const a = new Request(U, { method: 'POST', body: 'abc', headers: { x: '1' } });
  const b = a.clone(); b.headers.set('x', '2');
  eq([a.headers.get('x'), await a.text(), await b.text()], ['1', 'abc', 'abc']); ok(b.url === a.url);
  throwsWith('TypeError', () => a.clone());
});
`));

test('the body of a request from outside, in every form', async () => {
  const read = (how: string): string => `check('${how}', async (request) => {
    const value = await request.${how}();
    eq(request.bodyUsed, true);
    await rejectsWith('TypeError', () => request.text());
    ${({
      text: "eq(value, '{\"a\":\"\\u00e4\"}');", json: "eq(value, { a: '\\u00e4' });", bytes: 'ok(value instanceof Uint8Array); eq(value.length, 10);', arrayBuffer: 'ok(value instanceof ArrayBuffer); eq(value.byteLength, 10);',
      blob: "ok(value instanceof Blob); eq([value.size, value.type, await value.text()], [10, 'application/json', '{\"a\":\"\\u00e4\"}']);",
    } as Record<string, string>)[how] ?? ''} });`;
  for (const how of ['text', 'json', 'bytes', 'arrayBuffer', 'blob']) {
    await expectChecks(host(), read(how), {}, { body: '{"a":"ä"}', headers: { 'content-type': 'application/json' } });
    await expectChecks(host(), read(how), {}, { stream: [Buffer.from('{"a":"ä'), Buffer.from('"}')], headers: { 'content-type': 'application/json' } });
  }
  await expectChecks(host(), `
check('as a stream, and the same object through a Response', async (request) => {
  const { body } = request; ok(body === request.body); ok(body instanceof ReadableStream);
  const response = new Response(body); ok(response.body === body);
  eq([request.bodyUsed, response.bodyUsed, body.locked], [false, false, false]);
  eq(await response.text(), 'abc'); eq([request.bodyUsed, body.locked], [true, true]);
  await rejectsWith('TypeError', () => request.text());
});`, {}, { body: 'abc' });
  await expectChecks(host(), `
check('clone of a streamed body', async (request) => { const copy = request.clone(); eq([await request.text(), await copy.text()], ['abcdef', 'abcdef']); });`, {}, { stream: [Buffer.from('abc'), Buffer.from('def')] });
  await expectChecks(host(), `
check('BYOB reads', async (request) => { const reader = request.body.getReader({ mode: 'byob' }); const { value } = await reader.read(new Uint8Array(2)); eq(value, [97, 98]); eq((await reader.read(new Uint8Array(9))).value, [99]); ok((await reader.read(new Uint8Array(1))).done); });
check('no body', async () => { const r = new Request('https://a.test/'); eq([r.body, r.bodyUsed, await r.text(), r.bodyUsed], [null, false, '', false]); eq((await r.arrayBuffer()).byteLength, 0); eq(await r.text(), ''); eq((await r.blob()).type, ''); await rejectsWith('SyntaxError', () => r.json()); await rejectsWith('TypeError', () => r.formData()); });`, {}, { body: 'abc' });
});
