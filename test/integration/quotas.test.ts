// Quotas of tenants on a whole node: memory over hosts, outgoing calls per second, and neighbours that never notice.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bootNode } from '../support/node.ts';
import type { Answer, TestNode } from '../support/node.ts';

const MIB = 1_048_576;
const HOLDING = `const held = Array.from({ length: 40 }, (_, i) => new Uint8Array(131_072).fill(i + 1));
  export default { async fetch(request) { if (request.url.endsWith('/wait')) await new Promise((done) => setTimeout(done, 3_000)); return new Response('held ' + held.length); } };`;
const upstream = createServer((_, response) => response.end('up'));

let node: TestNode;
beforeAll(async () => {
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  node = await bootNode({ hosts: 2, env: { THIMBLE_EGRESS_ALLOW: `127.0.0.1:${(upstream.address() as AddressInfo).port}` } });
});
afterAll(async () => {
  upstream.close();
  await node.stop();
});

const usage = async (tenant: string): Promise<Record<string, unknown>> => (await node.api('GET', `/v1/tenants/${tenant}`)).body['usage'] as Record<string, unknown>;

test('a tenant keeps to its memory: what rests goes, what runs stays, and a further isolate is refused by name', async () => {
  const names = Array.from({ length: 12 }, (_, i) => `held-${i}`);
  for (const name of names) await node.deploy(name, `// ${name}\n${HOLDING}`, { tenant: 'small', limits: { cpuMs: 1_000 } });
  await node.deploy('neighbour', "export default { fetch() { return new Response('well'); } };", { tenant: 'large' });
  const before = await usage('small');
  await node.api('PUT', '/v1/tenants/small', { quotas: { memoryMb: 30 } });
  // One after the other they take turns: each that rests makes room.
  for (const name of [...names, ...names]) {
    await expect.poll(async () => (await node.call(name)).text, { timeout: 10_000, interval: 300 }).toBe('held 40');
  }
  await expect.poll(async () => Number((await usage('small'))['memoryBytes']), { timeout: 10_000 }).toBeLessThan(30 * MIB);
  expect(before['functions']).toBe(12);
  // All at once there is no room: those that run go on, the rest is refused.
  const answers: Answer[] = await Promise.all(names.map(async (name) => node.call(name, '/wait')));
  const refused = answers.filter(({ status }) => status === 503);
  expect(answers.filter(({ text }) => text === 'held 40').length).toBeGreaterThanOrEqual(2);
  expect(refused.length).toBeGreaterThanOrEqual(2);
  expect(new Set(refused.map(({ code }) => code))).toEqual(new Set(['tenant_memory_exceeded']));
  expect((await node.call('neighbour')).text).toBe('well');
  await expect.poll(async () => (await usage('small'))['codes'], { timeout: 5_000 }).toMatchObject({ tenant_memory_exceeded: expect.any(Number) as number });
  await node.api('PUT', '/v1/tenants/small', { quotas: {} });
  await expect.poll(async () => (await Promise.all(names.map(async (name) => node.call(name)))).every(({ status }) => status === 200), { timeout: 10_000 }).toBe(true);
}, 90_000);

test('outgoing calls per second hold over all functions of the tenant', async () => {
  const url = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}/`;
  const source = `export default { async fetch() { const codes = []; for (let i = 0; i < 10; i++) { try { codes.push(await (await fetch(${JSON.stringify(url)})).text()); } catch (error) { codes.push(error.name + ' ' + error.code); } } return Response.json(codes); } };`;
  for (const name of ['calls-a', 'calls-b']) await node.deploy(name, `// ${name}\n${source}`, { tenant: 'caller', limits: { cpuMs: 1_000 } });
  await node.deploy('calls-c', source, { tenant: 'other-caller', limits: { cpuMs: 1_000 } });
  await node.api('PUT', '/v1/tenants/caller', { quotas: { subrequestsPerSec: 5 } });
  const codes = async (name: string): Promise<string[]> => JSON.parse((await node.call(name)).text) as string[];
  await expect.poll(async () => [...(await codes('calls-a')), ...(await codes('calls-b'))].filter((code) => code === 'TypeError tenant_subrequests_limited').length, { timeout: 10_000 }).toBeGreaterThan(5);
  expect(await codes('calls-c')).toEqual(Array.from({ length: 10 }, () => 'up'));
}, 60_000);
