// A function that replaces the language's own objects breaks only itself: it sees nothing of another invocation, no function of the runtime, and no limit gives way.
import { describe, expect, test } from 'vitest';
import { ATTACKS } from '../../../support/intrinsic-attacks.ts';
import { TestHost } from '../../../support/isolates-host.ts';

const host = TestHost.shared();

/**
 * The victim's requests are answered by a handler that never looks at them: whatever the spies then hold of them came from the runtime itself.
 * Everything that the handler needs is taken before the attack.
 */
const source = (attack: string): string => `
  const { apply, construct, ownKeys, getPrototypeOf, getOwnPropertyDescriptor, defineProperty } = Reflect;
  const { stringify } = JSON; const NativeResponse = Response; const NativeString = String; const { indexOf } = NativeString.prototype; const NativeSet = Set; const { add, has } = NativeSet.prototype;
  const urlOf = getOwnPropertyDescriptor(Request.prototype, 'url').get; const readText = Request.prototype.text; const ObjectToString = Object.prototype.toString; const { freeze } = Object;
  let known; let seen = []; let recording = false; let busy = false;
  const remember = (v, depth) => { if (v === null || (typeof v !== 'object' && typeof v !== 'function') || depth > 8 || apply(has, known, [v])) return; apply(add, known, [v]);
    const keys = ownKeys(v); for (let i = 0; i < keys.length; i++) { let d; try { d = getOwnPropertyDescriptor(v, keys[i]); } catch { continue; } if (!d) continue; if ('value' in d) remember(d.value, depth + 1); else { remember(d.get, depth + 1); remember(d.set, depth + 1); } }
    remember(getPrototypeOf(v), depth + 1); };
  known = new NativeSet(); remember(globalThis, 0); remember(Response.prototype, 0);
  const own = (f) => { apply(add, known, [f]); return f; };
  const text = (v, depth) => { const t = typeof v; if (t === 'string') return v; if (t === 'function') return apply(has, known, [v]) ? 'f' : 'UNKNOWN_FUNCTION'; if (t !== 'object' || v === null) return NativeString(t === 'symbol' ? 'symbol' : v);
    let out = ''; if (depth < 3) { let keys = []; try { keys = ownKeys(v); } catch {} for (let i = 0; i < keys.length && i < 50; i++) { let d; try { d = getOwnPropertyDescriptor(v, keys[i]); } catch { continue; } if (d && 'value' in d) out += text(d.value, depth + 1) + ' '; } } return out; };
  const spy = (label, ...values) => { if (!recording || busy) return; busy = true; try { let out = label; for (let i = 0; i < values.length; i++) out += ' | ' + text(values[i], 0); if (seen.length < 3000) seen[seen.length] = out; } finally { busy = false; } };
  const wrap = (holder, key) => { const d = getOwnPropertyDescriptor(holder, key); if (!d || typeof d.value !== 'function') return; const real = d.value;
    const made = own({ m(...args) { spy('call ' + typeof key, this, args); const result = new.target ? construct(real, args, new.target) : apply(real, this, args); spy('result', result); return result; } }.m);
    try { defineProperty(holder, key, { value: made, writable: true, configurable: true, enumerable: d.enumerable }); } catch {} };
  const trap = (holder, key) => { let at; defineProperty(holder, key, { get: own(function () { spy('get', this); return undefined; }), set: own(function (v) { spy('set', this, v); defineProperty(this, key, { value: v, writable: true, configurable: true, enumerable: true }); }), configurable: true }); };
  const goes = (url, word) => apply(indexOf, url, [word]) >= 0;
  let report = () => stringifyAll();
  const stringifyAll = () => { let out = ''; for (let i = 0; i < seen.length; i++) out += seen[i] + '\\n'; return out; };
  const handler = own(function handler(request) {
    const url = apply(urlOf, request, []);
    if (goes(url, '/victim')) { if (globalThis.stackNow) globalThis.stackNow(); return globalThis.answer ? globalThis.answer() : new NativeResponse('ok'); }
    if (goes(url, '/reader')) return (async () => { await apply(readText, request, []); return new NativeResponse('ok'); })();
    if (goes(url, '/seen')) { recording = false; return new NativeResponse(stringifyAll()); }
    if (goes(url, '/spin')) for (;;);
    if (goes(url, '/late')) return (async () => { await null; for (;;); })();
    return new NativeResponse('?');
  });
  ${attack}
  recording = true;
  export default { fetch: handler };`;

describe('what a function can do to the runtime by replacing intrinsics', () => {
  test.each(ATTACKS.map((attack) => [attack.name, attack.code, attack.fatal !== true] as const))('%s', async (_name, code, survives) => {
    const neighbour = await host().deploy(`export default { fetch: async (r) => new Response(await r.text()) };`);
    const f = await host().deploy(source(code), { cpuMs: 60 });
    const secret = `secret-${Math.random().toString(36).slice(2)}`;
    const victim = { headers: { 'x-secret': secret, cookie: `id=${secret}` }, body: `body of ${secret}` };
    // Some of these break the function itself: then it fails, typed, and that is all.
    const [blind, reader] = await Promise.all([host().call(f, { path: `/victim?${secret}`, ...victim }), host().call(f, { path: '/reader', ...victim })]);
    // A prototype more or less must not stop the platform: a check of what is not there would prove nothing.
    expect(!survives || (blind.body.toString() === 'ok' && reader.body.toString() === 'ok')).toBe(true);
    const seen = await host().call(f, { path: '/seen' });
    const text = seen.body.toString();
    expect(text).not.toContain(secret);
    expect(text).not.toContain('UNKNOWN_FUNCTION');
    for (const path of ['/spin', '/late']) {
      const spun = await host().call(f, { path });
      expect([path, spun.code]).toEqual([path, expect.stringMatching(/^(?:cpu_limit_exceeded|function_threw|bad_response)$/)]);
      expect(spun.cpuUs).toBeLessThan(2_000_000);
    }
    expect(await host().text(neighbour, { body: 'still here' })).toBe('still here');
    expect(host().alive).toBe(true);
  });
});
