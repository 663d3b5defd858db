// Throughput of this checkout over that of another commit, in one run: two nodes of the other commit show the noise, rounds alternate.
import { parseArgs } from 'node:util';
import { baselineCommit, checkOut } from './lib/checkout.ts';
import { expectedBody, pickExamples, verifyAnswer } from './lib/examples.ts';
import { installPeers } from './lib/install.ts';
import { BUSY_SHARE, describeMachine } from './lib/machine.ts';
import { BENCH, ROOT } from './lib/paths.ts';
import { Results } from './lib/results.ts';
import { roundOrder } from './lib/servers.ts';
import { median, percentile } from './lib/stats.ts';
import { formatNumber, formatTable } from './lib/table.ts';
import { startThimble } from './lib/thimble-node.ts';
import type { ThimbleNode } from './lib/thimble-node.ts';
import { join } from 'node:path';
import { autocannon } from './lib/load.ts';
import { hasWrk, wrk } from './lib/wrk.ts';

const USAGE = `usage: npm run bench:compare -- [REF] [--rounds N] [--seconds N]
  REF          the commit to compare with; default: baseline.json
  --rounds N   rounds of each example (default 12)
  --seconds N  of one round (default 3)`;

/** Below this share of the other commit's throughput the run fails, where the noise does not reach that far by itself. */
const FLOOR = 0.97;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '12' }, seconds: { type: 'string', default: '3' }, help: { type: 'boolean', default: false } },
});
if (values.help) {
  console.log(USAGE);
  process.exit(0);
}
const rounds = Number(values.rounds);
const seconds = Number(values.seconds);
if (!(rounds >= 1) || !(seconds >= 1)) throw new TypeError(USAGE);

const machine = await describeMachine(ROOT);
console.log(`${machine.cpu}, ${machine.cores} cores, Node ${machine.node}, commit ${machine.commit}, load average ${formatNumber(machine.loadAverage1m)}`);
if (machine.busyShare > BUSY_SHARE) console.log(`BUSY: others use ${Math.round(machine.busyShare * 100)} % of this machine`);
const withWrk = hasWrk();
if (!withWrk) installPeers();
const results = new Results(join(BENCH, 'results'), new Date());
const other = checkOut(positionals[0] ?? baselineCommit());
/** `same` runs the other commit once more: what its ratio differs from 1 is noise. */
const nodes: { readonly name: 'other' | 'same' | 'this'; readonly node: ThimbleNode }[] = [];
let missed = false;
try {
  nodes.push({ name: 'other', node: await startThimble({}, other.folder) });
  nodes.push({ name: 'same', node: await startThimble({}, other.folder) });
  nodes.push({ name: 'this', node: await startThimble({}, ROOT) });
  for (const example of pickExamples(['hello', 'json'])) {
    const body = await expectedBody(example, {});
    const origin = (node: ThimbleNode) => ({ server: 'thimble', port: node.port, host: `${example.name}.localhost:${node.port}` }) as const;
    const measure = async (node: ThimbleNode, s: number): Promise<number> => (withWrk ? await wrk(origin(node), example, s) : (await autocannon(origin(node), example, body, s)).requestsPerSec);
    const perSec = new Map(nodes.map(({ name }) => [name, [] as number[]]));
    for (const { node } of nodes) {
      await verifyAnswer(origin(node), example, body);
      await measure(node, 3);
    }
    for (let round = 0; round < rounds; round++) {
      for (const { name, node } of roundOrder(nodes, round)) {
        const value = await measure(node, seconds);
        perSec.get(name)?.push(value);
        results.add('compare_round', { example: example.name, node: name, commit: name === 'this' ? machine.commit : other.commit, round: round + 1, requests_per_sec: value });
      }
    }
    for (const { node } of nodes) await verifyAnswer(origin(node), example, body);
    const of = (name: 'other' | 'same' | 'this'): readonly number[] => perSec.get(name) ?? [];
    // Each round against the mean of the other commit's two nodes in the same round: the machine's moods cancel out.
    const paired = (name: 'same' | 'this'): number[] => of(name).map((value, i) => value / (name === 'this' ? ((of('other')[i] ?? 0) + (of('same')[i] ?? 0)) / 2 : (of('other')[i] ?? 0)));
    const ratio = median(paired('this'));
    const noise = median(paired('same'));
    results.figure(`${example.name}_rps_vs_${other.commit}`, ratio);
    results.figure(`${example.name}_rps_noise`, noise);
    const row = (name: string, values: readonly number[], ratios: readonly number[]) => [name, median(values), ratios.length === 0 ? undefined : median(ratios), ratios.length === 0 ? undefined : percentile(ratios, 10), ratios.length === 0 ? undefined : percentile(ratios, 90)];
    console.log(`\n${example.name}: requests per second by ${withWrk ? 'wrk' : 'autocannon'}, ${rounds} rounds of ${seconds} s`);
    console.log(formatTable(['node', 'median', 'ratio', 'p10', 'p90'], [row(other.commit, of('other'), []), row(`${other.commit} again`, of('same'), paired('same')), row('this checkout', of('this'), paired('this'))]));
    const floor = Math.min(FLOOR, noise, 1 / noise);
    console.log(`${example.name}_rps_vs_${other.commit} ${formatNumber(ratio)} ${formatNumber(floor)}`);
    if (!(ratio >= floor)) missed = true;
  }
} finally {
  for (const { node } of nodes) await node.stop();
  other.remove();
}
process.exitCode = missed ? 1 : 0;
