// At most so many named series, the busiest; all else is counted as `other`, and no counter ever goes down.
import type { UsedFigures, VersionFigures } from '../../core/protocol/index.ts';
import { Totals } from './totals.ts';

export const OTHER = 'other';

/**
 * Increments go to the series that their name has at that moment. So a name that becomes busy starts a series at 0, and what it counted
 * before stays in `other`: rates are right, where moving sums would show as jumps.
 */
export class BoundedSeries {
  readonly #limit: number;
  readonly #named = new Map<string, Totals>();
  readonly other = new Totals();
  /** Requests of each name since the last review. */
  #recent = new Map<string, number>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get named(): ReadonlyMap<string, Totals> {
    return this.#named;
  }

  add(name: string, figures: VersionFigures): void {
    let requests = 0;
    for (const count of Object.values(figures.statuses)) requests += count;
    this.#recent.set(name, (this.#recent.get(name) ?? 0) + requests);
    if (!this.#named.has(name) && this.#named.size < this.#limit && name !== OTHER) this.#named.set(name, new Totals());
    (this.#named.get(name) ?? this.other).add(figures);
  }

  /** What hosts say of a name goes where its requests go. */
  use(name: string, used: UsedFigures): void {
    (this.#named.get(name) ?? this.other).use(used);
  }

  remove(name: string): void {
    this.#named.delete(name);
  }

  /** Gives the places of names that have become quiet to names more than twice as busy. Meant for once a minute. */
  review(): void {
    const recent = this.#recent;
    this.#recent = new Map();
    const quiet = [...this.#named.keys()].toSorted((a, b) => (recent.get(a) ?? 0) - (recent.get(b) ?? 0));
    const busy = [...recent].filter(([name]) => !this.#named.has(name)).toSorted(([, a], [, b]) => b - a);
    for (const [name, requests] of busy) {
      const loser = quiet.shift();
      if (loser === undefined || requests <= 2 * (recent.get(loser) ?? 0)) return;
      this.#named.delete(loser);
      this.#named.set(name, new Totals());
    }
  }
}
