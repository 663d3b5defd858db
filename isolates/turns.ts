// Loop turns and the in-flight journal: every entry is written down before it happens, and the end of a turn says that nothing runs.
import { JOURNAL_SLOTS } from '../core/protocol/index.ts';
import type { JournalWriter } from '../core/protocol/index.ts';
import type { Invocation } from './invocation.ts';

export class Turns {
  readonly #journal: JournalWriter | null;
  readonly #atEnd: () => void;
  readonly #free: number[] = [];
  #nextSlot = 1;
  #inTurn = false;
  readonly #end = (): void => {
    this.#inTurn = false;
    this.#journal?.idle();
    this.#atEnd();
  };

  /** @param journal  null: no supervisor reads it. @param atEnd  runs after the last entry of each turn */
  constructor(journal: JournalWriter | null, atEnd: () => void) {
    this.#journal = journal;
    this.#atEnd = atEnd;
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
      setImmediate(this.#end);
    }
    this.#journal?.enter(invocation.slot, invocation.epoch, invocation.id);
    return true;
  }

  /** The invocation is over. Its record stays until the slot is used again: gateways know that it was answered. */
  release(invocation: Invocation): void {
    if (invocation.slot === 0) return;
    this.#free.push(invocation.slot);
    invocation.slot = 0;
  }
}
