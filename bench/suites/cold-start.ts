// Cold start: the first call of a fresh function, measured at the client, with the phases that the node reports.
import { Agent } from 'node:http';
import type { BenchContext } from '../lib/context.ts';
import { deployFresh } from '../lib/fresh-functions.ts';
import { call } from '../lib/http.ts';
import { spread } from '../lib/stats.ts';
import { formatTable } from '../lib/table.ts';

const PHASES = ['queue', 'isolate', 'restore', 'handler'] as const;
type Phase = (typeof PHASES)[number];

/**
 * Parses `cold_start;queue=0.1;isolate=1.2;restore=0.8;handler=0.3` (RFC 9651 item).
 *
 * @throws Error  it is not the reason of a cold start, or a phase is missing
 */
export function coldPhasesMs(reason: string): Readonly<Record<Phase, number>> {
  const [item, ...parameters] = reason.split(';').map((part) => part.trim());
  const values = new Map(parameters.map((parameter) => parameter.split('=') as [string, string]));
  const read = (phase: Phase): number => {
    const ms = Number(values.get(phase) ?? Number.NaN);
    if (item !== 'cold_start' || !Number.isFinite(ms)) throw new Error(`not the reason of a cold start: ${reason}`);
    return ms;
  };
  return { queue: read('queue'), isolate: read('isolate'), restore: read('restore'), handler: read('handler') };
}

export async function coldStart(context: BenchContext): Promise<void> {
  const { options, results } = context;
  const example = context.example('hello');
  const expectBody = await context.expectedBody(example);
  const node = await context.thimble();
  const names = await deployFresh(node, example, 'cold-', options.coldFunctions);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const first: number[] = [];
  const second: number[] = [];
  const phases = new Map<Phase, number[]>(PHASES.map((phase) => [phase, []]));
  try {
    // The client's own first request compiles its code: it must not count.
    for (let i = 0; i < 50; i++) await call({ port: node.port, path: '/.thimble/livez', agent });
    for (const name of names) {
      const request = { port: node.port, path: example.path, headers: { host: `${name}.localhost:${node.port}` }, agent };
      const cold = await call(request);
      const warm = await call(request);
      if (cold.status !== 200 || cold.body !== expectBody || warm.status !== 200 || warm.body !== expectBody) {
        throw new Error(`${name} answered ${cold.status} ${cold.body}, then ${warm.status} ${warm.body}`);
      }
      const parts = coldPhasesMs(String(cold.headers['x-thimble-reason'] ?? ''));
      if (warm.headers['x-thimble-reason'] !== undefined) throw new Error(`${name}: the second call was no warm start: ${String(warm.headers['x-thimble-reason'])}`);
      for (const phase of PHASES) phases.get(phase)?.push(parts[phase]);
      first.push(cold.ms);
      second.push(warm.ms);
      results.add('cold_start', { function: name, client_ms: cold.ms, warm_client_ms: warm.ms, queue_ms: parts.queue, isolate_ms: parts.isolate, restore_ms: parts.restore, handler_ms: parts.handler });
    }
  } finally {
    agent.destroy();
    for (const name of names) await node.api('DELETE', `/v1/functions/${name}`);
  }
  const client = spread(first);
  results.figure('hello_cold_start_p50_ms', client.p50);
  results.figure('hello_cold_start_p99_ms', client.p99);
  results.figure('node_boot_ms', node.bootMs);
  const row = (name: string, values: readonly number[]): (string | number)[] => {
    const { p50, p99, max } = spread(values);
    return [name, p50, p99, max];
  };
  console.log(`\ncold start of hello, ${first.length} fresh functions, one after the other`);
  console.log(formatTable(['part', 'p50 ms', 'p99 ms', 'max ms'], [
    row('first call, at the client', first),
    ...PHASES.map((phase) => row(`  ${phase}`, phases.get(phase) ?? [])),
    row('second call, at the client', second),
    ['whole node, spawn to ready', node.bootMs, undefined, undefined],
  ]));
}
