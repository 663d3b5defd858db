// HTML standard, section 8.1.4: uncaught exceptions and unhandled rejections. What was answered stands, the isolate lives, each is reported once.
import { describe, expect, test } from 'vitest';
import { TestHost } from '../../../support/isolates-host.ts';
import type { LogLine } from '../../../support/isolates-host.ts';
import { inside, logged } from '../../../support/isolates-inside.ts';

const host = TestHost.shared();
const run = (body: string): Promise<unknown> => inside(host(), body);
const lines = (text: string): LogLine[] => host().logs.filter((l) => l.message.includes(text));
const settle = (ms = 400): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('ErrorEvent and PromiseRejectionEvent', () => {
  test('constructors and defaults', async () => {
    expect(await run(`const show = (e) => [e.type, e.message, e.filename, e.lineno, e.colno, e.error, e instanceof Event]; const o = {};
      return [show(new ErrorEvent('error')), show(new ErrorEvent('x', { message: 1, filename: 'f', lineno: 2 ** 32 + 3, colno: -1, error: 0 })), ErrorEvent.length, thrown(() => new ErrorEvent()), 'error' in ErrorEvent.prototype, new ErrorEvent('e', { error: undefined }).error, Object.prototype.toString.call(new ErrorEvent('e'))];`))
      .toEqual([['error', '', '', 0, 0, null, true], ['x', '1', 'f', 3, 4_294_967_295, 0, true], 1, 'TypeError', true, null, '[object ErrorEvent]']);
    expect(await run(`const promise = Promise.resolve(); const e = new PromiseRejectionEvent('a', { promise, reason: 5, cancelable: true }); return [e.promise === promise, e.reason, e.cancelable, new PromiseRejectionEvent('a', { promise }).reason, PromiseRejectionEvent.length,
      thrown(() => new PromiseRejectionEvent('a')), thrown(() => new PromiseRejectionEvent('a', {})), thrown(() => new PromiseRejectionEvent('a', { promise: 1 })), thrown(() => new PromiseRejectionEvent('a', null)), new PromiseRejectionEvent('a', { promise: {} }).promise instanceof Object];`))
      .toEqual([true, 5, true, null, 2, 'TypeError', 'TypeError', 'TypeError', 'TypeError', true]);
  });
});

describe('reportError and uncaught exceptions (8.1.4.6)', () => {
  test('reportError fires a cancelable, trusted ErrorEvent with the value itself', async () => {
    expect(await run(`const seen = []; addEventListener('error', (e) => { seen.push(e.error, e.cancelable, e.bubbles, e.isTrusted, e instanceof ErrorEvent, e.target === globalThis, typeof e.message); e.preventDefault(); }); const o = { a: 1 }; reportError(o); reportError(null); reportError(undefined);
      const boom = new RangeError('boom'); let place; self.onerror = (m, f, l, c, e) => { place = [m, f !== '', l > 0, c > 0, e === boom]; }; reportError(boom); return [seen.slice(0, 7), seen[7], seen[14] === undefined, place, thrown(() => reportError()), reportError.length];`))
      .toEqual([[{ a: 1 }, true, false, true, true, true, 'string'], null, true, ['Uncaught RangeError: boom', true, true, true, true], 'TypeError', 1]);
  });
  test('the place of a value that has none is where it was reported; no getter of a value that is no Error is called', async () => {
    expect(await run(`const seen = []; addEventListener('error', (e) => { seen.push(e.filename !== '', e.lineno > 0, e.colno > 0, e.message); e.preventDefault(); }); reportError(1); reportError(undefined); let calls = 0; const touch = () => { calls++; return 'x'; };
      const odd = { get name() { return touch(); }, get message() { return touch(); }, get stack() { return touch(); }, get fileName() { return touch(); } }; reportError(odd); onerror = null; removeEventListener('error', () => {}); return [seen, calls];`))
      .toEqual([[true, true, true, 'Uncaught 1', true, true, true, 'Uncaught undefined', true, true, true, 'Uncaught Error'], 0]);
  });
  test('onerror: five arguments, true prevents, for other events it is a plain handler', async () => {
    expect(await run(`const seen = []; onerror = function (...args) { seen.push(args.length, this === globalThis); return true; }; const e = new ErrorEvent('error', { cancelable: true, message: 'm' }); dispatchEvent(e); const plain = new Event('error', { cancelable: true }); dispatchEvent(plain);
      const other = new EventTarget(); let at; other.addEventListener('error', (ev) => { at = ev.message; }); other.dispatchEvent(new ErrorEvent('error', { message: 'x' })); onerror = null; return [seen, e.defaultPrevented, plain.defaultPrevented, at, onerror];`)).toEqual([[5, true, 1, true], true, false, 'x', null]);
    expect(await run(`onunhandledrejection = () => false; const e = new Event('unhandledrejection', { cancelable: true }); dispatchEvent(e); const d = Object.getOwnPropertyDescriptor(globalThis, 'onerror'); return [e.defaultPrevented, typeof d.get, typeof d.set, d.enumerable, 'onrejectionhandled' in globalThis, onrejectionhandled, d.get.name];`)).toEqual([true, 'function', 'function', true, true, null, 'get onerror']);
  });
  test('timers, microtasks and listeners report what they throw; nothing is lost', async () => {
    expect(await run(`const seen = []; addEventListener('error', (e) => { seen.push(e.error); e.preventDefault(); }); setTimeout(() => { throw 't'; }); setImmediate(() => { throw 'i'; }); queueMicrotask(() => { throw 'm'; }); const et = new EventTarget(); et.addEventListener('x', () => { throw 'l'; }); et.dispatchEvent(new Event('x')); await later(20); return seen.sort();`)).toEqual(['i', 'l', 'm', 't']);
  });
  test('a listener of error that throws goes to the log, without an end to the others', async () => {
    expect(await run(`let n = 0; addEventListener('error', () => { n++; throw new Error('thrown while reporting'); }); addEventListener('error', (e) => { n++; e.preventDefault(); }); reportError(new Error('prevented line')); return n;`)).toBe(2);
    expect((await logged(host(), 'thrown while reporting')).level).toBe('error');
    expect(lines('prevented line')).toEqual([]);
  });
  test('what nobody prevents is one line of the log, with the stack', async () => {
    await run(`setTimeout(() => { throw new TypeError('from a timer'); }); reportError('a bare string'); await later(10);`);
    const line = await logged(host(), 'from a timer');
    expect(line.level).toBe('error');
    expect(line.message).toMatch(/^TypeError: from a timer\n {4}at /);
    expect(line.message).not.toContain('thimble:');
    await logged(host(), 'a bare string');
    expect(lines('from a timer').length).toBe(1);
  });
});

describe('unhandled rejections (8.1.4.7)', () => {
  test('are one line each; what was answered stands, and the isolate lives on with its state', async () => {
    const f = await host().deploy(`let calls = 0; export default { fetch() { calls += 1; Promise.reject(new RangeError('nobody cares')); return new Response(String(calls)); } };`);
    expect([await host().text(f), await host().text(f), await host().text(f)]).toEqual(['1', '2', '3']);
    await logged(host(), 'nobody cares');
    await settle();
    expect(lines('nobody cares').length).toBe(3);
    expect(lines('nobody cares')[0]).toMatchObject({ level: 'error' });
    expect(lines('nobody cares')[0]?.message).toMatch(/^Uncaught \(in promise\) RangeError: nobody cares\n {4}at /);
    expect(lines('nobody cares')[0]?.message).not.toMatch(/isolated-vm|thimble:|tenant-isolate|node:/);
  });
  test('the event has the error itself, and preventDefault suppresses the line', async () => {
    expect(await run(`class Mine extends Error { get name() { return 'Mine'; } } const why = new Mine('é prevented ünhandled'); why.extra = 7; let got; addEventListener('unhandledrejection', (e) => { got = [e.reason === why, e.reason?.extra, e.cancelable, e.isTrusted, e.promise instanceof Promise, e instanceof PromiseRejectionEvent, e.target === self]; e.preventDefault(); }); (async () => { throw why; })(); await later(10); return got;`))
      .toEqual([true, 7, true, true, true, true, true]);
    await settle();
    expect(lines('prevented ünhandled')).toEqual([]);
  });
  test.each([
    ['a string', `'str'`, 'str'], ['a number', '42', 42], ['null', 'null', null], ['a boolean', 'false', false], ['undefined', 'undefined', null],
  ])('%s arrives as it is', async (_name, reason, expected) => {
    expect(await run(`let got = 'none'; onunhandledrejection = (e) => { got = e.reason; return false; }; Promise.reject(${reason}); await later(5); return got;`)).toEqual(expected);
  });
  test('objects that are no errors, proxies and symbols arrive as an Error that says so', async () => {
    for (const reason of ['{ a: 1 }', 'new Proxy({}, { get() { throw 1; } })', 'Symbol("x")', 'Object.create(null)', '[]', '() => {}']) {
      expect(await run(`let got = 'none'; onunhandledrejection = (e) => { got = e.reason instanceof Error; return false; }; Promise.reject(${reason}); await later(5); return got;`)).toBe(true);
    }
  });
  test('an AbortError and a DOMException keep their identity, too', async () => {
    expect(await run(`const e1 = new DOMException('x', 'AbortError'); let got; onunhandledrejection = (e) => { got = [e.reason === e1, e.reason.code]; return false; }; Promise.reject(e1); await later(5); return got;`)).toEqual([true, 20]);
  });
  test('handled in time, in the same entry, is no rejection at all', async () => {
    expect(await run(`let n = 0; onunhandledrejection = () => { n++; return false; }; const p = Promise.reject(new Error('x')); queueMicrotask(() => p.catch(() => {})); const q = (async () => { await null; throw 1; })(); try { await q; } catch {} await later(5); return n;`)).toBe(0);
  });
  test('a rejection in a listener of unhandledrejection is logged, and its listener not called again', async () => {
    expect(await run(`let n = 0; addEventListener('unhandledrejection', (e) => { n++; e.preventDefault(); Promise.reject(new Error('rejected while reporting')); }); Promise.reject(new Error('first')); await later(10); return n;`)).toBe(1);
    await logged(host(), 'rejected while reporting');
    await settle();
    expect(lines('rejected while reporting').length).toBe(1);
  });
  test('an exception in a listener of unhandledrejection is reported', async () => {
    expect(await run(`let got; onerror = (m) => { got = m; return true; }; onunhandledrejection = () => { throw new Error('in the listener'); }; Promise.reject(new Error('the rejection')); await later(10); return got;`)).toBe('Uncaught Error: in the listener');
    await logged(host(), 'the rejection');
  });
  test('during the evaluation of the module: reported, and the function works', async () => {
    const f = await host().deploy(`Promise.reject(new Error('at top level')); export default { fetch: () => new Response('up') };`);
    expect(await host().text(f)).toBe('up');
    await logged(host(), 'at top level');
    const broken = await host().deploy(`Promise.reject(new Error('beside')); throw new SyntaxError('real');`, { debug: true });
    expect((await host().call(broken)).code).toBe('function_threw');
  });
  test('in timers, in streams of the answer, after the answer: the answer is whole', async () => {
    const f = await host().deploy(`export default { fetch(request, env, ctx) {
      ctx.waitUntil(new Promise((resolve) => setTimeout(() => { Promise.reject(new Error('in waitUntil')); resolve(); }, 5)));
      let n = 0; return new Response(new ReadableStream({ async pull(c) { await new Promise((r) => setTimeout(r, 2)); Promise.reject(new Error('in pull')); if (++n > 3) c.close(); else c.enqueue(new TextEncoder().encode('x')); } })); } };`);
    expect(await host().text(f)).toBe('xxx');
    await logged(host(), 'in pull');
    await logged(host(), 'in waitUntil');
  });
  test('thousands in one entry: one line, no more work than that', async () => {
    expect(await run(`for (let i = 0; i < 5_000; i++) Promise.reject(new Error('one of thousands')); return 'ok';`)).toBe('ok');
    await logged(host(), 'one of thousands');
    await settle();
    expect(lines('one of thousands').length).toBe(1);
  });
  test('a huge message is cut', async () => {
    expect(await run(`Promise.reject(new Error('huge ' + 'x'.repeat(5_000_000))); return 'ok';`)).toBe('ok');
    expect((await logged(host(), 'huge xxx')).message.length).toBeLessThan(11_000);
  });
  test('getters that throw, or spin, while the reason is copied', async () => {
    expect(await run(`Promise.reject({ get message() { throw 1; }, get stack() { throw 2; }, get name() { throw 3; } }); Promise.reject(Object.assign(new Error('x'), { get stack() { return {}; } })); await later(5); return 'ok';`)).toBe('ok');
    const f = await host().deploy(`export default { fetch() { Promise.reject({ get message() { for (;;); } }); return new Response('never'); } };`);
    expect((await host().call(f)).code).toBe('cpu_limit_exceeded');
  });
  test('the listener spends the CPU time of its invocation', async () => {
    const f = await host().deploy(`addEventListener('unhandledrejection', () => { for (;;); }); export default { fetch() { Promise.reject(1); return new Response('never'); } };`);
    expect((await host().call(f)).code).toBe('cpu_limit_exceeded');
  });
  test('recursion without end in a handler is an exception of the handler, and the isolate lives', async () => {
    const f = await host().deploy(`let n = 0; const deep = () => deep() + 1; export default { fetch(request) { n += 1; if (new URL(request.url).pathname === '/deep') return new Response(String(deep())); return new Response(String(n)); } };`);
    expect(await host().text(f)).toBe('1');
    expect((await host().call(f, { path: '/deep' })).code).toBe('function_threw');
    expect(await host().text(f)).toBe('3');
  });
  test('a tenant that replaces prepareStackTrace still has its rejections reported', async () => {
    expect(await run(`Error.prepareStackTrace = () => 'mine'; let got; onunhandledrejection = (e) => { got = e.reason.message; return false; }; Promise.reject(new Error('text')); await later(5); return got;`)).toBe('text');
    expect(await run(`Error.prepareStackTrace = () => { throw 1; }; Promise.reject(new Error('thrown by prepare')); await later(5); return 'ok';`)).toBe('ok');
  });
});

describe('stacks', () => {
  test('have their usual form, without frames of the runtime', async () => {
    expect(await run(`function inner() { return new TypeError('m'); } const s = inner().stack.split('\\n'); let bad; try { atob('!!!'); } catch (e) { bad = e.stack; } const t = await new Promise((resolve) => setTimeout(() => resolve(new Error('t').stack)));
      return [s[0], s[1].startsWith('    at inner ('), bad.split('\\n')[0].startsWith('InvalidCharacterError: '), bad.includes('    at '), bad.includes('thimble:'), t.includes('thimble:'), new Error().stack.split('\\n')[0], Object.assign(new Error('x'), { name: 'N' }).stack.split('\\n')[0]];`))
      .toEqual(['TypeError: m', true, true, true, false, false, 'Error', 'N: x']);
  });
});
