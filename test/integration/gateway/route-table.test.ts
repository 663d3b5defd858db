// The route table over the control socket and on disk: acknowledgements, gaps, versions that are replaced, a dead control plane.
import { existsSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FRAME } from '../../../core/protocol/index.ts';
import type { Frame } from '../../../core/protocol/index.ts';
import { reflect, routeFunction } from '../../support/gateway-fakes.ts';
import { call, problemCode, sleep, tempFolder, until, useGateway } from '../../support/gateway-stand.ts';

const status = async (port: number, fn: string): Promise<number> => (await call(port, '/', { fn })).status;

test('an acknowledged revision routes; a removed function is gone', async () => {
  const { port, control } = await useGateway({ functions: [routeFunction('one')], hosts: [reflect] });
  expect(control.applied).toEqual([1]);
  control.push([routeFunction('two')]);
  await until(() => control.applied.includes(2));
  expect([await status(port, 'one'), await status(port, 'two')]).toEqual([200, 200]);
  control.push([], ['one']);
  await until(() => control.applied.includes(3));
  expect(problemCode(await call(port, '/', { fn: 'one' }))).toBe('no_route');
});

test('a gap, another epoch and a malformed delta ask for the whole table; a malformed table changes nothing', async () => {
  const { port, control, log } = await useGateway({ functions: [routeFunction('one')], hosts: [reflect] });
  const missed = control.push([routeFunction('two')]);
  await until(() => control.applied.includes(2));
  control.table = { ...control.table, revision: 7 };
  control.send([FRAME.delta, 0, { ...missed, previous: 6, revision: 7 }]);
  await until(() => control.applied.includes(7));
  expect(control.subscriptions.at(-1)).toEqual({ epoch: 0, revision: 0 });
  control.send([FRAME.delta, 0, { ...missed, epoch: control.epoch + 1, previous: 7, revision: 8 }]);
  await until(() => control.subscriptions.length === 3);
  control.send([FRAME.delta, 0, { epoch: control.epoch, nonsense: true }]);
  await until(() => control.subscriptions.length === 4);
  control.send([FRAME.table, 0, { epoch: control.epoch, revision: 9, functions: [{ name: 'broken' }] }]);
  await until(() => log.some((line) => line['msg'] === 'a route table was refused'));
  expect(await status(port, 'two')).toBe(200);
});

test('deltas that are lost, come in another order, again, or from another life of the control plane', async () => {
  const { port, control } = await useGateway({ functions: [routeFunction('one')], hosts: [reflect] });
  const { epoch } = control;
  const delta = (revision: number, name: string, more: object = {}): Frame => [FRAME.delta, 0, { epoch, previous: revision - 1, revision, upsert: [routeFunction(name)], remove: [], ...more }];
  const whole = (revision: number, names: readonly string[], of = epoch): void => void (control.table = { epoch: of, revision, functions: names.map((name) => routeFunction(name)) });
  // The second is lost.
  whole(3, ['one', 'two', 'three']);
  control.send(delta(3, 'three'));
  await until(() => control.applied.includes(3));
  expect([control.subscriptions.length, control.subscriptions.at(-1)]).toEqual([2, { epoch: 0, revision: 0 }]);
  expect(await status(port, 'two')).toBe(200);
  // The fifth comes before the fourth, and the fourth while the whole table is under way: it means nothing then.
  whole(5, ['one', 'four', 'five']);
  control.send(delta(5, 'five'));
  control.send(delta(4, 'four'));
  await until(() => control.applied.includes(5));
  expect([control.subscriptions.length, await status(port, 'five'), await status(port, 'two')]).toEqual([3, 200, 404]);
  // What is known already is acknowledged, and not applied again.
  control.send(delta(4, 'two'));
  await until(() => control.applied.length === 4);
  expect([control.applied.at(-1), control.subscriptions.length, await status(port, 'two')]).toEqual([5, 3, 404]);
  // A new life goes on where the old one ended; one that does not is another history, even at the same revision.
  control.send(delta(6, 'six', { epoch: epoch + 1, formerEpoch: epoch }));
  await until(() => control.applied.includes(6));
  expect([control.subscriptions.length, await status(port, 'six')]).toEqual([3, 200]);
  whole(7, ['one'], epoch + 2);
  control.send(delta(7, 'seven', { epoch: epoch + 2, formerEpoch: epoch }));
  await until(() => control.applied.includes(7));
  expect([control.subscriptions.length, await status(port, 'seven'), await status(port, 'six')]).toEqual([4, 404, 404]);
});

test('bytes that are no frame end the connection, not the gateway: it comes back with what it has', async () => {
  const { port, control, log } = await useGateway({ functions: [routeFunction('one')], hosts: [reflect] });
  for (const [n, bytes] of [Buffer.from([255, 255, 255, 255, 1]), Buffer.from([3, 0, 0, 0, 0xc1, 0xc1, 0xc1]), Buffer.from('GET / HTTP/1.1\r\n\r\n')].entries()) {
    control.sendBytes(bytes);
    await until(() => control.subscriptions.length === n + 2);
    expect(control.subscriptions.at(-1)).toEqual({ epoch: control.epoch, revision: 1 });
    expect(await status(port, 'one')).toBe(200);
  }
  expect(log.filter((line) => line['code'] === 'protocol_violation')).toHaveLength(3);
  control.push([routeFunction('two')]);
  await until(() => control.applied.includes(2));
});

test('a table that comes in pieces replaces the one that serves when it is whole, not piece by piece', async () => {
  const { port, control } = await useGateway({ functions: [routeFunction('one'), routeFunction('old')], hosts: [reflect] });
  const piece = (revision: number, name: string): Frame => [FRAME.delta, 0, { epoch: control.epoch, previous: 0, revision, upsert: [routeFunction(name)], remove: [] }];
  control.send([FRAME.table, 0, { epoch: control.epoch, revision: 0, functions: [routeFunction('first')] }]);
  control.send(piece(0, 'second'));
  // Nothing tells when it has been read: requests pass meanwhile.
  for (let n = 0; n < 5; n++) expect([await status(port, 'one'), await status(port, 'first')]).toEqual([200, 404]);
  expect(control.applied).toEqual([1]);
  control.send(piece(9, 'third'));
  await until(() => control.applied.includes(9));
  expect(await Promise.all(['one', 'old', 'first', 'second', 'third'].map((name) => status(port, name)))).toEqual([404, 404, 200, 200, 200]);
  control.push([routeFunction('fourth')]);
  expect(control.subscriptions).toHaveLength(1);
});

test('a delta of thousands of functions is read beside requests too', async () => {
  const { port, control } = await useGateway({ functions: [routeFunction('one')], hosts: [reflect] });
  control.push(Array.from({ length: 3_000 }, (_, n) => routeFunction(`f${n}`)));
  control.push([], ['f7']);
  let answered = 0;
  for (; !control.applied.includes(3); answered++) expect(await status(port, 'one')).toBe(200);
  expect(answered).toBeGreaterThan(5);
  expect([await status(port, 'f7'), await status(port, 'f8'), control.subscriptions.length]).toEqual([404, 200, 1]);
});

test('the table of another store is not taken over one that serves, whatever is in it, also after a restart', async () => {
  const folder = tempFolder();
  const first = await useGateway({ dataFolder: folder, functions: [], hosts: [reflect] });
  const table = (origin: number, revision: number, names: readonly string[]): void => {
    first.control.table = { epoch: first.control.epoch + origin, origin, revision, functions: names.map((name) => routeFunction(name)) };
    first.control.send([FRAME.table, 0, first.control.table]);
  };
  // Nothing is lost yet.
  table(1, 5, ['one']);
  await until(() => first.control.applied.includes(5));
  table(2, 6, []);
  table(2, 7, ['two', 'three']);
  first.control.send([FRAME.delta, 0, { epoch: first.control.epoch + 2, previous: 7, revision: 8, upsert: [routeFunction('four')], remove: [] }]);
  const refusals = (log: readonly Record<string, unknown>[]): number => log.filter((line) => String(line['msg']).includes('another store')).length;
  await until(() => refusals(first.log) >= 3);
  expect([first.control.applied.at(-1), await status(first.port, 'one'), await status(first.port, 'two'), await status(first.port, 'four')]).toEqual([5, 200, 404, 404]);
  await first.gateway.drain(0);
  first.control.close();
  const second = await useGateway({ dataFolder: folder, control: false, hosts: [reflect] });
  second.control.table = { epoch: 99, origin: 2, revision: 9, functions: [routeFunction('two')] };
  await second.control.listen(join(folder, 'control.sock'));
  await until(() => refusals(second.log) === 1);
  expect([await status(second.port, 'one'), await status(second.port, 'two')]).toEqual([200, 404]);
  // Its own store, restored: any revision of it.
  second.control.table = { epoch: 98, origin: 1, revision: 3, functions: [routeFunction('restored')] };
  second.control.send([FRAME.table, 0, second.control.table]);
  await until(() => second.control.applied.includes(3));
  expect([await status(second.port, 'one'), await status(second.port, 'restored')]).toEqual([404, 200]);
});

test('readyz tells the revision, and how old the table is once the control plane is gone', async () => {
  const folder = tempFolder();
  const { port, control, gateway } = await useGateway({ dataFolder: folder, functions: [routeFunction('one')], hosts: [reflect] });
  const ready = async (at: number): Promise<Record<string, unknown>> => JSON.parse((await call(at, '/.thimble/readyz')).text) as Record<string, unknown>;
  expect(await ready(port)).toEqual({ status: 'ready', revision: 1, tableAgeSeconds: 0 });
  control.close();
  await expect.poll(async () => (await ready(port))['tableAgeSeconds'], { timeout: 5_000 }).toBeGreaterThan(0);
  await gateway.drain(0);
  utimesSync(join(folder, 'gateway', 'routes.msgpack'), new Date(), new Date(Date.now() - 3_600_000));
  const second = await useGateway({ dataFolder: folder, control: false, hosts: [reflect] });
  const { tableAgeSeconds, ...rest } = await ready(second.port);
  expect(rest).toEqual({ status: 'ready', revision: 1 });
  expect(Math.abs(Number(tableAgeSeconds) - 3_600)).toBeLessThan(120);
});

test('a large table is read beside requests, and changes that come meanwhile are applied after it', async () => {
  const many = Array.from({ length: 3_000 }, (_, n) => routeFunction(`f${n}`, { triggers: [{ type: 'http', path: `/f${n}/:id` }] }));
  const { port, control } = await useGateway({ functions: [routeFunction('one')], hosts: [reflect] });
  control.table = { ...control.table, revision: 5, functions: [...control.table.functions, ...many] };
  control.send([FRAME.table, 0, control.table]);
  control.push([routeFunction('late')]);
  control.push([], ['f7']);
  let slowestMs = 0;
  let answered = 0;
  while (!control.applied.includes(7)) {
    const begun = performance.now();
    expect(await status(port, 'one')).toBe(200);
    slowestMs = Math.max(slowestMs, performance.now() - begun);
    answered += 1;
  }
  // The table takes 60 loop turns: read in one, it would let one or two requests pass at the most.
  expect(answered).toBeGreaterThan(5);
  expect(slowestMs).toBeLessThan(250);
  expect([await status(port, 'late'), await status(port, 'f7'), await status(port, 'f2999')]).toEqual([200, 404, 200]);
  expect(control.subscriptions).toHaveLength(1);
  expect(control.applied).toEqual([1, 5, 6, 7]);
});

test('an unchanged version keeps its target, a changed one gets a new one and the old is forgotten after its last invocation', async () => {
  const { port, control, hosts } = await useGateway({ functions: [routeFunction('one')], hosts: [reflect] });
  const host = hosts[0];
  if (host === undefined) throw new Error('no host');
  await call(port, '/', { fn: 'one' });
  control.push([routeFunction('one', { triggers: [{ type: 'http', path: '/one' }], limits: { wallMs: 5_000 } })]);
  await until(() => control.applied.includes(2));
  await call(port, '/', { fn: 'one' });
  expect(host.targets.size).toBe(1);
  host.script = () => {};
  const slow = call(port, '/', { fn: 'one' });
  await until(() => host.invocations.length === 3);
  control.push([routeFunction('one', { limits: { cpuMs: 200 } })]);
  await until(() => control.applied.includes(3));
  host.script = reflect;
  await call(port, '/', { fn: 'one' });
  expect([host.targets.size, host.forgotten.length, host.invocations.at(-1)?.target.cpuMs]).toEqual([2, 0, 200]);
  host.invocations[2]?.respond(200, [], 'slow');
  expect((await slow).text).toBe('slow');
  await until(() => host.forgotten.length === 1);
  expect(host.forgotten[0]?.cpuMs).toBe(50);
  control.push([], ['one']);
  await until(() => host.targets.size === 0);
});

test('targets are told again to a host that comes back', async () => {
  const { port, hosts, addHost } = await useGateway({ functions: [routeFunction('one')], hosts: [reflect] });
  await call(port, '/', { fn: 'one' });
  hosts[0]?.die();
  const back = await addHost('host-1', reflect);
  expect((await call(port, '/', { fn: 'one' })).status).toBe(200);
  expect(back.targets.size).toBe(1);
});

test('it starts from its file with the control plane dead, and catches up when that is back', async () => {
  const folder = tempFolder();
  const path = join(folder, 'gateway', 'routes.msgpack');
  const first = await useGateway({ dataFolder: folder, functions: [routeFunction('one'), routeFunction('two')] });
  first.control.push([routeFunction('three')]);
  await until(() => first.control.applied.includes(2));
  await first.gateway.drain(0);
  first.control.close();
  expect(readFileSync(path).length).toBeGreaterThan(100);
  const second = await useGateway({ dataFolder: folder, control: false, hosts: [reflect] });
  expect([await status(second.port, 'one'), await status(second.port, 'three')]).toEqual([200, 200]);
  await second.control.listen(join(folder, 'control.sock'));
  await until(() => second.control.applied.length > 0);
  expect(second.control.subscriptions[0]).toEqual({ epoch: first.control.epoch, revision: 2 });
  // Another life of the store, and an empty one: its table stands.
  expect(await status(second.port, 'one')).toBe(404);
});

test.each([
  ['a flipped bit', (b: Buffer) => { b[b.length - 3] = (b[b.length - 3] ?? 0) ^ 1; return b; }], ['a cut', (b: Buffer) => b.subarray(0, b.length - 9)],
  ['another format', () => Buffer.from('{"functions":[]}')], ['nothing in it', () => Buffer.alloc(0)],
])('a route file with %s is refused and logged, and the control plane serves', async (_what, damage) => {
  const folder = tempFolder();
  const path = join(folder, 'gateway', 'routes.msgpack');
  const first = await useGateway({ dataFolder: folder, functions: [routeFunction('one')] });
  await first.gateway.drain(0);
  first.control.close();
  writeFileSync(path, damage(readFileSync(path)));
  const second = await useGateway({ dataFolder: folder, functions: [routeFunction('two')], hosts: [reflect] });
  expect(second.log.some((line) => line['level'] === 'error' && String(line['msg']).includes('route file'))).toBe(true);
  expect([await status(second.port, 'one'), await status(second.port, 'two')]).toEqual([404, 200]);
});

test('figures are increments, kept while the control plane is away', async () => {
  const { port, control, folder } = await useGateway({ functions: [routeFunction('one')], hosts: [(i) => i.respond(200, [], 'x', { cpuUs: 2_000, cold: [0, 1, 1, 1] })] });
  for (let n = 0; n < 3; n++) await call(port, '/', { fn: 'one' });
  await until(() => control.count('one', 1).statuses['200'] === 3);
  expect(control.count('one', 1).coldStarts).toBe(3);
  control.close();
  await sleep(50);
  for (let n = 0; n < 4; n++) await call(port, '/', { fn: 'one' });
  await call(port, '/', { fn: 'nobody' });
  await sleep(600);
  await control.listen(join(folder, 'control.sock'));
  await until(() => control.count('one', 1).statuses['200'] === 7);
  expect(control.count('', 0).codes['no_route']).toBe(1);
  const node = control.figures.at(-1)?.node;
  expect([node?.inFlight, node?.queued, node?.revision]).toEqual([0, 0, 1]);
  const row = control.figures.flatMap((f) => f.versions).find((v) => v.function === 'one');
  expect(row?.cpuUs.reduce((sum, [, n]) => sum + n, 0)).toBeGreaterThan(0);
});

test('the file is written some time after a change, not with it', async () => {
  const stand = await useGateway({ functions: Array.from({ length: 450 }, (_, n) => routeFunction(`f${n}`)) });
  const path = join(stand.folder, 'gateway', 'routes.msgpack');
  expect(() => readFileSync(path)).toThrow('ENOENT');
  await until(() => existsSync(path));
  expect(readFileSync(path).length).toBeGreaterThan(1_000);
});
