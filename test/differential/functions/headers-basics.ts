// Headers: made from each kind of init, read and changed.
import { report, thrown } from './lib/report.ts';

export default {
  fetch: async (): Promise<Response> =>
    report({
      'from object': () => [...new Headers({ B: '2', a: '1' })],
      'from pairs': () => [...new Headers([['b', '2'], ['A', '1'], ['a', '3']])],
      'from headers': () => [...new Headers(new Headers({ x: 'y' }))],
      'from map': () => [...new Headers([...new Map([['x', 'y']])])],
      'from nothing': () => [...new Headers()],
      'get joins': () => {
        const headers = new Headers();
        headers.append('a', '1');
        headers.append('A', '2');
        headers.append('a', '');
        return headers.get('a');
      },
      'get missing': () => new Headers().get('a'),
      'has': () => [new Headers({ A: '' }).has('a'), new Headers().has('a')],
      'set replaces': () => {
        const headers = new Headers([['a', '1'], ['b', '2'], ['a', '3']]);
        headers.set('A', '4');
        return [...headers];
      },
      'delete': () => {
        const headers = new Headers([['a', '1'], ['b', '2'], ['a', '3']]);
        headers.delete('A');
        headers.delete('none');
        return [...headers];
      },
      'delete returns': () => new Headers({ a: '1' }).delete('a'),
      'getSetCookie': () => {
        const headers = new Headers([['set-cookie', 'a=1'], ['Set-Cookie', 'b=2, c']]);
        return [headers.getSetCookie(), headers.get('set-cookie'), [...headers]];
      },
      'getSetCookie none': () => new Headers().getSetCookie(),
      'set replaces cookies': () => {
        const headers = new Headers([['set-cookie', 'a=1'], ['Set-Cookie', 'b=2']]);
        headers.set('set-cookie', 'c=3');
        return headers.getSetCookie();
      },
      'forEach': () => {
        const seen: unknown[] = [];
        const headers = new Headers({ b: '2', a: '1' });
        headers.forEach((value, key, whole) => seen.push([key, value, whole === headers]));
        return seen;
      },
      'numbers and null become text': () => [...new Headers({ a: 1, b: null, c: undefined } as unknown as Record<string, string>)],
      'instance': () => [new Headers() instanceof Headers, Object.prototype.toString.call(new Headers()), typeof Headers],
      'called without new': () => thrown(() => (Headers as unknown as () => void)()),
      'JSON': () => JSON.stringify(new Headers({ a: '1' }).entries().next()),
      'fromEntries': () => Object.fromEntries(new Headers({ 'X-A': '1', 'x-b': '2' })),
    }),
};
