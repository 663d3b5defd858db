// Blob and File (File API, sections 3 and 4), as functions see them.
import { expect, test } from 'vitest';
import { expectChecks } from '../../../support/guest-checks.ts';
import { TestHost } from '../../../support/isolates-host.ts';

const host = TestHost.shared();

test('the interfaces', () => expectChecks(host(), `
check('Blob', async () => {
  eq([Blob.length, Blob.name, String(new Blob()), new Blob().size, new Blob().type], [0, 'Blob', '[object Blob]', 0, '']);
  for (const name of ['size', 'type']) { const { enumerable, get } = Object.getOwnPropertyDescriptor(Blob.prototype, name); ok(enumerable); throwsWith('TypeError', () => get.call({})); }
  for (const name of ['slice', 'stream', 'text', 'arrayBuffer', 'bytes']) ok(Object.getOwnPropertyDescriptor(Blob.prototype, name).enumerable, name);
  for (const name of ['text', 'arrayBuffer', 'bytes']) await rejectsWith('TypeError', () => Blob.prototype[name].call({}), name);
  throwsWith('TypeError', () => Blob()); throwsWith('TypeError', () => Blob.prototype.slice.call({}));
});
check('File', () => {
  const f = new File(['ab'], 'n.txt', { type: 'Text/Plain', lastModified: 5 });
  eq([File.length, f.name, f.type, f.size, f.lastModified, String(f), f instanceof Blob, Object.getPrototypeOf(File) === Blob], [2, 'n.txt', 'text/plain', 2, 5, '[object File]', true, true]);
  throwsWith('TypeError', () => new File()); throwsWith('TypeError', () => new File([])); throwsWith('TypeError', () => new File('x', 'n')); throwsWith('TypeError', () => new File(undefined, 'n'));
  for (const [given, seen] of [['', ''], ['a/b', 'a/b'], [null, 'null'], [1, '1'], ['\\ud800', '\\ufffd']]) eq(new File([], given).name, seen);
  for (const [given, seen] of [[1.9, 1], [-1, -1], [null, 0], ['7', 7], [NaN, 0], [true, 1], [new Date(9), 9]]) eq(new File([], 'n', { lastModified: given }).lastModified, seen, String(given));
  ok(Math.abs(new File([], 'n').lastModified - Date.now()) < 60_000); eq(new File([], 'n', { lastModified: undefined }).lastModified > 0, true);
});
`));

test('parts: sequences, conversions, endings', () => expectChecks(host(), `
check('what is no sequence', () => { for (const bad of [null, true, 0, 1.5, 'FAIL', new Date(), /x/, {}, { 0: 'FAIL', length: 1 }]) throwsWith('TypeError', () => new Blob(bad), show(bad)); eq(new Blob(undefined).size, 0); });
check('what is one', async () => {
  eq(await new Blob(new String('xyz')).text(), 'xyz'); eq(await new Blob(new Uint8Array([1, 2, 3])).text(), '123'); eq(await new Blob(new Set(['a', 1])).text(), 'a1');
  eq(await new Blob({ [Symbol.iterator]: Array.prototype[Symbol.iterator], 0: 'PASS', length: 1 }).text(), 'PASS');
});
check('order of getters and conversions', () => {
  const seen = []; const parts = { get [Symbol.iterator]() { seen.push('iterator'); return Array.prototype[Symbol.iterator]; }, get length() { seen.push('length'); return { valueOf() { seen.push('valueOf'); return 3; } }; },
    get 0() { seen.push('0'); return { toString() { seen.push('toString'); return 'a'; } }; }, get 1() { seen.push('1'); throw new RangeError('x'); }, get 2() { seen.push('2'); } };
  throwsWith('RangeError', () => new Blob(parts)); eq(seen, ['iterator', 'length', 'valueOf', '0', 'toString', 'length', 'valueOf', '1']);
});
check('values are text', async () => { eq(await new Blob([null, undefined, true, 0, new String('s'), [], ['x', 'y'], {}, { toString: undefined, valueOf: () => 'v' }, '\\ud800']).text(), 'nullundefinedtrue0sx,y[object Object]v\\ufffd'); throwsWith('TypeError', () => new Blob([{ toString: null, valueOf: null }])); throwsWith('TypeError', () => new Blob([Symbol('x')])); });
check('views and buffers', async () => { const b = utf8('PASS').buffer; eq(await new Blob([b, new Uint8Array(b, 1, 2), new DataView(b, 3), new Uint16Array(b), new Blob(['!']), new File(['?'], 'n')]).text(), 'PASSASSPASS!?'); const bytes = utf8('abc'); const blob = new Blob([bytes]); bytes[0] = 0; eq(await blob.text(), 'abc'); });
check('options', () => {
  for (const bad of [1, true, 'x']) throwsWith('TypeError', () => new Blob([], bad)); for (const good of [null, undefined, {}, () => {}, /x/]) eq(new Blob([], good).type, '');
  const log = []; new Blob([], { get type() { log.push('type'); }, get endings() { log.push('endings'); } }); eq(log, ['endings', 'type']);
  for (const bad of ['', 'Native', null, 'x']) throwsWith('TypeError', () => new Blob([], { endings: bad }), String(bad));
});
check('types', () => { for (const [given, seen] of [['A', 'a'], ['text/plain;charset=utf-8', 'text/plain;charset=utf-8'], ['\\u00e5', ''], [' image/gif ', ' image/gif '], ['\\timage/gif', ''], ['a\\u007f', ''], ['\\u0130', ''], ['a\\0', ''], [null, 'null']]) eq([new Blob([], { type: given }).type, new Blob().slice(0, 0, given).type], [seen, seen], show(given)); });
check('endings', async () => { const text = '\\na\\r\\nb\\n\\rc\\r'; eq([await new Blob([text]).text(), await new Blob([text], { endings: 'native' }).text(), await new Blob(['a\\r', '\\nb'], { endings: 'native' }).text(), await new Blob([utf8('a\\r\\n')], { endings: 'native' }).text()], [text, '\\na\\nb\\n\\nc\\n', 'a\\n\\nb', 'a\\r\\n']); });
`));

test('slices', () => expectChecks(host(), `
const blob = new Blob(['squ', 'i', utf8('ggle'), new Blob(['!'])], { type: 'a/b' });
for (const [args, text] of [[[], 'squiggle!'], [[0], 'squiggle!'], [[2], 'uiggle!'], [[2, 5], 'uig'], [[-3], 'le!'], [[-3, -1], 'le'], [[5, 2], ''], [[0, 99], 'squiggle!'], [[99], ''], [[-99, 2], 'sq'], [[1.5, 3.5], 'ig'.length ? 'ui' : ''], [[null, undefined], 'squiggle!'], [[NaN, 3], 'squ'], [['1', '3'], 'qu'], [[Infinity], ''], [[-Infinity, Infinity], 'squiggle!']])
  check(show(args), async () => { const s = blob.slice(...args); eq([await s.text(), s.size, s.type], [text, text.length, '']); });
check('slices of slices, types', async () => { const s = blob.slice(1, 8, 'X/y').slice(1, 6); eq([await s.text(), s.type, blob.slice(0, 1, 'X/y').type], ['uiggl', '', 'x/y']); ok(new File(['ab'], 'n').slice(0, 1) instanceof Blob); ok(!(new File(['ab'], 'n').slice(0, 1) instanceof File)); });
`));

test('reading: text, bytes, buffers, streams', () => expectChecks(host(), `
const big = new Uint8Array(200_000).map((_, i) => i & 255);
check('whole', async () => { const b = new Blob([big, 'end']); eq((await b.bytes()).length, 200_003); eq((await b.arrayBuffer()).byteLength, 200_003); const one = await b.bytes(); one.fill(0); ok((await b.bytes())[1] === 1); eq(await new Blob([new Uint8Array([0xef, 0xbb, 0xbf, 97, 255])]).text(), 'a\\ufffd'); });
check('stream', async () => { const b = new Blob([big]); eq((await readAll(b.stream())).length, 200_000); ok(b.stream() !== b.stream()); const reader = b.stream().getReader(); const { value } = await reader.read(); ok(value instanceof Uint8Array); value.fill(9); eq((await b.bytes())[1], 1); await reader.cancel(); eq(await readAll(new Blob([]).stream()), []); });
check('BYOB', async () => { const reader = new Blob(['abcdef']).stream().getReader({ mode: 'byob' }); eq((await reader.read(new Uint8Array(4))).value, [97, 98, 99, 100]); eq((await reader.read(new Uint8Array(4))).value, [101, 102]); ok((await reader.read(new Uint8Array(4))).done); });
check('as bodies', async () => { const b = new Blob(['abc'], { type: 'a/b' }); const r = new Response(b); eq([r.headers.get('content-type'), (await r.blob()).type], ['a/b', 'a/b']); eq(await new Request('https://a.test/', { method: 'POST', body: new File(['x'], 'n') }).text(), 'x'); });
`));

test('a Blob of Blobs that doubles is stopped by its own limit, and the host goes on', async () => {
  const f = await host().deploy(`export default { async fetch(request) {
    if (new URL(request.url).pathname === '/fine') return new Response('fine');
    let blob = new Blob([new Uint8Array(1_000_000)]);
    try { for (let i = 0; i < 40; i++) blob = new Blob([blob, blob]); return new Response(String(blob.size)); } catch (error) { return new Response(error.name); }
  } };`, { memoryMb: 32, cpuMs: 2_000 });
  const answer = await host().call(f);
  expect(answer.code === 'memory_limit_exceeded' || answer.body.toString() === 'RangeError').toBe(true);
  expect(host().alive).toBe(true);
  expect(await host().text(f, { path: '/fine' })).toBe('fine');
});
