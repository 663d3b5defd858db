// What GET …/series answers: points by the second from memory, by the minute from disk.
import { z } from 'zod';
import { PlatformError } from '../../core/errors/index.ts';
import type { LogHistogram } from '../../core/metrics/index.ts';
import { KEPT_MINUTES } from './minutes.ts';
import type { Minutes } from './minutes.ts';
import { KEPT_S } from './second-series.ts';
import type { SecondSeries } from './second-series.ts';
import { VersionSums } from './version-sums.ts';

/** Members of a point that can be asked for. */
export const METRICS = ['requests', 'failed', 'errorRate', 'codes', 'wallMs', 'cpuMs', 'coldStarts', 'memoryBytes', 'isolates'] as const;
export type Metric = (typeof METRICS)[number];

const count = z.number().min(0);
/** null: nothing was measured. Upper bound of a histogram bucket, so up to 19 % above the true value. */
const quantiles = z.strictObject({ p50: count.nullable(), p99: count.nullable() }).optional();

export const pointSchema = z.strictObject({
  /** Begin of the second or minute. */
  time: z.iso.datetime(),
  requests: count.optional(),
  /** Failures of the tenant or the platform, and answers of 500 and above. */
  failed: count.optional(),
  /** `failed` of `requests`, 0 to 1; null: there were none. */
  errorRate: count.nullable().optional(),
  /** Requests by error code; those without one are not in here. */
  codes: z.record(z.string(), count).optional(),
  wallMs: quantiles,
  cpuMs: quantiles,
  coldStarts: count.optional(),
  /** What its isolates held while it answered: in the mean, and at the most. */
  memoryBytes: z.strictObject({ mean: count, max: count }).optional(),
  /** In the mean. */
  isolates: count.optional(),
});
export type Point = z.infer<typeof pointSchema>;

export const seriesSchema = z.strictObject({
  name: z.string(),
  /** null: all versions together. */
  version: z.int().nullable(),
  step: z.enum(['1s', '1m']),
  from: z.iso.datetime(),
  to: z.iso.datetime(),
  /** Figures have come of all time before it; later points may still grow. null: none have come since the control plane started. */
  upTo: z.iso.datetime().nullable(),
  /** In order of time, those in which something happened. */
  items: z.array(pointSchema),
  /** The `from` of the next page. */
  next: z.iso.datetime().nullable(),
});

export interface SeriesQuery {
  readonly step: '1s' | '1m';
  /** Milliseconds since 1970. Absent: as far before `toMs` as is usual for the step. */
  readonly fromMs: number | undefined;
  readonly toMs: number | undefined;
  /** Absent: all together. */
  readonly version: number | undefined;
  /** Versions before it belong to an earlier function of the name, which was perhaps another tenant's. */
  readonly firstVersion: number;
  readonly metrics: ReadonlySet<Metric>;
  /** Points of a page. */
  readonly limit: number;
}

const STEP_MS = { '1s': 1_000, '1m': 60_000 } as const;
const USUAL_MS = { '1s': 300_000, '1m': 3_600_000 } as const;
/** A page more than what is kept, so that "the last 15 minutes" can be asked for a little late. */
const LONGEST_MS = { '1s': (KEPT_S + 60) * 1_000, '1m': (KEPT_MINUTES + 60) * 60_000 } as const;

export class SeriesReader {
  readonly #seconds: SecondSeries;
  readonly #minutes: Minutes;
  readonly #now: () => number;

  constructor(seconds: SecondSeries, minutes: Minutes, now: () => number) {
    this.#seconds = seconds;
    this.#minutes = minutes;
    this.#now = now;
  }

  /** @throws invalid  the span is no span, or longer than what is kept */
  read(name: string, query: SeriesQuery): z.infer<typeof seriesSchema> {
    const { step, version } = query;
    const stepMs = STEP_MS[step];
    const untilMs = query.toMs ?? this.#now();
    if (query.fromMs !== undefined && query.fromMs >= untilMs) throw new PlatformError('invalid', { errors: [{ path: 'from', message: 'must be before to' }] });
    // Whole steps, the ones that the span begins and ends in among them.
    const toMs = Math.ceil(untilMs / stepMs) * stepMs;
    const fromMs = Math.floor((query.fromMs ?? toMs - USUAL_MS[step]) / stepMs) * stepMs;
    if (toMs - fromMs > LONGEST_MS[step]) {
      throw new PlatformError('invalid', { errors: [{ path: 'from', message: step === '1s' ? 'seconds are kept for 15 minutes: ask for a shorter span, or for step=1m' : 'minutes are kept for 30 days: ask for a shorter span' }] });
    }
    const { items, nextMs } = step === '1s' ? this.#bySecond(name, fromMs, toMs, query) : this.#byMinute(name, fromMs, toMs, query);
    const { upToMs } = this.#seconds;
    return {
      name, version: version ?? null, step,
      from: iso(fromMs), to: iso(toMs), upTo: upToMs === 0 ? null : iso(upToMs),
      items, next: nextMs === null ? null : iso(nextMs),
    };
  }

  #bySecond(name: string, fromMs: number, toMs: number, { metrics, limit, ...wanted }: SeriesQuery): { items: Point[]; nextMs: number | null } {
    const versions = this.#seconds.versionsOf(name).filter(including(wanted));
    const bySecond = new Map<number, VersionSums>();
    for (const one of versions) this.#seconds.sumBySecond(name, one, fromMs, toMs, bySecond);
    const order = [...bySecond.keys()].toSorted((a, b) => a - b);
    const items = order.slice(0, limit).map((second) => point(second * 1_000, bySecond.get(second) ?? new VersionSums(), metrics, (number) => this.#seconds.book.name(number)));
    const next = order[limit];
    return { items, nextMs: next === undefined ? null : next * 1_000 };
  }

  #byMinute(name: string, fromMs: number, toMs: number, { metrics, limit, ...wanted }: SeriesQuery): { items: Point[]; nextMs: number | null } {
    const { minutes, next } = this.#minutes.read(name, including(wanted), fromMs / 60_000, toMs / 60_000, limit);
    const items = [...minutes].map(([minute, sums]) => point(minute * 60_000, sums, metrics, (number) => this.#minutes.codeName(number)));
    return { items, nextMs: next === null ? null : next * 60_000 };
  }
}

function including({ version, firstVersion }: Pick<SeriesQuery, 'version' | 'firstVersion'>): (one: number) => boolean {
  return (one) => one >= firstVersion && (version === undefined || one === version);
}

function point(timeMs: number, sums: VersionSums, metrics: ReadonlySet<Metric>, codeName: (number: number) => string): Point {
  const mean = (sum: number): number => (sums.looks === 0 ? 0 : sum / sums.looks);
  const all: Record<Metric, Point[Metric]> = {
    requests: sums.requests,
    failed: sums.failed,
    errorRate: sums.requests === 0 ? null : Math.round((sums.failed / sums.requests) * 1e6) / 1e6,
    codes: Object.fromEntries([...sums.codes].map(([number, n]) => [codeName(number), n])),
    wallMs: quantilesMs(sums.wallUs),
    cpuMs: quantilesMs(sums.cpuUs),
    coldStarts: sums.coldStarts,
    memoryBytes: { mean: Math.round(mean(sums.memoryKib) * 1_024), max: sums.memoryMaxKib * 1_024 },
    isolates: Math.round(mean(sums.isolates) * 100) / 100,
  };
  return { time: iso(timeMs), ...Object.fromEntries(METRICS.filter((metric) => metrics.has(metric)).map((metric) => [metric, all[metric]])) };
}

function quantilesMs(us: LogHistogram): { p50: number | null; p99: number | null } {
  const at = (q: number): number | null => (us.total === 0 ? null : Math.round(us.quantile(q)) / 1_000);
  return { p50: at(0.5), p99: at(0.99) };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
