// Alerts put together: rules, a look at the figures each second, notifications, and their delivery.
import type { Logger } from '../../core/log/index.ts';
import type { OrderedRows, RecordStore } from '../../core/ports/index.ts';
import type { Ledger } from '../model/index.ts';
import type { SecondSeries } from '../sensing/index.ts';
import { Deliverer } from './deliverer.ts';
import { AlertEvaluator } from './evaluator.ts';
import { Notices } from './notices.ts';
import type { Announcement } from './notices.ts';
import { AlertRules } from './rules.ts';
import { SavedRows } from './saved-rows.ts';
import { callWebhook } from './webhook.ts';
import type { WebhookAnswer, WebhookCall } from './webhook.ts';

export interface AlertsOptions {
  readonly store: RecordStore;
  readonly ledger: Ledger;
  readonly seconds: SecondSeries;
  /** Opens the rows that hold what fires and what was told; may throw. */
  readonly rows: () => OrderedRows;
  /** Seals webhooks. undefined: none can be set or called. */
  readonly key: Buffer | undefined;
  /** Tenant of a function that exists. */
  readonly tenantOf: (fn: string) => string | undefined;
  readonly logger: Logger;
  /** Milliseconds since 1970. Default: the machine's clock. */
  readonly now?: () => number;
  /** Default: over HTTP. */
  readonly call?: (call: WebhookCall) => Promise<WebhookAnswer>;
  readonly random?: () => number;
}

export class Alerts {
  readonly rules: AlertRules;
  readonly evaluator: AlertEvaluator;
  readonly notices: Notices;
  readonly deliverer: Deliverer;
  readonly rows: SavedRows;

  constructor(options: AlertsOptions) {
    const { store, ledger, seconds, key, tenantOf, logger, now = Date.now, call = callWebhook } = options;
    this.rules = new AlertRules({ store, ledger, key, tenantOf });
    this.rows = new SavedRows(options.rows, logger);
    this.notices = new Notices({ rules: this.rules, rows: this.rows, now, tenantOf });
    this.evaluator = new AlertEvaluator({
      rules: this.rules, seconds, now, exists: (fn) => tenantOf(fn) !== undefined,
      onChange: (record, alert, step, atMs) => {
        logger.warn({ alert: record.id, function: alert.function, severity: record.rule.severity, metric: record.rule.metric, threshold: record.rule.threshold, value: alert.value, samples: alert.samples }, step === 'fired' ? 'an alert fires' : 'an alert is over');
        this.notices.changed(record, alert, step, atMs);
      },
    });
    for (const row of this.notices.restored()) this.evaluator.restore(row);
    this.deliverer = new Deliverer({ notices: this.notices, webhook: (id) => this.rules.webhook(id), call, now, logger, ...(options.random === undefined ? {} : { random: options.random }) });
  }

  /** Meant for once a second. */
  tick(): void {
    this.evaluator.tick();
    this.notices.tick();
    this.deliverer.run();
  }

  /** Tells an event of a rollout to the rules of the metric `rollout` that watch its function. Never throws. */
  notify(event: Announcement): void {
    this.notices.event(event);
    this.deliverer.run();
  }

  /** A rule was deleted: its alerts and notifications go with it. */
  forget(id: string): void {
    this.evaluator.forget(id);
    this.notices.forget(id);
  }

  async close(withinMs: number): Promise<void> {
    await this.deliverer.close(withinMs);
    this.rows.flush();
  }
}
