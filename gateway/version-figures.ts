// Counts per function and version, pushed to the control plane as increments; kept while it is away, bounded in number.
import { laneOfGroup } from '../core/config/index.ts';
import type { LaneName } from '../core/config/index.ts';
import { ERRORS, isErrorCode } from '../core/errors/index.ts';
import { LogHistogram } from '../core/metrics/index.ts';
import type { ColdPhases, GatewayFigures, VersionFigures } from '../core/protocol/index.ts';
import type { VersionPlace } from './version-place.ts';

/** One version's increments since they were last taken. */
export class FigureCell {
  readonly function: string;
  readonly version: number;
  readonly statuses = new Map<number, number>();
  readonly codes = new Map<string, number>();
  readonly wallUs = new LogHistogram();
  readonly cpuUs = new LogHistogram();
  readonly coldUs = new LogHistogram();
  failed = 0;
  coldStarts = 0;
  /** Sums of the phases of cold starts: waiting, isolate made, version restored or evaluated, handler; milliseconds. */
  readonly coldPhasesMs: [queue: number, isolate: number, restore: number, handler: number] = [0, 0, 0, 0];
  /** By code of a limit that struck: the limit, and the most that was used. */
  readonly limits = new Map<string, [limit: number, used: number]>();
  /** Failures that a fallback stood in for, by its kind. They count under status and code of the failure as well. */
  readonly fallbacks = new Map<string, number>();
  /** Whether something was counted that is to be pushed. */
  dirty = false;
  /** Where the version runs; null: it has not run. */
  place: VersionPlace | null = null;
  /** Pushes without an increment, in a row. */
  quiet = 0;
  /** No longer in the books: whoever kept it must ask for the present one. */
  dropped = false;

  constructor(fn: string, version: number) {
    this.function = fn;
    this.version = version;
  }

  /** Whether there is something to push. */
  get due(): boolean {
    return this.dirty || this.place?.dirty === true;
  }

  answered(status: number, code: string, wallUs: number): void {
    this.dirty = true;
    this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1);
    if (code !== '') this.codes.set(code, (this.codes.get(code) ?? 0) + 1);
    if (status >= 500 || (code !== '' && isErrorCode(code) && ERRORS[code].fault !== 'caller')) this.failed += 1;
    this.wallUs.record(wallUs);
  }

  /** Something stood in for a failure that is counted apart. */
  fellBack(kind: string): void {
    this.dirty = true;
    this.fallbacks.set(kind, (this.fallbacks.get(kind) ?? 0) + 1);
  }

  cpu(cpuUs: number): void {
    this.dirty = true;
    this.cpuUs.record(cpuUs);
  }

  /** @param waitedMs  in the gateway, which counts as waiting */
  cold(untilHeadUs: number, phases: ColdPhases, waitedMs: number): void {
    this.dirty = true;
    this.coldStarts += 1;
    this.coldUs.record(untilHeadUs);
    const sums = this.coldPhasesMs;
    sums[0] += phases[0] + waitedMs;
    sums[1] += phases[1];
    sums[2] += phases[2];
    sums[3] += phases[3];
  }

  /** A limit of the function struck. */
  struck(code: string, limit: number, used: number): void {
    this.dirty = true;
    this.limits.set(code, [limit, Math.max(used, this.limits.get(code)?.[1] ?? 0)]);
  }

  take(): VersionFigures {
    const figures: VersionFigures = {
      function: this.function,
      version: this.version,
      statuses: Object.fromEntries(this.statuses),
      codes: Object.fromEntries(this.codes),
      failed: this.failed,
      wallUs: this.wallUs.toPairs(),
      cpuUs: this.cpuUs.toPairs(),
      coldStarts: this.coldStarts,
      coldUs: this.coldUs.toPairs(),
      coldPhasesMs: [...this.coldPhasesMs],
      limits: Object.fromEntries(this.limits),
      ...(this.fallbacks.size === 0 ? {} : { fallbacks: Object.fromEntries(this.fallbacks) }),
      ...(this.place === null || this.place.group === '' ? {} : { lane: laneOf(this.place), homes: this.place.homes.length }),
    };
    if (this.place !== null) this.place.dirty = false;
    this.statuses.clear();
    this.codes.clear();
    this.failed = 0;
    this.wallUs.clear();
    this.cpuUs.clear();
    this.coldUs.clear();
    this.coldStarts = 0;
    this.coldPhasesMs.fill(0);
    this.limits.clear();
    this.fallbacks.clear();
    this.dirty = false;
    return figures;
  }
}

/** A version on the slow lane is shown there also while it runs elsewhere because no host is there yet. */
function laneOf({ group, lane }: VersionPlace): LaneName {
  const name = laneOfGroup(group);
  return name === 'wasm' || name === 'penalty' ? name : lane.slow ? 'slow' : 'fast';
}

/** Versions counted apart; those beyond share the cell of requests that reached no function. */
const MAX_CELLS = 5_000;
/** A version without requests for so many pushes costs no memory any more. */
const QUIET_PUSHES = 120;

export class VersionFigureBook {
  readonly #cells = new Map<string, FigureCell>();
  /** Function '', version 0: requests that reached no function, and those of versions that found no room. */
  readonly none = new FigureCell('', 0);

  cell(fn: string, version: number): FigureCell {
    const key = `${fn}@${version}`;
    const known = this.#cells.get(key);
    if (known !== undefined) return known;
    if (this.#cells.size >= MAX_CELLS) return this.none;
    const cell = new FigureCell(fn, version);
    this.#cells.set(key, cell);
    return cell;
  }

  /** The increments since the last call, as a `figures` frame carries them. Call it only when they can be sent. */
  take(node: GatewayFigures['node']): GatewayFigures {
    const versions: VersionFigures[] = [];
    if (this.none.dirty) versions.push(this.none.take());
    for (const [key, cell] of this.#cells) {
      if (cell.due) {
        cell.quiet = 0;
        versions.push(cell.take());
      } else if ((cell.quiet += 1) > QUIET_PUSHES) {
        cell.dropped = true;
        this.#cells.delete(key);
      }
    }
    return { kind: 'gateway', versions, node };
  }
}
