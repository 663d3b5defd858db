// The limits per caller of all functions: one bound for all their tables, and what is reported of them.
import type { CallerFigures } from '../../core/protocol/index.ts';
import type { Callers } from '../../core/schemas/index.ts';
import { mayTake } from '../fair-share.ts';
import { CallerGate } from './caller-gate.ts';
import type { CallerRoom } from './caller-table.ts';

/** Callers of all functions together: about 20 MB. */
export const MAX_CALLERS_IN_ALL = 100_000;
const SWEEP_MS = 10_000;
/** Functions in one report. */
const MAX_REPORTED = 1_000;

export class CallerGates {
  readonly #room: CallerRoom = { taken: 0, limit: MAX_CALLERS_IN_ALL, hasRoom: (held) => mayTake(held, this.#room.taken, MAX_CALLERS_IN_ALL) };
  readonly #gates = new Map<string, CallerGate>();
  /** Requests that shared an allowance, of tables that are gone. */
  #crowdedBefore = 0;
  #sweptAtMs = 0;

  /** The gate of a function under its present settings. @returns null: callers are not limited apart */
  configure(name: string, callers: Callers | undefined): CallerGate | null {
    const former = this.#gates.get(name);
    if (callers === undefined) {
      this.remove(name);
      return null;
    }
    if (former !== undefined && former.by === callers.by) {
      former.configure(callers);
      return former;
    }
    this.remove(name);
    const gate = new CallerGate(callers.by, this.#room);
    gate.configure(callers);
    this.#gates.set(name, gate);
    return gate;
  }

  remove(name: string): void {
    const gate = this.#gates.get(name);
    if (gate === undefined) return;
    this.#gates.delete(name);
    this.#crowdedBefore += gate.table.crowded;
    gate.table.clear();
  }

  /** Callers of all functions that have a place. */
  get tracked(): number {
    return this.#room.taken;
  }

  /** Called now and then. */
  review(nowMs: number): void {
    if (nowMs - this.#sweptAtMs < SWEEP_MS) return;
    this.#sweptAtMs = nowMs;
    for (const { table } of this.#gates.values()) table.sweep(nowMs);
  }

  figures(): CallerFigures {
    const functions: Record<string, number> = {};
    let reported = 0;
    let crowded = this.#crowdedBefore;
    for (const [name, { table }] of this.#gates) {
      crowded += table.crowded;
      if (table.size > 0 && reported++ < MAX_REPORTED) functions[name] = table.size;
    }
    return { tracked: this.tracked, crowded, functions };
  }
}
