// Bodies: streams that never end, lie, throw or come after their end; multipart, gzip and other bombs; bodies of other invocations.
import { gzipSync } from 'node:zlib';
import { CPU, LIMITS, MEMORY, ROOMY, each, handler } from '../attack.ts';
import type { Attack } from '../attack.ts';

const MULTIPART = `--x\r\n${'content-disposition: form-data; name="a"\r\n\r\n1\r\n--x\r\n'.repeat(20_000)}--x--\r\n`;
const DEEP_JSON = `{"args":[${'['.repeat(200_000)}${']'.repeat(200_000)}]}`;

export const BODY_ATTACKS: readonly Attack[] = [
  ...each([
    ['stream-endless', "return new Response(new ReadableStream({ pull(c) { c.enqueue(new Uint8Array(65_536)); } }));"],
    ['stream-endless-slow', "return new Response(new ReadableStream({ async pull(c) { await new Promise((r) => setTimeout(r, 20)); c.enqueue(new Uint8Array(1)); } }));"],
    ['stream-silent', 'return new Response(new ReadableStream({ start(c) { c.enqueue(new Uint8Array(1)); } }));'],
    ['stream-never-pulls', 'return new Response(new ReadableStream({ pull() { return new Promise(() => {}); } }));'],
    ['stream-throws-in-pull', "return new Response(new ReadableStream({ start(c) { c.enqueue(new Uint8Array(9)); }, pull() { throw new Error('x'); } }, { highWaterMark: 0 }));"],
    ['stream-throws-in-start', "return new Response(new ReadableStream({ start() { throw new Error('x'); } }));"],
    ['stream-errors-null', "return new Response(new ReadableStream({ start(c) { c.error(null); } }));"],
    ['stream-errors-proxy', "return new Response(new ReadableStream({ start(c) { c.error(new Proxy({}, { get() { throw 1; } })); } }));"],
    ['stream-wrong-chunks', "return new Response(new ReadableStream({ start(c) { c.enqueue('text'); c.enqueue(42); c.enqueue(null); c.close(); } }));"],
    ['stream-symbol-chunk', "return new Response(new ReadableStream({ start(c) { c.enqueue(Symbol('x')); } }));"],
    ['stream-detached-chunk', "return new Response(new ReadableStream({ start(c) { const b = new Uint8Array(8); structuredClone(b.buffer, { transfer: [b.buffer] }); c.enqueue(b); c.close(); } }));"],
    ['stream-lying-chunk', "return new Response(new ReadableStream({ start(c) { const b = new Uint8Array(8); Object.defineProperty(b, 'length', { value: 1e9 }); Object.defineProperty(b, 'byteLength', { value: 1e9 }); c.enqueue(b); c.close(); } }));"],
    ['stream-after-close', "return new Response(new ReadableStream({ start(c) { c.enqueue(new Uint8Array(1)); c.close(); setTimeout(() => c.enqueue(new Uint8Array(1)), 5); } }));"],
    ['stream-huge-chunk', 'return new Response(new ReadableStream({ start(c) { c.enqueue(new Uint8Array(2e7)); c.close(); } }));'],
    ['stream-many-chunks', 'return new Response(new ReadableStream({ start(c) { for (let i = 0; i < 1e6; i++) c.enqueue(new Uint8Array(1)); } }));'],
    ['stream-of-itself', 'const s = new ReadableStream({ pull(c) { c.enqueue(s); } }); return new Response(s);'],
    ['stream-tee-of-tees', 'let s = new ReadableStream({ pull(c) { c.enqueue(new Uint8Array(1e5)); } }); for (let i = 0; i < 200; i++) s = s.tee()[0]; return new Response(s);'],
    ['stream-transform-chain', 'let s = new ReadableStream({ pull(c) { c.enqueue(new Uint8Array(1000)); } }); for (let i = 0; i < 500; i++) s = s.pipeThrough(new TransformStream()); return new Response(s);'],
    ['stream-patched-reader', 'const s = new ReadableStream(); s.getReader = () => ({ read: () => ({ then() { throw 1; } }), releaseLock() {}, closed: 1 }); return new Response(s);'],
    ['stream-pipe-circle', 'const { readable, writable } = new TransformStream(); readable.pipeTo(writable).catch(() => {}); return new Response("x");'],
    ['stream-endless-headers-204', 'return new Response(null, { status: 204 });'],
  ], { row: 'own', may: ['ok', 'broken', 'bad_response', 'function_threw', 'wall_limit_exceeded', 'memory_limit_exceeded', ...CPU], settings: { limits: { ...LIMITS, cpuMs: 100, wallMs: 500, idleMs: 300, streamMs: 600 } } }),
  { name: 'zip-bomb', row: 'own', settings: ROOMY, may: ['ok', ...MEMORY], calls: [{ method: 'POST', body: gzipSync(Buffer.alloc(2e8)) }], source: handler("return new Response(String((await new Response(request.body.pipeThrough(new DecompressionStream('gzip'))).arrayBuffer()).byteLength));") },
  { name: 'zip-bomb-nested', row: 'own', settings: ROOMY, may: ['ok', ...MEMORY], calls: [{ method: 'POST', body: gzipSync(gzipSync(Buffer.alloc(5e8))) }], source: handler("const gunzip = () => new DecompressionStream('gzip'); return new Response(String((await new Response(request.body.pipeThrough(gunzip()).pipeThrough(gunzip())).text()).length));"), costly: true },
  { name: 'zip-contexts', row: 'own', settings: ROOMY, may: ['ok', ...MEMORY], source: handler("const keep = []; try { for (;;) { const d = new CompressionStream('gzip'); const w = d.writable.getWriter(); w.write(new Uint8Array(10)).catch(() => {}); keep.push(d); if (keep.length > 5000) break; } } catch (e) { return new Response(e.name); } return new Response('x');") },
  { name: 'zip-garbage', row: 'own', settings: ROOMY, may: ['ok', 'function_threw'], calls: [{ method: 'POST', body: Buffer.alloc(1e5, 7) }], source: handler("return new Response((await new Response(request.body.pipeThrough(new DecompressionStream('deflate-raw'))).arrayBuffer()).byteLength + '');") },
  { name: 'multipart-bomb', row: 'own', settings: { limits: { ...LIMITS, cpuMs: 200 } }, may: ['ok', ...MEMORY], calls: [{ method: 'POST', headers: { 'content-type': 'multipart/form-data; boundary=x' }, body: MULTIPART }], source: handler('return new Response(String([...(await request.formData())].length));') },
  { name: 'multipart-near-boundaries', row: 'own', settings: { limits: { ...LIMITS, cpuMs: 200 } }, may: ['ok', ...MEMORY], calls: [{ method: 'POST', headers: { 'content-type': `multipart/form-data; boundary=${'-'.repeat(69)}x` }, body: `\r\n${'-'.repeat(5e5)}` }], source: handler('return new Response(String([...(await request.formData())].length));') },
  { name: 'form-bomb', row: 'own', settings: { limits: { ...LIMITS, cpuMs: 200 } }, may: ['ok', ...MEMORY], calls: [{ method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: 'a=1&'.repeat(1e6) }], source: handler('return new Response(String([...(await request.formData())].length));') },
  { name: 'json-bomb-body', row: 'own', settings: ROOMY, may: ['ok', ...MEMORY], calls: [{ method: 'POST', body: '['.repeat(4e6) }], source: handler('await request.json();') },
  { name: 'business-arguments-10-mb', row: 'own', settings: ROOMY, may: ['ok', 'bad_request', ...MEMORY], calls: [{ method: 'POST', path: '/echo', headers: { 'content-type': 'application/json' }, body: `{"args":["${'x'.repeat(10_000_000)}"]}` }], source: 'export function echo(ctx, text) { return String(text).length; }' },
  { name: 'business-arguments-deep', row: 'own', settings: ROOMY, may: ['ok', 'bad_request', 'bad_response', ...MEMORY], calls: [{ method: 'POST', path: '/echo', headers: { 'content-type': 'application/json' }, body: DEEP_JSON }], source: 'export function echo(ctx, deep) { return deep; }' },
  { name: 'business-arguments-proto', row: 'own', settings: ROOMY, may: ['ok', 'bad_request', 'no_route'], calls: [{ method: 'POST', path: '/echo', headers: { 'content-type': 'application/json' }, body: '{"__proto__":{"args":[1]},"args":[{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}]}' }, ...['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'default'].map((name) => ({ method: 'POST', path: `/${name}`, headers: { 'content-type': 'application/json' }, body: '{"args":[]}' }))], source: "export function echo(ctx, given) { return [({}).polluted ?? 'clean', Object.keys(given)]; }" },
  { name: 'body-beyond', row: 'own', settings: { limits: { ...LIMITS, bodyBytes: 1_000 } }, may: ['body_too_large'], calls: [{ method: 'POST', body: 'x'.repeat(1_001) }], source: handler("return new Response(await request.text());") },
  { name: 'body-not-read', row: 'own', may: ['ok', 'ECONNRESET', 'EPIPE'], settings: { limits: { ...LIMITS, bodyBytes: 50_000_000 } }, calls: [{ method: 'POST', body: Buffer.alloc(2e7) }], source: handler("return new Response('x');") },
  {
    name: 'bodies-of-others', row: 'R12', may: ['ok', 'function_threw', 'bad_response', 'wall_limit_exceeded'], settings: { limits: { ...LIMITS, wallMs: 500 } },
    calls: [{ method: 'POST', path: '/keep', body: 'first secret' }, { method: 'POST', path: '/text', body: 'second' }, { method: 'POST', path: '/keep', body: 'third' }, { path: '/give' }, { path: '/clone' }],
    source: handler("const { pathname } = new URL(request.url); if (pathname === '/keep') { globalThis.kept = request; return new Response('kept'); } if (pathname === '/text') return new Response(await kept.text()); if (pathname === '/give') return new Response(kept.body); return new Response(await kept.clone().text());"),
  },
  {
    name: 'sinks-of-others', row: 'R12', may: ['ok', 'broken', 'bad_response', 'function_threw', 'wall_limit_exceeded'], settings: { limits: { ...LIMITS, wallMs: 500, idleMs: 300, streamMs: 600 } },
    act: async (stand, fn) => {
      const first = stand.call(fn, { path: '/open' });
      await stand.pause(30);
      const second = await stand.call(fn, { path: '/write' });
      return [...second, ...(await first), ...(await stand.call(fn, { path: '/write' })), ...(await stand.call(fn, { path: '/respond' }))];
    },
    source: handler("const { pathname } = new URL(request.url); if (pathname === '/open') return new Response(new ReadableStream({ start(c) { globalThis.sink = c; c.enqueue(new Uint8Array(1)); } })); if (pathname === '/write') { try { sink.enqueue(new Uint8Array(1e5)); sink.close(); } catch (e) { return new Response(e.name); } return new Response('wrote'); } globalThis.same ??= new Response('once'); return same;"),
  },
  { name: 'response-given-twice', row: 'own', may: ['ok', 'bad_response'], calls: [{ atOnce: 4 }], source: handler("return (globalThis.same ??= new Response('once'));") },
];
