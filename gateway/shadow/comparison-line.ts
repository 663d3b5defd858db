// Comparisons one after another, beside requests: never two in a turn of the loop, and never more than a tenth of its time.

/** Time that is left to others for each millisecond of a comparison, milliseconds. */
const REST_SHARE = 9;

export class ComparisonLine<T> {
  readonly #run: (item: T) => void;
  readonly #now: () => number;
  readonly #waiting: T[] = [];
  #scheduled = false;
  #closed = false;
  #timer: NodeJS.Timeout | undefined;
  readonly #turn = (): void => this.#next();

  /** @param run  must not throw, and is bounded in what it takes */
  constructor(run: (item: T) => void, now: () => number = () => performance.now()) {
    this.#run = run;
    this.#now = now;
  }

  /** The caller bounds how many wait. */
  add(item: T): void {
    this.#waiting.push(item);
    if (this.#scheduled || this.#closed) return;
    this.#scheduled = true;
    setImmediate(this.#turn);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    // What waits is let go of, not compared.
    this.#waiting.length = 0;
  }

  #next(): void {
    const item = this.#waiting.shift();
    if (item === undefined || this.#closed) {
      this.#scheduled = false;
      return;
    }
    const begun = this.#now();
    this.#run(item);
    const restMs = (this.#now() - begun) * REST_SHARE;
    // A timer is no shorter than a millisecond: below that, one turn of the loop is rest enough.
    if (restMs < 1) setImmediate(this.#turn);
    else this.#timer = setTimeout(this.#turn, restMs);
  }
}
