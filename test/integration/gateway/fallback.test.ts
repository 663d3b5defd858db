// Fallback answers end to end: when they come, what marks them, what still counts as a failure, and that no caller gets what another was answered.
import { describe, expect, test } from 'vitest';
import { parseItem } from 'structured-headers';
import { useInvoker } from '../../support/gateway-invoker.ts';
import { routeFunction } from '../../support/gateway-fakes.ts';
import type { FakeInvocation, Script } from '../../support/gateway-fakes.ts';
import { call, openSocket, problemCode, until, useGateway } from '../../support/gateway-stand.ts';
import type { Answer, CallOptions, Stand } from '../../support/gateway-stand.ts';

const STATIC = { static: { status: 203, headers: { 'content-type': 'text/html' }, body: '<p>back soon</p>' } };
const LAST = { lastGood: { ttlMs: 60_000 } };

/** Answers with what `answer` says, until `failing` is a code. */
class Moody {
  failing = '';
  params: Readonly<Record<string, unknown>> | null = null;
  answer: (i: FakeInvocation) => void = (i) => i.respond(200, [['content-type', 'text/plain'], ['x-of', i.host.name]], `good ${new URL(i.url).pathname} for ${i.header('cookie') ?? i.header('x-api-key') ?? 'anyone'}`);
  readonly script: Script = (i) => (this.failing === '' ? this.answer(i) : i.fail(this.failing, this.params));
}

async function useMoody(fallback: unknown, more: Readonly<Record<string, unknown>> = {}): Promise<{ readonly stand: Stand; readonly moody: Moody; readonly ask: (path?: string, options?: CallOptions) => Promise<Answer> }> {
  const moody = new Moody();
  const stand = await useGateway({ functions: [routeFunction('f', { fallback, ...more })], hosts: [moody.script] });
  return { stand, moody, ask: (path = '/', options = {}) => call(stand.port, path, { fn: 'f', ...options }) };
}

const mark = ({ headers }: Answer): string => String(headers['x-thimble-fallback'] ?? '');

describe('a fallback', () => {
  test('comes for each cause that it is on for, and for no other; what the caller did wrong stays a failure', async () => {
    const { stand, moody, ask } = await useMoody({ on: ['error', 'unavailable'], ...STATIC });
    for (const [code, params, status] of [
      ['function_threw', null, 203], ['bad_response', { why: 'x' }, 203], ['host_lost', null, 203], ['nonsense', null, 203], ['cpu_limit_exceeded', { limit: 50, used: 60 }, 503], ['overloaded', null, 503], ['wall_limit_exceeded', { limit: 5 }, 504],
      ['loop_detected', null, 508],
    ] as const) {
      moody.failing = code;
      moody.params = params;
      const answer = await ask('/', { method: 'POST', body: 'x' });
      expect([code, answer.status, mark(answer)]).toEqual([code, status, status === 203 ? `static;code=${code === 'nonsense' ? 'internal' : code}` : '']);
    }
    stand.control.push([routeFunction('f', { fallback: { on: ['throttle'], ...STATIC }, limits: { bodyBytes: 1, rps: 1 } })]);
    await until(() => stand.control.applied.length > 1);
    expect(problemCode(await ask('/', { method: 'POST', body: 'too much' }))).toBe('body_too_large');
    const limited = [await ask(), await ask(), await ask()].filter((one) => mark(one) === 'static;code=rate_limited');
    expect(limited.length).toBeGreaterThan(0);
    expect(limited[0]?.reason).toContain('rate_limited;');
  });

  test('is marked by an RFC 9651 item, and everything else about the failure stays to be seen', async () => {
    const { stand, moody, ask } = await useMoody({ ...STATIC, ...LAST });
    await ask('/a');
    moody.failing = 'cpu_limit_exceeded';
    moody.params = { limit: 50, used: 61 };
    const [last, other] = [await ask('/a'), await ask('/b')];
    const [kind, params] = parseItem(mark(last));
    expect([String(kind), [...params.keys()]]).toEqual(['last-good', ['age', 'code', 'version']]);
    expect([last.status, last.text, mark(last), last.reason, last.version]).toEqual([200, 'good /a for anyone', 'last-good;age=0;code=cpu_limit_exceeded;version=1', 'cpu_limit_exceeded;limit=50;used=61', '1']);
    expect([last.headers['content-type'], last.headers['x-of'], last.headers['age'], last.headers['cache-control']]).toEqual(['text/plain', 'host-1', '0', 'no-store']);
    expect([other.status, other.text, mark(other)]).toEqual([203, '<p>back soon</p>', 'static;code=cpu_limit_exceeded']);
    await until(() => stand.control.count('f', 1).codes['cpu_limit_exceeded'] === 2);
    // The statuses are those of the failures: an alert that counts 5xx must see them.
    expect(stand.control.count('f', 1).statuses).toEqual({ 200: 1, 503: 2 });
    const rows = stand.control.figures.flatMap(({ versions }) => versions);
    expect(rows.reduce((sum, { fallbacks }) => sum + (fallbacks?.['last-good'] ?? 0) * 10 + (fallbacks?.['static'] ?? 0), 0)).toBe(11);
    expect(stand.log.filter(({ code }) => code === 'cpu_limit_exceeded').map(({ status, fallback, level }) => [status, fallback, level])).toEqual([[200, 'last-good', 'warn'], [203, 'static', 'warn']]);
    await until(() => stand.control.figures.at(-1)?.lastGood?.answers === 1);
  });

  test('follows HTTP for HEAD and for statuses without a body, and keeps the connection', async () => {
    const { stand, moody, ask } = await useMoody({ ...LAST, static: { status: 204, body: 'never sent' } });
    await ask('/a');
    moody.failing = 'function_threw';
    const head = await ask('/a', { method: 'HEAD' });
    expect([head.status, head.text, head.headers['content-length'], mark(head)]).toEqual([200, '', '18', 'last-good;age=0;code=function_threw;version=1']);
    const socket = openSocket(stand.port);
    let got = '';
    socket.on('data', (d: Buffer) => void (got += d.toString()));
    socket.write('GET /none HTTP/1.1\r\nhost: f.localhost\r\n\r\n');
    await until(() => got.includes('\r\n\r\n'));
    expect(got).toMatch(/^HTTP\/1\.1 204 No Content\r\n/);
    expect(got).not.toMatch(/content-length|never sent/i);
    got = '';
    socket.write('GET /none HTTP/1.1\r\nhost: f.localhost\r\n\r\n');
    await until(() => got.includes('204 No Content'));
  });

  test('can not take back what has gone out, and stands in until the first byte has', async () => {
    const { moody, ask } = await useMoody(STATIC);
    moody.answer = (i) => {
      i.stream(200, [['content-type', 'text/plain']]);
      if (new URL(i.url).pathname === '/early') i.fail('function_threw');
      else void i.chunk(Buffer.from('begun')).then(() => i.fail('function_threw'));
    };
    const [early, late] = [await ask('/early'), await ask('/late')];
    expect([early.status, mark(early), early.text]).toEqual([203, 'static;code=function_threw', '<p>back soon</p>']);
    expect([late.status, mark(late), late.complete]).toEqual([200, '', false]);
  });

  test('stands in when no host is there, when the line is full and when time is up; never for events', async () => {
    const moody = new Moody();
    const held: FakeInvocation[] = [];
    moody.answer = (i) => void held.push(i);
    const stand = await useGateway({ functions: [routeFunction('f', { fallback: STATIC, limits: { concurrency: 1, wallMs: 300 } })], hosts: [moody.script] });
    const answers = await Promise.all(Array.from({ length: 5 }, () => call(stand.port, '/', { fn: 'f' })));
    expect(answers.map(mark).toSorted()).toEqual([...Array.from({ length: 2 }, () => 'static;code=overloaded'), ...Array.from({ length: 3 }, () => 'static;code=wall_limit_exceeded')]);
    const invoker = await useInvoker(stand);
    moody.failing = 'function_threw';
    for (const one of held) one.fail('internal');
    expect(await invoker.send()).toMatchObject({ status: 500, body: { code: 'function_threw' } });
    for (const host of stand.hosts) host.die();
    await until(() => stand.gateway.dispatcher.hosts.openCount === 0);
    expect(mark(await call(stand.port, '/', { fn: 'f' }))).toMatch(/^static;code=(?:wall_limit_exceeded|unavailable)$/);
  });
});

describe('the last good answer', () => {
  test('is never one that another caller got: cookies, credentials, API keys, users and unknown fields are told apart', async () => {
    const { moody, ask } = await useMoody({ ...LAST, ...STATIC }, { user: 'header:x-user-id' });
    const callers: Record<string, string>[] = [
      { cookie: 'sid=alice' }, { cookie: 'sid=bob' }, { authorization: 'Bearer alice' }, { authorization: 'Bearer bob' }, { 'x-api-key': 'alice' }, { 'x-api-key': 'bob' }, { 'x-user-id': 'alice' }, { 'x-user-id': 'bob' }, {},
      { cookie: 'sid=alice', 'x-api-key': 'bob' },
    ];
    let n = 0;
    moody.answer = (i) => i.respond(200, [], `secret ${(n += 1)}`);
    const own: string[] = [];
    for (const headers of callers) own.push((await ask('/me', { headers })).text);
    moody.failing = 'function_threw';
    for (const [i, headers] of callers.entries()) expect((await ask('/me', { headers })).text).toBe(own[i]);
    for (const headers of [{ cookie: 'sid=mallory' }, { cookie: 'sid=alice; a=b' }, { authorization: 'Bearer' }, { 'x-user-id': 'alice ', cookie: 'x' }, { 'x-api-key': 'alice', authorization: 'Bearer alice' }]) {
      expect(mark(await ask('/me', { headers }))).toBe('static;code=function_threw');
    }
    // The same caller elsewhere: another host, another path, another query, a part only.
    for (const [path, headers] of [['/me', { host: 'f.example' }], ['/me/', {}], ['/me?x', {}], ['/me', { range: 'bytes=0-' }]] as const) {
      expect([path, mark(await ask(path, { headers: { cookie: 'sid=alice', ...headers } }))]).toEqual([path, 'static;code=function_threw']);
    }
    expect(mark(await ask('/me', { method: 'POST', body: 'x', headers: { cookie: 'sid=alice' } }))).toBe('static;code=function_threw');
  });

  test('is not kept of what says so, of streams, of requests with a body, and of what is too large', async () => {
    const { stand, moody, ask } = await useMoody({ ...LAST, ...STATIC });
    const answers: Record<string, (i: FakeInvocation) => void> = {
      '/private': (i) => i.respond(200, [['cache-control', 'private']], 'x'), '/no-store': (i) => i.respond(200, [['cache-control', 'no-store']], 'x'), '/cookie': (i) => i.respond(200, [['set-cookie', 'a=b']], 'x'), '/star': (i) => i.respond(200, [['vary', '*']], 'x'),
      '/error': (i) => i.respond(500, [], 'x'), '/partial': (i) => i.respond(206, [], 'x'), '/large': (i) => i.respond(200, [], 'x'.repeat(70_000)),
      '/stream': (i) => {
        i.stream(200);
        void i.chunk(Buffer.from('x')).then(() => i.end());
      },
      '/body': (i) => i.respond(200, [], 'x'),
    };
    moody.answer = (i) => answers[i.path]?.(i);
    for (const path of Object.keys(answers)) expect((await ask(path, path === '/body' ? { body: 'q' } : {})).text).toMatch(/^x+$/);
    moody.failing = 'function_threw';
    for (const path of Object.keys(answers)) expect([path, mark(await ask(path))]).toEqual([path, 'static;code=function_threw']);
    await until(() => stand.control.figures.at(-1)?.lastGood?.answers === 0);
  });

  test('goes when the resource is gone, or is for this caller no more', async () => {
    const { moody, ask } = await useMoody({ ...LAST, ...STATIC });
    const good = moody.answer;
    for (const status of [401, 403, 404, 410]) {
      moody.failing = '';
      moody.answer = good;
      await ask('/a');
      moody.answer = (i) => i.respond(status, [], 'no');
      await ask('/a');
      moody.failing = 'function_threw';
      expect(mark(await ask('/a'))).toBe('static;code=function_threw');
    }
    moody.failing = '';
    moody.answer = good;
    await ask('/a');
    moody.answer = (i) => i.respond(500, [], 'own error');
    expect([(await ask('/a')).text, mark(await ask('/a'))]).toEqual(['own error', '']);
    moody.failing = 'function_threw';
    expect((await ask('/a')).text).toBe('good /a for anyone');
  });

  test('varies as its function says', async () => {
    const { moody, ask } = await useMoody({ ...LAST, ...STATIC });
    moody.answer = (i) => i.respond(200, [['vary', 'Accept-Language']], `in ${i.header('accept-language')}`);
    for (const lang of ['de', 'en']) await ask('/', { headers: { 'accept-language': lang } });
    moody.failing = 'function_threw';
    expect((await ask('/', { headers: { 'accept-language': 'de' } })).text).toBe('in de');
    expect(mark(await ask('/', { headers: { 'accept-language': 'nl' } }))).toBe('static;code=function_threw');
  });

  test('may be one of another version while it is young enough; not of another than the forced one', async () => {
    const two = { versions: { 1: 'd1', 2: 'd2' }, fallback: { ...LAST, ...STATIC } };
    const { stand, moody, ask } = await useMoody(two.fallback, two);
    const push = async (more: Readonly<Record<string, unknown>>): Promise<void> => {
      const { revision } = stand.control.push([routeFunction('f', { ...two, ...more })]);
      await until(() => stand.control.applied.includes(revision));
    };
    await ask();
    moody.failing = 'function_threw';
    await push({ traffic: { rules: [], split: [{ version: 2, weight: 100 }] } });
    const answer = await ask();
    expect([mark(answer), answer.text, answer.version]).toEqual([expect.stringMatching(/^last-good;age=\d;code=function_threw;version=1$/), 'good / for anyone', '2']);
    await push({ forced: 2 });
    expect(mark(await ask())).toBe('static;code=function_threw');
    await push({ forced: 1 });
    expect(mark(await ask())).toContain('last-good;');
  });

  test('is forgotten when its function is killed, deleted, or wants it no more', async () => {
    const { stand, moody, ask } = await useMoody({ ...LAST, ...STATIC });
    const push = async (upsert: Readonly<Record<string, unknown>> | undefined): Promise<void> => {
      const { revision } = upsert === undefined ? stand.control.push([], ['f']) : stand.control.push([routeFunction('f', upsert)]);
      await until(() => stand.control.applied.includes(revision));
    };
    const store = { fallback: { ...LAST, ...STATIC } };
    const meanwhile: string[] = [];
    for (const between of [{ ...store, killed: true }, undefined, { fallback: STATIC }] as const) {
      moody.failing = '';
      await ask('/a');
      expect(stand.gateway.dispatcher.fallbacks.store.answers).toBe(1);
      await push(between);
      meanwhile.push(mark(await ask('/a')));
      await push(store);
      moody.failing = 'function_threw';
      expect(mark(await ask('/a'))).toBe('static;code=function_threw');
      expect(stand.gateway.dispatcher.fallbacks.store).toEqual({ answers: 0, bytes: 0 });
    }
    expect(meanwhile).toEqual(['static;code=switched_off', '', '']);
  });
});
