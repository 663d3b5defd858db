// Traffic on a whole node, and the same traffic with the control plane and its disk gone: gateways serve, restart, and serve again.
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bootNode } from '../../support/node.ts';
import type { TestNode } from '../../support/node.ts';

const source = (text: string): string => `export default { fetch: () => new Response('${text}') };`;
const USERS = Array.from({ length: 200 }, (_, i) => `user-${i}`);
const SPLIT = 'header:x-user-id';

let node: TestNode;

/** Version of each user. */
async function served(): Promise<string[]> {
  const versions: string[] = [];
  for (const user of USERS) {
    const answer = await node.call('card', '/', { headers: { 'x-user-id': user } });
    versions.push(answer.status === 200 ? String(answer.headers['x-thimble-version']) : `${answer.status} ${answer.error ?? answer.code ?? ''}`);
  }
  return versions;
}

async function send(weights: Readonly<Record<number, number>>): Promise<void> {
  const split = Object.entries(weights).map(([version, weight]) => ({ version: Number(version), weight }));
  const put = await node.api('PUT', '/v1/functions/card/traffic', { split, sticky: SPLIT });
  expect([put.status, put.body['applied']]).toEqual([200, true]);
}

const moves = (before: readonly string[], after: readonly string[]): Set<string> => new Set(before.flatMap((from, i) => (from === after[i] ? [] : [`${from}>${after[i]}`])));

beforeAll(async () => {
  node = await bootNode();
  for (const text of ['one', 'two', 'three']) await node.deploy('card', source(text), { skew: null });
}, 90_000);
afterAll(() => node.stop());

test('weights that change move callers only from versions that lose to versions that gain', async () => {
  await send({ 1: 50, 2: 50 });
  const halves = await served();
  expect(new Set(halves)).toEqual(new Set(['1', '2']));
  // The first keeps its weight: nobody of it moves, whatever the order of the list.
  await send({ 3: 20, 2: 30, 1: 50 });
  const thirds = await served();
  expect(moves(halves, thirds)).toEqual(new Set(['2>3']));
  await send({ 1: 50, 2: 50 });
  expect(await served()).toEqual(halves);
  await send({ 1: 10, 2: 90 });
  expect(moves(halves, await served())).toEqual(new Set(['1>2']));
});

test('a page stays on its version over a deploy, and goes with the traffic when its version is taken back', async () => {
  await send({ 2: 100 });
  expect((await node.api('PUT', '/v1/functions/card', { skew: { by: 'cookie' } })).status).toBe(200);
  const page = await node.call('card');
  const cookie = String(page.headers['set-cookie']?.[0]).split(';')[0] ?? '';
  expect(cookie).toMatch(/^thimble-version\.card=2\./);
  await send({ 3: 100 });
  const follow = async (): Promise<string> => (await node.call('card', '/app.js', { headers: { cookie } })).text;
  expect([await follow(), (await node.call('card')).text]).toEqual(['two', 'three']);
  await send({ 1: 100 });
  expect(await follow()).toBe('one');
  expect((await node.api('PUT', '/v1/functions/card', { skew: null })).status).toBe(200);
});

const store = (): string => join(node.dataFolder, 'control');

async function restarted(process: 'gateway' | 'host-1'): Promise<void> {
  const was = node.kill(process);
  await expect.poll(() => node.processes().some(({ name, pid }) => name === process && pid !== was), { timeout: 20_000 }).toBe(true);
  await expect.poll(async () => (await node.call('card')).status, { timeout: 20_000 }).toBe(200);
}

test('a control plane that has lost its disk and begins with an empty store takes nothing away', async () => {
  await send({ 1: 40, 2: 35, 3: 25 });
  const before = await served();
  expect(new Set(before)).toEqual(new Set(['1', '2', '3']));
  rmSync(store(), { recursive: true });
  node.kill('control');
  await expect.poll(async () => (await node.api('GET', '/v1/functions')).body, { timeout: 20_000 }).toEqual({ items: [], next: null });
  await expect.poll(() => node.output, { timeout: 10_000 }).toContain('the control plane has another store');
  expect(await served()).toEqual(before);
  // Hosts start functions from files that no record of this store names.
  await restarted('host-1');
  expect(await served()).toEqual(before);
  // What is written now reaches no gateway, and says so.
  expect((await node.api('PUT', '/v1/functions/other')).body).toMatchObject({ applied: false });
  await restarted('gateway');
  expect(await served()).toEqual(before);
}, 90_000);

test('without the control plane and its disk: gateways serve, restart, and serve the same to the same callers', async () => {
  const before = await served();
  // It cannot start any more: its folder is a file.
  rmSync(store(), { recursive: true });
  writeFileSync(store(), 'no folder');
  node.kill('control');
  expect(await served()).toEqual(before);
  await restarted('gateway');
  expect(await served()).toEqual(before);
  await restarted('host-1');
  expect(await served()).toEqual(before);
  const health = JSON.parse((await node.call('card', '/.thimble/readyz')).text) as Record<string, unknown>;
  expect(health).toMatchObject({ status: 'ready' });
  expect(Number(health['revision'])).toBeGreaterThan(0);
}, 90_000);
