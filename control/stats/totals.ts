// Sums of what gateways and hosts counted, for one version, function, tenant or the node.
import { isErrorCode } from '../../core/errors/index.ts';
import { LogHistogram } from '../../core/metrics/index.ts';
import type { UsedFigures, VersionFigures } from '../../core/protocol/index.ts';

/** Codes that gateways count besides those of the error table. */
const OTHER_CODES = new Set(['client_gone']);

const FALLBACK_KINDS = new Set(['static', 'last-good']);

/** Phases of a cold start, in the order of x-thimble-reason. */
export const COLD_PHASES = ['queue', 'isolate', 'restore', 'handler'] as const;
export type ColdPhase = (typeof COLD_PHASES)[number];

export class Totals {
  requests = 0;
  coldStarts = 0;
  readonly statuses = new Map<string, number>();
  readonly codes = new Map<string, number>();
  /** Failures that a fallback stood in for, by its kind. */
  readonly fallbacks = new Map<string, number>();
  /** Microseconds. */
  readonly wallUs = new LogHistogram();
  readonly cpuUs = new LogHistogram();
  readonly coldUs = new LogHistogram();
  /** Sums over cold starts, milliseconds. */
  readonly coldPhasesMs: Record<ColdPhase, number> = { queue: 0, isolate: 0, restore: 0, handler: 0 };
  /** Limits that struck, by code: the latest limit, and the most that was ever used. */
  readonly limits = new Map<string, { readonly limit: number; readonly used: number }>();
  /** What hosts measured, exactly and as it was used: invocations that never ended, with their hosts or their clients, are in it too. Microseconds. */
  entries = 0;
  usedUs = 0;
  startupUs = 0;
  softLimits = 0;

  /** Adds increments. Labels that are no status or known code count as `other`, so that a bad sender cannot make endless series. */
  add(figures: VersionFigures): void {
    for (const [status, count] of Object.entries(figures.statuses)) {
      this.requests += count;
      raise(this.statuses, /^[1-5]\d\d$/.test(status) ? status : 'other', count);
    }
    for (const [code, count] of Object.entries(figures.codes)) raise(this.codes, isErrorCode(code) || OTHER_CODES.has(code) ? code : 'other', count);
    for (const [kind, count] of Object.entries(figures.fallbacks ?? {})) raise(this.fallbacks, FALLBACK_KINDS.has(kind) ? kind : 'other', count);
    this.coldStarts += figures.coldStarts;
    this.wallUs.addPairs(figures.wallUs);
    this.cpuUs.addPairs(figures.cpuUs);
    this.coldUs.addPairs(figures.coldUs);
    for (const [at, phase] of COLD_PHASES.entries()) this.coldPhasesMs[phase] += figures.coldPhasesMs[at] ?? 0;
    for (const [code, [limit, used]] of Object.entries(figures.limits)) {
      if (isErrorCode(code)) this.limits.set(code, { limit, used: Math.max(used, this.limits.get(code)?.used ?? 0) });
    }
  }

  use(used: UsedFigures): void {
    this.entries += used.entries;
    this.usedUs += used.cpuUs;
    this.startupUs += used.startupUs;
    this.softLimits += used.softLimits;
  }
}

function raise(counts: Map<string, number>, label: string, by: number): void {
  counts.set(label, (counts.get(label) ?? 0) + by);
}
