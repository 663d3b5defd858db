// What GET …/shadow answers.
import { z } from 'zod';
import { shadowRecordSchema } from '../../core/schemas/index.ts';

const count = z.number().min(0);
const counts = z.record(z.string(), count);
/** null: nothing was measured. Upper bound of a histogram bucket, so up to 19 % above the true value. */
const quantiles = z.strictObject({ p50: count.nullable(), p99: count.nullable() });

export const shadowReportSchema = z.strictObject({
  name: z.string(),
  shadow: shadowRecordSchema,
  /** Requests that were repeated. Each becomes equal, different or incomparable, or is lost. */
  mirrored: count,
  equal: count,
  different: count,
  /** Too large, too deep or too many values to be compared. */
  incomparable: count,
  /** Answers of 500 and above, of those compared. */
  failed: z.strictObject({ live: count, shadow: count }),
  /** The shadow could not be run, or was ended by what others did, by error code. */
  lost: counts,
  /** Requests that are not repeated, by reason: method, not_served, request_body, response_body, stream, client_gone. */
  skipped: counts,
  /** Requests that were not repeated for want of room, by reason: busy, too_many, memory, quarantined, changed, or an error code. */
  dropped: counts,
  /** The answers that callers got to those requests. */
  live: z.strictObject({ wallMs: quantiles, cpuMs: quantiles }),
  /** The shadow's. */
  answers: z.strictObject({
    wallMs: quantiles, cpuMs: quantiles, statuses: counts, codes: counts, coldStarts: count,
    /** Limits that struck, by code: the latest limit, and the most that was used. */
    limits: z.record(z.string(), z.strictObject({ limit: count, used: count })),
  }),
  /** The newest first. */
  differences: z.array(z.strictObject({
    time: z.iso.datetime(),
    method: z.string(),
    /** Of the query only the names. */
    path: z.string(),
    /** The shadow's invocation: its log lines have it. */
    invocation: z.string(),
    /** The version that answered the caller. */
    version: z.int(),
    kind: z.enum(['status', 'header', 'body']),
    /** Name of a header, JSON pointer of a member; '' for the status or a body as a whole. */
    at: z.string(),
    /** Both values, cut to size; null: not there; "(hidden)": not shown. */
    live: z.string().nullable(),
    shadow: z.string().nullable(),
  })),
});
export type ShadowReport = z.infer<typeof shadowReportSchema>;
