// What the API shows of alerts.
import { z } from 'zod';
import { alertRuleSchema } from '../../core/schemas/index.ts';
import type { Alerts } from './alerts.ts';
import { NOTICE_STATES } from './records.ts';
import type { AlertRecord } from './records.ts';

const time = z.iso.datetime();
const count = z.int().min(0);

export const ALERT_STATES = ['ok', 'pending', 'firing'] as const;

export const alertSummarySchema = alertRuleSchema.extend({
  id: z.string(),
  /** The worst of its alerts. */
  state: z.enum(ALERT_STATES),
  /** Of the alert that has been in that state for longest. */
  since: time.nullable(),
  firing: count,
  pending: count,
  /** Its URL and secret are never shown. */
  webhook: z.strictObject({ origin: z.string(), secret: z.strictObject({ set: z.boolean() }), changedAt: time }).nullable(),
  createdAt: time,
  changedAt: time,
});

export const alertViewSchema = alertSummarySchema.extend({
  /** Those that are not over: at most 100, those that fire first. */
  alerts: z.array(z.strictObject({
    function: z.string(),
    state: z.enum(['pending', 'firing']),
    /** When it became too much. */
    since: time,
    firedAt: time.nullable(),
    /** Of the last look, in the unit of the threshold; and how many requests it was taken from. */
    value: z.number(),
    samples: count,
  })),
  /** The latest first: at most 100. */
  notifications: z.array(z.strictObject({
    id: z.string(),
    sequence: count,
    type: z.string(),
    time,
    state: z.enum(NOTICE_STATES),
    attempts: count,
    nextAttempt: time.nullable(),
    /** Of the last attempt; null: no answer came, or there was no attempt. */
    status: z.int().nullable(),
    error: z.string().nullable(),
  })),
});

const SHOWN = 100;
const iso = (ms: number): string => new Date(ms).toISOString();

export function viewSummary({ evaluator }: Pick<Alerts, 'evaluator'>, { id, rule, webhook, createdAt, changedAt }: AlertRecord): z.infer<typeof alertSummarySchema> {
  const alerts = evaluator.of(id);
  const [worst] = alerts;
  const firing = alerts.filter((alert) => alert.phase === 'firing').length;
  return {
    ...rule, id, state: worst?.phase ?? 'ok', since: worst === undefined ? null : iso(worst.sinceMs), firing, pending: alerts.length - firing,
    webhook: webhook === null ? null : { origin: webhook.origin, secret: { set: webhook.signed }, changedAt: webhook.changedAt },
    createdAt, changedAt,
  };
}

export function viewAlert(alerts: Pick<Alerts, 'evaluator' | 'notices'>, record: AlertRecord): z.infer<typeof alertViewSchema> {
  return {
    ...viewSummary(alerts, record),
    alerts: alerts.evaluator.of(record.id).slice(0, SHOWN).map((alert) => ({
      function: alert.function, state: alert.phase, since: iso(alert.sinceMs), firedAt: alert.firedAtMs === 0 ? null : iso(alert.firedAtMs), value: alert.value, samples: alert.samples,
    })),
    notifications: alerts.notices.of(record.id).slice(0, SHOWN).map(({ id, sequence, type, atMs, state, attempts, nextAtMs, status, error }) => ({
      id, sequence, type, time: iso(atMs), state, attempts, nextAttempt: state === 'waiting' ? iso(nextAtMs) : null, status: status === 0 ? null : status, error: error === '' ? null : error,
    })),
  };
}
