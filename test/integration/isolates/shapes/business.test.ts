// The business shape: operations over POST, their context, their failures, and what is no operation.
import { describe, expect, test } from 'vitest';
import { TestHost } from '../../../support/isolates-host.ts';
import type { Answer, InvokeOptions } from '../../../support/isolates-host.ts';

const host = TestHost.shared();

async function call(source: string, path: string, args?: unknown, options: InvokeOptions & { settings?: Parameters<TestHost['deploy']>[1] } = {}): Promise<Answer> {
  const { settings, ...rest } = options;
  const target = await host().deploy(source, settings ?? {});
  return host().call(target, { path, ...(args === undefined ? {} : { body: JSON.stringify({ args }) }), ...rest });
}

async function result(source: string, path: string, args: unknown[] = [], options: Parameters<typeof call>[3] = {}): Promise<unknown> {
  const answer = await call(source, path, args, options);
  expect(answer.code).toBeNull();
  expect(answer.headers['content-type']).toBe('application/json');
  return (JSON.parse(answer.body.toString()) as { result: unknown }).result;
}

describe('the wire format', () => {
  const source = `
    export async function add(ctx, a, b = 10) { await null; return a + b; }
    export function sync(ctx, ...rest) { return { rest }; }
    export const arrow = async (ctx) => [1, { two: 2 }, null];
    export const nothing = async () => {};
    export const notAFunction = 7;
    export class Hidden {}
  `;

  test('arguments in, result out; defaults hold; functions need not be async', async () => {
    expect(await result(source, '/add', [1, 2])).toBe(3);
    expect(await result(source, '/add', [1])).toBe(11);
    expect(await result(source, '/sync', [1, [2], { three: 3 }])).toEqual({ rest: [1, [2], { three: 3 }] });
    expect(await result(source, '/arrow')).toEqual([1, { two: 2 }, null]);
  });

  test('no result is null', async () => {
    const answer = await call(source, '/nothing', []);
    expect(answer.body.toString()).toBe('{"result":null}');
  });

  test('the query says nothing', async () => {
    expect(await result(source, '/add?args=[9]', [1, 2])).toBe(3);
  });

  test.each(['/', '/missing', '/notAFunction', '/add/', '/add/x', '/default', '/then', '/constructor', '/__proto__', '/toString', '/hasOwnProperty', '/%', '/__esModule'])('%s is no operation', async (path) => {
    expect(await call(`${source} export const then = () => 1;`, path, [])).toMatchObject({ code: 'no_route' });
  });

  test('names are decoded', async () => {
    expect(await result(`export const grüße = () => 'hallo';`, '/gr%C3%BC%C3%9Fe')).toBe('hallo');
  });

  test.each(['GET', 'PUT', 'HEAD', 'OPTIONS'])('%s is not how an operation is called', async (method) => {
    expect(await call(source, '/add', undefined, { method })).toMatchObject({ code: 'method_not_allowed', params: { allow: 'POST' } });
  });

  test.each([
    ['', 'body'], ['{', 'body'], ['[]', 'body'], ['null', 'body'], ['{}', 'args'], ['{"args":{}}', 'args'], ['{"args":"x"}', 'args'], ['{"args":null}', 'args'],
  ])('the body %s is a bad request that names %s', async (body, field) => {
    const answer = await call(source, '/add', undefined, body === '' ? { method: 'POST' } : { body });
    expect(answer.code).toBe('bad_request');
    expect(String(answer.params?.['why'])).toContain(field);
  });

  test.each([
    ['a BigInt', '10n'], ['a cycle', '(() => { const a = {}; a.a = a; return a; })()'], ['a toJSON that throws', '({ toJSON() { throw 1; } })'],
  ])('%s is a bad response', async (_, expression) => {
    expect(await call(`export const f = () => ${expression};`, '/f', [])).toMatchObject({ code: 'bad_response' });
  });

  test('a large result and large arguments pass', async () => {
    const big = 'x'.repeat(3 * 1_048_576);
    expect(await result('export const echo = (ctx, text) => text;', '/echo', [big], { settings: { cpuMs: 1_000 } })).toBe(big);
  });
});

describe('failures', () => {
  const source = `
    class AppError extends Error { constructor(status, code, message) { super(message); this.status = status; this.code = code; } }
    export const fail = async (ctx, status, code, message) => { throw new AppError(status, code, message); };
    export const plain = () => { throw { status: 402, code: 'pay', message: 'please' }; };
    export const nasty = () => { throw new Proxy({}, { get() { throw new Error('inner'); } }); };
    export const nothing = () => { throw undefined; };
  `;

  test('an error with status and code keeps both, with its message', async () => {
    const answer = await call(source, '/fail', [409, 'card_blocked', 'the card is blocked']);
    expect(answer.status).toBe(409);
    expect(answer.headers['content-type']).toBe('application/problem+json');
    expect(JSON.parse(answer.body.toString())).toMatchObject({ status: 409, code: 'card_blocked', detail: 'the card is blocked' });
    expect((await call(source, '/plain', [])).status).toBe(402);
  });

  test.each([[400, 'a'], [599, 'z']])('status %i is kept', async (status, code) => {
    expect((await call(source, '/fail', [status, code, ''])).status).toBe(status);
  });

  test.each([[399, 'a'], [600, 'a'], [404.5, 'a'], ['404', 'a'], [404, 7], [404, ''], [404, null], [undefined, 'a']])('status %j with code %j is function_threw', async (status, code) => {
    expect(await call(source, '/fail', [status, code, 'm'])).toMatchObject({ code: 'function_threw' });
  });

  test('whatever else is thrown is function_threw', async () => {
    expect(await call(source, '/nasty', [])).toMatchObject({ code: 'function_threw' });
    expect(await call(source, '/nothing', [])).toMatchObject({ code: 'function_threw' });
  });

  test('what the caller did wrong is not in the function\'s log, what the function did is', async () => {
    const target = await host().deploy(`export const f = () => { throw Object.assign(new Error('kept inside'), { status: 500, code: 'broken' }); };`, { function: 'logged' });
    await host().call(target, { path: '/none', body: '{}' });
    await host().call(target, { path: '/f', body: '{"args":[]}' });
    await expect.poll(() => host().logs.filter(({ fn }) => fn === 'logged').map(({ message }) => message)).toHaveLength(1);
    expect(host().logs.find(({ fn }) => fn === 'logged')?.message).toContain('kept inside');
  });
});

describe('ctx', () => {
  test('user, trace, environment, deadline and signal; nothing of HTTP', async () => {
    const source = `export const see = (ctx) => ({
      user: ctx.user, trace: ctx.trace, env: ctx.env.A, deadline: [ctx.deadline.epochMs - Date.now(), ctx.deadline.remainingMs()],
      aborted: ctx.signal.aborted, http: ['request', 'headers', 'url', 'method', 'response'].filter((name) => name in ctx),
    });`;
    const seen = (await result(source, '/see', [], {
      headers: { 'x-thimble-user': encodeURIComponent('ü 1\n2'), traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' }, settings: { env: { A: '1' } }, wallMs: 5_000,
    })) as { deadline: number[] };
    expect(seen).toMatchObject({
      user: 'ü 1\n2', env: '1', aborted: false, http: [],
      trace: { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' },
    });
    for (const left of seen.deadline) {
      expect(left).toBeGreaterThan(3_000);
      expect(left).toBeLessThanOrEqual(5_001);
    }
  });

  test('without a user it is null', async () => {
    expect(await result('export const see = (ctx) => ctx.user;', '/see')).toBeNull();
  });

  test('remainingMs shrinks as time goes by', async () => {
    const [before, after] = (await result(`export const see = async (ctx) => { const a = ctx.deadline.remainingMs(); await new Promise((r) => setTimeout(r, 60)); return [a, ctx.deadline.remainingMs()]; };`, '/see')) as number[];
    expect((before ?? 0) - (after ?? 0)).toBeGreaterThan(50);
  });

  test('logger writes lines with level and fields, of its own invocation', async () => {
    const target = await host().deploy(`
      let other;
      export const keep = async (ctx) => { other = ctx; await new Promise((r) => setTimeout(r, 300)); };
      export const talk = (ctx) => { for (const level of ['debug', 'info', 'warn', 'error']) ctx.logger[level](level + ' line', { n: 1 }); ctx.logger.info('cycle', (() => { const a = {}; a.a = a; return a; })()); ctx.logger.info('plain'); other.logger.warn('for the other'); };
    `, { function: 'talker' });
    const first = host().invoke(target, { path: '/keep', body: '{"args":[]}' });
    const second = host().invoke(target, { path: '/talk', body: '{"args":[]}' });
    await Promise.all([first.done, second.done]);
    const lines = (): typeof TestHost.prototype.logs => host().logs.filter(({ fn }) => fn === 'talker');
    await expect.poll(() => lines().length).toBe(7);
    expect(lines().map(({ level, message, fields }) => [level, message, fields])).toEqual([
      ['debug', 'debug line', '{"n":1}'], ['info', 'info line', '{"n":1}'], ['warn', 'warn line', '{"n":1}'], ['error', 'error line', '{"n":1}'],
      ['info', 'cycle', '{"unserialisable":true}'], ['info', 'plain', null], ['warn', 'for the other', null],
    ]);
    const [own, foreign] = [lines()[0]?.invocation, lines()[6]?.invocation];
    expect(own).not.toBe(foreign);
  });

  test('waitUntil work goes on after the answer, signal aborts when the caller goes away', async () => {
    const target = await host().deploy(`
      export const later = (ctx) => { ctx.waitUntil(new Promise((r) => setTimeout(r, 50)).then(() => ctx.logger.info('waited'))); return 'now'; };
      export const hang = (ctx) => new Promise(() => { ctx.signal.addEventListener('abort', () => ctx.logger.info('aborted')); });
    `, { function: 'waiter' });
    expect((await host().call(target, { path: '/later', body: '{"args":[]}' })).code).toBeNull();
    const hanging = host().invoke(target, { path: '/hang', body: '{"args":[]}' });
    await new Promise((resolve) => setTimeout(resolve, 100));
    hanging.cancel();
    await hanging.done;
    await expect.poll(() => host().logs.filter(({ fn }) => fn === 'waiter').map(({ message }) => message)).toEqual(['waited', 'aborted']);
  });
});

test('the same export is no operation where the default export makes it a fetch function, unless the shape says business', async () => {
  const source = `export default { fetch: () => new Response('fetched') }; export const op = () => 'called';`;
  expect((await call(source, '/op', [])).body.toString()).toBe('fetched');
  expect(await result(source, '/op', [], { settings: { shape: 'business' } })).toBe('called');
});
