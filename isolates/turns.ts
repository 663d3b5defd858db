// Loop turns and the in-flight journal: every entry is written down before it happens, and a loop that has come to rest says that nothing runs.
import { JOURNAL_SLOTS } from '../core/protocol/index.ts';
import type { FrameConnection, JournalWriter } from '../core/protocol/index.ts';
import type { Invocation } from './invocation.ts';

/**
 * A loop without entries for so long is at rest. Not every turn's end is written: under load that would double the writes. A host that is
 * killed from outside within this time after an entry counts that entry's invocation as running, which is the careful side.
 */
const REST_MS = 1;

type Connection = Pick<FrameConnection, 'sentBytes' | 'takenBytes'>;

/** Emptied places at the front of the arrays before they are moved up. */
const COMPACT_AT = 4_096;

/** Slots of invocations that have ended, in order, until the kernel has the final frame of each. Arrays of their own, so that an end allocates nothing. */
class EndedSlots {
  readonly #slots: number[] = [];
  /** Where the final frame ends in what its connection has sent. */
  readonly #ends: number[] = [];
  readonly #connections: Connection[] = [];
  #first = 0;

  add(slot: number, connection: Connection): void {
    this.#slots.push(slot);
    this.#ends.push(connection.sentBytes);
    this.#connections.push(connection);
  }

  /** Gives those whose final frame has left this process to `free`. */
  release(free: number[]): void {
    let at = this.#first;
    for (; at < this.#slots.length; at++) {
      if ((this.#connections[at] as Connection).takenBytes < (this.#ends[at] as number)) break;
      free.push(this.#slots[at] as number);
    }
    this.#first = at;
    if (at === this.#slots.length) {
      this.#slots.length = this.#ends.length = this.#connections.length = this.#first = 0;
    } else if (at >= COMPACT_AT) {
      for (const column of [this.#slots, this.#ends, this.#connections]) column.splice(0, at);
      this.#first = 0;
    }
  }
}

export class Turns {
  readonly #journal: JournalWriter | null;
  readonly #atEnd: () => void;
  readonly #atRestDo: () => boolean;
  readonly #free: number[] = [];
  readonly #ended = new EndedSlots();
  #nextSlot = 1;
  /** `performance.now()` at the first entry of this turn, or of the last one that had any: exact enough for idle times. */
  nowMs = performance.now();
  /** When answers of this turn were last handed to the kernel. */
  flushedMs = 0;
  #inTurn = false;
  #turns = 0;
  /** Turns when the rest timer was started; -1: it is not running. */
  #turnsAtTimer = -1;
  readonly #end = (): void => {
    this.#inTurn = false;
    this.#turns += 1;
    this.#ended.release(this.#free);
    this.#atEnd();
    if (this.#turnsAtTimer < 0) this.#startTimer();
  };
  readonly #atRest = (): void => {
    if (this.#turnsAtTimer === this.#turns && !this.#inTurn) {
      this.#turnsAtTimer = -1;
      this.#journal?.idle();
      if (this.#atRestDo()) this.#startTimer();
    } else {
      this.#startTimer();
    }
  };

  /**
   * @param journal  null: no supervisor reads it
   * @param atEnd  runs after the last entry of each turn
   * @param atRest  runs when nothing has been entered for a moment: work that can wait. Returns whether it wants to go on
   */
  constructor(journal: JournalWriter | null, atEnd: () => void, atRest: () => boolean) {
    this.#journal = journal;
    this.#atEnd = atEnd;
    this.#atRestDo = atRest;
    this.#startTimer();
  }

  /** Right before an entry. @returns false when the host has no place for another invocation */
  entering(invocation: Invocation): boolean {
    if (invocation.slot === 0) {
      const slot = this.#free.pop() ?? (this.#nextSlot < JOURNAL_SLOTS ? this.#nextSlot++ : 0);
      if (slot === 0) return false;
      invocation.slot = slot;
    }
    if (!this.#inTurn) {
      this.#inTurn = true;
      this.nowMs = this.flushedMs = performance.now();
      setImmediate(this.#end);
    }
    this.#journal?.enter(invocation.slot, invocation.epoch, invocation.id);
    return true;
  }

  #startTimer(): void {
    this.#turnsAtTimer = this.#turns;
    setTimeout(this.#atRest, REST_MS);
  }

  /**
   * The invocation is over. Its record stays until the slot is used again, and that is not before the kernel has its final frame: a gateway that
   * hears of the host's death without that frame must find the invocation among those that were entered, or it would run a second time.
   */
  release(invocation: Invocation): void {
    if (invocation.slot === 0) return;
    this.#ended.add(invocation.slot, invocation.connection);
    invocation.slot = 0;
  }
}
