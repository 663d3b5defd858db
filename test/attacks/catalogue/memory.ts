// ISOLATION.md, section 2: memory, counted and uncounted, in pieces and at once.
import { LIMITS, MEMORY, ROOMY, each, handler } from '../attack.ts';
import type { Attack } from '../attack.ts';

/** V8 gives up the process when one allocation fails: the only attacks that may take their host along. */
const FATAL = ['host_lost', 'ok', ...MEMORY] as const;

export const MEMORY_ATTACKS: readonly Attack[] = [
  ...each([
    ['array-fill', 'new Array(1e8).fill(0);'],
    ['array-fill-large', 'Array(1e9).fill(0);'],
    ['map-growth', 'const m = new Map(); for (let i = 0; ; i++) m.set(i, i);'],
    ['set-growth', 'const s = new Set(); for (let i = 0; ; i++) s.add(i);'],
    ['spread-string', "[...'.'.repeat(5e8)];"],
    ['throw-huge-message', "throw new Error('x'.repeat(5e8));"],
    ['reject-huge-message', "Promise.reject(new Error('x'.repeat(4e8))); return new Response('x');"],
    ['reject-huge-primitive', "Promise.reject('x'.repeat(4e8)); return new Response('x');"],
    ['return-huge-string', "return new Response('x'.repeat(5e8));"],
    ['replace-growth', "return new Response('x'.repeat(1e7).replace(/x/g, 'y'.repeat(50)));"],
    ['return-huge-array', 'return Response.json(Array.from({ length: 4e6 }, (_, i) => ({ i })));'],
    ['json-parse-wide', "JSON.parse('[' + '{\"a\":[1]},'.repeat(3e6) + '1]');"],
    ['json-stringify-growth', 'let v = { a: 1 }; for (let i = 0; i < 40; i++) v = [v, v]; JSON.stringify(v);'],
    ['sort-huge', 'Array.from({ length: 2e7 }, (_, i) => -i).sort();'],
  ], { row: '2', settings: ROOMY, may: FATAL, kills: true, costly: true }),
  ...each([
    ['push-objects', 'const a = []; for (;;) a.push({ x: [a.length] });'],
    ['closures', 'const a = []; for (let i = 0; ; i++) a.push(() => i);'],
    ['symbols', 'const a = []; for (;;) a.push(Symbol(String(a.length)));'],
    ['weakrefs', 'const a = []; for (;;) a.push(new WeakRef({ a }));'],
    ['proxy-chain', 'let p = {}; for (;;) p = new Proxy(p, { get: () => p });'],
    ['prototype-chain', 'let o = {}; for (;;) o = Object.create(o, { x: { value: 1 } });'],
    ['function-flood', "const a = []; for (;;) a.push(new Function('return ' + a.length));"],
    ['strings-flat', "const a = []; for (;;) a.push(('x'.repeat(1e5) + a.length).split('').join('-'));"],
    ['small-buffers', 'const a = []; for (;;) { const b = new Uint8Array(10); b.buffer; a.push(b); }'],
    ['bigints', 'const a = []; let b = 1n; for (;;) a.push(b = (b << 4096n) + 1n);'],
    ['promises', 'const a = []; for (;;) a.push(new Promise(() => {}));'],
    ['microtasks-double', 'const f = () => { Promise.resolve().then(f); Promise.resolve().then(f); }; f(); await new Promise(() => {});'],
    ['async-stack', 'const f = async () => { await 0; await Promise.all([f(), f()]); }; await f();'],
    ['generators', 'const a = []; function* g() { yield a; } for (;;) { const i = g(); i.next(); a.push(i); }'],
    ['split-many', "'x'.repeat(5e7).split('');"],
  ], { row: '2', settings: ROOMY, may: FATAL, kills: true, costly: true }),
  ...each([
    ['typed-arrays', 'const a = []; for (;;) a.push(new Uint8Array(1e6).fill(1));'],
    ['buffer-beyond', 'new ArrayBuffer(2 ** 33);'],
    ['typed-array-beyond', 'new Float64Array(2 ** 32);'],
    ['spread-arguments', 'Math.max(...new Array(1e7));'],
    ['string-beyond', "'x'.repeat(2 ** 29 + 1);"],
    ['recursion', 'const f = () => f() + 1; f();'],
    ['recursion-async', 'const f = async () => await f(); await f();'],
    ['recursion-proxy', 'const p = new Proxy({}, { get: (t, k, r) => r[k] }); p.x;'],
    ['recursion-to-string', 'const o = { toString() { return `${o}`; } }; `${o}`;'],
    ['parser-nesting', "new Function('('.repeat(1e6));"],
    ['parser-nesting-arrays', "new Function('['.repeat(3e5) + ']'.repeat(3e5));"],
    ['regex-nesting', "new RegExp('('.repeat(1e6) + ')'.repeat(1e6));"],
    ['json-nesting', "JSON.parse('['.repeat(5e6));"],
  ], { row: '2', settings: ROOMY, may: [...MEMORY, 'ok'] }),
  // A loop that catches each failed allocation does a full collection for every one of them: neither timeout nor dispose ends that (section 3).
  { name: 'buffer-catch-loop', row: '2', source: handler('const a = []; for (;;) try { a.push(new ArrayBuffer(1e6)); } catch {}'), settings: { limits: { ...LIMITS, cpuMs: 200 } }, may: ['cpu_limit_exceeded', 'memory_limit_exceeded', 'host_lost'], kills: true, costly: true },
  {
    name: 'uncounted-buffers', row: 'R6', settings: ROOMY, may: ['ok'],
    source: handler(`
      const tries = [
        () => new ArrayBuffer(8, { maxByteLength: 1e9 }), () => new (new ArrayBuffer(1).constructor)(8, { maxByteLength: 1e9 }), () => Reflect.construct(ArrayBuffer, [8, { maxByteLength: 1e9 }]),
        () => new (class extends ArrayBuffer {})(8, { maxByteLength: 1e9 }), () => new (new Uint8Array(1).buffer.constructor)(8, { maxByteLength: 1e9 }), () => new (structuredClone(new ArrayBuffer(1)).constructor)(8, { maxByteLength: 1e9 }),
        () => new ArrayBuffer(8, { get maxByteLength() { return this.asked ? 1e9 : (this.asked = 1, undefined); } }), () => new SharedArrayBuffer(8), () => new WebAssembly.Memory({ initial: 1 }), () => Atomics.wait(new Int32Array(8), 0, 0),
        () => new (new Response('x').constructor.prototype.constructor.constructor('return SharedArrayBuffer')())(8), () => Reflect.construct(ArrayBuffer, [8, { maxByteLength: 1e9 }], Array),
        () => new (globalThis.constructor.constructor('return WebAssembly')().Memory)({ initial: 1 }),
      ];
      return Response.json(tries.map((attempt) => { try { const made = attempt(); return made.resizable === true || made.growable === true || made.constructor?.name === 'Memory' ? 'had' : 'plain'; } catch { return 'refused'; } }));`),
    check: ([text]) => {
      if (text === undefined || text.includes('had')) throw new Error(`memory that nobody counts was had: ${text ?? ''}`);
    },
  },
  { name: 'resizable-transfer', row: 'R6', settings: ROOMY, may: ['ok', ...MEMORY], source: handler("let b = new ArrayBuffer(8); if (b.transfer) b = b.transfer(1e6); if (b.resizable) return new Response('had', { status: 500 }); const keep = []; for (;;) keep.push(b = b.slice(0).transfer(1e6));") },
  { name: 'intl-flood', row: '2', settings: ROOMY, may: [...MEMORY, 'host_lost', 'ok'], kills: true, costly: true, source: handler("const a = []; for (let i = 0; i < 20_000; i++) a.push(new Intl.DateTimeFormat(['de', 'en', 'ja', 'ar'][i % 4], { dateStyle: 'full', timeZone: 'Asia/Tokyo' })); return new Response(String(a.length));") },
  { name: 'memory-in-globals', row: 'R4', settings: ROOMY, may: ['ok', ...MEMORY], calls: [{ atOnce: 1 }, { atOnce: 1 }, { atOnce: 1 }, { atOnce: 1 }, { atOnce: 1 }, { atOnce: 1 }], source: handler("(globalThis.keep ??= []).push(Array.from({ length: 3e5 }, (_, i) => ({ i }))); return new Response('kept');") },
  {
    name: 'memory-beside-others', row: 'R4', settings: ROOMY, may: ['memory_limit_exceeded', 'isolate_lost', 'ok', 'host_lost'], kills: true, costly: true,
    calls: [{ path: '/' }],
    act: async (stand, fn) => {
      const waiting = Promise.all([stand.call(fn, { path: '/wait' }), stand.call(fn, { path: '/wait', method: 'POST', body: 'x' })]);
      await stand.pause(100);
      return [...(await stand.call(fn, { path: '/grow' })), ...(await waiting).flat()];
    },
    source: handler("const { pathname } = new URL(request.url); if (pathname === '/wait') { await new Promise((r) => setTimeout(r, 800)); return new Response('waited'); } const a = []; for (;;) a.push({ x: [a.length] });"),
  },
];
