// URL: every setter.
import { report, thrown } from './lib/report.ts';

type Part = 'href' | 'protocol' | 'username' | 'password' | 'host' | 'hostname' | 'port' | 'pathname' | 'search' | 'hash';

const assignments: readonly (readonly [string, Part, string])[] = [
  ['http://a.test:81/', 'protocol', 'https'], ['http://a.test/', 'protocol', 'custom'], ['http://a.test/', 'protocol', 'ws:rest'], ['custom://a/', 'protocol', 'http'], ['https://a.test:80/', 'protocol', 'http'], ['http://a.test/', 'protocol', '1x'],
  ['http://a.test/', 'username', 'ü:@/'], ['http://a.test/', 'password', 'p w'], ['mailto:a', 'username', 'x'], ['http://u:p@a.test/', 'username', ''], ['http://u:p@a.test/', 'password', ''],
  ['http://a.test:81/', 'host', 'b.test'], ['http://a.test:81/', 'host', 'b.test:82'], ['http://a.test/', 'host', 'b.test:80'], ['http://a.test/', 'host', ''], ['http://a.test/', 'host', 'x y'], ['mailto:a', 'host', 'b'], ['http://a.test/', 'host', 'b.test/x?y'],
  ['http://a.test:81/', 'hostname', 'b.test:82'], ['http://a.test:81/', 'hostname', 'ü.test'], ['custom://a/', 'hostname', ''], ['http://a.test/', 'hostname', '[::1]'],
  ['http://a.test/', 'port', '8080'], ['http://a.test/', 'port', '80'], ['http://a.test:81/', 'port', ''], ['http://a.test/', 'port', '8x'], ['http://a.test/', 'port', '99999'], ['http://a.test/', 'port', 'x'], ['file:///x', 'port', '1'],
  ['http://a.test/x', 'pathname', 'a b/../ü?#'], ['http://a.test/x', 'pathname', ''], ['mailto:a', 'pathname', 'b'], ['http://a.test/x', 'pathname', '\\a'], ['custom://h/x', 'pathname', ''],
  ['http://a.test/?x', 'search', ''], ['http://a.test/', 'search', '?'], ['http://a.test/', 'search', "a='ü#"], ['http://a.test/#h', 'search', 'x'],
  ['http://a.test/#x', 'hash', ''], ['http://a.test/', 'hash', '#a ü`"'], ['mailto:a', 'hash', 'x'],
  ['http://a.test/', 'href', 'https://b.test'],
];

export default {
  fetch: async (): Promise<Response> =>
    report({
      ...Object.fromEntries(assignments.map(([address, part, value]) => [`${address.replaceAll('=', '%3D')} ${part} ${JSON.stringify(value).replaceAll('=', '%3D')}`, () => {
        const url = new URL(address);
        url[part] = value;
        return url.href;
      }])),
      'href refused': () => thrown(() => { new URL('http://a.test').href = 'nope'; }),
      'origin is read only': () => thrown(() => { (new URL('http://a.test') as { origin: string }).origin = 'x'; }),
      'searchParams change search': () => {
        const url = new URL('http://a.test/?a=1#h');
        url.searchParams.append('b', 'ü &');
        url.searchParams.delete('a');
        return [url.href, url.search];
      },
      'search changes searchParams': () => {
        const url = new URL('http://a.test/?a=1');
        const { searchParams } = url;
        url.search = '?b=2';
        return [[...searchParams], searchParams === url.searchParams];
      },
      'href changes searchParams': () => {
        const url = new URL('http://a.test/?a=1');
        const { searchParams } = url;
        url.href = 'http://b.test/?c=3';
        return [...searchParams];
      },
      'emptied searchParams': () => {
        const url = new URL('http://a.test/?a=1#h');
        url.searchParams.delete('a');
        return url.href;
      },
      'searchParams of an opaque path': () => {
        const url = new URL('data:x  ?a#h');
        url.searchParams.delete('a');
        url.hash = '';
        return url.href;
      },
    }),
};
