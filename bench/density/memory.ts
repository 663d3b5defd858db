// Memory of a node, and what functions add to it.
import type { ProcessMemory } from '../lib/processes.ts';

const MB = 1_048_576;

/** Of one or several processes, MB. */
export interface MemoryMb {
  /** Resident: pages that several processes map count for each of them. */
  readonly rss: number;
  /** Proportional: such pages are shared out among them. */
  readonly pss: number;
}

export function sumMb(processes: readonly ProcessMemory[], title = ''): MemoryMb {
  const picked = processes.filter((one) => one.title.includes(title));
  return {
    rss: picked.reduce((sum, one) => sum + one.residentBytes, 0) / MB,
    pss: picked.reduce((sum, one) => sum + one.proportionalBytes, 0) / MB,
  };
}

/** What is there beyond `empty`, for each of `count` functions. */
export function eachMb(now: MemoryMb, empty: MemoryMb, count: number): MemoryMb {
  return { rss: (now.rss - empty.rss) / count, pss: (now.pss - empty.pss) / count };
}

/** Value of a gauge or counter in a Prometheus text, summed over its labels; 0 when there is none. */
export function metricSum(text: string, name: string): number {
  let sum = 0;
  for (const [, value] of text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))) sum += Number(value);
  return sum;
}
