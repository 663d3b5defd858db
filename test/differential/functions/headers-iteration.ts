// Headers: order of iteration, and iteration while they change.
import { report } from './lib/report.ts';

export default {
  fetch: async (): Promise<Response> =>
    report({
      'sorted': () => [...new Headers({ zeta: '1', Alpha: '2', 'x-10': '3', 'x-9': '4', 'X-A': '5' }).keys()],
      'values in order of names': () => [...new Headers({ b: '2', a: '1' }).values()],
      'cookies stay apart': () => [...new Headers([['set-cookie', 'b'], ['a', '1'], ['set-cookie', 'a'], ['a', '2']])],
      'iterator': () => {
        const iterator = new Headers({ a: '1' }).entries();
        return [iterator.next(), iterator.next(), iterator.next()];
      },
      'iterator is its own': () => {
        const iterator = new Headers().keys();
        return iterator[Symbol.iterator]() === iterator;
      },
      'entries is the iterator': () => Headers.prototype.entries === Headers.prototype[Symbol.iterator],
      'class string of the iterator': () => Object.prototype.toString.call(new Headers().entries()),
      'iterator has no return': () => typeof (new Headers().entries() as { return?: unknown }).return,
      'appended while iterated': () => {
        const headers = new Headers([['a', '1'], ['c', '3']]);
        const seen: string[] = [];
        for (const [name] of headers) {
          seen.push(name);
          if (name === 'a') headers.append('b', '2');
        }
        return seen;
      },
      'deleted while iterated': () => {
        const headers = new Headers([['a', '1'], ['b', '2'], ['c', '3']]);
        const seen: string[] = [];
        for (const [name] of headers) {
          seen.push(name);
          headers.delete(name);
        }
        return seen;
      },
      'spread twice': () => {
        const headers = new Headers({ a: '1' });
        return [[...headers], [...headers]];
      },
      'iterator helpers': () => new Headers({ a: '1', b: '2' }).keys().map((name) => name.toUpperCase()).toArray(),
    }),
};
