// How soon rollouts find a bad version, and how often they suspect a good one: simulated on a fake clock, as a Markdown table. Arguments: runs of each row, seed.
import { runMany, summarise } from '../test/support/rollout-runs.ts';
import type { Scenario } from '../test/support/rollout-runs.ts';

const RUNS = Number(process.argv[2] ?? 200);
const SEED = Number(process.argv[3] ?? 20_260);

const LIVE = { failing: 0.001, wallMs: 20, cpuMs: 4 };
const HOLD = '30m';
const TEN = { steps: [{ weight: 10, hold: HOLD }] };
const MAX_MS = 600_000;

/** What the new version does beside `LIVE`, at 10 % of 200 requests a second. */
const at = (canary: Partial<Scenario['canary']>, more: Partial<Scenario> = {}): Scenario => ({ live: LIVE, canary: { ...(more.live ?? LIVE), ...canary }, post: TEN, maxMs: MAX_MS, ...more });
const wide = { live: { ...LIVE, spread: 1 } };

const ROWS: readonly (readonly [what: string, scenario: Scenario])[] = [
  ['fails always', at({ failing: 1 })],
  ['fails 20 % more', at({ failing: 0.201 })],
  ['fails 5 % more, live never fails', at({ failing: 0.05 }, { live: { ...LIVE, failing: 0 } })],
  ['fails 5 % more', at({ failing: 0.051 })],
  ['fails 5 % more, live fails 1 %', at({ failing: 0.06 }, { live: { ...LIVE, failing: 0.01 } })],
  ['fails 2 % more', at({ failing: 0.021 })],
  ['fails 1 % more', at({ failing: 0.011 })],
  ['fails 0.5 % more', at({ failing: 0.006 })],
  ['fails 5 % more, after five good minutes', at({ failing: 0.051 }, { goodForMs: 300_000 })],
  ['fails 5 % more, at 1 %', at({ failing: 0.051 }, { post: { steps: [{ weight: 1, hold: HOLD }] } })],
  ['fails 5 % more, 20 requests a second in all', at({ failing: 0.051 }, { perSec: 20 })],
  ['fails 0.5 % more, 2,000 requests a second in all', at({ failing: 0.006 }, { perSec: 2_000 })],
  ['every latency × 4', at({ wallMs: 80 })],
  ['every latency × 2', at({ wallMs: 40 })],
  ['every latency × 1.5', at({ wallMs: 30 })],
  ['every latency × 2, p99 is 10 × p50', at({ wallMs: 40 }, wide)],
  ['every latency × 1.5, p99 is 10 × p50', at({ wallMs: 30 }, wide)],
  ['one request in twenty takes 10 × as long', at({ tail: { share: 0.05, times: 10 } })],
  ['CPU × 3', at({ cpuMs: 12 })],
  ['memory × 4 (10 MB)', at({ memoryMb: 40 })],
];

console.log(`| the new version | rolled back | by | half within | 99 % within | all requests failed, worst run |\n| --- | --- | --- | --- | --- | --- |`);
for (const [what, scenario] of ROWS) {
  const { rolledBack, by, p50, p99, failed } = summarise(await runMany(scenario, RUNS, SEED));
  const gates = Object.entries(by).toSorted(([, a], [, b]) => b - a).map(([gate, count]) => `${gate} ${Math.round((count / RUNS) * 100)} %`);
  console.log(`| ${what} | ${((rolledBack / RUNS) * 100).toFixed(1)} % | ${gates.join(', ')} | ${p50.toFixed(1)} s | ${p99.toFixed(1)} s | ${(failed * 100).toFixed(2)} % |`);
}
