// When increments are taken: just after each half second of the machine's clock, so that those of one frame are of one second.

/** What `figures` frames are made on. */
export class FigureClock {
  readonly #everyMs: number;
  readonly #now: () => number;
  #takenAtMs: number;
  #timer: NodeJS.Timeout | undefined;

  /** @param everyMs  divides a second */
  constructor(everyMs: number, now: () => number = Date.now) {
    this.#everyMs = everyMs;
    this.#now = now;
    this.#takenAtMs = now();
  }

  /** Milliseconds until just after the next boundary: never before it, or the last moment of a second would count in the next one. */
  get delayMs(): number {
    return this.#everyMs - (this.#now() % this.#everyMs) + 1;
  }

  start(onTick: () => void): void {
    // Set anew each time: an interval drifts, and the clock may be set.
    this.#timer = setTimeout(() => {
      this.start(onTick);
      onTick();
    }, this.delayMs);
    this.#timer.unref();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  /** The time since the last call, milliseconds since 1970; without length where the clock was set back. */
  take(): [fromMs: number, toMs: number] {
    const toMs = this.#now();
    const fromMs = Math.min(this.#takenAtMs, toMs);
    this.#takenAtMs = toMs;
    return [fromMs, toMs];
  }
}
