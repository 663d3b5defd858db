// One supervised process with real children: starts, deaths, heartbeats, journals, drains.
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { POLL_MS } from '../../../supervisor/heartbeat.ts';
import { startTicks } from '../../../supervisor/proc.ts';
import { until, useProcess } from '../../support/supervisor-process.ts';

const kill = (pid: number | null, signal: NodeJS.Signals): void => {
  if (pid === null) throw new Error('no process');
  process.kill(pid, signal);
};

/** Looks at the heartbeat as the node does, until the process has a new pid or the time is over. */
async function pollUntilReplaced(fake: ReturnType<typeof useProcess>, withinMs: number): Promise<boolean> {
  const pid = fake.process.pid;
  for (const end = performance.now() + withinMs; performance.now() < end; await sleep(POLL_MS)) {
    fake.process.poll();
    if (fake.process.pid !== pid) return true;
  }
  return false;
}

describe('a supervised process', () => {
  it('is ready once started, and takes messages', async () => {
    const fake = useProcess('good');
    await fake.process.start();
    expect(fake.process.describe('host')).toMatchObject({ name: 'child', kind: 'host', state: 'ready', restarts: 0, pid: fake.pids[0] });
    expect(fake.process.describe('host').residentBytes).toBeGreaterThan(0);
    fake.process.send({ type: 'node-state', processes: [], isolation: null });
    await until(() => fake.notes().includes('message node-state'));
  });

  it('is back within a second after kill -9', async () => {
    const fake = useProcess('good');
    await fake.process.start();
    kill(fake.process.pid, 'SIGKILL');
    const at = performance.now();
    await until(() => fake.process.state !== 'ready');
    await until(() => fake.process.state === 'ready');
    expect(performance.now() - at).toBeLessThan(1_000);
    expect(fake.process.describe('host')).toMatchObject({ restarts: 1, pid: fake.pids[1] });
  });

  it('fails its first start with the reason', async () => {
    await expect(useProcess('refuses').process.start()).rejects.toMatchObject({ code: 'unavailable', cause: { message: expect.stringContaining('internal') as string } });
    await expect(useProcess('dies-at-once').process.start()).rejects.toMatchObject({ code: 'unavailable', cause: { message: 'exit code 3' } });
    await expect(useProcess('never-ready', { readyMs: 400 }).process.start()).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('is started again and again, later each time, while it dies young', async () => {
    const fake = useProcess('dies-when-ready');
    await fake.process.start();
    await until(() => fake.pids.length >= 4);
    expect(fake.process.describe('host').restarts).toBeGreaterThanOrEqual(3);
    await fake.process.drain(500);
    const lives = fake.pids.length;
    await sleep(600);
    expect(fake.pids).toHaveLength(lives);
  });

  it('is left alone while its heart beats', async () => {
    const fake = useProcess('beats');
    await fake.process.start();
    expect(await pollUntilReplaced(fake, 1_500)).toBe(false);
  });

  it('is killed when its heartbeat stands still', async () => {
    const fake = useProcess('falls-silent');
    await fake.process.start();
    const at = performance.now();
    expect(await pollUntilReplaced(fake, 3_000)).toBe(true);
    expect(performance.now() - at).toBeGreaterThan(900);
  });

  it('is killed when it is stopped by a signal', async () => {
    const fake = useProcess('beats');
    await fake.process.start();
    kill(fake.process.pid, 'SIGSTOP');
    expect(await pollUntilReplaced(fake, 3_000)).toBe(true);
  });

  it('is killed when an entry outlives its disposed isolate', async () => {
    const fake = useProcess('stuck');
    await fake.process.start();
    const at = performance.now();
    expect(await pollUntilReplaced(fake, 3_000)).toBe(true);
    expect(performance.now() - at).toBeLessThan(900);
    expect(fake.journals[0]?.cause).toBe('stuck');
  });

  it('leaves a journal of what it had entered, and the next life starts with an empty one', async () => {
    const fake = useProcess('enters');
    await fake.process.start();
    const pid = fake.process.pid;
    kill(pid, 'SIGKILL');
    await until(() => fake.journals.length === 1);
    expect(fake.journals[0]).toEqual({ pid, onThread: { epoch: 7, sequence: 101 }, entered: [{ epoch: 7, sequence: 100 }, { epoch: 7, sequence: 101 }], cause: 'outside' });
    await until(() => fake.process.state === 'ready');
    // Its own undoing: the signal of an abort.
    kill(fake.process.pid, 'SIGABRT');
    await until(() => fake.journals.length === 2);
    expect(fake.journals[1]).toMatchObject({ cause: 'crashed', entered: [{}, {}] });
  });

  it('drains and is not started again', async () => {
    const fake = useProcess('good');
    await fake.process.start();
    const pid = fake.process.pid ?? 0;
    await fake.process.drain(2_000);
    expect(startTicks(pid)).toBeUndefined();
    expect(fake.notes()).toContain('drain 1600');
    await sleep(100);
    expect(fake.pids).toHaveLength(1);
  });

  it('is killed when it does not drain in time', async () => {
    const fake = useProcess('never-drains');
    await fake.process.start();
    const at = performance.now();
    await fake.process.drain(150);
    expect(performance.now() - at).toBeLessThan(1_000);
    expect(startTicks(fake.pids[0] ?? 0)).toBeUndefined();
  });

  it('has its log lines passed on, and other words wrapped', async () => {
    const fake = useProcess('text');
    await fake.process.start();
    await fake.process.drain(1_000);
    await until(() => fake.logs.some(({ msg }) => msg.startsWith('last words')));
    expect(fake.logs).toContainEqual({ level: 'info', name: 'child', msg: 'a line' });
    expect(fake.logs).toContainEqual(expect.objectContaining({ level: 'warn', name: 'child', msg: 'plain words' }));
  });
});
