// ISOLATION.md, section 3: loops of every kind, built-ins that nothing can interrupt, and code that runs where nobody looks.
import { CPU, LIMITS, each, handler } from '../attack.ts';
import type { Attack } from '../attack.ts';

export const CPU_ATTACKS: readonly Attack[] = [
  ...each([
    ['endless', 'for (;;);'],
    ['endless-caught', 'for (;;) try { for (;;); } catch {} finally { continue; }'],
    ['regex-backtracking', "/^(a+)+$/.test('a'.repeat(60) + 'b');"],
    ['microtask-loop', 'const f = () => Promise.resolve().then(f); await f();'],
    ['queue-microtask-loop', 'const f = () => queueMicrotask(f); f(); await new Promise(() => {});'],
    ['async-generator-loop', 'async function* g() { for (;;) yield 1; } for await (const x of g());'],
    ['generator-loop', 'function* g() { for (;;) yield 1; } for (const x of g());'],
    ['json-loop', "for (;;) JSON.parse('[1,2,3]');"],
    ['sort-comparator', 'Array.from({ length: 1000 }, (_, i) => i).sort(() => { for (;;); });'],
    ['replace-callback', "'aaa'.replace(/a/g, () => { for (;;); });"],
    ['getter-in-stringify', 'JSON.stringify({ get a() { for (;;); } });'],
    ['symbol-to-primitive', '`${{ [Symbol.toPrimitive]() { for (;;); } }}`;'],
    ['proxy-has', '"x" in new Proxy({}, { has() { for (;;); } });'],
    ['atomics-wait', 'for (;;) { try { Atomics.wait(); } catch {} }'],
    ['date-loop', 'for (const end = Date.now() + 1e9; Date.now() < end;);'],
    ['performance-loop', 'for (const end = performance.now() + 1e9; performance.now() < end;);'],
  ], { row: 'R1', may: CPU }),
  // Each asks the host again and again: its own time counts as the function's.
  ...each([
    ['callback-uuid', 'for (;;) crypto.randomUUID();'],
    ['callback-random', 'const b = new Uint8Array(65_536); for (;;) crypto.getRandomValues(b);'],
    ['callback-url', "for (;;) new URL('HTTP://EXAMPLE.com/../a?b#c');"],
    ['callback-encode', "const t = new TextEncoder(); const s = 'é'.repeat(1e5); for (;;) t.encode(s);"],
    ['callback-decode', "const t = new TextDecoder(); const b = new Uint8Array(1e6); for (;;) t.decode(b);"],
    ['callback-digest', "const b = new Uint8Array(1e6); for (;;) crypto.subtle.digest('SHA-512', b);"],
    ['callback-timers', 'for (;;) clearTimeout(setTimeout(() => {}, 1000));'],
    ['callback-log', "for (;;) console.log('x'.repeat(100));"],
    ['callback-fetch', "for (;;) fetch(env.UPSTREAM + '/hello').catch(() => {});"],
    ['callback-atob', "const s = btoa('x'.repeat(1e5)); for (;;) atob(s);"],
    ['callback-clone', 'const big = Array.from({ length: 1e4 }, (_, i) => i); for (;;) structuredClone(big);'],
    ['callback-legacy-decode', "const t = new TextDecoder('shift_jis'); const b = new Uint8Array(1e5).fill(0x88); for (;;) t.decode(b);"],
    ['callback-abort', 'for (;;) { const c = new AbortController(); c.signal.addEventListener("abort", () => {}); c.abort(); }'],
    ['callback-cache', "for (;;) caches.open('x' + Math.random()).catch(() => {});"],
  ], { row: '3', may: [...CPU, 'memory_limit_exceeded', 'function_threw'] }),
  // Continuations: the budget is one for all entries.
  ...each([
    ['after-await', 'await 0; for (;;);'],
    ['after-timer', 'await new Promise((r) => setTimeout(r, 5)); for (;;);'],
    ['after-fetch', "await fetch(env.UPSTREAM + '/hello'); for (;;);"],
    ['after-body', "await (await fetch(env.UPSTREAM + '/hello')).text(); for (;;);"],
    ['after-failed-fetch', "await fetch('http://127.0.0.1:1/').catch(() => {}); for (;;);"],
    ['after-digest', "await crypto.subtle.digest('SHA-256', new Uint8Array(8)); for (;;);"],
    ['after-immediate', 'await new Promise((r) => setImmediate(r)); for (;;);'],
    ['interval-slices', 'let n = 0; await new Promise(() => setInterval(() => { for (let i = 0; i < 2e6; i++) n += i; }, 1));'],
    ['immediate-chain', 'await new Promise(() => { const f = () => setImmediate(f); f(); });'],
    ['timeout-chain', 'let n = 0; await new Promise(() => { const f = () => { for (let i = 0; i < 1e6; i++) n += i; setTimeout(f, 0); }; f(); });'],
  ], { row: 'R2', may: [...CPU, 'wall_limit_exceeded'] }),
  ...each([
    ['after-response', "queueMicrotask(() => { for (;;); }); return new Response('x');"],
    ['in-finally', "try { return new Response('x'); } finally { for (;;); }"],
    ['in-pull', 'return new Response(new ReadableStream({ pull() { for (;;); } }));'],
    ['in-body-getter', "return new Response('x', { get status() { for (;;); } });"],
    ['in-headers-iterator', "return new Response('x', { headers: { [Symbol.iterator]: function* () { for (;;) yield ['a', 'b']; } } });"],
  ], { row: 'R2', may: [...CPU, 'broken', 'memory_limit_exceeded'] }),
  { name: 'in-wait-until', row: 'R2', may: ['ok', ...CPU], source: handler("ctx.waitUntil((async () => { await new Promise((r) => setTimeout(r, 5)); for (;;); })()); return new Response('x');") },
  // What is thrown: its accessors are the function's, and run within the budget or not at all.
  ...each([
    ['throw-message-getter', "throw Object.defineProperty(new Error('x'), 'message', { get() { for (;;); } });"],
    ['throw-stack-getter', "throw Object.defineProperty(new Error('x'), 'stack', { get() { for (;;); } });"],
    ['throw-name-getter', "throw Object.defineProperty(new Error('x'), 'name', { get() { for (;;); } });"],
    ['throw-prepare-stack', "Error.prepareStackTrace = () => { for (;;); }; throw new Error('x');"],
    ['throw-proxy', 'throw new Proxy(new Error("x"), { get() { for (;;); }, getPrototypeOf() { for (;;); }, getOwnPropertyDescriptor() { for (;;); } });'],
    ['throw-endless-prototypes', 'const p = new Proxy({}, { getPrototypeOf: () => p }); throw p;'],
    ['reject-stack-getter', "Promise.reject(Object.defineProperty(new Error('x'), 'stack', { get() { for (;;); } })); await new Promise(() => {});"],
    ['reject-name-getter', "Promise.reject(Object.defineProperty(new Error('x'), 'name', { get() { for (;;); } })); await new Promise(() => {});"],
    ['reject-listener', "addEventListener('unhandledrejection', () => { for (;;); }); Promise.reject(1); await new Promise(() => {});"],
  ], { row: '3', may: [...CPU, 'function_threw', 'wall_limit_exceeded'], settings: { limits: { ...LIMITS, wallMs: 300 } } }),
  // isolated-vm copies the reason of a rejection that nobody handles: it reads message, stack and name in native code, and forgets a termination
  // between one read and the next. Where two of them loop, dispose ends only the first: the supervisor ends the host.
  ...each([
    ['reject-message-getter', "Promise.reject(Object.defineProperty(new Error('x'), 'message', { get() { for (;;); } })); await new Promise(() => {});"],
    ['reject-proxy', 'Promise.reject(new Proxy(new Error("x"), { get() { for (;;); }, getPrototypeOf() { for (;;); }, getOwnPropertyDescriptor() { for (;;); } })); await new Promise(() => {});'],
    ['reject-name-of-class', "class Mine extends Error { get name() { for (;;); } } Promise.reject(new Mine('x')); await new Promise(() => {});"],
  ], { row: '3', may: [...CPU, 'host_lost', 'wall_limit_exceeded'], kills: true, costly: true, settings: { limits: { ...LIMITS, wallMs: 5_000 } } }),
  // Nothing in the process ends these; the supervisor ends the process.
  ...each([
    ['includes', 'Array.prototype.includes.call({ length: 2 ** 53 - 1 }, 1);'],
    ['bigint-division', 'const a = (1n << 80_000_000n) - 1n; const b = (1n << 40_000_000n) - 1n; a / b;'],
    ['bigint-multiply', 'const a = (1n << 200_000_000n) - 1n; a * a;'],
    ['bigint-to-string', 'const a = (1n << 80_000_000n) - 1n; a.toString();'],
    ['normalize', "'\\u0041\\u030a\\u0344'.repeat(3e6).normalize('NFKD');"],
    ['replace-many', "'x'.repeat(5e7).replace(/x/g, 'yy');"],
    ['date-parse', "Date.parse('('.repeat(2 ** 26));"],
    ['typed-fill-loop', 'const t = new Float64Array(3e6); for (;;) t.fill(1.5);'],
    ['array-copy-within', 'Array.prototype.copyWithin.call({ length: 2 ** 53 - 1 }, 0, 1);'],
    ['last-index-of', 'Array.prototype.lastIndexOf.call({ length: 2 ** 53 - 1 }, 1);'],
    ['locale-compare', "const a = 'a\\u0301'.repeat(8e6); for (;;) a.localeCompare(a + 'b');"],
    ['to-upper', "const a = 'ß'.repeat(1e7); for (;;) a.toLocaleUpperCase('tr');"],
    ['collator-sort', "const c = new Intl.Collator('de'); Array.from({ length: 1e6 }, (_, i) => 'ä' + (i * 7919) % 1e6).sort(c.compare);"],
    ['segmenter', "[...new Intl.Segmenter('ja', { granularity: 'word' }).segment('東京都'.repeat(1e6))];"],
  ], { row: 'R3', may: [...CPU, 'host_lost', 'memory_limit_exceeded', 'function_threw'], kills: true, costly: true }),
];
