// What one isolate's heap holds, looked at seldom, and whether it has come near its limit.
import type { HeapSize } from '../vm.ts';

/** Share of `limits.memoryMb` that an isolate may hold on to: above it, it is retired. */
export const SOFT_SHARE = 0.8;

/** Entries between two looks at the most: a look costs 2.5 µs. */
const MAX_PERIOD = 64;
/** Entries before the first look. */
const FIRST_PERIOD = 1;
/** At the growth seen so far, the soft limit is so many looks away. */
const LOOKS_AHEAD = 4;

const MIB = 1_048_576;

/** Decides when to look and when to suspect; the caller measures and acts. */
export class HeapGauge {
  readonly limitBytes: number;
  /** Heap in use and counted buffers at the last look, garbage included. */
  usedBytes = 0;
  /** Memory that V8 holds for the heap, and the buffers. */
  residentBytes = 0;
  /** Entries until the next look. */
  entriesLeft = FIRST_PERIOD;
  #period = FIRST_PERIOD;
  #softBytes: number;
  /** `residentBytes` at the start, or after it was shrunk. */
  #leastBytes = 0;
  /** Use above this is looked into. */
  #suspectBytes: number;

  constructor(memoryMb: number) {
    this.limitBytes = memoryMb * MIB;
    this.#softBytes = this.#suspectBytes = this.limitBytes * SOFT_SHARE;
  }

  /** What it may hold on to, bytes. */
  get softBytes(): number {
    return this.#softBytes;
  }

  /** How much it has grown since its start, or since it was shrunk. */
  get grownBytes(): number {
    return this.residentBytes - this.#leastBytes;
  }

  /** The module has been evaluated. One that needs most of its memory from the start gets half of what is left: else each isolate would be retired at once. */
  start(size: HeapSize): void {
    this.usedBytes = size.usedBytes;
    this.residentBytes = this.#leastBytes = size.residentBytes;
    this.#softBytes = this.#suspectBytes = Math.max(this.limitBytes * SOFT_SHARE, (size.usedBytes + this.limitBytes) / 2);
  }

  /** A look. @returns whether the use is above the soft limit; how much of it is garbage is not known yet */
  take(size: HeapSize): boolean {
    const entries = Math.max(1, this.#period - this.entriesLeft);
    const grownPerEntry = (size.usedBytes - this.usedBytes) / entries;
    this.usedBytes = size.usedBytes;
    this.residentBytes = size.residentBytes;
    const headroom = this.#suspectBytes - size.usedBytes;
    // A collection between two looks hides the growth: so the period only doubles.
    const wanted = grownPerEntry > 0 ? headroom / (LOOKS_AHEAD * grownPerEntry) : MAX_PERIOD;
    this.#period = Math.max(1, Math.floor(Math.min(MAX_PERIOD, 2 * this.#period, wanted)));
    this.entriesLeft = this.#period;
    return headroom < 0;
  }

  /** A full collection has run. @returns whether the isolate holds on to more than its soft limit */
  collected(size: HeapSize): boolean {
    this.usedBytes = size.usedBytes;
    this.residentBytes = size.residentBytes;
    if (size.usedBytes > this.#softBytes) return true;
    // It was garbage. Half of what is left may fill up before the next collection: few for a heap that goes up and down, soon enough for one that leaks.
    this.#suspectBytes = Math.max(this.#softBytes, (size.usedBytes + this.limitBytes) / 2);
    return false;
  }

  /** It has rested, and was shrunk if that was worth it. */
  rested(size: HeapSize): void {
    this.usedBytes = size.usedBytes;
    this.residentBytes = this.#leastBytes = size.residentBytes;
  }
}
