// What gateways hold against functions: strikes, quarantine, penalty terms; as they last said, and gone with them.
import { z } from 'zod';
import type { StandingFigures } from '../../core/protocol/index.ts';

const count = z.number().min(0);
const time = z.iso.datetime();

export const functionStandingSchema = z.strictObject({
  /** `good`: nothing is held against it. `watched`: it took strikes a short while ago. */
  state: z.enum(['good', 'watched', 'penalty', 'quarantined']),
  /** Within the last 10 seconds; 5 put it into quarantine. */
  strikes: count,
  /** Since it was last in good standing; so are the next two. */
  totalStrikes: count,
  quarantines: count,
  /** Requests that were let through to see whether it is better. */
  probes: count,
  /** When the next one is, or was, due. null: it is not quarantined. */
  probeAt: time.nullable(),
  /** Its term on penalty hosts, or null. */
  penalty: z.strictObject({ since: time, until: time }).nullable(),
  /** The last kill: an error code, or `start` for a module that cannot start. */
  last: z.strictObject({ reason: z.string(), version: z.int(), at: time }).nullable(),
});
export type FunctionStanding = z.infer<typeof functionStandingSchema>;

const GOOD: FunctionStanding = { state: 'good', strikes: 0, totalStrikes: 0, quarantines: 0, probes: 0, probeAt: null, penalty: null, last: null };

type Row = StandingFigures['functions'][number];

export class Standings {
  readonly #gateways = new Map<string, StandingFigures>();

  get gateways(): ReadonlyMap<string, StandingFigures> {
    return this.#gateways;
  }

  take(gateway: string, figures: StandingFigures | undefined): void {
    if (figures === undefined) this.#gateways.delete(gateway);
    else this.#gateways.set(gateway, figures);
  }

  lost(gateway: string): void {
    this.#gateways.delete(gateway);
  }

  of(name: string): FunctionStanding {
    for (const { functions } of this.#gateways.values()) {
      const row = functions.find((one) => one.function === name);
      if (row !== undefined) return view(row);
    }
    return GOOD;
  }

  /** Every function that something is held against, in order of names. */
  all(): { readonly name: string; readonly standing: FunctionStanding }[] {
    return [...this.#gateways.values()].flatMap(({ functions }) => functions).map((row) => ({ name: row.function, standing: view(row) })).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }
}

function view(row: Row): FunctionStanding {
  const at = (ms: number): string => new Date(ms).toISOString();
  const { penaltySinceMs, penaltyUntilMs } = row;
  const penalty = penaltySinceMs === null || penaltyUntilMs === null ? null : { since: at(penaltySinceMs), until: at(penaltyUntilMs) };
  return {
    state: row.quarantined ? 'quarantined' : penalty === null ? 'watched' : 'penalty',
    strikes: row.strikes,
    totalStrikes: row.total,
    quarantines: row.quarantines,
    probes: row.probes,
    probeAt: row.probeAtMs === null ? null : at(row.probeAtMs),
    penalty,
    last: { reason: row.reason, version: row.version, at: at(row.atMs) },
  };
}
