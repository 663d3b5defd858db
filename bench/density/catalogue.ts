// A node with many more functions than it has room for at once: what that costs at rest, and cold starts under Zipf traffic.
import { loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { countOutcomes, isGood, openLoop } from '../lib/open-loop.ts';
import type { OpenLoopResult } from '../lib/open-loop.ts';
import type { Results } from '../lib/results.ts';
import { percentile, spread } from '../lib/stats.ts';
import { formatNumber, formatTable } from '../lib/table.ts';
import { startThimble } from '../lib/thimble-node.ts';
import type { ThimbleNode } from '../lib/thimble-node.ts';
import { densityCases } from './cases.ts';
import type { DensityCase } from './cases.ts';
import { deployToLiveMs } from './deploys.ts';
import { metricSum, sumMb } from './memory.ts';
import { requestText } from './random-load.ts';
import { seededRandom, shuffled, slope, zipf } from './random.ts';
import { seedFunctions } from './seed.ts';
import type { Seeded } from './seed.ts';
import { measureTablePush } from './table-push.ts';

export interface CatalogueOptions {
  readonly functions: number;
  /** Isolates that the hosts have memory for. */
  readonly warm: number;
  readonly seconds: number;
  readonly perSec: number;
  /** Of Zipf's law. */
  readonly exponent: number;
  readonly deploys: number;
}

/** Environments; functions of one kind and team share a version folder. */
const TEAMS = 100;
const HOSTS = 2;
/** What a host needs without isolates, and what one function is counted with, MB. */
const HOST_MB = 150;
const ISOLATE_MB = 2;
/** Rather than take the machine's memory when nothing is reclaimed. */
const GIVE_UP_MB = 8_000;
const SETTLE_MS = 3_000;
const SAMPLE_MS = 2_000;
const CONNECTIONS = 64;

interface Sample {
  readonly atS: number;
  readonly totalMb: number;
  readonly hostsMb: number;
  readonly isolates: number;
}

async function measureDeploys(node: ThimbleNode, cases: readonly DensityCase[], count: number): Promise<number[]> {
  const all: number[] = [];
  for (let i = 0; i < count; i++) {
    const one = cases[i * 7];
    if (one !== undefined) all.push(await deployToLiveMs(node, one, `deploy ${i}`));
  }
  return all;
}

/** Zipf traffic at a fixed rate; which functions are the popular ones is drawn by lot. Memory is read beside it. */
async function zipfTraffic(node: ThimbleNode, cases: readonly DensityCase[], { seconds, perSec, exponent }: CatalogueOptions): Promise<{ readonly result: OpenLoopResult; readonly samples: readonly Sample[] }> {
  const random = seededRandom(7);
  const byRank = shuffled(cases.length, random);
  const rank = zipf(cases.length, exponent, random);
  const picks = Array.from({ length: seconds * perSec }, () => byRank[rank()] ?? 0);
  const requests = cases.map((one) => ({ text: requestText(one, node.port), body: one.body }));
  const loading = openLoop({ port: node.port, requests, picks, perSec, connections: CONNECTIONS });
  // Reported below; until then nobody listens to it.
  loading.catch(() => {});
  const samples: Sample[] = [];
  const startedMs = performance.now();
  while (performance.now() - startedMs < seconds * 1_000 - SAMPLE_MS) {
    await sleep(SAMPLE_MS);
    // Resident memory as the processes report it themselves: reading their page tables would stop them for milliseconds.
    const text = await node.metrics();
    const totalMb = metricSum(text, 'thimble_process_resident_bytes') / 1_048_576;
    const hostsMb = [...text.matchAll(/^thimble_process_resident_bytes\{name="host-[^}]*\} (\S+)$/gm)].reduce((sum, [, value]) => sum + Number(value), 0) / 1_048_576;
    samples.push({ atS: (performance.now() - startedMs) / 1_000, totalMb, hostsMb, isolates: metricSum(text, 'thimble_host_isolates') });
    if (totalMb > GIVE_UP_MB) throw new Error(`the node has grown to ${formatNumber(totalMb)} MB with ${metricSum(text, 'thimble_host_isolates')} isolates`);
  }
  return { result: await loading, samples };
}

export async function catalogue(options: CatalogueOptions, results: Results): Promise<void> {
  const { functions, warm, seconds, perSec, exponent } = options;
  const cases = await densityCases(functions, TEAMS);
  let seeded: Seeded | undefined;
  const hostMemoryMb = Math.round(HOST_MB + (warm / HOSTS) * ISOLATE_MB);
  const settings = { THIMBLE_EXAMPLES: '0', THIMBLE_HOSTS: String(HOSTS), THIMBLE_HOST_MEMORY_MB: String(hostMemoryMb) };
  const node = await startThimble(settings, undefined, async (folder) => {
    seeded = await seedFunctions(folder, cases);
  });
  try {
    await sleep(SETTLE_MS);
    const before = node.memory();
    const push = await measureTablePush(node.dataFolder, functions);
    const deploys = await measureDeploys(node, cases, options.deploys);
    const { result, samples } = await zipfTraffic(node, cases, options);

    const cold = result.latencyMs.filter((_, i) => result.outcomes[i] === '200 cold');
    const warmMs = result.latencyMs.filter((_, i) => result.outcomes[i] === '200');
    const errors = result.outcomes.filter((outcome) => !isGood(outcome)).length;
    // The first third fills the node; steady is what comes after.
    const steady = samples.filter(({ atS }) => atS > seconds / 3);
    const mbPerMinute = slope(steady.map(({ atS, totalMb }) => [atS / 60, totalMb] as const));
    const live = spread(deploys);
    results.figure('catalogue_errors', errors);
    results.figure('catalogue_cold_p99_ms', percentile(cold, 99));
    results.figure('catalogue_growth_share_per_minute', mbPerMinute / (steady.at(-1)?.totalMb ?? Number.NaN));
    results.figure('catalogue_deploy_to_live_ms', live.max);
    for (const sample of samples) results.add('catalogue_memory', { at_s: sample.atS, total_mb: sample.totalMb, hosts_mb: sample.hostsMb, isolates: sample.isolates });
    const gateway = sumMb(before, 'gateway').rss;
    const control = sumMb(before, 'control').rss;
    results.add('catalogue', {
      functions, seed_ms: seeded?.ms ?? null, version_folders: seeded?.versionFolders ?? null, boot_ms: node.bootMs, table_bytes: push.bytes, table_push_ms: push.ms, gateway_rss_mb: gateway, control_rss_mb: control,
      outcomes: countOutcomes(result.outcomes), mb_per_minute: mbPerMinute, generator_lag_p99_ms: percentile(result.lagMs, 99), load_average_1m: loadavg()[0] ?? 0, host_memory_mb: hostMemoryMb,
    });
    console.log(`\n${functions} deployed functions`);
    console.log(formatTable(['what', 'figure'], [
      ['seeded through the store', `${formatNumber((seeded?.ms ?? 0) / 1_000)} s, ${seeded?.versionFolders ?? 0} version folders`],
      ['start of the node', `${formatNumber(node.bootMs)} ms`],
      ['whole route table', `${formatNumber(push.bytes / 1_048_576)} MB, pushed in ${formatNumber(push.ms)} ms`],
      ['gateway, control plane', `${formatNumber(gateway)} MB, ${formatNumber(control)} MB RSS`],
      ['one more deploy to live', `p50 ${formatNumber(live.p50)} ms, max ${formatNumber(live.max)} ms of ${live.count}`],
    ]));
    const row = (name: string, ms: readonly number[]): (string | number)[] => [name, ms.length, spread(ms).p50, spread(ms).p99, spread(ms).max];
    console.log(`\nZipf traffic (exponent ${exponent}) at ${perSec} requests per second for ${seconds} s, hosts of ${hostMemoryMb} MB; latency from when a request was due`);
    console.log(formatTable(['requests', 'count', 'p50 ms', 'p99 ms', 'max ms'], [row('cold', cold), row('warm', warmMs), row('the generator was late by', result.lagMs)]));
    console.log(`outcomes ${JSON.stringify(countOutcomes(result.outcomes))}`);
    const first = steady[0];
    const last = steady.at(-1);
    console.log(`memory ${formatNumber(first?.totalMb ?? Number.NaN)} MB at ${formatNumber(first?.atS ?? 0)} s, ${formatNumber(last?.totalMb ?? Number.NaN)} MB at the end: ${formatNumber(mbPerMinute)} MB a minute; isolates ${first?.isolates ?? 0} and ${last?.isolates ?? 0}`);
  } finally {
    await node.stop();
  }
}
