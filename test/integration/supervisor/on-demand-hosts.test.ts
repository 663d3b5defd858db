// Hosts that run on demand: started by a wish, kept alive while it lasts, drained when it ends; and the bounds on their memory.
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createLogger } from '../../../core/log/index.ts';
import { groupMemoryBytes, hostMemory, hostMemoryBytes } from '../../../supervisor/memory-limit.ts';
import { OnDemandHosts } from '../../../supervisor/on-demand-hosts.ts';
import type { ProcessPlan, SupervisedProcess } from '../../../supervisor/supervised-process.ts';
import { until, useProcess } from '../../support/supervisor-process.ts';
import type { FakeProcess } from '../../support/supervisor-process.ts';

const MIB = 1_048_576;

function useHosts(modes: readonly string[]): { readonly hosts: OnDemandHosts; readonly made: FakeProcess[]; readonly gone: SupervisedProcess[] } {
  const made: FakeProcess[] = [];
  const gone: SupervisedProcess[] = [];
  const hosts = new OnDemandHosts({
    plans: [{ name: 'wasm-1' } as ProcessPlan],
    create: () => {
      const fake = useProcess(modes[made.length] ?? 'good');
      made.push(fake);
      return fake.process;
    },
    forget: (process) => gone.push(process),
    logger: createLogger({ name: 'test', destination: { write: () => {} } }),
  });
  return { hosts, made, gone };
}

test('a wish starts it once, and its end drains it', async () => {
  const { hosts, made, gone } = useHosts([]);
  hosts.want(true);
  hosts.want(true);
  await until(() => made[0]?.process.state === 'ready');
  hosts.want(true);
  expect(made).toHaveLength(1);
  hosts.want(false);
  hosts.want(false);
  await until(() => gone.length === 1);
  expect(made[0]?.notes()).toContain('drain 4600');
  await sleep(100);
  expect([made.length, made[0]?.pids.length]).toEqual([1, 1]);
});

test('while it is wanted it comes back after a death', async () => {
  const { hosts, made } = useHosts([]);
  hosts.want(true);
  await until(() => made[0]?.process.state === 'ready');
  process.kill(made[0]?.process.pid ?? 0, 'SIGKILL');
  await until(() => made[0]?.pids.length === 2 && made[0]?.process.state === 'ready');
  expect(made).toHaveLength(1);
});

test('a wish during the drain starts another afterwards', async () => {
  const { hosts, made, gone } = useHosts([]);
  hosts.want(true);
  await until(() => made[0]?.process.state === 'ready');
  hosts.want(false);
  hosts.want(true);
  await until(() => made[1]?.process.state === 'ready');
  expect(gone).toEqual([made[0]?.process]);
});

test('a first start that fails is tried again at the next wish, not before', async () => {
  const { hosts, made, gone } = useHosts(['refuses']);
  hosts.want(true);
  await until(() => gone.length === 1);
  await sleep(200);
  expect(made).toHaveLength(1);
  hosts.want(true);
  await until(() => made[1]?.process.state === 'ready');
});

test('a process that is resident with more than it may is killed and starts again', async () => {
  const fake = useProcess('beats', { residentBytes: 5 * MIB });
  await fake.process.start();
  fake.process.poll();
  await until(() => fake.pids.length === 2);
  expect(fake.logs.some(({ msg }) => msg.includes('too much memory'))).toBe(true);
  const within = useProcess('beats', { residentBytes: 2_000 * MIB });
  await within.process.start();
  within.process.poll();
  await sleep(100);
  expect(within.pids).toHaveLength(1);
});

test('the memory of a group is shared out, within bounds', () => {
  expect(groupMemoryBytes(1, 6_000 * MIB)).toBe(3_000 * MIB);
  expect(groupMemoryBytes(2, 64_000 * MIB)).toBe(2_048 * MIB);
  expect(groupMemoryBytes(64, 64_000 * MIB)).toBe(768 * MIB);
  expect(hostMemoryBytes(2, 24_000 * MIB)).toBe(9_000 * MIB);
  expect(hostMemoryBytes(64, 24_000 * MIB)).toBe(768 * MIB);
  // What is writable is about twice what is resident in a host full of idle isolates.
  expect(hostMemory(768 * MIB, false)).toEqual({ residentBytes: 768 * MIB, dataBytes: 1_792 * MIB });
  expect(hostMemory(768 * MIB, true)).toEqual({ residentBytes: 768 * MIB, dataBytes: 1_024 * MIB });
});
