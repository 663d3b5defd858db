// The wish for hosts of a group that is started on demand: said when a request waits for one or does without, withdrawn when none has run for a while.

/** A wish that was not heard, or whose host did not start, is said again after this time, milliseconds. */
const AGAIN_MS = 1_000;

/** Decides what to say; the caller keeps time and says it. */
export class HostDemand {
  readonly #idleMs: number;
  #usedAtMs = Number.NEGATIVE_INFINITY;
  #saidAtMs = Number.NEGATIVE_INFINITY;
  #said: boolean | undefined;
  #invoked = 0;

  /** @param idleMs  hosts without invocations for so long are wanted no more */
  constructor(idleMs: number) {
    this.#idleMs = idleMs;
  }

  /**
   * @param waiting  requests that wait for a host of the group
   * @param running  invocations on its hosts
   * @param invoked  invocations that its hosts ever got: most begin and end between two reviews
   * @param hosts  hosts that are connected
   * @returns whether hosts are wanted, when it is time to say so; else undefined
   */
  review(nowMs: number, waiting: number, running: number, invoked: number, hosts: number): boolean | undefined {
    // A gateway that has just started finds hosts that it never asked for: they count as used now.
    if (waiting > 0 || running > 0 || invoked !== this.#invoked || this.#usedAtMs === Number.NEGATIVE_INFINITY) this.#usedAtMs = nowMs;
    this.#invoked = invoked;
    if (waiting > 0 && hosts === 0) return this.#say(true, nowMs);
    if (hosts > 0 && nowMs - this.#usedAtMs >= this.#idleMs) return this.#say(false, nowMs);
    return undefined;
  }

  #say(wanted: boolean, nowMs: number): boolean | undefined {
    if (this.#said === wanted && nowMs - this.#saidAtMs < AGAIN_MS) return undefined;
    this.#said = wanted;
    this.#saidAtMs = nowMs;
    return wanted;
  }
}
