// DOM standard, section 3: AbortController and AbortSignal.
import { describe, expect, test } from 'vitest';
import { TestHost } from '../../../support/isolates-host.ts';
import { inside, logged } from '../../../support/isolates-inside.ts';

const host = TestHost.shared();
const run = (body: string): Promise<unknown> => inside(host(), body);

describe('AbortController (3.1)', () => {
  test('one signal, aborted once, synchronously, with a trusted event', async () => {
    expect(await run(`const c = new AbortController(); const s = c.signal; const seen = []; s.addEventListener('abort', (e) => seen.push(e.type, e.target === s, e.bubbles, e.cancelable, e.isTrusted, s.aborted)); c.abort(); c.abort('again');
      return [c.signal === s, seen, s.reason instanceof DOMException, s.reason.name, s.reason.code, String(c), AbortController.prototype.abort.length];`)).toEqual([true, ['abort', true, false, false, true, true], true, 'AbortError', 20, '[object AbortController]', 0]);
  });
  test('any reason, and undefined for the default', async () => {
    expect(await run(`const of = (...r) => { const c = new AbortController(); c.abort(...r); return c.signal.reason; }; const o = {}; return [of(o) === o, of(null), of(0), of('x'), of(undefined).name, of().name, new AbortController().signal.reason];`)).toEqual([true, null, 0, 'x', 'AbortError', 'AbortError', null]);
  });
  test('brand checks', async () => {
    expect(await run(`const get = (c, k) => Object.getOwnPropertyDescriptor(c.prototype, k).get; const bad = [null, undefined, 0, {}, Object.create(AbortSignal.prototype), Object.create(AbortController.prototype)];
      return bad.flatMap((b) => [thrown(() => get(AbortController, 'signal').call(b)), thrown(() => AbortController.prototype.abort.call(b)), thrown(() => get(AbortSignal, 'aborted').call(b)), thrown(() => get(AbortSignal, 'onabort').call(b)), thrown(() => AbortSignal.prototype.throwIfAborted.call(b))]).every((n) => n === 'TypeError');`)).toBe(true);
  });
});

describe('AbortSignal (3.2)', () => {
  test('abort, throwIfAborted, no constructor', async () => {
    expect(await run(`const s = AbortSignal.abort(); const why = {}; const t = AbortSignal.abort(why); let got; try { t.throwIfAborted(); } catch (e) { got = e === why; } new AbortController().signal.throwIfAborted();
      return [s.aborted, s.reason.name, got, thrown(() => new AbortSignal()), AbortSignal.length, AbortSignal.abort(undefined).reason.name, Object.getOwnPropertyNames(AbortSignal.prototype).sort()];`)).toEqual([true, 'AbortError', true, 'TypeError', 0, 'AbortError', ['aborted', 'constructor', 'onabort', 'reason', 'throwIfAborted']]);
  });
  test('onabort has the place where it was first set, and takes null, functions and other objects', async () => {
    expect(await run(`const c = new AbortController(); const { signal } = c; const seen = []; signal.addEventListener('abort', () => seen.push('a')); signal.onabort = () => seen.push('wrong'); signal.addEventListener('abort', () => seen.push('b')); signal.onabort = function (e) { seen.push('on', this === signal, e.type); };
      const f = signal.onabort; signal.onabort = 5; const none = signal.onabort; signal.onabort = {}; const kept = typeof signal.onabort; signal.onabort = null; signal.onabort = f; c.abort(); return [seen, none, kept];`)).toEqual([['a', 'b', 'on', true, 'abort'], null, 'object']);
    expect(await run(`const c = new AbortController(); const seen = []; c.signal.onabort = () => seen.push(1); c.signal.addEventListener('abort', () => seen.push(2)); c.signal.onabort = () => seen.push(3); c.abort(); return seen;`)).toEqual([3, 2]);
  });
  test('timeout: a TimeoutError after the delay, whose argument is enforced', async () => {
    expect(await run(`const s = AbortSignal.timeout(5); let event; s.onabort = (e) => { event = [e.isTrusted, e.target === s]; }; const before = s.aborted; const order = []; AbortSignal.timeout(8).addEventListener('abort', () => order.push(8)); AbortSignal.timeout(4).addEventListener('abort', () => order.push(4)); await later(25);
      return [before, s.aborted, s.reason instanceof DOMException, s.reason.name, s.reason.code, event, order, thrown(() => AbortSignal.timeout()), thrown(() => AbortSignal.timeout(-1)), thrown(() => AbortSignal.timeout(NaN)), thrown(() => AbortSignal.timeout(Infinity)), thrown(() => AbortSignal.timeout(2 ** 53)), AbortSignal.timeout(2 ** 40).aborted];`))
      .toEqual([false, true, true, 'TimeoutError', 23, [true, true], [4, 8], 'TypeError', 'TypeError', 'TypeError', 'TypeError', 'TypeError', false]);
  });
  test('clearTimeout does not reach the timer of a timeout', async () => {
    expect(await run(`const id = setTimeout(() => {}, 1e6); const s = AbortSignal.timeout(5); for (let i = 0; i < 20; i++) clearTimeout(id + i); await later(15); return s.aborted;`)).toBe(true);
  });
});

describe('AbortSignal.any (3.2.1)', () => {
  test('none, one, several, aborted ones, the same twice', async () => {
    expect(await run(`const [a, b] = [new AbortController(), new AbortController()]; const any = AbortSignal.any([a.signal, b.signal, a.signal]); const early = AbortSignal.any([AbortSignal.abort('1'), AbortSignal.abort('2')]); b.abort('b'); a.abort('a');
      return [AbortSignal.any([]).aborted, any.reason, early.reason, thrown(() => AbortSignal.any()), thrown(() => AbortSignal.any(5)), thrown(() => AbortSignal.any([{}])), AbortSignal.any(new Set([AbortSignal.abort(7)])).reason];`)).toEqual([false, 'b', '1', 'TypeError', 'TypeError', 'TypeError', 7]);
  });
  test('events fire on the source first, then on the dependents in the order of their making, all aborted before', async () => {
    expect(await run(`const c = new AbortController(); const s = [c.signal]; s.push(AbortSignal.any([c.signal])); s.push(AbortSignal.any([c.signal])); s.push(AbortSignal.any([s[0]])); s.push(AbortSignal.any([s[1]])); const seen = []; s.forEach((x, i) => x.addEventListener('abort', () => seen.push(i, s.every((y) => y.aborted)))); c.abort(); return seen;`))
      .toEqual([0, true, 1, true, 2, true, 3, true, 4, true]);
  });
  test('composes, also with timeouts, and aborting within a listener does not abort twice', async () => {
    expect(await run(`const c = new AbortController(); const any = AbortSignal.any([AbortSignal.any([new AbortController().signal]), AbortSignal.any([AbortSignal.timeout(5)]), c.signal]); let n = 0; any.onabort = () => { n++; c.abort('late'); }; await later(20); return [any.reason.name, n];`)).toEqual(['TimeoutError', 1]);
    expect(await run(`const a = new AbortController(); const b = new AbortController(); const any = AbortSignal.any([a.signal, b.signal]); a.signal.onabort = () => b.abort('b'); a.abort('a'); return [any.reason, b.signal.reason];`)).toEqual(['a', 'b']);
  });
  test('a long-lived source does not keep dependents that nobody listens to', async () => {
    // Each holds 64 KB: twenty thousand of them would be 1.3 GB.
    expect(await inside(host(), `const c = new AbortController(); for (let i = 0; i < 20_000; i++) { const s = AbortSignal.any([c.signal]); s.held = new Array(8_192).fill(i); if (i % 50 === 0) await later(); } return c.signal.aborted;`, { settings: { memoryMb: 64, cpuMs: 20_000 } })).toBe(false);
  }, 30_000);
  test('a dependent with a listener lives as long as its source', async () => {
    expect(await inside(host(), `const c = new AbortController(); let n = 0; (() => { for (let i = 0; i < 100; i++) AbortSignal.any([c.signal]).addEventListener('abort', () => n++); })(); for (let i = 0; i < 200; i++) { new Array(100_000).fill(i); await later(); } c.abort(); return n;`, { settings: { cpuMs: 20_000 } })).toBe(100);
  }, 30_000);
});

describe('signals of requests', () => {
  test('the constructor follows its signal', async () => {
    expect(await run(`const c = new AbortController(); const r = new Request('http://x.test/', { signal: c.signal }); const d = r.clone(); c.abort('why'); const late = new Request('http://x.test/', { signal: c.signal });
      return [r.signal !== c.signal, r.signal.reason, d.signal.reason, late.signal.aborted, thrown(() => new Request('http://x.test/', { signal: {} })), new Request('http://x.test/').signal.aborted];`)).toEqual([true, 'why', 'why', true, 'TypeError', false]);
  });
  test('fetch rejects with the reason of a signal that is aborted already', async () => {
    expect(await run(`const why = { name: 'Mine' }; return [await rejected(() => fetch('http://x.test/', { signal: AbortSignal.abort(why) })), await rejected(() => fetch('http://x.test/', { signal: AbortSignal.abort() }))];`)).toEqual(['Mine', 'AbortError']);
  });
  test('request.signal aborts when the client goes away, and the code may go on', async () => {
    const f = await host().deploy(`export default { async fetch(request) { const { signal } = request; await new Promise((resolve) => signal.addEventListener('abort', resolve)); console.log('gone', signal.reason.name, signal.aborted); return new Response('late'); } };`);
    const running = host().invoke(f);
    await new Promise((resolve) => setTimeout(resolve, 100));
    running.cancel();
    expect((await logged(host(), 'gone')).message).toBe('gone AbortError true');
  });
});
