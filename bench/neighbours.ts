// Noisy neighbours: what an endless loop, a memory bomb and a lawful CPU-heavy function do to a good one on the same node.
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadavg } from 'node:os';
import { judge } from './lib/floors.ts';
import type { Bound } from './lib/floors.ts';
import { BUSY_SHARE, describeMachine } from './lib/machine.ts';
import { BENCH, ROOT } from './lib/paths.ts';
import { Results } from './lib/results.ts';
import { formatNumber, formatTable } from './lib/table.ts';
import { NEIGHBOURS } from './neighbours/functions.ts';
import { runScenario } from './neighbours/scenario.ts';
import type { ScenarioResult } from './neighbours/scenario.ts';

const USAGE = `usage: npm run bench:neighbours -- [--check] [--only loop|bomb|work] [--seconds N] [--rate N]
  --check      print "name value floor" lines and exit 1 below a floor
  --only NAME  one neighbour
  --seconds N  quiet, and as long again with the neighbour (default 20)
  --rate N     requests per second of the good function (default 200)`;

/** The claim: p99 with the neighbour <= RATIO x p99 quiet + MORE_MS. */
const RATIO = 2;
const MORE_MS = 2;

const { values } = parseArgs({
  options: { check: { type: 'boolean', default: false }, only: { type: 'string' }, seconds: { type: 'string', default: '20' }, rate: { type: 'string', default: '200' }, help: { type: 'boolean', default: false } },
});
if (values.help) {
  console.log(USAGE);
  process.exit(0);
}
const seconds = Number(values.seconds);
const perSec = Number(values.rate);
const chosen = NEIGHBOURS.filter(({ name }) => values.only === undefined || name === values.only);
if (!(seconds >= 1) || !(perSec >= 1) || chosen.length === 0) throw new TypeError(USAGE);

/** Seconds of equal outcomes in one line: `0-1 s: 50 x 503 cpu_limit_exceeded`. */
function timelineText(timeline: ScenarioResult['timeline']): string {
  const lines: { from: number; to: number; kinds: string; counts: Map<string, number> }[] = [];
  for (const [second, outcomes] of timeline.entries()) {
    const kinds = Object.keys(outcomes).toSorted().join(', ');
    let line = lines.at(-1);
    if (line?.kinds !== kinds) lines.push((line = { from: second, to: second, kinds, counts: new Map() }));
    line.to = second;
    for (const [outcome, count] of Object.entries(outcomes)) line.counts.set(outcome, (line.counts.get(outcome) ?? 0) + count);
  }
  return lines.map(({ from, to, counts }) => `  second ${from === to ? from : `${from} to ${to}`}: ${[...counts].map(([outcome, count]) => `${count} x ${outcome}`).join(', ')}`).join('\n');
}

const machine = await describeMachine(ROOT);
const results = new Results(join(BENCH, 'results'), new Date());
results.add('machine', { ...machine });
console.log(`${machine.cpu}, ${machine.cores} cores, Node ${machine.node}, commit ${machine.commit}, load average ${formatNumber(machine.loadAverage1m)}`);
if (machine.busyShare > BUSY_SHARE) console.log(`BUSY: others use ${Math.round(machine.busyShare * 100)} % of this machine`);
const bounds: Bound[] = [];
for (const neighbour of chosen) {
  const result = await runScenario(neighbour, { seconds, perSec });
  const allowedMs = RATIO * result.quiet.p99 + MORE_MS;
  results.figure(`neighbour_${neighbour.name}_good_errors`, result.errors);
  results.figure(`neighbour_${neighbour.name}_good_p99_over_allowed`, result.with.p99 / allowedMs);
  bounds.push({ name: `neighbour_${neighbour.name}_good_errors`, bound: 0, side: 'max' }, { name: `neighbour_${neighbour.name}_good_p99_over_allowed`, bound: 1, side: 'max' });
  results.add('neighbour', {
    neighbour: neighbour.name, per_sec: neighbour.perSec, good_per_sec: perSec, quiet_p50_ms: result.quiet.p50, quiet_p99_ms: result.quiet.p99, with_p50_ms: result.with.p50, with_p99_ms: result.with.p99,
    with_max_ms: result.with.max, errors: result.errors, grace_outcomes: result.graceOutcomes, host_deaths: result.hostDeaths, lane: result.lane, steps: result.steps ?? null, generator_lag_quiet_p99_ms: result.generatorLagP99Ms.quiet,
    quiet_p99_since_sent_ms: result.sinceSentP99Ms.quiet, with_p99_since_sent_ms: result.sinceSentP99Ms.with, generator_lag_with_p99_ms: result.generatorLagP99Ms.with, load_average_1m: loadavg()[0] ?? 0,
  });
  for (const [second, outcomes] of result.timeline.entries()) results.add('neighbour_second', { neighbour: neighbour.name, second, outcomes });
  console.log(`\n${neighbour.title} at ${neighbour.perSec} requests per second; the good function at ${perSec}, latency from when a request was due`);
  console.log(formatTable(['good function', 'requests', 'p50 ms', 'p99 ms', 'max ms', 'errors', 'generator late p99 ms', 'p99 ms since sent'], [
    ['quiet', result.quiet.count, result.quiet.p50, result.quiet.p99, result.quiet.max, 0, result.generatorLagP99Ms.quiet, result.sinceSentP99Ms.quiet],
    ['with the neighbour', result.with.count, result.with.p50, result.with.p99, result.with.max, result.errors, result.generatorLagP99Ms.with, result.sinceSentP99Ms.with],
  ]));
  console.log(`p99 allowed ${formatNumber(allowedMs)} ms${result.errors > 0 ? `; errors ${JSON.stringify(result.errorOutcomes)}` : ''}; errors in the first seconds ${JSON.stringify(result.graceOutcomes)}; hosts that died ${result.hostDeaths}; the neighbour's lane ${result.lane}`);
  console.log(`what the neighbour got\n${timelineText(result.timeline)}`);
}
console.log(`\nresults: ${results.file}`);
if (values.check) {
  const { lines, missed } = judge(results.figures, bounds);
  console.log(`\n${lines.join('\n')}`);
  if (missed.length > 0) console.log(`missed: ${missed.join(', ')}`);
  process.exitCode = missed.length > 0 ? 1 : 0;
}
