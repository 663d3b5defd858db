// URLPattern: tests, groups, components, options, errors.
import { report, thrown } from './lib/report.ts';

const patterns: readonly (readonly [URLPatternInit | string, string | URLPatternInit])[] = [
  [{ pathname: '/a/:b' }, 'https://x.test/a/c'], [{ pathname: '/a/:b' }, 'https://x.test/a/'], [{ pathname: '/a/:b?' }, 'https://x.test/a'], [{ pathname: '/a/:b+' }, 'https://x.test/a/b/c'], [{ pathname: '/a/:b*' }, 'https://x.test/a'],
  [{ pathname: '/*' }, 'https://x.test/a/b'], [{ pathname: '/(\\d+)' }, 'https://x.test/42'], [{ pathname: '/:id(\\d+)' }, 'https://x.test/x'], [{ pathname: '/{a}?b' }, 'https://x.test/b'], [{ pathname: '/:a-:b' }, 'https://x.test/1-2'],
  [{ hostname: '*.x.test' }, 'https://a.b.x.test/'], [{ hostname: ':sub.x.test' }, 'https://a.x.test/'], [{ protocol: 'http{s}?' }, 'https://x.test'], [{ search: 'a=*' }, 'https://x.test/?a=1&b=2'], [{ hash: ':h' }, 'https://x.test/#top'], [{ port: '8080' }, 'https://x.test:8080/'],
  ['https://x.test/books/:id', 'https://x.test/books/7'], ['https://x.test/books/:id', 'https://y.test/books/7'], ['https://*:*/x', 'https://a.test:99/x'], [{ pathname: '/ü' }, 'https://x.test/%C3%BC'], [{ pathname: '/a' }, { pathname: '/a' }], [{ baseURL: 'https://x.test/b?c', pathname: 'd' }, 'https://x.test/d'],
];

export default {
  fetch: async (): Promise<Response> =>
    report({
      ...Object.fromEntries(patterns.map(([pattern, input], index) => [`pattern ${index}`, () => {
        const made = new URLPattern(pattern);
        const match = made.exec(input);
        return [made.test(input), match === null ? null : [match.protocol.groups, match.hostname.groups, match.pathname.groups, match.search.groups, match.hash.groups, match.pathname.input]];
      }])),
      'components': () => {
        const { protocol, username, password, hostname, port, pathname, search, hash } = new URLPattern('https://x.test:443/a/:b?c=*#d');
        return [protocol, username, password, hostname, port, pathname, search, hash];
      },
      'defaults': () => {
        const { protocol, hostname, port, pathname, search } = new URLPattern({ pathname: '/x' });
        return [protocol, hostname, port, pathname, search];
      },
      'base': () => new URLPattern('/a/:b', 'https://x.test').test('https://x.test/a/c'),
      'ignoreCase': () => [new URLPattern({ pathname: '/A' }, { ignoreCase: true }).test('https://x.test/a'), new URLPattern({ pathname: '/A' }).test('https://x.test/a')],
      'hasRegExpGroups': () => [new URLPattern({ pathname: '/:a' }).hasRegExpGroups, new URLPattern({ pathname: '/(\\d)' }).hasRegExpGroups],
      'refused': () => [thrown(() => new URLPattern('/a')), thrown(() => new URLPattern({ pathname: '/(' })), thrown(() => new URLPattern({ pathname: '/:a/:a' })), thrown(() => new URLPattern({ pathname: '/(?<n>x' })), thrown(() => new URLPattern({}, 'https://x.test'))],
      'inputs': () => new URLPattern({ pathname: '/a' }).exec('https://x.test/a')?.inputs,
      'test of nonsense': () => [new URLPattern().test('nope'), new URLPattern().test()],
      'prefixes are normal': () => ['/a/../b', '/a%2fb', 'a'].map((pathname) => new URLPattern({ pathname }).pathname),
      'class string': () => Object.prototype.toString.call(new URLPattern()),
    }),
};
