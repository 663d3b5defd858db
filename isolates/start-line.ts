// The order in which isolates are started: one a loop turn, since making one is synchronous and what is warm must not wait behind many of them.
import { TimeBudget } from './life/time-budget.ts';

/** Loop time for starts that no caller waits for. */
const BACKGROUND_MS_PER_S = 300;
const BACKGROUND_SAVED_MS = 100;
const AGAIN_MS = 5;

export class StartLine<T> {
  readonly #start: (item: T) => void;
  readonly #urgent: T[] = [];
  readonly #background: T[] = [];
  readonly #time = new TimeBudget(BACKGROUND_MS_PER_S, BACKGROUND_SAVED_MS);
  #due = false;
  #closed = false;

  constructor(start: (item: T) => void) {
    this.#start = start;
  }

  /** @param urgent  a caller waits, or will suffer: goes before all that is not. One that stands in both lines is started once and asked once more */
  add(item: T, urgent: boolean): void {
    (urgent ? this.#urgent : this.#background).push(item);
    if (this.#due) return;
    this.#due = true;
    setImmediate(this.#next);
  }

  close(): void {
    this.#closed = true;
  }

  readonly #next = (): void => {
    this.#due = false;
    if (this.#closed) return;
    const urgent = this.#urgent.shift();
    if (urgent !== undefined) {
      this.#start(urgent);
    } else if (this.#background.length > 0) {
      const beganMs = performance.now();
      if (!this.#time.open(beganMs)) {
        this.#due = true;
        setTimeout(this.#next, AGAIN_MS);
        return;
      }
      this.#start(this.#background.shift() as T);
      this.#time.spend(performance.now() - beganMs);
    }
    if (!this.#due && this.#urgent.length + this.#background.length > 0) {
      this.#due = true;
      setImmediate(this.#next);
    }
  };
}
