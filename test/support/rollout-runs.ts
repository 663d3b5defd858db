// Many rollouts on a fake clock, each with its own seed: how often, when and by what they were rolled back.
import type { RolloutRecord } from '../../control/rollouts/index.ts';
import { RolloutStand } from './rollout-stand.ts';
import type { Behaviour } from './rollout-stand.ts';

/** Live is watched before the rollout starts. */
const BEFORE_MS = 20_000;

export interface Scenario {
  readonly live: Behaviour;
  readonly canary: Behaviour;
  readonly perSec?: number;
  readonly post: Readonly<Record<string, unknown>>;
  readonly maxMs: number;
  /** The canary is like live until so long after the start. */
  readonly goodForMs?: number;
}

export interface Run {
  readonly record: RolloutRecord;
  /** From the start of the rollout (or of the trouble, where it starts later) to its end, as far as it came. */
  readonly tookMs: number;
  /** Share of all requests that failed, of the first 15 s and until the end where that is later. */
  readonly failed: number;
}

const SPAN_MS = 15_000;

export async function runScenario(scenario: Scenario, seed: number): Promise<Run> {
  const { live, canary, perSec = 200, goodForMs = 0 } = scenario;
  const stand = await RolloutStand.open({ seed, perSec, behaviour: (version, atMs) => (version === 2 && atMs >= BEFORE_MS + goodForMs ? canary : live) });
  await stand.run(BEFORE_MS);
  const { number } = await stand.start({ version: 2, ...scenario.post });
  await stand.run(goodForMs);
  const before = { requests: stand.requests, failed: stand.failed };
  const fromMs = stand.elapsedMs;
  const record = await stand.finish(number, scenario.maxMs);
  const tookMs = stand.elapsedMs - fromMs;
  if (tookMs < SPAN_MS) await stand.run(SPAN_MS - tookMs);
  return { record, tookMs, failed: (stand.failed - before.failed) / (stand.requests - before.requests) };
}

export async function runMany(scenario: Scenario, count: number, seed: number): Promise<Run[]> {
  const runs: Run[] = [];
  for (let i = 0; i < count; i++) runs.push(await runScenario(scenario, (seed + i * 7_919) >>> 0));
  return runs;
}

export interface Summary {
  readonly runs: number;
  readonly rolledBack: number;
  /** Of those that were rolled back, seconds. */
  readonly p50: number;
  readonly p99: number;
  readonly worst: number;
  /** Share of all requests that failed, in the worst run. */
  readonly failed: number;
  readonly by: Readonly<Record<string, number>>;
}

export function summarise(runs: readonly Run[]): Summary {
  const back = runs.filter(({ record }) => record.state === 'rolled_back');
  const times = back.map(({ tookMs }) => tookMs / 1_000).toSorted((a, b) => a - b);
  const at = (q: number): number => times[Math.max(0, Math.ceil(q * times.length) - 1)] ?? Number.NaN;
  const by: Record<string, number> = {};
  for (const { record } of back) by[record.reason?.code ?? ''] = (by[record.reason?.code ?? ''] ?? 0) + 1;
  return { runs: runs.length, rolledBack: back.length, p50: at(0.5), p99: at(0.99), worst: at(1), failed: Math.max(...runs.map((run) => run.failed)), by };
}
