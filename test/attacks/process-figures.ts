// What the processes of a node hold: own memory, descriptors, threads. For finding leaks, so nothing shared is counted.
import { readFileSync, readdirSync } from 'node:fs';

export interface ProcessFigures {
  /** Anonymous resident memory, MB: not files, and not what is shared with others. */
  readonly ownMb: number;
  readonly descriptors: number;
  readonly threads: number;
}

/** @returns undefined when the process has ended */
export function figuresOf(pid: number): ProcessFigures | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const field = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0);
    return { ownMb: field('RssAnon') / 1_024, descriptors: readdirSync(`/proc/${pid}/fd`).length, threads: field('Threads') };
  } catch {
    return undefined;
  }
}

export function allFigures(pids: Readonly<Record<string, number>>): Readonly<Record<string, ProcessFigures & { readonly pid: number }>> {
  return Object.fromEntries(Object.entries(pids).flatMap(([name, pid]) => {
    const figures = figuresOf(pid);
    return figures === undefined ? [] : [[name, { ...figures, pid }]];
  }));
}
