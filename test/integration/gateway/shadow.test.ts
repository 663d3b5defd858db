// Shadow traffic in a gateway between fake hosts: when a request is repeated, what goes where, what is counted, and what live requests notice of it: nothing.
import { expect, test } from 'vitest';
import type { RouteFunction } from '../../../core/routing/index.ts';
import { BODY } from '../../../core/protocol/index.ts';
import { MAX_OPEN, MAX_RUNNING } from '../../../gateway/shadow/shadows.ts';
import { reflect, routeFunction } from '../../support/gateway-fakes.ts';
import type { FakeControl, Script } from '../../support/gateway-fakes.ts';
import { call, openSocket, sleep, until as untilWithin, useGateway } from '../../support/gateway-stand.ts';
import type { Stand } from '../../support/gateway-stand.ts';

/** Comparisons are the last to get a core: on a machine that is short of them they take their time. */
const until = (check: () => boolean): Promise<void> => untilWithin(check, 15_000);

const SINCE = '2026-01-01T00:00:00.000Z';

/** Version 1 is live, version 2 the shadow. */
function shadowed(shadow: Readonly<Record<string, unknown>> = {}, settings: Readonly<Record<string, unknown>> = {}): RouteFunction {
  return routeFunction('card', { versions: { 1: 'sha256-1', 2: 'sha256-2', 3: 'sha256-3' }, shadow: { version: 2, since: SINCE, ...shadow }, ...settings });
}

const json = (value: unknown, type = 'application/json'): Script => (i) => i.respond(200, [['content-type', type]], JSON.stringify(value));

interface Sum {
  mirrored: number; equal: number; different: number; incomparable: number; failed: [number, number];
  lost: Record<string, number>; skipped: Record<string, number>; dropped: Record<string, number>; differences: Record<string, unknown>[];
}

function sum(control: FakeControl, since = SINCE): Sum {
  const all: Sum = { mirrored: 0, equal: 0, different: 0, incomparable: 0, failed: [0, 0], lost: {}, skipped: {}, dropped: {}, differences: [] };
  for (const row of control.shadows) {
    if (row.since !== since) continue;
    for (const key of ['mirrored', 'equal', 'different', 'incomparable'] as const) all[key] += row[key];
    all.failed[0] += row.failed.live;
    all.failed[1] += row.failed.shadow;
    for (const key of ['lost', 'skipped', 'dropped'] as const) for (const [reason, n] of Object.entries(row[key])) all[key][reason] = (all[key][reason] ?? 0) + n;
    all.differences.push(...row.differences);
  }
  return all;
}

const ask = (stand: Stand, path = '/', options: Parameters<typeof call>[2] = {}): ReturnType<typeof call> => call(stand.port, path, { fn: 'card', ...options });

/** Asks until the shadow has got `count` more: this process is client, gateway and hosts, and may well look busy to itself. */
async function repeat(stand: Stand, host: { readonly invocations: readonly unknown[] }, count = 1, path = '/', options: Parameters<typeof call>[2] = {}): Promise<void> {
  const wanted = host.invocations.length + count;
  await expect.poll(async () => {
    await ask(stand, path, options);
    await sleep(5);
    return host.invocations.length;
  }, { timeout: 15_000, interval: 20 }).toBeGreaterThanOrEqual(wanted);
}

test('the answer is out before the shadow starts, and does not wait for one that never answers', async () => {
  const order: string[] = [];
  const stand = await useGateway({ functions: [shadowed()], hosts: [(i) => {
    order.push('live');
    json({ a: 1 })(i);
  }] });
  const shadow = await stand.addHost('shadow-1', () => order.push('shadow'));
  await repeat(stand, shadow);
  for (let n = 0; n < 5; n++) {
    const answer = await ask(stand);
    order.push('answered');
    expect([answer.status, answer.body.toString(), answer.headers['x-thimble-version']]).toEqual([200, '{"a":1}', '1']);
  }
  expect(order.slice(0, 2)).toEqual(['live', 'shadow']);
  // Whatever the shadow holds counts for nothing that callers wait for.
  expect([stand.gateway.dispatcher.inFlight, stand.gateway.dispatcher.activeCount, stand.gateway.dispatcher.queued]).toEqual([0, 0, 0]);
  expect(stand.hosts[0]?.invocations.every(({ target }) => target.version === 1 && !target.shadow)).toBe(true);
  expect(shadow.invocations.every(({ target }) => target.version === 2 && target.shadow)).toBe(true);
});

test('the same request is repeated: method, address, headers and body; and only the answers are compared', async () => {
  const stand = await useGateway({ functions: [shadowed({ methods: ['GET', 'POST'] })], hosts: [reflect] });
  const shadow = await stand.addHost('shadow-1', (i) => i.respond(200, [['content-type', 'application/json']], JSON.stringify({ url: i.url, method: i.method, body: i.text })));
  await repeat(stand, shadow, 1, '/a?token=abc&b=1', { method: 'POST', headers: { 'x-own': 'v', cookie: 'uid=7' }, body: 'hello' });
  const [live, repeated] = [stand.hosts[0]?.invocations.at(-1), shadow.invocations.at(-1)];
  expect([repeated?.method, repeated?.url, repeated?.text]).toEqual(['POST', live?.url, 'hello']);
  expect(repeated?.headers.map(([name]) => name)).toEqual(live?.headers.map(([name]) => name));
  expect(repeated?.header('cookie')).toBe('uid=7');
  expect(repeated?.id).not.toBe(live?.id);
  await until(() => sum(stand.control).differences.length > 0);
  const text = JSON.stringify(stand.control.shadows);
  expect(sum(stand.control).differences.map(({ path }) => path)).toContain('/a?token=…&b=…');
  expect(text).not.toContain('abc');
  expect(text).not.toContain('uid=7');
});

test('what is repeated: the methods that are named, traffic\'s requests, bodies that are small', async () => {
  const stand = await useGateway({ functions: [shadowed()], hosts: [reflect] });
  const shadow = await stand.addHost('shadow-1', json(1));
  await repeat(stand, shadow);
  const before = shadow.invocations.length;
  await ask(stand, '/', { method: 'POST', body: 'x' });
  await ask(stand, '/', { method: 'DELETE' });
  // By its number, a version is asked for itself.
  await call(stand.port, '/', { headers: { host: 'v3--card.localhost' } });
  await call(stand.port, '/', { headers: { host: 'v2--card.localhost' } });
  await sleep(50);
  expect(shadow.invocations).toHaveLength(before);
  await until(() => sum(stand.control).skipped['method'] === 2);
  stand.control.push([shadowed({ methods: ['POST'], since: '2026-01-02T00:00:00.000Z' })]);
  await until(() => stand.control.applied.includes(2));
  await repeat(stand, shadow, 1, '/', { method: 'POST', body: 'x'.repeat(60_000) });
  await ask(stand, '/', { method: 'POST', body: 'x'.repeat(70_000) });
  await until(() => sum(stand.control, '2026-01-02T00:00:00.000Z').skipped['request_body'] === 1);
  expect(shadow.invocations.at(-1)?.text).toHaveLength(60_000);
  // Everything that was held has been let go.
  await until(() => stand.gateway.shadows.open === 0);
  expect(stand.gateway.shadows.heldBytes).toBe(0);
});

test('no share, no copy: at 0 percent nothing is repeated, and a version that answers itself is not either', async () => {
  const stand = await useGateway({ functions: [shadowed({ percent: 0 }), routeFunction('own', { versions: { 1: 'sha256-1' }, shadow: { version: 1, since: SINCE } })], hosts: [reflect] });
  const shadow = await stand.addHost('shadow-1', reflect);
  for (let n = 0; n < 20; n++) expect([(await ask(stand)).status, (await call(stand.port, '/', { fn: 'own' })).status]).toEqual([200, 200]);
  await sleep(50);
  expect([shadow.invocations.length, stand.gateway.shadows.open]).toEqual([0, 0]);
});

test('streams go to the client as they are: event streams are skipped, long answers are compared whole', async () => {
  const chunk = new Uint8Array(50_000).fill(97);
  const stream = (type: string, chunks: number): Script => (i) => {
    i.stream(200, [['content-type', type]]);
    void (async () => {
      for (let n = 0; n < chunks; n++) await i.chunk(chunk);
      i.end();
    })();
  };
  const script: Script = (i) => (i.path === '/events' ? stream('text/event-stream', 2)(i) : stream('application/octet-stream', i.path === '/long' && i.target.shadow ? 4 : 5)(i));
  const stand = await useGateway({ functions: [shadowed()], hosts: [script] });
  const shadow = await stand.addHost('shadow-1', script);
  await repeat(stand, shadow, 1, '/same');
  await repeat(stand, shadow, 1, '/long');
  const live = await ask(stand, '/same');
  expect(live.body.length).toBe(250_000);
  const paths = shadow.invocations.length;
  expect((await ask(stand, '/events')).body.length).toBe(100_000);
  await until(() => (sum(stand.control).skipped['stream'] ?? 0) > 0);
  await until(() => stand.gateway.shadows.open === 0);
  expect(shadow.invocations.slice(paths).some(({ path }) => path === '/events')).toBe(false);
  await until(() => sum(stand.control).equal > 0 && sum(stand.control).different > 0);
  // The client has all of its answer but the end: as far as the shadow goes, nothing has happened yet.
  let finish = (): void => {};
  if (stand.hosts[0] !== undefined) stand.hosts[0].script = (i) => {
    i.stream(200, [['content-type', 'text/plain']]);
    void i.chunk(chunk);
    finish = () => i.end();
  };
  const socket = openSocket(stand.port);
  let received = 0;
  socket.on('data', (bytes) => { received += bytes.length; });
  socket.write('GET /half HTTP/1.1\r\nhost: x\r\nx-thimble-function: card\r\n\r\n');
  await until(() => received > 50_000);
  await sleep(20);
  expect(shadow.invocations.some(({ path }) => path === '/half')).toBe(false);
  finish();
  await until(() => shadow.invocations.some(({ path }) => path === '/half') || (sum(stand.control).dropped['busy'] ?? 0) > 0);
  await until(() => stand.gateway.shadows.open === 0);
  expect(sum(stand.control).differences[0]).toMatchObject({ kind: 'body', at: '', live: '250000 bytes', shadow: '200000 bytes', path: '/long' });
  expect(stand.gateway.shadows.heldBytes).toBe(0);
});

test('each outcome is counted once, with where the answers differ and what both took', async () => {
  const stand = await useGateway({ functions: [shadowed({ headers: ['content-type', 'x-kind'], ignore: ['/at'] })], hosts: [(i) => {
    if (i.path === '/fails') i.fail('function_threw');
    else i.respond(200, [['content-type', 'application/json'], ['x-kind', 'a']], JSON.stringify({ at: 1, b: { c: 1 } }), { cpuUs: 4_000 });
  }] });
  const shadow = await stand.addHost('shadow-1', (i) => {
    if (i.path === '/same') i.respond(200, [['x-kind', 'a'], ['content-type', 'application/json']], JSON.stringify({ b: { c: 1 }, at: 2 }), { cpuUs: 9_000, cold: [1, 2, 3, 4] });
    else if (i.path === '/header') i.respond(200, [['x-kind', 'b'], ['content-type', 'application/json']], JSON.stringify({ b: { c: 2 }, at: 2 }));
    else if (i.path === '/threw') i.fail('function_threw');
    else if (i.path === '/killed') i.fail('cpu_limit_exceeded', { limit: 50, used: 51 });
    else if (i.path === '/busy') i.fail('overloaded', { what: 'x' });
    else json({})(i);
  });
  for (const path of ['/same', '/header', '/threw', '/killed', '/busy', '/fails']) await repeat(stand, shadow, 1, path);
  await until(() => {
    const { mirrored, equal, different, lost } = sum(stand.control);
    return mirrored === shadow.invocations.length && mirrored === equal + different + (lost['overloaded'] ?? 0);
  });
  const total = sum(stand.control);
  const of = (path: string): number => shadow.invocations.filter((i) => i.path === path).length;
  expect([total.equal, total.different, total.lost]).toEqual([of('/same'), of('/header') + of('/threw') + of('/killed') + of('/fails'), { overloaded: of('/busy') }]);
  expect(total.failed).toEqual([of('/fails'), of('/threw') + of('/killed')]);
  const first = (path: string): unknown[] => total.differences.filter((one) => one['path'] === path).map(({ kind, at, live, shadow: other }) => [kind, at, live, other]);
  expect(first('/header').slice(0, 2)).toEqual([['header', 'x-kind', 'a', 'b'], ['body', '/b/c', '1', '2']]);
  expect(first('/threw')[0]).toEqual(['status', '', '200', '500 function_threw']);
  expect(first('/killed')[0]).toEqual(['status', '', '200', '503 cpu_limit_exceeded']);
  expect(first('/fails')[0]).toEqual(['status', '', '500', '200']);
  expect(total.differences[0]).toMatchObject({ method: 'GET', version: 1 });
  const rows = stand.control.shadows;
  expect(rows.reduce((n, row) => n + row.shadow.coldStarts, 0)).toBe(of('/same'));
  expect(rows.some((row) => row.live.cpuUs.length > 0 && row.live.wallUs.length > 0 && row.shadow.cpuUs.length > 0 && row.shadow.wallUs.length > 0)).toBe(true);
  // Production's figures know nothing of it: nor do its strikes and the lines of its requests.
  await until(() => Object.values(stand.control.count('card', 1).statuses).reduce((a, b) => a + b, 0) === stand.hosts[0]?.invocations.length);
  expect(stand.control.count('card', 2).statuses).toEqual({});
  expect(stand.log.filter((line) => line['msg'] === 'request failed' && line['version'] === 2)).toEqual([]);
});

test('a shadow that is killed again and again rests by itself; its live version does not', async () => {
  const stand = await useGateway({ functions: [shadowed()], hosts: [json(1)] });
  const shadow = await stand.addHost('shadow-1', (i) => i.fail('cpu_limit_exceeded', { limit: 50, used: 51 }));
  await repeat(stand, shadow, 5);
  await expect.poll(async () => {
    expect((await ask(stand)).status).toBe(200);
    await sleep(30);
    return sum(stand.control).dropped['quarantined'] ?? 0;
  }, { timeout: 15_000 }).toBeGreaterThan(0);
  expect(stand.gateway.table.get('card')?.gate.standing).toBeNull();
  expect(stand.gateway.dispatcher.strikes.figures().functions).toEqual([]);
  const rows = stand.control.logs.filter((row) => row[2] === 'card');
  expect(rows.length).toBeGreaterThan(0);
  expect(rows.every((row) => row[3] === 2 && (JSON.parse(row[6] ?? '{}') as { shadow?: boolean }).shadow === true)).toBe(true);
});

test('a shadow that kills its host rests; whoever else was on that host is not blamed, and no live request is touched', async () => {
  const other = routeFunction('other', { versions: { 1: 'sha256-1', 2: 'sha256-2' }, shadow: { version: 2, since: SINCE } });
  const stand = await useGateway({ functions: [shadowed(), other], hosts: [json(1)] });
  const shadow = await stand.addHost('shadow-1', () => {});
  await repeat(stand, shadow);
  const killer = shadow.invocations.at(-1);
  await expect.poll(async () => {
    await call(stand.port, '/', { fn: 'other' });
    return shadow.invocations.some(({ target }) => target.function === 'other');
  }, { timeout: 15_000 }).toBe(true);
  shadow.die();
  const at = { epoch: stand.gateway.epoch, sequence: killer?.id ?? 0 };
  stand.gateway.hostDied({ host: 'shadow-1', pid: process.pid, onThread: at, entered: shadow.invocations.map(({ id }) => ({ epoch: stand.gateway.epoch, sequence: id })), cause: 'crashed' });
  await until(() => stand.control.shadows.some((row) => row.function === 'other' && (row.lost['host_lost'] ?? 0) > 0));
  expect(sum(stand.control).differences.some((one) => one['shadow'] === '502 host_lost')).toBe(true);
  expect(stand.gateway.shadows.dispatcher.strikes.figures().functions.map(({ function: name, quarantined, penaltyUntilMs }) => [name, quarantined, penaltyUntilMs])).toEqual([['card', true, null]]);
  expect(stand.gateway.dispatcher.strikes.figures().functions).toEqual([]);
  for (let n = 0; n < 5; n++) expect((await ask(stand)).status).toBe(200);
});

test('shadows wait for a host that is asked for, and so many at once are all there are', async () => {
  const stand = await useGateway({ functions: [shadowed()], hosts: [json(1)] });
  await expect.poll(async () => {
    await ask(stand);
    return stand.gateway.shadows.dispatcher.parked('shadow');
  }, { timeout: 15_000 }).toBeGreaterThan(0);
  expect(stand.wishes).toContain(true);
  const answers = await Promise.all(Array.from({ length: 300 }, () => ask(stand)));
  expect(answers.every(({ status }) => status === 200)).toBe(true);
  await until(() => Object.values(sum(stand.control).dropped).reduce((a, b) => a + b, 0) > 0);
  // One function takes two thirds of the places (fair-share.ts).
  expect(stand.gateway.shadows.dispatcher.activeCount).toBeLessThanOrEqual((MAX_RUNNING * 2) / 3 + 1);
  expect(stand.gateway.shadows.open).toBeLessThanOrEqual((MAX_OPEN * 2) / 3 + 1);
  const shadow = await stand.addHost('shadow-1', json(1));
  await until(() => stand.gateway.shadows.open === 0);
  expect(shadow.invocations.length).toBeGreaterThan(0);
  expect(stand.gateway.shadows.heldBytes).toBe(0);
});

test('a node that is busy repeats nothing', async () => {
  const stand = await useGateway({ functions: [shadowed({}, { limits: { concurrency: 1 } }), routeFunction('slow', { limits: { concurrency: 1 } })], hosts: [(i) => {
    if (i.target.function === 'slow') return;
    json(1)(i);
  }] });
  const shadow = await stand.addHost('shadow-1', json(1));
  await repeat(stand, shadow);
  // One runs, one waits for its place: live work has to wait, so shadows go without.
  const waiting = [call(stand.port, '/', { fn: 'slow' }), call(stand.port, '/', { fn: 'slow' })];
  await until(() => stand.gateway.dispatcher.queued === 1);
  await until(() => stand.gateway.shadows.open === 0);
  const before = shadow.invocations.length;
  const dropped = sum(stand.control).dropped['busy'] ?? 0;
  for (let n = 0; n < 10; n++) expect((await ask(stand)).status).toBe(200);
  await until(() => (sum(stand.control).dropped['busy'] ?? 0) >= dropped + 10);
  expect(shadow.invocations).toHaveLength(before);
  for (const invocation of stand.hosts[0]?.invocations ?? []) if (invocation.target.function === 'slow') json(1)(invocation);
  await until(() => stand.hosts[0]?.invocations.filter(({ target }) => target.function === 'slow').length === 2);
  const last = stand.hosts[0]?.invocations.at(-1);
  if (last !== undefined) json(1)(last);
  await Promise.all(waiting);
});

test('the counts begin anew with other settings, hosts forget the version, and what is under way counts for nothing', async () => {
  const stand = await useGateway({ functions: [shadowed()], hosts: [json(1)] });
  const shadow = await stand.addHost('shadow-1', () => {});
  await repeat(stand, shadow);
  await until(() => sum(stand.control).mirrored > 0);
  const next = '2026-02-01T00:00:00.000Z';
  stand.control.push([shadowed({ version: 3, since: next })]);
  await until(() => stand.control.applied.includes(2));
  const hanging = shadow.invocations.slice();
  // They are called back, so that they take nobody's place.
  await until(() => hanging.every(({ cancelled }) => cancelled === 'client_gone'));
  expect([stand.gateway.shadows.open, stand.gateway.shadows.heldBytes]).toEqual([0, 0]);
  shadow.script = json(1);
  for (const invocation of hanging) json(2)(invocation);
  await until(() => stand.gateway.shadows.dispatcher.activeCount === 0);
  await repeat(stand, shadow);
  await until(() => sum(stand.control, next).equal > 0);
  expect([sum(stand.control, next).different, sum(stand.control).different]).toEqual([0, 0]);
  expect(shadow.invocations.at(-1)?.target.version).toBe(3);
  await until(() => shadow.forgotten.some(({ version }) => version === 2));
  stand.control.push([routeFunction('card', { versions: { 1: 'sha256-1' } })]);
  await until(() => shadow.forgotten.some(({ version }) => version === 3));
  const count = shadow.invocations.length;
  await ask(stand);
  await sleep(50);
  expect([shadow.invocations.length, stand.gateway.shadows.open, stand.gateway.shadows.heldBytes]).toEqual([count, 0, 0]);
});

test('other settings of the function leave the counts, and reach the shadow\'s hosts', async () => {
  const stand = await useGateway({ functions: [shadowed()], hosts: [json(1)] });
  const shadow = await stand.addHost('shadow-1', json(1));
  await repeat(stand, shadow);
  stand.control.push([shadowed({}, { limits: { memoryMb: 99 } })]);
  await until(() => stand.control.applied.includes(2));
  await repeat(stand, shadow);
  expect(shadow.invocations.at(-1)?.target.memoryMb).toBe(99);
  await until(() => sum(stand.control).equal === shadow.invocations.length);
  expect(shadow.forgotten).toHaveLength(1);
});

test('a client that leaves, or a live answer that fails half way, is not repeated', async () => {
  const stand = await useGateway({ functions: [shadowed()], hosts: [(i) => {
    if (i.path !== '/breaks') return json(1)(i);
    i.stream(200, [['content-type', 'text/plain']]);
    void i.chunk(new Uint8Array(10)).then(() => i.fail('function_threw'));
  }] });
  const shadow = await stand.addHost('shadow-1', json(1));
  await repeat(stand, shadow);
  await ask(stand, '/breaks').catch(() => {});
  await until(() => sum(stand.control).skipped['client_gone'] === 1);
  expect(shadow.invocations.some(({ path }) => path === '/breaks')).toBe(false);
  await until(() => stand.gateway.shadows.open === 0);
  expect(stand.gateway.shadows.heldBytes).toBe(0);
});

test('a fallback is no answer of either side: the live one is not compared, the shadow\'s failure is not covered by it', async () => {
  const fallback = { on: ['error'], static: { status: 200, headers: { 'content-type': 'application/json' }, body: '{"a":1}' }, lastGood: { ttlMs: 60_000 } };
  const stand = await useGateway({ functions: [shadowed({}, { fallback })], hosts: [(i) => (i.path === '/fails' ? i.fail('function_threw') : json({ a: 1 })(i))] });
  const shadow = await stand.addHost('shadow-1', (i) => i.fail('function_threw'));
  await repeat(stand, shadow, 1, '/good');
  const answer = await ask(stand, '/fails');
  expect([answer.status, answer.headers['x-thimble-fallback']]).toEqual([200, 'static;code=function_threw']);
  await until(() => sum(stand.control).skipped['not_served'] === 1 && sum(stand.control).different === shadow.invocations.length);
  expect(shadow.invocations.every(({ path }) => path === '/good')).toBe(true);
  expect(sum(stand.control).differences[0]).toMatchObject({ kind: 'status', live: '200', shadow: '500 function_threw' });
});

test('a drain does not wait for shadows', async () => {
  const stand = await useGateway({ functions: [shadowed()], hosts: [json(1)] });
  const shadow = await stand.addHost('shadow-1', () => {});
  await repeat(stand, shadow);
  const begun = performance.now();
  await stand.gateway.drain(20_000);
  expect(performance.now() - begun).toBeLessThan(10_000);
  expect(shadow.invocations.every(({ mode }) => mode === BODY.none)).toBe(true);
});
