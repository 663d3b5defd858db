// Requests per second at saturation: Thimble and its peers in the same run, in alternating order.
import { loadavg } from 'node:os';
import type { BenchContext } from '../lib/context.ts';
import { verifyAnswer } from '../lib/examples.ts';
import type { Example } from '../lib/examples.ts';
import { autocannon, isGeneratorBound } from '../lib/load.ts';
import type { LoadResult } from '../lib/load.ts';
import { roundOrder } from '../lib/servers.ts';
import type { BenchServer, ServerName } from '../lib/servers.ts';
import { median } from '../lib/stats.ts';
import { formatNumber, formatTable } from '../lib/table.ts';
import type { Cell } from '../lib/table.ts';
import { hasWrk, wrk } from '../lib/wrk.ts';

interface Round extends LoadResult {
  readonly serverCores: number;
  /** Of the services that the example calls. */
  readonly upstreamCores: number;
  /** Undefined where wrk is not installed. */
  readonly wrkPerSec: number | undefined;
}

/** One thread of theirs serves each upstream: near a whole core they have no more to give. */
const UPSTREAM_LIMIT_CORES = 0.85;
/** Where wrk gets this much more out of a server, autocannon was the limit. */
const WRK_MARGIN = 1.15;
/** A server that answered fewer requests than this while warming up gets longer rounds: counts must not depend on where a round happens to end. */
const FEW_ANSWERS = 1_000;
const SLOW_ROUND_S = 8;

async function measureRound(context: BenchContext, server: BenchServer, example: Example, expectBody: string, withWrk: boolean): Promise<Round> {
  const { options } = context;
  const node = await context.thimble();
  const origin = server.origin(example);
  const warm = await autocannon(origin, example, expectBody, options.warmS);
  const roundS = warm.answers < FEW_ANSWERS ? Math.max(options.roundS, SLOW_ROUND_S) : options.roundS;
  const cpuMs = server.cpuMs();
  const upstreamsCpuMs = node.upstreamsCpuMs();
  const result = await autocannon(origin, example, expectBody, roundS);
  if (result.answers === 0) throw new Error(`${origin.server} did not answer ${example.name} within ${roundS} s`);
  return {
    ...result,
    // The server idles while the generator's process starts: only the time under load counts.
    serverCores: (server.cpuMs() - cpuMs) / result.durationMs,
    upstreamCores: (node.upstreamsCpuMs() - upstreamsCpuMs) / result.durationMs,
    wrkPerSec: withWrk ? await wrk(origin, example, roundS) : undefined,
  };
}

/** What the rounds of one server say. */
interface Summary {
  readonly server: ServerName;
  readonly perSec: number;
  readonly wrkPerSec: number | undefined;
  readonly p99Ms: number;
  readonly serverCores: number;
  readonly generatorCores: number;
  readonly byGenerator: boolean;
  readonly byUpstreams: boolean;
  readonly rounds: readonly Round[];
}

function summarise(server: ServerName, rounds: readonly Round[], cores: number): Summary {
  const middle = (of: (round: Round) => number): number => median(rounds.map(of));
  const perSec = middle((round) => round.requestsPerSec);
  const serverCores = middle((round) => round.serverCores);
  const generatorCores = middle((round) => round.generatorCores);
  const byWrk = rounds.map((round) => round.wrkPerSec).filter((value) => value !== undefined);
  const wrkPerSec = byWrk.length === 0 ? undefined : median(byWrk);
  // Without wrk only the generator's own CPU time can tell.
  const crowded = isGeneratorBound(generatorCores) || (generatorCores > serverCores && generatorCores + serverCores > cores * 0.95);
  return {
    server,
    perSec,
    wrkPerSec,
    p99Ms: middle((round) => round.latencyP99Ms),
    serverCores,
    generatorCores,
    byGenerator: wrkPerSec === undefined ? crowded : wrkPerSec > perSec * WRK_MARGIN,
    byUpstreams: middle((round) => round.upstreamCores) >= UPSTREAM_LIMIT_CORES,
    rounds,
  };
}

/** Thimble's figure over the peer's, from the tool that did not limit either of them. */
function ratio(thimble: Summary, peer: Summary): { readonly value: number; readonly tool: 'autocannon' | 'wrk' } {
  const limited = thimble.byGenerator || peer.byGenerator;
  if (limited && thimble.wrkPerSec !== undefined && peer.wrkPerSec !== undefined) return { value: thimble.wrkPerSec / peer.wrkPerSec, tool: 'wrk' };
  return { value: thimble.perSec / peer.perSec, tool: 'autocannon' };
}

async function measureExample(context: BenchContext, servers: readonly BenchServer[], example: Example): Promise<void> {
  const { options, results, machine } = context;
  const expectBody = await context.expectedBody(example);
  const withWrk = hasWrk();
  const rounds = new Map<ServerName, Round[]>(servers.map(({ name }) => [name, []]));
  for (const server of servers) await verifyAnswer(server.origin(example), example, expectBody);
  for (let round = 0; round < options.rounds; round++) {
    for (const server of roundOrder(servers, round)) {
      const result = await measureRound(context, server, example, expectBody, withWrk);
      rounds.get(server.name)?.push(result);
      results.add('throughput_round', {
        example: example.name,
        server: server.name,
        round: round + 1,
        requests_per_sec: result.requestsPerSec,
        wrk_requests_per_sec: result.wrkPerSec ?? null,
        bytes_per_sec: result.bytesPerSec,
        latency_p50_ms: result.latencyP50Ms,
        latency_p99_ms: result.latencyP99Ms,
        server_cores: result.serverCores,
        generator_cores: result.generatorCores,
        upstream_cores: result.upstreamCores,
        load_average_1m: loadavg()[0] ?? 0,
      });
    }
  }
  for (const server of servers) await verifyAnswer(server.origin(example), example, expectBody);
  report(context, example, [...rounds].map(([server, all]) => summarise(server, all, machine.cores)));
}

function report({ results }: BenchContext, example: Example, summaries: readonly Summary[]): void {
  const thimble = summaries.find(({ server }) => server === 'thimble');
  if (thimble === undefined) throw new Error('Thimble was not measured');
  const table: Cell[][] = [];
  for (const summary of summaries) {
    const { value, tool } = ratio(thimble, summary);
    if (summary !== thimble) {
      results.figure(`${example.name}_rps_vs_${summary.server}`, value);
      // Kept whatever the verdict is, so that a reader can judge the choice of the tool.
      results.figure(`${example.name}_rps_vs_${summary.server}_by_autocannon`, thimble.perSec / summary.perSec);
    }
    results.add('throughput', {
      example: example.name,
      server: summary.server,
      requests_per_sec_median: summary.perSec,
      wrk_requests_per_sec_median: summary.wrkPerSec ?? null,
      thimble_ratio: value,
      thimble_ratio_tool: tool,
      server_cores: summary.serverCores,
      generator_cores: summary.generatorCores,
      limited_by_generator: summary.byGenerator,
      limited_by_upstreams: summary.byUpstreams,
    });
    const every = (of: (round: Round) => number | undefined): string => summary.rounds.map((round) => formatNumber(of(round) ?? Number.NaN)).join(' ');
    table.push([
      summary.server,
      summary.perSec,
      summary.wrkPerSec,
      summary === thimble ? undefined : `${formatNumber(value)} × (${tool})${tool === 'wrk' ? `, ${formatNumber(thimble.perSec / summary.perSec)} × (autocannon)` : ''}`,
      summary.p99Ms,
      summary.serverCores,
      summary.generatorCores,
      every((round) => round.requestsPerSec),
      every((round) => round.wrkPerSec),
      summary.byUpstreams ? 'limited by the upstreams' : summary.byGenerator ? 'autocannon: limited by the load generator' : '',
    ]);
  }
  console.log(`\n${example.name}: ${example.method} ${example.path}, requests per second`);
  console.log(formatTable(['server', 'autocannon', 'wrk', 'thimble / it', 'p99 ms', 'server cores', 'autocannon cores', 'autocannon rounds', 'wrk rounds', ''], table));
}

export async function throughput(context: BenchContext): Promise<void> {
  const servers = await context.servers();
  for (const example of context.examples) await measureExample(context, servers, example);
}
