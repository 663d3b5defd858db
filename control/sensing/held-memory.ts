// What the isolates of each version hold now, on all hosts, as they last said.
import type { HostFigures } from '../../core/protocol/index.ts';
import type { Held } from './version-sums.ts';

export function versionKey(fn: string, version: number): string {
  return `${fn}@${version}`;
}

export class HeldMemory {
  readonly #hosts = new Map<string, { readonly epoch: number; readonly rows: ReadonlyMap<string, Held>; readonly functions: ReadonlyMap<string, number> }>();

  take(host: string, epoch: number, versions: HostFigures['versions']): void {
    const rows = new Map<string, Held>();
    const functions = new Map<string, number>();
    for (const row of versions) {
      rows.set(versionKey(row.function, row.version), row);
      functions.set(row.function, (functions.get(row.function) ?? 0) + row.memoryBytes);
    }
    this.#hosts.set(host, { epoch, rows, functions });
  }

  /** A host that is already back under its name has another epoch. */
  lost(host: string, epoch: number): void {
    if (this.#hosts.get(host)?.epoch === epoch) this.#hosts.delete(host);
  }

  /** Bytes of all versions of a function. */
  bytesOf(fn: string): number {
    let bytes = 0;
    for (const { functions } of this.#hosts.values()) bytes += functions.get(fn) ?? 0;
    return bytes;
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
