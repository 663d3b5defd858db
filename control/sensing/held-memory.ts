// What the isolates of each version hold now, on all hosts, as they last said.
import type { HostFigures } from '../../core/protocol/index.ts';
import type { Held } from './version-sums.ts';

export function versionKey(fn: string, version: number): string {
  return `${fn}@${version}`;
}

export class HeldMemory {
  readonly #hosts = new Map<string, { readonly epoch: number; readonly rows: ReadonlyMap<string, Held> }>();

  take(host: string, epoch: number, versions: HostFigures['versions']): void {
    const rows = new Map<string, Held>();
    for (const row of versions) rows.set(versionKey(row.function, row.version), row);
    this.#hosts.set(host, { epoch, rows });
  }

  /** A host that is already back under its name has another epoch. */
  lost(host: string, epoch: number): void {
    if (this.#hosts.get(host)?.epoch === epoch) this.#hosts.delete(host);
  }

  of(key: string): Held {
    let memoryBytes = 0;
    let isolates = 0;
    for (const { rows } of this.#hosts.values()) {
      const row = rows.get(key);
      if (row === undefined) continue;
      memoryBytes += row.memoryBytes;
      isolates += row.isolates;
    }
    return { memoryBytes, isolates };
  }
}
