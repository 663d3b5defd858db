// What a gateway tells the control plane about repeated requests (shadow traffic): increments per function, and the newest differences.
import { z } from 'zod';
import { buckets, count, counts, versionFiguresSchema } from './figures.ts';

/** Differences of one function that are kept, the newest; a frame carries no more. */
export const MAX_DIFFERENCES = 50;

/** One place in which two answers to the same request were not alike. All texts are bounded; secrets, cookies and values of queries are not in them (gateway/shadow/shown.ts). */
export const shadowDifferenceSchema = z.object({
  /** Milliseconds since 1970. */
  atMs: count,
  method: z.string().max(16),
  /** Of the request; of its query only the names. */
  path: z.string().max(600),
  /** Of the shadow's invocation: its log lines have it. */
  invocation: z.string().max(64),
  /** The version that the caller was answered by. */
  version: z.int().min(0),
  kind: z.enum(['status', 'header', 'body']),
  /** Name of a header, JSON pointer of a member, '' for the status or a body as a whole. */
  at: z.string().max(600),
  /** null: not there, or not to be shown. */
  live: z.string().max(300).nullable(),
  shadow: z.string().max(300).nullable(),
});
export type ShadowDifference = z.infer<typeof shadowDifferenceSchema>;

/** Increments of one function since the last frame. */
export const shadowRowSchema = z.object({
  function: z.string(),
  /** Of the shadow. */
  version: z.number(),
  /** Of the settings that they were counted under (core/schemas, shadowRecordSchema). */
  since: z.string(),
  /** Requests that were repeated; each ends as one of the next four. */
  mirrored: count,
  equal: count,
  different: count,
  /** Answered by both, and too large, too deep or too many to be compared. */
  incomparable: count,
  /** The shadow could not be run, by reason: an error code that says nothing about its version. */
  lost: counts,
  /** Answers of 500 and above, of those compared. */
  failed: z.object({ live: count, shadow: count }),
  /** Requests of a kind that is not repeated, by reason. */
  skipped: counts,
  /** Requests that were not repeated for want of room, by reason. */
  dropped: counts,
  /** Of the answers that callers got to requests that were repeated, microseconds. */
  live: z.object({ wallUs: buckets, cpuUs: buckets }),
  shadow: versionFiguresSchema,
  differences: z.array(shadowDifferenceSchema).max(MAX_DIFFERENCES),
});
export type ShadowRow = z.infer<typeof shadowRowSchema>;

export const shadowFiguresSchema = z.object({ rows: z.array(shadowRowSchema).max(10_000) });
export type ShadowFigures = z.infer<typeof shadowFiguresSchema>;
