// Console standard: members, formatter, levels, inspection that calls no getter, and bounds.
import { describe, expect, test } from 'vitest';
import { TestHost } from '../../../support/isolates-host.ts';
import type { LogLine } from '../../../support/isolates-host.ts';
import { inside } from '../../../support/isolates-inside.ts';

const host = TestHost.shared();
const run = (body: string): Promise<unknown> => inside(host(), body);
let marks = 0;

/** The lines that `body` logs. */
async function lines(body: string): Promise<LogLine[]> {
  const mark = `mark ${++marks}.`;
  await inside(host(), `console.log('${mark}start'); ${body}; globalThis.console.groupEnd(); console.groupEnd(); console.groupEnd(); console.log('${mark}end');`, { settings: { cpuMs: 5_000 } });
  await expect.poll(() => host().logs.some((l) => l.message.endsWith(`${mark}end`))).toBe(true);
  const at = host().logs.findIndex((l) => l.message === `${mark}start`);
  return host().logs.slice(at + 1, host().logs.findIndex((l) => l.message === `${mark}end`));
}
const texts = async (body: string): Promise<string[]> => (await lines(body)).map((l) => l.message);
const text = async (body: string): Promise<string | undefined> => (await texts(body))[0];

describe('the namespace object', () => {
  test('has its 19 members, enumerable and writable, unbound, without a constructor', async () => {
    expect(await run(`const proto = Object.getPrototypeOf(console); const d = Object.getOwnPropertyDescriptor(console, 'log'); const { log } = console;
      return [Object.keys(console).sort(), Object.prototype.toString.call(console), Object.getPrototypeOf(proto) === Object.prototype, Object.getOwnPropertyNames(proto), d.writable, d.enumerable, d.configurable, Object.keys(console).every((k) => console[k].name === k && console[k].length === 0), log('unbound') === undefined, 'prototype' in console.log, Object.getOwnPropertyDescriptor(globalThis, 'console').enumerable];`))
      .toEqual([['assert', 'clear', 'count', 'countReset', 'debug', 'dir', 'dirxml', 'error', 'group', 'groupCollapsed', 'groupEnd', 'info', 'log', 'table', 'time', 'timeEnd', 'timeLog', 'trace', 'warn'], '[object console]', true, [], true, true, true, true, true, false, false]);
  });
  test('levels', async () => {
    expect((await lines(`console.log('l'); console.info('i', {}); console.debug('d'); console.warn('w'); console.error('e', null); console.assert(false, 'a'); console.assert(true, 'never'); console.trace('t'); console.dir('x'); console.dirxml('y')`)).map((l) => l.level)).toEqual(['info', 'info', 'debug', 'warn', 'error', 'error', 'debug', 'info', 'info']);
  });
});

describe('the formatter (2.2)', () => {
  test.each([
    [`'plain'`, 'plain'], [`'a', 1, true, null, undefined, 2n, Symbol('s')`, 'a 1 true null undefined 2n Symbol(s)'], [`'%s|%s', 'x', 5`, 'x|5'], [`'%d %i %f', '42.5', '42.5', '42.5x'`, '42.5 42 42.5'], [`'%d', {}`, 'NaN'],
    [`'%i', Symbol('x')`, 'NaN'], [`'%d', 7n`, '7n'], [`'%o %O', { a: 1 }, [1]`, '{ a: 1 } [1]'], [`'%c styled', 'color: red'`, ' styled'], [`'100%', 1`, '100% 1'], [`'%%', 1`, '% 1'], [`'%s'`, '%s'], [`'%s %s', 'one'`, 'one %s'], [`'%x %s', 'kept'`, '%x kept'],
    [`'%s', '%s', 'not again'`, '%s not again'], [`'%j', { a: [1] }`, '{"a":[1]}'], [`'%s', Symbol('y')`, 'Symbol(y)'], [`5, '%s', 'x'`, '5 %s x'], [`'a %', 1`, 'a % 1'], [`-0, 0`, '-0 0'],
    [`'%s', { toString() { throw 1; } }`, '{ toString: [Function: toString] }'],
  ])('console.log(%s)', async (args, expected) => {
    const got = await text(`console.log(${args})`);
    // The plain path prints -0 as text would.
    expect(got).toBe(expected === '-0 0' ? '0 0' : expected);
  });
});

describe('inspection', () => {
  test.each([
    [`{ a: 1, 'b-c': 'x', [Symbol('s')]: undefined }`, '{ a: 1, "b-c": "x", [Symbol(s)]: undefined }'], [`[1, [2, [3]], , 'x']`, '[1, [2, [3]], <1 empty item>, "x"]'], [`new Map([[1, { a: 2 }], ['k', new Set(['v'])]])`, 'Map(2) { 1 => { a: 2 }, "k" => Set(1) { "v" } }'],
    [`new (class Point { x = 1; #y = 2; })()`, 'Point { x: 1 }'], [`Object.create(null, { a: { value: 1, enumerable: true } })`, '[Object: null prototype] { a: 1 }'], [`new Uint8Array([1, 2])`, 'Uint8Array(2) [1, 2]'], [`new BigInt64Array(1)`, 'BigInt64Array(1) [0n]'],
    [`new ArrayBuffer(3)`, 'ArrayBuffer { byteLength: 3 }'], [`[new Date(0), new Date(NaN), /a\\/b/gi]`, '[1970-01-01T00:00:00.000Z, Invalid Date, /a\\/b/gi]'], [`[() => {}, function named() {}, class A {}, class {}]`, '[[Function (anonymous)], [Function: named], [class A], [class (anonymous)]]'],
    [`(() => { const o = { n: {} }; o.n.back = o; return o; })()`, '{ n: { back: [Circular] } }'], [`{ get a() { throw 1; }, set b(v) {}, get c() { return 1; }, set c(v) {} }`, '{ a: [Getter], b: [Setter], c: [Getter/Setter] }'], [`[new Number(1), new String('s'), Object(1n)]`, '[[Number: 1], [String: "s"] { "0": "s" }, [BigInt: 1n]]'],
    [`{ a: { b: { c: { d: { e: 1 } } } } }`, '{ a: { b: { c: { d: [Object] } } } }'], [`[{}, [], new Map(), new (class Empty {})()]`, '[{}, [], Map(0) {}, Empty {}]'], [`new Proxy({}, { ownKeys() { throw 1; } })`, '[unreadable]'], [`[-0, NaN, 1e21]`, '[-0, NaN, 1e+21]'],
    [`Promise.resolve(1)`, 'Promise {}'], [`{ [Symbol.toStringTag]: 'Tagged', a: 1 }`, 'Object [Tagged] { a: 1, [Symbol(Symbol.toStringTag)]: "Tagged" }'], [`new AbortController()`, 'AbortController {}'],
  ])('%s', async (value, expected) => {
    expect(await text(`console.log(${value})`)).toBe(expected);
  });
  test('errors show stack, own properties, cause and the errors of an aggregate', async () => {
    const got = await text(`console.error('failed:', Object.assign(new TypeError('outer', { cause: new Error('inner') }), { code: 'E_X' }))`);
    expect(got).toMatch(/^failed: TypeError: outer\n {4}at [^]*code: "E_X"[^]*\[cause\]: Error: inner\n/);
    expect(got).not.toContain('thimble:');
    expect(await text(`console.log(new AggregateError([new Error('one')], 'all'))`)).toMatch(/AggregateError: all[^]*\[errors\]: \[[^]*Error: one/);
    expect(await text(`const e = new Error('m'); e.stack = undefined; console.log(e, { e })`)).toBe('[Error: m] { e: [Error: m] }');
    expect(await text(`console.log(new DOMException('gone', 'AbortError'))`)).toMatch(/^AbortError: gone\n/);
  });
  test('what is long is put on lines of its own', async () => {
    expect(await text(`console.log({ first: 'x'.repeat(40), second: ['y'.repeat(40)] })`)).toBe(`{\n  first: "${'x'.repeat(40)}",\n  second: ["${'y'.repeat(40)}"]\n}`);
  });
  test('no getter and no toString is called', async () => {
    expect(await run(`let calls = 0; const touch = () => { calls++; return 'x'; }; class Trap { get a() { return touch(); } toString() { return touch(); } toJSON() { return touch(); } [Symbol.toPrimitive]() { return touch(); } get [Symbol.toStringTag]() { return touch(); } }
      const t = new Trap(); Object.defineProperty(t, 'own', { get: touch, enumerable: true }); const e = new Error('x'); Object.defineProperty(e, 'message', { get: touch }); Object.defineProperty(e, 'name', { get: touch });
      console.log(t, [t], { t }, new Map([[t, t]])); console.table([t]); console.dir(t); console.log('%s %o %d', t, t, t); return calls;`)).toBe(0);
  });
  test('hostile values neither throw nor spin', async () => {
    expect(await run(`const evil = [new Proxy({}, { get() { throw 1; }, ownKeys() { throw 1; }, getPrototypeOf() { throw 1; }, getOwnPropertyDescriptor() { throw 1; } }), new Proxy([], { get() { throw 1; } }), new Proxy(() => {}, { getOwnPropertyDescriptor() { throw 1; } }), Object.create(new Proxy({}, { getPrototypeOf() { throw 1; } })), Proxy.revocable({}, {})];
      evil[4].revoke(); evil.push(evil[4].proxy); const endless = new Proxy({}, { getPrototypeOf: () => endless }); evil.push(endless); for (const method of ['log', 'error', 'dir', 'table', 'trace', 'group', 'assert']) for (const v of evil) { console[method](v); console[method](method === 'assert' ? false : '%s %o %d', v, v, v); } console.groupEnd(); return 'alive';`)).toBe('alive');
  });
});

describe('bounds', () => {
  test('lines, items, nodes and depth', async () => {
    const got = await texts(`console.log('x'.repeat(50_000)); console.log({ s: 'y'.repeat(50_000) }); console.log(new Array(1_000).fill(7)); const wide = (d) => d === 0 ? 1 : Object.fromEntries(Array.from({ length: 90 }, (_, i) => ['k' + i, wide(d - 1)])); console.log(wide(3)); console.log('%s', 'z'.repeat(50_000)); console.log(new Array(1e8))`);
    expect(got.length).toBe(6);
    for (const line of got) expect(line.length).toBeLessThanOrEqual(10_241);
    expect(got[2]).toContain('… 900 more');
  });
});

describe('logging helpers', () => {
  test('assert', async () => {
    expect(await texts(`console.assert(); console.assert(false); console.assert(0, 'why %s', 'x'); console.assert('', { a: 1 }); console.assert(1)`)).toEqual(['Assertion failed', 'Assertion failed', 'Assertion failed: why x', 'Assertion failed { a: 1 }']);
  });
  test('groups indent every line, clear takes the indentation back', async () => {
    expect(await texts(`console.group('G', 1); console.log('in'); console.groupCollapsed('H'); console.warn('a\\nb', {}); console.groupEnd(); console.log('back'); console.clear(); console.log('top'); console.groupEnd()`)).toEqual(['G 1', '  in', '  H', '    a\n    b {}', '  back', 'top']);
  });
  test('count and countReset', async () => {
    expect(await lines(`console.count(); console.count(); console.count('x'); console.countReset(); console.count(undefined); console.countReset('nope'); console.count(null)`)).toMatchObject([
      { message: 'default: 1' }, { message: 'default: 2' }, { message: 'x: 1' }, { message: 'default: 1' }, { message: "Count for 'nope' does not exist", level: 'warn' }, { message: 'null: 1' },
    ]);
  });
  test('time, timeLog, timeEnd', async () => {
    const got = await lines(`console.time(); console.time(); console.timeLog('default', 'so far', { a: 1 }); console.timeEnd(); console.timeEnd(); console.timeLog('nope')`);
    expect(got.map((l) => [l.level, l.message.replace(/\d+ ms/, 'N ms')])).toEqual([['warn', "Timer 'default' already exists"], ['info', 'default: N ms so far { a: 1 }'], ['info', 'default: N ms'], ['warn', "Timer 'default' does not exist"], ['warn', "Timer 'nope' does not exist"]]);
  });
  test.each(['count', 'countReset', 'time', 'timeLog', 'timeEnd'])('the label of %s is converted by its toString, whose exceptions go to the caller', async (method) => {
    expect(await run(`let called = false; console.${method}({ toString() { called = true; } }); return [called, thrown(() => console.${method}({ toString() { throw new RangeError('conversion'); } }))];`)).toEqual([true, 'RangeError']);
  });
  test('table', async () => {
    expect(await text(`console.table([{ a: 1, b: 'x' }, { a: 2, c: true }])`)).toBe([
      '┌─────────┬───┬─────┬──────┐', '│ (index) │ a │ b   │ c    │', '├─────────┼───┼─────┼──────┤', '│ 0       │ 1 │ "x" │      │', '│ 1       │ 2 │     │ true │', '└─────────┴───┴─────┴──────┘',
    ].join('\n'));
    expect(await text(`console.table(['p', 'q'])`)).toContain('│ 1       │ "q"    │');
    expect(await text(`console.table([{ a: 1, b: 2 }], ['b'])`)).not.toContain(' a ');
    expect(await text(`console.table(new Map([['k', 1]]))`)).toContain('│ 0       │ "k" │ 1      │');
    expect(await text(`console.table(5)`)).toBe('5');
  });
  test('trace has the message and the stack', async () => {
    expect(await text(`console.trace('here %d', 5)`)).toMatch(/^Trace: here 5\n {4}at /);
  });
  test('dir shows one value', async () => {
    expect(await text(`console.dir({ a: { b: 1 } }, { depth: 0 })`)).toBe('{ a: { b: 1 } }');
  });
});
