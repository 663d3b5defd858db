// A whole node with a second trust tier: whose hosts run what, whose secrets are where, and a function that changes its tier under load.
import { randomBytes } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deriveTierKey } from '../../../core/crypto/index.ts';
import { filesHolding } from '../../support/control-disk.ts';
import { bootNode, startLoad } from '../../support/node.ts';
import type { TestNode } from '../../support/node.ts';
import { inMemory } from '../../support/process-memory.ts';
import { MODULES, wasmSource } from '../../support/wasm-modules.ts';

/** Answers with its secret reversed, so that the answer itself is nothing to find; `/die` kills its host. */
const SOURCE = `export default { fetch(request, env) {
  if (new URL(request.url).pathname === '/die') new Array(1e8).fill(0);
  return new Response([...env.KEY].reverse().join(''));
} };`;

const reversed = (text: string): string => Array.from(text).toReversed().join('');

describe('a node with a tier of its own for strangers', () => {
  let node: TestNode;
  const secrets = { ours: `ours-${randomBytes(12).toString('hex')}`, theirs: `theirs-${randomBytes(12).toString('hex')}`, moves: `moves-${randomBytes(12).toString('hex')}` };
  beforeAll(async () => {
    node = await bootNode({ hosts: 1, env: { THIMBLE_TIERS: 'lab:1' } });
    await node.deploy('ours', SOURCE, { secrets: { KEY: secrets.ours } });
    await node.deploy('theirs', SOURCE, { tier: 'lab', secrets: { KEY: secrets.theirs } });
    await node.deploy('moves', SOURCE, { secrets: { KEY: secrets.moves } });
  });
  afterAll(async () => void (await node.stop()));

  const hosts = (): string[] => node.processes().map(({ name }) => name).filter((name) => /host-\d$/.test(name)).toSorted();

  it('runs each function on the hosts of its tier', async () => {
    expect(hosts()).toEqual(['host-1', 'lab.host-1']);
    expect((await node.call('ours')).text).toBe(reversed(secrets.ours));
    expect((await node.call('theirs')).text).toBe(reversed(secrets.theirs));
    expect((await node.api('PUT', '/v1/functions/nobody', { tier: 'partner' })).code).toBe('invalid');
  });

  it('keeps secrets and keys of another tier out of a host\'s environment and memory, and all of them out of files', async () => {
    await node.call('ours');
    await node.call('theirs');
    const nodeKey = readFileSync(join(node.dataFolder, 'secret.key'), 'utf8').trim();
    const needles = new Map<string, Buffer>([['node key', Buffer.from(nodeKey)]]);
    for (const tier of ['default', 'lab']) {
      const key = deriveTierKey(nodeKey, tier);
      needles.set(`key of ${tier}`, key).set(`key of ${tier} as text`, Buffer.from(key.toString('base64')));
    }
    needles.set('ours', Buffer.from(secrets.ours)).set('theirs', Buffer.from(secrets.theirs));
    const inDefault = inMemory(node.pidOf('host-1'), needles);
    const inLab = inMemory(node.pidOf('lab.host-1'), needles);
    // What must be there is found: the search works.
    expect([...inDefault]).toEqual(expect.arrayContaining(['key of default', 'ours']));
    expect([...inLab]).toEqual(expect.arrayContaining(['key of lab', 'theirs']));
    for (const name of ['node key', 'key of lab', 'key of lab as text', 'theirs']) expect([...inDefault]).not.toContain(name);
    for (const name of ['node key', 'key of default', 'key of default as text', 'ours']) expect([...inLab]).not.toContain(name);
    for (const host of hosts()) {
      const environment = readFileSync(`/proc/${node.pidOf(host)}/environ`, 'latin1') + readFileSync(`/proc/${node.pidOf(host)}/cmdline`, 'latin1');
      for (const needle of needles.values()) expect(environment).not.toContain(needle.toString('latin1'));
    }
    for (const secret of Object.values(secrets)) expect(filesHolding(node.dataFolder, secret)).toEqual([]);
  }, 60_000);

  it('a host that dies takes only its own tier along', async () => {
    const pid = node.pidOf('host-1');
    const load = startLoad(node, 'ours', { connections: 2 });
    expect(await node.call('theirs', '/die', { timeoutMs: 30_000 })).toMatchObject({ status: 502, code: 'host_lost' });
    await expect.poll(() => hosts(), { timeout: 20_000 }).toEqual(['host-1', 'lab.host-1']);
    // It runs on a penalty host of its own tier now.
    await expect.poll(async () => (await node.call('theirs')).text, { timeout: 30_000 }).toBe(reversed(secrets.theirs));
    expect(node.processes().map(({ name }) => name)).toContain('lab.penalty-1');
    const answers = await load.stop();
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    expect(node.pidOf('host-1')).toBe(pid);
  }, 90_000);

  it('moves a function under load: no call fails, and nothing of it stays with the hosts that it left', async () => {
    const load = startLoad(node, 'moves', { connections: 4 });
    await expect.poll(() => load.answers.length, { timeout: 10_000 }).toBeGreaterThan(50);
    const put = await node.api('PUT', '/v1/functions/moves', { tier: 'lab' });
    expect(put).toMatchObject({ status: 200, body: { tier: 'lab', applied: true } });
    const moved = load.answers.length;
    await expect.poll(() => load.answers.length - moved, { timeout: 10_000 }).toBeGreaterThan(50);
    const answers = await load.stop();
    expect(answers.filter(({ text }) => text !== reversed(secrets.moves))).toEqual([]);
    const isolates = async (host: string): Promise<number> => {
      const metrics = await fetch(`http://127.0.0.1:${node.controlPort}/metrics`, { headers: { authorization: `Bearer ${node.token}` } });
      return Number(new RegExp(`thimble_host_isolates\\{host="${host}"\\} (\\d+)`).exec(await metrics.text())?.[1]);
    };
    // `ours` is all that is left there.
    await expect.poll(() => isolates('host-1'), { timeout: 10_000 }).toBe(1);
    await expect.poll(() => isolates('lab.host-1'), { timeout: 10_000 }).toBeGreaterThanOrEqual(1);
    expect(readdirSync(join(node.dataFolder, 'versions', 'lab')).length).toBeGreaterThanOrEqual(1);
  }, 60_000);

  it('has a group for WebAssembly in each tier, and a penalty host that takes both kinds', async () => {
    const code = `${wasmSource({ add: MODULES.add })}
export default { async fetch(request) {
  if (new URL(request.url).pathname === '/die') new Array(1e8).fill(0);
  return new Response(String((await WebAssembly.instantiate(add)).instance.exports.add(40, 2)));
} };`;
    await node.deploy('code', code, { tier: 'lab', limits: { wasm: true, cpuMs: 500, wallMs: 25_000 } });
    await expect.poll(async () => (await node.call('code')).text, { timeout: 30_000 }).toBe('42');
    expect(node.processes().map(({ name }) => name)).toContain('lab.wasm-1');
    expect(await node.call('code', '/die', { timeoutMs: 30_000 })).toMatchObject({ status: 502, code: 'host_lost' });
    await expect.poll(async () => (await node.call('code')).text, { timeout: 30_000 }).toBe('42');
    const state = (await node.api('GET', '/v1/quarantine')).body['items'] as Record<string, unknown>[];
    await expect.poll(async () => JSON.stringify((await node.api('GET', '/v1/functions/code/stats')).body['standing']), { timeout: 5_000 }).toContain('"state":"penalty"');
    expect(state.every(({ tier }) => tier === 'lab')).toBe(true);
    // Without WebAssembly beside it on the same host.
    await node.deploy('plain', "export default { fetch(request) { if (new URL(request.url).pathname === '/die') new Array(1e8).fill(0); return new Response(typeof WebAssembly); } };", { tier: 'lab' });
    expect(await node.call('plain', '/die', { timeoutMs: 30_000 })).toMatchObject({ status: 502, code: 'host_lost' });
    await expect.poll(async () => (await node.call('plain')).text, { timeout: 30_000 }).toBe('undefined');
  }, 120_000);
});
