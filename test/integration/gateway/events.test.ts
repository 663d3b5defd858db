// Events through the dispatcher: what hosts get, what invokers hear, and that every limit holds for them as for requests.
import { describe, expect, test } from 'vitest';
import { FRAME } from '../../../core/protocol/index.ts';
import { routeFunction } from '../../support/gateway-fakes.ts';
import type { FakeInvocation, Script } from '../../support/gateway-fakes.ts';
import { useInvoker } from '../../support/gateway-invoker.ts';
import { call, until, useGateway } from '../../support/gateway-stand.ts';

const ok: Script = (i) => i.respond(200, [], JSON.stringify({ method: i.method, url: i.url, body: i.text, version: i.target.version, user: i.header('x-thimble-user') ?? null, id: i.header('x-request-id'), trace: i.header('traceparent') }), { cpuUs: 1_234 });

describe('an event', () => {
  test('reaches a host as an invocation whose method no request can have', async () => {
    const stand = await useGateway({ functions: [routeFunction('f')], hosts: [ok] });
    const invoker = await useInvoker(stand);
    const outcome = await invoker.send({ kind: 'queue', body: '{"queue":"q"}', user: 'ü\n1' });
    expect(outcome).toMatchObject({ status: 200, version: 1, cpuUs: 1_234, body: { method: '@queue', body: '{"queue":"q"}', user: '%C3%BC%0A1' } });
    expect(String(outcome.body['trace'])).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/);
    expect((await call(stand.port, '/', { fn: 'f', method: 'REPORT' })).status).toBe(405);
    expect((await call(stand.port, '/', { fn: 'f', method: 'GET' })).status).toBe(200);
  });

  test('takes ids from the same numbers as requests', async () => {
    const stand = await useGateway({ functions: [routeFunction('f')], hosts: [ok] });
    const invoker = await useInvoker(stand);
    const ids = new Set<unknown>();
    for (let i = 0; i < 3; i++) {
      ids.add((await invoker.send()).body['id']);
      ids.add((JSON.parse((await call(stand.port, '/', { fn: 'f' })).text) as { id: string }).id);
    }
    expect(ids.size).toBe(6);
  });

  test('goes to the version it names, else as the traffic says', async () => {
    const fn = routeFunction('f', { versions: { 1: 'd1', 2: 'd2' }, traffic: { rules: [{ when: { user: { in: ['vip'] } }, version: 2 }], split: [{ version: 1, weight: 100 }] } });
    const stand = await useGateway({ functions: [fn, routeFunction('draft', { traffic: null })], hosts: [ok] });
    const invoker = await useInvoker(stand);
    expect((await invoker.send()).version).toBe(1);
    expect((await invoker.send({ version: 2 })).version).toBe(2);
    expect((await invoker.send({ user: 'vip', kind: 'business' })).version).toBe(2);
    expect(await invoker.send({ version: 3 })).toMatchObject({ status: 404, body: { code: 'no_version' } });
    expect(await invoker.send({ fn: 'draft' })).toMatchObject({ status: 404, body: { code: 'no_version' } });
    expect(await invoker.send({ fn: 'nobody' })).toMatchObject({ status: 404, version: 0, body: { code: 'not_found' } });
  });

  test('reaches functions that are not public', async () => {
    const invoker = await useInvoker(await useGateway({ functions: [routeFunction('f', { public: false })], hosts: [ok] }));
    expect((await invoker.send()).status).toBe(200);
  });

  test('is under the limits: rate, concurrency and its line, wall, body', async () => {
    const held: FakeInvocation[] = [];
    const stand = await useGateway({
      functions: [
        routeFunction('rated', { limits: { rps: 1 } }), routeFunction('narrow', { limits: { concurrency: 1 } }), routeFunction('slow', { limits: { wallMs: 50 } }), routeFunction('small', { limits: { bodyBytes: 10 } }),
      ],
      hosts: [(i) => (i.target.function === 'narrow' || i.target.function === 'slow' ? void held.push(i) : ok(i))],
    });
    const invoker = await useInvoker(stand);
    const statuses = await Promise.all(Array.from({ length: 5 }, () => invoker.send({ fn: 'rated' })));
    expect(statuses.some(({ body }) => body['code'] === 'rate_limited')).toBe(true);
    const narrow = Array.from({ length: 4 }, () => invoker.begin({ fn: 'narrow' }));
    expect(await invoker.outcome(narrow[3] as number)).toMatchObject({ status: 503, reason: expect.stringContaining('overloaded') as string, body: { code: 'overloaded' } });
    for (let i = 0; i < 3; i++) {
      await until(() => held.length > i);
      held[i]?.respond(200, [], '{}');
      expect((await invoker.outcome(narrow[i] as number)).status).toBe(200);
    }
    expect(await invoker.send({ fn: 'slow' })).toMatchObject({ status: 504, reason: 'wall_limit_exceeded;limit=50', body: { code: 'wall_limit_exceeded' } });
    await until(() => held.at(-1)?.cancelled !== undefined);
    expect(await invoker.send({ fn: 'small', body: JSON.stringify({ a: 'x'.repeat(20) }) })).toMatchObject({ status: 413, body: { code: 'body_too_large' } });
  });

  test('hears failures as typed problems, with what a failed batch decided', async () => {
    const stand = await useGateway({
      functions: [routeFunction('f')],
      hosts: [(i) => i.raw(i.text === '1'
        ? [FRAME.fail, i.id, 'function_threw', { outcome: { messages: [{ id: 'a', outcome: 'retry' }] } }, 77, null, null]
        : [FRAME.fail, i.id, 'cpu_limit_exceeded', { limit: 50, used: 53 }, 53_000, [1, 2, 3, 4], null])],
    });
    const invoker = await useInvoker(stand);
    expect(await invoker.send({ body: '1' })).toMatchObject({ status: 500, cpuUs: 77, body: { code: 'function_threw', messages: [{ id: 'a', outcome: 'retry' }] } });
    expect(await invoker.send({ body: '2' })).toMatchObject({ status: 503, cpuUs: 53_000, reason: 'cpu_limit_exceeded;limit=50;used=53', body: { code: 'cpu_limit_exceeded' } });
  });

  test('is not repeated on another host once it has run, and is when it has not', async () => {
    let runs = 0;
    const stand = await useGateway({
      functions: [routeFunction('f')],
      hosts: [(i) => {
        runs += 1;
        if (runs === 1) i.raw([FRAME.fail, i.id, 'isolate_lost', { entered: false }, 0, null, null]);
        else i.raw([FRAME.fail, i.id, 'isolate_lost', { entered: true }, 0, null, null]);
      }],
    });
    const invoker = await useInvoker(stand);
    expect(await invoker.send()).toMatchObject({ status: 503, body: { code: 'isolate_lost' } });
    expect(runs).toBe(2);
  });

  test('has a large result gathered, and one beyond the bound refused', async () => {
    const big = JSON.stringify({ result: 'x'.repeat(1_000_000) });
    const stand = await useGateway({
      functions: [routeFunction('f')],
      hosts: [(i) => {
        i.stream(200);
        void (async () => {
          for (let n = 0; n < (i.text === 'large' ? 1 : 6); n++) for (let at = 0; at < big.length; at += 50_000) await i.chunk(Buffer.from(big.slice(at, at + 50_000)));
          i.end();
        })();
      }],
    });
    const invoker = await useInvoker(stand);
    expect((await invoker.send({ body: 'large' })).body['result']).toHaveLength(1_000_000);
    expect(await invoker.send({ body: 'endless' })).toMatchObject({ status: 500, body: { code: 'bad_response' } });
  });

  test('is cancelled when its invoker says so or goes away', async () => {
    const held: FakeInvocation[] = [];
    const stand = await useGateway({ functions: [routeFunction('f')], hosts: [(i) => void held.push(i)] });
    const invoker = await useInvoker(stand);
    const id = invoker.begin();
    await until(() => held.length === 1);
    invoker.peer.connection?.send([FRAME.cancel, id, 'client_gone']);
    await until(() => held[0]?.cancelled === 'client_gone');
    invoker.begin();
    await until(() => held.length === 2);
    invoker.peer.close();
    await until(() => held[1]?.cancelled === 'client_gone');
    expect(invoker.outcomes.size).toBe(0);
  });
});

test('what is no event cuts the invoker off, and no one else', async () => {
  const stand = await useGateway({ functions: [routeFunction('f')], hosts: [ok] });
  const invoker = await useInvoker(stand);
  for (const frame of [[FRAME.event, 1, 'f', 0, 'GET', '', ''], [FRAME.respond, 1, 200, '', 0, null, true, 0, null], [FRAME.load, 0, 1, 1, 1, 1]] as const) {
    const before = invoker.closes;
    await until(() => invoker.peer.connection !== undefined);
    invoker.peer.connection?.send(frame);
    await until(() => invoker.closes > before);
  }
  expect((await call(stand.port, '/', { fn: 'f' })).status).toBe(200);
});

describe('the user of a function', () => {
  const jwt = (payload: object): string => `Bearer e30.${Buffer.from(JSON.stringify(payload)).toString('base64url')}.sig`;
  const user = async (from: string | null, headers: Record<string, string>): Promise<unknown> => {
    const { port } = await useGateway({ functions: [routeFunction('f', { user: from })], hosts: [ok] });
    return (JSON.parse((await call(port, '/', { fn: 'f', headers })).text) as { user: unknown }).user;
  };

  test('is read from header, cookie or token, and carried percent-encoded', async () => {
    expect(await user('header:X-User-Id', { 'x-user-id': 'u 1' })).toBe('u%201');
    expect(await user('cookie:uid', { cookie: 'a=b; uid=42' })).toBe('42');
    expect(await user('jwt:sub', { authorization: jwt({ sub: 'me\nx-admin\n1' }) })).toBe('me%0Ax-admin%0A1');
    expect(await user('jwt:sub', { authorization: jwt({ sub: '\ud800' }) })).toBe('%EF%BF%BD');
  });

  test('is nobody without one, or when it is too long to be an id', async () => {
    expect(await user('header:x-user-id', {})).toBeNull();
    expect(await user('jwt:sub', { authorization: 'Bearer x' })).toBeNull();
    expect(await user('header:x-user-id', { 'x-user-id': 'x'.repeat(1_025) })).toBeNull();
  });

  test('can not be forged', async () => {
    for (const from of [null, 'header:x-user-id', 'jwt:sub']) expect(await user(from, { 'x-thimble-user': 'admin', 'X-Thimble-User': 'admin' })).toBeNull();
    expect(await user('header:x-user-id', { 'x-user-id': 'me', 'x-thimble-user': 'admin' })).toBe('me');
  });
});
