// Density: many functions on one node under random traffic beside workerd, and ten thousand deployed ones under Zipf traffic.
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { catalogue } from './density/catalogue.ts';
import { randomTraffic } from './density/random-traffic.ts';
import { judge } from './lib/floors.ts';
import type { Bound } from './lib/floors.ts';
import { installPeers } from './lib/install.ts';
import { BUSY_SHARE, describeMachine } from './lib/machine.ts';
import { BENCH, ROOT } from './lib/paths.ts';
import { Results } from './lib/results.ts';
import { formatNumber } from './lib/table.ts';
import { hasWrk } from './lib/wrk.ts';

const USAGE = `usage: npm run bench:density -- [--check] [--only random|catalogue] [options]
  --check            print "name value floor" lines and exit 1 below a floor
  --only PART        random: beside workerd; catalogue: many deployed functions
  --functions N      functions under random traffic (default 500)
  --rounds N         measured rounds of each server (default 5)
  --round-seconds N  of one round (default 5)
  --warm-calls N     calls of each function, on each server, before the first round (default 400)
  --deployed N       functions of the catalogue (default 10000)
  --warm N           isolates that its hosts have memory for (default 500)
  --seconds N        of Zipf traffic (default 90)
  --rate N           its requests per second (default 100)
  --exponent X       of Zipf's law (default 1)`;

const BOUNDS: readonly Bound[] = [
  { name: 'density_rps_vs_workerd', bound: 2.5, side: 'min' },
  { name: 'density_loaded_pss_mb', bound: 3, side: 'max' },
  { name: 'density_loaded_rss_mb', bound: 3, side: 'max' },
  { name: 'density_idle_pss_mb', bound: 1.6, side: 'max' },
  { name: 'density_idle_rss_mb', bound: 1.6, side: 'max' },
  { name: 'catalogue_errors', bound: 0, side: 'max' },
  { name: 'catalogue_cold_p99_ms', bound: 15, side: 'max' },
  // Steady memory: what a minute adds to it, as a share of all of it.
  { name: 'catalogue_growth_share_per_minute', bound: 0.03, side: 'max' },
  { name: 'catalogue_deploy_to_live_ms', bound: 500, side: 'max' },
];

const { values } = parseArgs({
  options: {
    check: { type: 'boolean', default: false },
    only: { type: 'string' },
    functions: { type: 'string', default: '500' },
    rounds: { type: 'string', default: '5' },
    'round-seconds': { type: 'string', default: '5' },
    'warm-calls': { type: 'string', default: '400' },
    deployed: { type: 'string', default: '10000' },
    warm: { type: 'string', default: '500' },
    seconds: { type: 'string', default: '90' },
    rate: { type: 'string', default: '100' },
    exponent: { type: 'string', default: '1' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(USAGE);
  process.exit(0);
}

function number(name: keyof typeof values): number {
  const value = Number(values[name]);
  if (!(value > 0)) throw new TypeError(USAGE);
  return value;
}

if (values.only !== undefined && values.only !== 'random' && values.only !== 'catalogue') throw new TypeError(USAGE);
const machine = await describeMachine(ROOT);
const results = new Results(join(BENCH, 'results'), new Date());
results.add('machine', { ...machine });
console.log(`${machine.cpu}, ${machine.cores} cores, Node ${machine.node}, commit ${machine.commit}, load average ${formatNumber(machine.loadAverage1m)}`);
if (machine.busyShare > BUSY_SHARE) console.log(`BUSY: others use ${Math.round(machine.busyShare * 100)} % of this machine`);
if (values.only !== 'catalogue') {
  if (!hasWrk()) throw new Error('the random traffic needs wrk (apt-get install wrk)');
  installPeers();
  await randomTraffic({ functions: number('functions'), rounds: number('rounds'), roundS: number('round-seconds'), warmCalls: number('warm-calls') }, results);
}
if (values.only !== 'random') {
  await catalogue({ functions: number('deployed'), warm: number('warm'), seconds: number('seconds'), perSec: number('rate'), exponent: number('exponent'), deploys: 10 }, results);
}
console.log(`\nresults: ${results.file}`);
if (values.check) {
  const { lines, missed } = judge(results.figures, BOUNDS);
  console.log(`\n${lines.join('\n')}`);
  if (missed.length > 0) console.log(`missed: ${missed.join(', ')}`);
  process.exitCode = missed.length > 0 ? 1 : 0;
}
