// WebAssembly in hosts of its group: the API's form, its asynchronous calls, its limits, and its absence everywhere else.
import { describe, expect, test } from 'vitest';
import { TestHost } from '../../../support/isolates-host.ts';
import { MODULES, moduleBytes, wasmSource } from '../../../support/wasm-modules.ts';

const host = TestHost.shared({ group: 'wasm' });
const plain = TestHost.shared();

const HEAD = `${wasmSource(MODULES)}
const thrown = (f) => { try { f(); return 'nothing'; } catch (e) { return e.constructor === undefined ? String(e) : e.name; } };
const rejected = async (f) => { try { await f(); return 'nothing'; } catch (e) { return e.name; } };
const kind = (o, k) => { const d = Object.getOwnPropertyDescriptor(o, k); return d && [typeof (d.value ?? d.get), d.writable, d.enumerable, d.configurable].join(); };
const wait = (ms) => new Promise((done) => setTimeout(done, ms));`;

async function run(body: string, settings: Record<string, unknown> = {}): Promise<unknown> {
  const target = await host().deploy(`${HEAD}\nexport default { async fetch(request) { ${body} } };`, { cpuMs: 3_000, debug: true, ...settings });
  const { code, detail, body: text } = await host().call(target);
  if (code !== null) throw new Error(`${code}: ${detail}`);
  return JSON.parse(text.toString());
}

describe('elsewhere', () => {
  test('there is none in a host of the default group', async () => {
    const target = await plain().deploy(`export default { fetch() { return Response.json([typeof WebAssembly, 'WebAssembly' in globalThis, typeof SharedArrayBuffer, typeof Atomics]); } };`);
    expect(JSON.parse(await plain().text(target))).toEqual(['undefined', false, 'undefined', 'undefined']);
  });

  test('a target of the other group cuts the connection', async () => {
    const own = await TestHost.start();
    const target = await own.deploy("export default { fetch() { return new Response('ran'); } };", { wasm: true });
    expect((await own.call(target)).code).toBe('host_gone');
  });

  test('without a platform snapshot it is the same', async () => {
    const own = await TestHost.start({ group: 'wasm', platform: null });
    const target = await own.deploy(`${HEAD} export default { async fetch() { const { instance } = await WebAssembly.instantiate(add); return Response.json([instance.exports.add(2, 3), typeof SharedArrayBuffer]); } };`);
    expect(JSON.parse(await own.text(target))).toEqual([5, 'undefined']);
  });
});

describe('JavaScript interface', () => {
  test('the namespace has the standard members in the standard form', async () => {
    const answer = await run(`
      const functions = ['compile', 'compileStreaming', 'instantiate', 'instantiateStreaming', 'validate'];
      const interfaces = ['Module', 'Instance', 'Memory', 'Table', 'Global', 'Tag', 'Exception'];
      const errors = ['CompileError', 'LinkError', 'RuntimeError'];
      void WebAssembly;
      return Response.json({
        global: kind(globalThis, 'WebAssembly'), tag: String(WebAssembly),
        functions: functions.map((n) => [kind(WebAssembly, n), WebAssembly[n].name, WebAssembly[n].length, 'prototype' in WebAssembly[n]].join()),
        interfaces: interfaces.map((n) => [kind(WebAssembly, n), WebAssembly[n].name, WebAssembly[n].length, WebAssembly[n].prototype.constructor === WebAssembly[n], Object.prototype.toString.call(WebAssembly[n].prototype)].join()),
        errors: errors.map((n) => [kind(WebAssembly, n), new WebAssembly[n]('m') instanceof Error, new WebAssembly[n]('m').name].join()),
        jsTag: WebAssembly.JSTag instanceof WebAssembly.Tag, statics: ['exports', 'imports', 'customSections'].map((n) => kind(WebAssembly.Module, n)),
        prototypes: ['Module', 'Instance', 'Memory'].map((n) => kind(WebAssembly[n], 'prototype')), grow: [kind(WebAssembly.Memory.prototype, 'grow'), WebAssembly.Memory.prototype.grow.name, WebAssembly.Memory.prototype.grow.length],
        withoutNew: interfaces.map((n) => thrown(() => WebAssembly[n]())),
      });`);
    expect(answer).toEqual({
      global: 'object,true,false,true', tag: '[object WebAssembly]',
      functions: ['compile', 'compileStreaming', 'instantiate', 'instantiateStreaming', 'validate'].map((n) => `function,true,true,true,${n},1,false`),
      interfaces: ['Module', 'Instance', 'Memory', 'Table', 'Global', 'Tag', 'Exception'].map((n) => `function,true,false,true,${n},1,true,[object WebAssembly.${n}]`),
      errors: ['CompileError', 'LinkError', 'RuntimeError'].map((n) => `function,true,false,true,true,${n}`),
      jsTag: true, statics: Array(3).fill('function,true,true,true'), prototypes: Array(3).fill('object,false,false,false'), grow: ['function,true,true,true', 'grow', 1],
      withoutNew: Array(7).fill('TypeError'),
    });
  });

  test('compile and instantiate, synchronous and not', async () => {
    const answer = await run(`
      const module = await WebAssembly.compile(add);
      const both = await WebAssembly.instantiate(add.buffer);
      const instance = await WebAssembly.instantiate(module);
      const offset = new Uint8Array(add.length + 7); offset.set(add, 3);
      const changed = add.slice(); const pending = WebAssembly.instantiate(changed); changed.fill(0);
      class Mine extends WebAssembly.Module {}
      const promise = WebAssembly.compile(add);
      return Response.json({
        kinds: [module instanceof WebAssembly.Module, both.module instanceof WebAssembly.Module, both.instance instanceof WebAssembly.Instance, instance instanceof WebAssembly.Instance],
        keys: Object.keys(both), sums: [both.instance.exports.add(2, 40), instance.exports.add(-1, 1), new WebAssembly.Instance(new WebAssembly.Module(add)).exports.add(1, 1)],
        views: [(await WebAssembly.compile(new DataView(offset.buffer, 3, add.length))) instanceof WebAssembly.Module, WebAssembly.validate(offset.subarray(3, 3 + add.length)), WebAssembly.validate(offset)],
        changed: (await pending).instance.exports.add(3, 4), sub: [new Mine(add) instanceof Mine, new Mine(add) instanceof WebAssembly.Module, (await WebAssembly.instantiate(new Mine(add))).exports.add(1, 2)],
        promise: Object.getPrototypeOf(promise) === Promise.prototype, lists: [WebAssembly.Module.exports(module), WebAssembly.Module.imports(new WebAssembly.Module(importMemory)), WebAssembly.Module.customSections(module, 'x')],
        frozen: Object.isFrozen(instance.exports),
      });`);
    expect(answer).toEqual({
      kinds: [true, true, true, true], keys: ['module', 'instance'], sums: [42, 0, 2], views: [true, true, false], changed: 7, sub: [true, true, 3], promise: true,
      lists: [[{ name: 'add', kind: 'function' }], [{ module: 'env', name: 'memory', kind: 'memory' }], []], frozen: true,
    });
  });

  test('what is wrong throws or rejects with the standard errors', async () => {
    const answer = await run(`
      const W = WebAssembly;
      const bad = [undefined, null, true, '', Symbol(), 1, {}, W.Module, W.Module.prototype, ArrayBuffer, Array.from(add)];
      const unique = async (f) => [...new Set(await Promise.all(bad.map((b) => rejected(() => f(b)))))].join();
      return Response.json({
        sources: [await unique((b) => W.compile(b)), await unique((b) => W.instantiate(b)), await unique((b) => W.compileStreaming(b)), await unique(async (b) => new W.Module(b)), await unique(async (b) => W.validate(b))],
        code: [await rejected(() => W.compile(new Uint8Array())), await rejected(() => W.instantiate(new Uint8Array([1]))), thrown(() => new W.Module(new Uint8Array(8))), W.validate(new Uint8Array())],
        link: [await rejected(() => W.instantiate(importMemory, { env: {} })), await rejected(() => W.instantiate(importMemory)), thrown(() => new W.Instance(new W.Module(importMemory), { env: { memory: 1 } })), thrown(() => new W.Instance({}))],
        trap: thrown(() => new W.Instance(new W.Module(trap)).exports.trap()), start: await rejected(() => W.instantiate(trapAtStart)),
        bounds: thrown(() => new W.Instance(new W.Module(memory)).exports.load(1e6)), missing: [await rejected(() => W.compile()), await rejected(() => W.instantiate()), await rejected(() => W.compileStreaming())],
        stack: thrown(() => { const i = new W.Instance(new W.Module(importFunction), { env: { tell: () => i.exports.callImport() } }); i.exports.callImport(); }),
      });`);
    expect(answer).toEqual({
      sources: Array(5).fill('TypeError'), code: ['CompileError', 'CompileError', 'CompileError', false], link: ['LinkError', 'TypeError', 'LinkError', 'TypeError'],
      trap: 'RuntimeError', start: 'RuntimeError', bounds: 'RuntimeError', missing: ['TypeError', 'TypeError', 'TypeError'], stack: 'RangeError',
    });
  });

  test('imports are read when the standard says, and functions call each other', async () => {
    const answer = await run(`
      const order = [];
      const imports = { get env() { order.push('env'); return { get tell() { order.push('tell'); return () => order.push('called'); } }; } };
      const module = new WebAssembly.Module(importFunction);
      const fromModule = WebAssembly.instantiate(module, imports); const atOnce = order.splice(0);
      (await fromModule).exports.callImport(); const afterCall = order.splice(0);
      const fromBytes = WebAssembly.instantiate(importFunction, imports); const before = order.splice(0);
      await fromBytes; const after = order.splice(0);
      const error = new Error('mine');
      const inner = await WebAssembly.instantiate(module, { env: { tell() { throw error; } } });
      let same; try { inner.exports.callImport(); } catch (e) { same = e === error; }
      return Response.json({ atOnce, afterCall, before, after, same });`);
    expect(answer).toEqual({ atOnce: ['env', 'tell'], afterCall: ['called'], before: [], after: ['env', 'tell'], same: true });
  });

  test('memories, tables, globals and exceptions', async () => {
    const answer = await run(`
      const W = WebAssembly; const reads = [];
      const spy = { get maximum() { reads.push('maximum'); return 3; }, get initial() { reads.push('initial'); return { valueOf() { reads.push('valueOf'); return 1; } }; } };
      const m = new W.Memory(spy); const first = m.buffer;
      const grown = m.grow(1);
      const { exports } = new W.Instance(new W.Module(importMemory), { env: { memory: m } });
      new Uint32Array(m.buffer)[1] = 77;
      const table = new W.Table({ element: 'externref', initial: 2 }); table.set(0, 'x'); table.grow(1);
      const global = new W.Global({ value: 'i64', mutable: true }, 5n); global.value = 6n;
      const tag = new W.Tag({ parameters: ['i32'] }); const e = new W.Exception(tag, [9]);
      return Response.json({
        reads: reads.join(), grown, lengths: [first.byteLength, m.buffer.byteLength], loads: exports.load(4), growth: [exports.grow(1), exports.grow(1), m.buffer.byteLength],
        badGrow: [undefined, -1, 2 ** 32, NaN, '1e10', {}, 1n].map((x) => thrown(() => m.grow(x))), noGrow: thrown(() => m.grow(1)), brand: thrown(() => W.Memory.prototype.grow.call({}, 1)), zero: m.grow('0'),
        own: new W.Instance(new W.Module(small)).exports.memory instanceof W.Memory, badMemory: [thrown(() => new W.Memory()), thrown(() => new W.Memory({})), thrown(() => new W.Memory({ initial: 2, maximum: 1 }))],
        table: [table.length, table.get(0), table.get(2) === undefined], global: [String(global.value), String(global.valueOf())], exception: [e.is(tag), e.getArg(tag, 0), e instanceof W.Exception],
      });`);
    expect(answer).toEqual({
      reads: 'initial,valueOf,maximum', grown: 1, lengths: [0, 2 * 65_536], loads: 77, growth: [2, -1, 3 * 65_536], badGrow: Array(7).fill('TypeError'), noGrow: 'RangeError', brand: 'TypeError', zero: 3, own: true,
      badMemory: ['TypeError', 'TypeError', 'RangeError'], table: [3, 'x', true], global: ['6', '6'], exception: [true, 9, true],
    });
  });

  test('the streaming calls take responses of the right type only', async () => {
    const answer = await run(`
      const answerOf = (type, init = {}) => new Response(add, { ...init, headers: type === null ? {} : { 'content-type': type } });
      const sum = async (source) => (await WebAssembly.instantiateStreaming(source)).instance.exports.add(20, 22);
      const used = answerOf('application/wasm'); await used.text();
      const stream = new ReadableStream({ start(c) { c.enqueue(add.slice(0, 9)); c.enqueue(add.slice(9)); c.close(); } });
      const keep = answerOf('application/wasm'); const compiled = await WebAssembly.compileStreaming(keep);
      return Response.json({
        good: [await sum(answerOf('application/wasm')), await sum(Promise.resolve(answerOf('Application/WASM'))), await sum(answerOf(' application/wasm\t')), await sum(new Response(stream, { headers: { 'content-type': 'application/wasm' } }))],
        types: await Promise.all([null, 'text/plain', 'application/wasm; charset=utf-8', 'application/wasm,', 'application/octet-stream'].map((t) => rejected(() => sum(answerOf(t))))),
        status: [await rejected(() => sum(answerOf('application/wasm', { status: 404 }))), await sum(answerOf('application/wasm', { status: 299 }))],
        used: await rejected(() => sum(used)), consumed: keep.bodyUsed, compiled: compiled instanceof WebAssembly.Module,
        sources: [await rejected(() => sum(Promise.reject(new SyntaxError('mine')))), await rejected(() => sum(add)), await rejected(() => sum({ arrayBuffer: () => add }))],
        code: await rejected(() => WebAssembly.compileStreaming(new Response('nope', { headers: { 'content-type': 'application/wasm' } }))),
      });`);
    expect(answer).toEqual({
      good: [42, 42, 42, 42], types: Array(5).fill('TypeError'), status: ['TypeError', 42], used: 'TypeError', consumed: true, compiled: true, sources: ['SyntaxError', 'TypeError', 'TypeError'], code: 'CompileError',
    });
  });
});

describe('limits', () => {
  test('nothing is shared: no SharedArrayBuffer, no way to wait', async () => {
    const answer = await run(`
      return Response.json({
        memory: thrown(() => new WebAssembly.Memory({ initial: 1, maximum: 2, shared: true })), module: thrown(() => new WebAssembly.Module(shared)), imported: await rejected(() => WebAssembly.instantiate(sharedImport, {})),
        validate: [WebAssembly.validate(shared), WebAssembly.validate(sharedImport), WebAssembly.validate(memory)], names: [typeof SharedArrayBuffer, typeof Atomics],
      });`);
    expect(answer).toEqual({ memory: 'TypeError', module: 'CompileError', imported: 'CompileError', validate: [false, false, true], names: ['undefined', 'undefined'] });
  });

  test('memories count together against limits.memoryMb, whoever makes them', async () => {
    const answer = await run(`
      const W = WebAssembly; const kept = [];
      const result = {
        single: thrown(() => kept.push(new W.Memory({ initial: 257 }))),
        many: (() => { try { for (;;) kept.push(new W.Memory({ initial: 60 })); } catch (e) { return [e.name, kept.length]; } })(),
        grow: thrown(() => kept[0].grow(60)), growSmall: kept[0].grow(1),
        instance: thrown(() => new W.Instance(new W.Module(trapAtStart))), hidden: await rejected(() => W.instantiate(hidden)),
      };
      return Response.json(result);`, { memoryMb: 16 });
    expect(answer).toEqual({ single: 'RangeError', many: ['RangeError', 4], grow: 'RangeError', growSmall: 60, instance: 'RangeError', hidden: 'RangeError' });
  });

  test('at most eight at the same time, and those that are garbage do not count', async () => {
    const answer = await run(`
      const kept = []; let made = 0;
      try { for (;;) kept.push(new WebAssembly.Memory({ initial: 0 })); } catch (e) { made = kept.length; }
      return Response.json({ made, name: thrown(() => new WebAssembly.Memory({ initial: 0 })) });`);
    expect(answer).toEqual({ made: 8, name: 'RangeError' });
    const target = await host().deploy(`${HEAD}
      const module = new WebAssembly.Module(memory);
      export default { fetch() { const { exports } = new WebAssembly.Instance(module); exports.grow(63); exports.fill(64 * 65536); return new Response(String(exports.memory.buffer.byteLength)); } };`, { cpuMs: 1_000, memoryMb: 16 });
    for (let i = 0; i < 40; i++) expect(await host().text(target)).toBe(String(64 * 65_536));
  });

  test('code that grows its memory beyond the limit loses its isolate, named, and the next one works', async () => {
    const source = `${HEAD}
      export default { async fetch(request) {
        if (request.url.endsWith('/good')) return new Response('good');
        const instances = Array.from({ length: 4 }, () => new WebAssembly.Instance(new WebAssembly.Module(memory)).exports);
        for (const one of instances) { one.grow(255); one.fill(256 * 65536); }
        return new Response('too much');
      } };`;
    const target = await host().deploy(source, { cpuMs: 3_000, memoryMb: 32, function: 'grows' });
    const answer = await host().call(target);
    expect([answer.code, answer.params]).toEqual(['memory_limit_exceeded', { limit: 32, used: 32 }]);
    expect(await host().text(target, { path: '/good' })).toBe('good');
  });

  test('a memory stops at 64 MiB, whatever the limit of the function', async () => {
    const answer = await run(`
      const { exports } = new WebAssembly.Instance(new WebAssembly.Module(memory));
      return Response.json([exports.grow(1023), exports.grow(1), thrown(() => new WebAssembly.Memory({ initial: 1025 })), thrown(() => new WebAssembly.Table({ element: 'externref', initial: 131073 }))]);`, { memoryMb: 256 });
    expect(answer).toEqual([1, -1, 'RangeError', 'RangeError']);
  });

  test('an endless loop in WebAssembly is killed at its CPU limit', async () => {
    const target = await host().deploy(`${HEAD} export default { fetch() { new WebAssembly.Instance(new WebAssembly.Module(spin)).exports.spin(); } };`, { cpuMs: 60 });
    const answer = await host().call(target);
    expect(answer.code).toBe('cpu_limit_exceeded');
    expect(answer.ms).toBeLessThan(1_500);
  });

  test('compiling is charged to the entry, and modules are bounded', async () => {
    const large = moduleBytes({ padding: 8 * 1_048_576 });
    const target = await host().deploy(`export default { async fetch(request) { try { await WebAssembly.compile(await request.arrayBuffer()); return new Response('compiled'); } catch (e) { return new Response(e.name); } } };`, { cpuMs: 5_000, memoryMb: 128 });
    expect(await host().text(target, { body: large })).toBe('CompileError');
    expect(await host().text(target, { body: moduleBytes({ padding: 4 * 1_048_576 }) })).toBe('compiled');
  });

  test('the native constructors are reachable from nowhere', async () => {
    const answer = await run(`
      const seen = new Set(); const natives = [];
      const W = WebAssembly;
      const visit = (value, depth) => {
        if ((typeof value !== 'object' && typeof value !== 'function') || value === null || seen.has(value) || depth > 6) return;
        seen.add(value);
        if (typeof value === 'function' && ['Memory', 'Module', 'Instance', 'SharedArrayBuffer', 'instantiate'].includes(value.name) && Function.prototype.toString.call(value).includes('[native code]')) natives.push(value.name);
        for (const key of Reflect.ownKeys(value)) {
          const d = Object.getOwnPropertyDescriptor(value, key);
          visit(d.value, depth + 1); visit(d.get, depth + 1); visit(d.set, depth + 1);
        }
        visit(Object.getPrototypeOf(value), depth + 1);
      };
      visit(globalThis, 0);
      for (const made of [new W.Memory({ initial: 1 }), new W.Module(memory), new W.Instance(new W.Module(memory)), new W.Instance(new W.Module(memory)).exports.memory, Object.getPrototypeOf(W.Memory)]) visit(made, 0);
      return Response.json({ natives, count: seen.size > 500 });`);
    expect(answer).toEqual({ natives: [], count: true });
  });

  test('patched built-ins before the first touch do not loosen the count', async () => {
    const answer = await run(`
      const stolen = [];
      const { apply, construct } = Reflect;
      Reflect.construct = (...args) => { stolen.push(args[0]); return construct(...args); };
      WeakMap.prototype.get = function () { return undefined; };
      WeakRef.prototype.deref = function () { return undefined; };
      Object.defineProperty(ArrayBuffer.prototype, 'byteLength', { get: () => 0, configurable: true });
      Math.floor = () => 0;
      Array.prototype.push = function (...all) { for (const one of all) this[this.length] = one; return this.length; };
      const kept = []; let name = '';
      try { for (let i = 0; i < 100; i++) kept[i] = new WebAssembly.Memory({ initial: 60 }); } catch (e) { name = e.name; }
      let grow = ''; try { kept[0].grow(1000); } catch (e) { grow = e.name; }
      return Response.json({ name, grow, kept: kept.length, stolen: stolen.length });`, { memoryMb: 16 });
    expect(answer).toEqual({ name: 'RangeError', grow: 'RangeError', kept: 4, stolen: 0 });
  });
});
