// A whole node: versions warm before their first user, kept warm over the death of their host, and a leak under load that costs nobody a request.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bootNode, startLoad } from '../../support/node.ts';
import type { TestNode } from '../../support/node.ts';

let node: TestNode;
beforeAll(async () => {
  node = await bootNode({ hosts: 2 });
}, 90_000);
afterAll(() => node.stop());

const source = (text: string): string => `const id = crypto.randomUUID(); export default { fetch: () => new Response('${text} ' + id) };`;
const metric = async (name: string): Promise<number> => {
  const text = await (await fetch(`http://127.0.0.1:${node.controlPort}/metrics`, { headers: { authorization: `Bearer ${node.token}` } })).text();
  return text.split('\n').filter((line) => line.startsWith(name)).reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
};

/** Switches that waited in vain. */
const late = (): number => node.output.split('traffic turns to a version that is not warm yet').length - 1;

test('the first call of a deployed version finds it warm, and so does the first after a shift and a rollback', async () => {
  await node.deploy('shifted', source('one'));
  const reasons: unknown[] = [];
  const first = async (): Promise<unknown[]> => {
    const { status, text, headers } = await node.call('shifted');
    reasons.push(headers['x-thimble-reason']);
    return [status, text.split(' ')[0]];
  };
  expect(await first()).toEqual([200, 'one']);
  await node.deploy('shifted', source('two'));
  expect(await first()).toEqual([200, 'two']);
  expect((await node.api('POST', '/v1/functions/shifted/rollback')).status).toBe(200);
  expect(await first()).toEqual([200, 'one']);
  expect((await node.api('PUT', '/v1/functions/shifted/traffic', { rules: [], split: [{ version: 2, weight: 100 }] })).status).toBe(200);
  expect(await first()).toEqual([200, 'two']);
  // A machine that takes longer than a switch waits says so.
  expect(reasons.filter((reason) => reason !== undefined).length).toBeLessThanOrEqual(late());
}, 60_000);

test('a module that can not start is deployed all the same, and its first caller hears why', async () => {
  await node.deploy('broken', `throw new Error('not today');`);
  expect((await node.call('broken')).code).toBe('function_threw');
  expect((await node.call('shifted')).status).toBe(200);
}, 30_000);

test('under load, deploys and shifts cost nobody a cold start or an error', async () => {
  await node.deploy('busy', source('0'));
  const load = startLoad(node, 'busy', { connections: 2 });
  for (let i = 1; i <= 5; i++) {
    await node.deploy('busy', source(String(i)));
    await sleep(100);
  }
  const answers = await load.stop();
  expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
  expect(new Set(answers.map(({ text }) => text.split(' ')[0])).size).toBeGreaterThanOrEqual(5);
  // Two connections may meet the same late start.
  expect(answers.filter(({ headers }) => String(headers['x-thimble-reason'] ?? '').startsWith('cold_start')).length).toBeLessThanOrEqual(2 * late());
}, 60_000);

test('keepWarm holds on as many hosts, in stats and metrics, and comes back with a host that died', async () => {
  await node.deploy('kept', source('kept'), { keepWarm: 2 });
  const keptWarm = async (): Promise<unknown> => ((await node.api('GET', '/v1/functions/kept/stats')).body['versions'] as { keptWarm: number }[])[0]?.keptWarm;
  await expect.poll(keptWarm, { timeout: 10_000 }).toBe(2);
  expect(await metric('thimble_host_kept_warm')).toBeGreaterThanOrEqual(2);
  node.kill('host-1');
  await expect.poll(keptWarm, { timeout: 10_000 }).toBe(1);
  await expect.poll(keptWarm, { timeout: 10_000 }).toBe(2);
  expect((await node.api('PUT', '/v1/functions/kept', { keepWarm: 0 })).status).toBeLessThan(300);
  await expect.poll(keptWarm, { timeout: 10_000 }).toBe(0);
}, 60_000);

test('a leak under load: thousands of requests, several retirements, no error', async () => {
  await node.deploy('leak', `const keep = []; export default { fetch() { keep.push(new Uint8Array(200_000).fill(1)); return new Response('ok'); } };`, { limits: { memoryMb: 24, cpuMs: 1_000 } });
  const load = startLoad(node, 'leak', { connections: 16 });
  while (load.answers.length < 3_000) await sleep(50);
  const answers = await load.stop();
  expect(answers.filter(({ status, text }) => status !== 200 || text !== 'ok')).toEqual([]);
  await expect.poll(async () => metric('thimble_host_retired_total'), { timeout: 5_000 }).toBeGreaterThanOrEqual(10);
  // Confined as hosts are, they can still collect.
  expect(await metric('thimble_host_collections_total')).toBeGreaterThan(0);
  const { items } = (await node.api('GET', '/v1/functions/leak/logs')).body as { items: { level: string; fields: { code?: string; limit?: number; used?: number } | null }[] };
  const line = items.find(({ fields }) => fields?.code === 'memory_soft_limit');
  expect([line?.level, line?.fields?.limit]).toEqual(['warn', 19]);
  expect(node.output).toContain('an isolate is retired');
}, 120_000);
