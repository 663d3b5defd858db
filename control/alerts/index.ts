// Alerts: rules on figures, and webhooks that are told.
export { Alerts } from './alerts.ts';
export type { AlertsOptions } from './alerts.ts';
export { AlertEvaluator } from './evaluator.ts';
export { RETRY_AFTER_S } from './deliverer.ts';
export type { Announcement } from './notices.ts';
export type { AlertRecord } from './records.ts';
export { MAX_RULES } from './rules.ts';
export { ALERT_STATES, alertSummarySchema, alertViewSchema, viewAlert, viewSummary } from './views.ts';
export { callWebhook, webhookHeaders } from './webhook.ts';
export type { WebhookAnswer, WebhookCall } from './webhook.ts';
export { alertMetrics } from './metrics.ts';
export { announceRollout } from './rollout-announcements.ts';
