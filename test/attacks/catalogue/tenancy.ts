// Of others: globals, prototypes, secrets, headers that only the node may set, and what escapes from an isolate would need.
import { LIMITS, each, handler } from '../attack.ts';
import type { Attack } from '../attack.ts';

const clean = (answers: readonly string[]): void => {
  for (const text of answers) if (!text.startsWith('clean')) throw new Error(`found: ${text.slice(0, 500)}`);
};

export const TENANCY_ATTACKS: readonly Attack[] = [
  ...each([
    ['pollute-prototypes', "Object.prototype.polluted = 'yes'; Array.prototype.push = () => { throw 1; }; Promise.prototype.then = undefined; JSON.parse = () => 'evil'; String.prototype.split = () => []; return new Response('x');"],
    ['pollute-globals', "for (const k of Object.getOwnPropertyNames(globalThis)) try { delete globalThis[k]; } catch {} return new (request.constructor)('http://a/');"],
    ['freeze-everything', "for (const k of Object.getOwnPropertyNames(globalThis)) { const v = globalThis[k]; if (typeof v === 'function') { Object.freeze(v); Object.freeze(v.prototype); } } Object.freeze(globalThis); return new Response('x');"],
    ['replace-promise', "globalThis.Promise = class { constructor() { throw 1; } }; globalThis.Response = class {}; return new Response('x');"],
    ['replace-fetch-of-others', "globalThis.fetch = () => { throw 1; }; globalThis.Headers = null; await 0; return new Response('x');"],
    ['seal-exports', "Object.freeze(env); Object.freeze(ctx); ctx.waitUntil = null; return new Response('x');"],
  ], { row: 'R11', may: ['ok', 'bad_response', 'function_threw', 'wall_limit_exceeded'], settings: { limits: { ...LIMITS, wallMs: 300 } } }),
  { name: 'reach-for-the-host', row: 'R13', may: ['ok'], check: clean, settings: { limits: { ...LIMITS, cpuMs: 200 } }, source: handler(`
    const found = [];
    const names = ['process', 'require', 'module', 'global', 'ivm', 'isolated', 'Buffer', '__thimble_bind', '__thimble_define', 'Deno', 'Bun', 'gc', '$0', 'Worker', 'XMLHttpRequest', 'WebSocket', 'importScripts', 'SharedArrayBuffer', 'Atomics', 'WebAssembly'];
    for (const n of names) { const v = globalThis[n]; if (v !== undefined && (v.binding || v.mainModule || v.kill || v.dlopen || v.NativeModule || v.createSnapshot || n === 'Atomics' || n === 'WebAssembly' || n === 'SharedArrayBuffer')) found.push(n); }
    const F = (async () => {}).constructor; for (const code of ['return process', 'return require', 'return module', 'return import.meta', 'return global.process']) try { const v = await new F(code)(); if (v && (v.binding || v.mainModule || v.dlopen || v.resolve)) found.push(code); } catch {}
    try { await new F('return await import("node:fs")')(); found.push('import of fs'); } catch {}
    try { await new F('return await import("node:child_process")')(); found.push('import of child_process'); } catch {}
    let e; try { null.x; } catch (thrown) { e = thrown; } if (/isolates\\/|\\/work|node:internal/.test(e.stack)) found.push(e.stack);
    for (const f of [fetch, console.log, setTimeout, crypto.randomUUID, structuredClone, queueMicrotask]) { if (!(f instanceof Function)) found.push('a function of another realm'); try { const v = f.constructor('return typeof process')(); if (v !== 'undefined' && globalThis.process?.binding) found.push('process by constructor'); } catch {} }
    return new Response(found.length ? JSON.stringify(found) : 'clean');`) },
  { name: 'walk-the-graph', row: 'R13', may: ['ok'], check: clean, settings: { limits: { ...LIMITS, cpuMs: 2_000 } }, source: handler(`
    const seen = new Set(); const found = []; const queue = [globalThis, env, ctx, request];
    for (let i = 0; i < queue.length && i < 50_000; i++) { const o = queue[i]; if ((typeof o !== 'object' && typeof o !== 'function') || o === null || seen.has(o)) continue; seen.add(o);
      const brand = Object.prototype.toString.call(o); if (/Isolate|Reference|ExternalCopy|NativeModule|Context\\b/.test(brand) && !/ExecutionContext/.test(brand)) found.push(brand);
      for (const k of Reflect.ownKeys(o)) { let d; try { d = Reflect.getOwnPropertyDescriptor(o, k); } catch { continue; } if (d) { queue.push(d.value, d.get, d.set); if (/applySync|derefInto|createSnapshot|dlopen/.test(String(k))) found.push(String(k)); } }
      try { queue.push(Object.getPrototypeOf(o)); } catch {} }
    return new Response(found.length ? JSON.stringify(found) : 'clean ' + seen.size);`) },
  { name: 'secrets-of-others', row: 'R12', may: ['ok'], check: clean, source: handler("const text = JSON.stringify([env, Object.keys(globalThis), globalThis.process?.env ?? {}]); return new Response(/NEIGHBOUR|THIMBLE_(?:TOKEN|SECRET)/.test(text) ? text : 'clean');") },
  { name: 'stack-frames', row: 'R13', may: ['ok'], check: clean, source: handler(`
    const found = []; Error.stackTraceLimit = 500;
    try { Error.prepareStackTrace = (e, sites) => { for (const s of sites) { try { const f = s.getFunction?.(); if (f && !String(f).includes('fetch')) found.push(String(f).slice(0, 50)); } catch {} try { const t = s.getThis?.(); if (t && t !== globalThis) found.push('this'); } catch {} } return 'x'; }; new Error('x').stack; } catch {}
    return new Response(found.length ? JSON.stringify(found) : 'clean');`) },
  { name: 'clock-precision', row: 'R14', may: ['ok'], check: clean, settings: { limits: { ...LIMITS, cpuMs: 200 } }, source: handler("const a = [Date.now(), performance.now(), new Date().getTime()]; let n = 0; for (let i = 0; i < 3e6; i++) n += i; const b = [Date.now(), performance.now(), new Date().getTime()]; return new Response(String(a) === String(b) && typeof SharedArrayBuffer === 'undefined' && typeof Atomics === 'undefined' ? 'clean' : 'the clock ran ' + a + ' ' + b + n);") },
  { name: 'env-prototype-keys', row: 'own', may: ['ok'], settings: { env: { constructor: 'a', toString: 'b', valueOf: 'c', hasOwnProperty: 'd', _: 'e' } }, source: handler("return new Response(env.constructor === 'a' && env.valueOf === 'c' && Object.keys(env).length >= 5 ? 'clean' : JSON.stringify(env));"), check: clean },
  {
    name: 'spoofed-headers', row: 'own', may: ['ok', 'no_route', 'no_version', 'bad_request'],
    calls: [{ headers: { 'x-thimble-version': '99', 'x-thimble-user': 'root', 'x-thimble-invocation': '1', 'x-thimble-tenant': 'neighbour', 'x-thimble-reason': 'x', 'x-forwarded-for': '1.2.3.4', 'x-request-id': 'mine', 'x-forwarded-proto': 'https' } }],
    source: handler("const all = [...request.headers]; const spoofed = all.filter(([k, v]) => k.startsWith('x-thimble-') || (k === 'x-forwarded-for' && v.includes('1.2.3.4')) || (k === 'x-request-id' && v === 'mine') || v === 'https'); return new Response(spoofed.length ? JSON.stringify(spoofed) : 'clean');"), check: clean,
  },
  { name: 'code-generation', row: '3', may: ['ok', 'function_threw', 'memory_limit_exceeded', 'cpu_limit_exceeded', 'host_lost'], kills: true, costly: true, source: handler("for (let i = 1; ; i *= 2) new Function('x'.repeat(i * 1000) + '=1');") },
  { name: 'code-generation-huge', row: 'own', may: ['ok', 'function_threw', 'memory_limit_exceeded', 'cpu_limit_exceeded', 'host_lost'], kills: true, costly: true, source: handler("new Function('return [' + '1,'.repeat(3e7) + '1]')();"), settings: { limits: { ...LIMITS, cpuMs: 1_000 } } },
  { name: 'finalizers', row: 'own', may: ['ok', 'cpu_limit_exceeded', 'memory_limit_exceeded'], calls: [{}, {}, {}], source: handler("globalThis.registry ??= new FinalizationRegistry(() => { for (;;); }); for (let i = 0; i < 1e4; i++) registry.register({}, i); const big = []; for (let i = 0; i < 50; i++) big.push(new Array(1e4).fill(i)); return new Response('x');") },
];
