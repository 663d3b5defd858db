// The language itself: what every peer's engine has.
import { report, thrown } from './lib/report.ts';

class Counter {
  static #made = 0;
  readonly #id = ++Counter.#made;
  static { Counter.#made = 10; }
  get id(): number { return this.#id; }
  static isOne(value: object): boolean { return #id in value; }
}

export default {
  fetch: async (): Promise<Response> =>
    report({
      'arrays': () => [[3, 1, 2].toSorted(), [1, 2, 3].toReversed(), [1, 2, 3].with(1, 9), [1, 2, 3].toSpliced(0, 1), [1, 2, 3].findLast((n) => n < 3), [1, [2, [3]]].flat(2), [1, 2].at(-1)],
      'groups': () => [Object.groupBy([1, 2, 3], (n) => (n % 2 === 0 ? 'even' : 'odd')), [...Map.groupBy([1, 2, 3], (n) => n % 2)]],
      'sets': () => [[...new Set([1, 2, 3]).union(new Set([4]))], [...new Set([1, 2, 3]).intersection(new Set([2]))], new Set([1]).isSubsetOf(new Set([1, 2]))],
      'iterators': () => [[1, 2, 3].values().map((n) => n * 2).filter((n) => n > 2).toArray(), [1, 2, 3].values().take(2).reduce((a, b) => a + b)],
      'private members': () => [new Counter().id >= 10, Counter.isOne({}), Counter.isOne(new Counter())],
      'regexps': () => ['2026-02-03'.replace(/(?<y>\d+)-(?<m>\d+)-(?<d>\d+)/, '$<d>.$<m>.$<y>'), [...'a1b2'.matchAll(/[a-z](\d)/g)].map((m) => m[1]), /(?<=\$)\d+/.exec('$42')?.[0], /a/dg.exec('ba')?.indices?.[0]],
      'bigints': () => [2n ** 100n, BigInt.asUintN(8, 257n), -7n / 2n],
      'dates': () => [new Date('2026-02-30T00:00:00Z').getTime(), new Date(2026, 0).getTimezoneOffset() % 15, new Date('2026-01-02').toISOString(), Date.parse('x'), new Date(8.64e15 + 1).getTime()],
      'numbers': () => [(0.1).toFixed(20), (25).toString(36), (1e21).toLocaleString('en').length, Number('0b11'), parseInt('12px', 10), (123.456).toPrecision(4), Math.fround(5.5), Math.clz32(1), Math.hypot(3, 4)],
      'sorting is stable': () => Array.from({ length: 20 }, (_, i) => ({ key: i % 3, i })).toSorted((a, b) => a.key - b.key).map(({ i }) => i),
      'destructuring and spread': () => {
        const { a = 5, ...rest } = { b: 1, c: [2] } as { a?: number; b: number; c: number[] };
        return [a, rest, [...'😀b'], Math.max(...[1, 3, 2])];
      },
      'generators': () => {
        function* count(): Generator<number, string, number | undefined> {
          const got = yield 1;
          yield got ?? 0;
          return 'end';
        }
        const generator = count();
        return [generator.next(), generator.next(7), generator.next(), generator.next()];
      },
      'proxies': () => {
        const log: string[] = [];
        const proxy = new Proxy<Record<string, number>>({}, { has: (_, key) => { log.push(`has ${String(key)}`); return true; }, ownKeys: () => ['x'], getOwnPropertyDescriptor: () => ({ value: 1, enumerable: true, configurable: true }) });
        return ['a' in proxy, Object.keys(proxy), log];
      },
      'strict mode': () => [thrown(() => { (Object.freeze({ a: 1 }) as { a: number }).a = 2; }), (function (this: unknown) { return typeof this; })()],
      'tagged templates': () => String.raw`a\n${1}`,
      'disposal of labels': () => {
        outer: for (let i = 0; ; i++) for (let j = 0; ; j++) {
          if (j > i) continue outer;
          if (i === 3) break outer;
        }
        return 'left';
      },
      'weak references': () => {
        const target = {};
        return new WeakRef(target).deref() === target;
      },
      'JSON': () => [JSON.stringify({ b: 1, a: [undefined, null] }, null, 1), JSON.parse('[1,2]', (_key, value: unknown) => (typeof value === 'number' ? value + 1 : value)), JSON.stringify('\u2028')],
      'array buffers': () => [new ArrayBuffer(8).transfer(4).byteLength, new Uint8Array([1, 2, 3]).toReversed(), new Float32Array([1.1])[0]],
    }),
};
