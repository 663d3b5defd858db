// What the host's run queue costs where nobody waits, and what it saves where somebody does: this checkout beside the commit before it, in turns.
import { parseArgs } from 'node:util';
import { BareHost } from '../../lib/bare-host.ts';
import { checkOut } from '../../lib/checkout.ts';
import { ROOT } from '../../lib/paths.ts';
import { median, percentile } from '../../lib/stats.ts';
import { formatTable } from '../../lib/table.ts';

const USAGE = `usage: node bench/micro/isolates/run-queue.bench.ts [REF | FOLDER] [--rounds N]
  REF         the commit to compare with (default 6582971, the last one without a queue), or the folder of a checkout
  --rounds N  rounds of each measurement (default 8)`;

const { values, positionals } = parseArgs({ allowPositionals: true, options: { rounds: { type: 'string', default: '8' }, help: { type: 'boolean', default: false } } });
if (values.help) {
  console.log(USAGE);
  process.exit(0);
}
const rounds = Number(values.rounds);
if (!(rounds >= 1)) throw new TypeError(USAGE);

const HELLO = 'const handler = () => new Response("hello");';
/** About 10 ms of CPU time. */
const FLOOD = 'const handler = () => { let x = 1; for (let i = 0; i < 7_000_000; i++) x = (x * 31 + i) | 0; return new Response(String(x)); };';
const BATCH = 2_000;
const AT_ONCE = 64;
const BURST = 40;

/** CPU time of the loop per invocation, microseconds, with so many always under way: it does not depend on how busy the machine is. */
async function cost(host: BareHost, target: number): Promise<number> {
  const before = host.loopCpuMs();
  let left = BATCH;
  const worker = async (): Promise<void> => {
    for (; left > 0; left--) await host.call(target);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return ((host.loopCpuMs() - before) * 1_000) / BATCH;
}

interface Wait {
  readonly ms: number;
  /** Entries of the burst that came first: on a busy machine the time says more about the machine. */
  readonly behind: number;
}

/** Calls of a cheap function while a burst of another lasts: the first right behind it. */
async function beside(host: BareHost, cheap: number, flood: number): Promise<Wait[]> {
  let done = 0;
  const burst = Array.from({ length: BURST }, async () => {
    await host.call(flood);
    done += 1;
  });
  const waits: Wait[] = [];
  while (done < BURST) {
    const before = done;
    const ms = await host.call(cheap);
    waits.push({ ms, behind: done - before });
  }
  await Promise.all(burst);
  return waits;
}

const given = positionals[0] ?? '6582971';
const other = given.includes('/') ? { folder: given, commit: given, remove: () => {} } : checkOut(given);
const hosts: { readonly name: string; readonly host: BareHost; readonly hello: number; readonly flood: number; readonly costs: number[]; readonly waits: Wait[] }[] = [];
try {
  for (const [name, root] of [[other.commit, other.folder], [`${other.commit} again`, other.folder], ['this checkout', ROOT]] as const) {
    const host = await BareHost.start(root);
    hosts.push({ name, host, hello: host.deploy('hello', HELLO), flood: host.deploy('flood', FLOOD), costs: [], waits: [] });
  }
  for (const { host, hello, flood } of hosts) {
    for (let i = 0; i < 3; i++) await cost(host, hello);
    for (let i = 0; i < 5; i++) await host.call(flood);
  }
  for (let round = 0; round < rounds; round++) {
    for (const { host, hello, costs } of round % 2 === 0 ? hosts : hosts.toReversed()) costs.push(await cost(host, hello));
  }
  // Only once each: it is no close race.
  for (const { host, hello, flood, waits } of hosts) waits.push(...(await beside(host, hello, flood)));
  const base = hosts[0] as (typeof hosts)[number];
  console.log(formatTable(
    ['host', 'µs of the loop per hello', 'ratio', 'calls beside a burst', 'p99 ms', 'behind how many at the most'],
    hosts.map(({ name, costs, waits }) => [
      name, median(costs), median(costs.map((value, i) => value / (base.costs[i] as number))), waits.length, percentile(waits.map(({ ms }) => ms), 99), Math.max(...waits.map(({ behind }) => behind)),
    ]),
  ));
} finally {
  for (const { host } of hosts) await host.stop();
  other.remove();
}
