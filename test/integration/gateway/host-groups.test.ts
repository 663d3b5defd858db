// Functions with limits.wasm: they go to hosts of their group only, wait for one that is asked for, and others never notice.
import { expect, test } from 'vitest';
import { reflect, routeFunction } from '../../support/gateway-fakes.ts';
import { call, problemCode, sleep, until, useGateway } from '../../support/gateway-stand.ts';

const functions = [routeFunction('plain'), routeFunction('code', { limits: { wasm: true, wallMs: 8_000, concurrency: 2_000 } })];

test('each group gets its own functions', async () => {
  const stand = await useGateway({ functions, hosts: [reflect] });
  const wasm = await stand.addHost('wasm-1', reflect);
  for (let i = 0; i < 5; i++) expect([(await call(stand.port, '/', { fn: 'plain' })).status, (await call(stand.port, '/', { fn: 'code' })).status]).toEqual([200, 200]);
  expect(stand.hosts[0]?.invocations.map(({ target }) => [target.function, target.wasm])).toEqual(Array(5).fill(['plain', false]));
  expect(wasm.invocations.map(({ target }) => [target.function, target.wasm])).toEqual(Array(5).fill(['code', true]));
  expect(stand.wishes).toEqual([]);
});

test('requests wait for a host that was asked for, and run in their order once it is there', async () => {
  const stand = await useGateway({ functions, hosts: [reflect] });
  const waiting = Array.from({ length: 4 }, (_, i) => call(stand.port, `/${i}`, { fn: 'code' }));
  await until(() => stand.gateway.dispatcher.parked('wasm') === 4);
  expect(stand.wishes).toEqual([true]);
  expect((await call(stand.port, '/', { fn: 'plain' })).status).toBe(200);
  // It is asked for again while it does not come.
  await until(() => stand.wishes.length === 2, 3_000);
  const host = await stand.addHost('wasm-1', reflect);
  expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  expect(host.invocations).toHaveLength(4);
  expect(stand.hosts[0]?.invocations).toHaveLength(1);
  expect([stand.gateway.dispatcher.parked('wasm'), stand.gateway.dispatcher.inFlight]).toEqual([0, 0]);
});

test('no host comes: a typed failure, within the wall limit or 5 s', async () => {
  const short = routeFunction('short', { limits: { wasm: true, wallMs: 300 } });
  const stand = await useGateway({ functions: [...functions, short], hosts: [reflect] });
  const begun = performance.now();
  const [first, second] = await Promise.all([call(stand.port, '/', { fn: 'short' }), call(stand.port, '/', { fn: 'code' })]);
  expect([problemCode(first), problemCode(second)]).toEqual(['wall_limit_exceeded', 'unavailable']);
  expect(performance.now() - begun).toBeLessThan(6_500);
  expect(stand.gateway.dispatcher.inFlight).toBe(0);
});

test('the queue is bounded: what does not fit is refused at once, the slots come back, and one function never takes it all', async () => {
  const other = routeFunction('other', { limits: { wasm: true, wallMs: 8_000, concurrency: 2_000 } });
  const stand = await useGateway({ functions: [...functions, other] });
  let answered = 0;
  const all = Array.from({ length: 1_050 }, async () => {
    const answer = await call(stand.port, '/', { fn: 'code' });
    answered += 1;
    return answer;
  });
  // Two thirds of 1,000 places (fair-share.ts).
  await until(() => stand.gateway.dispatcher.parked('wasm') === 667 && answered === 383, 10_000);
  const others = Array.from({ length: 20 }, () => call(stand.port, '/', { fn: 'other' }));
  await until(() => stand.gateway.dispatcher.parked('wasm') === 687, 10_000);
  await stand.addHost('wasm-1', reflect);
  const answers = await Promise.all(all);
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(667);
  expect(answers.filter((answer) => answer.status !== 200).map(problemCode)).toEqual(Array(383).fill('overloaded'));
  expect(answers.filter(({ status }) => status !== 200).every(({ headers }) => Number(headers['retry-after']) >= 1)).toBe(true);
  expect((await Promise.all(others)).every(({ status }) => status === 200)).toBe(true);
  expect([stand.gateway.dispatcher.inFlight, stand.gateway.dispatcher.activeCount]).toEqual([0, 0]);
}, 20_000);

test('a host that dies takes nothing of the other group, and its own is asked for again', async () => {
  const stand = await useGateway({ functions, hosts: [reflect] });
  const first = await stand.addHost('wasm-1', () => {});
  const answering = call(stand.port, '/', { fn: 'code' });
  await until(() => first.invocations.length === 1);
  first.die();
  stand.gateway.hostDied({ host: 'wasm-1', pid: process.pid, onThread: null, entered: [] });
  await until(() => stand.wishes.length === 1);
  expect((await call(stand.port, '/', { fn: 'plain' })).status).toBe(200);
  await stand.addHost('wasm-1', reflect);
  expect((await answering).status).toBe(200);
  expect(stand.hosts[0]?.invocations.map(({ target }) => target.function)).toEqual(['plain']);
});

test('idle hosts are wanted no more; one that runs something is', async () => {
  const stand = await useGateway({ functions, hosts: [reflect], wasmIdleMs: 600 });
  const held: (() => void)[] = [];
  await stand.addHost('wasm-1', (i) => { held.push(() => i.respond(200, [], 'late')); });
  const answering = call(stand.port, '/', { fn: 'code' });
  await until(() => held.length === 1);
  await sleep(1_300);
  expect(stand.wishes).toEqual([]);
  held[0]?.();
  expect((await answering).text).toBe('late');
  await until(() => stand.wishes.length === 1);
  expect(stand.wishes).toEqual([false]);
});

test('limits.wasm acts at once, both ways', async () => {
  const stand = await useGateway({ functions, hosts: [reflect] });
  const wasm = await stand.addHost('wasm-1', reflect);
  await call(stand.port, '/', { fn: 'plain' });
  stand.control.push([routeFunction('plain', { limits: { wasm: true } })]);
  await until(() => stand.gateway.table.revision === 2);
  expect((await call(stand.port, '/', { fn: 'plain' })).status).toBe(200);
  expect(wasm.invocations).toHaveLength(1);
  stand.control.push([routeFunction('plain')]);
  await until(() => stand.gateway.table.revision === 3);
  await call(stand.port, '/', { fn: 'plain' });
  expect(stand.hosts[0]?.invocations).toHaveLength(2);
});

test('a node is ready without hosts of the group, and not by them alone', async () => {
  const stand = await useGateway({ functions });
  await stand.addHost('wasm-1', reflect);
  expect((await call(stand.port, '/.thimble/readyz')).status).toBe(503);
  await stand.addHost('host-1', reflect);
  expect((await call(stand.port, '/.thimble/readyz')).status).toBe(200);
});
