// Which isolates a gateway has its hosts keep warm: keepWarm of functions, and versions that traffic is about to reach.
import { expect, test } from 'vitest';
import { FRAME } from '../../../core/protocol/index.ts';
import { routeFunction } from '../../support/gateway-fakes.ts';
import type { FakeHost } from '../../support/gateway-fakes.ts';
import { call, sleep, until, useGateway } from '../../support/gateway-stand.ts';

const live = (version: number, more: Record<string, unknown> = {}): Record<string, unknown> => ({
  versions: { 1: 'sha256-a', 2: 'sha256-b', 3: 'sha256-c' }, traffic: { rules: [], split: [{ version, weight: 100 }] }, ...more,
});
const answering = (i: { respond: (status: number, headers: [], body: string) => void; target: { version: number } }): void => i.respond(200, [], String(i.target.version));
const kept = (hosts: readonly FakeHost[]): string[] => hosts.flatMap((host) => host.keeps).toSorted();

test('keepWarm n: n hosts keep one isolate of each version with traffic, the home among them', async () => {
  const { port, hosts } = await useGateway({
    hosts: [answering, answering, answering],
    functions: [
      routeFunction('none'), routeFunction('one', live(1, { keepWarm: 1 })), routeFunction('two', live(1, { keepWarm: 2 })), routeFunction('all', live(1, { keepWarm: 100 })),
      routeFunction('split', live(1, { keepWarm: 1, traffic: { rules: [{ when: { header: { a: 'b' } }, version: 3 }], split: [{ version: 1, weight: 90 }, { version: 2, weight: 10 }] } })),
    ],
  });
  await until(() => kept(hosts).length === 9);
  expect(kept(hosts)).toEqual(['all@1', 'all@1', 'all@1', 'one@1', 'split@1', 'split@2', 'split@3', 'two@1', 'two@1']);
  // Its calls go where it is warm.
  expect((await call(port, '/', { fn: 'one' })).text).toBe('1');
  const home = hosts.find(({ invocations }) => invocations.length > 0);
  expect(home?.keeps).toContain('one@1');
});

test('follows changes: of the setting, of traffic, of limits, of the function itself', async () => {
  const { control, hosts } = await useGateway({ hosts: [answering], functions: [routeFunction('f', live(1))] });
  const [host] = hosts as [FakeHost];
  await sleep(50);
  expect(host.keeps).toEqual([]);
  control.push([routeFunction('f', live(1, { keepWarm: 1 }))]);
  await until(() => host.keeps.join() === 'f@1');
  control.push([routeFunction('f', live(2, { keepWarm: 1 }))]);
  await until(() => host.keeps.join() === 'f@2');
  control.push([routeFunction('f', live(2, { keepWarm: 1, limits: { memoryMb: 128 } }))]);
  await until(() => host.keeps.join() === 'f@2' && [...host.targets.values()].every(({ memoryMb }) => memoryMb === 128));
  control.push([routeFunction('f', live(2, { limits: { memoryMb: 128 } }))]);
  await until(() => host.keeps.length === 0);
  control.push([routeFunction('f', live(2, { keepWarm: 1 }))]);
  await until(() => host.keeps.length === 1);
  control.push([], ['f']);
  await until(() => host.keeps.length === 0 && host.targets.size === 0);
});

test('asks again when a host comes back, and elsewhere while it is away', async () => {
  const functions = Array.from({ length: 12 }, (_, i) => routeFunction(`f${i}`, live(1, { keepWarm: 1 })));
  const { hosts, addHost } = await useGateway({ hosts: [answering, answering], functions });
  await until(() => kept(hosts).length === 12);
  const [first, second] = hosts as [FakeHost, FakeHost];
  const before = first.keeps;
  expect(before.length).toBeGreaterThan(0);
  expect(before.length).toBeLessThan(12);
  first.die();
  await until(() => second.keeps.length === 12);
  const again = await addHost('host-1', answering);
  await until(() => again.keeps.length === before.length && second.keeps.length === 12 - before.length);
  expect(again.keeps).toEqual(before);
  again.goaway();
  await until(() => second.keeps.length === 12);
});

test('a version on the slow lane is kept warm there, once a slow host is here', async () => {
  const { port, hosts, addHost, gateway } = await useGateway({
    functions: [routeFunction('heavy', live(1, { keepWarm: 1 }))],
    hosts: [(i) => {
      i.host.connection?.send([FRAME.entries, 0, [[i.targetNumber, 1, 1, 20_000]]]);
      i.respond(200, [], 'ok', { cpuUs: 20_000 });
    }],
  });
  const [host] = hosts as [FakeHost];
  await until(() => host.keeps.length === 1);
  for (let i = 0; i < 4; i++) expect((await call(port, '/', { fn: 'heavy' })).text).toBe('ok');
  await until(() => gateway.dispatcher.lanes.slow === 1);
  expect(host.keeps).toEqual(['heavy@1']);
  const slow = await addHost('slow-1', answering);
  await until(() => slow.keeps.length === 1 && host.keeps.length === 0);
});

test('one start at a time; a host that dies at two of them is not asked for that version any more', async () => {
  const functions = ['a', 'poison', 'z'].map((name) => routeFunction(name, live(1, { keepWarm: 1 })));
  const { addHost } = await useGateway({ functions });
  const deadly = (host: FakeHost): void => {
    host.onWarm = (number, target) => {
      if (target.function === 'poison') host.die();
      else host.connection?.send([24, number, 1]);
    };
  };
  for (let i = 0; i < 2; i++) {
    const host = await addHost('host-1', answering, deadly);
    await until(() => host.warmed.at(-1) === 'poison@1' && host.connection === undefined);
  }
  const last = await addHost('host-1', answering);
  await until(() => last.keeps.length === 2);
  await sleep(50);
  expect(last.warmed.toSorted()).toEqual(['a@1', 'z@1']);
});

test('traffic turns to a version when it is ready: the write is answered then, and the first call finds it', async () => {
  const { port, control, hosts, gateway } = await useGateway({ preWarm: true, hosts: [answering], functions: [routeFunction('f', live(1))] });
  const [host] = hosts as [FakeHost];
  let ready = (): void => {};
  host.onWarm = (number) => { ready = (): void => host.connection?.send([24, number, 1]); };
  const { revision } = control.push([routeFunction('f', live(2))]);
  const after = control.push([routeFunction('g')]);
  await until(() => host.warmed.includes('f@2'));
  expect((await call(port, '/', { fn: 'f' })).text).toBe('1');
  expect(control.applied).not.toContain(revision);
  ready();
  await until(() => control.applied.includes(revision));
  expect((await call(port, '/', { fn: 'f' })).text).toBe('2');
  // What came meanwhile was not lost, and not applied before.
  await until(() => host.warmed.includes('g@1'));
  ready();
  await until(() => control.applied.includes(after.revision));
  expect(gateway.table.revision).toBe(after.revision);
});

test('a version that is not ready in time, or can not be started, does not hold up the switch', async () => {
  const { port, control, hosts } = await useGateway({ preWarm: true, hosts: [answering], functions: [routeFunction('f', live(1))] });
  const [host] = hosts as [FakeHost];
  host.onWarm = () => {};
  const started = performance.now();
  const { revision } = control.push([routeFunction('f', live(2))]);
  await until(() => control.applied.includes(revision));
  expect(performance.now() - started).toBeGreaterThan(100);
  expect((await call(port, '/', { fn: 'f' })).text).toBe('2');
  host.connection?.send([24, [...host.warm][0] as number, 0]);
  await until(() => host.warm.size === 0);
  host.onWarm = (number) => host.connection?.send([24, number, 0]);
  const next = control.push([routeFunction('f', live(3))]);
  await until(() => control.applied.includes(next.revision) && host.warm.size === 0);
  expect((await call(port, '/', { fn: 'f' })).text).toBe('3');
});

test('only what begins to get traffic is started: not a new version without, not an unchanged one, not a whole table', async () => {
  const { control, hosts } = await useGateway({ preWarm: true, hosts: [answering], functions: [routeFunction('f', live(1))] });
  const [host] = hosts as [FakeHost];
  const settled = async (delta: { revision: number }): Promise<string[]> => {
    await until(() => control.applied.includes(delta.revision));
    return host.warmed.splice(0);
  };
  expect(host.warmed).toEqual([]);
  expect(await settled(control.push([routeFunction('f', live(1, { public: false }))]))).toEqual([]);
  expect(await settled(control.push([routeFunction('f', live(1, { versions: { 1: 'sha256-a', 2: 'sha256-b', 3: 'sha256-c', 4: 'sha256-d' } }))]))).toEqual([]);
  expect(await settled(control.push([routeFunction('f', live(1, { traffic: { rules: [], split: [{ version: 1, weight: 99 }, { version: 2, weight: 1 }] } }))]))).toEqual(['f@2']);
  // It is warm still: nothing is asked for twice.
  expect(await settled(control.push([routeFunction('f', live(2))]))).toEqual([]);
  expect(await settled(control.push([routeFunction('f', live(1))]))).toEqual(['f@1']);
  expect(await settled(control.push([routeFunction('new', live(1))]))).toEqual(['new@1']);
  expect(await settled(control.push(Array.from({ length: 20 }, (_, i) => routeFunction(`many${i}`, live(1)))))).toEqual([]);
});

test('a wave of deploys is not started beforehand beyond a bound, and waits for none', async () => {
  const { control, hosts } = await useGateway({ preWarm: true, hosts: [answering] , functions: [] });
  const [host] = hosts as [FakeHost];
  let last = 0;
  for (let i = 0; i < 200; i++) last = control.push([routeFunction(`f${i}`, live(1))]).revision;
  await until(() => control.applied.includes(last), 5_000);
  expect(host.warmed.length).toBe(32);
});
