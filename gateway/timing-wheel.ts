// Deadlines of very many requests at the cost of two pointer writes each: a hashed timing wheel (Varghese and Lauck, 1987, scheme 6).

/** What has a deadline. The three fields belong to the wheel; a class declares them so that no object is made per deadline. */
export interface Timed {
  timerNext: Timed | null;
  timerPrevious: Timed | null;
  /** Milliseconds on the clock of the wheel. */
  timerAtMs: number;
  /** The deadline has passed. It is out of the wheel and may be put in again. */
  onTimer(nowMs: number): void;
}

/** The ends of a circular list. */
class Sentinel implements Timed {
  timerNext: Timed | null = this;
  timerPrevious: Timed | null = this;
  timerAtMs = Number.POSITIVE_INFINITY;
  onTimer(): void {}
}

const SLOTS = 1_024;
const MASK = SLOTS - 1;

export class TimingWheel {
  readonly #tickMs: number;
  readonly #now: () => number;
  readonly #slots: readonly Sentinel[] = Array.from({ length: SLOTS }, () => new Sentinel());
  readonly #due = new Sentinel();
  #size = 0;
  /** The last tick whose slot was looked at. */
  #tick: number;
  #timer: NodeJS.Timeout | undefined;

  /** @param tickMs  how late a deadline may be noticed; slots are this wide */
  constructor(tickMs = 8, now: () => number = () => performance.now()) {
    this.#tickMs = tickMs;
    this.#now = now;
    this.#tick = Math.floor(now() / tickMs);
  }

  get size(): number {
    return this.#size;
  }

  /** Calls `item.onTimer` at `atMs` or up to one tick later. One deadline per item: a second one moves it. */
  set(item: Timed, atMs: number): void {
    if (item.timerNext === null) {
      this.#size += 1;
      if (this.#timer === undefined) this.#start();
    } else {
      unlink(item);
    }
    item.timerAtMs = atMs;
    // A deadline of the past goes into the next slot that will be looked at.
    const tick = Math.max(Math.ceil(atMs / this.#tickMs), this.#tick + 1);
    const slot = this.#slots[tick & MASK] as Sentinel;
    link(item, slot);
  }

  /** Takes the item out; nothing when it is not in. */
  clear(item: Timed): void {
    if (item.timerNext === null) return;
    unlink(item);
    this.#size -= 1;
  }

  /** Fires what is due. Runs by itself; tests with a clock of their own call it. */
  advance(): void {
    const now = this.#now();
    const upTo = Math.floor(now / this.#tickMs);
    // After a long pause every slot is looked at once.
    for (let tick = Math.max(this.#tick + 1, upTo - SLOTS + 1); tick <= upTo; tick++) {
      this.#tick = tick;
      const slot = this.#slots[tick & MASK] as Sentinel;
      for (let item = slot.timerNext as Timed; item !== slot; ) {
        const next = item.timerNext as Timed;
        if (item.timerAtMs <= now) {
          unlink(item);
          link(item, this.#due);
        }
        item = next;
      }
    }
    // Fired only now, and one by one from a list of their own: a handler may move or clear any item, also one that is due.
    for (let item = this.#due.timerNext as Timed; item !== this.#due; item = this.#due.timerNext as Timed) {
      unlink(item);
      this.#size -= 1;
      item.onTimer(now);
    }
    this.#tick = Math.max(this.#tick, upTo);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  // No deadline, no wake-up: an idle gateway sleeps.
  #start(): void {
    this.#tick = Math.floor(this.#now() / this.#tickMs);
    this.#timer = setTimeout(this.#onTick, this.#tickMs);
    this.#timer.unref();
  }

  readonly #onTick = (): void => {
    this.advance();
    if (this.#size === 0) {
      this.#timer = undefined;
      return;
    }
    this.#timer?.refresh();
  };
}

/** Puts the item at the end of the list. */
function link(item: Timed, list: Sentinel): void {
  item.timerPrevious = list.timerPrevious;
  item.timerNext = list;
  (list.timerPrevious as Timed).timerNext = item;
  list.timerPrevious = item;
}

function unlink(item: Timed): void {
  (item.timerPrevious as Timed).timerNext = item.timerNext;
  (item.timerNext as Timed).timerPrevious = item.timerPrevious;
  item.timerNext = null;
  item.timerPrevious = null;
}
