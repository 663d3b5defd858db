// One neighbour beside the good function, on a node of its own: quiet first, then with it, in one unbroken measurement.
import { setTimeout as sleep } from 'node:timers/promises';
import { countOutcomes, isGood, openLoop } from '../lib/open-loop.ts';
import type { OpenLoopRequest, OpenLoopResult } from '../lib/open-loop.ts';
import { percentile, spread } from '../lib/stats.ts';
import type { Spread } from '../lib/stats.ts';
import { startThimble } from '../lib/thimble-node.ts';
import type { ThimbleNode } from '../lib/thimble-node.ts';
import { stepsFor20Ms } from './calibrate.ts';
import { GOOD, GOOD_BODY, GOOD_PATH } from './functions.ts';
import type { Neighbour } from './functions.ts';

export interface ScenarioOptions {
  /** Quiet, and as long again with the neighbour. */
  readonly seconds: number;
  /** Requests per second of the good function. */
  readonly perSec: number;
}

/** What the node may take to see what a neighbour is. */
const GRACE_S = 2;
const WARM_S = 4;
/** A call that waits for its wall limit of 10 s must not keep the next ones from being sent. */
const CONNECTIONS = 512;

export interface ScenarioResult {
  readonly quiet: Spread;
  /** From two seconds after the neighbour's start. */
  readonly with: Spread;
  /** Bad answers of the good function in that time. */
  readonly errors: number;
  /** In the seconds before: nothing is claimed about them. */
  readonly graceOutcomes: Readonly<Record<string, number>>;
  readonly errorOutcomes: Readonly<Record<string, number>>;
  readonly generatorLagP99Ms: { readonly quiet: number; readonly with: number };
  /** From when a request was really handed over: without the generator's own lateness, which a busy machine adds to. */
  readonly sinceSentP99Ms: { readonly quiet: number; readonly with: number };
  /** The neighbour's outcomes in each second from its start. */
  readonly timeline: readonly Readonly<Record<string, number>>[];
  /** Processes of hosts that had to be started again. */
  readonly hostDeaths: number;
  /** Of the neighbour, at the end. */
  readonly lane: string;
  readonly steps: number | undefined;
}

async function deploy(node: ThimbleNode, name: string, source: string, settings: object): Promise<void> {
  await node.api('PUT', `/v1/functions/${name}`, settings);
  await node.api('POST', `/v1/functions/${name}/versions`, { files: { 'main.ts': source }, main: 'main.ts' });
}

const requestOf = (node: ThimbleNode, name: string, path: string, body: string | undefined): OpenLoopRequest => ({ text: `GET ${path} HTTP/1.1\r\nHost: ${name}.localhost:${node.port}\r\n\r\n`, body });

const openLoopOf = (node: ThimbleNode, request: OpenLoopRequest, perSec: number, seconds: number): Promise<OpenLoopResult> =>
  openLoop({ port: node.port, requests: [request], picks: Array.from({ length: perSec * seconds }, () => 0), perSec, connections: CONNECTIONS });

async function hostRestarts(node: ThimbleNode): Promise<number> {
  const text = await node.metrics();
  return [...text.matchAll(/^thimble_process_restarts_total\{[^}]*kind="host"[^}]*\} (\S+)$/gm)].reduce((sum, [, value]) => sum + Number(value), 0);
}

async function laneOf(node: ThimbleNode, name: string): Promise<string> {
  const { versions } = (await node.api('GET', `/v1/functions/${name}/stats`)) as { readonly versions?: readonly { readonly lane?: string }[] };
  return versions?.at(-1)?.lane ?? '-';
}

function perSecond(result: OpenLoopResult): Readonly<Record<string, number>>[] {
  const seconds: string[][] = [];
  for (const [i, dueMs] of result.dueMs.entries()) (seconds[Math.floor(dueMs / 1_000)] ??= []).push(result.outcomes[i] ?? '');
  return seconds.map(countOutcomes);
}

export async function runScenario(neighbour: Neighbour, { seconds, perSec }: ScenarioOptions): Promise<ScenarioResult> {
  const node = await startThimble({ THIMBLE_EXAMPLES: '0' });
  try {
    await deploy(node, 'good', GOOD, { tenant: 'good' });
    await deploy(node, neighbour.name, neighbour.source, { tenant: 'neighbour', limits: neighbour.limits, debug: neighbour.name === 'work' });
    const steps = neighbour.name === 'work' ? await stepsFor20Ms(node, neighbour.name) : undefined;
    const good = requestOf(node, 'good', GOOD_PATH, GOOD_BODY);
    const bad = requestOf(node, neighbour.name, steps === undefined ? '/' : `/?steps=${steps}`, undefined);
    await openLoopOf(node, good, perSec, WARM_S);
    const deathsBefore = await hostRestarts(node);

    const measuring = openLoopOf(node, good, perSec, seconds + GRACE_S + seconds);
    // Reported below; until then nobody listens to it.
    measuring.catch(() => {});
    await sleep(seconds * 1_000);
    const neighbourRun = await openLoopOf(node, bad, neighbour.perSec, GRACE_S + seconds);
    const measured = await measuring;
    // Figures arrive twice a second.
    await sleep(1_000);

    const between = (values: readonly number[], fromS: number, toS: number): number[] => values.filter((_, i) => (measured.dueMs[i] ?? 0) >= fromS * 1_000 && (measured.dueMs[i] ?? 0) < toS * 1_000);
    const sinceSentMs = measured.latencyMs.map((ms, i) => ms - (measured.lagMs[i] ?? 0));
    const bads = (fromS: number, toS: number): string[] => measured.outcomes.filter((outcome, i) => !isGood(outcome) && (measured.dueMs[i] ?? 0) >= fromS * 1_000 && (measured.dueMs[i] ?? 0) < toS * 1_000);
    // The neighbour's own process takes some time to start: a second more belongs to neither side.
    const startS = seconds;
    const fromS = startS + GRACE_S + 1;
    const quietErrors = bads(0, startS);
    if (quietErrors.length > 0) throw new Error(`the good function failed while it was alone: ${JSON.stringify(countOutcomes(quietErrors))}`);
    const failed = bads(fromS, Infinity);
    return {
      quiet: spread(between(measured.latencyMs, 0, startS)),
      with: spread(between(measured.latencyMs, fromS, Infinity)),
      errors: failed.length,
      graceOutcomes: countOutcomes(bads(startS, fromS)),
      errorOutcomes: countOutcomes(failed),
      generatorLagP99Ms: { quiet: percentile(between(measured.lagMs, 0, startS), 99), with: percentile(between(measured.lagMs, fromS, Infinity), 99) },
      sinceSentP99Ms: { quiet: percentile(between(sinceSentMs, 0, startS), 99), with: percentile(between(sinceSentMs, fromS, Infinity), 99) },
      timeline: perSecond(neighbourRun),
      hostDeaths: (await hostRestarts(node)) - deathsBefore,
      lane: await laneOf(node, neighbour.name),
      steps,
    };
  } finally {
    await node.stop();
  }
}
