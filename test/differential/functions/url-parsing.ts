// URL: components of many addresses, with and without a base.
import { report, thrown } from './lib/report.ts';

const addresses = [
  'http://a.test', 'HTTP://USER:P%40SS@A.Test:80/./a/../b?q#h', 'https://a.test:443/', 'https://a.test:8443', 'http://a.test/ü ☃?ü ☃#ü ☃', 'http://a.test/%zz%2f%2E/', 'http://a.test/a/%2e%2e/b', 'http://a.test?', 'http://a.test#', 'http://a.test/?#',
  'http:a.test', 'http:/a.test', 'http:\\\\a.test\\b', ' http://a.test/\t\n', 'http://a.test/\u0000', 'file:///etc/../x', 'file://host/C|/x', 'file:c:\\x', 'data:text/plain,a b', 'mailto:a@b.test', 'javascript:alert(1)', 'blob:https://a.test/x', 'custom://Host:99/../p', 'custom:opaque path ', 'custom:/a/..//b',
  'ws://a.test:80', 'wss://a.test:443', 'ftp://a.test:21/', 'http://:@a.test', 'http://a:@b.test', 'http://a.test:/', 'http://a.test:00080/', "http://a.test/?q='\"<>`{}", 'http://a.test/{}|^`', 'urn:isbn:1',
];
const refused = ['', 'a.test', '//a.test', 'http://', 'http://a b', 'http://a.test:99999', 'http://a.test:x', 'http://[::1', 'http://a<b', 'http://%', 'http://a%00b', 'file://a:80/', 'http://user@'];
const relative: readonly (readonly [string, string])[] = [['/x', 'http://a.test/b/c?d#e'], ['x', 'http://a.test/b/c?d#e'], ['../x', 'http://a.test/b/c'], ['?q', 'http://a.test/b?d#e'], ['#h', 'http://a.test/b?d#e'], ['', 'http://a.test/b?d#e'], ['//b.test/x', 'https://a.test'], ['x', 'custom:opaque'], ['#x', 'custom:opaque'], ['http:x', 'http://a.test/b/'], ['C|/x', 'file:///D:/y'], ['./', 'file:///a/b']];

export default {
  fetch: async (): Promise<Response> =>
    report({
      ...Object.fromEntries(addresses.map((address) => [`parts of ${JSON.stringify(address).replaceAll('=', '%3D')}`, () => {
        const { href, origin, protocol, username, password, host, hostname, port, pathname, search, hash } = new URL(address);
        return [href, origin, protocol, username, password, host, hostname, port, pathname, search, hash];
      }])),
      'refused': () => refused.map((address) => thrown(() => new URL(address))),
      'canParse': () => [...refused, 'http://a.test'].map((address) => URL.canParse(address)),
      'parse': () => [URL.parse('x', 'http://a.test')?.href, URL.parse('nope')],
      'relative': () => relative.map(([address, base]) => URL.parse(address, base)?.href ?? null),
      'JSON': () => JSON.stringify({ url: new URL('http://a.test') }),
      'text': () => `${new URL('http://a.test/x')}`,
      'class string': () => Object.prototype.toString.call(new URL('http://a.test')),
      'arguments': () => [thrown(() => new (URL as unknown as new () => URL)()), thrown(() => new URL('/x', 'nope')), new URL({ toString: () => 'http://a.test/' } as unknown as string).href, thrown(() => (URL as unknown as (url: string) => void)('http://a.test'))],
    }),
};
