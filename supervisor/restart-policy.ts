// When a dead process starts again: at once, then later and later; a crash loop rests.

export interface RestartChoice {
  readonly delayMs: number;
  /** The breaker is open: the process is reported as failed until a later life holds. */
  readonly failed: boolean;
}

/** A life that was ready this long counts as a good one and forgets the bad ones before it. */
export const STABLE_MS = 1_000;

const FIRST_DELAY_MS = 50;
/** For a process that never got ready: nothing is served anyway, and starting costs the others CPU time. */
const MAX_DELAY_MS = 5_000;
/** For one that got ready and died soon: a function may kill its host several times before it is quarantined, and the host must be back within a second each time. */
const MAX_DELAY_READY_MS = 400;
/** Bad lives in a row that open the breaker. */
const BREAKER_LIVES = 10;
const BREAKER_RETRY_MS = 30_000;

/** Exponential back-off with a crash-loop breaker. Pure: the caller keeps time. */
export class RestartPolicy {
  #badLives = 0;

  /** @param readyForMs  how long the life was ready; undefined: it never was */
  onDeath(readyForMs: number | undefined): RestartChoice {
    if (readyForMs !== undefined && readyForMs >= STABLE_MS) this.#badLives = 0;
    const delayMs = this.#badLives === 0 ? 0 : Math.min(FIRST_DELAY_MS * 2 ** (this.#badLives - 1), readyForMs === undefined ? MAX_DELAY_MS : MAX_DELAY_READY_MS);
    this.#badLives += 1;
    return this.#badLives >= BREAKER_LIVES ? { delayMs: BREAKER_RETRY_MS, failed: true } : { delayMs, failed: false };
  }
}
