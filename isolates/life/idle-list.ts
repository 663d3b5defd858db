// Isolates in which nothing runs, the one that has rested longest first. Linked through the isolates: each operation takes constant time.

/** A member's place, in one list at most. Only the list writes it. */
export interface IdlePlace<T> {
  idleList: unknown;
  idlePrevious: T | null;
  idleNext: T | null;
  /** `performance.now()` since when nothing runs in it; 0: it is in no list. */
  idleSinceMs: number;
}

export class IdleList<T extends IdlePlace<T>> {
  #first: T | null = null;
  #last: T | null = null;
  #length = 0;
  /** The first one that `nextUnseen` has not given yet. */
  #unseen: T | null = null;

  get length(): number {
    return this.#length;
  }

  get first(): T | null {
    return this.#first;
  }

  /**
   * Does nothing when it is in a list.
   *
   * @param nowMs  not before that of the last one; above 0
   */
  add(member: T, nowMs: number): void {
    if (member.idleList !== null) return;
    member.idleList = this;
    member.idleSinceMs = nowMs;
    member.idlePrevious = this.#last;
    if (this.#last === null) this.#first = member;
    else this.#last.idleNext = member;
    this.#last = member;
    this.#length += 1;
    this.#unseen ??= member;
  }

  /** Does nothing when it is not in this list. */
  remove(member: T): void {
    if (member.idleList !== this) return;
    member.idleList = null;
    const { idlePrevious: previous, idleNext: next } = member;
    if (this.#unseen === member) this.#unseen = next;
    if (previous === null) this.#first = next;
    else previous.idleNext = next;
    if (next === null) this.#last = previous;
    else next.idlePrevious = previous;
    member.idlePrevious = member.idleNext = null;
    member.idleSinceMs = 0;
    this.#length -= 1;
  }

  /** The longest resting one that was not given yet in this rest, if it rests since `beforeMs` at least. */
  nextUnseen(beforeMs: number): T | null {
    const member = this.#unseen;
    if (member === null || member.idleSinceMs > beforeMs) return null;
    this.#unseen = member.idleNext;
    return member;
  }
}
