// One function's shadow as the gateway keeps it: its settings, what hosts are told, what is counted; from one change of the settings to the next.
import { LogHistogram } from '../../core/metrics/index.ts';
import { MAX_DIFFERENCES } from '../../core/protocol/index.ts';
import type { ShadowDifference, ShadowRow } from '../../core/protocol/index.ts';
import type { RouteFunction } from '../../core/routing/index.ts';
import type { ShadowRecord } from '../../core/schemas/index.ts';
import { FunctionGate } from '../function-gate.ts';
import { Route, VersionTarget } from '../route.ts';
import { FigureCell } from '../version-figures.ts';
import { ignoreTree } from './ignore-tree.ts';
import type { IgnoreNode } from './ignore-tree.ts';

/** The function without what is between it and its callers: nobody gets a shadow's answer, so nothing takes its place, and none is kept to take another's. */
function withoutCallers(fn: RouteFunction): RouteFunction {
  const { callers: _callers, fallback: _fallback, skew: _skew, killed: _killed, forced: _forced, quotas: _quotas, shadow: _shadow, ...rest } = fn;
  return rest;
}

/** The function as the shadows' dispatcher routes it: its one version is the shadow, and no gate, place or figure is the live function's. */
class ShadowRoute extends Route {
  readonly #target: VersionTarget | undefined;

  constructor(fn: RouteFunction, gate: FunctionGate, target: VersionTarget | undefined) {
    super(withoutCallers(fn), gate);
    this.#target = target;
  }

  override target(): VersionTarget | undefined {
    return this.#target;
  }
}

export class ShadowLane {
  readonly settings: ShadowRecord;
  readonly headers: ReadonlySet<string>;
  readonly ignore: IgnoreNode;
  readonly methods: ReadonlySet<string>;
  readonly gate: FunctionGate;
  fn: RouteFunction;
  route: Route;
  /** undefined: the function has no such version any more. */
  target: VersionTarget | undefined;
  /** Its settings have changed, or it has ended: what is under way for it counts for nothing. */
  ended = false;
  /** Requests drawn and not yet compared. */
  open = 0;
  /** What the shadow did, as of any version; in no book of production's. */
  readonly cell: FigureCell;
  mirrored = 0;
  equal = 0;
  different = 0;
  incomparable = 0;
  failedLive = 0;
  failedShadow = 0;
  readonly skipped = new Map<string, number>();
  readonly dropped = new Map<string, number>();
  readonly lost = new Map<string, number>();
  readonly liveWallUs = new LogHistogram();
  readonly liveCpuUs = new LogHistogram();
  #differences: ShadowDifference[] = [];
  #dirty = false;

  constructor(fn: RouteFunction, settings: ShadowRecord, concurrency: number) {
    this.settings = settings;
    this.headers = new Set(settings.headers.map((name) => name.toLowerCase()));
    this.methods = new Set(settings.methods);
    this.ignore = ignoreTree(settings.ignore);
    this.cell = new FigureCell(fn.name, settings.version);
    this.gate = new FunctionGate(fn.name);
    this.gate.configure({ ...fn.limits, rps: 0, concurrency });
    this.fn = fn;
    this.target = this.#targetOf(fn);
    this.route = new ShadowRoute(fn, this.gate, this.target);
  }

  /** Whether the function still has this shadow. */
  is(fn: RouteFunction | undefined): boolean {
    return fn?.shadow?.since === this.settings.since && fn.shadow.version === this.settings.version;
  }

  /** Other settings of the function, but not of its shadow. @returns what hosts are to forget */
  follow(fn: RouteFunction): VersionTarget | undefined {
    const former = this.target;
    const next = this.#targetOf(fn);
    this.fn = fn;
    const kept = former !== undefined && next?.same(former) === true;
    if (!kept) this.target = next;
    else former.place.target = former;
    this.route = new ShadowRoute(fn, this.gate, this.target);
    if (kept || former === undefined) return undefined;
    former.retired = true;
    return former;
  }

  #targetOf(fn: RouteFunction): VersionTarget | undefined {
    const { version } = this.settings;
    const digest = fn.versions[version];
    if (digest === undefined) return undefined;
    const place = this.gate.place(version);
    const target = new VersionTarget(fn, version, digest, place, true);
    target.figures = this.cell;
    place.target = target;
    return target;
  }

  skip(reason: string): void {
    raise(this.skipped, reason);
    this.#dirty = true;
  }

  drop(reason: string): void {
    raise(this.dropped, reason);
    this.#dirty = true;
  }

  lose(code: string): void {
    raise(this.lost, code);
    this.#dirty = true;
  }

  /** It goes to the shadow now. @param cpuUs  of the live answer, -1: not known */
  launched(wallUs: number, cpuUs: number): void {
    this.mirrored += 1;
    this.liveWallUs.record(wallUs);
    if (cpuUs >= 0) this.liveCpuUs.record(cpuUs);
    this.#dirty = true;
  }

  compared(outcome: 'equal' | 'different' | 'incomparable', liveStatus: number, shadowStatus: number): void {
    this[outcome] += 1;
    if (liveStatus >= 500) this.failedLive += 1;
    if (shadowStatus >= 500) this.failedShadow += 1;
    this.#dirty = true;
  }

  /** The newest are kept. */
  list(rows: readonly ShadowDifference[]): void {
    this.#differences.push(...rows);
    if (this.#differences.length > MAX_DIFFERENCES) this.#differences = this.#differences.slice(-MAX_DIFFERENCES);
  }

  /** Increments since the last call; undefined: there are none. Call it only when they can be sent. */
  take(): ShadowRow | undefined {
    if (!this.#dirty && !this.cell.dirty) return undefined;
    this.#dirty = false;
    const row: ShadowRow = {
      function: this.fn.name, version: this.settings.version, since: this.settings.since,
      mirrored: this.mirrored, equal: this.equal, different: this.different, incomparable: this.incomparable, failed: { live: this.failedLive, shadow: this.failedShadow },
      lost: Object.fromEntries(this.lost), skipped: Object.fromEntries(this.skipped), dropped: Object.fromEntries(this.dropped),
      live: { wallUs: this.liveWallUs.toPairs(), cpuUs: this.liveCpuUs.toPairs() },
      shadow: this.cell.take(),
      differences: this.#differences,
    };
    this.mirrored = this.equal = this.different = this.incomparable = this.failedLive = this.failedShadow = 0;
    this.lost.clear();
    this.skipped.clear();
    this.dropped.clear();
    this.liveWallUs.clear();
    this.liveCpuUs.clear();
    this.#differences = [];
    return row;
  }
}

function raise(counts: Map<string, number>, reason: string): void {
  counts.set(reason, (counts.get(reason) ?? 0) + 1);
}
