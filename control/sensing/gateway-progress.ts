// Up to when figures are complete: as far as the gateway that is furthest behind, unless it is gone or silent.

/** A gateway that has said nothing for so long is not waited for. It pushes twice a second. */
const SILENT_MS = 5_000;
/** A clock that is further behind than this was set back. */
const SET_BACK_MS = 60_000;

interface Progress {
  readonly toMs: number;
  readonly heardAtMs: number;
}

export class GatewayProgress {
  readonly #gateways = new Map<string, Progress>();
  #upToMs = 0;

  /** Milliseconds since 1970, a whole second; 0 while nothing has come. Never goes back, unless the machine's clock does, by more than a minute. */
  get upToMs(): number {
    return this.#upToMs;
  }

  /** A gateway has said all up to `toMs`. */
  heard(gateway: string, toMs: number, nowMs: number): void {
    this.#gateways.set(gateway, { toMs, heardAtMs: nowMs });
    this.review(nowMs);
  }

  lost(gateway: string, nowMs: number): void {
    this.#gateways.delete(gateway);
    this.review(nowMs);
  }

  review(nowMs: number): void {
    let slowest = Infinity;
    for (const { toMs, heardAtMs } of this.#gateways.values()) {
      // The clock may have been set back: then it was heard just now.
      if (nowMs - heardAtMs < SILENT_MS) slowest = Math.min(slowest, toMs);
    }
    if (nowMs < this.#upToMs - SET_BACK_MS && slowest < this.#upToMs - SET_BACK_MS) this.#upToMs = 0;
    if (slowest !== Infinity) this.#upToMs = Math.max(this.#upToMs, Math.floor(slowest / 1_000) * 1_000);
  }
}
