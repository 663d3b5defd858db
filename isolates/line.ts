// First in, first out, and out of the middle in constant time: an intrusive list, so that waiting in one allocates nothing.

/** What can wait in one line at a time. A class declares the three fields. */
export interface Linked {
  before: Linked | null;
  behind: Linked | null;
  /** The line that it is in. */
  inLine: object | null;
}

export class Line<T extends Linked> {
  #first: T | null = null;
  #last: T | null = null;
  #length = 0;

  get first(): T | null {
    return this.#first;
  }

  get length(): number {
    return this.#length;
  }

  /** It must be in no line. */
  push(item: T): void {
    item.inLine = this;
    item.before = this.#last;
    if (this.#last === null) this.#first = item;
    else this.#last.behind = item;
    this.#last = item;
    this.#length += 1;
  }

  /** It must be in this line. */
  remove(item: T): void {
    const before = item.before as T | null;
    const behind = item.behind as T | null;
    if (before === null) this.#first = behind;
    else before.behind = behind;
    if (behind === null) this.#last = before;
    else behind.before = before;
    item.before = item.behind = item.inLine = null;
    this.#length -= 1;
  }
}
