// What a rule measures, and whether that is too much: pure.
import type { AlertMetric, AlertRule } from '../../core/schemas/index.ts';
import type { CodeBook, VersionSums } from '../sensing/index.ts';

export interface Reading {
  /** In the unit of the rule's threshold. */
  readonly value: number;
  /** Requests that it was taken from. */
  readonly samples: number;
}

/** `few`: too little was seen to say anything. `between`: neither too much nor so little that it is over. */
export type Verdict = 'breach' | 'between' | 'calm' | 'few';

/** Codes of requests that were turned away for want of room, or by a rate limit. */
const REFUSALS = ['overloaded', 'rate_limited'] as const;
/** Metrics that mean something with one request, or none. */
const ANY_SAMPLES: ReadonlySet<AlertMetric> = new Set(['cpuKills', 'memory', 'requests']);
const RESOLVE_SHARE = 0.9;

/**
 * @param sums  of all versions of the function over the window
 * @param heldBytes  what its isolates hold now
 */
export function readMetric(metric: AlertMetric, sums: VersionSums, heldBytes: number, book: CodeBook): Reading {
  const { requests: samples } = sums;
  const codes = (names: readonly string[]): number => names.reduce((sum, name) => sum + (sums.codes.get(book.number(name)) ?? 0), 0);
  const share = (part: number): number => (samples === 0 ? 0 : part / samples);
  switch (metric) {
    case 'errorRate':
      return { value: share(sums.failed), samples };
    case 'latencyP50':
      return { value: sums.wallUs.quantile(0.5) / 1_000, samples };
    case 'latencyP99':
      return { value: sums.wallUs.quantile(0.99) / 1_000, samples };
    case 'cpuKills':
      return { value: codes(['cpu_limit_exceeded']), samples };
    case 'saturation':
      return { value: share(codes(REFUSALS)), samples };
    case 'memory':
      return { value: heldBytes / 1_048_576, samples };
    case 'requests':
      return { value: samples, samples };
    case 'rollout':
      return { value: 0, samples: 0 };
  }
}

export function judge(rule: AlertRule, { value, samples }: Reading): Verdict {
  const { metric, threshold, resolveAt } = rule;
  if (threshold === undefined) return 'few';
  if (samples < rule.minSamples && !ANY_SAMPLES.has(metric)) return 'few';
  if (metric === 'requests') return value < threshold ? 'breach' : value >= (resolveAt ?? threshold / RESOLVE_SHARE) ? 'calm' : 'between';
  return value >= threshold ? 'breach' : value < (resolveAt ?? threshold * RESOLVE_SHARE) || value === 0 ? 'calm' : 'between';
}
