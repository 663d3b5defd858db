// An operator's switches at the gateway: a killed function gets nothing, a forced version everything; both act on what waits and what comes.
import { describe, expect, test } from 'vitest';
import type { RouteFunction } from '../../../core/routing/index.ts';
import { reflect, routeFunction } from '../../support/gateway-fakes.ts';
import type { FakeInvocation, Script } from '../../support/gateway-fakes.ts';
import { call, problemCode, tempFolder, until, useGateway } from '../../support/gateway-stand.ts';
import type { Answer, Stand } from '../../support/gateway-stand.ts';
import { useInvoker } from '../../support/gateway-invoker.ts';

const STATIC = { fallback: { static: { status: 200, headers: { 'content-type': 'application/json' }, body: '{"cards":[]}' } } };
const TWO = { versions: { 1: 'd1', 2: 'd2' } };

/** Answers never; what it has is in `held`. */
function holding(): { readonly held: FakeInvocation[]; readonly script: Script } {
  const held: FakeInvocation[] = [];
  return { held, script: (i) => void held.push(i) };
}

/** Applies a change as the control plane sends it, and waits until the gateway says so. */
async function push(stand: Stand, fn: RouteFunction): Promise<void> {
  const { revision } = stand.control.push([fn]);
  await until(() => stand.control.applied.includes(revision));
}

const versionOf = (answer: Answer): number => (JSON.parse(answer.text) as { version: number }).version;

describe('a killed function', () => {
  test('gets nothing; callers read switched_off, or its static fallback, marked; a word later it is back', async () => {
    const stand = await useGateway({ functions: [routeFunction('f'), routeFunction('g')], hosts: [reflect] });
    expect((await call(stand.port, '/', { fn: 'f' })).status).toBe(200);
    await push(stand, routeFunction('f', { killed: true }));
    const refused = await call(stand.port, '/', { fn: 'f' });
    expect([refused.status, problemCode(refused), refused.reason, refused.headers['x-thimble-fallback']]).toEqual([503, 'switched_off', 'switched_off', undefined]);
    await push(stand, routeFunction('f', { killed: true, ...STATIC }));
    for (const method of ['GET', 'POST', 'DELETE']) {
      const { status, text, headers, reason } = await call(stand.port, '/any', { fn: 'f', method, ...(method === 'POST' ? { body: '{"args":[]}' } : {}) });
      expect([status, text, headers['content-type'], headers['cache-control'], headers['x-thimble-fallback'], reason]).toEqual([200, '{"cards":[]}', 'application/json', 'no-store', 'static;code=switched_off', 'switched_off']);
    }
    const head = await call(stand.port, '/', { fn: 'f', method: 'HEAD' });
    expect([head.status, head.text, head.headers['content-length']]).toEqual([200, '', '12']);
    expect((await call(stand.port, '/', { fn: 'g' })).status).toBe(200);
    expect(stand.hosts[0]?.invocations.filter((i) => i.target.function === 'f')).toHaveLength(1);
    await push(stand, routeFunction('f', STATIC));
    expect((await call(stand.port, '/', { fn: 'f' })).headers['x-thimble-fallback']).toBeUndefined();
  });

  test('also at the addresses of its versions, and for events', async () => {
    const stand = await useGateway({ functions: [routeFunction('f', { killed: true, ...TWO, ...STATIC })], hosts: [reflect] });
    expect((await call(stand.port, '/', { headers: { host: 'v2--f.localhost' } })).headers['x-thimble-fallback']).toBe('static;code=switched_off');
    const invoker = await useInvoker(stand);
    for (const version of [0, 2]) expect(await invoker.send({ version })).toMatchObject({ status: 503, reason: 'switched_off', body: { code: 'switched_off' } });
    expect(stand.hosts[0]?.invocations).toHaveLength(0);
  });

  test('answers whatever waits or runs at once, and cancels it on its host: 200 in flight, 300 in the line', async () => {
    const { held, script } = holding();
    const stand = await useGateway({ functions: [routeFunction('f', { limits: { concurrency: 200 }, ...STATIC })], hosts: [script] });
    const answers = Promise.all(Array.from({ length: 500 }, () => call(stand.port, '/', { fn: 'f' })));
    await until(() => held.length === 200 && stand.gateway.dispatcher.queued === 300, 10_000);
    const startedAt = performance.now();
    await push(stand, routeFunction('f', { killed: true, limits: { concurrency: 200 }, ...STATIC }));
    // Milliseconds on a machine at rest; what counts is that nothing was waited for.
    expect(performance.now() - startedAt).toBeLessThan(3_000);
    // The host has not answered one of them.
    const all = await answers;
    expect(new Set(all.map(({ status, text, headers }) => `${status} ${text} ${String(headers['x-thimble-fallback'])}`))).toEqual(new Set(['200 {"cards":[]} static;code=switched_off']));
    await until(() => held.every(({ cancelled }) => cancelled === 'switched_off'));
    expect([held.length, stand.gateway.dispatcher.queued]).toEqual([200, 0]);
    for (const one of held) one.fail('internal');
    await until(() => stand.gateway.dispatcher.activeCount === 0 && stand.gateway.dispatcher.inFlight === 0);
  });

  test('that waits for a host, for its body, or for the word about a dead host is answered too; a stream is broken off', async () => {
    const { held, script } = holding();
    const stand = await useGateway({ functions: [routeFunction('f', TWO), routeFunction('w', { limits: { wasm: true } })], hosts: [script] });
    const parked = call(stand.port, '/', { fn: 'w' });
    await until(() => stand.gateway.dispatcher.queued === 1);
    const uploading = call(stand.port, '/', { fn: 'f', method: 'POST', headers: { 'content-length': '50' }, body: (async function* body() { yield Buffer.from('x'); await new Promise(() => {}); })() });
    await until(() => stand.gateway.dispatcher.activeCount === 2);
    const streaming = call(stand.port, '/', { fn: 'f' });
    await until(() => held.length === 1);
    held[0]?.stream(200);
    await held[0]?.chunk(Buffer.from('begun'));
    await until(() => stand.gateway.dispatcher.activeCount === 3);
    stand.control.push([routeFunction('f', { killed: true }), routeFunction('w', { killed: true, limits: { wasm: true } })]);
    expect([problemCode(await parked), problemCode(await uploading)]).toEqual(['switched_off', 'switched_off']);
    const broken = await streaming;
    expect([broken.status, broken.text, broken.complete]).toEqual([200, 'begun', false]);
    await until(() => held[0]?.cancelled === 'switched_off');

    await push(stand, routeFunction('f', TWO));
    const lost = call(stand.port, '/', { fn: 'f', method: 'POST', body: 'x' });
    await until(() => held.length === 2);
    stand.hosts[0]?.die();
    await until(() => stand.log.some(({ msg }) => msg === 'a host is gone'));
    await push(stand, routeFunction('f', { killed: true }));
    expect(problemCode(await lost)).toBe('switched_off');
  });

  test('stays killed with the control plane gone, also when the gateway starts anew', async () => {
    const folder = tempFolder();
    const first = await useGateway({ functions: [routeFunction('f', STATIC)], hosts: [reflect], dataFolder: folder });
    await push(first, routeFunction('f', { killed: true, ...STATIC }));
    first.control.close();
    expect((await call(first.port, '/', { fn: 'f' })).headers['x-thimble-fallback']).toBe('static;code=switched_off');
    for (const host of first.hosts) host.die();
    await first.gateway.drain(0);
    const second = await useGateway({ hosts: [reflect], dataFolder: folder, control: false });
    expect((await call(second.port, '/', { fn: 'f' })).headers['x-thimble-fallback']).toBe('static;code=switched_off');
  });

  test('is not started ahead of calls, and no change before it in the line holds the switch up', async () => {
    const stand = await useGateway({ functions: [routeFunction('f', { keepWarm: 1, killed: true }), routeFunction('g')], hosts: [reflect], preWarm: true });
    const [host] = stand.hosts;
    if (host === undefined) throw new Error('no host');
    // A version that never gets ready: each change that turns traffic to one may wait 150 ms for it.
    host.onWarm = () => {};
    const changes = Array.from({ length: 20 }, (_, i) => routeFunction(`n${i}`));
    const startedAt = performance.now();
    for (const fn of changes) stand.control.push([fn]);
    await push(stand, routeFunction('g', { killed: true }));
    // Twenty waits in turn would be three seconds.
    expect(performance.now() - startedAt).toBeLessThan(2_500);
    expect(problemCode(await call(stand.port, '/', { fn: 'g' }))).toBe('switched_off');
    expect((await call(stand.port, '/', { fn: 'n19' })).status).toBe(200);
    expect(host.warmed.filter((name) => name.startsWith('f@'))).toEqual([]);
  });

  test('stays killed under a flood, and its figures say so', async () => {
    const stand = await useGateway({ functions: [routeFunction('f', STATIC)], hosts: [reflect] });
    let calls = 0;
    let running = true;
    const seen: Answer[] = [];
    const flood = Promise.all(Array.from({ length: 30 }, async () => {
      while (running) {
        calls += 1;
        seen.push(await call(stand.port, '/', { fn: 'f' }));
      }
    }));
    await until(() => calls > 100, 10_000);
    await push(stand, routeFunction('f', { killed: true, ...STATIC }));
    const before = stand.hosts[0]?.invocations.length;
    const from = seen.length;
    await until(() => seen.length > from + 150, 10_000);
    running = false;
    await flood;
    expect(stand.hosts[0]?.invocations.length).toBe(before);
    // Up to thirty answers may have been on their way.
    expect(seen.slice(from + 30).every(({ headers }) => headers['x-thimble-fallback'] === 'static;code=switched_off')).toBe(true);
    await until(() => (stand.control.count('f', 1).codes['switched_off'] ?? 0) >= 150);
    const { statuses, codes } = stand.control.count('f', 1);
    expect(statuses['503']).toBe(codes['switched_off']);
    const kinds = stand.control.figures.flatMap(({ versions }) => versions).reduce((sum, { fallbacks }) => sum + (fallbacks?.['static'] ?? 0), 0);
    expect(kinds).toBe(codes['switched_off']);
    const line = stand.log.find(({ code }) => code === 'switched_off');
    expect(line).toMatchObject({ msg: 'request failed', status: 200, fallback: 'static', function: 'f' });
  });
});

describe('a forced version', () => {
  const split = { ...TWO, traffic: { rules: [{ when: { header: { 'x-beta': '1' } }, version: 2 }], split: [{ version: 1, weight: 50 }, { version: 2, weight: 50 }] } };

  test('gets every request whatever rules and split say; an address still reaches the version that it names', async () => {
    const stand = await useGateway({ functions: [routeFunction('f', split)], hosts: [reflect] });
    await push(stand, routeFunction('f', { ...split, forced: 1 }));
    for (let i = 0; i < 20; i++) expect(versionOf(await call(stand.port, '/', { fn: 'f', headers: { 'x-beta': '1' } }))).toBe(1);
    const named = await call(stand.port, '/', { headers: { host: 'v2--f.localhost' } });
    expect([versionOf(named), named.version]).toEqual([2, '2']);
    const invoker = await useInvoker(stand);
    expect([(await invoker.send()).version, (await invoker.send({ version: 2 })).version]).toEqual([1, 2]);
    await push(stand, routeFunction('f', { ...split, forced: 2 }));
    expect(versionOf(await call(stand.port, '/', { fn: 'f' }))).toBe(2);
    await push(stand, routeFunction('f', split));
    expect(versionOf(await call(stand.port, '/', { fn: 'f', headers: { 'x-beta': '1' } }))).toBe(2);
  });

  test('gets what waits in the line as well, with its number in the answer and the figures; what runs goes on', async () => {
    const { held, script } = holding();
    const one = { ...TWO, limits: { concurrency: 2 } };
    const stand = await useGateway({ functions: [routeFunction('f', one)], hosts: [script] });
    const running = call(stand.port, '/', { fn: 'f' });
    await until(() => held.length === 1);
    const named = call(stand.port, '/', { headers: { host: 'v1--f.localhost' } });
    await until(() => held.length === 2);
    const waiting = call(stand.port, '/', { fn: 'f' });
    await until(() => stand.gateway.dispatcher.queued === 1);
    const waitingNamed = call(stand.port, '/', { headers: { host: 'v1--f.localhost' } });
    await until(() => stand.gateway.dispatcher.queued === 2);
    await push(stand, routeFunction('f', { ...one, forced: 2 }));
    held[0]?.respond(200, [], 'a');
    await until(() => held.length === 3);
    held[1]?.respond(200, [], 'b');
    await until(() => held.length === 4);
    held[2]?.respond(200, [], 'c');
    held[3]?.respond(200, [], 'd');
    expect((await Promise.all([running, named, waiting, waitingNamed])).map(({ version }) => version)).toEqual(['1', '1', '2', '1']);
    await until(() => stand.control.count('f', 2).statuses['200'] === 1 && stand.control.count('f', 1).statuses['200'] === 3);
  });
});
