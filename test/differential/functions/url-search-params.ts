// URLSearchParams.
import { report, thrown } from './lib/report.ts';

const texts = ['', '?', 'a', 'a=', '=a', '&&a=1&', '?a=1&a=2', 'a+b=c%20d', '%zz=%', 'a=%C3%BC&b=%FF', 'a=b=c', 'ü=☃', 'a=1#x', '%3D=%26', '\ud800=x', 'a=%00'];

export default {
  fetch: async (): Promise<Response> =>
    report({
      ...Object.fromEntries(texts.map((text) => [`of ${encodeURIComponent(text.toWellFormed())}`, () => [[...new URLSearchParams(text)], new URLSearchParams(text).toString()]])),
      'of pairs': () => [...new URLSearchParams([['a', '1'], ['a', '2']])],
      'of an object': () => [...new URLSearchParams({ b: '2', a: '1' })],
      'of a map': () => [...new URLSearchParams(new Map([['x', 'y']]) as never)],
      'of form data-like': () => [...new URLSearchParams(new URLSearchParams('a=1'))],
      'refuses pairs': () => [thrown(() => new URLSearchParams([['a']] as never)), thrown(() => new URLSearchParams([['a', 'b', 'c']] as never)), thrown(() => new URLSearchParams([1] as never))],
      'encodes': () => new URLSearchParams({ q: " !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ü😀" }).toString(),
      'get, getAll, has': () => {
        const params = new URLSearchParams('a=1&a=2&b=');
        return [params.get('a'), params.getAll('a'), params.get('b'), params.get('c'), params.has('b'), params.has('a', '2'), params.has('a', '3')];
      },
      'set': () => {
        const params = new URLSearchParams('a=1&b=2&a=3');
        params.set('a', 'x');
        params.set('c', 'y');
        return params.toString();
      },
      'append and delete': () => {
        const params = new URLSearchParams('a=1&b=2&a=3');
        params.append('b', '4');
        params.delete('a', '1');
        params.delete('none');
        return [params.toString(), params.size];
      },
      'has and delete with undefined': () => {
        const params = new URLSearchParams('a=1&a=2');
        const has = params.has('a', undefined);
        params.delete('a', undefined);
        return [has, params.size];
      },
      'sort': () => {
        const params = new URLSearchParams('z=1&a=2&\ufffd=3&😀=4&a=1&B=0');
        params.sort();
        return [...params];
      },
      'iteration': () => [[...new URLSearchParams('b=1&a=2').keys()], [...new URLSearchParams('b=1&a=2').values()]],
      'deleted while iterated': () => {
        const params = new URLSearchParams('a=1&b=2&c=3');
        const seen: string[] = [];
        for (const [name] of params) {
          seen.push(name);
          params.delete(name);
        }
        return seen;
      },
      'class strings': () => [Object.prototype.toString.call(new URLSearchParams()), Object.prototype.toString.call(new URLSearchParams().entries())],
    }),
};
