// What is stored of alerts: rules among the audited records; what fires, and notifications, in rows beside them.
import { z } from 'zod';
import { alertRuleSchema } from '../../core/schemas/index.ts';

export const alertRecordSchema = z.strictObject({
  id: z.string(),
  rule: alertRuleSchema,
  /** `origin` can be shown; `sealed` holds URL and secret; `signed`: there is a secret. */
  webhook: z.strictObject({ origin: z.string(), signed: z.boolean(), sealed: z.string(), changedAt: z.string() }).nullable(),
  createdAt: z.string(),
  changedAt: z.string(),
});
export type AlertRecord = z.infer<typeof alertRecordSchema>;

/** An alert that fires, or has resolved and must still be told. */
export const firingRowSchema = z.strictObject({
  rule: z.string(),
  function: z.string(),
  sinceMs: z.number(),
  firedAtMs: z.number(),
  value: z.number(),
  samples: z.number(),
  /** Whether a notification has said that it fires. */
  told: z.boolean(),
  /** 0: it still fires. */
  resolvedAtMs: z.number(),
});
export type FiringRow = z.infer<typeof firingRowSchema>;

/** `waiting`: to be sent, or sent again. `failed`: every attempt did. `dropped`: its rule or webhook is gone, or there were too many. `unsent`: there was no webhook. */
export const NOTICE_STATES = ['waiting', 'delivered', 'failed', 'dropped', 'unsent'] as const;

export const noticeRowSchema = z.strictObject({
  sequence: z.number(),
  /** The same in every attempt, also after a restart: receivers tell by it what they have had. */
  id: z.string(),
  rule: z.string(),
  type: z.string(),
  atMs: z.number(),
  /** The JSON that is sent. */
  body: z.string(),
  state: z.enum(NOTICE_STATES),
  attempts: z.number(),
  /** While it waits. */
  nextAtMs: z.number(),
  /** Of the last attempt: its HTTP status (0: none came) and what was wrong. */
  status: z.number(),
  error: z.string(),
  doneAtMs: z.number(),
});
export type NoticeRow = z.infer<typeof noticeRowSchema>;
