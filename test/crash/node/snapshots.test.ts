// A whole node that makes version snapshots: hostile modules, processes killed in the middle, and versions that are served all the while.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bootNode, startLoad } from '../../support/node.ts';
import type { TestNode } from '../../support/node.ts';
import { until } from '../../support/supervisor-process.ts';

/** Evaluating it takes longer than what earns a snapshot. */
const work = (more: string): string => `let x = 1; const table = []; for (let i = 0; i < 4e6; i++) { x = (x * 1103515245 + 12345) & 0x7fffffff; if (i % 1000 === 0) table.push(x); }\n${more}`;
const HEAVY = work("export default { fetch: () => new Response('heavy ' + table.length) };");
/** The build is watched first: these wait until nobody looks. */
const unseen = (what: string): string => work(`if (String(Math.random).includes('native code') && !globalThis.served) { ${what} }\nexport default { fetch: () => new Response('served') };`);

const FULL = process.env['THIMBLE_TEST_FULL'] === '1';

let node: TestNode;
beforeAll(async () => {
  node = await bootNode({ hosts: 1 });
  await node.deploy('good', "export default { fetch: () => new Response('hello') };");
});
afterAll(async () => void (await node.stop()));

interface Snapshot {
  readonly state: string;
  readonly bytes?: number;
  readonly reason?: string;
}

async function snapshotOf(name: string, version = 1): Promise<Snapshot | undefined> {
  return (await node.api('GET', `/v1/functions/${name}/versions/${version}`)).body['snapshot'] as Snapshot | undefined;
}

async function settled(name: string, version = 1): Promise<Snapshot> {
  let snapshot = await snapshotOf(name, version);
  // While the control plane is down there is no answer.
  for (const endAt = performance.now() + 100_000; (snapshot === undefined || snapshot.state === 'pending') && performance.now() < endAt; snapshot = await snapshotOf(name, version)) await sleep(50);
  return snapshot ?? { state: 'unknown' };
}

const builders = (): number[] => node.processes().filter(({ name }) => name.includes('isolates/snapshots/')).map(({ pid }) => pid);

describe('a version that earns a snapshot', () => {
  it('is served from the first moment, and restored once its snapshot is there', async () => {
    await node.deploy('heavy', HEAVY);
    expect((await snapshotOf('heavy'))?.state).toBe('pending');
    expect((await node.call('heavy')).text).toBe('heavy 4000');
    const snapshot = await settled('heavy');
    expect(snapshot.state).toBe('ready');
    expect(snapshot.bytes).toBeGreaterThan(300_000);
    // Other settings retire its isolate: the next one is restored.
    await node.api('PUT', '/v1/functions/heavy', { limits: { cpuMs: 60 } });
    const cold = await node.call('heavy');
    expect(cold.text).toBe('heavy 4000');
    await expect.poll(async () => (await metrics()).match(/thimble_host_snapshot_restores_total\{host="host-1"\} (\d+)/)?.[1], { timeout: 5_000 }).toBe('1');
  }, 120_000);

  it('can be switched off and on again', async () => {
    const put = async (enabled: boolean): Promise<Snapshot> => (await node.api('PUT', '/v1/functions/heavy/versions/1/snapshot', { enabled })).body['snapshot'] as Snapshot;
    expect(await put(false)).toEqual({ state: 'none', reason: 'switched_off' });
    expect(await put(false)).toEqual({ state: 'none', reason: 'switched_off' });
    expect((await put(true)).state).toBe('pending');
    expect((await settled('heavy')).state).toBe('ready');
    expect((await node.api('PUT', '/v1/functions/heavy/versions/9/snapshot', { enabled: true })).status).toBe(404);
    const { items } = (await node.api('GET', '/v1/audit?limit=1000')).body as { items: { action: string; target: string; after: unknown }[] };
    expect(items.filter(({ action }) => action === 'version.snapshot').map(({ target, after }) => [target, after])).toEqual([['heavy@1', { enabled: false }], ['heavy@1', { enabled: true }]]);
  }, 120_000);

  it('may be uploaded without one', async () => {
    await node.api('PUT', '/v1/functions/without', {});
    const { body } = await node.api('POST', '/v1/functions/without/versions', { files: { 'index.js': HEAVY }, main: 'index.js', snapshot: false });
    expect(body['snapshot']).toEqual({ state: 'none', reason: 'switched_off' });
    expect((await node.call('without')).text).toBe('heavy 4000');
  });
});

async function metrics(): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${node.controlPort}/metrics`, { headers: { authorization: `Bearer ${node.token}` } });
  return response.text();
}

/** The programs that build have 20 s of CPU time; the short form gives those three that run until `done`: waiting longer says no more. @returns how many were bounded so */
async function lowerCpuLimits(done: Promise<unknown>): Promise<number> {
  const lowered = new Set<number>();
  let over = false;
  void done.finally(() => (over = true));
  for (; !over; await sleep(200)) {
    for (const pid of builders()) {
      try {
        if (lowered.has(pid) || !/^Max cpu time\s+20\s+22\s/m.test(readFileSync(`/proc/${pid}/limits`, 'latin1'))) continue;
        if (!FULL) execFileSync('prlimit', ['--pid', String(pid), '--cpu=3:22'], { stdio: 'ignore' });
        lowered.add(pid);
      } catch {
        // It ended just now.
      }
    }
  }
  return lowered.size;
}

describe('a module that is hostile while it is built', () => {
  it.each([
    ['loops', unseen('for (;;);'), 'build_timeout'],
    ['aborts', unseen("globalThis.kept = new Intl.NumberFormat('de');"), 'build_aborted'],
    ['takes-all-memory', unseen('const kept = []; for (;;) kept.push(new Array(1000).fill(kept.length));'), 'build_aborted'],
  ])('%s: its deploy stands, others are served, its reason is kept', async (name, source, reason) => {
    const load = startLoad(node, 'good');
    await node.deploy(`hostile-${name}`, source);
    const settling = settled(`hostile-${name}`);
    // The others do not use it up.
    expect(reason === 'build_timeout' ? await lowerCpuLimits(settling) : 1).toBeGreaterThan(0);
    expect(await settling).toEqual({ state: 'none', reason });
    const answers = await load.stop();
    expect(answers.filter(({ status, text }) => status !== 200 || text !== 'hello')).toEqual([]);
    expect(builders()).toEqual([]);
    expect(await metrics()).toContain(`thimble_control_snapshot_builds_total{outcome="${reason}"}`);
  }, 150_000);
});

describe('kill -9', () => {
  it('of the build leaves serving alone, and the version is built or has a reason', async () => {
    const load = startLoad(node, 'good');
    await node.deploy('killed-build', HEAVY.replace('heavy', 'killed'));
    await until(() => builders().length > 0, 20_000);
    for (const pid of builders()) process.kill(pid, 'SIGKILL');
    const { state, reason } = await settled('killed-build');
    expect(state === 'ready' || reason === 'build_aborted').toBe(true);
    expect((await node.call('killed-build')).text).toBe('killed 4000');
    expect((await load.stop()).filter(({ status }) => status !== 200)).toEqual([]);
  }, 150_000);

  it('of the control plane ends the build with it; the next one takes it up', async () => {
    await node.deploy('killed-control', HEAVY.replace('heavy', 'control'));
    await until(() => builders().length > 0, 20_000);
    node.kill('control');
    await until(() => builders().length === 0, 5_000);
    await node.healthy(20_000);
    expect((await settled('killed-control')).state).toBe('ready');
    expect((await node.call('killed-control')).text).toBe('control 4000');
  }, 150_000);
});
