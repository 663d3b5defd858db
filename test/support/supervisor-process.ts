// Supervised fake children for tests: made with one call, ended after each test.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import type { Boot, DeathCause, JournalRef } from '../../core/config/index.ts';
import { createLogger } from '../../core/log/index.ts';
import { SupervisedProcess } from '../../supervisor/supervised-process.ts';
import type { ProcessPlan } from '../../supervisor/supervised-process.ts';

export function useTempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'thimble-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export interface Journal {
  readonly pid: number;
  readonly onThread: JournalRef | null;
  readonly entered: readonly JournalRef[];
  readonly cause: DeathCause;
}

export interface FakeProcess {
  readonly process: SupervisedProcess;
  /** Lines that the child noted: starts, drains, messages. */
  notes(): readonly string[];
  readonly pids: readonly number[];
  readonly journals: readonly Journal[];
  /** Every log line, of child and supervisor, parsed. */
  readonly logs: readonly { readonly name: string; readonly msg: string; readonly level: string }[];
}

/** A supervised fake that behaves as `mode` says (supervisor-fake-child.ts). */
export function useProcess(mode: string, options: Partial<ProcessPlan> = {}): FakeProcess {
  const folder = useTempFolder();
  const file = join(folder, 'notes');
  const pids: number[] = [];
  const journals: Journal[] = [];
  const logs: { name: string; msg: string; level: string }[] = [];
  const take = (line: string): void => void logs.push(JSON.parse(line) as (typeof logs)[number]);
  const boot: Boot = {
    kind: 'host', group: 'default', name: 'child', logLevel: 'info', dataFolder: folder, sockets: { gateway: '', control: '', sidecar: '' }, tier: 'default', tierKey: '', index: 1, journalFd: 4, memoryBytes: 1_073_741_824, platformFolder: null, snapshots: false,
  };
  const child = new SupervisedProcess(
    {
      name: 'child',
      command: { nodeFlags: ['--disable-warning=ExperimentalWarning'], entry: join(import.meta.dirname, 'supervisor-fake-child.ts'), args: [mode, file], environment: {} },
      bootMessage: () => ({ type: 'boot', boot }),
      journalFolder: folder,
      ...options,
    },
    createLogger({ name: 'child', destination: { write: take } }),
    { onChange: () => {}, onSpawn: (_, pid) => pids.push(pid), onJournal: (_, pid, journal) => journals.push({ pid, ...journal }), onLogLine: take },
  );
  onTestFinished(async () => child.kill());
  return {
    process: child,
    notes: () => {
      try {
        return readFileSync(file, 'utf8').trim().split('\n');
      } catch {
        return [];
      }
    },
    pids,
    journals,
    logs,
  };
}

/** Waits until `holds`; fails after `withinMs`. */
export async function until(holds: () => boolean, withinMs = 10_000): Promise<void> {
  for (const giveUpAt = performance.now() + withinMs; !holds(); await sleep(10)) {
    if (performance.now() > giveUpAt) throw new Error(`did not come true within ${withinMs} ms: ${holds.toString()}`);
  }
}
