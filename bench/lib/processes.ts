// What the kernel says about a process and everything below it: resident memory and CPU time, from /proc.
import { readFileSync, readdirSync } from 'node:fs';

/** Linux counts CPU time in ticks of 1/100 s (USER_HZ) whatever the kernel's own rate is. */
const TICK_MS = 10;

export interface ProcessUse {
  readonly pid: number;
  readonly parent: number;
  readonly name: string;
  readonly cpuMs: number;
  readonly residentBytes: number;
}

/** A field of smaps_rollup: exact, where `stat` lags behind by up to 64 pages a thread. */
function smapsBytes(pid: number, ...fields: readonly string[]): number[] {
  try {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1');
    return fields.map((field) => Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1] ?? 0) * 1_024);
  } catch {
    // Gone, or not ours to read.
    return fields.map(() => 0);
  }
}

const residentBytes = (pid: number): number => smapsBytes(pid, 'Rss')[0] ?? 0;

export interface ProcessMemory {
  readonly pid: number;
  /** As the process titles itself. */
  readonly title: string;
  readonly residentBytes: number;
  /** Resident, with pages that several processes map counted in parts (Pss of proc(5)): sums of it count each page once. */
  readonly proportionalBytes: number;
}

/** @param except  pids that do not count */
export function treeMemory(root: number, except: ReadonlySet<number> = new Set()): ProcessMemory[] {
  return treeStats(root).filter(({ pid }) => !except.has(pid)).map(({ pid, name }) => {
    const [resident = 0, proportional = 0] = smapsBytes(pid, 'Rss', 'Pss');
    let title = name;
    try {
      title = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[0] || name;
    } catch {
      // It ended meanwhile; then its bytes are 0 too.
    }
    return { pid, title, residentBytes: resident, proportionalBytes: proportional };
  });
}

interface Stat {
  readonly pid: number;
  readonly parent: number;
  readonly name: string;
  readonly cpuMs: number;
}

function readStat(pid: number): Stat | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name may hold spaces and parentheses: fields are counted from the last one (proc(5)).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return {
      pid,
      parent: Number(fields[1]),
      name: stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')')),
      cpuMs: (Number(fields[11]) + Number(fields[12])) * TICK_MS,
    };
  } catch {
    return undefined;
  }
}

function treeStats(root: number): Stat[] {
  const all = readdirSync('/proc').filter((entry) => /^\d+$/.test(entry)).map((entry) => readStat(Number(entry))).filter((stat) => stat !== undefined);
  const found = all.filter((stat) => stat.pid === root);
  for (let i = 0; i < found.length; i++) {
    found.push(...all.filter((stat) => stat.parent === found[i]?.pid));
  }
  return found;
}

/** The process and all that it started, as long as their parents live. */
export function processTree(root: number): ProcessUse[] {
  return treeStats(root).map((stat) => ({ ...stat, residentBytes: residentBytes(stat.pid) }));
}

/** 0 when it is gone. */
export function processCpuMs(pid: number): number {
  return readStat(pid)?.cpuMs ?? 0;
}

/** @param except  pids that do not count */
export function treeCpuMs(root: number, except: ReadonlySet<number> = new Set()): number {
  return treeStats(root).reduce((sum, stat) => (except.has(stat.pid) ? sum : sum + stat.cpuMs), 0);
}

export function treeResidentBytes(root: number): number {
  return processTree(root).reduce((sum, use) => sum + use.residentBytes, 0);
}

/** Pids of the tree whose command line holds `text`. */
export function pidsRunning(root: number, text: string): ReadonlySet<number> {
  const runs = ({ pid }: Stat): boolean => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(text);
    } catch {
      return false;
    }
  };
  return new Set(treeStats(root).filter(runs).map(({ pid }) => pid));
}
