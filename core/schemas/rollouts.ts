// Staged rollouts: what POST /v1/functions/:name/rollouts takes. `{version}` alone is a sensible one.
import { z } from 'zod';

const SECOND = 1_000;
const UNITS: Readonly<Record<string, number>> = { ms: 1, s: SECOND, m: 60 * SECOND, h: 3_600 * SECOND };
const DAY = 24 * 3_600 * SECOND;

/** Milliseconds as a number, or a number with `ms`, `s`, `m` or `h`: 30000 and "30s" are the same. Parsed to milliseconds. */
function duration(maxMs: number): z.ZodType<number, number | string> {
  const inRange = (ms: number): boolean => ms >= 0 && ms <= maxMs;
  const message = `must be 0 to ${maxMs} ms, as a number of milliseconds or with a unit: 500ms, 30s, 10m, 2h`;
  return z
    .union([z.int(), z.string().max(16).regex(/^\d{1,9}(?:ms|s|m|h)$/)], message)
    .transform((given) => (typeof given === 'number' ? given : Number.parseInt(given, 10) * (UNITS[given.replace(/^\d+/, '')] ?? Number.NaN)))
    .refine(inRange, message);
}

const MAX_HOLD_MS = 7 * DAY;
const hold = duration(MAX_HOLD_MS);
const weight = z.number().min(0.01).max(100).refine((w) => Math.abs(w * 100 - Math.round(w * 100)) < 1e-6, 'must be in steps of 0.01');

const DEFAULT_HOLD_MS = 30 * SECOND;
const step = z.strictObject({
  /** Percent of the split that the new version takes. */
  weight,
  /** Shortest time at this weight. */
  hold: hold.default(DEFAULT_HOLD_MS),
  /** Longest time at this weight; the rollout's where absent. */
  maxHold: hold.optional(),
});

/** How much longer or dearer than live the new version may be, as a share: 0.5 is half as much again. Figures are held in buckets of 19 %, so it is rounded up to a whole number of these. */
const maxIncrease = z.number().min(0).max(100);
const slower = z.strictObject({ maxIncrease: maxIncrease.default(0.15) });
/** Differences below are no regression, whatever their ratio. */
const slack = (defaultMs: number): z.ZodDefault<z.ZodNumber> => z.number().min(0).max(60_000).default(defaultMs);

/** What the new version is judged by; null switches a gate off. */
export const gatesSchema = z.strictObject({
  /** Failed requests: `maxIncrease` is in shares of all requests, on top of live's own (0.01: one request in a hundred more). */
  errorRate: z.strictObject({ maxIncrease: z.number().min(0).max(1).default(0.0005) }).nullable().prefault({}),
  /** From accept to the end of the response. */
  latency: z.strictObject({ p50: slower.nullable().prefault({}), p99: slower.nullable().prefault({}), slackMs: slack(1) }).nullable().prefault({}),
  /** CPU time of an invocation, in the middle of all (p50). */
  cpu: z.strictObject({ maxIncrease: maxIncrease.default(0.5), slackMs: slack(0.5) }).nullable().prefault({}),
  /** Memory of an isolate, mean of all. */
  memory: z.strictObject({ maxIncrease: maxIncrease.default(1), slackMb: z.number().min(0).max(1_024).default(16) }).nullable().prefault({}),
});
export type Gates = z.infer<typeof gatesSchema>;

const DEFAULT_STEPS = [{ weight: 1 }, { weight: 10 }, { weight: 50 }, { weight: 100, hold: 0 }];

const fields = {
  version: z.int().min(1),
  /** Weights must rise. Where the last is below 100, one of 100 without a hold is added. */
  steps: z.array(step).min(1).max(50).prefault(DEFAULT_STEPS),
  gates: gatesSchema.prefault({}),
  /** Requests of the new version, and of live, within a step before it is left; 0: time alone decides, also where no figures come. */
  minSamples: z.int().min(0).max(10_000_000).default(300),
  /** Longest time at one step: then what `onMaxHold` says happens. */
  maxHold: hold.default(3_600 * SECOND),
  onMaxHold: z.enum(['rollback', 'pause']).default('rollback'),
  /** From the start of each step, latency, CPU and memory are not judged for so long: isolates start, code gets warm. Failures always are. */
  settle: duration(600 * SECOND).default(2 * SECOND),
};

export const rolloutPostSchema = z.strictObject(fields).superRefine(({ steps, maxHold }, context) => {
  for (const [index, one] of steps.entries()) {
    const before = steps[index - 1];
    if (before !== undefined && one.weight <= before.weight) context.addIssue({ code: 'custom', path: ['steps', index, 'weight'], message: 'must be more than the step before' });
    // What is out of range has been said already.
    if (one.hold <= MAX_HOLD_MS && one.hold > (one.maxHold ?? maxHold)) context.addIssue({ code: 'custom', path: one.maxHold === undefined ? ['steps', index, 'hold'] : ['steps', index, 'maxHold'], message: 'hold must not be longer than maxHold' });
  }
});
export type RolloutPost = z.infer<typeof rolloutPostSchema>;
