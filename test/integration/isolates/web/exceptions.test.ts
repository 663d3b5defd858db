// Web IDL standard, section 4.3: DOMException; and how thrown values of any kind become text.
import { describe, expect, test } from 'vitest';
import { TestHost } from '../../../support/isolates-host.ts';
import { inside, logged } from '../../../support/isolates-inside.ts';

const host = TestHost.shared();
const run = (body: string): Promise<unknown> => inside(host(), body);

const NAMES = [
  'IndexSizeError', '', 'HierarchyRequestError', 'WrongDocumentError', 'InvalidCharacterError', '', 'NoModificationAllowedError', 'NotFoundError', 'NotSupportedError', 'InUseAttributeError', 'InvalidStateError', 'SyntaxError',
  'InvalidModificationError', 'NamespaceError', 'InvalidAccessError', '', 'TypeMismatchError', 'SecurityError', 'NetworkError', 'AbortError', 'URLMismatchError', 'QuotaExceededError', 'TimeoutError', 'InvalidNodeTypeError', 'DataCloneError',
];

describe('DOMException', () => {
  test('constructor arguments', async () => {
    expect(await run(`const show = (e) => [e.name, e.message, e.code]; return [show(new DOMException()), show(new DOMException(null)), show(new DOMException(undefined)), show(new DOMException('m')), show(new DOMException('m', undefined)), show(new DOMException('m', null)), show(new DOMException({ toString: () => 'o' }, { toString: () => 'AbortError' })), show(new DOMException('m', { name: 'N' })), thrown(() => DOMException('x')), thrown(() => new DOMException(Symbol())), DOMException.length, DOMException.name];`))
      .toEqual([['Error', '', 0], ['Error', 'null', 0], ['Error', '', 0], ['Error', 'm', 0], ['Error', 'm', 0], ['null', 'm', 0], ['AbortError', 'o', 20], ['[object Object]', 'm', 0], 'TypeError', 'TypeError', 0, 'DOMException']);
  });
  test('codes of all names, and constants on both objects', async () => {
    expect(await run(`return ${JSON.stringify(NAMES)}.map((name) => new DOMException('', name).code);`)).toEqual(NAMES.map((name, i) => (name === '' ? 0 : i + 1)));
    expect(await run(`const all = (o) => Object.entries(Object.getOwnPropertyDescriptors(o)).filter(([k]) => k.endsWith('_ERR')).map(([k, d]) => [k, d.value, d.writable, d.enumerable, d.configurable]); const a = all(DOMException); const b = all(DOMException.prototype);
      return [a.length, JSON.stringify(a) === JSON.stringify(b), a.every(([, v, w, e, c], i) => v === i + 1 && !w && e && !c), DOMException.INDEX_SIZE_ERR, DOMException.VALIDATION_ERR, DOMException.DATA_CLONE_ERR];`)).toEqual([25, true, true, 1, 16, 25]);
  });
  test('prototype chain, own properties, brand checks, class string, stack', async () => {
    expect(await run(`const e = new DOMException('m', 'AbortError'); const get = (k) => Object.getOwnPropertyDescriptor(DOMException.prototype, k).get; class Sub extends DOMException { constructor() { super('s', 'DataError'); } } const s = new Sub();
      return [e instanceof Error, Object.getPrototypeOf(DOMException) === Function.prototype, Object.getPrototypeOf(DOMException.prototype) === Error.prototype, ['name', 'message', 'code'].map((k) => Object.hasOwn(e, k)), thrown(() => get('name').call({})), thrown(() => get('message').call(DOMException.prototype)), thrown(() => get('code').call(new Error())),
        Object.prototype.toString.call(e), String(e), e.stack.split('\\n')[0], Object.hasOwn(e, 'stack'), s instanceof Sub, s instanceof DOMException, s.name, s.constructor === Sub, Object.keys(DOMException.prototype).includes('code'), thrown(() => { 'use strict'; e.name = 'x'; })];`))
      .toEqual([true, true, true, [false, false, false], 'TypeError', 'TypeError', 'TypeError', '[object DOMException]', 'AbortError: m', 'AbortError: m', true, true, true, 'DataError', true, true, 'TypeError']);
  });
  test('what the platform throws is an instance of the global one', async () => {
    expect(await run(`let e; try { atob('!'); } catch (x) { e = x; } return [e instanceof DOMException, e.constructor === DOMException, e.code, e.name];`)).toEqual([true, true, 5, 'InvalidCharacterError']);
  });
});

describe('thrown values', () => {
  test.each([
    [`'text'`, 'text'], ['42', '42'], ['null', 'null'], ['undefined', 'undefined'], ['Symbol("s")', 'Symbol(s)'], ['10n', '10'], ['() => {}', 'function'], ['{}', 'Error'], ['{ message: "m" }', 'Error: m'], ['{ name: {}, message: [] }', 'object: object'],
    ['new Proxy({}, { get() { throw 1; } })', 'Error'], ['{ get message() { throw 1; }, get stack() { throw 2; }, name: "N" }', 'N'], ['Object.create(null)', 'Error'], ['new DOMException("d", "AbortError")', 'AbortError: d'], ['Object.assign(new Error("x"), { name: "" })', 'Error: x'],
  ])('throw %s is answered as %s', async (value, expected) => {
    const f = await host().deploy(`export default { fetch() { throw (${value}); } };`, { debug: true });
    const answer = await host().call(f);
    expect(answer.code).toBe('function_threw');
    expect(answer.detail?.split('\n')[0]).toBe(expected);
  });
  test('a huge message and a huge stack are cut', async () => {
    const f = await host().deploy(`export default { fetch() { const e = new Error('m'.repeat(3_000_000)); e.stack = 's'.repeat(3_000_000); throw e; } };`, { debug: true, cpuMs: 1_000 });
    const { code, detail } = await host().call(f);
    expect(code).toBe('function_threw');
    expect(detail?.length).toBeLessThan(25_000);
  });
  test('what waitUntil rejects with is logged, whatever it is', async () => {
    const f = await host().deploy(`export default { fetch(r, e, ctx) { ctx.waitUntil(Promise.reject({ name: 'Odd', message: 'waited in vain' })); return new Response('x'); } };`);
    expect(await host().text(f)).toBe('x');
    expect((await logged(host(), 'waited in vain')).message).toBe('Odd: waited in vain');
  });
});
