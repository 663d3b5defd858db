// The in-isolate platform as functions see it: each case is a function body whose JSON result is compared.
import { describe, expect, test } from 'vitest';
import { TestHost } from '../../support/isolates-host.ts';

const host = TestHost.shared();

async function inside(body: string, options: { path?: string; headers?: Record<string, string>; body?: string } = {}): Promise<unknown> {
  const f = await host().deploy(`const thrown = (run) => { try { run(); return null; } catch (e) { return e.name; } };
    const rejected = async (run) => { try { await run(); return null; } catch (e) { return e.name; } };
    export default { async fetch(req, env, ctx) { return Response.json(await (async () => { ${body} })() ?? null); } };`, { debug: true, cpuMs: 1_000 });
  const answer = await host().call(f, options);
  if (answer.code !== null) throw new Error(`${answer.code}: ${answer.detail}`);
  return JSON.parse(answer.body.toString());
}

describe('Request', () => {
  test('shows method, URL and headers of the caller', async () => {
    expect(await inside(`return [req.method, req.url, req.headers.get('X-Mine'), req.headers.has('nope'), req.headers.get('nope'), req instanceof Request];`, { path: '/a?b=c', headers: { 'x-mine': 'v' } }))
      .toEqual(['GET', 'http://f.localhost/a?b=c', 'v', false, null, true]);
  });
  test('has immutable headers when it came from outside', async () => {
    expect(await inside(`return thrown(() => req.headers.set('a', 'b'));`)).toBe('TypeError');
  });
  test('is made from a URL or another Request', async () => {
    expect(await inside(`const a = new Request('http://x.test/p', { method: 'post', body: 'x', headers: { A: '1' } }); const b = new Request(a, { headers: { b: '2' } });
      return [a.method, a.headers.get('a'), a.headers.get('content-type'), b.method, b.url, b.headers.get('a'), await b.text(), a.bodyUsed];`))
      .toEqual(['POST', '1', 'text/plain;charset=UTF-8', 'POST', 'http://x.test/p', null, 'x', true]);
  });
  test.each([
    `new Request('http://x.test', { method: 'TRACE' })`, `new Request('http://x.test', { method: 'a b' })`, `new Request('http://x.test', { body: 'x' })`, `new Request('nonsense')`,
    `new Request('http://u:p@x.test')`, `new Request('http://x.test', { redirect: 'never' })`, `new Request()`,
  ])('%s throws', async (code) => {
    expect(await inside(`return thrown(() => ${code});`)).toBe('TypeError');
  });
});

describe('Response', () => {
  test('defaults, json, redirect, error', async () => {
    expect(await inside(`const r = new Response(); const j = Response.json({ a: 1 }, { status: 201, headers: { 'content-type': 'x/y' } }); const d = Response.redirect('http://x.test/a', 307);
      return [r.status, r.ok, r.body, r.statusText, j.status, j.headers.get('content-type'), await j.json(), d.status, d.headers.get('location'), Response.error().type];`))
      .toEqual([200, true, null, '', 201, 'x/y', { a: 1 }, 307, 'http://x.test/a', 'error']);
  });
  test.each([
    [`new Response('x', { status: 99 })`, 'RangeError'], [`new Response('x', { status: 600 })`, 'RangeError'], [`new Response('x', { status: 204 })`, 'TypeError'],
    [`new Response('x', { statusText: 'a\\nb' })`, 'TypeError'], [`Response.redirect('http://x.test', 200)`, 'RangeError'], [`Response.json(undefined)`, 'TypeError'],
    [`new Response('x', { headers: { 'a b': 'c' } })`, 'TypeError'], [`new Response('x', { headers: { a: 'b\\r\\nc: d' } })`, 'TypeError'], [`new Response('x', { headers: { a: '\\u0100' } })`, 'TypeError'],
  ])('%s throws %s', async (code, name) => {
    expect(await inside(`return thrown(() => ${code});`)).toBe(name);
  });
  test('clone reads twice, a body reads once', async () => {
    expect(await inside(`const r = new Response('ab'); const c = r.clone(); const twice = await r.text() + await c.text(); return [twice, r.bodyUsed, await rejected(() => r.text())];`)).toEqual(['abab', true, 'TypeError']);
  });
  test('reads in each form', async () => {
    expect(await inside(`return [await new Response('x').text(), (await new Response('é').bytes()).length, (await new Response(new Uint8Array([1, 2])).arrayBuffer()).byteLength,
      await new Response(new URLSearchParams({ a: 'b c' })).text(), await new Response(new Uint8Array([0xef, 0xbb, 0xbf, 65])).text()];`)).toEqual(['x', 2, 2, 'a=b+c', 'A']);
  });
});

describe('Headers', () => {
  test('combine, sort, keep cookies apart', async () => {
    expect(await inside(`const h = new Headers([['b', '2'], ['A', '1']]); h.append('a', ' 3 '); h.append('set-cookie', 'x=1'); h.append('Set-Cookie', 'y=2'); const before = [...h];
      h.delete('b'); h.set('a', '9'); return [before, h.getSetCookie(), [...h.keys()], h.get('set-cookie'), new Headers(h).get('a')];`))
      .toEqual([[['a', '1, 3'], ['b', '2'], ['set-cookie', 'x=1'], ['set-cookie', 'y=2']], ['x=1', 'y=2'], ['a', 'set-cookie', 'set-cookie'], 'x=1, y=2', '9']);
  });
});

describe('URL', () => {
  const ADDRESSES = [
    'http://a.test/', 'http://a.test', 'http://a.test:80/', 'http://a.test:8080/x', 'https://a.test:443/x?y#z', 'HTTP://A.test/../b', 'http://a.test/a/./b/../c', 'http://a.test/%2e%2e/b', 'http://a.test/a b',
    'http://1.2.3/', 'http://0x7f.1/', 'http://a.test?x', 'http://a.test/?', 'http://ü.test/', 'http://xn--a.test/', 'http://user:pw@a.test/', 'http://a..test/', 'http://-a.test/', 'http://a.test/p;x=1,2/q@r',
    'http://a.test//b', 'http://a.test/.b', 'http://a.test/b.', "http://a.test/?a='b'", 'http://a.test/?%zz', 'file:///etc', 'data:text/plain,x', 'http://[::1]:80/', 'http://a.test:99999/', 'http://a.test:00080/',
    'nonsense', '', 'http://', 'http://a.1/', 'http://a.test/x?y=%20z', 'http://a.test/~x/!$&()*+,;=:@-_', 'http://a_b.test/',
    'http://127.0.0.1:8080/x', 'http://127.0.0.1/', 'http://127.0.0.01/', 'http://256.0.0.1/', 'http://1.2.3.4.5/', 'http://1.2.3.4.a/', 'http://1.2.3.4x/', 'http://1.2.3.4./', 'http://0.0.0.0:80/', 'http://a.test:65535/', 'http://a.test:65536/', 'http://a.test:18090/x?y',
  ];
  test('every component is what the standard says, near and far from the fast path', async () => {
    const keys = ['href', 'origin', 'protocol', 'username', 'password', 'host', 'hostname', 'port', 'pathname', 'search', 'hash'] as const;
    const expected = ADDRESSES.map((address) => (URL.canParse(address) ? keys.map((key) => new URL(address)[key]) : null));
    const got = await inside(`return ${JSON.stringify(ADDRESSES)}.map((a) => URL.canParse(a) ? ${JSON.stringify(keys)}.map((k) => new URL(a)[k]) : null);`);
    expect(got).toEqual(expected);
  });
  test('setters and searchParams stay together', async () => {
    expect(await inside(`const u = new URL('/a?x=1', 'http://h.test'); u.searchParams.append('y', 'é &'); u.pathname = '/b c'; u.port = '81'; const one = u.href; u.search = '?z=3';
      return [one, u.searchParams.get('z'), String(u.searchParams), u.searchParams.size, JSON.stringify(u)];`))
      .toEqual(['http://h.test:81/b%20c?x=1&y=%C3%A9+%26', '3', 'z=3', 1, '"http://h.test:81/b%20c?z=3"']);
  });
  test('search parameters parse and print as forms do', async () => {
    const texts = ['a=b&a=c', '?x', '=y', '&&', 'a=%F0%9F%98%80+%', 'a=%ff', 'a=b=c', '%3d=%26', 'q=a+b%2Bc', "k=!'()~*-._"];
    const expected = texts.map((t) => [...new URLSearchParams(t), new URLSearchParams(t).toString()]);
    expect(await inside(`return ${JSON.stringify(texts)}.map((t) => [...new URLSearchParams(t), new URLSearchParams(t).toString()]);`)).toEqual(expected);
  });
  test('a hostile URL costs no time in the fast path', async () => {
    expect(await inside(`const t = Date.now(); URL.canParse('http://a.test/' + 'a'.repeat(100_000) + '"'); URL.canParse('http://' + 'a-'.repeat(20_000) + '/'); return Date.now() - t < 200;`)).toBe(true);
  });
});

describe('encoding', () => {
  test('UTF-8 both ways, streams, fatal, marks', async () => {
    expect(await inside(`const e = new TextEncoder(); const d = new TextDecoder(); const s = 'aé€😀' + 'x'.repeat(100);
      const stream = new TextDecoder(); const parts = [0xf0, 0x9f, 0x98, 0x80].map((b) => stream.decode(new Uint8Array([b]), { stream: true })).join('');
      return [d.decode(e.encode(s)) === s, [...e.encode('\\ud800')], parts, thrown(() => new TextDecoder('utf-8', { fatal: true }).decode(new Uint8Array([255]))), d.decode(new Uint8Array([255])),
        d.decode(new Uint8Array([0xef, 0xbb, 0xbf, 65])), new TextDecoder('utf-8', { ignoreBOM: true }).decode(new Uint8Array([0xef, 0xbb, 0xbf, 65])).length, new TextDecoder('utf-16le').decode(new Uint8Array([65, 0])),
        thrown(() => new TextDecoder('nope')), e.encodeInto('é€', new Uint8Array(4))];`))
      .toEqual([true, [239, 191, 189], '😀', 'TypeError', '\ufffd', 'A', 2, 'A', 'RangeError', { read: 1, written: 2 }]);
  });
  test('base64', async () => {
    expect(await inside(`return [btoa('hällo'), atob(' aGk '), atob('aGk='), thrown(() => atob('a')), thrown(() => atob('!!!!')), thrown(() => btoa('€')), btoa(''), atob('')];`))
      .toEqual([btoa('hällo'), 'hi', 'hi', 'InvalidCharacterError', 'InvalidCharacterError', 'InvalidCharacterError', '', '']);
  });
});

describe('events and aborts', () => {
  test('listeners, once, order, removal, stop', async () => {
    expect(await inside(`const t = new EventTarget(); const seen = []; const f = () => seen.push('f'); t.addEventListener('x', f); t.addEventListener('x', f); t.addEventListener('x', () => seen.push('once'), { once: true });
      t.addEventListener('x', { handleEvent(e) { seen.push(e.type + (this !== undefined)); } }); t.dispatchEvent(new Event('x')); t.removeEventListener('x', f); t.dispatchEvent(new Event('x'));
      const e = new Event('c', { cancelable: true }); t.addEventListener('c', (ev) => ev.preventDefault()); return [seen, t.dispatchEvent(e), e.defaultPrevented];`))
      .toEqual([['f', 'once', 'xtrue', 'xtrue'], false, true]);
  });
  test('signals: abort, reason, any, timeout, listeners', async () => {
    expect(await inside(`const c = new AbortController(); const seen = []; c.signal.onabort = () => seen.push('on'); c.signal.addEventListener('abort', () => seen.push('l')); const any = AbortSignal.any([new AbortController().signal, c.signal]);
      c.abort(); c.abort(); const t = AbortSignal.timeout(5); await new Promise((r) => t.addEventListener('abort', r));
      return [seen, c.signal.aborted, c.signal.reason.name, any.aborted, t.reason.name, AbortSignal.abort('why').reason, thrown(() => c.signal.throwIfAborted()), thrown(() => new AbortSignal())];`))
      .toEqual([['on', 'l'], true, 'AbortError', true, 'TimeoutError', 'why', 'AbortError', 'TypeError']);
  });
});

describe('timers, microtasks, clones, crypto, console', () => {
  test('timers run in order, intervals repeat, clears hold', async () => {
    expect(await inside(`const seen = []; setTimeout(() => seen.push('never'), 5); const gone = setTimeout(() => seen.push('gone'), 1); clearTimeout(gone); setTimeout((a, b) => seen.push(a + b), 1, 'a', 'b'); queueMicrotask(() => seen.push('micro'));
      let n = 0; await new Promise((r) => { const i = setInterval(() => { if (++n === 3) { clearInterval(i); r(); } }, 1); }); seen.push('sync'); await new Promise((r) => setTimeout(r, 10)); return [seen.includes('gone'), seen[0], seen.includes('ab'), n, thrown(() => setTimeout('x'))];`))
      .toEqual([false, 'micro', true, 3, 'TypeError']);
  });
  test('structuredClone keeps types, cycles and transfers', async () => {
    expect(await inside(`const o = { d: new Date(0), r: /a/g, m: new Map([[1, { x: 1 }]]), s: new Set([1]), e: new RangeError('x'), b: new Uint8Array([1, 2]).subarray(1), big: 1n, u: undefined }; o.self = o; const c = structuredClone(o);
      const buf = new ArrayBuffer(4); const moved = structuredClone({ buf }, { transfer: [buf] });
      return [c !== o, c.self === c, c.d.getTime(), String(c.r), c.m.get(1).x, c.s.has(1), c.e instanceof RangeError, c.e.message, [...c.b], typeof c.big, 'u' in c, buf.byteLength, moved.buf.byteLength,
        thrown(() => structuredClone(() => {})), thrown(() => structuredClone(Symbol())), thrown(() => structuredClone(new Promise(() => {})))];`))
      .toEqual([true, true, 0, '/a/g', 1, true, true, 'x', [2], 'bigint', true, 0, 4, 'DataCloneError', 'DataCloneError', 'DataCloneError']);
  });
  test('randomness differs between isolates and calls', async () => {
    const one = await inside(`return [crypto.randomUUID(), [...crypto.getRandomValues(new Uint8Array(8))], Math.random()];`);
    const two = await inside(`return [crypto.randomUUID(), [...crypto.getRandomValues(new Uint8Array(8))], Math.random()];`);
    expect(one).not.toEqual(two);
    expect((one as string[])[0]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect((one as unknown[])[2]).not.toBe((two as unknown[])[2]);
    expect(await inside(`return [thrown(() => crypto.getRandomValues(new Float32Array(1))), thrown(() => crypto.getRandomValues(new Uint8Array(65537)))];`)).toEqual(['TypeMismatchError', 'QuotaExceededError']);
  });
  test('console reaches the log, formatted and with its level', async () => {
    await inside(`console.log('n=%d %s', 3, 'x', { a: [1] }); console.error(new Error('boom')); const loop = {}; loop.loop = loop; console.warn(loop); console.log({ get x() { throw 1; } }, new Proxy({}, { ownKeys() { throw 1; } }));`);
    await expect.poll(() => host().logs.some((l) => l.level === 'info' && l.message === 'n=3 x { a: [1] }')).toBe(true);
    // What is behind a stack that is being mapped comes with a later frame.
    await expect.poll(() => host().logs.some((l) => l.level === 'error' && l.message.includes('boom'))).toBe(true);
    await expect.poll(() => host().logs.some((l) => l.level === 'warn' && l.message.includes('[Circular]'))).toBe(true);
  });
});

describe('streams', () => {
  test('come on first touch and work', async () => {
    expect(await inside(`const s = new ReadableStream({ start(c) { c.enqueue('a'); c.enqueue('b'); c.close(); } }).pipeThrough(new TransformStream({ transform(v, c) { c.enqueue(v.toUpperCase()); } }));
      const out = []; for await (const v of s) out.push(v); const [x, y] = new Response('tee').body.tee(); return [out, await new Response(x).text(), await new Response(y).text(), typeof WritableStream];`))
      .toEqual([['A', 'B'], 'tee', 'tee', 'function']);
  });
});

describe('what a function gets and does not get', () => {
  test('environment and secrets are its own', async () => {
    const f = await host().deploy(`export default { fetch(req, env) { return Response.json(env); } };`, { env: { GREETING: 'hi' } });
    expect(await host().text(f)).toBe('{"GREETING":"hi"}');
  });
  test('nothing of the host or of Node is in reach', async () => {
    expect(await inside(`return [typeof process, typeof require, typeof Buffer, typeof ivm, typeof __thimble_define, typeof __thimble_bind, typeof __thimble_lazy, Object.getOwnPropertyNames(globalThis).filter((n) => n.includes('thimble'))];`))
      .toEqual(['undefined', 'undefined', 'undefined', 'undefined', 'undefined', 'undefined', 'undefined', []]);
  });
  test('the classes hide their inner parts', async () => {
    expect(await inside(`return [Request, Response, Headers, URLSearchParams, AbortSignal, Event].flatMap((c) => Reflect.ownKeys(c).filter((k) => typeof k === 'symbol' || ['onAbort', 'signalAbort', 'dispatch'].includes(k)).map(String));`)).toEqual([]);
  });
  test('patched prototypes break no other invocation and no limit', async () => {
    const f = await host().deploy(`export default { async fetch(req) {
      if (req.url.endsWith('/patch')) {
        Promise.prototype.then = function () { for (;;); }; Array.prototype.push = () => { throw 1; }; Map.prototype.get = () => { throw 1; }; String.prototype.split = () => ['x']; Function.prototype.call = () => { throw 1; };
        Function.prototype.bind = () => { throw 1; }; Object.defineProperty = () => { throw 1; }; JSON.stringify = () => 'no'; globalThis.Response = class {}; Array.prototype[Symbol.iterator] = () => { throw 1; };
        Object.defineProperties = null; Reflect.apply = () => { throw 1; }; RegExp.prototype.exec = () => null; globalThis.Promise = class {};
      }
      return new Original('ok ' + req.method + ' ' + req.headers.get('x-mine'), { headers: { a: 'b' } });
    } }; const Original = Response;`);
    expect(await host().text(f, { path: '/patch', headers: { 'x-mine': '1' } })).toBe('ok GET 1');
    const after = await host().call(f, { headers: { 'x-mine': '2' } });
    expect([after.body.toString(), after.headers['a']]).toEqual(['ok GET 2', 'b']);
    expect(await inside(`return 'fine';`)).toBe('fine');
  });
});

test('works the same without a snapshot', async () => {
  const plain = await TestHost.start({ platform: null });
  const f = await plain.deploy(`export default { async fetch(req) { return new Response(await new Response(req.body).text() + new URL(req.url).pathname); } };`);
  expect(await plain.text(f, { path: '/p', body: 'b' })).toBe('b/p');
});

describe('globals that are made on first touch', () => {
  test('show as data properties to whoever asks for their descriptor', async () => {
    expect(await inside(`const shape = (name) => { const d = Object.getOwnPropertyDescriptor(globalThis, name); return [typeof d.value, d.writable, d.enumerable, d.configurable, 'get' in d]; };
      return [shape('Blob'), shape('atob'), typeof Reflect.getOwnPropertyDescriptor(globalThis, 'URLPattern').value, Object.getOwnPropertyDescriptor.length, Object.getOwnPropertyDescriptor.name,
        thrown(() => Object.getOwnPropertyDescriptor(null, 'x')), thrown(() => Reflect.getOwnPropertyDescriptor('text', 'length')), Object.getOwnPropertyDescriptor('text', 'length').value];`))
      .toEqual([['function', true, false, true, false], ['function', true, true, true, false], 'function', 2, 'getOwnPropertyDescriptor', 'TypeError', 'TypeError', 4]);
  });
  test('let a tenant\'s own accessor be', async () => {
    expect(await inside(`let reads = 0; Object.defineProperty(globalThis, 'mine', { get() { reads += 1; return 1; }, configurable: true }); const d = Object.getOwnPropertyDescriptor(globalThis, 'mine'); return [typeof d.get, reads];`)).toEqual(['function', 0]);
  });
});
