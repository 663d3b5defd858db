// The new version beside live, over a whole rollout: all gates together, and what they say now.
import type { Gates } from '../../core/schemas/index.ts';
import { gatesOf } from './gates.ts';
import type { Gate, GateFigures, GateName } from './gates.ts';
import type { Second, SideFigures } from './seconds.ts';
import { SECOND_MS } from './seconds.ts';

/** Wealth of all gates together at which the new version is rolled back: reached by a good one in at most 1 rollout of so many. */
export const ENOUGH = 100;
/** From here on a step is not left: a good version gets here in at most 1 rollout of so many, and back again soon. */
const SUSPICIOUS = 20;
/** Without its two strongest seconds a verdict must still be one, if a weak one: a burst decides nothing. */
const STEADY = 1.5;

export type Verdict = 'ok' | 'suspect' | 'failed' | 'no_data';

export interface GateVerdict extends GateFigures {
  readonly gate: GateName;
  readonly verdict: Verdict;
  /** Of 100, by which the new version is rolled back; null for a gate that compares levels. */
  readonly evidence: number | null;
}

export class Comparison {
  readonly #gates: readonly Gate[];
  readonly #shares: number;
  readonly #settleMs: number;
  #settledAtMs = 0;
  #samples = { canary: 0, live: 0 };

  constructor(gates: Gates, settleMs: number) {
    this.#gates = gatesOf(gates);
    this.#shares = this.#gates.reduce((sum, gate) => sum + gate.share, 0);
    this.#settleMs = settleMs;
  }

  /** Requests in this step. */
  get samples(): { readonly canary: number; readonly live: number } {
    return this.#samples;
  }

  /** Live before the rollout. */
  learn(live: SideFigures): void {
    for (const gate of this.#gates) gate.learn(live);
  }

  /** @param fromMs  the first whole second with the new weight */
  beginStep(fromMs: number): void {
    this.#settledAtMs = fromMs + this.#settleMs;
    this.#samples = { canary: 0, live: 0 };
    for (const gate of this.#gates) gate.beginStep();
  }

  add(second: Second): void {
    const settled = second.atMs >= this.#settledAtMs;
    for (const gate of this.#gates) gate.judge(second, settled);
    if (second.atMs < this.#settledAtMs - this.#settleMs) return;
    const { canary, live } = this.#samples;
    this.#samples = { canary: canary + second.canary.requests, live: live + second.live.requests };
  }

  /** The gate by which the new version is to be rolled back. */
  get failed(): GateName | undefined {
    const level = this.#gates.find((gate) => gate.exceeded);
    if (level !== undefined) return level.name;
    const first = this.#first();
    return first !== undefined && this.evidence >= ENOUGH && (first.wager?.steady ?? 0) >= STEADY ? first.name : undefined;
  }

  get suspect(): boolean {
    return this.evidence >= SUSPICIOUS;
  }

  /** Wealth of the whole rollout: that of the gates, each by its share. A mean of e-processes is one. */
  get evidence(): number {
    return this.#gates.reduce((sum, gate) => sum + this.#part(gate), 0);
  }

  verdicts(): GateVerdict[] {
    const { failed } = this;
    return this.#gates.map((gate) => {
      const figures = gate.figures();
      const evidence = gate.wager === undefined ? null : this.#part(gate);
      return { gate: gate.name, verdict: verdictOf(gate, figures, evidence, failed), evidence: evidence === null ? null : rounded(evidence), ...figures };
    });
  }

  #part(gate: Gate): number {
    return gate.wager === undefined ? 0 : (gate.share / this.#shares) * gate.wager.wealth;
  }

  #first(): Gate | undefined {
    return this.#gates.filter((gate) => gate.wager !== undefined).toSorted((a, b) => this.#part(b) - this.#part(a))[0];
  }
}

function verdictOf(gate: Gate, { canary, live }: GateFigures, evidence: number | null, failed: GateName | undefined): Verdict {
  if (gate.name === failed) return 'failed';
  if (canary === null || live === null) return 'no_data';
  return evidence !== null && evidence >= SUSPICIOUS ? 'suspect' : 'ok';
}

/** Three digits say all that evidence can. */
function rounded(evidence: number): number {
  return Number(evidence.toPrecision(3));
}

/** The first whole second that begins at `ms` or later. */
export function wholeSecond(ms: number): number {
  return Math.ceil(ms / SECOND_MS) * SECOND_MS;
}
