// Idle memory of one isolate, cold starts of this checkout beside those of another commit, and those of a module that takes long to evaluate, in one run.
import { Agent } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { baselineCommit, checkOut } from './lib/checkout.ts';
import { expectedBody, pickExamples } from './lib/examples.ts';
import type { Example } from './lib/examples.ts';
import { deployFresh } from './lib/fresh-functions.ts';
import { call } from './lib/http.ts';
import { BUSY_SHARE, describeMachine } from './lib/machine.ts';
import { BENCH, ROOT } from './lib/paths.ts';
import { Results } from './lib/results.ts';
import { spread } from './lib/stats.ts';
import { formatNumber, formatTable } from './lib/table.ts';
import { startThimble } from './lib/thimble-node.ts';
import type { ThimbleNode } from './lib/thimble-node.ts';
import { coldHeavy } from './suites/cold-heavy.ts';
import { coldPhasesMs } from './suites/cold-start.ts';

const USAGE = `usage: npm run bench:cold -- [REF] [--functions N] [--isolates N] [--heavy N] [--alone] [--only memory|hello|heavy] [--check]
  REF            the commit to compare cold starts with; default: baseline.json
  --functions N  fresh functions on each node (default 150)
  --isolates N   isolates of the memory measurement (default 500)
  --heavy N      functions with a module that takes long to evaluate (default 15)
  --alone        this checkout only
  --only PART    one part of it
  --check        exits 1 when a claim is missed`;

/** Resident memory of an idle isolate after one hello request. */
const IDLE_ISOLATE_MB = 1.6;
/** Cold start p50 over the other commit's, in one run; above it, the claim "no worse" does not hold. */
const COLD_RATIO = 1.05;
/** Cold start of hello at the client, milliseconds. */
const HELLO_P50_MS = 3;
const HELLO_P99_MS = 8;
/** Cold start of 1 MB with 200 ms of initialisation, from its version snapshot. */
const HEAVY_P50_MS = 15;
/** For buffers of the last requests to be freed. */
const SETTLE_MS = 3_000;
const MB = 1_048_576;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    functions: { type: 'string', default: '150' },
    isolates: { type: 'string', default: '500' },
    heavy: { type: 'string', default: '15' },
    alone: { type: 'boolean', default: false },
    only: { type: 'string' },
    check: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(USAGE);
  process.exit(0);
}
const functions = Number(values.functions);
const isolates = Number(values.isolates);
const heavy = Number(values.heavy);
if (!(functions >= 1) || !(isolates >= 1) || !(heavy >= 1)) throw new TypeError(USAGE);

const [hello] = pickExamples(['hello']) as [Example];
const body = await expectedBody(hello, {});
const results = new Results(join(BENCH, 'results'), new Date());
const missed: string[] = [];

function judge(name: string, value: number, ceiling: number): void {
  results.figure(name, value);
  console.log(`${name} ${formatNumber(value)} <=${ceiling}`);
  if (!(value <= ceiling)) missed.push(name);
}

/** One call of a fresh function. @returns the reason it gave, and milliseconds at the client */
async function firstCall(node: ThimbleNode, name: string, agent: Agent): Promise<{ readonly ms: number; readonly reason: string }> {
  const answer = await call({ port: node.port, path: hello.path, headers: { host: `${name}.localhost:${node.port}` }, agent });
  if (answer.status !== 200 || answer.body !== body) throw new Error(`${name} answered ${answer.status} ${answer.body}`);
  return { ms: answer.ms, reason: String(answer.headers['x-thimble-reason'] ?? '') };
}

async function idleMemory(): Promise<void> {
  const node = await startThimble({ THIMBLE_EXAMPLES: '0' });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  try {
    const names = await deployFresh(node, hello, 'idle-', isolates);
    await sleep(SETTLE_MS);
    const hostsBefore = node.hostsResidentBytes();
    const nodeBefore = node.residentBytes();
    for (const name of names) coldPhasesMs((await firstCall(node, name, agent)).reason);
    await sleep(SETTLE_MS);
    const perIsolate = (node.hostsResidentBytes() - hostsBefore) / MB / isolates;
    const perTenant = (node.residentBytes() - nodeBefore) / MB / isolates;
    console.log(`\nmemory of an idle isolate after one hello request, over ${isolates}`);
    console.log(formatTable(['what', 'MB each'], [['hosts (isolates)', perIsolate], ['all processes of the node', perTenant]]));
    results.figure('idle_tenant_resident_mb', perTenant);
    judge('idle_isolate_resident_mb', perIsolate, IDLE_ISOLATE_MB);
  } finally {
    agent.destroy();
    await node.stop();
  }
}

interface Side {
  readonly label: string;
  readonly node: ThimbleNode;
  readonly names: readonly string[];
  readonly agent: Agent;
  readonly ms: number[];
}

/** The nodes take turns, and who goes first changes: what disturbs the machine disturbs both. */
async function coldStarts(sides: readonly Side[]): Promise<void> {
  // The client's own first requests compile its code: they must not count.
  for (const { node, agent } of sides) for (let i = 0; i < 50; i++) await call({ port: node.port, path: '/.thimble/livez', agent });
  for (let i = 0; i < functions; i++) {
    for (const side of i % 2 === 0 ? sides : sides.toReversed()) {
      const { ms, reason } = await firstCall(side.node, side.names[i] ?? '', side.agent);
      coldPhasesMs(reason);
      side.ms.push(ms);
      results.add('cold_start', { commit: side.label, client_ms: ms });
      // Time to make a spare isolate again, as a node at rest has it.
      await sleep(20);
    }
  }
}

async function compareColdStarts(): Promise<void> {
  const other = values.alone ? undefined : checkOut(positionals[0] ?? baselineCommit());
  const sides: Side[] = [];
  try {
    const roots = [...(other === undefined ? [] : [[other.commit, other.folder] as const]), ['this checkout', ROOT] as const];
    for (const [label, root] of roots) {
      const node = await startThimble({ THIMBLE_EXAMPLES: '0' }, root);
      sides.push({ label, node, names: await deployFresh(node, hello, 'cold-', functions), agent: new Agent({ keepAlive: true, maxSockets: 1 }), ms: [] });
    }
    await coldStarts(sides);
    console.log(`\ncold start of hello at the client, ${functions} fresh functions each, taking turns`);
    console.log(formatTable(['node', 'p50 ms', 'p99 ms', 'max ms'], sides.map(({ label, ms }) => [label, spread(ms).p50, spread(ms).p99, spread(ms).max])));
    const own = spread(sides.at(-1)?.ms ?? []);
    judge('hello_cold_start_p50_ms', own.p50, HELLO_P50_MS);
    judge('hello_cold_start_p99_ms', own.p99, HELLO_P99_MS);
    const [before, after] = sides;
    if (before !== undefined && after !== undefined) judge(`cold_start_p50_vs_${before.label}`, spread(after.ms).p50 / spread(before.ms).p50, COLD_RATIO);
  } finally {
    for (const { node, agent } of sides) {
      agent.destroy();
      await node.stop();
    }
    other?.remove();
  }
}

const machine = await describeMachine(ROOT);
console.log(`${machine.cpu}, ${machine.cores} cores, Node ${machine.node}, commit ${machine.commit}, load average ${formatNumber(machine.loadAverage1m)}`);
if (machine.busyShare > BUSY_SHARE) console.log(`BUSY: others use ${Math.round(machine.busyShare * 100)} % of this machine`);
const { only } = values;
if (only === undefined || only === 'memory') await idleMemory();
if (only === undefined || only === 'hello') await compareColdStarts();
if (only === undefined || only === 'heavy') judge('heavy_cold_start_p50_ms', await coldHeavy(results, heavy), HEAVY_P50_MS);
if (missed.length > 0) console.log(`missed: ${missed.join(', ')}`);
process.exitCode = values.check && missed.length > 0 ? 1 : 0;
