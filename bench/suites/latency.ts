// Latency of one connection through the whole path, in microseconds.
import type { BenchContext } from '../lib/context.ts';
import { latenciesUs } from '../lib/latency.ts';
import { roundOrder } from '../lib/servers.ts';
import type { ServerName } from '../lib/servers.ts';
import { median, spread } from '../lib/stats.ts';
import { formatNumber, formatTable } from '../lib/table.ts';
import type { Cell } from '../lib/table.ts';

const ROUNDS = 3;
/** Small answers whose handler does no I/O: what is left is the path. */
const MEASURED = ['hello', 'json'];

export async function latency(context: BenchContext): Promise<void> {
  const { options, results } = context;
  const servers = await context.servers();
  const table: Cell[][] = [];
  for (const example of context.examples.filter(({ name }) => MEASURED.includes(name))) {
    const expectBody = await context.expectedBody(example);
    const rounds = new Map<ServerName, { p50: number; p99: number }[]>(servers.map(({ name }) => [name, []]));
    for (let round = 0; round < ROUNDS; round++) {
      for (const server of roundOrder(servers, round)) {
        const { p50, p99 } = spread(await latenciesUs(server.origin(example), example, expectBody, Math.ceil(options.latencyRequests / ROUNDS)));
        rounds.get(server.name)?.push({ p50, p99 });
        results.add('latency_round', { example: example.name, server: server.name, round: round + 1, latency_p50_us: p50, latency_p99_us: p99 });
      }
    }
    for (const [server, all] of rounds) {
      const p50 = median(all.map((round) => round.p50));
      const p99 = median(all.map((round) => round.p99));
      if (server === 'thimble') {
        results.figure(`${example.name}_one_connection_p50_us`, p50);
        results.figure(`${example.name}_one_connection_p99_us`, p99);
      }
      table.push([example.name, server, p50, p99, all.map((round) => formatNumber(round.p50)).join(' ')]);
    }
  }
  if (table.length === 0) return;
  console.log('\none connection, one request at a time');
  console.log(formatTable(['example', 'server', 'p50 µs', 'p99 µs', 'p50 of each round'], table));
}
