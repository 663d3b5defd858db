// Errors of the language: names, causes, aggregates, stacks.
import { report, thrown } from './lib/report.ts';

export default {
  fetch: async (): Promise<Response> =>
    report({
      'kinds': () => [() => (null as unknown as { x: number }).x, () => new Array(-1), () => decodeURIComponent('%'), () => JSON.parse('{'), () => (1).toString(99), () => 'x'.repeat(-1), () => BigInt(1.5), () => `${Symbol() as unknown as string}`, () => new ((() => 1) as unknown as new () => object)()].map((run) => thrown(run as () => void)),
      'cause': () => [new Error('m', { cause: 0 }).cause, 'cause' in new Error('m')],
      'aggregate': async () => Promise.any([Promise.reject(new Error('a')), Promise.reject(new RangeError('b'))]).catch((error: unknown) => [(error as AggregateError).name, (error as AggregateError).errors.map(String)]),
      'stack names the function': () => {
        function findMe(): string {
          return new Error('x').stack ?? '';
        }
        return findMe().includes('findMe');
      },
      'keys': () => [Object.keys(new Error('x')), Object.getOwnPropertyNames(new Error('x')).includes('message')],
      'text': () => [String(new RangeError('m')), String(Object.assign(new Error('m'), { name: 'Own' })), String(new Error())],
      'stack overflow': () => thrown(() => { const again = (): number => again() + 1; again(); }),
      'rejections with anything': async () => Promise.allSettled([Promise.reject(undefined), Promise.reject('text'), Promise.reject({ a: 1 })]).then((all) => all.map((one) => (one as PromiseRejectedResult).reason)),
      'errors in getters and proxies': () => thrown(() => new Proxy({}, { get() { throw new RangeError('x'); } } as ProxyHandler<{ a?: 1 }>).a),
      'captureStackTrace': () => {
        const target: { stack?: string } = {};
        Error.captureStackTrace(target);
        return typeof target.stack;
      },
    }),
};
