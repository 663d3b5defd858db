// Processes of a node whose supervisor was killed: a record of them on disk, and their end before the next start.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { startTicks } from './proc.ts';

const recordSchema = z.array(z.object({ name: z.string(), pid: z.int().min(1), startTicks: z.string() }));
type Entry = z.infer<typeof recordSchema>[number];

/** Orphans drain and exit by themselves within 2 s; what is left then is stuck. */
const ORPHAN_WAIT_MS = 2_500;

/** Which processes the node has now. Not flushed: after a crash of the machine there are none. */
export class ProcessRecord {
  readonly #file: string;
  readonly #entries = new Map<string, Entry>();

  constructor(file: string) {
    this.#file = file;
  }

  set(name: string, pid: number): void {
    const ticks = startTicks(pid);
    if (ticks === undefined) this.#entries.delete(name);
    else this.#entries.set(name, { name, pid, startTicks: ticks });
    writeFileSync(this.#file, JSON.stringify([...this.#entries.values()]), { mode: 0o600 });
  }

  clear(): void {
    this.#entries.clear();
    rmSync(this.#file, { force: true });
  }
}

/**
 * Waits until the processes that `file` records are gone, and kills those that stay. They would otherwise hold the ports, the sockets and the store.
 *
 * @returns names of those that had to be killed
 */
export async function endLeftovers(file: string, waitMs = ORPHAN_WAIT_MS): Promise<readonly string[]> {
  let entries: readonly Entry[];
  try {
    entries = recordSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return [];
  }
  const alive = (): readonly Entry[] => entries.filter((entry) => startTicks(entry.pid) === entry.startTicks);
  for (const giveUpAt = performance.now() + waitMs; alive().length > 0 && performance.now() < giveUpAt; ) await sleep(20);
  const stuck = alive();
  for (const entry of stuck) {
    try {
      process.kill(entry.pid, 'SIGKILL');
    } catch {
      // It ended just now.
    }
  }
  while (alive().length > 0) await sleep(10);
  return stuck.map((entry) => entry.name);
}
