// Command line of the benches.
import { parseArgs } from 'node:util';

export const SUITES = ['throughput', 'latency', 'cold-start', 'deploy', 'memory'] as const;
export type Suite = (typeof SUITES)[number];

export interface BenchOptions {
  /** Compare with the floors and exit 1 below one. */
  readonly check: boolean;
  /** Fewer and shorter rounds: shows that everything works, not how fast. */
  readonly quick: boolean;
  /** Suites and examples to run. */
  readonly suites: readonly Suite[];
  /** Names of examples; undefined: all. */
  readonly examples: readonly string[] | undefined;
  readonly rounds: number;
  /** Measured seconds of one round. */
  readonly roundS: number;
  /** Seconds before each round that do not count. */
  readonly warmS: number;
  /** Requests of one latency measurement. */
  readonly latencyRequests: number;
  /** Functions that are called for the first time. */
  readonly coldFunctions: number;
  /** Deploys of each example. */
  readonly deploys: number;
  /** Tenants of the memory measurement. */
  readonly tenants: number;
}

export const USAGE = `usage: npm run bench -- [--check] [--quick] [--only NAME]...
  --check       print "name value floor" lines and exit 1 below a floor
  --quick       short rounds
  --only NAME   a suite (${SUITES.join(', ')}) or an example (hello, json, card, stream, echo); may be repeated
  --rounds N    rounds of the throughput suite
  --help        this text`;

const isSuite = (name: string): name is Suite => (SUITES as readonly string[]).includes(name);

/** @throws TypeError  an option is unknown or has no value */
export function parseOptions(argv: readonly string[], exampleNames: readonly string[]): BenchOptions | 'help' {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      check: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true, default: [] },
      rounds: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  const unknown = values.only.filter((name) => !isSuite(name) && !exampleNames.includes(name));
  if (unknown.length > 0) throw new TypeError(`--only does not know ${unknown.join(', ')}`);
  const suites = values.only.filter(isSuite);
  const examples = values.only.filter((name) => exampleNames.includes(name));
  const rounds = values.rounds === undefined ? (values.quick ? 1 : 3) : Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) throw new TypeError('--rounds takes a whole number from 1');
  return {
    check: values.check,
    quick: values.quick,
    suites: suites.length === 0 ? SUITES : suites,
    examples: examples.length === 0 ? undefined : examples,
    rounds,
    roundS: values.quick ? 2 : 4,
    warmS: 1,
    latencyRequests: values.quick ? 5_000 : 20_000,
    coldFunctions: values.quick ? 30 : 100,
    deploys: values.quick ? 3 : 10,
    tenants: values.quick ? 50 : 200,
  };
}
