// The standby: a restart takes its process, with its journal; another is loaded afterwards; nothing is left of it after close.
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { createLogger } from '../../../core/log/index.ts';
import { StandbyHost } from '../../../supervisor/standby-host.ts';
import { until, useProcess, useTempFolder } from '../../support/supervisor-process.ts';

function useStandby(mode = 'good'): { readonly standby: StandbyHost; readonly spawned: number[]; readonly notes: string } {
  const folder = useTempFolder();
  const spawned: number[] = [];
  const notes = join(folder, 'notes');
  const standby = new StandbyHost({
    command: { nodeFlags: ['--disable-warning=ExperimentalWarning'], entry: join(import.meta.dirname, '../../support/supervisor-fake-child.ts'), args: [mode, notes], environment: {} },
    journalFolder: folder,
    logger: createLogger({ name: 'standby', destination: { write: () => {} } }),
    onSpawn: (pid) => spawned.push(pid),
    onChange: () => {},
    onLogLine: () => {},
  });
  onTestFinished(() => standby.close());
  return { standby, spawned, notes };
}

const gone = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
};

test('a restart takes its process, journal and all, and another one is loaded', async () => {
  const { standby, spawned } = useStandby('enters');
  const { process: child, journals } = useProcess('enters', { standby: () => standby.take() });
  await child.start();
  standby.start();
  standby.start();
  expect(spawned).toHaveLength(1);
  await sleep(400);
  const first = child.pid ?? 0;
  process.kill(first, 'SIGKILL');
  await until(() => child.state === 'ready' && child.pid === spawned[0]);
  await until(() => spawned.length === 2);
  expect(standby.pid).toBe(spawned[1]);
  process.kill(child.pid ?? 0, 'SIGKILL');
  await until(() => journals.length === 2);
  expect(journals.map(({ pid, entered }) => [pid, entered.length])).toEqual([[first, 2], [spawned[0], 2]]);
});

test('without one a restart starts its own', async () => {
  const { standby, spawned } = useStandby();
  const { process: child, pids } = useProcess('good', { standby: () => standby.take() });
  await child.start();
  process.kill(child.pid ?? 0, 'SIGKILL');
  await until(() => child.state === 'ready' && pids.length === 2);
  expect(spawned).toEqual([]);
});

test('one that dies is replaced, later and later, and never handed out', async () => {
  const { standby, spawned } = useStandby('dies-at-once');
  standby.start();
  const first = standby.pid;
  await until(() => standby.pid !== first);
  expect(standby.take()).toBeUndefined();
  await until(() => spawned.length === 2, 3_000);
});

test('close ends it', async () => {
  const { standby, spawned } = useStandby();
  standby.start();
  standby.close();
  await until(() => gone(spawned[0] ?? 0));
  await sleep(700);
  expect(spawned).toHaveLength(1);
  expect(standby.take()).toBeUndefined();
});
