// Functions whose isolates or hosts are killed: strikes, quarantine at the door, probes, penalty hosts, pardon; and what counts as none of it.
import { expect, test } from 'vitest';
import { FRAME, RECALL, ReconnectingPeer } from '../../../core/protocol/index.ts';
import type { Frame, GatewayFigures } from '../../../core/protocol/index.ts';
import { reflect, routeFunction } from '../../support/gateway-fakes.ts';
import type { FakeHost, FakeInvocation, Script } from '../../support/gateway-fakes.ts';
import { call, problemCode, raw, sleep, until, useGateway } from '../../support/gateway-stand.ts';
import type { Answer, Stand } from '../../support/gateway-stand.ts';

const functions = [routeFunction('bad', { limits: { wallMs: 20_000 }, versions: { 1: 'sha256-bad-1', 2: 'sha256-bad-2' } }), routeFunction('good')];
const PID = process.pid;

/** `bad` is killed by its CPU limit, unless the request says otherwise. */
const killing: Script = (i) => {
  if (i.target.function !== 'bad' || i.header('x-behave') !== undefined) reflect(i);
  else if (i.header('x-fail') !== undefined) i.fail(i.header('x-fail') ?? '', JSON.parse(i.header('x-params') ?? 'null') as null);
  else i.fail('cpu_limit_exceeded', { limit: 50, used: 51 });
};

const bad = (stand: Stand, headers: Readonly<Record<string, string>> = {}): Promise<Answer> => call(stand.port, '/', { fn: 'bad', headers });
const standingOf = (stand: Stand): NonNullable<GatewayFigures['standing']> => stand.gateway.dispatcher.strikes.figures();

async function quarantined(stand: Stand): Promise<void> {
  for (let i = 0; i < 5; i++) expect(problemCode(await bad(stand))).toBe('cpu_limit_exceeded');
}

function dieOn(stand: Stand, host: FakeHost, killer: FakeInvocation | undefined, cause: 'crashed' | 'outside' | 'silent' | 'stuck' = 'crashed'): void {
  const ref = (i: FakeInvocation): { epoch: number; sequence: number } => ({ epoch: stand.gateway.epoch, sequence: i.id });
  stand.gateway.hostDied({ host: host.name, pid: PID, onThread: killer === undefined ? null : ref(killer), entered: killer === undefined ? [] : [ref(killer)], cause });
  host.die();
}

test('five kills in a row: 503 at the door with Retry-After and a reason, no host is touched, and others are served', async () => {
  const stand = await useGateway({ functions, hosts: [killing] });
  await quarantined(stand);
  const before = stand.hosts[0]?.invocations.length;
  const answer = await bad(stand);
  expect([answer.status, problemCode(answer), answer.headers['retry-after']]).toEqual([503, 'quarantined', '1']);
  const match = /^quarantined;strikes=5;until=@(\d{10})$/.exec(answer.reason);
  expect(Math.abs(Number(match?.[1]) - Date.now() / 1_000)).toBeLessThan(3);
  expect(stand.hosts[0]?.invocations.length).toBe(before);
  expect((await call(stand.port, '/', { fn: 'good' })).status).toBe(200);
  expect(standingOf(stand)).toMatchObject({ strikes: { cpu_limit_exceeded: 5 }, changes: { quarantined: 1 }, quarantined: 1, functions: [{ function: 'bad', quarantined: true, reason: 'cpu_limit_exceeded', version: 1 }] });
  expect(stand.log.filter((line) => line['change'] === 'quarantined')).toHaveLength(1);
});

test('the refusal comes before the body is read', async () => {
  const stand = await useGateway({ functions, hosts: [killing] });
  await quarantined(stand);
  const { text, closed } = await raw(stand.port, 'POST / HTTP/1.1\r\nhost: x\r\nx-thimble-function: bad\r\ncontent-length: 1000000\r\n\r\n', 2_000);
  expect(text).toMatch(/^HTTP\/1\.1 503 /);
  expect(closed).toBe(true);
});

test('after a second one request is let through: if it is killed the wait doubles, if it runs the function is back', async () => {
  const stand = await useGateway({ functions, hosts: [killing] });
  await quarantined(stand);
  await sleep(1_050);
  expect(problemCode(await bad(stand))).toBe('cpu_limit_exceeded');
  const again = await bad(stand);
  expect([problemCode(again), again.headers['retry-after']]).toEqual(['quarantined', '2']);
  await until(() => standingOf(stand).functions[0]?.probeAtMs !== undefined && (standingOf(stand).functions[0]?.probeAtMs ?? Infinity) <= Date.now(), 4_000);
  expect((await bad(stand, { 'x-behave': '1' })).status).toBe(200);
  expect((await bad(stand, { 'x-behave': '1' })).status).toBe(200);
  expect(standingOf(stand)).toMatchObject({ changes: { quarantined: 2, probed: 2, released: 1 }, quarantined: 0 });
});

test('while a probe is under way all others are refused; a client that takes it away shows nothing', async () => {
  const held: FakeInvocation[] = [];
  const stand = await useGateway({ functions, hosts: [(i) => (i.header('x-hold') === undefined ? killing(i) : void held.push(i))] });
  await quarantined(stand);
  await sleep(1_050);
  const controller = new AbortController();
  const gone = fetch(`http://127.0.0.1:${stand.port}/`, { headers: { 'x-thimble-function': 'bad', 'x-hold': '1' }, signal: controller.signal }).catch(() => 'gone');
  await until(() => held.length === 1);
  expect(problemCode(await bad(stand, { 'x-behave': '1' }))).toBe('quarantined');
  const cancelled = new Promise<void>((resolve) => { if (held[0] !== undefined) held[0].onCancel = (): void => resolve(); });
  controller.abort();
  expect(await gone).toBe('gone');
  await cancelled;
  // It never got any CPU time: not entered.
  held[0]?.raw([FRAME.done, held[0].id, 0]);
  await until(() => stand.gateway.dispatcher.activeCount === 0);
  expect(standingOf(stand).quarantined).toBe(1);
  expect((await bad(stand, { 'x-behave': '1' })).status).toBe(200);
  expect(standingOf(stand).quarantined).toBe(0);
});

test.each([
  ['function_threw', 'null'], ['bad_response', '{"why":"x"}'], ['isolate_lost', '{"entered":true}'], ['wall_limit_exceeded', '{"limit":1}'], ['overloaded', 'null'], ['unavailable', '{"part":"x"}'],
])('%s is no strike', async (code, params) => {
  const stand = await useGateway({ functions, hosts: [killing] });
  for (let i = 0; i < 12; i++) await call(stand.port, '/', { fn: 'bad', method: 'POST', headers: { 'x-fail': code, 'x-params': params } });
  expect(standingOf(stand)).toMatchObject({ strikes: {}, functions: [] });
});

test.each([['memory_limit_exceeded', '{"limit":64,"used":64}'], ['function_threw', '{"start":true}']])('%s %s is one', async (code, params) => {
  const stand = await useGateway({ functions, hosts: [killing] });
  for (let i = 0; i < 5; i++) expect(problemCode(await bad(stand, { 'x-fail': code, 'x-params': params }))).toBe(code);
  expect(problemCode(await bad(stand))).toBe('quarantined');
});

test('a client cannot bring a function into quarantine by going away, by too large bodies, or by too many requests', async () => {
  const stand = await useGateway({ functions: [routeFunction('bad', { limits: { bodyBytes: 10, rps: 5 } })], hosts: [reflect] });
  for (let i = 0; i < 10; i++) {
    await call(stand.port, '/', { fn: 'bad', method: 'POST', body: 'x'.repeat(100) });
    await fetch(`http://127.0.0.1:${stand.port}/`, { headers: { 'x-thimble-function': 'bad' }, signal: AbortSignal.timeout(1) }).catch(() => {});
    await bad(stand);
  }
  expect(standingOf(stand)).toMatchObject({ strikes: {}, functions: [] });
});

test('what waits in line is answered, and what a host has not begun comes back, when the quarantine begins', async () => {
  const running: FakeInvocation[] = [];
  const stand = await useGateway({ functions: [routeFunction('bad', { limits: { concurrency: 8, wallMs: 20_000 } })], hosts: [(i) => {
    running.push(i);
    // The last of the first eight has begun.
    if (running.length !== 8) i.onCancel = (code): void => { if (code === RECALL) i.raw([FRAME.fail, i.id, 'isolate_lost', { entered: false }, 0, null, null]); };
  }] });
  const answers = Array.from({ length: 12 }, () => call(stand.port, '/', { fn: 'bad', method: 'POST' }));
  await until(() => running.length === 8 && stand.gateway.dispatcher.queued === 4);
  // One after the other, as a host kills: each slot lets another in.
  for (let at = 0; at < 5; at++) {
    running[at]?.fail('cpu_limit_exceeded', { limit: 50, used: 50 });
    await sleep(20);
  }
  // It goes on to its end.
  running[7]?.respond(200, [], 'done');
  const codes = (await Promise.all(answers)).map((answer) => (answer.status === 200 ? 'ok' : problemCode(answer))).toSorted();
  expect(codes).toEqual([...Array<string>(5).fill('cpu_limit_exceeded'), 'ok', ...Array<string>(6).fill('quarantined')]);
  expect([stand.gateway.dispatcher.inFlight, stand.gateway.dispatcher.queued, stand.gateway.dispatcher.activeCount]).toEqual([0, 0, 0]);
});

test('traffic to another version: the next request is a probe', async () => {
  const stand = await useGateway({ functions, preWarm: true, hosts: [(i) => (i.target.version === 2 ? reflect(i) : killing(i))] });
  await quarantined(stand);
  expect(problemCode(await bad(stand))).toBe('quarantined');
  const [fn] = functions;
  if (fn === undefined) throw new Error('no function');
  stand.control.push([{ ...fn, traffic: { rules: [], split: [{ version: 2, weight: 100 }] } }]);
  await until(() => stand.gateway.table.revision === stand.control.table.revision);
  // It is not even started before that.
  expect([...(stand.hosts[0]?.targets.values() ?? [])].filter((target) => target.version === 2)).toEqual([]);
  expect((await bad(stand)).status).toBe(200);
  expect(standingOf(stand)).toMatchObject({ quarantined: 0, changes: { changed: 1, released: 1 } });
});

test('a change that is no cure changes nothing', async () => {
  const stand = await useGateway({ functions, hosts: [killing] });
  await quarantined(stand);
  const [fn] = functions;
  if (fn === undefined) throw new Error('no function');
  stand.control.push([{ ...fn, tenant: 'other' }]);
  await until(() => stand.gateway.table.revision === stand.control.table.revision);
  expect(problemCode(await bad(stand))).toBe('quarantined');
});

test('a function that kills its host runs on a penalty host next; the others never leave theirs', async () => {
  const running: FakeInvocation[] = [];
  const stand = await useGateway({ functions });
  const first = await stand.addHost('host-1', (i) => (i.header('x-die') === undefined ? reflect(i) : void running.push(i)));
  const dying = bad(stand, { 'x-die': '1' });
  await until(() => running.length === 1);
  const sibling = call(stand.port, '/', { fn: 'bad', headers: { 'x-die': '1' } });
  await until(() => running.length === 2);
  const second = await stand.addHost('host-2', reflect);
  dieOn(stand, first, running[0]);
  expect(problemCode(await dying)).toBe('host_lost');
  // Neither the one beside it nor the next goes to an ordinary host.
  const next = bad(stand);
  await until(() => stand.gateway.dispatcher.parked('penalty') === 2);
  expect(stand.wishes).toContain(true);
  const penalty = await stand.addHost('penalty-1', reflect);
  expect([(await sibling).status, (await next).status]).toEqual([200, 200]);
  expect((await call(stand.port, '/', { fn: 'good' })).status).toBe(200);
  expect(penalty.invocations.map(({ target }) => target.function)).toEqual(['bad', 'bad']);
  expect(second.invocations.map(({ target }) => target.function)).toEqual(['good']);
  expect(standingOf(stand)).toMatchObject({ strikes: { host_lost: 1 }, changes: { penalised: 1 }, penalised: 1, quarantined: 0 });
});

test('the killer is found even if it had been answered, or its client had gone', async () => {
  for (const how of ['answered', 'client gone'] as const) {
    const stand = await useGateway({ functions });
    const running: FakeInvocation[] = [];
    const host = await stand.addHost('host-1', (i) => {
      running.push(i);
      if (how === 'answered') i.respond(200, [], 'early', { final: false });
    });
    const controller = new AbortController();
    const answering = fetch(`http://127.0.0.1:${stand.port}/`, { headers: { 'x-thimble-function': 'bad' }, signal: controller.signal }).then(async (r) => r.text(), () => 'gone');
    await until(() => running.length === 1);
    if (how === 'client gone') controller.abort();
    expect(await answering).toBe(how === 'answered' ? 'early' : 'gone');
    dieOn(stand, host, running[0]);
    await until(() => standingOf(stand).penalised === 1);
  }
});

test.each(['outside', 'silent'] as const)('a host that died of something else (%s) is a strike and no more', async (cause) => {
  const stand = await useGateway({ functions });
  const running: FakeInvocation[] = [];
  const host = await stand.addHost('host-1', (i) => running.push(i));
  const answering = bad(stand);
  await until(() => running.length === 1);
  dieOn(stand, host, running[0], cause);
  expect(problemCode(await answering)).toBe('host_lost');
  expect(standingOf(stand)).toMatchObject({ strikes: { host_lost: 1 }, changes: {}, penalised: 0, functions: [{ strikes: 1 }] });
});

test('one that kills its penalty host too is quarantined at once, for longer', async () => {
  const stand = await useGateway({ functions });
  const running: FakeInvocation[] = [];
  for (const [n, name] of ['host-1', 'penalty-1'].entries()) {
    const host = await stand.addHost(name, (i) => running.push(i));
    const answering = bad(stand);
    await until(() => running.length === n + 1);
    dieOn(stand, host, running[n], 'stuck');
    expect(problemCode(await answering)).toBe('host_lost');
  }
  await stand.addHost('penalty-1', reflect);
  const answer = await bad(stand);
  expect([problemCode(answer), answer.headers['retry-after']]).toEqual(['quarantined', '8']);
});

test('penalty hosts of each tier take the functions of their own tier', async () => {
  const stand = await useGateway({ functions: [routeFunction('bad', { tier: 'lab' })] });
  const running: FakeInvocation[] = [];
  const host = await stand.addHost('lab.host-1', (i) => running.push(i));
  await stand.addHost('penalty-1', reflect);
  const answering = bad(stand);
  await until(() => running.length === 1);
  dieOn(stand, host, running[0]);
  await answering;
  const next = bad(stand);
  await until(() => stand.gateway.dispatcher.parked('lab.penalty') === 1);
  const penalty = await stand.addHost('lab.penalty-1', reflect);
  expect((await next).status).toBe(200);
  expect(penalty.invocations).toHaveLength(1);
});

test('a function that was deleted and made anew begins clean', async () => {
  const stand = await useGateway({ functions, hosts: [killing] });
  await quarantined(stand);
  stand.control.push([], ['bad']);
  await until(() => stand.gateway.table.get('bad') === undefined);
  await until(() => standingOf(stand).functions.length === 0);
  const [fn] = functions;
  if (fn === undefined) throw new Error('no function');
  stand.control.push([fn]);
  await until(() => stand.gateway.table.get('bad') !== undefined);
  expect((await bad(stand, { 'x-behave': '1' })).status).toBe(200);
});

test('figures and the function\'s own log reach the control plane', async () => {
  const stand = await useGateway({ functions, hosts: [killing] });
  await quarantined(stand);
  await expect.poll(() => stand.control.figures.at(-1)?.standing?.quarantined, { timeout: 3_000 }).toBe(1);
  const own = (): unknown[] => stand.control.logs.filter(([, , , , , message]) => message.startsWith('quarantined after 5 strikes')).map((row) => row.slice(1, 4));
  await expect.poll(own, { timeout: 3_000 }).toEqual([['error', 'bad', 1]]);
});

/** Speaks to the gateway's socket as another process of the node. */
async function useInvoker(stand: Stand, role: 'control' | 'host'): Promise<{ readonly frames: Frame[]; readonly closed: () => boolean; readonly send: (frame: Frame) => void }> {
  const frames: Frame[] = [];
  let closed = false;
  let peer: ReconnectingPeer | undefined;
  await new Promise<void>((resolve) => {
    peer = new ReconnectingPeer(stand.hostSocket, { self: { role, name: role === 'control' ? 'control' : 'host-9', epoch: 5 }, accepts: ['gateway'] }, {
      onOpen: () => setTimeout(resolve, 10), onFrame: (frame) => frames.push(frame), onClose: () => { closed = true; },
    });
  });
  return { frames, closed: () => closed, send: (frame) => peer?.connection?.send(frame) };
}

test('an operator\'s pardon ends it at once; only the control plane may bring it', async () => {
  const stand = await useGateway({ functions, hosts: [killing] });
  await quarantined(stand);
  const host = await useInvoker(stand, 'host');
  host.send([FRAME.pardon, 1, 'bad']);
  await until(() => host.closed());
  expect(problemCode(await bad(stand))).toBe('quarantined');
  const control = await useInvoker(stand, 'control');
  control.send([FRAME.pardon, 1, 'nobody']);
  control.send([FRAME.pardon, 2, 'bad']);
  await until(() => control.frames.length === 2);
  expect(control.frames).toEqual([[FRAME.fail, 1, 'not_found', { what: 'function nobody' }, 0, null, null], [FRAME.done, 2, 0]]);
  expect((await bad(stand, { 'x-behave': '1' })).status).toBe(200);
  expect(standingOf(stand)).toMatchObject({ changes: { pardoned: 1 }, functions: [] });
});

test('events are refused as requests are', async () => {
  const stand = await useGateway({ functions, hosts: [killing] });
  await quarantined(stand);
  const control = await useInvoker(stand, 'control');
  control.send([FRAME.event, 1, 'bad', 0, 'scheduled', '{}', '']);
  await until(() => control.frames.length === 1);
  expect(control.frames[0]?.slice(0, 3)).toEqual([FRAME.outcome, 1, 503]);
  expect(String(control.frames[0]?.[7])).toMatch(/^quarantined;strikes=5;until=@\d+$/);
});
