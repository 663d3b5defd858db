// Metrics of alerts and their notifications.
import type { Alerts } from './alerts.ts';

export function alertMetrics(alerts: Alerts): Record<string, { readonly help: string; readonly value: number }> {
  return {
    thimble_alerts_rules: { help: 'Alert rules.', value: alerts.rules.size },
    thimble_alerts_firing: { help: 'Alerts that fire.', value: alerts.evaluator.firing },
    thimble_alerts_pending: { help: 'Alerts that are too much, but not yet for long enough.', value: alerts.evaluator.pending },
    thimble_alerts_refused_total: { help: 'Alerts that did not begin, since there were too many.', value: alerts.evaluator.counts.refused },
    thimble_alerts_late_rounds_total: { help: 'Looks at the figures that did not come to all functions within their time.', value: alerts.evaluator.counts.late },
    thimble_alerts_unsaved_total: { help: 'Writes of states of alerts that the disk refused; they are tried again.', value: alerts.rows.failed },
    thimble_notifications_total: { help: 'Notifications made.', value: alerts.notices.counts.made },
    thimble_notifications_delivered_total: { help: 'Notifications that a webhook took.', value: alerts.deliverer.counts.delivered },
    thimble_notifications_attempts_failed_total: { help: 'Attempts to send a notification that failed.', value: alerts.deliverer.counts.attemptsFailed },
    thimble_notifications_failed_total: { help: 'Notifications given up after the last attempt.', value: alerts.deliverer.counts.failed },
    thimble_notifications_dropped_total: { help: 'Notifications not sent: their rule was deleted, or too many waited.', value: alerts.notices.counts.dropped },
    thimble_notifications_waiting: { help: 'Notifications to be sent, or sent again.', value: alerts.notices.waiting.size },
  };
}
