// Every failure that the gateway can tell a client, as problem+json with its code.
import { describe, expect, test } from 'vitest';
import { ERRORS } from '../../../core/errors/index.ts';
import type { ErrorCode } from '../../../core/errors/index.ts';
import { reflect, routeFunction } from '../../support/gateway-fakes.ts';
import type { FakeInvocation } from '../../support/gateway-fakes.ts';
import { call, openSocket, problemCode, raw, sleep, until, useGateway } from '../../support/gateway-stand.ts';

const never = (): void => {};

describe('failures of a function', () => {
  test.each([
    ['function_threw', null, 500, ''], ['cpu_limit_exceeded', { limit: 50, used: 53 }, 503, 'cpu_limit_exceeded;limit=50;used=53'],
    ['memory_limit_exceeded', { limit: 64 }, 503, 'memory_limit_exceeded;limit=64'], ['bad_response', { why: 'null' }, 500, ''],
    ['loop_detected', { limit: 16 }, 508, 'loop_detected;limit=16'], ['cpu_limit_exceeded', null, 503, 'cpu_limit_exceeded;limit=0'],
  ] as const)('%s keeps its status and reason', async (code, params, status, reason) => {
    const { port, control } = await useGateway({ functions: [routeFunction('card')], hosts: [(i) => i.fail(code, params, 'Error: secret detail\n    at x')] });
    const answer = await call(port, '/', { fn: 'card' });
    expect([answer.status, problemCode(answer)]).toEqual([status, code]);
    expect(answer.headers['x-thimble-reason'] ?? '').toBe(reason);
    expect(answer.headers['x-thimble-version']).toBe('1');
    expect(answer.headers['x-request-id']).toBeTruthy();
    expect(answer.text).not.toContain('secret');
    await until(() => control.count('card', 1).codes[code] === 1);
    expect(control.count('card', 1).statuses[String(status)]).toBe(1);
  });

  test('a request that came through too many functions is refused at the door', async () => {
    const { port } = await useGateway({ functions: [routeFunction('card')], hosts: [reflect] });
    const through = (n: number): Promise<Awaited<ReturnType<typeof call>>> => call(port, '/', { fn: 'card', headers: { 'cdn-loop': Array.from({ length: n }, () => 'thimble').join(', ') } });
    expect((await through(8)).status).toBe(200);
    const refused = await through(9);
    expect([refused.status, problemCode(refused), refused.headers['x-thimble-reason']]).toEqual([508, 'loop_detected', 'loop_detected;limit=8']);
  });

  test('debug shows message and stack; a code that is not in the table is internal', async () => {
    const { port } = await useGateway({
      functions: [routeFunction('card', { debug: true })],
      hosts: [(i) => (i.path === '/odd' ? i.fail('no_such_code', { x: 1 }) : i.fail('function_threw', null, 'Error: my detail\n    at handler (index.ts:3:4)'))],
    });
    const shown = JSON.parse((await call(port, '/', { fn: 'card' })).text) as { detail: string; stack: string };
    expect(shown.detail).toBe('Error: my detail');
    expect(shown.stack).toContain('index.ts:3:4');
    expect(problemCode(await call(port, '/odd', { fn: 'card' }))).toBe('internal');
  });

  test('an invocation that ends without a response is bad_response', async () => {
    const { port } = await useGateway({ functions: [routeFunction('card')], hosts: [(i) => i.done()] });
    expect(problemCode(await call(port, '/', { fn: 'card' }))).toBe('bad_response');
  });
});

describe('malformed requests', () => {
  const cases: readonly (readonly [string, string, ErrorCode])[] = [
    ['two Content-Lengths', 'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nContent-Length: 60\r\n\r\nbodyGET /x HTTP/1.1\r\nHost: h\r\n\r\n', 'bad_request'],
    ['equal Content-Lengths', 'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nContent-Length: 4\r\n\r\nbody', 'bad_request'],
    ['an empty Content-Length', 'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: \r\n\r\n', 'bad_request'],
    ['two Hosts', 'GET / HTTP/1.1\r\nHost: h\r\nHost: i\r\n\r\n', 'bad_request'],
    ['a Host that is none', 'GET / HTTP/1.1\r\nHost: h/evil?x\r\n\r\n', 'bad_request'],
    ['userinfo in Host', 'GET / HTTP/1.1\r\nHost: a@b\r\n\r\n', 'bad_request'],
    ['an empty Host', 'GET / HTTP/1.1\r\nHost: \r\n\r\n', 'bad_request'],
    ['gzip, chunked', 'POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n', 'bad_request'],
    ['xchunked', 'POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n', 'bad_request'],
    ['chunked twice', 'POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 'bad_request'],
    ['DEL in a value', 'GET / HTTP/1.1\r\nHost: h\r\nx-a: b\x7fc\r\n\r\n', 'bad_request'],
    ['a fragment in the target', 'GET /a#b HTTP/1.1\r\nHost: h\r\n\r\n', 'bad_request'],
    ['a head of 20,000 bytes', `GET / HTTP/1.1\r\nHost: h\r\nx-a: ${'y'.repeat(20_000)}\r\n\r\n`, 'headers_too_large'],
  ];
  test.each(cases)('%s: answered once, connection closed', async (_what, bytes, code) => {
    const { port, hosts } = await useGateway({ functions: [routeFunction('h')], hosts: [reflect] });
    const answer = await raw(port, bytes.replace('\r\n\r\n', '\r\nx-thimble-function: h\r\n\r\n'));
    expect(answer.text).toMatch(new RegExp(`^HTTP/1\\.1 ${ERRORS[code].status} `));
    expect(answer.text).toContain(`"code":"${code}"`);
    expect(answer.text.match(/HTTP\/1\.1 /g)).toHaveLength(1);
    expect(answer.closed).toBe(true);
    expect(hosts[0]?.invocations).toHaveLength(0);
  });

  test('both Content-Length and Transfer-Encoding never reach a function', async () => {
    const { port, hosts } = await useGateway({ functions: [routeFunction('h')], hosts: [reflect] });
    const answer = await raw(port, 'POST / HTTP/1.1\r\nHost: h.localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n');
    expect(answer.text).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer.closed).toBe(true);
    expect(hosts[0]?.invocations).toHaveLength(0);
  });
});

describe('body_too_large', () => {
  const functions = [routeFunction('card', { limits: { bodyBytes: 200_000 } })];

  test('by Content-Length, at once', async () => {
    const { port, hosts } = await useGateway({ functions, hosts: [reflect] });
    const answer = await call(port, '/', { fn: 'card', method: 'POST', body: Buffer.alloc(200_001) });
    expect([answer.status, problemCode(answer)]).toEqual([413, 'body_too_large']);
    const begun = await raw(port, `POST / HTTP/1.1\r\nHost: h\r\nx-thimble-function: card\r\ncontent-length: 200001\r\n\r\n${'x'.repeat(1_000)}`);
    expect(begun.text.toLowerCase()).toContain('connection: close');
    expect(begun.closed).toBe(true);
    expect(hosts[0]?.invocations).toHaveLength(0);
    expect((await call(port, '/', { fn: 'card', method: 'POST', body: Buffer.alloc(200_000) })).status).toBe(200);
  });

  test('by counting a chunked body, which cancels the invocation', async () => {
    const { port, hosts } = await useGateway({ functions, hosts: [never] });
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (let i = 0; i < 200; i++) {
        yield Buffer.alloc(10_000);
        await sleep(1);
      }
    }
    const answer = await call(port, '/', { fn: 'card', method: 'POST', body: endless() });
    expect([answer.status, problemCode(answer)]).toEqual([413, 'body_too_large']);
    await until(() => hosts[0]?.invocations[0]?.cancelled === 'body_too_large');
  });

  test('after the response has begun the connection is closed without its final chunk', async () => {
    const { port, hosts, log } = await useGateway({ functions, hosts: [(i) => { i.stream(200); void i.chunk(Buffer.from('begun')); }] });
    const socket = openSocket(port);
    let text = '';
    let closed = false;
    socket.on('data', (d) => { text += d.toString(); });
    socket.on('close', () => { closed = true; });
    socket.write('POST / HTTP/1.1\r\nHost: h\r\nx-thimble-function: card\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n');
    await until(() => text.includes('begun'));
    const timer = setInterval(() => socket.write(`2710\r\n${'x'.repeat(10_000)}\r\n`), 2);
    await until(() => closed);
    clearInterval(timer);
    expect(text).toMatch(/^HTTP\/1\.1 200 /);
    expect(text).not.toContain('\r\n0\r\n');
    await until(() => hosts[0]?.invocations[0]?.cancelled === 'body_too_large');
    expect(log.some((line) => line['code'] === 'body_too_large')).toBe(true);
  });
});

describe('time', () => {
  test('wall limit: 504, the invocation is cancelled, and its slot comes back with the final frame', async () => {
    const { port, hosts, gateway } = await useGateway({ functions: [routeFunction('card', { limits: { wallMs: 60, concurrency: 1 } })], hosts: [never] });
    const begun = performance.now();
    const answer = await call(port, '/', { fn: 'card' });
    const tookMs = performance.now() - begun;
    expect([answer.status, problemCode(answer), answer.headers['x-thimble-reason']]).toEqual([504, 'wall_limit_exceeded', 'wall_limit_exceeded;limit=60']);
    expect(tookMs).toBeGreaterThanOrEqual(59);
    expect(tookMs).toBeLessThan(300);
    await until(() => hosts[0]?.invocations[0]?.cancelled === 'wall_limit_exceeded');
    expect(gateway.dispatcher.inFlight).toBe(1);
    // The slot is taken: the next one only waits, and says so.
    const second = await call(port, '/', { fn: 'card' });
    expect([second.status, /^wall_limit_exceeded;limit=60;queue=\d/.test(String(second.headers['x-thimble-reason']))]).toEqual([504, true]);
    expect(hosts[0]?.invocations).toHaveLength(1);
    hosts[0]?.invocations[0]?.fail('wall_limit_exceeded', { limit: 60 });
    await until(() => gateway.dispatcher.inFlight === 0);
    expect(gateway.dispatcher.activeCount).toBe(0);
  });

  const streaming = (limits: Record<string, number>, everyMs: number): Promise<{ port: number; invocations: () => readonly FakeInvocation[]; log: Record<string, unknown>[] }> =>
    useGateway({
      functions: [routeFunction('card', { limits })],
      hosts: [(i) => {
        i.stream(200);
        void i.chunk(Buffer.from('a'));
        if (everyMs === 0) return;
        const timer = setInterval(() => (i.cancelled === undefined ? void i.chunk(Buffer.from('b')) : clearInterval(timer)), everyMs);
      }],
    }).then((stand) => ({ port: stand.port, log: stand.log, invocations: () => stand.hosts[0]?.invocations ?? [] }));

  test('idle limit: silence closes a stream without its final chunk', async () => {
    const stand = await streaming({ idleMs: 60, wallMs: 10_000 }, 0);
    const answer = await call(stand.port, '/', { fn: 'card' });
    expect([answer.status, answer.complete]).toEqual([200, false]);
    await until(() => stand.invocations()[0]?.cancelled === 'wall_limit_exceeded');
    expect(stand.log.some((line) => line['code'] === 'wall_limit_exceeded')).toBe(true);
  });

  test('stream limit: a stream that is never silent ends too, and the wall limit does not count it', async () => {
    const stand = await streaming({ idleMs: 100, streamMs: 250, wallMs: 50 }, 20);
    const begun = performance.now();
    const answer = await call(stand.port, '/', { fn: 'card' });
    expect([answer.status, answer.complete]).toEqual([200, false]);
    expect(performance.now() - begun).toBeGreaterThan(240);
    expect(answer.text.length).toBeGreaterThan(4);
  });
});

describe('load', () => {
  test('concurrency: what is beyond waits in order, what is beyond the line is overloaded', async () => {
    const { port, hosts, gateway } = await useGateway({ functions: [routeFunction('card', { limits: { concurrency: 2 } })], hosts: [never] });
    const order: number[] = [];
    const calls = Array.from({ length: 7 }, async (_, i) => {
      await sleep(i * 15);
      const answer = await call(port, `/${i}`, { fn: 'card' });
      order.push(i);
      return answer;
    });
    const refused = await calls[6];
    if (refused === undefined) throw new Error('no answer');
    expect([refused.status, problemCode(refused), refused.headers['retry-after'], refused.headers['x-thimble-reason']]).toEqual([503, 'overloaded', '1', 'overloaded;limit=2;queue=4']);
    expect([gateway.dispatcher.inFlight, gateway.dispatcher.queued]).toEqual([2, 4]);
    const host = hosts[0];
    for (let i = 0; i < 6; i++) {
      await until(() => (host?.invocations.length ?? 0) > i);
      host?.invocations[i]?.respond(200, [], String(i));
      await until(() => order.includes(i));
    }
    await Promise.all(calls);
    expect(order).toEqual([6, 0, 1, 2, 3, 4, 5]);
    expect([gateway.dispatcher.inFlight, gateway.dispatcher.queued, gateway.dispatcher.activeCount]).toEqual([0, 0, 0]);
  });

  test('a client that goes away leaves the line', async () => {
    const { port, hosts, gateway } = await useGateway({ functions: [routeFunction('card', { limits: { concurrency: 1 } })], hosts: [never] });
    const first = call(port, '/first', { fn: 'card' });
    await until(() => gateway.dispatcher.inFlight === 1);
    const socket = openSocket(port);
    socket.write('GET /gone HTTP/1.1\r\nHost: h\r\nx-thimble-function: card\r\n\r\n');
    await until(() => gateway.dispatcher.queued === 1);
    socket.destroy();
    await until(() => gateway.dispatcher.queued === 0);
    hosts[0]?.invocations[0]?.respond(200, [], 'x');
    expect((await first).status).toBe(200);
    expect(hosts[0]?.invocations).toHaveLength(1);
  });

  test('a raised limit lets waiting requests in', async () => {
    const { port, control, gateway, hosts } = await useGateway({ functions: [routeFunction('card', { limits: { concurrency: 1 } })], hosts: [never] });
    const calls = [call(port, '/', { fn: 'card' }), call(port, '/', { fn: 'card' })];
    await until(() => gateway.dispatcher.queued === 1);
    control.push([routeFunction('card', { limits: { concurrency: 5 } })]);
    await until(() => hosts[0]?.invocations.length === 2);
    for (const invocation of hosts[0]?.invocations ?? []) invocation.respond(200, [], 'x');
    expect((await Promise.all(calls)).map((a) => a.status)).toEqual([200, 200]);
  });

  test('rps: a second\'s worth at once, then rate_limited with Retry-After', async () => {
    const { port } = await useGateway({ functions: [routeFunction('card', { limits: { rps: 5 } })], hosts: [reflect] });
    const answers = await Promise.all(Array.from({ length: 12 }, () => call(port, '/', { fn: 'card' })));
    const ok = answers.filter((a) => a.status === 200);
    const limited = answers.filter((a) => a.status === 429);
    expect(ok.length).toBeGreaterThanOrEqual(5);
    expect(ok.length).toBeLessThanOrEqual(7);
    expect(ok.length + limited.length).toBe(12);
    for (const answer of limited) expect([problemCode(answer), answer.headers['retry-after'], answer.headers['x-thimble-reason']]).toEqual(['rate_limited', '1', 'rate_limited;limit=5']);
  });

  test('without a host requests wait for one, and are unavailable when none comes', async () => {
    const { port, addHost } = await useGateway({ functions: [routeFunction('card', { limits: { wallMs: 300_000 } }), routeFunction('short', { limits: { wallMs: 80 } })] });
    const waiting = call(port, '/', { fn: 'card' });
    expect(problemCode(await call(port, '/', { fn: 'short' }))).toBe('wall_limit_exceeded');
    const host = await addHost('host-1', reflect);
    expect((await waiting).status).toBe(200);
    host.die();
    await sleep(20);
    const begun = performance.now();
    const answer = await call(port, '/', { fn: 'card' });
    expect([answer.status, problemCode(answer), answer.headers['retry-after']]).toEqual([503, 'unavailable', '1']);
    expect(performance.now() - begun).toBeLessThan(5_600);
  }, 10_000);
});

test('a client that goes away cancels its invocation; the slot stays until the final frame', async () => {
  const { port, hosts, gateway, control } = await useGateway({ functions: [routeFunction('card')], hosts: [never] });
  const socket = openSocket(port);
  socket.write('GET / HTTP/1.1\r\nHost: h\r\nx-thimble-function: card\r\n\r\n');
  await until(() => hosts[0]?.invocations.length === 1);
  socket.destroy();
  await until(() => hosts[0]?.invocations[0]?.cancelled === 'client_gone');
  expect(gateway.dispatcher.inFlight).toBe(1);
  hosts[0]?.invocations[0]?.respond(200, [], 'too late');
  await until(() => gateway.dispatcher.inFlight === 0);
  await until(() => control.count('card', 1).codes['client_gone'] === 1);
});

test('failures are logged under their code, with a bound per second and a count of the rest', async () => {
  const { port, log } = await useGateway({ functions: [routeFunction('card')], hosts: [(i) => i.fail('function_threw', null, 'Error: why')] });
  await Promise.all(Array.from({ length: 60 }, () => call(port, '/', { fn: 'card' })));
  const lines = (): number => log.filter((line) => line['code'] === 'function_threw').length;
  expect(lines()).toBeGreaterThanOrEqual(20);
  expect(lines()).toBeLessThan(60);
  const suppressed = (): number => log.reduce((sum, line) => sum + ((line['suppressed'] as Record<string, number> | undefined)?.['function_threw'] ?? 0), 0);
  await until(() => lines() + suppressed() === 60);
});
