// Many functions on one node under random traffic, beside workerd with as many workers behind its router, taking turns.
import { loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { treeCpuMs, treeMemory } from '../lib/processes.ts';
import type { Results } from '../lib/results.ts';
import { roundOrder } from '../lib/servers.ts';
import { median } from '../lib/stats.ts';
import { formatNumber, formatTable } from '../lib/table.ts';
import { startThimble } from '../lib/thimble-node.ts';
import type { ThimbleNode } from '../lib/thimble-node.ts';
import { densityCases } from './cases.ts';
import type { DensityCase } from './cases.ts';
import { eachMb, metricSum, sumMb } from './memory.ts';
import type { MemoryMb } from './memory.ts';
import { randomLoad } from './random-load.ts';
import { seededRandom } from './random.ts';
import { seedFunctions } from './seed.ts';
import { audited, verifyAll } from './verify.ts';
import { startWorkerdRouter } from './workerd-router.ts';

export interface RandomTrafficOptions {
  readonly functions: number;
  readonly rounds: number;
  /** Of one measured round. */
  readonly roundS: number;
  /** Calls of each function before the first measured round, on each server: as many on a busy machine as on a quiet one. */
  readonly warmCalls: number;
}

/** For buffers of the last requests to be freed, and for figures to arrive. */
const SETTLE_MS = 3_000;

async function emptyNodeMb(): Promise<MemoryMb> {
  const node = await startThimble({ THIMBLE_EXAMPLES: '0' });
  try {
    await sleep(SETTLE_MS);
    return sumMb(node.memory());
  } finally {
    await node.stop();
  }
}

/** Memory while the load runs: reading it stops a process for a moment, so no measured round has it. */
async function loadedMb(node: ThimbleNode, load: () => Promise<number>, seconds: number): Promise<MemoryMb> {
  const loading = load();
  // Reported below; until then nobody listens to it.
  loading.catch(() => {});
  await sleep(seconds * 1_000 - 700);
  const now = sumMb(node.memory());
  await loading;
  return now;
}

/** Load in rounds until every function has been called so often in the mean. */
async function warmUp(cases: readonly DensityCase[], port: number, roundS: number, calls: number): Promise<void> {
  for (let done = 0, round = 0; done < calls * cases.length; round++) done += (await randomLoad(cases, port, roundS, -1 - round)) * roundS;
}

export async function randomTraffic({ functions, rounds, roundS, warmCalls }: RandomTrafficOptions, results: Results): Promise<void> {
  const cases = await densityCases(functions, functions);
  const empty = await emptyNodeMb();
  const node = await startThimble({ THIMBLE_EXAMPLES: '0' }, undefined, async (folder) => void (await seedFunctions(folder, cases)));
  const stops = [(): Promise<void> => node.stop()];
  try {
    await verifyAll(cases, node.port);
    await sleep(SETTLE_MS);
    const idle = eachMb(sumMb(node.memory()), empty, functions);
    const workerd = await startWorkerdRouter(cases);
    stops.push(() => workerd.stop());
    await verifyAll(cases, workerd.port);
    const workerdMb = (): number => sumMb(treeMemory(workerd.pid)).rss;

    const servers = [{ name: 'thimble', port: node.port }, { name: 'workerd', port: workerd.port }] as const;
    const perSec = { thimble: [] as number[], workerd: [] as number[] };
    // CPU time of a server's processes for one request: says more than rates do where others use the machine too.
    const cpuUs = { thimble: [] as number[], workerd: [] as number[] };
    const cpuMs = { thimble: () => node.cpuMs(), workerd: () => treeCpuMs(workerd.pid) };
    for (const { port } of servers) await warmUp(cases, port, roundS, warmCalls);
    for (let round = 0; round < rounds; round++) {
      for (const { name, port } of roundOrder(servers, round)) {
        const before = cpuMs[name]();
        const value = await audited(cases, port, seededRandom(round), randomLoad(cases, port, roundS, round + 1));
        const us = ((cpuMs[name]() - before) * 1_000) / (value * roundS);
        perSec[name].push(value);
        cpuUs[name].push(us);
        results.add('density_round', { server: name, functions, round: round + 1, requests_per_sec: value, cpu_us_per_request: us, load_average_1m: loadavg()[0] ?? 0 });
      }
    }
    const loaded = eachMb(await loadedMb(node, () => randomLoad(cases, node.port, roundS, rounds + 1), roundS), empty, functions);
    const isolates = metricSum(await node.metrics(), 'thimble_host_isolates');
    await sleep(SETTLE_MS);
    const rested = eachMb(sumMb(node.memory()), empty, functions);
    await verifyAll(cases, node.port);

    const ratios = perSec.thimble.map((value, i) => value / (perSec.workerd[i] ?? Number.NaN));
    const ratio = median(perSec.thimble) / median(perSec.workerd);
    results.figure('density_rps_vs_workerd', ratio);
    for (const [name, mb] of [['idle', idle], ['loaded', loaded]] as const) {
      results.figure(`density_${name}_pss_mb`, mb.pss);
      results.figure(`density_${name}_rss_mb`, mb.rss);
    }
    results.add('density_memory', { functions, isolates, empty_rss_mb: empty.rss, empty_pss_mb: empty.pss, rested_pss_mb: rested.pss, rested_rss_mb: rested.rss, workerd_rss_mb: workerdMb() });
    const every = (values: readonly number[]): string => values.map(formatNumber).join(' ');
    console.log(`\nrandom traffic on ${functions} functions, ${rounds} rounds of ${roundS} s after ${warmCalls} calls each`);
    console.log(formatTable(['server', 'requests per second', 'thimble / it', 'CPU µs a request', 'rounds'], [
      ['thimble', median(perSec.thimble), undefined, median(cpuUs.thimble), every(perSec.thimble)],
      ['workerd, one process with a router', median(perSec.workerd), `${formatNumber(ratio)} ×`, median(cpuUs.workerd), every(perSec.workerd)],
      ['thimble / workerd of each round', undefined, undefined, undefined, every(ratios)],
    ]));
    console.log(`\nmemory that one function adds to an empty node (${formatNumber(empty.pss)} MB PSS), all processes; ${isolates} isolates`);
    console.log(formatTable(['when', 'PSS MB', 'RSS MB'], [
      ['idle: each called once', idle.pss, idle.rss],
      ['under load', loaded.pss, loaded.rss],
      [`${SETTLE_MS / 1_000} s after the load`, rested.pss, rested.rss],
      ['workerd after its load, the whole process', undefined, workerdMb() / functions],
    ]));
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}
