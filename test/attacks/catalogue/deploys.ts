// Modules that attack while they are loaded: loops, throws, getters on exports, and sources no builder likes.
import { LIMITS, handler } from '../attack.ts';
import type { Attack } from '../attack.ts';

const good = handler("return new Response('x');");
const START = ['function_threw', 'cpu_limit_exceeded', 'memory_limit_exceeded'] as const;

const modules: readonly (readonly [name: string, source: string, more?: Partial<Attack>])[] = [
  ['module-throws', `throw new Error('x');${good}`],
  ['module-throws-proxy', `throw new Proxy({}, { get() { throw 1; } });${good}`],
  ['module-throws-getter', `throw Object.defineProperty(new Error('x'), 'stack', { get() { for (;;); } });${good}`, { costly: true }],
  ['module-rejects', `Promise.reject(new Error('x'));${good}`, { may: ['ok', ...START] }],
  ['module-await-never', `await new Promise(() => {});${good}`],
  ['module-await-rejects', `await Promise.reject(new Error('x'));${good}`],
  ['module-loop', `for (;;);${good}`, { costly: true }],
  ['module-microtask-loop', `const f = () => Promise.resolve().then(f); f();${good}`, { costly: true }],
  ['module-await-loop', `await 0; for (;;);${good}`, { costly: true }],
  ['module-array-fill', `new Array(1e8).fill(0);${good}`, { costly: true, kills: true, may: ['host_lost', ...START] }],
  ['module-growth', `const a = []; for (;;) a.push({ x: [a.length] });${good}`, { costly: true, kills: true, may: ['host_lost', ...START] }],
  ['module-uninterruptible', `Array.prototype.includes.call({ length: 2 ** 53 - 1 }, 1);${good}`, { costly: true, kills: true, may: ['host_lost', ...START] }],
  ['module-timers', `for (let i = 0; i < 2e4; i++) setTimeout(() => {}, 1e6);${good}`, { may: ['ok', ...START] }],
  ['module-fetch', `await fetch('http://127.0.0.1:1/');${good}`, { may: ['ok', ...START] }],
  ['module-breaks-promise', `globalThis.Promise = null; Object.defineProperty(Object.prototype, 'default', { get() { throw 1; } });${good}`, { may: ['ok', 'bad_response', ...START] }],
  ['no-handler', 'export const x = 1;', { may: ['bad_response', 'no_route', ...START] }],
  ['empty', '', { may: ['bad_response', 'no_route', ...START] }],
  ['handler-is-no-function', 'export default { fetch: 42 };'],
  ['handler-getter-throws', 'export default { get fetch() { throw new Error("x"); } };'],
  ['handler-getter-loops', 'export default { get fetch() { for (;;); } };', { costly: true }],
  ['default-is-proxy', 'export default new Proxy({}, { get() { throw new Error("x"); }, has() { throw 1; } });'],
  ['default-is-thenable', 'export default { then() { for (;;); }, fetch() { return new Response("x"); } };', { may: ['ok', ...START], costly: true }],
  ['default-is-revoked', 'const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); export default proxy;'],
  ['exports-huge', `${Array.from({ length: 2_000 }, (_, i) => `export const a${i} = () => ${i};`).join('\n')}`, { may: ['ok', 'no_route', 'method_not_allowed', 'bad_request', ...START] }],
  ['source-large', `const table = ${JSON.stringify('x'.repeat(2_000_000))};${good}`, { may: ['ok', ...START] }],
  ['source-nested', `const deep = ${'['.repeat(1_000)}${']'.repeat(1_000)};${good}`, { may: ['ok', ...START] }],
  ['deno-serve-twice', 'Deno.serve(() => new Response("a")); Deno.serve(() => new Response("b"));', { may: ['ok', ...START] }],
  ['listener-flood', 'for (let i = 0; i < 1e4; i++) addEventListener("fetch", (e) => e.respondWith(new Response("x")));', { may: ['ok', 'bad_response', ...START] }],
];

/** Sources that no version comes of: the deploy is refused by name, and nothing of it stays. */
export const REFUSED_SOURCES: readonly (readonly [name: string, files: Readonly<Record<string, string>>, code: string])[] = [
  ['syntax', { 'index.js': 'export default {' }, 'build_failed'],
  ['missing-import', { 'index.js': "import './nothing.js';" }, 'build_failed'],
  ['file-outside', { 'index.js': "import '../../../../etc/passwd';" }, 'build_failed'],
  ['file-absolute', { 'index.js': "import text from '/etc/passwd' with { type: 'text' };" }, 'build_failed'],
  ['path-climbs', { '../evil.js': good }, 'invalid'],
  ['path-absolute', { '/etc/evil.js': good }, 'invalid'],
  ['path-control', { 'a\u0000b.js': good }, 'invalid'],
  ['import-child-process', { 'index.js': "import { execSync } from 'node:child_process'; export default { fetch() { return new Response(execSync('id')); } };" }, 'build_failed'],
];

/** As above; each costs the build process about 1 GB and its life, twice. */
export const FATAL_SOURCES: typeof REFUSED_SOURCES = [
  ['nested-arrays', { 'index.js': `export default ${'['.repeat(4e6)}${']'.repeat(4e6)};` }, 'build_failed'],
  ['nested-templates', { 'index.js': `export default ${'`${'.repeat(2e6)}` }, 'build_failed'],
];

export const DEPLOY_ATTACKS: readonly Attack[] = modules.map(([name, source, more]): Attack => ({
  name, row: 'R10', source, may: START, calls: [{}, {}], settings: { limits: { ...LIMITS, wallMs: 25_000 } }, ...more,
}));
