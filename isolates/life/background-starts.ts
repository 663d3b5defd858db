// Starts of isolates that no caller waits for: one a loop turn, behind everything that somebody waits for, within a share of the loop's time.
import { TimeBudget } from './time-budget.ts';

const MS_PER_S = 300;
const SAVED_MS = 100;
const AGAIN_MS = 5;
/** A host that is never without work starts one nevertheless after so many tries. */
const MAX_TRIES = 20;

export class BackgroundStarts<T> {
  readonly #start: (item: T) => void;
  readonly #busy: () => boolean;
  readonly #items: T[] = [];
  readonly #time = new TimeBudget(MS_PER_S, SAVED_MS);
  #due = false;
  #closed = false;
  #tries = 0;

  /** @param busy  whether something waits for its turn that somebody waits for */
  constructor(start: (item: T) => void, busy: () => boolean) {
    this.#start = start;
    this.#busy = busy;
  }

  add(item: T): void {
    this.#items.push(item);
    if (!this.#due) this.#schedule(false);
  }

  close(): void {
    this.#closed = true;
  }

  #schedule(later: boolean): void {
    this.#due = true;
    if (later) setTimeout(this.#next, AGAIN_MS);
    else setImmediate(this.#next);
  }

  readonly #next = (): void => {
    this.#due = false;
    if (this.#closed) return;
    const beganMs = performance.now();
    this.#tries += 1;
    if (!this.#time.open(beganMs) || (this.#busy() && this.#tries < MAX_TRIES)) {
      this.#schedule(true);
      return;
    }
    this.#tries = 0;
    const item = this.#items.shift();
    if (item !== undefined) this.#start(item);
    this.#time.spend(performance.now() - beganMs);
    if (this.#items.length > 0 && !this.#due) this.#schedule(false);
  };
}
