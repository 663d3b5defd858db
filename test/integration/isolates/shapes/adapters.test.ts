// Handlers written for other platforms: AWS Lambda (both payload formats), Alibaba Function Compute, midway.
import { describe, expect, test } from 'vitest';
import { TestHost } from '../../../support/isolates-host.ts';
import type { Answer, InvokeOptions } from '../../../support/isolates-host.ts';

const host = TestHost.shared();

type Options = InvokeOptions & { env?: Record<string, string> };

async function run(shape: string, source: string, { env, ...options }: Options = {}): Promise<Answer> {
  return host().call(await host().deploy(source, { shape, function: 'adapted', env: env ?? {} }), options);
}

const summary = ({ status, code, headers, body }: Answer): unknown[] => [code ?? status, headers['content-type'] ?? null, body.toString()];

const valuesOf = ({ fields }: Answer, name: string): string[] => fields.filter((_, i) => i % 2 === 1 && fields[i - 1] === name);

const REQUEST: Options = {
  method: 'POST', path: '/a%20b/c?x=1&x=2&y=%26+z&e', body: '{"n":1}',
  headers: { 'content-type': 'application/json', cookie: 'a=1; b=2', 'x-multi': 'one', 'user-agent': 'tester', 'x-forwarded-for': '203.0.113.7', host: 'f.localhost' },
};

const VERSION_1 = { THIMBLE_LAMBDA_PAYLOAD: '1.0' };

describe('lambda events', () => {
  const echo = `export const handler = async (event) => ({ statusCode: 200, body: JSON.stringify(event) });`;

  test('payload format 2.0', async () => {
    const event = JSON.parse((await run('lambda', echo, REQUEST)).body.toString()) as Record<string, unknown>;
    expect(event).toMatchObject({
      version: '2.0', routeKey: '$default', rawPath: '/a%20b/c', rawQueryString: 'x=1&x=2&y=%26+z&e', cookies: ['a=1', 'b=2'],
      queryStringParameters: { x: '1,2', y: '& z', e: '' }, body: '{"n":1}', isBase64Encoded: false,
      headers: { 'content-type': 'application/json', 'x-multi': 'one' },
      requestContext: { http: { method: 'POST', path: '/a b/c', sourceIp: '203.0.113.7', userAgent: 'tester', protocol: 'HTTP/1.1' }, stage: '$default', requestId: expect.any(String) as string },
    });
    expect(event['headers']).not.toHaveProperty('cookie');
    expect((event['requestContext'] as { time: string }).time).toMatch(/^\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000$/);
  });

  test('payload format 1.0', async () => {
    const event = JSON.parse((await run('lambda', echo, { ...REQUEST, env: VERSION_1 })).body.toString()) as Record<string, unknown>;
    expect(event).toMatchObject({
      version: '1.0', path: '/a b/c', httpMethod: 'POST', body: '{"n":1}', isBase64Encoded: false,
      headers: { cookie: 'a=1; b=2' }, multiValueHeaders: { 'x-multi': ['one'] },
      queryStringParameters: { x: '2', y: '& z', e: '' }, multiValueQueryStringParameters: { x: ['1', '2'], y: ['& z'], e: [''] },
      requestContext: { httpMethod: 'POST', identity: { sourceIp: '203.0.113.7', userAgent: 'tester' } }, pathParameters: { proxy: 'a b/c' },
    });
  });

  test('nothing asked for is absent in 2.0 and null in 1.0', async () => {
    const second = JSON.parse((await run('lambda', echo)).body.toString()) as object;
    for (const name of ['body', 'cookies', 'queryStringParameters']) expect(second).not.toHaveProperty(name);
    expect(JSON.parse((await run('lambda', echo, { env: VERSION_1 })).body.toString())).toMatchObject({ body: null, queryStringParameters: null, multiValueQueryStringParameters: null });
  });

  test('bodies that are no text come as base64, and go out of it', async () => {
    const bytes = Uint8Array.from({ length: 20_001 }, (_, i) => (i * 7) % 256);
    const source = `export const handler = async (event) => ({ statusCode: 200, headers: { 'content-type': 'image/png', 'x-coded': String(event.isBase64Encoded) }, body: event.body, isBase64Encoded: true });`;
    const answer = await run('lambda', source, { body: bytes, headers: { 'content-type': 'image/png' } });
    expect(answer.headers['x-coded']).toBe('true');
    expect(Buffer.compare(answer.body, bytes)).toBe(0);
    // Compressed text is no text.
    expect((await run('lambda', source, { body: 'abc', headers: { 'content-type': 'text/plain', 'content-encoding': 'gzip' } })).body.toString()).toBe('abc');
  });

  test('names that objects have are only names', async () => {
    const event = JSON.parse((await run('lambda', `export const handler = async (event) => ({ statusCode: 200, body: JSON.stringify([Object.keys(event.queryStringParameters), ({}).polluted]) });`, { path: '/?__proto__=1&constructor=2&__proto__=3' })).body.toString()) as unknown;
    expect(event).toEqual([['__proto__', 'constructor'], null]);
  });
});

describe('lambda answers', () => {
  test.each([
    ['a promise', `async () => ({ statusCode: 202, body: 'p' })`, [202, 'application/json', 'p']],
    ['a callback', `(event, context, callback) => { setTimeout(() => callback(null, { statusCode: 203, body: 'c' }), 1); }`, [203, 'application/json', 'c']],
    ['context.succeed', `(event, context) => { context.succeed({ statusCode: 200, body: 's' }); }`, [200, 'application/json', 's']],
    ['no status: the JSON is the body', `async () => ({ a: 1 })`, [200, 'application/json', '{"a":1}']],
    ['a string', `async () => 'plain'`, [200, 'application/json', 'plain']],
    ['a content type of its own', `async () => ({ statusCode: 200, headers: { 'Content-Type': 'text/html' }, body: '<p>' })`, [200, 'text/html', '<p>']],
    ['no body', `async () => ({ statusCode: 204 })`, [204, null, '']],
  ])('%s', async (_, handler, expected) => {
    expect(summary(await run('lambda', `export const handler = ${handler};`))).toEqual(expected);
    expect(summary(await run('lambda', `exports.handler = ${handler};`))).toEqual(expected);
  });

  test('cookies and multi-value headers are fields of their own', async () => {
    const source = `export const handler = async () => ({ statusCode: 200, headers: { 'x-a': '1' }, multiValueHeaders: { 'x-a': ['2', '3'] }, cookies: ['a=1', 'b=2; Secure'], body: '' });`;
    const target = await host().deploy(source, { shape: 'lambda' });
    const answer = await host().call(target);
    expect(valuesOf(answer, 'x-a')).toEqual(['2', '3']);
    expect(valuesOf(answer, 'set-cookie')).toEqual(['a=1', 'b=2; Secure']);
  });

  test.each([
    ['a rejection', `async () => { throw new Error('x'); }`, 'function_threw'],
    ['a callback with an error', `(e, c, callback) => callback(new Error('x'))`, 'function_threw'],
    ['a callback with text', `(e, c, callback) => callback('x')`, 'function_threw'],
    ['context.fail', `(e, context) => { context.fail(new Error('x')); }`, 'function_threw'],
    ['a status that is none', `async () => ({ statusCode: 9000 })`, 'bad_response'],
    ['a header that is none', `async () => ({ statusCode: 200, headers: { 'a b': '1' } })`, 'bad_response'],
    ['base64 that is none', `async () => ({ statusCode: 200, body: '???', isBase64Encoded: true })`, 'bad_response'],
  ])('%s fails', async (_, handler, code) => {
    expect((await run('lambda', `export const handler = ${handler};`)).code).toBe(code);
  });

  test('format 1.0 needs a status', async () => {
    expect((await run('lambda', `export const handler = async () => ({ a: 1 });`, { env: VERSION_1 })).code).toBe('bad_response');
  });

  test('the context names the function, the request and what is left', async () => {
    const source = `export const handler = async (event, context) => [context.functionName, context.functionVersion, context.memoryLimitInMB, context.awsRequestId.length > 0, context.getRemainingTimeInMillis() > 1000, context.deadlineMs > Date.now()];`;
    expect((await run('lambda', source, { wallMs: 5_000 })).body.toString()).toBe('["adapted","1","64",true,true,true]');
  });
});

describe('fc', () => {
  test('the event is the JSON of the HTTP trigger, for JSON.parse and for toString', async () => {
    const source = `exports.handler = (event, context, callback) => { const e = JSON.parse(event.toString()); JSON.parse(event); callback(null, { statusCode: 200, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify([e, context.requestId === e.requestContext.requestId, context.function.name]) }); };`;
    const [event, sameId, name] = JSON.parse((await run('fc', source, REQUEST)).body.toString()) as [Record<string, unknown>, boolean, string];
    expect([sameId, name]).toEqual([true, 'adapted']);
    expect(event).toMatchObject({
      version: 'v1', rawPath: '/a%20b/c', body: '{"n":1}', isBase64Encoded: false, headers: { 'x-multi': 'one', cookie: 'a=1; b=2' }, queryParameters: { x: '2', y: '& z' },
      requestContext: { http: { method: 'POST', path: '/a b/c', sourceIp: '203.0.113.7', userAgent: 'tester' } },
    });
  });

  test.each([
    ['an object', `async () => ({ statusCode: 418, body: 'tea' })`, [418, 'application/json', 'tea']],
    ['its JSON', `(e, c, callback) => callback(null, JSON.stringify({ statusCode: 201, headers: { 'content-type': 'text/plain' }, body: 'made' }))`, [201, 'text/plain', 'made']],
    ['text', `async () => 'just text'`, [200, 'application/json', 'just text']],
    ['any other value', `async () => [1, 2]`, [200, 'application/json', '[1,2]']],
  ])('answers with %s', async (_, handler, expected) => {
    expect(summary(await run('fc', `export const handler = ${handler};`))).toEqual(expected);
  });

  test('the logger of the context writes the function\'s log', async () => {
    await run('fc', `export const handler = async (event, context) => { context.logger.warn('from fc'); return ''; };`);
    await expect.poll(() => host().logs.filter(({ message }) => message === 'from fc').map(({ level }) => level)).toEqual(['warn']);
  });
});

describe('midway', () => {
  test('ctx has the request as Koa shows it', async () => {
    const source = `export const handler = async (ctx, event) => ({
      basics: [ctx.method, ctx.path, ctx.url, ctx.querystring, ctx.ip, ctx.host, ctx.hostname, ctx.get('X-Multi'), ctx.header === ctx.headers, ctx.request.type],
      query: ctx.query, body: ctx.request.body, event: [event.httpMethod, event.path, event.body], state: ctx.state,
    });`;
    const answer = await run('midway', source, REQUEST);
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(JSON.parse(answer.body.toString())).toEqual({
      basics: ['POST', '/a b/c', '/a%20b/c?x=1&x=2&y=%26+z&e', 'x=1&x=2&y=%26+z&e', '203.0.113.7', 'f.localhost', 'f.localhost', 'one', true, 'application/json'],
      query: { x: ['1', '2'], y: '& z', e: '' }, body: { n: 1 }, event: ['POST', '/a b/c', '{"n":1}'], state: {},
    });
  });

  test('forms are parsed, bytes stay bytes', async () => {
    const source = `export default async (ctx) => (ctx.request.body instanceof Uint8Array ? [...ctx.request.body] : ctx.request.body);`;
    expect(JSON.parse((await run('midway', source, { body: 'a=1&b=x+y&a=2', headers: { 'content-type': 'application/x-www-form-urlencoded' } })).body.toString())).toEqual({ a: ['1', '2'], b: 'x y' });
    expect(JSON.parse((await run('midway', source, { body: Uint8Array.of(0, 255), headers: { 'content-type': 'application/octet-stream' } })).body.toString())).toEqual([0, 255]);
  });

  test.each([
    ['a returned string', `async () => 'hello'`, [200, 'text/plain; charset=utf-8', 'hello']],
    ['HTML', `async () => '<b>x</b>'`, [200, 'text/html; charset=utf-8', '<b>x</b>']],
    ['an object', `async () => ({ a: 1 })`, [200, 'application/json; charset=utf-8', '{"a":1}']],
    ['ctx.body', `async (ctx) => { ctx.body = { b: 2 }; }`, [200, 'application/json; charset=utf-8', '{"b":2}']],
    ['ctx.body with status and type', `async (ctx) => { ctx.status = 201; ctx.type = 'text/css'; ctx.body = 'a{}'; }`, [201, 'text/css; charset=utf-8', 'a{}']],
    ['status alone', `async (ctx) => { ctx.status = 304; }`, [304, null, '']],
    ['nothing', `async () => {}`, [404, null, '']],
    ['null', `async () => null`, [204, null, '']],
    ['bytes', `async () => new Uint8Array([104, 105])`, [200, 'application/octet-stream', 'hi']],
    ['a Response', `async () => new Response('own', { status: 203, headers: { 'content-type': 'x/y' } })`, [203, 'x/y', 'own']],
    ['an exposed error', `async (ctx) => ctx.throw(403, 'no entry')`, [403, 'text/plain; charset=utf-8', 'no entry']],
    ['any other error', `async () => { throw new Error('x'); }`, ['function_threw', null, '']],
    ['an error that is not exposed', `async (ctx) => ctx.throw(500, 'x')`, ['function_threw', null, '']],
  ])('answers with %s', async (_, handler, expected) => {
    expect(summary(await run('midway', `export const handler = ${handler};`))).toEqual(expected);
  });

  test('headers are set, appended, removed; redirects', async () => {
    const answer = await run('midway', `export const handler = async (ctx) => { ctx.set('x-a', '1'); ctx.set({ 'x-b': '2', 'x-c': ['3', '4'] }); ctx.append('x-a', '5'); ctx.remove('x-b'); ctx.redirect('/there'); };`);
    expect(answer.status).toBe(302);
    expect(['location', 'x-a', 'x-b', 'x-c'].map((name) => valuesOf(answer, name))).toEqual([['/there'], ['1', '5'], [], ['3', '4']]);
  });
});
