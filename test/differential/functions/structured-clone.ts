// structuredClone: what is kept, what is refused.
import { describe, rejected, report, thrown } from './lib/report.ts';

const clone = structuredClone;

export default {
  fetch: async (): Promise<Response> =>
    report({
      'primitives': () => [clone(1), clone('ü'), clone(null), clone(undefined), clone(true), clone(10n), Object.is(clone(-0), -0), clone(Number.NaN)],
      'nested': () => clone({ a: [1, { b: undefined }], c: { d: 'x' } }),
      'cycles': () => {
        const value: { self?: unknown; list: unknown[] } = { list: [] };
        value.self = value;
        value.list.push(value, value.list);
        const copy = clone(value);
        return [copy.self === copy, copy.list[0] === copy, copy.list[1] === copy.list, copy !== value];
      },
      'shared': () => {
        const shared = {};
        const copy = clone([shared, shared]);
        return copy[0] === copy[1];
      },
      'date and regexp': () => [clone(new Date(5)).getTime(), clone(/a(b)/giu).toString(), clone(Object.assign(/x/g, { lastIndex: 3 })).lastIndex],
      'map and set': () => [[...clone(new Map([['a', { b: 1 }]]))], [...clone(new Set([1, 'x']))]],
      'boxed': () => [typeof clone(Object(1)), typeof clone(Object('s')), typeof clone(Object(1n))],
      'sparse arrays': () => {
        const copy = clone(Object.assign([1, , 3], { extra: 'x' })) as unknown as { length: number; extra: string };
        return [copy.length, 1 in copy, copy.extra];
      },
      'buffers': () => {
        const buffer = Uint8Array.of(1, 2, 3).buffer;
        const copy = clone({ a: new Uint8Array(buffer, 1), b: new DataView(buffer) });
        return [copy.a, copy.a.buffer === copy.b.buffer, copy.a.byteOffset, copy.a.buffer !== buffer];
      },
      'typed arrays': () => clone([Float64Array.of(1.5), BigInt64Array.of(-1n), Uint8ClampedArray.of(300)]),
      'errors': () => [new RangeError('m', { cause: 'c' }), new TypeError('x'), new EvalError('y')].map((error) => {
        const copy = clone(error);
        return [copy.name, copy.message, copy instanceof Error, Object.getPrototypeOf(copy) === Object.getPrototypeOf(error)];
      }),
      'error of an own class': () => {
        class Own extends Error { override name = 'Own'; }
        const copy = clone(new Own('m'));
        return [copy.name, copy.message, copy instanceof Own, copy instanceof Error];
      },
      'error cause': () => (clone(new Error('m', { cause: { a: 1 } })).cause as { a: number }).a,
      'own class becomes plain': () => {
        class Point { x = 1; get y(): number { return 2; } }
        const copy = clone(new Point());
        return [copy instanceof Point, Object.keys(copy), Object.getPrototypeOf(copy) === Object.prototype];
      },
      'accessors are read': () => clone({ get a() { return 1; } }),
      'symbols are left out': () => Reflect.ownKeys(clone({ [Symbol('x')]: 1, a: 2 })),
      'not enumerable is left out': () => clone(Object.defineProperty({ a: 1 }, 'b', { value: 2 })),
      'transfer': () => {
        const buffer = new ArrayBuffer(4);
        const copy = clone({ buffer }, { transfer: [buffer] });
        return [buffer.byteLength, copy.buffer.byteLength, buffer.detached];
      },
      'transfer refused': () => {
        const buffer = new ArrayBuffer(1);
        return [thrown(() => clone(1, { transfer: [buffer, buffer] })), thrown(() => clone(1, { transfer: [{} as ArrayBuffer] }))];
      },
      'transfer of a stream': async () => {
        const stream = new ReadableStream({ start: (controller) => { controller.enqueue('x'); controller.close(); } });
        const copy = clone(stream, { transfer: [stream] });
        return [stream.locked, (await copy.getReader().read()).value];
      },
      'refused': () => [() => 1, Symbol('x'), new WeakMap(), new WeakSet(), Promise.resolve(), { f: () => 1 }].map((value) => thrown(() => clone(value))),
      'refused objects of the platform': () => [new Headers(), new URL('http://a.test'), new Response(), new AbortController(), new EventTarget()].map((value) => thrown(() => clone(value))),
      'getter that throws': () => thrown(() => clone({ get a(): never { throw new RangeError('x'); } })),
      'proxy': () => thrown(() => clone(new Proxy({}, {}))),
      'blob': async () => {
        const copy = clone(new Blob(['ab'], { type: 'x/y' }));
        return [copy instanceof Blob, copy.type, await copy.text()];
      },
      'file': () => {
        const copy = clone(new File(['ab'], 'n', { lastModified: 5 }));
        return [copy instanceof File, copy.name, copy.lastModified];
      },
      'DOMException': () => {
        const copy = clone(new DOMException('m', 'DataCloneError'));
        return [describe(copy), copy.message];
      },
      'arguments': () => [thrown(() => (clone as () => void)()), thrown(() => clone(1, null as never)), thrown(() => clone(1, 5 as never))],
      'deep': async () => rejected(async () => {
        let value: unknown = 1;
        for (let i = 0; i < 500; i++) value = [value];
        return clone(value);
      }),
    }),
};
