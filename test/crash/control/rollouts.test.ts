// A control plane that is killed again and again in the middle of a rollout: traffic and record are of one step, and it comes to its end.
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { KEYS, functionRecordSchema, verifyTrail } from '../../../control/model/index.ts';
import { withWeight } from '../../../control/rollouts/split.ts';
import { rolloutHeadSchema, rolloutRecordSchema } from '../../../control/rollouts/records.ts';
import type { RolloutRecord } from '../../../control/rollouts/records.ts';
import { openLmdbStore } from '../../../control/store/index.ts';
import { HELLO } from '../../support/control-plane.ts';
import { useControlProcess } from '../../support/control-process.ts';
import { useTempFolder } from '../../support/control-temp.ts';
import { randomOf, seed } from '../../support/seed.ts';

const KILLS = process.env['THIMBLE_TEST_FULL'] === '1' ? 60 : 3;

/** Reads the disk without the control plane. */
async function onDisk(data: string, number: number): Promise<RolloutRecord> {
  const store = openLmdbStore(join(data, 'control'));
  try {
    const record = rolloutRecordSchema.parse(store.get(KEYS.rollout('card', number))?.value);
    const { traffic } = functionRecordSchema.parse(store.get(KEYS.function('card'))?.value);
    expect(traffic).toEqual(withWeight(record.base, record.version, record.decisions.at(-1)?.weight ?? 0));
    expect(rolloutHeadSchema.parse(store.get(KEYS.rolloutHead('card'))?.value)).toEqual({ last: number, active: record.endedAt === null ? number : null });
    expect(verifyTrail(store)).toBeNull();
    const rows = store.list({ prefix: KEYS.audit, limit: 1_000 }).filter(({ value }) => (value as { readonly action: string }).action.startsWith('rollout.'));
    expect(rows).toHaveLength(record.decisions.length);
    return record;
  } finally {
    await store.close();
  }
}

it('is whole after every SIGKILL', { timeout: 300_000 }, async () => {
  const data = useTempFolder();
  const random = randomOf(seed);
  const steps = [1, 2, 5, 10, 20, 40, 60, 80].map((weight) => ({ weight, hold: 40 }));
  let control = await useControlProcess(data);
  await control.call('PUT', '/v1/functions/card');
  await control.call('POST', '/v1/functions/card/versions', { files: { 'a.js': HELLO }, main: 'a.js' });
  await control.call('POST', '/v1/functions/card/versions', { from: 1 });
  expect((await control.call('POST', '/v1/functions/card/rollouts', { version: 2, steps, minSamples: 0 })).status).toBe(201);
  let record = await (async (): Promise<RolloutRecord> => {
    for (let kills = 0; ; kills++) {
      await sleep(random() * 500);
      await control.kill();
      const found = await onDisk(data, 1);
      control = await useControlProcess(data);
      if (found.endedAt !== null || kills === KILLS - 1) return found;
    }
  })();
  for (const giveUpAt = performance.now() + 30_000; record.endedAt === null && performance.now() < giveUpAt; await sleep(50)) {
    record = rolloutRecordSchema.parse(await withoutHolding(control));
  }
  expect([record.state, record.decisions.length]).toEqual(['finished', steps.length + 1]);
  expect(record.decisions.map(({ step }) => step)).toEqual(Array.from({ length: steps.length + 1 }, (_, index) => index));
  await control.kill();
  expect((await onDisk(data, 1)).state).toBe('finished');
});

async function withoutHolding(control: Awaited<ReturnType<typeof useControlProcess>>): Promise<unknown> {
  const { holding: _, ...record } = (await control.call('GET', '/v1/functions/card/rollouts/1')).body as Readonly<Record<string, unknown>>;
  return record;
}
