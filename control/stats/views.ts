// What GET …/stats answers.
import { z } from 'zod';
import { LANES } from '../../core/config/index.ts';
import { functionStandingSchema } from './standings.ts';

const count = z.number().min(0);
/** null: nothing was measured. Upper bound of a histogram bucket, so up to 19 % above the true value. */
const quantiles = z.strictObject({ p50: count.nullable(), p99: count.nullable() });

export const versionStatsSchema = z.strictObject({
  version: z.int(),
  requests: count,
  /** Requests by HTTP status. */
  statuses: z.record(z.string(), count),
  /** Requests by error code; those without one are not in here. */
  codes: z.record(z.string(), count),
  /** Failures that a fallback stood in for, by its kind: they are in `statuses` and `codes` as the failures they were. */
  fallbacks: z.record(z.string(), count),
  /** From accept to the end of the response. */
  wallMs: quantiles,
  cpuMs: quantiles,
  coldStarts: count,
  /** From accept to response head of cold starts. */
  coldMs: quantiles,
  /** Means over cold starts, milliseconds: waiting, isolate made, version restored or evaluated, handler. */
  coldPhasesMs: z.strictObject({ queue: count, isolate: count, restore: count, handler: count }),
  /** Limits that struck, by code: the latest limit, and the most that was used, in the limit's unit. */
  limits: z.record(z.string(), z.strictObject({ limit: count, used: count })),
  /** As hosts measured it, exactly: entries of all kinds, their CPU time (waitUntil work included), that of module start-up, and invocations that reached 80 % of cpuMs. */
  used: z.strictObject({ entries: count, cpuMs: count, startupCpuMs: count, softLimits: count }),
  /** Alive now, on all hosts. */
  isolates: count,
  running: count,
  memoryBytes: count,
  /** Isolates whose place another took, by reason, while their version was alive on its host; and those of them in which something still runs. */
  retired: z.record(z.string(), count),
  retiring: count,
  /** Isolates that stay although nobody calls: `keepWarm`, or a version that has just begun to get traffic. */
  keptWarm: count,
  /** Which hosts run it. `slow`: its entries are long. */
  lane: z.enum(LANES),
  /** How many hosts keep it warm: more than one while it needs them. 0: it has not run since counting began. */
  homes: count,
});

export type VersionStats = z.infer<typeof versionStatsSchema>;

/** What all functions of a tenant use: isolates and memory now, requests since the control plane started. */
export const tenantUsageSchema = z.strictObject({
  isolates: count,
  memoryBytes: count,
  requests: count,
  /** Requests by error code. */
  codes: z.record(z.string(), count),
});
export type TenantUsage = z.infer<typeof tenantUsageSchema>;

export const functionStatsSchema = z.strictObject({
  name: z.string(),
  /** Counting began here: a restart of the control plane starts it anew. */
  since: z.iso.datetime(),
  standing: functionStandingSchema,
  /** Callers that limits are counted for now, idle ones included for up to ten seconds (`callers`). */
  callersTracked: count,
  versions: z.array(versionStatsSchema),
});
export type FunctionStats = z.infer<typeof functionStatsSchema>;
