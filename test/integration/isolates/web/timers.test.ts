// HTML standard, sections 8.6 and 8.7: timers and microtasks; and setImmediate.
import { describe, expect, test } from 'vitest';
import { TestHost } from '../../../support/isolates-host.ts';
import { inside } from '../../../support/isolates-inside.ts';

const host = TestHost.shared();
const run = (body: string): Promise<unknown> => inside(host(), body);

describe('setTimeout and setInterval (8.6)', () => {
  test('handles are numbers above zero; this is globalThis; arguments are passed on; lengths and names', async () => {
    expect(await run(`const seen = await new Promise((resolve) => setTimeout(function () { 'use strict'; resolve([this === globalThis, ...arguments]); }, 1, 'a', 2)); const id = setTimeout(() => {}); const d = Object.getOwnPropertyDescriptor(globalThis, 'setTimeout');
      return [seen, typeof id, id > 0, Number.isInteger(id), setTimeout.length, setInterval.length, clearTimeout.length, clearInterval.length, queueMicrotask.length, setImmediate.length, setTimeout.name, d.enumerable, d.writable];`)).toEqual([[true, 'a', 2], 'number', true, true, 1, 1, 0, 0, 1, 1, 'setTimeout', true, true]);
  });
  test('fire by due time, then in the order of their making', async () => {
    expect(await run(`const seen = []; setTimeout(() => seen.push('c'), 30); setTimeout(() => seen.push('a'), 10); setTimeout(() => seen.push('b'), 20); for (let i = 0; i < 5; i++) setTimeout(() => seen.push(i), 5); await later(60); return seen.join('');`)).toBe('01234abc');
  });
  test.each([['negative', '-100'], ['NaN', 'NaN'], ['Infinity', 'Infinity'], ['2 ** 32', '2 ** 32'], ['2 ** 31', '2 ** 31'], ['null', 'null'], ['text', "'soon'"], ['an object', '{}'], ['undefined', 'undefined']])('a delay of %s is zero', async (_name, delay) => {
    expect(await run(`return await new Promise((resolve) => { setTimeout(() => resolve('fired'), ${delay}); setTimeout(() => resolve('late'), 500); });`)).toBe('fired');
  });
  test('delays convert as Web IDL says, and what converts badly throws', async () => {
    expect(await run(`const seen = []; setTimeout(() => seen.push('1'), '1'); setTimeout(() => seen.push('v'), { valueOf: () => 2 }); setTimeout(() => seen.push('never'), 1e6); await later(20); return [seen.join(''), thrown(() => setTimeout(() => {}, 1n)), thrown(() => setTimeout(() => {}, Symbol())), thrown(() => setTimeout(() => {}, { valueOf() { throw new RangeError(); } }))];`)).toEqual(['1v', 'TypeError', 'TypeError', 'RangeError']);
  });
  test.each([`setTimeout('code()')`, `setTimeout()`, `setTimeout({})`, `setInterval('x', 1)`, `setImmediate('x')`, `queueMicrotask()`, `queueMicrotask('x')`, `queueMicrotask(null)`])('%s throws a TypeError: text is no code here', async (code) => {
    expect(await run(`return thrown(() => ${code});`)).toBe('TypeError');
  });
  test('clearing: either function for either timer, any value, from within the callback', async () => {
    expect(await run(`const seen = []; clearTimeout(setInterval(() => seen.push('i'), 1)); clearInterval(setTimeout(() => seen.push('t'), 1)); clearTimeout(String(setTimeout(() => seen.push('s'), 1))); for (const odd of [undefined, null, NaN, -1, 0, 1e9, {}, 'x']) { clearTimeout(odd); clearInterval(odd); clearImmediate(odd); }
      let n = 0; const id = setInterval(() => { n += 1; if (n === 3) clearInterval(id); }, 1); const once = setTimeout(() => { clearTimeout(once); seen.push('once'); }, 1); const b = setTimeout(() => seen.push('b'), 3); setTimeout(() => clearTimeout(b), 1); await later(40); return [seen, n];`)).toEqual([['once'], 3]);
  });
  test('nesting, microtasks between callbacks', async () => {
    expect(await run(`const seen = []; await new Promise((resolve) => { setTimeout(() => { seen.push(1); queueMicrotask(() => seen.push('m')); setTimeout(() => { seen.push(3); resolve(); }); }); setTimeout(() => seen.push(2)); }); return seen;`)).toEqual([1, 'm', 2, 3]);
  });
  test('an interval goes on after an exception', async () => {
    expect(await run(`onerror = () => true; let n = 0; const id = setInterval(() => { n += 1; if (n > 2) clearInterval(id); throw new Error('x'); }, 1); await later(40); return n;`)).toBe(3);
  });
  test('setImmediate comes before later timers, and its handles are its own', async () => {
    expect(await run(`const seen = []; setTimeout(() => seen.push('t'), 15); const a = setImmediate((x, y) => seen.push(x + y), 'i', 'm'); const gone = setImmediate(() => seen.push('never')); clearTimeout(a); clearImmediate(gone); queueMicrotask(() => seen.push('micro')); seen.push('sync'); await later(30); return [seen, typeof a];`)).toEqual([['sync', 'micro', 'im', 't'], 'number']);
  });
  test('ten thousand timers are the limit, which throws and can be recovered from', async () => {
    expect(await inside(host(), `const ids = []; let name; try { for (;;) ids.push(setTimeout(() => {}, 1e6)); } catch (e) { name = e.name; if (/file:|node:/.test(e.stack)) name = e.stack; } for (const id of ids) clearTimeout(id); await later(1); return [name, ids.length >= 9_000 && ids.length <= 10_000];`, { settings: { cpuMs: 5_000 } })).toEqual(['RangeError', true]);
  });
  test('timers end with their invocation, and the isolate lets their callbacks go', async () => {
    // Each call leaves a callback with 1 MB behind: two hundred of them would not fit.
    const f = await host().deploy(`let n = 0; export default { async fetch() { const big = new Array(130_000).fill(++n); setTimeout(() => { n = big.length; }, 60_000); setInterval(() => big, 60_000); return new Response('x'); } };`, { memoryMb: 64, cpuMs: 1_000 });
    for (let i = 0; i < 200; i++) expect(await host().text(f)).toBe('x');
  });
});

describe('queueMicrotask (8.7)', () => {
  test('order with promises, this, arguments, exceptions', async () => {
    expect(await run(`const seen = []; Promise.resolve().then(() => seen.push('p1')); queueMicrotask(function () { 'use strict'; seen.push(this === undefined, arguments.length); }); Promise.resolve().then(() => seen.push('p2')); seen.push('sync'); await later(1); return [seen, queueMicrotask(() => {}) === undefined];`)).toEqual([['sync', 'p1', true, 0, 'p2'], true]);
  });
  test('a patched Promise.prototype.then is not called', async () => {
    expect(await run(`let patched = 0; const { then } = Promise.prototype; Promise.prototype.then = function (...a) { patched++; return then.apply(this, a); }; let ran = false; queueMicrotask(() => { ran = true; }); await null; await null; await null; Promise.prototype.then = then; return [ran, patched];`)).toEqual([true, 0]);
  });
});

describe('navigator', () => {
  test('is an instance of its interface with one product token', async () => {
    expect(await run(`const d = Object.getOwnPropertyDescriptor(globalThis, 'navigator'); return [navigator.userAgent, navigator instanceof Navigator, String(navigator), thrown(() => new Navigator()), navigator.hardwareConcurrency, thrown(() => Object.getOwnPropertyDescriptor(Navigator.prototype, 'userAgent').get.call({})), d.enumerable];`)).toEqual(['Thimble', true, '[object Navigator]', 'TypeError', 1, 'TypeError', true]);
  });
});
