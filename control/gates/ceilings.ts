// Ceilings: how large the bundle is, and what a start of it takes in a host that has nothing else to do.
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Target } from '../../core/protocol/index.ts';
import type { Ceilings, GateError, GatesReport } from '../../core/schemas/index.ts';
import type { TestHost } from './test-host.ts';

type Row = NonNullable<GatesReport['ceilings']>[number];
export type Measured = Partial<Record<keyof Ceilings, number>>;

const UNITS = { bundleBytes: 'bytes', gzipBytes: 'bytes', startMs: 'ms', startCpuMs: 'ms of CPU time', heapMb: 'MiB' } as const satisfies Record<keyof Ceilings, string>;
const STARTS = 3;
const MIB = 1_048_576;

export async function measureSizes(bundle: string, ceilings: Ceilings): Promise<Measured> {
  return {
    ...(ceilings.bundleBytes === undefined ? undefined : { bundleBytes: Buffer.byteLength(bundle) }),
    ...(ceilings.gzipBytes === undefined ? undefined : { gzipBytes: (await promisify(gzip)(bundle)).length }),
  };
}

export function needsStart({ startMs, startCpuMs, heapMb }: Ceilings): boolean {
  return startMs !== undefined || startCpuMs !== undefined || heapMb !== undefined;
}

/** The least of three starts. undefined: the module does not start. */
export async function measureStarts(host: Pick<TestHost, 'figures' | 'forget' | 'target' | 'warm'>, target: Target): Promise<Measured | undefined> {
  // Figures are by version, so each start is one of its own.
  const rounds = Array.from({ length: STARTS }, (_, at) => ({ ...target, version: target.version + at }));
  const numbers: number[] = [];
  let startMs = Infinity;
  for (const round of rounds) {
    const startedMs = performance.now();
    const number = host.target(round);
    numbers.push(number);
    if (!(await host.warm(number))) return undefined;
    startMs = Math.min(startMs, performance.now() - startedMs);
  }
  const all = await host.figures();
  for (const number of numbers) host.forget(number);
  const isRound = (row: { readonly function: string; readonly version: number }): boolean => rounds.some((one) => one.function === row.function && one.version === row.version);
  const heaps = (all.at(-1)?.versions ?? []).filter(isRound).map((row) => row.memoryBytes / MIB);
  const cpus = rounds.map((round) => all.flatMap(({ used }) => used).filter((row) => row.function === round.function && row.version === round.version).reduce((sum, row) => sum + row.startupUs, 0) / 1_000).filter((ms) => ms > 0);
  return { startMs, startCpuMs: Math.min(...cpus), heapMb: Math.min(...heaps) };
}

/** Compares each ceiling that is set. */
export function judgeCeilings(ceilings: Ceilings, measured: Measured): { readonly rows: readonly Row[]; readonly errors: readonly GateError[] } {
  const rows: Row[] = [];
  const errors: GateError[] = [];
  for (const name of Object.keys(UNITS) as (keyof Ceilings)[]) {
    const limit = ceilings[name];
    if (limit === undefined) continue;
    const exact = measured[name];
    // What could not be measured has not been shown to hold.
    const value = exact === undefined || !Number.isFinite(exact) ? -1 : Math.round(exact * 1_000) / 1_000;
    const passed = value >= 0 && value <= limit;
    rows.push({ name, limit, value, outcome: passed ? 'passed' : 'failed' });
    if (!passed) errors.push({ gate: 'ceilings', name, message: value < 0 ? 'it could not be measured: the module does not start' : `${value} ${UNITS[name]}, and the ceiling is ${limit}` });
  }
  return { rows, errors };
}
