// Streams standard inside an isolate.
import { describe, expect, test } from 'vitest';
import { runChecks } from '../../../support/isolate-checks.ts';
import { TestHost } from '../../../support/isolates-host.ts';

const host = TestHost.shared();

describe('form', () => {
  test('interfaces, members and iterators are what Web IDL says', async () => {
    expect(await runChecks(host(), `
      check('class strings', () => equal([new ReadableStream(), new WritableStream(), new TransformStream(), new CountQueuingStrategy({ highWaterMark: 1 })].map((o) => Object.prototype.toString.call(o)),
        ['[object ReadableStream]', '[object WritableStream]', '[object TransformStream]', '[object CountQueuingStrategy]']));
      check('constructor lengths', () => equal([ReadableStream.length, WritableStream.length, TransformStream.length, CountQueuingStrategy.length, ReadableStreamBYOBReader.length, ReadableStreamDefaultController.length], [0, 0, 0, 1, 1, 0]));
      check('members are enumerable', () => equal(Object.keys(ReadableStream.prototype).sort(), ['cancel', 'getReader', 'locked', 'pipeThrough', 'pipeTo', 'tee', 'values']));
      check('nothing beside the standard', () => equal(Object.keys(WritableStreamDefaultController.prototype).sort(), ['error', 'signal']));
      check('controllers can not be made', () => { for (const C of [ReadableStreamDefaultController, ReadableByteStreamController, ReadableStreamBYOBRequest, WritableStreamDefaultController, TransformStreamDefaultController]) throws('TypeError', () => new C()); });
      check('brands', () => { for (const [C, k] of [[ReadableStream, 'locked'], [WritableStream, 'locked'], [TransformStream, 'readable'], [CountQueuingStrategy, 'size'], [ByteLengthQueuingStrategy, 'highWaterMark']]) throws('TypeError', () => Reflect.get(C.prototype, k, {})); });
      check('size functions are shared and plain', () => { const a = new CountQueuingStrategy({ highWaterMark: 1 }); const b = new CountQueuingStrategy({ highWaterMark: 2 });
        equal([a.size === b.size, a.size.name, a.size.length, 'prototype' in a.size, a.size(), new ByteLengthQueuingStrategy({ highWaterMark: 1 }).size({ byteLength: 7 }), new ByteLengthQueuingStrategy({ highWaterMark: 1 }).size.length], [true, 'size', 0, false, 1, 7, 1]); });
      check('iterators', () => { const p = Object.getPrototypeOf(new ReadableStream().values());
        equal([Object.getPrototypeOf(p) === Object.getPrototypeOf(Object.getPrototypeOf(async function* () {}.prototype)), Reflect.ownKeys(p), p.next.length, p.return.length, ReadableStream.prototype[Symbol.asyncIterator] === ReadableStream.prototype.values], [true, ['next', 'return'], 0, 1, true]); });
    `)).toEqual({ ran: 8, failures: [] });
  });
});

const MAKE = `
  const made = (chunks) => new ReadableStream({ start(c) { for (const x of chunks) c.enqueue(x); c.close(); } });
  const all = async (stream) => { const out = []; for await (const x of stream) out.push(x); return out; };
`;

describe('ReadableStream', () => {
  test('sources, strategies and readers', async () => {
    expect(await runChecks(host(), `${MAKE}
      check('a bad type', () => throws('TypeError', () => new ReadableStream({ type: 'asdf' })));
      check('type bytes takes no size', () => throws('RangeError', () => new ReadableStream({ type: 'bytes' }, { size: () => 1 })));
      check('bad high-water marks', () => { for (const highWaterMark of [-1, -Infinity, NaN, 'foo', {}]) throws('RangeError', () => new ReadableStream({}, { highWaterMark })); });
      check('null is no source', () => throws('TypeError', () => new ReadableStream(null)));
      check('start throws', () => equal(throws('Error', () => new ReadableStream({ start() { throw new Error('mine'); } })).message, 'mine'));
      check('reads in order, then done', async () => { const r = made([1, 2]).getReader(); equal([await r.read(), await r.read(), await r.read()], [{ value: 1, done: false }, { value: 2, done: false }, { value: undefined, done: true }]); });
      check('results have Object.prototype', async () => equal(Object.getPrototypeOf(await made([1]).getReader().read()) === Object.prototype, true));
      check('one reader at a time', () => { const s = made([1]); s.getReader(); throws('TypeError', () => s.getReader()); });
      check('a bad mode', () => throws('TypeError', () => made([]).getReader({ mode: 'x' })));
      check('release rejects pending reads', async () => { const s = new ReadableStream(); const r = s.getReader(); const p = r.read(); r.releaseLock(); await rejects('TypeError', p); await rejects('TypeError', r.closed); equal(s.locked, false); });
      check('an error reaches everyone', async () => { let c; const s = new ReadableStream({ start(x) { c = x; } }); const r = s.getReader(); const p = r.read(); c.error(new RangeError('e')); await rejects('RangeError', p); await rejects('RangeError', r.closed); await rejects('RangeError', r.read()); });
      check('pull keeps to the high-water mark', async () => { let n = 0; new ReadableStream({ pull(c) { c.enqueue(++n); } }, { highWaterMark: 3 }); await flushed(); equal(n, 3); });
      check('cancel reaches the source once', async () => { const seen = []; const s = new ReadableStream({ cancel(r) { seen.push(r); } }); await s.cancel('why'); await s.cancel('again'); equal(seen, ['why']); });
    `)).toEqual({ ran: 13, failures: [] });
  });
  test('asynchronous iteration', async () => {
    expect(await runChecks(host(), `${MAKE}
      check('gives every chunk', async () => equal(await all(made(['a', 'b'])), ['a', 'b']));
      check('break cancels', async () => { const seen = []; const s = new ReadableStream({ start(c) { c.enqueue(1); }, cancel(r) { seen.push(r); } }); for await (const _ of s) break; equal([seen, s.locked], [[undefined], false]); });
      check('preventCancel does not', async () => { let n = 0; const s = new ReadableStream({ start(c) { c.enqueue(1); c.enqueue(2); c.close(); }, cancel() { n++; } }); for await (const _ of s.values({ preventCancel: true })) break; equal([n, await all(s)], [0, [2]]); });
      check('return gives its argument', async () => equal(await new ReadableStream().values().return('x'), { done: true, value: 'x' }));
      check('next after return is done', async () => { const it = made([1]).values(); await it.return(); equal(await it.next(), { done: true, value: undefined }); });
      check('concurrent next are in order', async () => { const it = made([1, 2]).values(); equal(await Promise.all([it.next(), it.next(), it.next()]), [{ done: false, value: 1 }, { done: false, value: 2 }, { done: true, value: undefined }]); });
      check('an error ends it', async () => { const it = new ReadableStream({ pull(c) { c.error(new RangeError('x')); } }).values(); await rejects('RangeError', it.next()); equal(await it.next(), { done: true, value: undefined }); });
      check('values twice is refused', () => { const s = made([]); s.values(); throws('TypeError', () => s.values()); });
      check('methods keep their brand', async () => { const { next } = Object.getPrototypeOf(made([]).values()); await rejects('TypeError', next.call({})); });
    `)).toEqual({ ran: 9, failures: [] });
  });
  test('from', async () => {
    expect(await runChecks(host(), `${MAKE}
      check('an array', async () => equal(await all(ReadableStream.from(['a', 'b'])), ['a', 'b']));
      check('a string by code points', async () => equal(await all(ReadableStream.from('a😀')), ['a', '😀']));
      check('an asynchronous generator', async () => equal(await all(ReadableStream.from((async function* () { yield 1; yield 2; })())), [1, 2]));
      check('promises of a synchronous iterable', async () => equal(await all(ReadableStream.from([Promise.resolve(1), 2])), [1, 2]));
      check('another stream', async () => equal(await all(ReadableStream.from(made([3]))), [3]));
      check('what is not iterable', () => { for (const v of [null, undefined, 1, {}, Symbol('x')]) throws('TypeError', () => ReadableStream.from(v)); });
      check('asyncIterator comes first', async () => equal(await all(ReadableStream.from({ [Symbol.iterator]() { throw new Error('no'); }, async *[Symbol.asyncIterator]() { yield 'yes'; } })), ['yes']));
      check('cancel returns the iterator', async () => { let got; const s = ReadableStream.from({ [Symbol.asyncIterator]: () => ({ next: async () => ({ done: false, value: 1 }), return: async (v) => { got = v; return {}; } }) }); const r = s.getReader(); await r.read(); await r.cancel('why'); equal(got, 'why'); });
      check('return must give an object', async () => { const s = ReadableStream.from({ [Symbol.asyncIterator]: () => ({ next: async () => ({ done: false }), return: async () => 1 }) }); await rejects('TypeError', s.cancel()); });
      check('nothing is pulled early', async () => { let n = 0; ReadableStream.from({ [Symbol.asyncIterator]: () => ({ next: async () => ({ done: false, value: ++n }) }) }); await flushed(); equal(n, 0); });
    `)).toEqual({ ran: 10, failures: [] });
  });
  test('byte streams', async () => {
    expect(await runChecks(host(), `${MAKE}
      const bytes = (source) => new ReadableStream({ type: 'bytes', ...source });
      check('a BYOB read fills the view and takes its buffer', async () => { const s = bytes({ pull(c) { const v = c.byobRequest.view; v[0] = 7; c.byobRequest.respond(1); } }); const given = new Uint8Array(4); const { value } = await s.getReader({ mode: 'byob' }).read(given);
        equal([value, value.buffer.byteLength, given.byteLength], [new Uint8Array([7]), 4, 0]); });
      check('min waits for enough', async () => { const s = bytes({ pull(c) { c.enqueue(new Uint8Array([1, 2])); } }); equal((await s.getReader({ mode: 'byob' }).read(new Uint8Array(5), { min: 3 })).value, new Uint8Array([1, 2, 1, 2])); });
      check('min at the end gives what there is', async () => { let n = 0; const s = bytes({ pull(c) { if (n++ === 0) { c.byobRequest.view[0] = 1; c.byobRequest.respond(1); } else { c.close(); c.byobRequest.respond(0); } } }); const r = s.getReader({ mode: 'byob' });
        const first = await r.read(new Uint8Array(3), { min: 3 }); equal([first.value, first.done], [new Uint8Array([1]), true]); });
      check('min beyond what a closed queue has is an error', async () => { const s = bytes({ start(c) { c.enqueue(new Uint8Array([1])); c.close(); } }); await rejects('TypeError', s.getReader({ mode: 'byob' }).read(new Uint16Array(2))); });
      check('min has bounds', async () => { const r = bytes({}).getReader({ mode: 'byob' }); await rejects('TypeError', r.read(new Uint8Array(1), { min: 0 })); await rejects('RangeError', r.read(new Uint8Array(1), { min: 2 })); });
      check('empty views are refused', async () => { const r = bytes({}).getReader({ mode: 'byob' }); await rejects('TypeError', r.read(new Uint8Array(0))); await rejects('TypeError', r.read(new DataView(new ArrayBuffer(0)))); });
      check('other views come back as their kind', async () => { const s = bytes({ start(c) { c.enqueue(new Uint8Array([1, 0, 2, 0, 3])); } }); const r = s.getReader({ mode: 'byob' }); const { value } = await r.read(new Uint16Array(2)); equal([value.constructor.name, value], ['Uint16Array', new Uint16Array([1, 2])]); });
      check('BYOB needs a byte stream', () => throws('TypeError', () => new ReadableStream().getReader({ mode: 'byob' })));
      check('a default reader with autoAllocateChunkSize', async () => { const s = bytes({ autoAllocateChunkSize: 16, pull(c) { equal(c.byobRequest.view.byteLength, 16); c.byobRequest.view[0] = 9; c.byobRequest.respond(1); } }); equal((await s.getReader().read()).value, new Uint8Array([9])); });
      check('autoAllocateChunkSize is positive', () => throws('TypeError', () => bytes({ autoAllocateChunkSize: 0 })));
      check('enqueue takes the buffer', () => { let u = new Uint8Array(3); bytes({ start(c) { c.enqueue(u); } }); equal(u.byteLength, 0); });
      check('enqueue refuses others', () => { bytes({ start(c) { throws('TypeError', () => c.enqueue('x')); throws('TypeError', () => c.enqueue(new Uint8Array(0))); } }); });
      check('respond has bounds', async () => { const s = bytes({ pull(c) { throws('RangeError', () => c.byobRequest.respond(5)); c.byobRequest.respond(1); } }); await s.getReader({ mode: 'byob' }).read(new Uint8Array(4)); });
      check('respondWithNewView', async () => { const s = bytes({ pull(c) { const v = c.byobRequest.view; c.byobRequest.respondWithNewView(new Uint8Array(v.buffer, v.byteOffset, 2)); } }); equal((await s.getReader({ mode: 'byob' }).read(new Uint8Array(4))).value.length, 2); });
      check('tee copies the bytes', async () => { const [a, b] = bytes({ start(c) { c.enqueue(new Uint8Array([1, 2])); c.close(); } }).tee(); const x = (await a.getReader({ mode: 'byob' }).read(new Uint8Array(2))).value; x[0] = 99; equal((await b.getReader().read()).value, new Uint8Array([1, 2])); });
    `)).toEqual({ ran: 15, failures: [] });
  });
  test('tee', async () => {
    expect(await runChecks(host(), `${MAKE}
      check('both get all', async () => { const [a, b] = made([1, 2]).tee(); equal([await all(a), await all(b)], [[1, 2], [1, 2]]); });
      check('cancel waits for both', async () => { let got; const s = new ReadableStream({ cancel(r) { got = r; } }); const [a, b] = s.tee(); const p = a.cancel('x'); await flushed(); equal(got, undefined); await Promise.all([p, b.cancel('y')]); equal(got, ['x', 'y']); });
      check('errors reach both', async () => { const [a, b] = new ReadableStream({ pull(c) { c.error(new RangeError('x')); } }).tee(); await rejects('RangeError', a.getReader().read()); await rejects('RangeError', b.getReader().read()); });
      check('chunks are the same objects', async () => { const o = {}; const [a, b] = made([o]).tee(); equal((await all(a))[0] === (await all(b))[0], true); });
    `)).toEqual({ ran: 4, failures: [] });
  });
});

describe('WritableStream', () => {
  test('writers, back-pressure, aborting', async () => {
    expect(await runChecks(host(), `
      check('writes in order', async () => { const got = []; const w = new WritableStream({ async write(x) { got.push(x); } }).getWriter(); w.write(1); w.write(2); await w.close(); equal(got, [1, 2]); });
      check('a type is refused', () => throws('RangeError', () => new WritableStream({ type: 'bytes' })));
      check('desiredSize and ready', async () => { let go; const w = new WritableStream({ write: () => new Promise((r) => (go = r)) }, { highWaterMark: 2 }).getWriter(); await w.ready; equal(w.desiredSize, 2); w.write('a'); w.write('b'); equal(w.desiredSize, 0); let ready = false; const p = w.ready.then(() => (ready = true)); await flushed(); equal(ready, false); go(); await p; equal(w.desiredSize, 1); });
      check('the signal is an AbortSignal of ours', () => { let c; new WritableStream({ start(x) { c = x; } }); equal([c.signal instanceof AbortSignal, c.signal.aborted, c.signal === c.signal], [true, false, true]); });
      check('abort tells the signal first', async () => { let c; const order = []; const s = new WritableStream({ start(x) { c = x; x.signal.addEventListener('abort', () => order.push('signal', c.signal.reason)); }, abort(r) { order.push('abort', r); } }); await s.abort('why'); equal(order, ['signal', 'why', 'abort', 'why']); });
      check('abort waits for the write under way', async () => { let go; const order = []; const s = new WritableStream({ write: () => new Promise((r) => (go = () => { order.push('written'); r(); })), abort() { order.push('aborted'); } }); const w = s.getWriter(); w.write(1).catch(() => {}); await flushed(); const p = w.abort(new RangeError('x')); w.closed.catch(() => {}); await flushed(); equal(order, []); go(); await p; equal(order, ['written', 'aborted']); });
      check('a failed write errors it', async () => { const w = new WritableStream({ write() { throw new RangeError('x'); } }).getWriter(); await rejects('RangeError', w.write(1)); await rejects('RangeError', w.closed); await rejects('RangeError', w.write(2)); });
      check('controller.error', async () => { let c; const w = new WritableStream({ start(x) { c = x; } }).getWriter(); await w.ready; c.error(new RangeError('x')); await rejects('RangeError', w.closed); });
      check('close twice', async () => { const w = new WritableStream().getWriter(); await w.close(); await rejects('TypeError', w.close()); });
      check('write after close', async () => { const w = new WritableStream().getWriter(); await w.close(); await rejects('TypeError', w.write(1)); });
      check('a released writer', async () => { const s = new WritableStream(); const w = s.getWriter(); w.releaseLock(); await rejects('TypeError', w.closed); await rejects('TypeError', w.write(1)); throws('TypeError', () => w.desiredSize); equal(s.locked, false); });
      check('a throwing size', async () => { const w = new WritableStream({}, { size() { throw new RangeError('x'); } }).getWriter(); await rejects('RangeError', w.write(1)); });
    `)).toEqual({ ran: 12, failures: [] });
  });
});

describe('TransformStream', () => {
  test('transforms, errors, cancelling', async () => {
    expect(await runChecks(host(), `${MAKE}
      check('identity by default', async () => equal(await all(made([1, 2]).pipeThrough(new TransformStream())), [1, 2]));
      check('transform and flush', async () => equal(await all(made(['a']).pipeThrough(new TransformStream({ transform(x, c) { c.enqueue(x + '1'); c.enqueue(x + '2'); }, flush(c) { c.enqueue('end'); } }))), ['a1', 'a2', 'end']));
      check('types are refused', () => { throws('RangeError', () => new TransformStream({ readableType: 'bytes' })); throws('RangeError', () => new TransformStream({ writableType: 'x' })); });
      check('a throw errors both sides', async () => { const t = new TransformStream({ transform() { throw new RangeError('x'); } }); const w = t.writable.getWriter(); const r = t.readable.getReader(); const p = w.write(1); await rejects('RangeError', r.read()); await rejects('RangeError', p); await rejects('RangeError', w.closed); });
      check('terminate', async () => { const t = new TransformStream({ transform(x, c) { c.enqueue(x); c.terminate(); } }); const w = t.writable.getWriter(); w.closed.catch(() => {}); w.write('a').catch(() => {}); equal(await all(t.readable), ['a']); await rejects('TypeError', w.write('b')); });
      check('cancel is told of a cancelled reader', async () => { let got; const t = new TransformStream({ cancel(r) { got = r; } }); await t.readable.cancel('why'); equal(got, 'why'); });
      check('cancel is told of an abort', async () => { let got; const t = new TransformStream({ cancel(r) { got = r; } }); await t.writable.abort('why'); equal(got, 'why'); });
      check('cancel or flush, not both', async () => { const seen = []; const t = new TransformStream({ flush() { seen.push('flush'); }, cancel() { seen.push('cancel'); } }); t.readable.cancel('x').catch(() => {}); await t.writable.close().catch(() => {}); equal(seen.length, 1); });
      check('back-pressure', async () => { const t = new TransformStream(); const w = t.writable.getWriter(); equal(w.desiredSize, 1); w.write('a'); await flushed(); equal(w.desiredSize, 0); equal((await t.readable.getReader().read()).value, 'a'); await flushed(); equal(w.desiredSize, 1); });
      check('desiredSize of the readable side', () => { let c; new TransformStream({ start(x) { c = x; } }, undefined, { highWaterMark: 4 }); equal(c.desiredSize, 4); });
    `)).toEqual({ ran: 10, failures: [] });
  });
});

describe('piping', () => {
  test('options, signals, errors', async () => {
    expect(await runChecks(host(), `${MAKE}
      const sink = () => { const got = []; return [got, new WritableStream({ write(x) { got.push(x); }, close() { got.push('closed'); }, abort(r) { got.push('aborted', r?.name ?? r); } })]; };
      check('pipes and closes', async () => { const [got, w] = sink(); await made([1, 2]).pipeTo(w); equal([got, w.locked], [[1, 2, 'closed'], false]); });
      check('preventClose', async () => { const [got, w] = sink(); await made([1]).pipeTo(w, { preventClose: true }); equal(got, [1]); await w.close(); });
      check('a source error aborts', async () => { const [got, w] = sink(); await rejects('RangeError', new ReadableStream({ start(c) { c.error(new RangeError('x')); } }).pipeTo(w)); equal(got, ['aborted', 'RangeError']); });
      check('preventAbort', async () => { const [got, w] = sink(); await rejects('RangeError', new ReadableStream({ start(c) { c.error(new RangeError('x')); } }).pipeTo(w, { preventAbort: true })); equal(got, []); });
      check('a sink error cancels', async () => { let got; const s = new ReadableStream({ start(c) { c.enqueue(1); }, cancel(r) { got = r.name; } }); await rejects('RangeError', s.pipeTo(new WritableStream({ write() { throw new RangeError('x'); } }))); equal(got, 'RangeError'); });
      check('a signal stops both ends', async () => { const a = new AbortController(); let cancelled; const [got, w] = sink(); const p = new ReadableStream({ cancel(r) { cancelled = r; } }).pipeTo(w, { signal: a.signal }); a.abort('stop'); await rejects('stop', p); equal([got, cancelled], [['aborted', 'stop'], 'stop']); });
      check('the reason is an AbortError by default', async () => { const a = new AbortController(); const [, w] = sink(); const p = new ReadableStream().pipeTo(w, { signal: a.signal }); a.abort(); equal((await rejects('AbortError', p)) instanceof DOMException, true); });
      check('an aborted signal pulls nothing', async () => { let n = 0; const [got, w] = sink(); await rejects('AbortError', new ReadableStream({ pull() { n++; } }, { highWaterMark: 0 }).pipeTo(w, { signal: AbortSignal.abort() })); equal([n, got], [0, ['aborted', 'AbortError']]); });
      check('what is no signal is refused', async () => { for (const signal of [null, 'AbortSignal', true, -1, {}, Object.create(AbortSignal.prototype)]) { const [, w] = sink(); await rejects('TypeError', made([1]).pipeTo(w, { signal })); } });
      check('locked ends are refused', async () => { const [, w] = sink(); const s = made([1]); s.getReader(); await rejects('TypeError', s.pipeTo(w)); const t = made([1]); w.getWriter(); await rejects('TypeError', t.pipeTo(w)); });
      check('what is no stream is refused', async () => { await rejects('TypeError', made([]).pipeTo({})); await rejects('TypeError', ReadableStream.prototype.pipeTo.call({}, new WritableStream())); });
      check('pipeThrough checks first', () => { throws('TypeError', () => made([]).pipeThrough({})); throws('TypeError', () => made([]).pipeThrough({ readable: new ReadableStream(), writable: 1 })); const s = made([]); s.getReader(); throws('TypeError', () => s.pipeThrough(new TransformStream())); });
      check('then of Object.prototype is not consulted', async () => { let n = 0; Object.defineProperty(Object.prototype, 'then', { configurable: true, get() { n++; return undefined; } }); try { const [got, w] = sink(); await made([1]).pipeTo(w); equal(got.length, 2); equal(n, 0); } finally { delete Object.prototype.then; } });
    `)).toEqual({ ran: 13, failures: [] });
  });
});

test('server-sent events leave one by one, at once', async () => {
  const f = await host().deploy(`export default { async fetch() {
    const stream = new ReadableStream({ async start(c) { for (let i = 0; i < 4; i++) { c.enqueue(new TextEncoder().encode('data: ' + i + '\\n\\n')); await new Promise((r) => setTimeout(r, 120)); } c.close(); } });
    return new Response(stream, { headers: { 'content-type': 'text/event-stream' } }); } };`);
  const running = host().invoke(f);
  await running.head;
  const started = performance.now();
  const arrivals: number[] = [];
  while (!running.answer.final) {
    const events = Math.floor(running.answer.received / 9);
    while (arrivals.length < events) arrivals.push(performance.now() - started);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  expect((await running.done).body.toString()).toBe('data: 0\n\ndata: 1\n\ndata: 2\n\ndata: 3\n\n');
  expect(arrivals).toHaveLength(4);
  // Each is here well before the next is written.
  for (let i = 1; i < 4; i++) expect((arrivals[i] ?? 0) - (arrivals[i - 1] ?? 0)).toBeGreaterThan(60);
  expect(arrivals[0]).toBeLessThan(100);
});
