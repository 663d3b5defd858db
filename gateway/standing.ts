// What one function's kills have cost it: strikes, quarantine with its ladder of probes, and its term on penalty hosts. Pure: the caller keeps time.

/** So many strikes within the window put a function into quarantine. */
export const STRIKES = 5;
export const WINDOW_MS = 10_000;

/** Waits before each probe in turn; the last one repeats. */
export const LADDER_MS = [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000] as const;
const LAST_RUNG = LADDER_MS.length - 1;
/** After so long without a kill, milliseconds, the next quarantine would begin one rung lower. */
export const FORGIVE_MS = 60_000;
/** A probe that has not ended by then, milliseconds, does not keep another one from being let through. */
export const PROBE_MS = 10_000;

/** A host that a function has killed counts for so many killed isolates: all its neighbours there have paid. */
export const HOST_STRIKES = 3;
/** The wait of a function that has killed even a penalty host begins on this rung: 8 s. */
export const PENALTY_RUNG = 3;

/** First term on penalty hosts, milliseconds; each further one is twice as long, up to the last: 10, 20, 40, 80, 160 minutes. */
export const TERM_MS = 600_000;
const LAST_TERM = 4;
/** What is left of a term, at the most, once other code or other limits run, milliseconds. */
export const CHANGED_TERM_MS = 60_000;

/** What has just changed for the function; undefined: nothing that others need to know. */
export type Change = 'quarantined' | 'released' | 'penalised' | 'returned' | undefined;

/** Times are those that the caller passes: milliseconds of a clock that never goes back. */
export class Standing {
  /** Times of the strikes within the window, the oldest first. */
  #strikes: number[] = [];
  /** Rung of the last quarantine; -1: none is remembered. */
  #rung = -1;
  #quarantined = false;
  /** From when on a probe is let through. */
  #probeDueMs = 0;
  /** The request that was let through; 0: none. */
  #probe = 0;
  #probeAtMs = 0;
  /** Since when there has been no kill, or since the last rung that was forgiven. */
  #goodSinceMs = 0;
  #penalised = false;
  #penaltySinceMs = 0;
  #penaltyUntilMs = 0;
  /** Terms that are remembered. */
  #terms = 0;
  /** When a host last fell silent with it on the thread. */
  #suspectedAtMs = Number.NEGATIVE_INFINITY;
  /** Since the function was last in good standing. */
  total = 0;
  quarantines = 0;
  probes = 0;
  /** The last kill: its code, the version that was killed, and when. */
  lastCode = '';
  lastVersion = 0;
  lastAtMs = 0;

  get quarantined(): boolean {
    return this.#quarantined;
  }

  /** It runs on penalty hosts. */
  get penalised(): boolean {
    return this.#penalised;
  }

  /** When the next probe is due. Only of a quarantined function. */
  get probeDueMs(): number {
    return this.#probeDueMs;
  }

  get penaltySinceMs(): number {
    return this.#penaltySinceMs;
  }

  get penaltyUntilMs(): number {
    return this.#penaltyUntilMs;
  }

  /** Strikes within the window. */
  strikesAt(nowMs: number): number {
    return this.#strikes.filter((at) => nowMs - at < WINDOW_MS).length;
  }

  /** Whether nothing is held against the function any more. */
  goodAt(nowMs: number): boolean {
    return !this.#quarantined && !this.#penalised && this.#rung < 0 && this.#terms === 0 && nowMs - this.#suspectedAtMs >= TERM_MS && this.strikesAt(nowMs) === 0;
  }

  /** Whether a new request is refused at the door. */
  refuses(nowMs: number): boolean {
    return this.#quarantined && (nowMs < this.#probeDueMs || (this.#probe !== 0 && nowMs - this.#probeAtMs < PROBE_MS));
  }

  /** Whether an admitted request may not go to a host now. */
  blocks(id: number): boolean {
    return this.#quarantined && id !== this.#probe;
  }

  /** A request that was not refused has come in. @returns whether it is the probe */
  entered(id: number, nowMs: number): boolean {
    if (!this.#quarantined) return false;
    this.#probe = id;
    this.#probeAtMs = nowMs;
    this.probes += 1;
    return true;
  }

  /**
   * A request is over, without a kill if none was reported before.
   *
   * @param ran  it used CPU time on a host: one that never ran shows nothing, and the next request is the probe
   */
  left(id: number, ran: boolean, nowMs: number): Change {
    if (id !== this.#probe || !this.#quarantined) return undefined;
    this.#probe = 0;
    if (!ran) return undefined;
    this.#quarantined = false;
    this.#strikes = [];
    this.#goodSinceMs = nowMs;
    return 'released';
  }

  /**
   * An isolate was killed by request `id`.
   *
   * @param weight  strikes that it counts for
   * @param lowestRung  where the ladder begins if it comes to a quarantine now
   */
  killed(id: number, nowMs: number, weight = 1, lowestRung = 0): Change {
    this.#goodSinceMs = nowMs;
    if (this.#quarantined) {
      // What had been let in before the quarantine began says nothing new.
      if (id !== this.#probe) return undefined;
      this.total += weight;
      return this.#quarantine(nowMs, Math.max(lowestRung, this.#rung + 1));
    }
    this.total += weight;
    this.#strikes = this.#strikes.filter((at) => nowMs - at < WINDOW_MS);
    for (let i = 0; i < weight; i++) this.#strikes.push(nowMs);
    return this.#strikes.length >= STRIKES ? this.#quarantine(nowMs, Math.max(lowestRung, this.#rung + 1)) : undefined;
  }

  /** Request `id` has killed its host. @param onPenaltyHost  even there: no other place is left */
  killedHost(id: number, nowMs: number, onPenaltyHost: boolean): NonNullable<Change>[] {
    const changes: NonNullable<Change>[] = [];
    // Hosts that it kills with what was sent to them before the first death was known belong to the same term.
    if (!this.#penalised || onPenaltyHost) {
      if (!this.#penalised) {
        changes.push('penalised');
        this.#penaltySinceMs = nowMs;
      }
      this.#penalised = true;
      this.#penaltyUntilMs = nowMs + TERM_MS * 2 ** Math.min(this.#terms, LAST_TERM);
      this.#terms = Math.min(this.#terms + 1, LAST_TERM + 1);
    }
    const change = onPenaltyHost ? this.killed(id, nowMs, STRIKES, PENALTY_RUNG) : this.killed(id, nowMs, HOST_STRIKES);
    if (change !== undefined) changes.push(change);
    return changes;
  }

  /** A host fell silent with it on the thread, which a machine that is short of time does to anyone. @returns whether it is the second time within a term */
  suspected(nowMs: number): boolean {
    const again = nowMs - this.#suspectedAtMs < TERM_MS;
    this.#suspectedAtMs = nowMs;
    return again;
  }

  /** Other code or other limits run from now on: the next request of a quarantined function shows whether they are better. */
  changed(nowMs: number): void {
    this.#strikes = [];
    if (this.#quarantined) {
      this.#probeDueMs = nowMs;
      this.#probe = 0;
      this.#rung = Math.max(0, this.#rung - 1);
    }
    if (this.#penalised) this.#penaltyUntilMs = Math.min(this.#penaltyUntilMs, nowMs + CHANGED_TERM_MS);
  }

  /** What has passed by itself. Called now and then. */
  review(nowMs: number): Change {
    if (!this.#quarantined && this.#rung >= 0 && nowMs - this.#goodSinceMs >= FORGIVE_MS) {
      this.#rung -= 1;
      this.#goodSinceMs = nowMs;
    }
    if (this.#penalised && nowMs >= this.#penaltyUntilMs) {
      this.#penalised = false;
      return 'returned';
    }
    // As long as a term lasts it must behave elsewhere until the next one is no longer than the last.
    if (!this.#penalised && this.#terms > 0 && nowMs - this.#penaltyUntilMs >= TERM_MS * 2 ** Math.min(this.#terms - 1, LAST_TERM)) {
      this.#terms -= 1;
      this.#penaltyUntilMs = nowMs;
    }
    return undefined;
  }

  #quarantine(nowMs: number, rung: number): 'quarantined' {
    this.#quarantined = true;
    this.#rung = Math.min(rung, LAST_RUNG);
    this.#probeDueMs = nowMs + (LADDER_MS[this.#rung] ?? 0);
    this.#probe = 0;
    this.#strikes = [];
    this.quarantines += 1;
    return 'quarantined';
  }
}
