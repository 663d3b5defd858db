// The benches' entry point: installs the peers, runs the suites, prints tables, and checks the floors.
import { createContext } from './lib/context.ts';
import type { BenchContext } from './lib/context.ts';
import { EXAMPLE_NAMES } from './lib/examples.ts';
import { judge } from './lib/floors.ts';
import { installPeers } from './lib/install.ts';
import { BUSY_SHARE, describeMachine } from './lib/machine.ts';
import type { Machine } from './lib/machine.ts';
import { parseOptions, USAGE } from './lib/options.ts';
import type { BenchOptions, Suite } from './lib/options.ts';
import { BENCH, ROOT } from './lib/paths.ts';
import { Results } from './lib/results.ts';
import { formatNumber } from './lib/table.ts';
import { coldStart } from './suites/cold-start.ts';
import { deploy } from './suites/deploy.ts';
import { latency } from './suites/latency.ts';
import { memory } from './suites/memory.ts';
import { throughput } from './suites/throughput.ts';

const RUN: Readonly<Record<Suite, (context: BenchContext) => Promise<void>>> = {
  throughput,
  latency,
  'cold-start': coldStart,
  deploy,
  memory,
};

/** Latency and single figures first: minutes of load leave a machine hot and its processes grown. */
const ORDER: readonly Suite[] = ['cold-start', 'deploy', 'latency', 'throughput', 'memory'];

function printMachine(machine: Machine): void {
  console.log(`${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB, Linux ${machine.kernel}`);
  console.log(`Node ${machine.node}, V8 ${machine.v8}, commit ${machine.commit}, load average ${formatNumber(machine.loadAverage1m)}`);
  if (machine.busyShare > BUSY_SHARE) {
    console.log(`BUSY: others use ${Math.round(machine.busyShare * 100)} % of this machine; the figures below are too low`);
  }
}

function readOptions(): BenchOptions | 'help' {
  try {
    return parseOptions(process.argv.slice(2), EXAMPLE_NAMES);
  } catch (thrown) {
    console.error(`${String(thrown)}\n${USAGE}`);
    process.exit(2);
  }
}

async function main(): Promise<number> {
  const options = readOptions();
  if (options === 'help') {
    console.log(USAGE);
    return 0;
  }
  installPeers();
  const machine = await describeMachine(ROOT);
  const results = new Results(`${BENCH}/results`, new Date());
  results.add('machine', { ...machine, quick: options.quick });
  printMachine(machine);
  const context = createContext(options, machine, results);
  try {
    for (const suite of ORDER) {
      if (options.suites.includes(suite)) await RUN[suite](context);
    }
  } finally {
    await context.stop();
  }
  console.log(`\nresults: ${results.file}`);
  if (!options.check) return 0;
  const { lines, missed } = judge(results.figures);
  console.log(`\n${lines.join('\n')}`);
  if (missed.length > 0) console.log(`missed: ${missed.join(', ')}`);
  return missed.length > 0 ? 1 : 0;
}

try {
  process.exitCode = await main();
} catch (thrown) {
  console.error(thrown);
  process.exitCode = 1;
}
