// URLPattern standard inside an isolate.
import { expect, test } from 'vitest';
import { runChecks } from '../../../support/isolate-checks.ts';
import { TestHost } from '../../../support/isolates-host.ts';

const host = TestHost.shared();

const HELP = `
  const COMPONENTS = ['protocol', 'username', 'password', 'hostname', 'port', 'pathname', 'search', 'hash'];
  const parts = (...args) => { const p = new URLPattern(...args); return COMPONENTS.map((c) => p[c]).join(' '); };
  const groups = (pattern, input, component = 'pathname') => pattern.exec(input)?.[component].groups ?? null;
`;

test('constructors', async () => {
  expect(await runChecks(host(), `${HELP}
    check('nothing is everything', () => equal([parts(), parts({}), parts(undefined), parts(null)], Array(4).fill('* * * * * * * *')));
    check('text', () => equal(parts('https://*.example.com:8080/:id\\\\?q=:v#h'), 'https * * *.example.com 8080 /:id q=:v h'));
    check('text with a base', () => equal([parts('/foo', 'http://a.test'), parts('?x', 'http://a.test/y')], ['http * * a.test  /foo * *', 'http * * a.test  /y x *']));
    check('text without a base is refused', () => throws('TypeError', () => new URLPattern('/foo')));
    check('a dictionary', () => equal([parts({ pathname: '/a/:b', search: '?c', hash: '#d' }), parts({ pathname: 'x', baseURL: 'http://a.test/b/c?d' })], ['* * * * * /a/:b c d', 'http * * a.test  /b/x * *']));
    check('a dictionary takes no base', () => throws('TypeError', () => new URLPattern({ pathname: '/a' }, 'http://x')));
    check('members are text', () => equal([parts({ pathname: 1 }), parts({ port: 8080 })], ['* * * * * 1 * *', '* * * * 8080 * * *']));
    check('overloads', () => { equal([new URLPattern('http://a/B', { ignoreCase: true }).test('http://a/b'), new URLPattern('/B', 'http://a', { ignoreCase: true }).test('http://a/b'), new URLPattern({ pathname: '/B' }, { ignoreCase: true }).test({ pathname: '/b' }), new URLPattern({ pathname: '/B' }).test({ pathname: '/b' })], [true, true, true, false]); throws('TypeError', () => new URLPattern('http://a', 1)); });
    check('what URL would do', () => equal([parts({ hostname: 'EXAMPLE.com' }), parts({ hostname: 'bücher.de' }), parts({ pathname: '/é' }), parts({ protocol: 'https', port: '443' }), parts({ pathname: '/a/../b' }), parts({ hostname: 'a/b' })],
      ['* * * example.com * * * *', '* * * xn--bcher-kva.de * * * *', '* * * * * /%C3%A9 * *', 'https * * *  * * *', '* * * * * /b * *', '* * * a * * * *']));
    check('syntax errors', () => { for (const pathname of ['/(a', '/:a/:a', '{', '/(', '/((a))', '/(?a)', '(\\\\']) throws('TypeError', () => new URLPattern({ pathname })); for (const init of [{ hostname: 'bad hostname' }, { hostname: 'bad%name' }, { hostname: 'bad<name' }, { port: '99999' }, { protocol: '1x' }]) throws('TypeError', () => new URLPattern(init)); });
    check('form', () => { equal([URLPattern.length, URLPattern.name, Object.keys(URLPattern.prototype).sort(), Object.prototype.toString.call(new URLPattern()), Object.keys(URLPattern)], [0, 'URLPattern', ['exec', 'hasRegExpGroups', 'hash', 'hostname', 'password', 'pathname', 'port', 'protocol', 'search', 'test', 'username'], '[object URLPattern]', []]); throws('TypeError', () => URLPattern()); throws('TypeError', () => URLPattern.prototype.test.call({})); throws('TypeError', () => new URLPattern(Symbol())); });
  `)).toEqual({ ran: 11, failures: [] });
});

test('matching', async () => {
  expect(await runChecks(host(), `${HELP}
    const p = (pathname) => new URLPattern({ pathname });
    check('names', () => equal([groups(p('/users/:id'), { pathname: '/users/7' }), groups(p('/users/:id'), { pathname: '/users/7/x' })], [{ id: '7' }, null]));
    check('wildcards', () => equal(groups(p('/a/*/b/*'), { pathname: '/a/1/2/b/' }), { 0: '1/2', 1: '' }));
    check('regular expressions', () => equal([groups(p('/:n(\\\\d+)'), { pathname: '/12' }), groups(p('/:n(\\\\d+)'), { pathname: '/x' }), groups(p('/(a|b)'), { pathname: '/b' }), groups(p('/:x(\\\\p{L}+)'), { pathname: '/abc' })], [{ n: '12' }, null, { 0: 'b' }, { x: 'abc' }]));
    check('modifiers', () => equal([groups(p('/a/:b?'), { pathname: '/a' }), groups(p('/a/:b+'), { pathname: '/a/1/2' }), groups(p('/a/:b*'), { pathname: '/a' }), p('/a{/b}?/c').test({ pathname: '/a/c' })], [{ b: undefined }, { b: '1/2' }, { b: undefined }, true]));
    check('escapes', () => equal([p('/\\\\:x').test({ pathname: '/:x' }), p('/a\\\\*').test({ pathname: '/abc' })], [true, false]));
    check('the result', () => { const r = new URLPattern('https://:sub.a.test/:p\\\\?q=*#*').exec('https://x.a.test/y?q=z#h'); equal([r.inputs, r.hostname, r.pathname, r.search, r.hash, r.port], [['https://x.a.test/y?q=z#h'], { input: 'x.a.test', groups: { sub: 'x' } }, { input: '/y', groups: { p: 'y' } }, { input: 'q=z', groups: { 0: 'z' } }, { input: 'h', groups: { 0: 'h' } }, { input: '', groups: {} }]); });
    check('inputs', () => equal([p('/b').exec('/b', 'http://a').inputs, p('/b').exec({ pathname: '/b' }).inputs, p('*').exec().inputs], [['/b', 'http://a'], [{ pathname: '/b' }], [{}]]));
    check('no match, no address', () => equal([p('/b').exec('/c', 'http://a'), p('/b').test('nope'), p('/b').test('http://[')], [null, false, false]));
    check('a dictionary takes no base', () => { throws('TypeError', () => p('/b').test({ pathname: '/b' }, 'http://a')); throws('TypeError', () => p('/b').exec({}, 'http://a')); });
    check('default ports', () => equal([new URLPattern({ protocol: 'http', port: '80' }).test('http://a:80/'), new URLPattern('http://a/').test('http://a:8080/')], [true, false]));
    check('hasRegExpGroups', () => equal([p('/a/:b').hasRegExpGroups, p('*').hasRegExpGroups, p('/(\\\\d)').hasRegExpGroups, new URLPattern({ hash: ':h(a|b)' }).hasRegExpGroups], [false, false, true, true]));
    check('a URL object', () => equal(new URLPattern('http://a/:x').test(new URL('http://a/b').href), true));
  `)).toEqual({ ran: 12, failures: [] });
});

test('a pattern that backtracks without end is killed at its limit', async () => {
  const f = await host().deploy(`export default { fetch() { return new Response(String(new URLPattern({ pathname: '/((?:a+)+)b' }).test({ pathname: '/' + 'a'.repeat(40) }))); } };`, { cpuMs: 50 });
  const answer = await host().call(f);
  expect(answer.code).toBe('cpu_limit_exceeded');
  expect(host().alive).toBe(true);
});
