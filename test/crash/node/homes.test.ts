// A whole node with two default hosts: many functions have one isolate each, a hot one gets both hosts and gives one back.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, bootNode } from '../../support/node.ts';
import type { TestNode } from '../../support/node.ts';

const HELLO = "export default { fetch() { return new Response('hello'); } };";
/** About 2 ms of CPU time: no long entry. */
const HOT = `
function spin(rounds) { let x = 1; for (let i = 0; i < rounds; i++) x = Math.imul(x, 1103515245) + 12345 | 0; return x; }
export default { fetch() { return new Response(String(spin(2e6))); } };`;
const FUNCTIONS = 40;

interface VersionStats { readonly lane: string; readonly homes: number; readonly isolates: number }

describe('a node with two default hosts', () => {
  let node: TestNode;
  beforeAll(async () => {
    node = await bootNode({ hosts: 2 });
    for (let i = 0; i < FUNCTIONS; i++) await node.deploy(`f${i}`, HELLO);
    await node.deploy('hot', HOT, { limits: { cpuMs: 1_000, wallMs: 20_000 } });
  }, 120_000);
  afterAll(async () => void (await node.stop()));

  const stats = async (name: string): Promise<VersionStats | undefined> => ((await node.api('GET', `/v1/functions/${name}/stats`)).body['versions'] as VersionStats[])[0];

  /** Calls with so many at once until stopped. */
  const flood = (name: () => string, atOnce: number): (() => Promise<void>) => {
    let running = true;
    const clients = Array.from({ length: atOnce }, async () => {
      while (running) expect((await node.call(name(), '/', { timeoutMs: 30_000 })).status).toBe(200);
    });
    return async () => {
      running = false;
      await Promise.all(clients);
    };
  };

  it('random traffic keeps about one isolate for each function, on either host', async () => {
    const stop = flood(() => `f${Math.floor(Math.random() * FUNCTIONS)}`, 32);
    await sleep(3_000);
    await stop();
    for (let i = 0; i < FUNCTIONS; i++) expect((await node.call(`f${i}`)).status).toBe(200);
    await expect.poll(async () => {
      const all = await Promise.all(Array.from({ length: FUNCTIONS }, (_, i) => stats(`f${i}`)));
      const isolates = all.map((one) => one?.isolates ?? 0);
      // The balancer may be moving one just now.
      return isolates.every((n) => n >= 1) && isolates.filter((n) => n > 1).length <= 2 && all.every((one) => one?.homes === 1);
    }, { timeout: 10_000 }).toBe(true);
  }, 60_000);

  it('a host that dies gets its functions back some at a time, and nothing fails', async () => {
    const hostsOf = async (): Promise<number[]> => {
      const text = (await ask(node.controlPort, { path: '/metrics', headers: { authorization: `Bearer ${node.token}` } })).text;
      return ['host-1', 'host-2'].map((host) => Number(new RegExp(`thimble_host_isolates\\{host="${host}"\\} (\\d+)`).exec(text)?.[1] ?? 0));
    };
    for (let i = 0; i < FUNCTIONS; i++) await node.call(`f${i}`);
    await expect.poll(async () => Math.min(...(await hostsOf())), { timeout: 10_000 }).toBeGreaterThan(5);
    // GETs of functions that wait for nothing: what was under way is replayed, but for the one on the thread.
    const failed: (string | undefined)[] = [];
    let running = true;
    const clients = Array.from({ length: 8 }, async () => {
      while (running) {
        const { status, code } = await node.call(`f${Math.floor(Math.random() * FUNCTIONS)}`, '/', { timeoutMs: 30_000 });
        if (status !== 200) failed.push(code);
      }
    });
    node.kill('host-1');
    // Its figures are gone with it, and those of the new one begin at nothing.
    await sleep(1_000);
    await expect.poll(async () => Math.min(...(await hostsOf())), { timeout: 30_000, interval: 100 }).toBeGreaterThan(5);
    running = false;
    await Promise.all(clients);
    expect(failed).toEqual(failed.length === 0 ? [] : ['host_lost']);
    await expect.poll(async () => (await Promise.all(Array.from({ length: FUNCTIONS }, (_, i) => stats(`f${i}`)))).filter((one) => (one?.isolates ?? 0) > 1).length, { timeout: 10_000 }).toBeLessThanOrEqual(2);
  }, 90_000);

  it('a hot function gets a second host, and gives it back when it is calm', async () => {
    const stop = flood(() => 'hot', 24);
    await expect.poll(() => stats('hot'), { timeout: 20_000 }).toMatchObject({ lane: 'fast', homes: 2, isolates: 2 });
    await stop();
    // Now and then a call: never more than one at once.
    await expect.poll(async () => {
      await node.call('hot');
      return stats('hot');
    }, { timeout: 30_000, interval: 200 }).toMatchObject({ homes: 1, isolates: 1 });
  }, 90_000);
});
