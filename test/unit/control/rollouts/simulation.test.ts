// A thousand rollouts on a fake clock (a hundred in the short form): how often a good version is taken off, and how soon a bad one.
import { describe, expect, it } from 'vitest';
import { runMany, summarise } from '../../../support/rollout-runs.ts';
import { RolloutStand } from '../../../support/rollout-stand.ts';
import type { Run, Scenario } from '../../../support/rollout-runs.ts';
import { seed } from '../../../support/seed.ts';

const FULL = process.env['THIMBLE_TEST_FULL'] === '1';
const RUNS = FULL ? 1_000 : 100;
/** Nobody may wait longer for a bad version. */
const WITHIN_MS = 15_000;

const LIVE = { failing: 0, wallMs: 20 };
/** 20 of 200 requests a second. */
const TEN = { steps: [{ weight: 10, hold: '60s' }] };
const bad = (canary: Partial<Scenario['canary']>, live: Scenario['live'] = LIVE): Scenario => ({ live, canary: { ...live, ...canary }, post: TEN, maxMs: 60_000 });

async function play(name: string, scenario: Scenario, count = RUNS): Promise<readonly Run[]> {
  const runs = await runMany(scenario, count, seed);
  console.log(`${name} (seed ${seed}): ${JSON.stringify(summarise(runs))}`);
  return runs;
}

const late = (runs: readonly Run[]): number => runs.filter(({ record, tookMs }) => record.state !== 'rolled_back' || tookMs > WITHIN_MS).length;

describe('at a step of 10 % and 200 requests a second', { timeout: 600_000 }, () => {
  it('a version that fails 5 % more is taken off within 15 s, and fewer than 1 % of all requests have failed', async () => {
    const runs = await play('5 % more failures', bad({ failing: 0.05 }));
    // At the rate of chance: a version whose first failures are late is not told from a good one.
    expect(late(runs)).toBeLessThanOrEqual(RUNS / 500);
    expect(runs.every(({ record, failed }) => record.reason?.code === 'error_rate' && failed < 0.01)).toBe(true);
  });

  it('so it is where live fails too', async () => {
    const runs = await play('5 % more failures, live fails 0.1 %', bad({ failing: 0.051 }, { ...LIVE, failing: 0.001 }));
    expect(late(runs)).toBeLessThanOrEqual(RUNS / 50);
    expect(runs.every(({ record, failed }) => record.reason?.code === 'error_rate' && failed < 0.01)).toBe(true);
  });

  it('a version that doubles every latency is taken off within 15 s', async () => {
    const runs = await play('doubled latencies', bad({ wallMs: 40 }));
    expect(late(runs)).toBe(0);
    expect(runs.every(({ record, failed }) => record.reason?.code.startsWith('latency_') === true && failed < 0.01)).toBe(true);
  });
});

describe('a version that is like live', { timeout: 1_800_000 }, () => {
  const like = { failing: 0.002, wallMs: 20 };

  it('is taken off in at most 1 of 100 rollouts, looked at four times a second for minutes', async () => {
    const count = FULL ? 5_000 : 100;
    const runs = await play('like live', { live: like, canary: like, post: {}, maxMs: 1_200_000 }, count);
    // The bound is on the chance: so many of so many are what is still likely (three standard deviations).
    expect(runs.filter(({ record }) => record.state !== 'finished').length).toBeLessThanOrEqual(Math.floor(count * 0.01 + 3 * Math.sqrt(count * 0.01 * 0.99)));
  });

  it('is not taken off for what comes over live as well: outages, a slow upstream, a daily rise', async () => {
    // Of every 40 s, 8 in which most requests of all versions fail, and 8 in which all are five times as slow.
    const shaken = (_version: number, atMs: number): Scenario['live'] => {
      const at = (atMs / 1_000) % 40;
      return { failing: at > 12 && at < 20 ? 0.7 : 0.002 + 0.02 * Math.abs(Math.sin(atMs / 100_000)), wallMs: at > 28 && at < 36 ? 100 : 20 };
    };
    const count = FULL ? 1_000 : 20;
    let back = 0;
    for (let i = 0; i < count; i++) {
      const stand = await RolloutStand.open({ seed: seed + i * 101, perSec: 200, behaviour: shaken });
      await stand.run(20_000);
      const { number } = await stand.start({ version: 2, steps: [{ weight: 10, hold: '60s' }, { weight: 50, hold: '60s' }] });
      if ((await stand.finish(number, 600_000)).state !== 'finished') back += 1;
    }
    expect(back).toBeLessThanOrEqual(Math.floor(count * 0.01 + 3 * Math.sqrt(count * 0.01 * 0.99)));
  });
});
