// Comparisons one after another, beside requests: never two in a turn of the loop, and none before the last one is over.

export class ComparisonLine<T> {
  readonly #run: (item: T) => Promise<void> | void;
  readonly #waiting: T[] = [];
  #scheduled = false;
  #closed = false;

  /** @param run  must neither throw nor reject, and is bounded in what it takes */
  constructor(run: (item: T) => Promise<void> | void) {
    this.#run = run;
  }

  /** The caller bounds how many wait. */
  add(item: T): void {
    if (this.#closed) return;
    this.#waiting.push(item);
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => void this.#next());
  }

  /** What waits is let go of, not compared. */
  close(): void {
    this.#closed = true;
    this.#waiting.length = 0;
  }

  async #next(): Promise<void> {
    const item = this.#waiting.shift();
    if (item === undefined) {
      this.#scheduled = false;
      return;
    }
    await this.#run(item);
    setImmediate(() => void this.#next());
  }
}
