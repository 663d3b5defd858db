// What the figures were measured on.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly kernel: string;
  readonly node: string;
  readonly v8: string;
  readonly commit: string;
  readonly loadAverage1m: number;
  /** Share of all cores that others used in the half second before the start, 0 to 1. */
  readonly busyShare: number;
}

/** Above this the figures say more about the neighbours than about the servers. */
export const BUSY_SHARE = 0.15;

function commit(root: string): string {
  const git = (...args: string[]): string => execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    const dirty = git('status', '--porcelain', '--untracked-files=normal') === '' ? '' : '+changes';
    return git('rev-parse', '--short', 'HEAD') + dirty;
  } catch {
    return 'unknown';
  }
}

/** Jiffies since boot: all, and idle or waiting for I/O. */
function cpuJiffies(): { readonly all: number; readonly idle: number } {
  const fields = (readFileSync('/proc/stat', 'latin1').split('\n')[0] ?? '').split(/\s+/).slice(1, 9).map(Number);
  return { all: fields.reduce((a, b) => a + b, 0), idle: (fields[3] ?? 0) + (fields[4] ?? 0) };
}

export async function describeMachine(root: string): Promise<Machine> {
  const before = cpuJiffies();
  await sleep(500);
  const after = cpuJiffies();
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGb: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
    v8: process.versions.v8,
    commit: commit(root),
    loadAverage1m: loadavg()[0] ?? Number.NaN,
    busyShare: 1 - (after.idle - before.idle) / Math.max(1, after.all - before.all),
  };
}
