// One second of a rollout: what the new version and live did at the same time.
import type { Series, Window } from '../sensing/window.ts';

type Pairs = readonly (readonly [bucket: number, count: number])[];

/** Sums over the versions of one side. */
export interface SideFigures {
  readonly requests: number;
  readonly failed: number;
  readonly coldStarts: number;
  readonly wallUs: Pairs;
  readonly cpuUs: Pairs;
  readonly memoryBytes: number;
  readonly isolates: number;
}

export interface Second {
  /** Its begin, milliseconds since 1970. */
  readonly atMs: number;
  readonly canary: SideFigures;
  readonly live: SideFigures;
}

export const SECOND_MS = 1_000;

/** @param live  the versions that the new one is compared with, taken together */
export function readSecond(series: Series, fn: string, canary: number, live: readonly number[], atMs: number): Second {
  const read = (version: number): Window => series.window(fn, version, atMs, atMs + SECOND_MS);
  return { atMs, canary: sum([read(canary)]), live: sum(live.map(read)) };
}

function sum(windows: readonly Window[]): SideFigures {
  const total = (pick: (window: Window) => number): number => windows.reduce((all, one) => all + pick(one), 0);
  return {
    requests: total((w) => w.requests),
    failed: total((w) => w.failed),
    coldStarts: total((w) => w.coldStarts),
    wallUs: windows.flatMap((w) => w.wallUs.toPairs()),
    cpuUs: windows.flatMap((w) => w.cpuUs.toPairs()),
    memoryBytes: total((w) => w.memoryBytes),
    isolates: total((w) => w.isolates),
  };
}
