// structuredClone (HTML standard, section 2.7): the same code runs in Node; what differs is listed.
import { describe, expect, test } from 'vitest';
import { runChecks, runHere } from '../../../support/isolates-checks.ts';
import { TestHost } from '../../../support/isolates-host.ts';

const host = TestHost.shared();

const SHOW = `
  const show = (v, seen = new Map()) => {
    if (typeof v === 'bigint') return v + 'n'; if (v === undefined) return 'undefined'; if (Object.is(v, -0)) return '-0'; if (typeof v === 'number' && !Number.isFinite(v)) return String(v);
    if (typeof v !== 'object' || v === null) return v;
    if (seen.has(v)) return 'seen ' + seen.get(v); seen.set(v, seen.size);
    const proto = Object.getPrototypeOf(v); const type = [globalThis[proto?.constructor?.name]?.prototype === proto ? proto.constructor.name : 'other'];
    if (v instanceof Date) type.push(v.getTime()); else if (v instanceof RegExp) type.push(v.source, v.flags, v.lastIndex);
    else if (v instanceof Map) type.push([...v].map(([a, b]) => [show(a, seen), show(b, seen)])); else if (v instanceof Set) type.push([...v].map((i) => show(i, seen)));
    else if (ArrayBuffer.isView(v)) type.push(v.byteOffset, v.byteLength, show(v.buffer, seen)); else if (v instanceof ArrayBuffer) type.push(hex(v));
    else if (v instanceof Boolean || v instanceof Number || v instanceof String || v instanceof BigInt) type.push(show(v.valueOf(), seen));
    else if (v instanceof Error) type.push(['name', 'message', 'cause'].map((k) => [k, Object.hasOwn(v, k), show(v[k], seen)]), typeof v.stack);
    if (Array.isArray(v)) type.push(v.length);
    return type.concat(ArrayBuffer.isView(v) || v instanceof String || v instanceof Error ? [] : Object.entries(v).map(([k, i]) => [k, show(i, seen)]));
  };
  const clone = (name, make, options) => check(name, () => show(structuredClone(make(), options)));`;

/** Runs it in both: where they differ, but for what is our own, each of which must be a difference. */
async function differences(body: string, own: Readonly<Record<string, unknown>> = {}): Promise<unknown[]> {
  const [here, there] = [await runHere(SHOW + body), await runChecks(host(), SHOW + body)];
  const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
  const wrong = Object.keys({ ...here, ...there }).filter((name) => !same(there[name], name in own ? own[name] : here[name]) || (name in own && same(here[name], own[name])));
  return wrong.map((name) => ({ name, node: here[name], thimble: there[name] }));
}

describe('structuredClone', () => {
  test('copies primitives and their boxes', async () => {
    expect(await differences(`
      const values = [undefined, null, false, true, '', 'text', '\\ud800', '\\0', 0.2, 0, -0, NaN, -Infinity, Infinity, 9007199254740992, 0n, -12n, 2n ** 200n];
      for (const [i, v] of values.entries()) { await clone('value ' + i, () => v); if (v != null) await clone('box ' + i, () => Object(v)); await clone('array ' + i, () => [v]); await clone('object ' + i, () => ({ x: v })); }
      await check('no argument', () => error(() => structuredClone()).then((e) => e.split(' ')[0])); await check('length', () => [structuredClone.length, structuredClone.name]);
      await clone('box with a property', () => Object.assign(Object('abc'), { foo: 'bar' })); await clone('box of another prototype', () => Object.setPrototypeOf(Object(5), null));`, {
      // One required argument.
      length: [1, 'structuredClone'],
    })).toEqual([]);
  });
  test('copies dates, regular expressions, maps and sets', async () => {
    expect(await differences(`
      for (const t of [0, -8.64e15, 8.64e15, NaN, 1e12]) await clone('date ' + t, () => new Date(t));
      for (const [i, r] of [/foo/, /(?:)/, /a/dgimsuy, /[\\p{L}--a]/v, new RegExp('/'), new RegExp('\\n')].entries()) await clone('regexp ' + i, () => { r.lastIndex = 2; return r; });
      await clone('map', () => new Map([[1, { a: 1 }], [{ k: 1 }, new Map([[1, 2]])], [NaN, -0]])); await clone('set', () => new Set([1, {}, new Set([2]), 'x']));
      await clone('a map that holds itself', () => { const m = new Map(); m.set(m, m); return m; }); await clone('a set that holds itself', () => { const m = new Set(); m.add(m); return m; });
      await clone('map with a property', () => Object.assign(new Map([[1, 2]]), { foo: 1 })); await clone('subclass', () => new (class Mine extends Map {})([[1, 2]])); await clone('class with a tag', () => new (class Mine { get [Symbol.toStringTag]() { return 'Map'; } x = 1; })());
      await clone('date without prototype', () => Object.setPrototypeOf(new Date(5), null)); await clone('map as object', () => Object.setPrototypeOf(new Map([[1, 2]]), Object.prototype)); await clone('set of null prototype', () => Object.setPrototypeOf(new Set([7]), null));
      await clone('entries that change the map', () => { const m = new Map(); m.set(1, { get x() { m.clear(); m.set(9, 9); return 1; } }); m.set(2, 2); return m; });`)).toEqual([]);
  });
  test('copies objects and arrays: own enumerable string keys, order, cycles, identity, getters', async () => {
    expect(await differences(`
      await clone('object', () => ({ b: 1, a: { c: [1, 2, { d: 3 }] }, 2: 'x', 1: 'y' })); await clone('array', () => [1, [2, [3]], , 4]); await clone('long sparse array', () => { const a = new Array(1e6); a[5] = 1; a.foo = 'bar'; return a; });
      await clone('holes', () => [, 1, , 2, ,]); await clone('cycle', () => { const o = { x: {} }; o.self = o; o.x.up = o; o.list = [o, o.x, o.x]; return o; }); await clone('empty', () => [{}, [], Object.create(null)]);
      await clone('symbols and hidden ones', () => Object.defineProperty({ [Symbol('x')]: 1, y: 2 }, 'z', { value: 3 })); await clone('inherited', () => Object.assign(Object.create({ a: 1 }), { b: 2 })); await clone('class', () => new (class Point { x = 1; #y = 2; get z() { return 3; } })());
      await clone('getter', () => ({ get x() { return { n: 1 }; } })); await clone('getter that throws', () => ({ get x() { throw new RangeError('mine'); } })); await clone('a getter that deletes the next', () => { const o = { get a() { delete o.b; return 1; }, b: 2, c: 3 }; return o; });
      await clone('frozen', () => Object.freeze({ a: Object.freeze([1]) })); await check('is not frozen', () => Object.isFrozen(structuredClone(Object.freeze({ a: 1 })))); await clone('accessor on the prototype', () => ({ ['__proto__']: 1, x: 2 })); await clone('arguments', () => (function () { return arguments; })(1, 2));
      await check('fresh', () => { const o = { a: [] }; const c = structuredClone(o); return [c !== o, c.a !== o.a, Object.getPrototypeOf(c) === Object.prototype, Array.isArray(c.a)]; }); await clone('array of another prototype', () => Object.setPrototypeOf([1, 2], null));
      await check('descriptors', () => Object.getOwnPropertyDescriptor(structuredClone(Object.defineProperty({}, 'x', { value: 1, enumerable: true })), 'x'));
      await check('many', () => { const a = Array.from({ length: 20000 }, (_, i) => ({ id: i, tags: ['a', 'b'], when: new Date(i) })); const c = structuredClone(a); return [c.length, c[19999].when.getTime(), c[7].tags[1]]; });`)).toEqual([]);
  });
  test('copies buffers and views', async () => {
    expect(await differences(`
      await clone('buffer', () => new Uint8Array([1, 2, 3]).buffer); await clone('empty buffer', () => new ArrayBuffer(0));
      for (const t of ['Int8Array', 'Uint8Array', 'Uint8ClampedArray', 'Int16Array', 'Uint16Array', 'Int32Array', 'Uint32Array', 'Float32Array', 'Float64Array', 'BigInt64Array', 'BigUint64Array']) await clone(t, () => new globalThis[t](new Uint8Array(48).map((_, i) => i).buffer, 8, 3));
      await clone('DataView', () => new DataView(new ArrayBuffer(9), 2, 5)); await clone('two views of one', () => { const b = new ArrayBuffer(8); return { a: new Uint8Array(b, 1, 2), b: new Uint16Array(b), c: b }; });
      await check('still one', () => { const b = new ArrayBuffer(8); const c = structuredClone([new Uint8Array(b), new DataView(b), b]); return [c[0].buffer === c[2], c[1].buffer === c[2], c[2] !== b]; }); await clone('subclass', () => new (class Mine extends Uint8Array {})([1, 2])); await clone('view of another prototype', () => Object.setPrototypeOf(new Uint8Array(2), null));
      await check('detached', async () => { const b = new ArrayBuffer(4); const v = new Uint8Array(b); structuredClone(b, { transfer: [b] }); return [await error(() => structuredClone(b)), await error(() => structuredClone(v))]; });`)).toEqual([]);
  });
  test('copies errors with their cause, and DOMExceptions', async () => {
    expect(await differences(`
      for (const E of [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError]) await clone(E.name, () => new E('m', { cause: { a: [1] } }));
      await clone('no message', () => new Error()); await clone('own name', () => Object.assign(new Error('x'), { name: 'TypeError' })); await clone('strange name', () => Object.assign(new Error('x'), { name: 'Mine' })); await clone('message of a number', () => Object.assign(new Error(), { message: 5 }));
      await clone('message by a getter', () => Object.defineProperty(new Error(), 'message', { get: () => 'no' })); await clone('subclass', () => new (class Mine extends RangeError {})('m')); await clone('own properties', () => Object.assign(new Error('m'), { extra: 1 }));
      await clone('cause is the error', () => { const e = new Error('x'); e.cause = e; return e; });
      await check('stack', () => { const e = new Error('x'); return structuredClone(e).stack === e.stack; });
      await check('DOMException', () => { const e = new DOMException('m', 'AbortError'); const c = structuredClone(e); return [c !== e, c instanceof DOMException, c.name, c.message, c.code]; });`)).toEqual([]);
  });
  test('refuses the rest with a DataCloneError', async () => {
    expect(await differences(`
      const refused = { function: () => () => {}, class: () => class {}, symbol: () => Symbol('x'), 'boxed symbol': () => Object(Symbol('x')), promise: () => Promise.resolve(), weakmap: () => new WeakMap(), weakset: () => new WeakSet(), weakref: () => new WeakRef({}),
        generator: () => (function* () {})(), 'map iterator': () => new Map().entries(), inside: () => ({ a: [() => {}] }), 'in a map': () => new Map([[1, Symbol()]]), 'in a cause': () => new Error('x', { cause: () => {} }), response: () => new Response('x'), abort: () => new AbortController().signal };
      for (const [name, make] of Object.entries(refused)) await check(name, async () => { try { structuredClone(make()); return 'none'; } catch (e) { return [e instanceof DOMException, e.name, e.code]; } });`, {
      // A plain object in Node; in browsers a platform object that is not serializable.
      abort: [true, 'DataCloneError', 25],
    })).toEqual([]);
  });
  test('CryptoKey is cloned, headers and URLs are not', async () => {
    expect(await runChecks(host(), `
      await check('key', async () => { const k = await s.generateKey({ name: 'HMAC', hash: 'SHA-1' }, false, ['sign']); const c = structuredClone({ k }).k; return [c !== k, c instanceof CryptoKey, c.extractable, c.usages, c.algorithm, hex(await s.sign('HMAC', k, new Uint8Array(2))) === hex(await s.sign('HMAC', c, new Uint8Array(2)))]; });
      const refused = { Headers: () => new Headers(), URL: () => new URL('http://a.test'), URLSearchParams: () => new URLSearchParams(), Request: () => new Request('http://a.test'), EventTarget: () => new EventTarget(), ReadableStream: () => new ReadableStream(), crypto: () => crypto, subtle: () => s };
      for (const [name, make] of Object.entries(refused)) await check(name, () => error(() => structuredClone(make())));`)).toEqual({
      key: [true, true, false, ['sign'], { name: 'HMAC', hash: { name: 'SHA-1' }, length: 512 }, true],
      Headers: 'DataCloneError', URL: 'DataCloneError', URLSearchParams: 'DataCloneError', Request: 'DataCloneError', EventTarget: 'DataCloneError', ReadableStream: 'DataCloneError', crypto: 'DataCloneError', subtle: 'DataCloneError',
    });
  });
});

describe('transfer', () => {
  test('moves ArrayBuffers wherever they stand, and keeps order and identity', async () => {
    expect(await differences(`
      const moved = (name, make) => check(name, () => { const { value, list } = make(); const c = structuredClone(value, { transfer: list }); return [show(c), list.map((b) => [b.byteLength, b.detached])]; });
      const buffer = (n = 4) => new Uint8Array(n).map((_, i) => i + 1).buffer;
      await moved('itself', () => { const b = buffer(); return { value: b, list: [b] }; }); await moved('a property', () => { const b = buffer(); return { value: { x: 1, b, y: [b] }, list: [b] }; }); await moved('unused', () => ({ value: 1, list: [buffer()] }));
      await moved('views', () => { const b = buffer(16); return { value: [new Uint8Array(b, 2, 3), new DataView(b, 1), b, new Float64Array(b)], list: [b] }; }); await moved('a view alone', () => { const b = buffer(8); return { value: new Uint16Array(b, 2, 2), list: [b] }; });
      await moved('in map and set', () => { const b = buffer(); return { value: [new Map([[1, 2], [b, b], [3, new Uint8Array(b)]]), new Set([0, b, 9])], list: [b] }; }); await moved('as a cause', () => { const b = buffer(); return { value: new Error('x', { cause: b }), list: [b] }; });
      await moved('two of three', () => { const [a, b, c] = [buffer(1), buffer(2), buffer(3)]; return { value: { a, b, c }, list: [c, a] }; }); await moved('empty', () => { const b = new ArrayBuffer(0); return { value: b, list: [b] }; });
      await check('the memory moves', () => { const b = buffer(); const v = new Uint8Array(b); structuredClone(b, { transfer: [b] }); return [v.length, v[0]]; });`)).toEqual([]);
  });
  test('refuses wrong lists, and leaves everything as it was', async () => {
    expect(await differences(`
      const plain = (run) => error(run).then((e) => e.split(' ')[0]);
      for (const [i, options] of [1, 'x', { transfer: 1 }, { transfer: [1] }, { transfer: ['x'] }, { transfer: {} }, { transfer: null }].entries()) await check('options ' + i, () => plain(() => structuredClone({}, options)));
      for (const [i, options] of [undefined, null, {}, { transfer: undefined }, { transfer: [] }, { transfer: new Set() }].entries()) await check('no list ' + i, () => show(structuredClone({ a: 1 }, options)));
      const b = new ArrayBuffer(4);
      for (const [name, list] of Object.entries({ twice: [b, b], view: [new Uint8Array(b)], object: [{}], function: [() => {}], array: [[]] })) await check(name, async () => [await plain(() => structuredClone(1, { transfer: list })), b.byteLength]);
      await check('a failing clone', async () => [await plain(() => structuredClone({ b, f() {} }, { transfer: [b] })), b.byteLength]);
      await check('detached before', async () => { const d = new ArrayBuffer(4); structuredClone(d, { transfer: [d] }); return plain(() => structuredClone(1, { transfer: [d] })); });
      await check('detached on the way', async () => { const d = new ArrayBuffer(4); return plain(() => structuredClone({ get x() { structuredClone(d, { transfer: [d] }); return 1; } }, { transfer: [d] })); });`, {
      // Section 2.7.7, step 5.2, asks once more after the walk; Node's transfers nothing in silence.
      'detached on the way': 'DataCloneError',
    })).toEqual([]);
  });
});

test('platform objects say for themselves how they are cloned and transferred', async () => {
  expect(await runChecks(host(), `
    await check('Blob', async () => { const b = new Blob(['ab', 'c'], { type: 'text/x' }); const c = structuredClone([b, b]); return [c[0] !== b, c[0] === c[1], c[0] instanceof Blob, c[0] instanceof File, c[0].type, await c[0].text()]; });
    await check('File', async () => { const f = new File(['abc'], 'n.txt', { type: 'text/y', lastModified: 7 }); Object.defineProperty(f, 'name', { value: 'other' }); const { c } = structuredClone({ c: f }); return [c instanceof File, c.name, c.lastModified, c.type, c.size]; });
    await check('a port is not cloned', () => error(() => structuredClone(new MessageChannel().port1)));
    await check('a port is transferred', async () => { const { port1, port2 } = new MessageChannel(); const { p } = structuredClone({ p: port2 }, { transfer: [port2] }); const got = new Promise((done) => { p.onmessage = (e) => done(e.data); }); port1.postMessage({ x: [1n] }); return [p !== port2, p instanceof MessagePort, String((await got).x[0]), await error(() => structuredClone(port2, { transfer: [port2] }))]; });
    await check('a port within a message', async () => { const { port1, port2 } = new MessageChannel(); const sent = new MessageChannel(); const b = new ArrayBuffer(3); const got = new Promise((done) => { port2.onmessage = done; }); port1.postMessage({ p: sent.port2, b }, [sent.port2, b]); const e = await got; return [e.ports.length, e.data.p === e.ports[0], e.data.b.byteLength, b.byteLength, await error(() => port1.postMessage({ p: sent.port1 }))]; });`)).toEqual({
    Blob: [true, true, true, false, 'text/x', 'abc'], File: [true, 'n.txt', 7, 'text/y', 3], 'a port is not cloned': 'DataCloneError', 'a port is transferred': [true, true, '1', 'DataCloneError'], 'a port within a message': [1, true, 3, 0, 'DataCloneError'],
  });
});

test('patched intrinsics are not asked', async () => {
  expect(await runChecks(host(), `
    let caught = ''; const b = new ArrayBuffer(3); const given = { x: 1, list: [1, 2], d: new Date(5), m: new Map([[1, 2]]), s: new Set([3]), v: new Uint8Array(4), b, e: new RangeError('x') };
    for (const [holder, names] of [[Map.prototype, ['get', 'set', 'has', 'forEach', 'entries']], [Set.prototype, ['add', 'forEach']], [Array.prototype, ['push', 'map', 'forEach']], [Object, ['keys', 'defineProperty', 'getPrototypeOf']], [Reflect, ['apply', 'ownKeys', 'has']], [Date.prototype, ['getTime', 'valueOf']], [ArrayBuffer.prototype, ['slice', 'transfer']], [Object.prototype, ['hasOwnProperty', 'toString', 'valueOf']], [Function.prototype, ['call', 'apply', 'bind']]])
      for (const name of names) { const old = holder[name]; Object.defineProperty(holder, name, { value: function (...args) { caught += name + ' '; return old; }, configurable: true, writable: true }); }
    Object.defineProperty(ArrayBuffer, Symbol.species, { get() { caught += 'species '; } }); Object.defineProperty(Array.prototype, '0', { set(v) { caught += 'setter '; }, configurable: true }); Object.defineProperty(Object.prototype, 'x', { set(v) { caught += 'setter x '; }, configurable: true });
    caught = '';
    const c = structuredClone(given, { transfer: [b] });
    const seen = caught;
    await check('seen', () => seen); await check('works', () => [c.x, c.list.length, c.v.byteLength, c.b.byteLength, b.byteLength, c.e.name, c.m.size, c.s.size, new Date(c.d) - 5]);`))
    .toEqual({ seen: '', works: [1, 2, 4, 3, 0, 'RangeError', 1, 1, 0] });
});
