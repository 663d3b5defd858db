// The in-flight journal and the heartbeat: a small file that a host writes with pwrite and that outlives its abort.
//
// Layout, little-endian:
//   0     beat record, 64 bytes, written by the meter thread
//   64    slots of 16 bytes: order (u32), epoch (u32), sequence (f64). Slot 0 says "no tenant code on the thread".
// Before each entry the host writes its invocation's slot with a greater order, so the slot with the greatest order is the one on the
// thread at death. A slot is cleared (order 0) when its invocation is over; the bytes of a reused slot are replaced as a whole.
import { readSync, writeSync } from 'node:fs';
import type { JournalRef } from '../config/boot.ts';

const BEAT_BYTES = 64;
const SLOT_BYTES = 16;

/** Invocations under way in one host at the most, plus the idle slot. */
export const JOURNAL_SLOTS = 16_384;
export const JOURNAL_BYTES = BEAT_BYTES + JOURNAL_SLOTS * SLOT_BYTES;

/** The meter's sign of life, with the entry that runs. Times in milliseconds. */
export interface Beat {
  /** Grows with each beat; 0: none yet. */
  readonly count: number;
  /** Number of the running entry, 0 when none runs. */
  readonly entry: number;
  readonly ageMs: number;
  readonly cpuMs: number;
  readonly budgetMs: number;
  /** CPU time since the watchdog was told to dispose the running entry's isolate, or a tenth of the wall time, whichever is more; 0: not told. */
  readonly disposedMs: number;
}

/** Orders are numbered anew from here: at 100,000 entries a second, every ten hours. */
const RENUMBER_AT = 0xe000_0000;

/** The host's side. One system call a write; nothing is allocated. */
export class JournalWriter {
  readonly #fd: number;
  readonly #renumberAt: number;
  /** What the file's slots hold. */
  readonly #slots = Buffer.alloc(JOURNAL_SLOTS * SLOT_BYTES);
  #order = 0;

  /** @param renumberAt  greatest order; at least JOURNAL_SLOTS */
  constructor(fd: number, renumberAt = RENUMBER_AT) {
    this.#fd = fd;
    this.#renumberAt = Math.max(JOURNAL_SLOTS, renumberAt);
  }

  /** Invocation in `slot` (1 to JOURNAL_SLOTS - 1) is about to be entered. */
  enter(slot: number, epoch: number, sequence: number): void {
    this.#write(slot, this.#nextOrder(), epoch, sequence);
  }

  /** No tenant code is on the thread: the loop is about to wait. */
  idle(): void {
    this.#write(0, this.#nextOrder(), 0, 0);
  }

  /** The slot's invocation is over. Needed only before the slot is used for another invocation that may wait unentered. */
  clear(slot: number): void {
    this.#write(slot, 0, 0, 0);
  }

  #nextOrder(): number {
    if (this.#order >= this.#renumberAt) this.#renumber();
    this.#order += 1;
    return this.#order;
  }

  #write(slot: number, order: number, epoch: number, sequence: number): void {
    const at = slot * SLOT_BYTES;
    const b = this.#slots;
    b.writeUInt32LE(order, at);
    b.writeUInt32LE(epoch, at + 4);
    b.writeDoubleLE(sequence, at + 8);
    writeSync(this.#fd, b, at, SLOT_BYTES, BEAT_BYTES + at);
  }

  /** No tenant code runs meanwhile, so a reader never finds this half done by an abort. */
  #renumber(): void {
    const orderAt = (at: number): number => this.#slots.readUInt32LE(at);
    const used = Array.from({ length: JOURNAL_SLOTS }, (_, slot) => slot * SLOT_BYTES).filter((at) => orderAt(at) !== 0);
    used.sort((a, b) => orderAt(a) - orderAt(b));
    for (const [i, at] of used.entries()) this.#slots.writeUInt32LE(i + 1, at);
    this.#order = used.length;
    writeSync(this.#fd, this.#slots, 0, this.#slots.length, BEAT_BYTES);
  }
}

const beatBuffer = Buffer.alloc(BEAT_BYTES);

export function writeBeat(fd: number, beat: Beat): void {
  beatBuffer.writeDoubleLE(beat.count, 0);
  beatBuffer.writeDoubleLE(beat.entry, 8);
  beatBuffer.writeDoubleLE(beat.ageMs, 16);
  beatBuffer.writeDoubleLE(beat.cpuMs, 24);
  beatBuffer.writeDoubleLE(beat.budgetMs, 32);
  beatBuffer.writeDoubleLE(beat.disposedMs, 40);
  writeSync(fd, beatBuffer, 0, BEAT_BYTES, 0);
}

export function readBeat(fd: number): Beat {
  const b = Buffer.alloc(BEAT_BYTES);
  readSync(fd, b, 0, BEAT_BYTES, 0);
  return {
    count: b.readDoubleLE(0), entry: b.readDoubleLE(8), ageMs: b.readDoubleLE(16), cpuMs: b.readDoubleLE(24), budgetMs: b.readDoubleLE(32), disposedMs: b.readDoubleLE(40),
  };
}

/** What a dead host left: every invocation that it had entered, and the one whose entry was running. */
export function readJournal(fd: number): { readonly onThread: JournalRef | null; readonly entered: readonly JournalRef[] } {
  const bytes = Buffer.alloc(JOURNAL_BYTES);
  const got = readSync(fd, bytes, 0, JOURNAL_BYTES, 0);
  const entered: JournalRef[] = [];
  let newest: JournalRef | null = null;
  let newestOrder = 0;
  for (let slot = 0; slot < JOURNAL_SLOTS && BEAT_BYTES + (slot + 1) * SLOT_BYTES <= got; slot++) {
    const at = BEAT_BYTES + slot * SLOT_BYTES;
    const order = bytes.readUInt32LE(at);
    if (order === 0) continue;
    const ref = slot === 0 ? null : { epoch: bytes.readUInt32LE(at + 4), sequence: bytes.readDoubleLE(at + 8) };
    if (ref !== null) entered.push(ref);
    if (order > newestOrder) {
      newestOrder = order;
      newest = ref;
    }
  }
  return { onThread: newest, entered };
}
