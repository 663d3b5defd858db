// A version whose entries are long: it moves to a slow host once one is there, loses nothing by it, and runs elsewhere when there is none.
import { expect, test } from 'vitest';
import { FRAME } from '../../../core/protocol/index.ts';
import { reflect, routeFunction } from '../../support/gateway-fakes.ts';
import type { FakeHost, FakeInvocation, Script } from '../../support/gateway-fakes.ts';
import { call, until, useGateway } from '../../support/gateway-stand.ts';
import type { Stand } from '../../support/gateway-stand.ts';

const functions = [routeFunction('heavy'), routeFunction('light'), routeFunction('code', { limits: { wasm: true } })];

/** 20 ms of CPU time each for all but `light`, and a report of its entry as a host sends it. */
const work: Script = (i) => {
  if (i.target.function === 'light') {
    reflect(i);
    return;
  }
  report(i.host, i.targetNumber, 1, 1, 20_000);
  i.respond(200, [['x-host', i.host.name]], 'ok', { cpuUs: 20_000 });
};

function report(host: FakeHost, target: number, entries: number, long: number, maxUs: number): void {
  host.connection?.send([FRAME.entries, 0, [[target, entries, long, maxUs]]]);
}

const hostOf = async (stand: Stand, fn: string): Promise<string> => {
  const answer = await call(stand.port, '/', { fn });
  expect(answer.status).toBe(200);
  return String(answer.headers['x-host'] ?? (JSON.parse(answer.text) as { host: string }).host);
};

const moves = (stand: Stand): unknown[] => stand.log.filter(({ msg }) => msg === 'a version changes its lane');
const targetsOf = (host: FakeHost | undefined): string[] => [...(host?.targets.values() ?? [])].map((target) => target.function);

test('it runs on where it is until a slow host is there, then moves, and is forgotten where it was', async () => {
  const stand = await useGateway({ functions, hosts: [work] });
  for (let i = 0; i < 3; i++) expect(await hostOf(stand, 'heavy')).toBe('host-1');
  await until(() => moves(stand).length === 1);
  expect(moves(stand)).toEqual([expect.objectContaining({ function: 'heavy', version: 1, lane: 'slow', longEntries: 3, longMs: 60, maxMs: 20, returnAfterMs: 10_000 })]);
  // Wanted at once, with nobody waiting.
  await until(() => stand.wishes.length > 0);
  expect(stand.wishes).toEqual([true]);
  expect([await hostOf(stand, 'heavy'), stand.gateway.dispatcher.parked('slow')]).toEqual(['host-1', 0]);
  const slow = await stand.addHost('slow-1', work);
  expect([await hostOf(stand, 'heavy'), await hostOf(stand, 'light')]).toEqual(['slow-1', 'host-1']);
  await until(() => stand.hosts[0]?.forgotten.length === 1);
  expect([targetsOf(stand.hosts[0]), targetsOf(slow)]).toEqual([['light'], ['heavy']]);
  await until(() => stand.control.figures.some(({ versions }) => versions.some((row) => row.function === 'heavy' && row.lane === 'slow' && row.homes === 1)));
  expect(stand.control.figures.at(-1)?.node).toMatchObject({ slowVersions: 1, laneChanges: { slow: 1, fast: 0 } });
});

test('what runs when it moves is neither lost nor delayed; its isolate goes after it', async () => {
  const held: FakeInvocation[] = [];
  const stand = await useGateway({ functions, hosts: [(i) => (i.path === '/hold' ? void held.push(i) : work(i))] });
  const waiting = call(stand.port, '/hold', { fn: 'heavy' });
  for (let i = 0; i < 3; i++) await hostOf(stand, 'heavy');
  const slow = await stand.addHost('slow-1', work);
  expect(await hostOf(stand, 'heavy')).toBe('slow-1');
  expect([held.length, held[0]?.cancelled, stand.hosts[0]?.forgotten.length]).toEqual([1, undefined, 0]);
  held[0]?.respond(200, [], 'late but whole');
  expect((await waiting).text).toBe('late but whole');
  await until(() => stand.hosts[0]?.forgotten.length === 1);
  expect(slow.invocations).toHaveLength(1);
});

test('the slow host dies: its requests run on the default host, and it is asked for again', async () => {
  const stand = await useGateway({ functions, hosts: [work] });
  for (let i = 0; i < 3; i++) await hostOf(stand, 'heavy');
  await until(() => stand.wishes.length === 1);
  const slow = await stand.addHost('slow-1', () => {});
  const waiting = call(stand.port, '/', { fn: 'heavy' });
  await until(() => slow.invocations.length === 1);
  slow.die();
  stand.gateway.hostDied({ host: 'slow-1', pid: process.pid, onThread: null, entered: [] });
  expect((await waiting).headers['x-host']).toBe('host-1');
  // At most once a second, while requests do without.
  while (stand.wishes.length < 2) expect(await hostOf(stand, 'heavy')).toBe('host-1');
  await stand.addHost('slow-1', work);
  expect(await hostOf(stand, 'heavy')).toBe('slow-1');
});

test('a killed isolate counts; so does the start-up of a module that was ended', async () => {
  const stand = await useGateway({ functions, hosts: [(i) => i.fail('cpu_limit_exceeded', { limit: 50, used: 50 })] });
  for (let i = 0; i < 3; i++) expect((await call(stand.port, '/', { fn: 'heavy' })).status).toBe(503);
  await until(() => moves(stand).length === 1);
  expect(moves(stand)).toEqual([expect.objectContaining({ lane: 'slow', longEntries: 3, maxMs: 50 })]);
});

test('many short entries are none that is long, whatever they use together', async () => {
  const stand = await useGateway({ functions, hosts: [(i) => {
    report(i.host, i.targetNumber, 40, 0, 900);
    i.respond(200, [], 'ok', { cpuUs: 30_000 });
  }] });
  for (let i = 0; i < 10; i++) await call(stand.port, '/', { fn: 'heavy' });
  expect([moves(stand), stand.wishes]).toEqual([[], []]);
});

test('with limits.wasm it stays with its group', async () => {
  const stand = await useGateway({ functions });
  await stand.addHost('wasm-1', work);
  await stand.addHost('slow-1', work);
  for (let i = 0; i < 6; i++) expect(await hostOf(stand, 'code')).toBe('wasm-1');
  expect(moves(stand)).toEqual([]);
  await until(() => stand.control.figures.some(({ versions }) => versions.some((row) => row.function === 'code' && row.lane === 'wasm')));
});

test('a slow host without work is wanted no more; the version still is slow when it comes back', async () => {
  const stand = await useGateway({ functions, hosts: [work], slowIdleMs: 700 });
  for (let i = 0; i < 3; i++) await hostOf(stand, 'heavy');
  const slow = await stand.addHost('slow-1', work);
  await until(() => stand.wishes.at(-1) === true);
  expect(await hostOf(stand, 'heavy')).toBe('slow-1');
  await until(() => stand.wishes.at(-1) === false, 5_000);
  slow.goaway();
  await until(() => stand.gateway.dispatcher.openIn('slow') === 0);
  // It waits for none: it wishes for one.
  expect(await hostOf(stand, 'heavy')).toBe('host-1');
  await until(() => stand.wishes.at(-1) === true);
});
