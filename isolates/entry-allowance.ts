// How much one entry may ask of the host: operations and bytes, counted as they come, whatever CPU time is left.
import { MAX_ENTRY_BYTES, MAX_ENTRY_OPERATIONS } from './limits.ts';

/** What was used up, as a parameter of `cpu_limit_exceeded`. */
export type Overdrawn = { readonly operations: number } | { readonly bytes: number };

export class EntryAllowance {
  #operations = 0;
  #bytes = 0;

  /** An entry begins. */
  renew(): void {
    this.#operations = 0;
    this.#bytes = 0;
  }

  /** One more operation with these arguments. @returns false when it is one too many */
  allows(a: unknown, b: unknown, c: unknown, d: unknown, e: unknown, f: unknown): boolean {
    this.#operations += 1;
    this.#bytes += sizeOf(a) + sizeOf(b) + sizeOf(c) + sizeOf(d) + sizeOf(e) + sizeOf(f);
    return this.#operations <= MAX_ENTRY_OPERATIONS && this.#bytes <= MAX_ENTRY_BYTES;
  }

  /** @returns null when the entry has kept to it */
  get overdrawn(): Overdrawn | null {
    if (this.#operations > MAX_ENTRY_OPERATIONS) return { operations: MAX_ENTRY_OPERATIONS };
    return this.#bytes > MAX_ENTRY_BYTES ? { bytes: MAX_ENTRY_BYTES } : null;
  }
}

/** Characters or bytes that crossed. */
function sizeOf(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object' || value === null) return 0;
  return ArrayBuffer.isView(value) || value instanceof ArrayBuffer ? value.byteLength : 0;
}
