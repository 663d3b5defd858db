// Ordered rows in memory: the fake that the contract suite holds equal to LMDB.
import type { OrderedRows } from '../../core/ports/index.ts';

export class MemoryRows implements OrderedRows {
  readonly #rows = new Map<string, Uint8Array>();

  get count(): number {
    return this.#rows.size;
  }

  get(key: string): Uint8Array | undefined {
    const bytes = this.#rows.get(key);
    return bytes === undefined ? undefined : Uint8Array.from(bytes);
  }

  range(from: string, to: string, limit: number): { key: string; bytes: Uint8Array }[] {
    return this.keys(from, to, limit).map((key) => ({ key, bytes: this.get(key) ?? new Uint8Array(0) }));
  }

  keys(from: string, to: string, limit: number): string[] {
    return [...this.#rows.keys()].filter((key) => key >= from && key < to).toSorted((a, b) => (a < b ? -1 : 1)).slice(0, limit);
  }

  write(changes: readonly (readonly [key: string, bytes: Uint8Array | null])[]): void {
    for (const [key, bytes] of changes) {
      if (bytes === null) this.#rows.delete(key);
      else this.#rows.set(key, Uint8Array.from(bytes));
    }
  }
}
