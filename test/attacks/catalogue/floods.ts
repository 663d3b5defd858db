// Too much of what is allowed: timers, promises, logs, calls, keys, listeners, caches; and recursion through the node itself.
import { CPU, LIMITS, MEMORY, each, handler } from '../attack.ts';
import type { Attack } from '../attack.ts';

const QUICK = { limits: { ...LIMITS, cpuMs: 300, wallMs: 1_000 } } as const;

export const FLOOD_ATTACKS: readonly Attack[] = [
  ...each([
    ['timers', 'try { for (;;) setTimeout(() => {}, 1e6); } catch (e) { return new Response(e.name); }'],
    ['intervals', 'try { for (let i = 0; i < 5e3; i++) setInterval(() => {}, 1); } catch {} await new Promise(() => {});'],
    ['timers-of-strings', "try { setTimeout('for(;;);', 0); } catch {} return new Response('x');"],
    ['timer-argument-flood', 'try { for (;;) setTimeout(() => {}, 1e6, "x".repeat(1e4)); } catch (e) { return new Response(e.name); }'],
    ['promises-pending', 'const a = []; for (let i = 0; i < 1e6; i++) a.push(new Promise(() => {})); return new Response("x");'],
    ['promises-all', 'await Promise.all(Array.from({ length: 3e5 }, () => Promise.resolve())); return new Response("x");'],
    ['rejections', 'for (let i = 0; i < 1e4; i++) Promise.reject(new Error("x" + i)); return new Response("x");'],
    ['rejections-endless', 'const f = () => { Promise.reject(1); setTimeout(f, 0); }; f(); await new Promise(() => {});'],
    ['rejection-huge', "Promise.reject(new Error('x'.repeat(1e7))); return new Response('x');"],
    ['rejection-huge-primitive', "Promise.reject('x'.repeat(1e7)); return new Response('x');"],
    ['rejection-huge-stack', "const e = new Error('x'); e.stack = 'x'.repeat(1e7); Promise.reject(e); return new Response('x');"],
    ['rejection-handled-late', "const p = Promise.reject(1); setTimeout(() => p.catch(() => {}), 1); await new Promise((r) => setTimeout(r, 5)); return new Response('x');"],
    ['rejection-in-listener', "addEventListener('unhandledrejection', () => { Promise.reject(2); throw 3; }); Promise.reject(1); await new Promise((r) => setTimeout(r, 5)); return new Response('x');"],
    ['report-error-recursion', "addEventListener('error', (e) => reportError(e)); reportError(1); return new Response('x');"],
    ['logs', "for (let i = 0; i < 1e4; i++) console.log('line ' + i); return new Response('x');"],
    ['logs-exotic', "console.log(new Proxy({}, { ownKeys() { throw 1; } }), Object.create(null), globalThis, { get a() { throw 1; } }, new Map([[{}, new Set([1n])]]), Symbol('x'), [,,1], new Date(NaN), /x/g, new Uint8Array(1e6), function () {}, class A {}, Promise.reject(1).catch(() => {}), '%s%d%o%O%c%j', -0, NaN); return new Response('x');"],
    ['logs-cyclic', 'const o = {}; o.o = o; o.a = Array(1e5).fill(o); console.log(o); console.table(o.a); console.dir(o, { depth: Infinity }); return new Response("x");'],
    ['logs-format-bomb', "console.log('%s'.repeat(1e5), ...Array(1e4).fill({ toString: () => 'x'.repeat(1e3) })); return new Response('x');"],
    ['logs-groups', "for (let i = 0; i < 1e5; i++) console.group('g'); console.log('deep'); return new Response('x');"],
    ['logs-counters', "for (let i = 0; i < 1e5; i++) { console.count('c' + i); console.time('t' + i); } return new Response('x');"],
    ['wait-until-flood', "for (let i = 0; i < 1e5; i++) ctx.waitUntil(Promise.resolve(i)); return new Response('x');"],
    ['wait-until-rejects', "for (let i = 0; i < 100; i++) ctx.waitUntil(Promise.reject({ toString() { throw 1; } })); return new Response('x');"],
    ['listeners', "for (let i = 0; i < 1e5; i++) request.signal.addEventListener('abort', () => {}); return new Response('x');"],
    ['listener-recursion', "const t = new EventTarget(); t.addEventListener('x', () => t.dispatchEvent(new Event('x'))); t.dispatchEvent(new Event('x')); return new Response('x');"],
    ['listener-adds', "const t = new EventTarget(); const add = () => t.addEventListener('x', () => add()); add(); for (;;) t.dispatchEvent(new Event('x'));"],
    ['signals-any', 'let s = request.signal; for (let i = 0; i < 1e4; i++) s = AbortSignal.any([s, s]); return new Response("x");'],
    ['signals-timeout', 'try { for (;;) AbortSignal.timeout(1e6); } catch (e) { return new Response(e.name); }'],
    ['signal-loop', "const c = new AbortController(); c.signal.onabort = () => c.signal.dispatchEvent(new Event('abort')); c.abort(); return new Response('x');"],
    ['ports', 'const keep = []; for (let i = 0; i < 2e4; i++) { const c = new MessageChannel(); c.port2.onmessage = () => {}; c.port1.postMessage(i); keep.push(c); } return new Response("x");'],
    ['port-ping-pong', 'const { port1, port2 } = new MessageChannel(); port1.onmessage = () => port1.postMessage(1); port2.onmessage = () => port2.postMessage(1); port1.postMessage(1); await new Promise(() => {});'],
    ['performance-entries', "for (let i = 0; i < 1e6; i++) performance.mark('m' + i); return new Response('x');"],
    ['clone-bomb', 'let o = {}; for (let i = 0; i < 30; i++) o = { a: o, b: o, c: Array(100).fill(o) }; structuredClone(o); return new Response("x");'],
    ['clone-deep', 'let o = {}; for (let i = 0; i < 1e6; i++) o = { o }; structuredClone(o); return new Response("x");'],
    ['clone-growing', "const a = []; a.push({ get x() { a.push({ get x() { return 1; } }); return 1; } }); for (let i = 0; i < 30; i++) structuredClone(Array(1e5).fill('x')); return new Response('x');"],
    ['url-huge', "new URL('http://a.test/' + 'x'.repeat(1e7)); return new Response('x');"],
    ['url-params', "const p = new URLSearchParams('a=1&'.repeat(1e6)); p.sort(); return new Response(String(p.size));"],
    ['url-pattern-regex', "new URLPattern({ pathname: '/:x((a+)+)$' }).test({ pathname: '/' + 'a'.repeat(60) + '!' }); return new Response('x');"],
    ['url-pattern-huge', "new URLPattern({ pathname: '/' + ':a?/'.repeat(1e4) }); return new Response('x');"],
    ['url-pattern-many', "for (let i = 0; ; i++) new URLPattern({ pathname: '/a' + i + '/:x' });"],
    ['encoding-bomb', "new TextDecoder('gb18030').decode(new Uint8Array(1e7).fill(0x81)); return new Response('x');"],
    ['encoding-labels', "for (let i = 0; i < 1e5; i++) try { new TextDecoder('x'.repeat(i % 1000)); } catch {} return new Response('x');"],
    ['base64-bomb', "atob(btoa('x'.repeat(1e7))); return new Response('x');"],
    ['blob-bomb', 'let b = new Blob(["x".repeat(1000)]); for (let i = 0; i < 40; i++) b = new Blob([b, b]); return new Response(await b.text());'],
    ['intl-flood-small', "for (let i = 0; i < 300; i++) new Intl.NumberFormat('de').format(i); return new Response('x');"],
    ['locale-strings', "for (let i = 0; ; i++) new Date(i).toLocaleString('ja');"],
    ['fetch-storm', "const all = await Promise.allSettled(Array.from({ length: 200 }, () => fetch(env.UPSTREAM + '/hello').then((r) => r.text()))); return new Response(String(all.filter((one) => one.status === 'fulfilled').length));"],
    ['fetch-hanging', "await Promise.all(Array.from({ length: 50 }, () => fetch(env.UPSTREAM + '/hang')));"],
    ['fetch-unread', "await Promise.allSettled(Array.from({ length: 40 }, () => fetch(env.UPSTREAM + '/endless'))); return new Response('x');"],
    ['fetch-endless', "return new Response(String((await (await fetch(env.UPSTREAM + '/endless')).arrayBuffer()).byteLength));"],
    ['fetch-zip-bomb', "return new Response(String((await (await fetch(env.UPSTREAM + '/bomb')).arrayBuffer()).byteLength));"],
    ['fetch-held-bodies', "const body = 'x'.repeat(1e6); const all = await Promise.allSettled(Array.from({ length: 50 }, () => fetch(env.UPSTREAM + '/hang', { method: 'POST', body }))); return new Response(all.map((a) => a.reason?.code).join());"],
    ['fetch-held-chunks', "await Promise.allSettled(Array.from({ length: 50 }, () => fetch(env.UPSTREAM + '/hang', { method: 'POST', duplex: 'half', body: new ReadableStream({ pull(c) { c.enqueue(new Uint8Array(1e6)); } }) }))); return new Response('x');"],
    ['fetch-given-up-bodies', "const body = 'x'.repeat(1e6); for (let i = 0; i < 50; i++) { const c = new AbortController(); fetch(env.UPSTREAM + '/hang', { method: 'POST', body, signal: c.signal }).catch(() => {}); if (i > 5) c.abort(); } await new Promise(() => {});"],
    ['fetch-redirect-circle', "await fetch(env.UPSTREAM + '/circle');"],
    ['fetch-endless-upload', "await fetch(env.UPSTREAM + '/upload', { method: 'POST', duplex: 'half', body: new ReadableStream({ pull(c) { c.enqueue(new Uint8Array(65_536)); } }) });"],
    ['fetch-upload-throws', "await fetch(env.UPSTREAM + '/upload', { method: 'POST', duplex: 'half', body: new ReadableStream({ pull() { throw new Error('x'); } }) });"],
    ['fetch-huge-headers', "await fetch(env.UPSTREAM + '/hello', { headers: { a: 'x'.repeat(1e7) } });"],
    ['fetch-header-injection', "await fetch(env.UPSTREAM + '/hello', { headers: { a: 'x\\r\\nhost: other' } });"],
    ['fetch-abort-loop', "for (let i = 0; i < 200; i++) { const c = new AbortController(); fetch(env.UPSTREAM + '/hang', { signal: c.signal }).catch(() => {}); c.abort(); } return new Response('x');"],
    ['cache-flood', "for (let i = 0; i < 60; i++) await caches.default.put('http://a.test/' + i, new Response('x'.repeat(1e5), { headers: { 'cache-control': 'max-age=9' } })); return new Response('x');"],
    ['cache-names', "for (let i = 0; i < 60; i++) await caches.open('n'.repeat(500) + i); return new Response('x');"],
    ['cache-endless-body', "await caches.default.put('http://a.test/', new Response(new ReadableStream({ pull(c) { c.enqueue(new Uint8Array(65_536)); } }), { headers: { 'cache-control': 'max-age=9' } })); return new Response('x');"],
    ['crypto-pbkdf2', "const k = await crypto.subtle.importKey('raw', new Uint8Array(8), 'PBKDF2', false, ['deriveBits']); await crypto.subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-512', salt: new Uint8Array(8), iterations: 1e9 }, k, 512); return new Response('x');"],
    ['crypto-rsa', "await crypto.subtle.generateKey({ name: 'RSA-OAEP', modulusLength: 16_384, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-256' }, true, ['encrypt', 'decrypt']); return new Response('x');"],
    ['crypto-rsa-many', "await Promise.all(Array.from({ length: 100 }, () => crypto.subtle.generateKey({ name: 'RSA-OAEP', modulusLength: 2_048, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-256' }, true, ['encrypt', 'decrypt']))); return new Response('x');"],
    ['crypto-keys-kept', "globalThis.keys ??= []; for (let i = 0; i < 5_000; i++) keys.push(await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, true, ['encrypt'])); return new Response('x');"],
    ['crypto-huge-data', "const k = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, true, ['encrypt']); const d = new Uint8Array(1e7); for (;;) await crypto.subtle.encrypt({ name: 'AES-GCM', iv: new Uint8Array(12) }, k, d);"],
  ], { row: 'own', may: ['ok', 'broken', 'wall_limit_exceeded', 'upstream_failed', 'upstream_timeout', ...CPU, ...MEMORY], settings: QUICK }),
  { name: 'storm-of-calls', row: 'R24', settings: { limits: { ...LIMITS, concurrency: 5, wallMs: 1_000 } }, may: ['ok', 'overloaded'], calls: [{ atOnce: 100 }], source: handler("await new Promise((r) => setTimeout(r, 20)); return new Response('x');") },
  { name: 'storm-beyond-rate', row: 'R24', settings: { limits: { ...LIMITS, rps: 5 } }, may: ['ok', 'rate_limited'], calls: [{ atOnce: 50 }], source: handler("return new Response('x');"), check: (answers) => {
    if (answers.length !== 50 || !answers.some((text) => text.includes('rate_limited'))) throw new Error('nothing was limited');
  } },
  { name: 'storm-of-loops', row: 'R1', may: ['cpu_limit_exceeded', 'isolate_lost', 'quarantined', 'overloaded', 'wall_limit_exceeded'], calls: [{ atOnce: 20 }], source: handler('for (;;);') },
  { name: 'storm-of-waits', row: 'R9', may: ['wall_limit_exceeded'], settings: { limits: { ...LIMITS, wallMs: 300 } }, calls: [{ atOnce: 80 }], source: handler('await new Promise(() => {});') },
  { name: 'microtasks-across-entries', row: 'own', may: ['ok', ...CPU], calls: [{ atOnce: 4 }, { atOnce: 4 }], source: handler("globalThis.queue ??= []; await new Promise((r) => { queue.push(r); if (queue.length >= 4) for (const next of queue.splice(0)) next(); }); return new Response('x');") },
  { name: 'async-storage-abuse', row: 'own', may: ['ok', 'function_threw', ...CPU], settings: QUICK, calls: [{ atOnce: 3 }], source: `import { AsyncLocalStorage } from 'node:async_hooks';
const s = new AsyncLocalStorage(); const all = [];
export default { async fetch() { for (let i = 0; i < 2_000; i++) all.push(new AsyncLocalStorage()); const f = (n) => (n === 0 ? s.getStore() : s.run(n, () => f(n - 1))); try { f(1e6); } catch {} s.enterWith(globalThis); await 0; return new Response(typeof s.getStore()); } };` },
  { name: 'fetch-own-node', row: 'R23', may: ['ok'], source: handler('const own = [env.GATEWAY, env.CONTROL]; const codes = await Promise.all(own.map((url) => fetch(url).then((r) => r.status, (e) => e.code))); return Response.json(codes);'), check: ([text]) => {
    if (text !== '["egress_refused","egress_refused"]') throw new Error(`the node's own ports: ${text ?? ''}`);
  } },
  { name: 'fetch-private', row: 'R22', may: ['ok'], source: handler(`const all = ['http://127.0.0.1/', 'http://localhost/', 'http://169.254.169.254/latest', 'http://10.0.0.1/', 'http://192.168.1.1/', 'http://172.16.0.1/', 'http://100.64.0.1/', 'http://0/', 'http://0.0.0.0/', 'http://2130706433/', 'http://0x7f.1/', 'http://017700000001/', 'http://127.1/', 'http://[::1]/', 'http://[::]/', 'http://[::ffff:127.0.0.1]/', 'http://[::ffff:7f00:1]/', 'http://[64:ff9b::7f00:1]/', 'http://[2002:7f00:1::]/', 'http://[fc00::1]/', 'http://[fe80::1]/', 'http://[ff02::1]/', 'http://metadata.google.internal/', 'http://224.0.0.1/', 'http://255.255.255.255/', 'http://198.18.0.1/'];
const codes = await Promise.all(all.map((url) => fetch(url).then((r) => 'answered ' + r.status, (e) => e.code))); return Response.json(all.filter((_, i) => codes[i] !== 'egress_refused').map((url) => [url, codes[all.indexOf(url)]]));`), check: ([text]) => {
    if (text !== '[]') throw new Error(`not refused: ${text ?? ''}`);
  } },
  { name: 'fetch-private-by-redirect', row: 'R22', may: ['ok'], source: handler("return new Response(await fetch(env.UPSTREAM + '/to-metadata').then((r) => 'answered ' + r.status, (e) => e.code));"), check: ([text]) => {
    if (text !== 'egress_refused') throw new Error(`followed: ${text ?? ''}`);
  } },
  { name: 'fetch-recursion', row: 'R23', may: ['ok'], settings: { limits: { ...LIMITS, wallMs: 5_000, cpuMs: 200 } }, source: handler("const r = await fetch(env.UPSTREAM + '/proxy', { headers: { 'x-fn': env.SELF } }); return new Response(await r.text(), { status: r.status });"), check: ([text]) => {
    if (text?.includes('loop_detected') !== true) throw new Error(`nobody noticed: ${text?.slice(0, 200) ?? ''}`);
  } },
];
