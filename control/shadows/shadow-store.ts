// What gateways say about repeated requests, per function: sums since the shadow was set, and the newest differences. In memory: a restart begins at zero.
import { LogHistogram } from '../../core/metrics/index.ts';
import { MAX_DIFFERENCES, shadowFiguresSchema } from '../../core/protocol/index.ts';
import type { Peer, ShadowDifference, ShadowRow } from '../../core/protocol/index.ts';
import type { ShadowRecord } from '../../core/schemas/index.ts';
import { Totals } from '../stats/index.ts';
import type { ShadowReport } from './views.ts';

export interface ShadowStoreOptions {
  /** The shadow that the function has now: figures of another one are dropped. */
  readonly shadowOf: (name: string) => ShadowRecord | undefined;
}

/** Reasons are words of gateways: more than there are would be made up. */
const MAX_REASONS = 40;
const REASON = /^[a-z][a-z_]{0,63}$/;

class Kept {
  readonly settings: ShadowRecord;
  mirrored = 0;
  equal = 0;
  different = 0;
  incomparable = 0;
  readonly failed = { live: 0, shadow: 0 };
  readonly lost = new Map<string, number>();
  readonly skipped = new Map<string, number>();
  readonly dropped = new Map<string, number>();
  readonly liveWallUs = new LogHistogram();
  readonly liveCpuUs = new LogHistogram();
  readonly shadow = new Totals();
  differences: ShadowDifference[] = [];

  constructor(settings: ShadowRecord) {
    this.settings = settings;
  }

  add(row: ShadowRow): void {
    this.mirrored += row.mirrored;
    this.equal += row.equal;
    this.different += row.different;
    this.incomparable += row.incomparable;
    this.failed.live += row.failed.live;
    this.failed.shadow += row.failed.shadow;
    raiseAll(this.lost, row.lost);
    raiseAll(this.skipped, row.skipped);
    raiseAll(this.dropped, row.dropped);
    this.liveWallUs.addPairs(row.live.wallUs);
    this.liveCpuUs.addPairs(row.live.cpuUs);
    this.shadow.add(row.shadow);
    this.differences = [...this.differences, ...row.differences].toSorted((a, b) => a.atMs - b.atMs).slice(-MAX_DIFFERENCES);
  }
}

/** Sums over all shadows since the control plane started, for `/metrics`. They never go down. */
export interface ShadowSums {
  readonly outcomes: Readonly<Record<'equal' | 'different' | 'incomparable' | 'lost', number>>;
  readonly skipped: ReadonlyMap<string, number>;
  readonly dropped: ReadonlyMap<string, number>;
  readonly mirrored: number;
}

export class ShadowStore {
  readonly #options: ShadowStoreOptions;
  readonly #kept = new Map<string, Kept>();
  readonly #outcomes = { equal: 0, different: 0, incomparable: 0, lost: 0 };
  readonly #skipped = new Map<string, number>();
  readonly #dropped = new Map<string, number>();
  #mirrored = 0;
  #rejected = 0;

  constructor(options: ShadowStoreOptions) {
    this.#options = options;
  }

  /** Frames that were not of the schema, or not of a gateway. */
  get rejected(): number {
    return this.#rejected;
  }

  get sums(): ShadowSums {
    return { outcomes: this.#outcomes, skipped: this.#skipped, dropped: this.#dropped, mirrored: this.#mirrored };
  }

  take(peer: Pick<Peer, 'role'>, figures: unknown): void {
    const parsed = shadowFiguresSchema.safeParse(figures);
    if (!parsed.success || peer.role !== 'gateway') {
      this.#rejected += 1;
      return;
    }
    for (const row of parsed.data.rows) this.#add(row);
  }

  /** The function was written or deleted: what was counted under other settings goes. */
  changed(name: string): void {
    const kept = this.#kept.get(name);
    if (kept !== undefined && this.#options.shadowOf(name)?.since !== kept.settings.since) this.#kept.delete(name);
  }

  /** @param settings  the function's present ones */
  report(name: string, settings: ShadowRecord): ShadowReport {
    const kept = this.#kept.get(name);
    const { mirrored, equal, different, incomparable, failed, lost, skipped, dropped, liveWallUs, liveCpuUs, shadow, differences } = kept?.settings.since === settings.since ? kept : new Kept(settings);
    return {
      name,
      shadow: settings,
      mirrored, equal, different, incomparable, failed: { ...failed },
      lost: Object.fromEntries(lost), skipped: Object.fromEntries(skipped), dropped: Object.fromEntries(dropped),
      live: { wallMs: quantilesMs(liveWallUs), cpuMs: quantilesMs(liveCpuUs) },
      answers: {
        wallMs: quantilesMs(shadow.wallUs), cpuMs: quantilesMs(shadow.cpuUs), statuses: Object.fromEntries(shadow.statuses), codes: Object.fromEntries(shadow.codes),
        coldStarts: shadow.coldStarts, limits: Object.fromEntries(shadow.limits),
      },
      differences: differences.toReversed().map(({ atMs, ...one }) => ({ time: new Date(Math.min(atMs, 8.64e15)).toISOString(), ...one })),
    };
  }

  #add(row: ShadowRow): void {
    const settings = this.#options.shadowOf(row.function);
    if (settings === undefined || settings.since !== row.since || settings.version !== row.version) return;
    let kept = this.#kept.get(row.function);
    if (kept?.settings.since !== settings.since) this.#kept.set(row.function, (kept = new Kept(settings)));
    kept.add(row);
    this.#mirrored += row.mirrored;
    for (const outcome of ['equal', 'different', 'incomparable'] as const) this.#outcomes[outcome] += row[outcome];
    for (const count of Object.values(row.lost)) this.#outcomes.lost += count;
    raiseAll(this.#skipped, row.skipped);
    raiseAll(this.#dropped, row.dropped);
  }
}

function raiseAll(counts: Map<string, number>, by: Readonly<Record<string, number>>): void {
  for (const [reason, count] of Object.entries(by)) {
    const label = REASON.test(reason) && (counts.has(reason) || counts.size < MAX_REASONS) ? reason : 'other';
    counts.set(label, (counts.get(label) ?? 0) + count);
  }
}

function quantilesMs(us: LogHistogram): { p50: number | null; p99: number | null } {
  const at = (q: number): number | null => (us.total === 0 ? null : Math.round(us.quantile(q)) / 1_000);
  return { p50: at(0.5), p99: at(0.99) };
}
