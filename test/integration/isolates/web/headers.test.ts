// Headers (Fetch standard, section 5.1), as functions see them.
import { test } from 'vitest';
import { expectChecks } from '../../../support/guest-checks.ts';
import { TestHost } from '../../../support/isolates-host.ts';

const host = TestHost.shared();

test('the interface: names, lengths, enumerable members, class string', () => expectChecks(host(), `
check('members', () => {
  for (const name of ['append', 'delete', 'get', 'getSetCookie', 'has', 'set', 'entries', 'keys', 'values', 'forEach']) ok(Object.getOwnPropertyDescriptor(Headers.prototype, name).enumerable, name);
  eq([Headers.length, Headers.name, Headers.prototype.append.length, Headers.prototype.get.length, Headers.prototype.forEach.length], [0, 'Headers', 2, 1, 1]);
  ok(Headers.prototype[Symbol.iterator] === Headers.prototype.entries);
  eq(Headers.prototype.entries.name, 'entries');
  eq(Object.prototype.toString.call(new Headers()), '[object Headers]');
  eq(Object.getOwnPropertyNames(Headers).toSorted(), ['length', 'name', 'prototype']);
});
check('needs new and arguments', () => {
  throwsWith('TypeError', () => Headers());
  const h = new Headers();
  for (const run of [() => h.get(), () => h.has(), () => h.delete(), () => h.set('a'), () => h.append('a'), () => h.forEach()]) throwsWith('TypeError', run, String(run));
  throwsWith('TypeError', () => Headers.prototype.get.call({}, 'a'));
  throwsWith('TypeError', () => Headers.prototype.entries.call({}));
});
`));

test('init: Headers, pairs, records, and what is none of them', () => expectChecks(host(), `
check('nothing', () => { eq([...new Headers()], []); eq([...new Headers(undefined)], []); eq([...new Headers({})], []); });
check('no object', () => { for (const init of [null, 1, 'text', true]) throwsWith('TypeError', () => new Headers(init), String(init)); });
check('sequence', () => {
  eq([...new Headers([['b', '2'], ['a', '1'], ['b', '3']])], [['a', '1'], ['b', '2, 3']]);
  eq([...new Headers(new Map([['a', 1]]))], [['a', '1']]);
  eq([...new Headers([new Set(['a', 'b'])])], [['a', 'b']]);
  for (const init of [[['a']], [['a', 'b', 'c']], ['ab'], [1], [[]], { [Symbol.iterator]: 1 }]) throwsWith('TypeError', () => new Headers(init), show(init));
});
check('Headers, and their own iterator', () => {
  const from = new Headers([['set-cookie', 'a'], ['set-cookie', 'b'], ['x', '1']]);
  eq([...new Headers(from)], [['set-cookie', 'a'], ['set-cookie', 'b'], ['x', '1']]);
  from[Symbol.iterator] = function* () { yield ['own', 'one']; };
  eq([...new Headers(from)], [['own', 'one']]);
});
check('record: order of operations', () => {
  const log = [];
  const traps = new Proxy({}, { get: (_, trap) => (...args) => { log.push(trap + ' ' + String(typeof args[1] === 'object' ? '' : args[1] ?? '')); return Reflect[trap](...args); } });
  new Headers(new Proxy({ a: 'b', c: 'd' }, traps));
  eq(log, ['get Symbol(Symbol.iterator)', 'ownKeys ', 'getOwnPropertyDescriptor a', 'get a', 'getOwnPropertyDescriptor c', 'get c']);
});
check('record: the first flaw stops what is no byte, all others at the end', () => {
  const log = [];
  const seen = (record) => new Proxy(record, { get: (t, key) => { if (typeof key === 'string') log.push(key); return t[key]; } });
  throwsWith('TypeError', () => new Headers(seen({ a: '\\uffff', c: 'd' })));
  eq(log.splice(0), ['a']);
  throwsWith('TypeError', () => new Headers(seen({ a: 'b', '\\uffff': 'd' })));
  eq(log.splice(0), ['a']);
  throwsWith('TypeError', () => new Headers(seen({ 'in valid': 'b', c: 'd' })));
  eq(log.splice(0), ['in valid', 'c']);
});
check('record: symbols and what is not enumerable', () => {
  throwsWith('TypeError', () => new Headers({ [Symbol('s')]: 'a' }));
  const record = Object.defineProperty({ a: '1' }, Symbol('s'), { value: 'x', enumerable: false });
  Object.defineProperty(record, 'hidden', { value: 'x', enumerable: false });
  eq([...new Headers(record)], [['a', '1']]);
  throwsWith('TypeError', () => new Headers({ a: Symbol('v') }));
});
check('functions are records too', () => { const f = () => {}; f.a = 'b'; eq(new Headers(f).get('a'), 'b'); });
`));

test('names and values: bytes, tokens, white space', () => expectChecks(host(), `
check('names', () => {
  for (const name of ['', 'a b', 'a:', 'a\\n', 'ä', '\\u0100', 'a(']) for (const run of [(h) => h.get(name), (h) => h.has(name), (h) => h.delete(name), (h) => h.set(name, 'x'), (h) => h.append(name, 'x')]) throwsWith('TypeError', () => run(new Headers()), name);
  eq([...new Headers({ 'X-A!#$%&\\'*+-.^_\`|~9': '1' }).keys()], ["x-a!#$%&'*+-.^_\`|~9"]);
});
check('values', () => {
  for (const value of ['a\\0', 'a\\nb', 'a\\rb', '\\u0100', '\\ud800']) for (const run of [(h) => h.set('a', value), (h) => h.append('a', value), () => new Headers([['a', value]]), () => new Headers({ a: value })]) throwsWith('TypeError', () => run(new Headers()), show(value));
  const h = new Headers([['a', ' \\t\\r\\n x y \\n'], ['b', '\\u00ff'], ['c', '\\u0001\\u000b\\f']]);
  eq([h.get('a'), h.get('b'), h.get('c')], ['x y', '\\u00ff', '\\u0001\\u000b\\f']);
  h.set('d', null); h.set('e', undefined); h.set('f', 1.5);
  eq([h.get('d'), h.get('e'), h.get('f')], ['null', 'undefined', '1.5']);
});
check('empty values', () => { const h = new Headers({ a: '' }); eq(h.get('a'), ''); h.append('a', ''); eq(h.get('a'), ', '); ok(h.has('A')); });
`));

test('append, set, delete, get, has', () => expectChecks(host(), `
check('set replaces the first and drops the others', () => {
  const h = new Headers([['a', '1'], ['b', '2'], ['a', '3']]);
  h.set('A', '4'); eq([...h], [['a', '4'], ['b', '2']]);
  h.delete('a'); eq([h.get('a'), h.has('a'), [...h]], [null, false, [['b', '2']]]);
  h.delete('never');
});
check('cookies stay apart', () => {
  const h = new Headers([['x', '1'], ['set-cookie', 'z=z'], ['b', '1'], ['Set-Cookie', 'a=a'], ['set-cookie2', 'x'], ['set-cookie2', 'y']]);
  eq(h.getSetCookie(), ['z=z', 'a=a']);
  eq(h.get('set-cookie'), 'z=z, a=a');
  eq([...h], [['b', '1'], ['set-cookie', 'z=z'], ['set-cookie', 'a=a'], ['set-cookie2', 'x, y'], ['x', '1']]);
  h.set('set-cookie', 'one'); eq(h.getSetCookie(), ['one']);
  eq(new Headers().getSetCookie(), []);
});
check('names that objects inherit are no headers', () => { const h = new Headers(); eq([h.get('constructor'), h.has('__proto__')], [null, false]); h.set('__proto__', 'x'); eq(h.get('__proto__'), 'x'); });
`));

test('iteration is live and sorted', () => expectChecks(host(), `
check('order', () => { const h = new Headers([['c', '3'], ['a', '1'], ['b', '2']]); eq([[...h.keys()], [...h.values()], [...h.entries()]], [['a', 'b', 'c'], ['1', '2', '3'], [['a', '1'], ['b', '2'], ['c', '3']]]); });
check('changes show', () => {
  const h = new Headers([['fizz', 'buzz'], ['X-Header', 'test']]);
  const i = h[Symbol.iterator]();
  eq(i.next().value, ['fizz', 'buzz']);
  h.append('Set-Cookie', 'a=b'); eq(i.next().value, ['set-cookie', 'a=b']);
  h.append('Accept', 'text/html'); eq(i.next().value, ['set-cookie', 'a=b']);
  eq(i.next().value, ['x-header', 'test']);
  h.append('set-cookie', 'c=d'); eq(i.next().value, ['x-header', 'test']);
  ok(i.next().done);
});
check('forEach', () => {
  const h = new Headers([['a', '1'], ['b', '2']]);
  const seen = []; const self = {};
  h.forEach(function (value, name, parent) { seen.push([name, value, this === self, parent === h]); if (name === 'a') h.delete('b'); }, self);
  eq(seen, [['a', '1', true, true]]);
  for (const bad of [undefined, null, {}, 'x']) throwsWith('TypeError', () => h.forEach(bad));
});
check('the iterator prototype', () => {
  const i = new Headers({ a: '1' }).entries();
  const prototype = Object.getPrototypeOf(i);
  eq(Object.prototype.toString.call(i), '[object Headers Iterator]');
  ok(Object.getPrototypeOf(prototype) === Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]())));
  eq(Object.getOwnPropertyNames(prototype), ['next']);
  ok(Object.getOwnPropertyDescriptor(prototype, 'next').enumerable);
  ok(i[Symbol.iterator]() === i);
  throwsWith('TypeError', () => prototype.next.call({}));
  ok(i.next().value !== i.next().value);
});
`));

test('guards: what came from outside is immutable, copies are not', () => expectChecks(host(), `
check('request from outside', (request) => {
  for (const run of [(h) => h.set('a', 'b'), (h) => h.append('a', 'b'), (h) => h.delete('x-mine')]) throwsWith('TypeError', () => run(request.headers));
  eq(request.headers.get('X-Mine'), '1');
  const copy = new Headers(request.headers); copy.set('x-mine', '2'); eq([copy.get('x-mine'), request.headers.get('x-mine')], ['2', '1']);
  const own = new Request(request); own.headers.set('x-mine', '3'); eq(own.headers.get('x-mine'), '3');
  throwsWith('TypeError', () => request.clone().headers.set('a', 'b'));
});
check('Response.error and redirect', () => {
  throwsWith('TypeError', () => Response.error().headers.set('a', 'b'));
  throwsWith('TypeError', () => Response.redirect('https://a.test/').headers.append('a', 'b'));
  throwsWith('TypeError', () => Response.redirect('https://a.test/').clone().headers.append('a', 'b'));
  const r = new Response(); r.headers.set('a', 'b'); eq(r.headers.get('a'), 'b');
});
`, {}, { headers: { 'x-mine': '1' } }));

test('a patched prelude breaks only its own function', () => expectChecks(host(), `
check('patched intrinsics', () => {
  const { exec } = RegExp.prototype; const { split } = String.prototype; const { sort } = Array.prototype; const iterator = Array.prototype[Symbol.iterator];
  try {
    RegExp.prototype.exec = String.prototype.split = Array.prototype.sort = () => { throw new Error('patched'); };
    Array.prototype[Symbol.iterator] = () => { throw new Error('patched'); };
    const h = new Headers({ B: '2', a: ' 1 ' });
    h.append('a', '3');
    const keys = h.keys();
    if (h.get('a') !== '1, 3' || keys.next().value !== 'a' || keys.next().value !== 'b') throw new Error('wrong');
  } finally { RegExp.prototype.exec = exec; String.prototype.split = split; Array.prototype.sort = sort; Array.prototype[Symbol.iterator] = iterator; }
});
`));
