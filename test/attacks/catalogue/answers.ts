// What a handler gives back or throws: proxies, getters, thenables, and things that look like a Response.
import { CPU, LIMITS, ROOMY, each, handler } from '../attack.ts';
import type { Attack } from '../attack.ts';

const NAMED = ['function_threw', 'bad_response'] as const;
/** A proxy that throws from every trap. */
const TRAPS = `const boom = () => { throw new Error('trap'); };
const trapped = (target = {}) => new Proxy(target, new Proxy({}, { get: () => boom }));`;

export const ANSWER_ATTACKS: readonly Attack[] = [
  ...each([
    ['throw-null', 'throw null;'],
    ['throw-undefined', 'throw undefined;'],
    ['throw-symbol', "throw Symbol('x');"],
    ['throw-function', 'throw function f() {};'],
    ['throw-null-prototype', 'throw Object.create(null);'],
    ['throw-frozen', 'throw Object.freeze(new Error("x"));'],
    ['throw-cause-cycle', "const e = new Error('x'); e.cause = e; e.errors = [e]; throw e;"],
    ['throw-status-getter', "throw Object.defineProperty(new Error('x'), 'status', { get() { throw 1; } });"],
    ['throw-revoked', 'const { proxy, revoke } = Proxy.revocable(new Error("x"), {}); revoke(); throw proxy;'],
    ['throw-response', "throw new Response('x');"],
    ['throw-request', 'throw request;'],
    ['throw-class', 'throw class extends Error {};'],
    ['throw-huge-name', "const e = new Error('x'); e.name = 'n'.repeat(1e6); throw e;"],
    ['throw-control-characters', "throw new Error('\\r\\nx-injected: yes\\r\\n\\r\\n\\u0000\\ud800');"],
    ['return-null', 'return null;'],
    ['return-number', 'return 42;'],
    ['return-class', 'return class Response {};'],
    ['return-prototype', 'return Response.prototype;'],
    ['return-fake', 'return { __proto__: Response.prototype, status: 200, headers: new Headers(), body: null };'],
    ['return-request', 'return request;'],
    ['return-global', 'return globalThis;'],
    ['return-revoked', 'const { proxy, revoke } = Proxy.revocable(new Response("x"), {}); revoke(); return proxy;'],
    ['return-then-throws', 'return { get then() { throw new Error("x"); } };'],
    ['return-then-rejects', 'return { then(_, reject) { reject({ toString() { throw 1; } }); } };'],
    ['return-then-both', 'return { then(resolve, reject) { reject(1); resolve(new Response("x")); throw 2; } };'],
    ['return-used', 'const r = new Response("x"); await r.text(); return r;'],
    ['return-locked', 'const r = new Response(new ReadableStream()); r.body.getReader(); return r;'],
    ['return-error', 'return Response.error();'],
    ['status-beyond', "return new Response('x', { status: 999 });"],
    ['status-switching', "return new Response('x', { status: 101 });"],
    ['status-text-crlf', "return new Response('x', { statusText: 'OK\\r\\nx-injected: yes' });"],
    ['header-crlf', "return new Response('x', { headers: { a: '1\\r\\nx-injected: yes\\r\\n\\r\\nBODY' } });"],
    ['header-name-space', "return new Response('x', { headers: { 'a b': '1' } });"],
    ['header-name-colon', "return new Response('x', { headers: { 'a:b': '1' } });"],
    ['header-unicode', "return new Response('x', { headers: { a: '\\u4e2d' } });"],
    ['header-nul', "return new Response('x', { headers: { a: 'x\\u0000y' } });"],
    ['headers-huge', "return new Response('x', { headers: { a: 'x'.repeat(1e6) } });"],
    ['headers-many', "const h = new Headers(); for (let i = 0; i < 20_000; i++) h.append('x-' + i, 'y'); return new Response('x', { headers: h });"],
    ['headers-getter', "return new Response('x', { headers: { get a() { throw new Error('x'); } } });"],
    ['headers-null', "return new Response('x', { headers: null });"],
    ['body-symbol', "return new Response(Symbol('x'));"],
    ['body-to-string-throws', "return new Response({ toString() { throw new Error('x'); } });"],
    ['json-cycle', 'const o = {}; o.o = o; return Response.json(o);'],
    ['json-bigint', 'return Response.json(1n);'],
    ['json-to-json-throws', 'return Response.json({ toJSON() { throw null; } });'],
  ], { row: 'R8', may: NAMED, settings: { limits: { ...LIMITS, cpuMs: 200 } } }),
  ...each([
    ['then-never', 'return { then() {} };'],
    ['never', 'await new Promise(() => {});'],
    ['never-with-timer', 'setInterval(() => {}, 50); await new Promise(() => {});'],
    ['never-reads', 'await request.body?.getReader().read(); await new Promise(() => {});'],
    ['then-itself', 'const p = { then(resolve) { setTimeout(() => resolve(p), 1); } }; return p;'],
  ], { row: 'R9', may: ['wall_limit_exceeded', 'bad_response', 'cpu_limit_exceeded'], settings: { limits: { ...LIMITS, wallMs: 200 } } }),
  { name: 'then-resolves-many', row: 'own', may: ['ok', 'bad_response'], source: handler("return { then(resolve) { for (let i = 0; i < 1e4; i++) resolve(new Response('x' + i)); } };") },
  { name: 'promise-subclass', row: 'own', may: ['ok', ...NAMED, ...CPU], source: handler("return new (class extends Promise { then(a, b) { return super.then((v) => a(v), b); } static get [Symbol.species]() { return class { constructor(f) { f(() => {}, () => {}); } }; } })((r) => r(new Response('x')));") },
  // Thrown from every trap of everything that may be handed over.
  ...[
    'return trapped();', 'throw trapped();', 'return trapped(new Response("x"));', 'return new Response(trapped());', "return new Response('x', trapped());", "return new Response('x', { headers: trapped() });",
    'return Response.json(trapped());', 'console.log(trapped()); return new Response("x");', 'ctx.waitUntil(trapped()); return new Response("x");', 'return fetch(trapped());', 'return fetch(env.UPSTREAM, trapped());',
    'setTimeout(trapped()); return new Response("x");', 'queueMicrotask(trapped(() => {})); return new Response("x");', 'return new Response(String(await structuredClone(trapped())));', 'reportError(trapped()); return new Response("x");',
    'new AbortController().abort(trapped()); return new Response("x");', 'return new Response(new ReadableStream(trapped()));', 'Promise.reject(trapped()); return new Response("x");', 'return new Response(new URLSearchParams(trapped()));',
    'return new Response(await new Blob([trapped()]).text());', 'addEventListener("error", trapped(() => {})); reportError(1); return new Response("x");', 'return new Request(trapped());', 'ctx.passThroughOnException?.call(trapped()); return new Response("x");',
    'await crypto.subtle.digest(trapped(), trapped()); return new Response("x");', 'return new Response(new TextDecoder().decode(trapped()));', 'await caches.default.put(trapped(), trapped()); return new Response("x");', 'console.table(trapped()); return new Response("x");',
    'return new Response(new FormData(trapped()));', 'performance.mark(trapped(), trapped()); return new Response("x");', 'new URLPattern(trapped()); return new Response("x");', 'new MessageChannel().port1.postMessage(trapped()); return new Response("x");',
  ].map((code, i): Attack => ({ name: `traps-${i + 1}`, row: 'R8', source: handler(code, TRAPS), may: ['ok', ...NAMED], settings: { limits: { ...LIMITS, cpuMs: 200 } } })),
  {
    name: 'headers-of-the-connection', row: 'R20', may: ['ok'],
    act: async (stand, fn) => {
      const answer = await stand.node.call(fn);
      const { headers } = answer;
      const bad = ['x-thimble-spoofed', 'x-injected', 'keep-alive', 'te', 'trailer', 'upgrade', 'proxy-connection'].filter((name) => headers[name] !== undefined);
      if (bad.length > 0 || headers['content-length'] === '999' || headers['transfer-encoding'] === 'gzip' || !/^[12]$/.test(String(headers['x-thimble-version']))) throw new Error(`a function set ${JSON.stringify(headers)}`);
      return [answer.text === 'x' ? 'ok' : 'wrong'];
    },
    source: handler("return new Response('x', { headers: { 'content-length': '999', 'transfer-encoding': 'gzip', connection: 'x-injected', 'x-thimble-spoofed': '1', 'x-thimble-version': '77', 'keep-alive': '1', te: 'x', trailer: 'x', upgrade: 'h2c', 'proxy-connection': 'x' } });"),
  },
  { name: 'set-cookie-flood', row: 'R20', may: ['ok', 'bad_response', 'function_threw'], settings: ROOMY, source: handler("const h = new Headers(); for (let i = 0; i < 500; i++) h.append('set-cookie', 'a' + i + '=b'); return new Response('x', { headers: h });") },
  { name: 'huge-log', row: 'R7', may: ['ok'], settings: ROOMY, source: handler("console.log('x'.repeat(1e7)); console.error({ a: 'y'.repeat(1e6) }); return new Response('x');") },
  { name: 'prototype-accessors', row: 'own', may: ['ok', ...NAMED, 'wall_limit_exceeded'], source: handler("for (const k of ['then', 'status', 'code', 'body', 'kind', 'id', 'value', 'done', 'toJSON', 'get', 'set']) Object.defineProperty(Object.prototype, k, { get() { throw new Error(k); }, set() {}, configurable: true }); return new Response('x');"), settings: { limits: { ...LIMITS, wallMs: 300 } } },
  { name: 'species-everywhere', row: 'own', may: ['ok', ...NAMED, 'wall_limit_exceeded', ...CPU], source: handler("for (const C of [Array, Promise, ArrayBuffer, RegExp, Map, Set, Object.getPrototypeOf(Uint8Array)]) Object.defineProperty(C, Symbol.species, { get() { return function () { throw new Error('species'); }; }, configurable: true }); const t = await request.text(); return Response.json([1, 2, 3].map(String).concat(t));"), calls: [{ method: 'POST', body: 'abc' }], settings: { limits: { ...LIMITS, wallMs: 300 } } },
  { name: 'iterators-broken', row: 'own', may: ['ok', ...NAMED, 'wall_limit_exceeded', ...CPU], source: handler("Array.prototype[Symbol.iterator] = function* () { throw new Error('it'); }; Object.getPrototypeOf([][Symbol.iterator] ? Map.prototype.entries.call(new Map()) : {}).next = () => ({ get done() { throw 1; } }); return new Response('x', { headers: [['a', 'b']] });"), settings: { limits: { ...LIMITS, wallMs: 300 } } },
  { name: 'to-json-of-business', row: 'own', may: ['function_threw', 'bad_response', 'cpu_limit_exceeded', 'ok'], source: 'export function a() { return { toJSON() { throw new Error("x"); } }; }\nexport function b() { return new Proxy({}, { ownKeys() { for (;;); } }); }\nexport function c() { return { get x() { throw 1; } }; }\nexport function d() { return 1n; }', calls: ['a', 'b', 'c', 'd'].map((name) => ({ method: 'POST', path: `/${name}`, headers: { 'content-type': 'application/json' }, body: '{"args":[]}' })) },
];
