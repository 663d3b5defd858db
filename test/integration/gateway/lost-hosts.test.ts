// What happens to invocations of a host that dies: the journal's word, replays, and what must not run twice.
import { expect, test } from 'vitest';
import { reflect, routeFunction } from '../../support/gateway-fakes.ts';
import type { FakeHost, FakeInvocation, Script } from '../../support/gateway-fakes.ts';
import { call, openSocket, problemCode, sleep, until, useGateway } from '../../support/gateway-stand.ts';
import type { Answer, CallOptions, Stand } from '../../support/gateway-stand.ts';

/** The fakes live in this process, so all have its pid; hosts are told apart by their names too. */
const PID = process.pid;
const functions = [routeFunction('card', { limits: { wallMs: 20_000 } })];
const never = (): void => {};

type Fate = 'waiting' | 'entered' | 'onThread' | 'unknown';

/** One request to a host that dies with it; another host is there when it does. */
async function loseHost(fate: Fate, options: CallOptions, order: 'close-first' | 'word-first' = 'close-first', script: (i: FakeInvocation) => void = never): Promise<{ answer: Answer; stand: Stand; second: FakeHost; tookMs: number }> {
  const stand = await useGateway({ functions });
  const first = await stand.addHost('host-1', script);
  const answering = call(stand.port, '/', { fn: 'card', ...options });
  await until(() => first.invocations.length === 1);
  const second = await stand.addHost('host-2', reflect);
  const begun = performance.now();
  const word = (): void => {
    if (fate === 'unknown') return;
    const ref = { epoch: stand.gateway.epoch, sequence: first.invocations[0]?.id ?? 0 };
    stand.gateway.hostDied({ host: 'host-1', pid: PID, onThread: fate === 'onThread' ? ref : null, entered: fate === 'waiting' ? [] : [ref] });
  };
  if (order === 'word-first') word();
  first.die();
  if (order === 'close-first') {
    await sleep(30);
    word();
  }
  const answer = await answering;
  return { answer, stand, second, tookMs: performance.now() - begun };
}

test.each([
  ['waiting', 'GET', undefined, true], ['waiting', 'POST', undefined, true], ['waiting', 'POST', 'body', true], ['entered', 'GET', undefined, true],
  ['entered', 'PUT', undefined, true], ['entered', 'DELETE', undefined, true], ['entered', 'POST', undefined, false], ['entered', 'PUT', 'body', false],
  ['entered', 'PATCH', undefined, false], ['onThread', 'GET', undefined, false], ['onThread', 'POST', 'body', false], ['unknown', 'GET', undefined, true],
  ['unknown', 'POST', 'body', false],
] as const)('%s %s with body %s: replayed is %s', async (fate, method, body, replayed) => {
  for (const order of ['close-first', 'word-first'] as const) {
    const { answer, second, stand, tookMs } = await loseHost(fate, { method, ...(body === undefined ? {} : { body }) }, order);
    const outcome = [answer.status, answer.reason, stand.gateway.dispatcher.replays, second.invocations.map((i) => i.text)];
    expect(outcome).toEqual(replayed ? [200, '', 1, [body ?? '']] : [502, 'host_lost', 0, []]);
    expect(tookMs).toBeLessThan(fate === 'unknown' ? 1_200 : 500);
    expect(stand.gateway.dispatcher.activeCount).toBe(0);
    expect(stand.gateway.dispatcher.inFlight).toBe(0);
  }
});

test('a journal of another life of the gateway counts for nothing', async () => {
  const stand = await useGateway({ functions });
  const first = await stand.addHost('host-1', never);
  const answering = call(stand.port, '/', { fn: 'card', method: 'POST' });
  await until(() => first.invocations.length === 1);
  await stand.addHost('host-2', reflect);
  first.die();
  const ref = { epoch: stand.gateway.epoch + 1, sequence: first.invocations[0]?.id ?? 0 };
  stand.gateway.hostDied({ host: 'host-1', pid: PID, onThread: ref, entered: [ref] });
  expect((await answering).status).toBe(200);
});

test('the word about another host decides nothing', async () => {
  const stand = await useGateway({ functions });
  const first = await stand.addHost('host-1', never);
  const answering = call(stand.port, '/', { fn: 'card', method: 'POST' });
  await until(() => first.invocations.length === 1);
  await stand.addHost('host-2', reflect);
  stand.gateway.hostDied({ host: 'host-1', pid: PID + 7, onThread: null, entered: [] });
  first.die();
  expect(problemCode(await answering)).toBe('host_lost');
});

test('a streamed body: not begun is replayed, begun is not', async () => {
  const run = async (sendFirst: boolean): Promise<[string, boolean]> => {
    const stand = await useGateway({ functions });
    const first = await stand.addHost('host-1', (i) => { i.reading = false; });
    const socket = openSocket(stand.port);
    let text = '';
    socket.on('data', (d) => { text += d.toString(); });
    socket.write('POST / HTTP/1.1\r\nHost: h\r\nx-thimble-function: card\r\ncontent-length: 100000\r\n\r\n');
    if (sendFirst) socket.write('x'.repeat(1_000));
    await until(() => first.invocations.length === 1 && (!sendFirst || first.invocations[0]?.receivedBytes === 1_000));
    await stand.addHost('host-2', reflect);
    first.die();
    await sleep(20);
    socket.write('x'.repeat(sendFirst ? 99_000 : 50_000));
    await sleep(20);
    stand.gateway.hostDied({ host: 'host-1', pid: PID, onThread: null, entered: [] });
    if (!sendFirst) socket.write('x'.repeat(50_000));
    await until(() => text.includes('\r\n\r\n'));
    return [text.slice(9, 12), text.includes('"bytes":100000')];
  };
  expect(await run(false)).toEqual(['200', true]);
  expect(await run(true)).toEqual(['502', false]);
});

test('a response that has begun is broken off, one whose head is not out is answered', async () => {
  const begun = await loseHost('entered', {}, 'close-first', (i) => { i.stream(200); void i.chunk(Buffer.from('part')); });
  expect([begun.answer.status, begun.answer.text, begun.answer.complete]).toEqual([200, 'part', false]);
  const headOnly = await loseHost('entered', {}, 'close-first', (i) => i.stream(200));
  expect(problemCode(headOnly.answer)).toBe('host_lost');
  expect([begun.second.invocations.length, headOnly.second.invocations.length]).toEqual([0, 0]);
});

test('at most two replays: a request that loses every host is the likely cause', async () => {
  const stand = await useGateway({ functions });
  const lost: number[] = [];
  const poison = (n: number): Promise<FakeHost> => stand.addHost(`host-${n}`, (i) => {
    lost.push(n);
    setImmediate(() => {
      stand.gateway.hostDied({ host: `host-${n}`, pid: PID, onThread: null, entered: [] });
      i.host.die();
    });
  });
  for (let n = 1; n <= 5; n++) await poison(n);
  const answer = await call(stand.port, '/', { fn: 'card' });
  expect(problemCode(answer)).toBe('host_lost');
  expect(lost).toHaveLength(3);
  expect(new Set(lost).size).toBe(3);
});

test('with one host the replay waits until it is back', async () => {
  const stand = await useGateway({ functions });
  const first = await stand.addHost('host-1', never);
  const answering = call(stand.port, '/', { fn: 'card' });
  await until(() => first.invocations.length === 1);
  first.die();
  stand.gateway.hostDied({ host: 'host-1', pid: PID, onThread: null, entered: [] });
  await sleep(150);
  await stand.addHost('host-1', reflect);
  expect((await answering).status).toBe(200);
});

test('isolate_lost: the host says whether the invocation had been entered', async () => {
  const scripted = (entered: boolean) => {
    let n = 0;
    return (i: FakeInvocation): void => (++n === 1 ? i.fail('isolate_lost', { entered }) : reflect(i));
  };
  const run = async (entered: boolean, method: string): Promise<string> => {
    const { port } = await useGateway({ functions, hosts: [scripted(entered)] });
    const answer = await call(port, '/', { fn: 'card', method });
    return answer.status === 200 ? 'replayed' : `${answer.status} ${problemCode(answer)} ${answer.reason}`;
  };
  expect(await run(false, 'POST')).toBe('replayed');
  expect(await run(true, 'GET')).toBe('replayed');
  expect(await run(true, 'POST')).toBe('503 isolate_lost isolate_lost');
});

test('work behind a response that is lost with its host is logged', async () => {
  const stand = await useGateway({ functions });
  const first = await stand.addHost('host-1', (i) => i.respond(200, [], 'x', { final: false }));
  expect((await call(stand.port, '/', { fn: 'card' })).status).toBe(200);
  first.die();
  await until(() => stand.log.some((line) => line['code'] === 'wait_until_lost'));
  expect(stand.gateway.dispatcher.activeCount).toBe(0);
});

test('clients that go away while their host is lost are let go', async () => {
  const stand = await useGateway({ functions });
  const first = await stand.addHost('host-1', never);
  const socket = openSocket(stand.port);
  socket.write('GET / HTTP/1.1\r\nHost: h\r\nx-thimble-function: card\r\n\r\n');
  await until(() => first.invocations.length === 1);
  first.die();
  await sleep(20);
  expect(stand.gateway.dispatcher.inFlight).toBe(1);
  socket.destroy();
  await until(() => stand.gateway.dispatcher.inFlight === 0);
  stand.gateway.hostDied({ host: 'host-1', pid: PID, onThread: null, entered: [] });
  expect(stand.gateway.dispatcher.replays).toBe(0);
});

test('a host that says goaway gets nothing new and finishes what it has', async () => {
  const stand = await useGateway({ functions });
  const first = await stand.addHost('host-1', never);
  const answering = call(stand.port, '/', { fn: 'card' });
  await until(() => first.invocations.length === 1);
  first.goaway();
  await sleep(20);
  expect((await call(stand.port, '/.thimble/readyz')).status).toBe(503);
  const second = await stand.addHost('host-2', reflect);
  for (let n = 0; n < 5; n++) expect((await call(stand.port, '/', { fn: 'card' })).status).toBe(200);
  expect([first.invocations.length, second.invocations.length]).toEqual([1, 5]);
  first.invocations[0]?.respond(200, [], 'late');
  expect((await answering).text).toBe('late');
});

test.each([
  ['cheap invocations stay together', 20, 0, 0],
  ['long ones spread', 5_000, 14, 20],
] as const)('a function keeps its home while the CPU time ahead of it is short: %s', async (_what, cpuUs, fewestElsewhere, mostElsewhere) => {
  const stand = await useGateway({ functions: [routeFunction('card'), ...Array.from({ length: 30 }, (_, n) => routeFunction(`f${n}`))] });
  const script: Script = (i) => i.respond(200, [], 'x', { cpuUs });
  const a = await stand.addHost('host-1', script);
  const b = await stand.addHost('host-2', script);
  // One after the other: the mean is learnt, and nothing is ahead of any host.
  for (let n = 0; n < 80; n++) await call(stand.port, '/', { fn: 'card' });
  expect([a.invocations.length, b.invocations.length].toSorted((x, y) => x - y)).toEqual([0, 80]);
  for (let n = 0; n < 30; n++) await call(stand.port, '/', { fn: `f${n}` });
  expect(Math.min(a.invocations.length, b.invocations.length)).toBeGreaterThan(4);
  const before = [a.invocations.length, b.invocations.length];
  a.script = b.script = never;
  const calls = Array.from({ length: 40 }, () => call(stand.port, '/', { fn: 'card' }));
  await until(() => a.running.size + b.running.size > 0 && a.invocations.length + b.invocations.length === (before[0] ?? 0) + (before[1] ?? 0) + 40);
  const share = [a.invocations.length - (before[0] ?? 0), b.invocations.length - (before[1] ?? 0)];
  expect(Math.min(...share)).toBeGreaterThanOrEqual(fewestElsewhere);
  expect(Math.min(...share)).toBeLessThanOrEqual(mostElsewhere);
  for (const i of [...a.invocations, ...b.invocations]) i.respond(200, [], 'x');
  expect((await Promise.all(calls)).every((answer) => answer.status === 200)).toBe(true);
});
