// CPU time is not wall time: a host that shares its core with four busy processes kills no lawful function, and an endless loop all the same.
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { BURN, roundsPerMs } from '../../support/isolates-burn.ts';
import { TestHost } from '../../support/isolates-host.ts';

const BUSY = 4;
const CALLS = process.env['THIMBLE_TEST_FULL'] === '1' ? 100 : 15;

/** The first core that this process may use; -1 where affinity can't be set. */
function aCore(): number {
  const allowed = /Cpus_allowed_list:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  const { status } = spawnSync('taskset', ['-c', String(allowed), 'true']);
  return status === 0 ? Number(allowed) : -1;
}

/** Moves all threads of a process to one core. */
function pin(pid: number, core: number): void {
  const { status, stderr } = spawnSync('taskset', ['-a', '-c', '-p', String(core), String(pid)]);
  if (status !== 0) throw new Error(String(stderr));
}

/** CPU time of a process's first thread, milliseconds: what its entries are charged from. */
function loopCpuMs(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
}

const core = aCore();

// Skipped visibly where cores can't be chosen.
test.skipIf(core < 0)('with four busy processes on its core', async () => {
  const host = await TestHost.start();
  const pid = host.process.pid as number;
  const source = `${BURN} export default { async fetch(req) { if (new URL(req.url).pathname === '/spin') for (;;); burn(query(req, 'n')); return new Response('fine'); } };`;
  const calibrated = await host.deploy(source, { function: 'calibrated', cpuMs: 5_000 });
  const n = Math.round((await roundsPerMs(host, calibrated)) * 20);
  const lawful = await host.deploy(source, { function: 'lawful', cpuMs: 50 });
  const endless = await host.deploy(source, { function: 'endless', cpuMs: 50 });
  await host.call(lawful, { path: '/burn?n=1000' });
  await host.call(endless, { path: '/burn?n=1000' });
  const busy: ChildProcess[] = Array.from({ length: BUSY }, () => spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }));
  onTestFinished(() => {
    for (const child of busy) child.kill('SIGKILL');
  });
  for (const child of busy) pin(child.pid as number, core);
  pin(pid, core);
  expect(readdirSync(`/proc/${pid}/task`).length).toBeGreaterThan(3);

  let longestMs = 0;
  for (let i = 0; i < CALLS; i++) {
    const answer = await host.call(lawful, { path: `/burn?n=${n}` });
    expect([i, answer.code, answer.body.toString()]).toEqual([i, null, 'fine']);
    expect(answer.cpuUs).toBeLessThan(50_000);
    longestMs = Math.max(longestMs, answer.ms);
  }
  // Else the core was not contended, and the test has shown nothing.
  expect(longestMs).toBeGreaterThan(50);

  for (let i = 0; i < 5; i++) {
    await host.call(endless, { path: '/burn?n=1000' });
    const before = loopCpuMs(pid);
    const answer = await host.call(endless, { path: '/spin' });
    const used = loopCpuMs(pid) - before;
    expect([answer.code, answer.params?.['limit']]).toEqual(['cpu_limit_exceeded', 50]);
    expect(used).toBeGreaterThan(49);
    expect(used).toBeLessThan(150);
  }
}, 60_000);
