// The control plane with a full catalogue: how quickly it starts, how quickly a change of traffic is on every gateway, and what the table costs a gateway.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { measureChanges } from './control/changes.ts';
import { seedCatalogue } from './control/seed.ts';
import { measureControlStart } from './control/start.ts';
import { sumMb } from './density/memory.ts';
import { measureTablePush } from './density/table-push.ts';
import { judge } from './lib/floors.ts';
import type { Bound } from './lib/floors.ts';
import { BUSY_SHARE, describeMachine } from './lib/machine.ts';
import { BENCH, ROOT } from './lib/paths.ts';
import { processCpuMs } from './lib/processes.ts';
import { Results } from './lib/results.ts';
import { median, spread } from './lib/stats.ts';
import { formatNumber, formatTable } from './lib/table.ts';
import { startThimble } from './lib/thimble-node.ts';

const USAGE = `usage: npm run bench:control -- [--check] [options]
  --check         print "name value floor" lines and exit 1 above a ceiling
  --functions N   functions of the catalogue (default 10000)
  --versions N    versions of each (default 5)
  --changes N     changes of traffic (default 500)
  --starts N      starts of the control plane (default 5)
  --settle N      seconds before memory is read (default 5)`;

const BOUNDS: readonly Bound[] = [
  { name: 'control_change_applied_p99_ms', bound: 100, side: 'max' },
  { name: 'control_start_ms', bound: 2_000, side: 'max' },
  { name: 'control_gateway_table_mb', bound: 100, side: 'max' },
];

const { values } = parseArgs({
  options: {
    check: { type: 'boolean', default: false }, help: { type: 'boolean', default: false }, functions: { type: 'string', default: '10000' }, versions: { type: 'string', default: '5' },
    changes: { type: 'string', default: '500' }, starts: { type: 'string', default: '5' }, settle: { type: 'string', default: '5' },
  },
});
if (values.help) {
  console.log(USAGE);
  process.exit(0);
}

function number(name: 'functions' | 'versions' | 'changes' | 'starts' | 'settle'): number {
  const value = Number(values[name]);
  if (!(value > 0)) throw new TypeError(USAGE);
  return value;
}

const sizes = { functions: number('functions'), versions: number('versions') };
const settleMs = number('settle') * 1_000;
// Versions are started before traffic turns to them, as on any node.
const SETTINGS = { THIMBLE_EXAMPLES: '0', THIMBLE_HOSTS: '2', THIMBLE_PREWARM: '1' };

const machine = await describeMachine(ROOT);
const results = new Results(join(BENCH, 'results'), new Date());
results.add('machine', { ...machine });
console.log(`${machine.cpu}, ${machine.cores} cores, Node ${machine.node}, commit ${machine.commit}, load average ${formatNumber(machine.loadAverage1m)}`);
if (machine.busyShare > BUSY_SHARE) console.log(`BUSY: others use ${Math.round(machine.busyShare * 100)} % of this machine`);

const empty = await startThimble(SETTINGS);
await sleep(settleMs);
const emptyMb = sumMb(empty.memory(), 'gateway').rss;
await empty.stop();

const folder = mkdtempSync(join(tmpdir(), 'thimble-bench-control-'));
let seedMs = 0;
try {
  const seededMs = performance.now();
  await seedCatalogue(folder, sizes);
  seedMs = performance.now() - seededMs;
  const starts = [];
  for (let i = 0; i < number('starts'); i++) starts.push(await measureControlStart(folder, processCpuMs));
  for (const { ms, cpuMs } of starts) results.add('control_start', { ms, cpu_ms: cpuMs });
  results.figure('control_start_ms', median(starts.map(({ ms }) => ms)));
  const cpu = median(starts.map(({ cpuMs }) => cpuMs));
  console.log(`\n${sizes.functions} functions with ${sizes.versions} versions each, seeded in ${formatNumber(seedMs / 1_000)} s`);
  console.log(`start of the control plane: ${starts.map(({ ms }) => formatNumber(ms)).join(', ')} ms; ${formatNumber(cpu)} ms of CPU time`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

const node = await startThimble(SETTINGS, undefined, (dataFolder) => seedCatalogue(dataFolder, sizes));
try {
  await sleep(settleMs);
  const push = await measureTablePush(node.dataFolder, sizes.functions);
  const fullMb = sumMb(node.memory(), 'gateway').rss;
  results.figure('control_gateway_table_mb', fullMb - emptyMb);
  const cpuBeforeMs = node.cpuMs();
  const changes = spread(await measureChanges(node, sizes, number('changes')));
  const cpuEachMs = (node.cpuMs() - cpuBeforeMs) / changes.count;
  results.figure('control_change_applied_p50_ms', changes.p50);
  results.figure('control_change_applied_p99_ms', changes.p99);
  await sleep(settleMs);
  const afterMb = sumMb(node.memory(), 'gateway').rss;
  const controlMb = sumMb(node.memory(), 'control').rss;
  results.add('control', { ...sizes, table_bytes: push.bytes, table_push_ms: push.ms, gateway_empty_mb: emptyMb, gateway_mb: fullMb, gateway_after_changes_mb: afterMb, control_mb: controlMb, change_cpu_ms: cpuEachMs });
  console.log(formatTable(['what', 'figure'], [
    ['whole route table', `${formatNumber(push.bytes / 1_048_576)} MB, pushed in ${formatNumber(push.ms)} ms`],
    ['gateway: empty, with the table, after the changes', `${[emptyMb, fullMb, afterMb].map((mb) => formatNumber(mb)).join(', ')} MB RSS`],
    ['control plane', `${formatNumber(controlMb)} MB RSS`],
    ['change of traffic to applied', `p50 ${formatNumber(changes.p50)}, p99 ${formatNumber(changes.p99)}, max ${formatNumber(changes.max)} ms of ${changes.count}; ${formatNumber(cpuEachMs)} ms of the node's CPU time each`],
  ]));
} finally {
  await node.stop();
}
console.log(`\nresults: ${results.file}`);
if (values.check) {
  const { lines, missed } = judge(results.figures, BOUNDS);
  console.log(`\n${lines.join('\n')}`);
  if (missed.length > 0) console.log(`missed: ${missed.join(', ')}`);
  process.exitCode = missed.length > 0 ? 1 : 0;
}
