// Memory beside the isolate's account: every way that we know to buffers that V8's limit does not count, and whether the host's memory stays.
import { describe, expect, test } from 'vitest';
import { TestHost } from '../../../support/isolates-host.ts';

const MIB = 1_048_576;

const HANDLER = `
const attempt = (f) => { try { const b = f(); return b === undefined ? 'undefined' : String(b.resizable === true || b.growable === true || (b.buffer !== undefined && b.buffer.resizable === true)); } catch (e) { return e.name; } };
const grow = { maxByteLength: 1e9 };
class Sub extends ArrayBuffer {}
const WAYS = {
  'new': () => new ArrayBuffer(8, grow),
  'Reflect.construct': () => Reflect.construct(ArrayBuffer, [8, grow]),
  'Reflect.construct with another target': () => Reflect.construct(ArrayBuffer, [8, grow], Uint8Array),
  'Reflect.construct by Object': () => Reflect.construct(Object, [8, grow], ArrayBuffer),
  'a subclass': () => new Sub(8, grow),
  'a subclass that calls super': () => new (class extends ArrayBuffer { constructor() { super(8, grow); } })(),
  'a subclass of a subclass with a getter': () => new (class extends Sub { constructor() { super(8, { get maxByteLength() { return 1e9; } }); } })(),
  'options that change when they are read twice': () => { let n = 0; return new ArrayBuffer(8, { get maxByteLength() { return n++ === 0 ? undefined : 1e9; } }); },
  'a length that changes the options': () => { const o = {}; return new ArrayBuffer({ valueOf() { o.maxByteLength = 1e9; return 8; } }, o); },
  'a proxy of the options': () => { let n = 0; return new ArrayBuffer(8, new Proxy({}, { get: (t, k) => (k === 'maxByteLength' && n++ > 0 ? 1e9 : undefined), has: () => true })); },
  'bind': () => new (ArrayBuffer.bind(null, 8, grow))(),
  'a proxy of the constructor': () => new (new Proxy(ArrayBuffer, {}))(8, grow),
  'a proxy that stands for it': () => Reflect.construct(ArrayBuffer, [8, grow], new Proxy(ArrayBuffer, {})),
  'the constructor of an instance': () => new (new ArrayBuffer(1)).constructor(8, grow),
  'the constructor of a prototype': () => new (Object.getPrototypeOf(new Uint8Array(1).buffer).constructor)(8, grow),
  'the prototype of a subclass': () => new (Object.getPrototypeOf(Sub))(8, grow),
  'the species': () => new ArrayBuffer[Symbol.species](8, grow),
  'slice by a species': () => { const b = new ArrayBuffer(8); b.constructor = { [Symbol.species]: function (n) { return new ArrayBuffer(n, grow); } }; return b.slice(0, 4); },
  'Function': () => new (new Function('return ArrayBuffer')())(8, grow),
  'indirect eval': () => new ((0, eval)('ArrayBuffer'))(8, grow),
  'an async function': () => new (Object.getPrototypeOf(async () => {}).constructor('return ArrayBuffer'))(8, grow),
  'structuredClone': () => structuredClone(new ArrayBuffer(8)),
  'structuredClone with a transfer': () => { const b = new ArrayBuffer(8); return structuredClone(b, { transfer: [b] }); },
  'transfer': () => new ArrayBuffer(8).transfer(16),
  'transferToFixedLength': () => new ArrayBuffer(8).transferToFixedLength(16),
  'resize': () => { const b = new ArrayBuffer(8); b.resize(1e8); return b; },
  'resize of a transferred one': () => { const b = new ArrayBuffer(8).transfer(16); b.resize(1e8); return b; },
  'resize by call': () => { const b = new Uint8Array(8).buffer; ArrayBuffer.prototype.resize.call(b, 1e8); return b; },
  'a buffer of the crypto': () => new (crypto.getRandomValues(new Uint8Array(4)).buffer.constructor)(8, grow),
  'a buffer of an encoder': () => new (new TextEncoder().encode('x').buffer.constructor)(8, grow),
  'SharedArrayBuffer': () => new SharedArrayBuffer(8),
  'SharedArrayBuffer that grows': () => new SharedArrayBuffer(8, grow),
  'SharedArrayBuffer of Atomics': () => Atomics.load(new Int32Array(1), 0),
  'WebAssembly.Memory': () => new WebAssembly.Memory({ initial: 1, maximum: 60_000 }).buffer,
  'globals by Function': () => new (new Function('return SharedArrayBuffer')())(8),
};
/** Everything that can be reached without a call, and through constructors of results. */
function reachable() {
  const seen = new Set([globalThis]);
  const queue = [globalThis, (async () => {})(), function* () {}, async function* () {}, new Response('x'), new Request('http://a/'), new Uint8Array(1), new Map().entries(), [].values(), /x/, new Error('x'), structuredClone({}), new TextEncoder().encode('x')];
  for (const root of queue) seen.add(root);
  while (queue.length > 0) {
    const one = queue.pop();
    const add = (v) => { if ((typeof v === 'object' || typeof v === 'function') && v !== null && !seen.has(v)) { seen.add(v); queue.push(v); } };
    try { add(Object.getPrototypeOf(one)); } catch {}
    for (const key of Reflect.ownKeys(one)) {
      try { const d = Object.getOwnPropertyDescriptor(one, key); add(d.value); add(d.get); add(d.set); if (d.get !== undefined) add(d.get.call(one)); } catch {}
    }
  }
  return seen;
}
export default { async fetch(req) {
  const { pathname } = new URL(req.url);
  if (pathname === '/ways') return Response.json(Object.fromEntries(Object.entries(WAYS).map(([name, way]) => [name, attempt(way)])));
  if (pathname === '/bodies') {
    const all = [await new Response('x').arrayBuffer(), await new Blob(['x']).arrayBuffer(), (await new Response('x').body.getReader().read()).value.buffer, await crypto.subtle.digest('SHA-256', new Uint8Array(1))];
    return Response.json(all.map((b) => attempt(() => new b.constructor(8, grow))));
  }
  if (pathname === '/walk') {
    const found = [];
    let tried = 0;
    for (const f of reachable()) {
      if (typeof f !== 'function') continue;
      tried += 1;
      for (const make of [() => new f(8, grow), () => Reflect.construct(f, [8, grow]), () => f(8, grow)]) {
        if (f === globalThis.setTimeout || f === globalThis.setInterval || /^(queueMicrotask|fetch|eval|Function|.*Timeout|.*Interval|.*Immediate|run|abort.*|.*Function)$/.test(f.name)) break;
        try { const b = make(); if (b !== null && typeof b === 'object' && (b.resizable === true || b.growable === true || Object.prototype.toString.call(b) === '[object SharedArrayBuffer]')) found.push(f.name); } catch {}
      }
    }
    return Response.json({ tried, found });
  }
  return new Response('fine');
} };`;

test('no way leads to a buffer that may grow, or that is shared', async () => {
  const host = await TestHost.start();
  const f = await host.deploy(HANDLER, { cpuMs: 5_000 });
  const ways = JSON.parse(await host.text(f, { path: '/ways' })) as Record<string, string>;
  expect(Object.keys(ways).length).toBe(35);
  expect(Object.entries(ways).filter(([, result]) => result === 'true')).toEqual([]);
  // Not all of them fail for the same trivial reason.
  expect([ways['new'], ways['structuredClone'], ways['transfer'], ways['resize'], ways['SharedArrayBuffer'], ways['WebAssembly.Memory']]).toEqual(['RangeError', 'false', 'false', 'TypeError', 'ReferenceError', 'ReferenceError']);
  expect(JSON.parse(await host.text(f, { path: '/bodies' }))).toEqual(['RangeError', 'RangeError', 'RangeError', 'RangeError']);
  const walk = JSON.parse(await host.text(f, { path: '/walk' })) as { tried: number; found: string[] };
  expect(walk.tried).toBeGreaterThan(1_000);
  expect(walk.found).toEqual([]);
  expect(await host.text(f)).toBe('fine');
}, 60_000);

describe('what is counted stays within the limit', () => {
  const cases: Readonly<Record<string, string>> = {
    'buffers that are transferred to more': `let b = new ArrayBuffer(1_000_000); const keep = []; for (let i = 0; i < 2_000; i++) { b = b.transfer(b.byteLength + 1_000_000); new Uint8Array(b).fill(1); }`,
    'many transferred buffers': `const keep = []; for (let i = 0; i < 5_000; i++) { const b = new ArrayBuffer(1_000).transfer(1_000_000); new Uint8Array(b).fill(1); keep.push(b); }`,
    'clones of buffers': `const one = new Uint8Array(1_000_000).fill(1); const keep = []; for (let i = 0; i < 5_000; i++) keep.push(structuredClone(one));`,
    'slices': `const one = new Uint8Array(1_000_000).fill(1).buffer; const keep = []; for (let i = 0; i < 5_000; i++) keep.push(one.slice(0));`,
    'encoded text': `const text = 'é'.repeat(400_000); const e = new TextEncoder(); const keep = []; for (let i = 0; i < 5_000; i++) keep.push(e.encode(text));`,
    'blobs': `const keep = []; for (let i = 0; i < 5_000; i++) keep.push(new Blob([new Uint8Array(1_000_000).fill(1)]));`,
    'bodies of responses': `const keep = []; for (let i = 0; i < 5_000; i++) { const r = new Response(new Uint8Array(1_000_000).fill(i)); keep.push(r, r.clone()); }`,
    'random values': `const keep = []; for (let i = 0; i < 5_000; i++) keep.push(crypto.getRandomValues(new Uint8Array(65_536)), new Uint8Array(900_000).fill(2));`,
    'strings of two bytes': `const keep = []; for (let i = 0; i < 500; i++) keep.push(('ж' + i).repeat(500_000).split('').join('-'));`,
    'flattened ropes': `const keep = []; let s = 'abc'; for (let i = 0; i < 2_000; i++) { s += s.slice(0, 200_000) + i; keep.push(Number(s) || s.charCodeAt(5) + s); }`,
    'sliced strings that hold their parents': `const keep = []; for (let i = 0; i < 2_000; i++) keep.push((String(i) + 'x'.repeat(1_000_000)).split('').reverse().join('').slice(0, 20));`,
    'regular expressions': `const keep = []; for (let i = 0; i < 200_000; i++) { const r = new RegExp('a{1,50}b' + i + '(c|d){2,9}'); r.test('aaab'); keep.push(r); }`,
    'functions from text': `const keep = []; for (let i = 0; i < 200_000; i++) keep.push(new Function('return ' + i + ';' + 'x'.repeat(100) + i));`,
  };
  for (const [name, code] of Object.entries(cases)) {
    test(`${name}: the host stays small, and the neighbour answers`, async () => {
      const host = await TestHost.start();
      const good = await host.deploy('export default { fetch: () => new Response("good") };', { function: 'good' });
      const bad = await host.deploy(`export default { async fetch() { ${code} return new Response('all of it'); } };`, { function: 'bad', memoryMb: 32, cpuMs: 4_000 });
      expect(await host.text(good)).toBe('good');
      const before = host.residentBytes;
      let most = 0;
      const timer = setInterval(() => (most = Math.max(most, host.alive ? host.residentBytes : 0)), 5);
      const answer = await host.call(bad, { wallMs: 60_000 });
      clearInterval(timer);
      // V8 is let near its limit before it gives up, and copies what it moves.
      expect(most - before).toBeLessThan(32 * 8 * MIB);
      // One huge allocation may abort V8; whoever was asked then answers `host_gone`.
      expect(['function_threw', 'memory_limit_exceeded', 'cpu_limit_exceeded', null, ...(host.alive ? [] : ['host_gone'])]).toContain(answer.code);
      expect(host.alive ? await host.text(good) : 'good').toBe('good');
    }, 60_000);
  }
});
