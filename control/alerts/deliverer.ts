// Sends notifications: some at once, again after failures at growing intervals, for an hour at most.
import type { Logger } from '../../core/log/index.ts';
import type { Webhook } from '../../core/schemas/index.ts';
import type { Notices } from './notices.ts';
import type { NoticeRow } from './records.ts';
import type { WebhookAnswer, WebhookCall } from './webhook.ts';

export interface DelivererOptions {
  readonly notices: Notices;
  /** Where a rule's notifications go. May throw. */
  readonly webhook: (rule: string) => Webhook | undefined;
  /** Default: over HTTP. */
  readonly call: (call: WebhookCall) => Promise<WebhookAnswer>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly logger: Logger;
  /** 0 to 1, for jitter. Default: random. */
  readonly random?: () => number;
}

/** Before each attempt after the first, seconds: eight in all, over an hour less two minutes. */
export const RETRY_AFTER_S: readonly number[] = [2, 15, 60, 180, 420, 900, 1_900];
/** Each delay is up to so much shorter or longer, so that receivers that come back are not met by all at once. */
const JITTER = 0.2;
const LONGEST_RETRY_AFTER_S = 1_900;
const TIMEOUT_MS = 10_000;
/** Exchanges at once: in all, and with one origin, so that a slow receiver keeps nobody else from hearing. */
const AT_ONCE = 16;
const AT_ONCE_PER_ORIGIN = 2;
/** The receiver wants no more of it (Standard Webhooks; RFC 9110 section 15.5.11). */
const GONE = 410;

export class Deliverer {
  readonly #options: DelivererOptions;
  readonly #random: () => number;
  readonly #running = new Map<NoticeRow, Promise<void>>();
  readonly #origins = new Map<string, number>();
  readonly counts = { delivered: 0, failed: 0, attemptsFailed: 0 };
  #closed = false;
  /** Outcomes are not kept any more: the next life sends again. */
  #over = false;

  constructor(options: DelivererOptions) {
    this.#options = options;
    this.#random = options.random ?? Math.random;
  }

  /** Exchanges under way. */
  get running(): number {
    return this.#running.size;
  }

  /** Begins what is due and finds room; meant for once a second, and whenever there is something new. */
  run(): void {
    const { notices, now } = this.#options;
    const nowMs = now();
    for (const notice of notices.waiting) {
      if (this.#closed || this.#running.size >= AT_ONCE) return;
      if (notice.nextAtMs > nowMs || this.#running.has(notice)) continue;
      this.#begin(notice, nowMs);
    }
  }

  /** Begins nothing more; resolves when what is under way is over, or after `withinMs`. What is cut off is sent again by the next life. */
  async close(withinMs: number): Promise<void> {
    this.#closed = true;
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([Promise.all(this.#running.values()), new Promise((resolve) => (timer = setTimeout(resolve, withinMs)))]);
    clearTimeout(timer);
    this.#over = true;
  }

  #begin(notice: NoticeRow, nowMs: number): void {
    let webhook: Webhook | undefined;
    let why = 'its rule has no webhook any more';
    try {
      webhook = this.#options.webhook(notice.rule);
    } catch (thrown) {
      why = 'its webhook cannot be opened';
      this.#options.logger.error({ err: thrown, alert: notice.rule }, 'a notification cannot be sent');
    }
    if (webhook === undefined) {
      this.#options.notices.attempted(notice, { state: 'dropped', error: why, doneAtMs: nowMs });
      return;
    }
    const { origin } = new URL(webhook.url);
    const busy = this.#origins.get(origin) ?? 0;
    if (busy >= AT_ONCE_PER_ORIGIN) return;
    this.#origins.set(origin, busy + 1);
    const done = this.#options.call({ webhook, id: notice.id, body: notice.body, atMs: nowMs, timeoutMs: TIMEOUT_MS }).then((answer) => {
      this.#running.delete(notice);
      const left = (this.#origins.get(origin) ?? 1) - 1;
      if (left === 0) this.#origins.delete(origin);
      else this.#origins.set(origin, left);
      this.#ended(notice, answer, origin);
      // Another one may have waited for the room.
      if (!this.#closed) this.run();
    });
    this.#running.set(notice, done);
  }

  #ended(notice: NoticeRow, { status, error, retryAfterS }: WebhookAnswer, origin: string): void {
    // Deleted with its rule while it was under way.
    if (this.#over || notice.state !== 'waiting') return;
    const { notices, now, logger } = this.#options;
    const nowMs = now();
    const attempts = notice.attempts + 1;
    if (status >= 200 && status < 300) {
      this.counts.delivered += 1;
      notices.attempted(notice, { state: 'delivered', attempts, status, error: '', doneAtMs: nowMs });
      return;
    }
    this.counts.attemptsFailed += 1;
    const delayS = RETRY_AFTER_S[attempts - 1];
    if (delayS === undefined || status === GONE) {
      this.counts.failed += 1;
      logger.error({ alert: notice.rule, notification: notice.id, origin, attempts, status, why: error }, 'a notification was not delivered, and is given up');
      notices.attempted(notice, { state: 'failed', attempts, status, error, doneAtMs: nowMs });
      return;
    }
    const jittered = delayS * (1 - JITTER + 2 * JITTER * this.#random());
    const waitMs = Math.round(Math.max(jittered, Math.min(retryAfterS, LONGEST_RETRY_AFTER_S)) * 1_000);
    if (attempts === 1) logger.warn({ alert: notice.rule, notification: notice.id, origin, status, why: error }, 'a notification was not delivered; it is sent again');
    notices.attempted(notice, { attempts, status, error, nextAtMs: nowMs + waitMs });
  }
}
