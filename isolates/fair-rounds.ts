// One level of the fair queue: flows that take turns, each with a credit of CPU time that every round renews.
//
// Deficit round robin (Shreedhar and Varghese, 1996: each flow may use a quantum a round, whatever its pieces cost, at O(1) a piece), in the form
// that charges afterwards, since nobody knows what an entry will cost: surplus round robin (Adiseshu, Parulkar and Varghese, 1996). A flow runs while it
// has credit; what it overdraws by its last piece it waits for in the rounds that follow.
import { Line } from './line.ts';
import type { Linked } from './line.ts';

/**
 * CPU time of one flow in one round, and of all flows before the loop reads its sockets again, microseconds. A turn of the loop costs about 10 µs, so
 * reading them so often costs half a percent; and a flow with short entries waits about so long for one other that always has work.
 */
export const QUANTUM_US = 2_000;

/** What takes turns: a function among its tenant's, a tenant among the host's. */
export class Flow implements Linked {
  before: Linked | null = null;
  behind: Linked | null = null;
  inLine: object | null = null;
  // As of `round` of `period`: `Rounds` brings it up to date when it looks.
  creditUs = QUANTUM_US;
  round = 0;
  period = 0;
}

/** Busy periods of the queue: when nobody waits, nobody was put behind anybody, and all debts are forgotten. */
export interface Periods {
  period: number;
}

export class Rounds<F extends Flow> {
  readonly #periods: Periods;
  /** Flows with work: those that have credit in this round, as far as is known, and those that have used it up. */
  readonly #ready = new Line<F>();
  readonly #spent = new Line<F>();
  #round = 0;

  constructor(periods: Periods) {
    this.#periods = periods;
  }

  /** What the flow may use in this round, microseconds; 0 or less: nothing. */
  creditUs(flow: F): number {
    const { period } = this.#periods;
    if (flow.period !== period) {
      flow.period = period;
      flow.round = this.#round;
      flow.creditUs = QUANTUM_US;
    } else if (flow.round !== this.#round) {
      // Rounds without work are not saved up: the cap.
      flow.creditUs = Math.min(QUANTUM_US, flow.creditUs + (this.#round - flow.round) * QUANTUM_US);
      flow.round = this.#round;
    }
    return flow.creditUs;
  }

  charge(flow: F, cpuUs: number): void {
    this.creditUs(flow);
    flow.creditUs -= cpuUs;
  }

  /** The flow has work from now on. */
  add(flow: F): void {
    (this.creditUs(flow) > 0 ? this.#ready : this.#spent).push(flow);
  }

  /** It has none any more. */
  remove(flow: F): void {
    if (flow.inLine === this.#ready) this.#ready.remove(flow);
    else if (flow.inLine === this.#spent) this.#spent.remove(flow);
  }

  /** The flow whose turn it is. @returns null when none has work */
  next(): F | null {
    for (;;) {
      const flow = this.#ready.first;
      if (flow === null) {
        if (this.#spent.length === 0) return null;
        this.#beginRound();
      } else if (this.creditUs(flow) > 0) {
        return flow;
      } else {
        this.#ready.remove(flow);
        this.#spent.push(flow);
      }
    }
  }

  /** Nobody who waits has credit left. Rounds in which that would stay so are skipped: a flow alone never waits for its debts. */
  #beginRound(): void {
    let rounds = Number.POSITIVE_INFINITY;
    for (let flow = this.#spent.first; flow !== null; flow = flow.behind as F | null) {
      rounds = Math.min(rounds, Math.floor(-this.creditUs(flow) / QUANTUM_US) + 1);
    }
    this.#round += rounds;
    for (let flow = this.#spent.first; flow !== null; ) {
      const behind = flow.behind as F | null;
      if (this.creditUs(flow) > 0) {
        this.#spent.remove(flow);
        this.#ready.push(flow);
      }
      flow = behind;
    }
  }
}
