// Budgets are CPU time: on a core that four busy processes share, a lawful function lives, and an endless loop still dies in time.
import { execFileSync, spawn } from 'node:child_process';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { bootNode } from '../../support/node.ts';
import type { TestNode } from '../../support/node.ts';

const CORE = '0';
const BUSY = 4;
const CALLS = process.env['THIMBLE_TEST_FULL'] === '1' ? 200 : 25;
/** Fewer than bring a quarantine. */
const KILLS = 4;
const BUDGET_MS = 50;
const LAWFUL_MS = 20;

/** Works as long as it is told, and says nothing: its clock stands still. */
const WORK = "export default { fetch(request) { const n = Number(new URL(request.url).searchParams.get('n')); let x = 1; for (let i = 0; i < n; i++) x = (x * 16807) % 2147483647; return new Response(String(x)); } };";
const LOOP = "export default { fetch(request) { if (new URL(request.url).pathname === '/spin') for (;;); return new Response('x'); } };";

describe('on a core with four busy processes', () => {
  let node: TestNode;
  const busy: ReturnType<typeof spawn>[] = [];
  beforeAll(async () => {
    node = await bootNode({ hosts: 1 });
    await node.deploy('work', WORK, { limits: { cpuMs: BUDGET_MS, wallMs: 60_000 }, debug: true });
    await node.deploy('loop', LOOP, { limits: { cpuMs: BUDGET_MS, wallMs: 60_000 } });
    await node.call('loop');
    // Every thread: the watch has to manage on the same core.
    execFileSync('taskset', ['-a', '-c', '-p', CORE, String(node.pidOf('host-1'))]);
  });
  afterEach(() => {
    for (const child of busy.splice(0)) child.kill('SIGKILL');
  });
  afterAll(async () => node.stop());

  /** CPU milliseconds of one call as the node has charged them; NaN when it failed. */
  const cost = async (n: number): Promise<number> => {
    const answer = await node.call('work', `/?n=${n}`, { timeoutMs: 60_000 });
    return answer.status === 200 ? Number(/cpu;dur=([\d.]+)/.exec(String(answer.headers['server-timing']))?.[1]) : Number.NaN;
  };

  it(`a function of ${LAWFUL_MS} ms of CPU time is never killed, an endless loop dies of its ${BUDGET_MS} ms`, async () => {
    // How much work that is on this machine: measured before the others start, when the code is compiled.
    // What disturbs a measurement makes it look like more: the largest of the last ones was disturbed least.
    let n = 1_000_000;
    const last: number[] = [];
    for (let i = 0; i < 8; i++) {
      const ms = await cost(n);
      expect(ms).toBeGreaterThan(0);
      n = Math.min(4 * n, Math.round((n * LAWFUL_MS) / ms));
      if (i >= 4) last.push(n);
    }
    n = Math.max(...last);
    for (let i = 0; i < BUSY; i++) busy.push(spawn('taskset', ['-c', CORE, process.execPath, '-e', 'for (;;);'], { stdio: 'ignore' }));
    const host = node.pidOf('host-1');

    const costs: number[] = [];
    const walls: number[] = [];
    for (let i = 0; i < CALLS; i++) {
      const startedAt = performance.now();
      costs.push(await cost(n));
      walls.push(performance.now() - startedAt);
    }
    expect(costs.filter(Number.isNaN)).toEqual([]);
    const median = (all: readonly number[]): number => all.toSorted((a, b) => a - b)[all.length >> 1] ?? 0;
    // Else nothing was tested: it did work, and it did wait for the core.
    expect(median(costs)).toBeGreaterThan(LAWFUL_MS / 2);
    expect(median(walls)).toBeGreaterThan(2 * median(costs));

    for (let i = 0; i < KILLS; i++) {
      const answer = await node.call('loop', '/spin', { timeoutMs: 60_000 });
      const used = Number(/^cpu_limit_exceeded;limit=50;used=(\d+)/.exec(String(answer.headers['x-thimble-reason']))?.[1]);
      expect([answer.status, used <= BUDGET_MS + 100, used]).toEqual([503, true, used]);
      expect((await node.call('loop', '/', { timeoutMs: 60_000 })).text).toBe('x');
    }
    expect(node.pidOf('host-1')).toBe(host);
  }, 180_000);
});
