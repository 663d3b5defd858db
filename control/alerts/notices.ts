// What is told: alerts grouped into notifications, one for each firing, repeated while it lasts; and what became of each.
import { randomBytes } from 'node:crypto';
import { sha256Hex } from '../../core/crypto/index.ts';
import type { Alert } from './alert-state.ts';
import { firingRowSchema, noticeRowSchema } from './records.ts';
import type { AlertRecord, FiringRow, NoticeRow } from './records.ts';
import type { AlertRules } from './rules.ts';
import type { SavedRows } from './saved-rows.ts';

/** What another part of the control plane tells to whom it concerns: rules of the metric `rollout`. */
export interface Announcement {
  /** `rollout.finished`, `rollout.rolled_back`, … */
  readonly type: `rollout.${string}`;
  readonly function: string;
  /** The same event told again (after a restart, for instance) is told once. */
  readonly key: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface NoticesOptions {
  readonly rules: AlertRules;
  readonly rows: SavedRows;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly tenantOf: (fn: string) => string | undefined;
}

/** After a notification of a rule, what fires or resolves next is gathered for so long. */
const GATHER_MS = 10_000;
/** Alerts that one notification lists; `more` counts the rest. */
const MAX_LISTED = 100;
/** Notifications that are kept in all and of one rule, and that may wait to be sent. */
const MAX_KEPT = 2_000;
const MAX_KEPT_OF_RULE = 100;
const MAX_WAITING = 1_000;

const FIRING = 'firing/';
const NOTICE = 'notice/';
const firingKey = (rule: string, fn: string): string => `${FIRING}${rule}/${fn}`;
const noticeKey = (sequence: number): string => `${NOTICE}${String(sequence).padStart(15, '0')}`;

export class Notices {
  readonly #options: NoticesOptions;
  /** What fires, or has resolved and is still to be told; by rule, then by function. */
  readonly #firing = new Map<string, Map<string, FiringRow>>();
  /** By sequence, in its order. */
  readonly #notices = new Map<number, NoticeRow>();
  /** Of rules: when the last notification was made, in this life. */
  readonly #toldAtMs = new Map<string, number>();
  readonly #waiting = new Set<NoticeRow>();
  #sequence = 0;
  readonly counts = { made: 0, dropped: 0 };

  constructor(options: NoticesOptions) {
    this.#options = options;
    const { rows, rules } = options;
    for (const row of rows.read(FIRING, firingRowSchema)) {
      if (rules.get(row.rule) === undefined) rows.remove(firingKey(row.rule, row.function));
      else this.#ofRule(row.rule).set(row.function, row);
    }
    for (const row of rows.read(NOTICE, noticeRowSchema)) {
      this.#notices.set(row.sequence, row);
      if (row.state === 'waiting') this.#waiting.add(row);
      this.#sequence = Math.max(this.#sequence, row.sequence);
      if (row.type === 'alert.firing') this.#toldAtMs.set(row.rule, row.atMs);
    }
  }

  /** Alerts that fired when the last life ended. */
  restored(): FiringRow[] {
    return [...this.#firing.values()].flatMap((rows) => [...rows.values()]).filter((row) => row.resolvedAtMs === 0);
  }

  /** Those to be sent, or sent again. */
  get waiting(): ReadonlySet<NoticeRow> {
    return this.#waiting;
  }

  /** The latest of a rule, newest first. */
  of(rule: string): NoticeRow[] {
    return [...this.#notices.values()].filter((row) => row.rule === rule).toReversed();
  }

  /** An alert has changed: it is told with the next `tick`. */
  changed({ id }: AlertRecord, alert: Alert, step: 'fired' | 'resolved', atMs: number): void {
    const rows = this.#ofRule(id);
    const before = rows.get(alert.function);
    const { function: fn, sinceMs, firedAtMs, value, samples } = alert;
    if (step === 'fired') {
      // It fires again before anyone was told that it was over: it went on.
      this.#putFiring({ rule: id, function: fn, sinceMs, firedAtMs, value, samples, told: before?.told ?? false, resolvedAtMs: 0 });
    } else {
      // Over before anyone was told that it fired: that it is over says both.
      this.#putFiring({ rule: id, function: fn, sinceMs, firedAtMs, value, samples, told: before?.told ?? false, resolvedAtMs: atMs });
    }
  }

  /** Makes the notifications that are due, and writes all that has changed. */
  tick(): void {
    const nowMs = this.#options.now();
    for (const [id, rows] of this.#firing) {
      const record = this.#options.rules.get(id);
      if (record !== undefined && rows.size > 0) this.#tell(record, [...rows.values()], nowMs);
    }
    this.#options.rows.flush();
  }

  /** Tells an event of a rollout to whom it concerns. Never throws. */
  event({ type, function: fn, key, data }: Announcement): void {
    for (const record of this.#options.rules.watching(fn)) {
      if (record.rule.metric !== 'rollout') continue;
      const id = `msg_${sha256Hex(JSON.stringify([record.id, type, fn, key])).slice(0, 32)}`;
      if ([...this.#notices.values()].some((notice) => notice.id === id)) continue;
      this.#make(record, type, this.#options.now(), { function: fn, tenant: this.#options.tenantOf(fn) ?? null, ...data }, id);
    }
    this.#options.rows.flush();
  }

  /** An attempt is over, or there will be none: keeps what became of it. */
  attempted(notice: NoticeRow, change: Partial<NoticeRow>): void {
    const row = Object.assign(notice, change);
    if (row.state !== 'waiting') this.#waiting.delete(row);
    if (this.#notices.has(row.sequence)) this.#options.rows.put(noticeKey(row.sequence), row);
    this.#options.rows.flush();
  }

  /** A rule is gone: nothing is told of it any more. */
  forget(rule: string): void {
    for (const fn of this.#firing.get(rule)?.keys() ?? []) this.#removeFiring(rule, fn);
    this.#firing.delete(rule);
    this.#toldAtMs.delete(rule);
    for (const notice of this.#waiting) if (notice.rule === rule) this.#drop(notice, 'its rule was deleted');
    for (const notice of this.#notices.values()) if (notice.rule === rule) this.#removeNotice(notice);
    this.#options.rows.flush();
  }

  #tell(record: AlertRecord, rows: readonly FiringRow[], nowMs: number): void {
    const { id, rule } = record;
    const toldAtMs = this.#toldAtMs.get(id) ?? 0;
    const fresh = rows.filter((row) => row.resolvedAtMs === 0 && !row.told);
    const over = rows.filter((row) => row.resolvedAtMs > 0);
    const lasting = rows.filter((row) => row.resolvedAtMs === 0 && row.told);
    const repeat = rule.repeatEveryMs > 0 && lasting.length > 0 && nowMs - toldAtMs >= rule.repeatEveryMs;
    if (fresh.length + over.length === 0 && !repeat) return;
    // A clock that was set back must not silence a rule.
    if (!repeat && nowMs >= toldAtMs && nowMs - toldAtMs < GATHER_MS) return;
    this.#toldAtMs.set(id, nowMs);
    if (over.length > 0) {
      for (const row of over) this.#removeFiring(id, row.function);
      this.#makeAlert(record, 'alert.resolved', over, false, nowMs);
    }
    const firing = repeat ? [...fresh, ...lasting] : fresh;
    if (firing.length === 0) return;
    for (const row of fresh) this.#putFiring({ ...row, told: true });
    this.#makeAlert(record, 'alert.firing', firing, fresh.length === 0, nowMs);
  }

  #makeAlert(record: AlertRecord, type: 'alert.firing' | 'alert.resolved', rows: readonly FiringRow[], repeat: boolean, nowMs: number): void {
    const { metric, threshold, windowMs } = record.rule;
    const iso = (ms: number): string => new Date(ms).toISOString();
    const alerts = rows.slice(0, MAX_LISTED).map((row) => ({
      function: row.function, tenant: this.#options.tenantOf(row.function) ?? null, since: iso(row.sinceMs), firedAt: iso(row.firedAtMs),
      resolvedAt: row.resolvedAtMs === 0 ? null : iso(row.resolvedAtMs), value: row.value, samples: row.samples,
    }));
    this.#make(record, type, nowMs, { metric, threshold, windowMs, repeat, alerts, more: rows.length - alerts.length });
  }

  #make({ id: rule, rule: { severity }, webhook }: AlertRecord, type: string, atMs: number, data: Readonly<Record<string, unknown>>, id = `msg_${randomBytes(16).toString('hex')}`): void {
    const sequence = (this.#sequence += 1);
    const body = JSON.stringify({ type, timestamp: new Date(atMs).toISOString(), data: { alert: rule, severity, sequence, ...data } });
    const notice: NoticeRow = { sequence, id, rule, type, atMs, body, state: webhook === null ? 'unsent' : 'waiting', attempts: 0, nextAtMs: atMs, status: 0, error: '', doneAtMs: 0 };
    this.#notices.set(sequence, notice);
    this.counts.made += 1;
    if (notice.state === 'waiting') this.#waiting.add(notice);
    this.#options.rows.put(noticeKey(sequence), notice);
    for (const oldest of this.#waiting) {
      if (this.#waiting.size <= MAX_WAITING) break;
      this.#drop(oldest, 'too many notifications wait');
    }
    this.#prune(rule);
  }

  #prune(rule: string): void {
    const over = (rows: readonly NoticeRow[], limit: number): void => {
      for (const notice of rows.slice(0, Math.max(0, rows.length - limit))) if (notice.state !== 'waiting') this.#removeNotice(notice);
    };
    over(this.of(rule).toReversed(), MAX_KEPT_OF_RULE);
    if (this.#notices.size > MAX_KEPT) over([...this.#notices.values()], MAX_KEPT);
  }

  #drop(notice: NoticeRow, error: string): void {
    this.counts.dropped += 1;
    this.attempted(notice, { state: 'dropped', error, doneAtMs: this.#options.now() });
  }

  #removeNotice({ sequence }: NoticeRow): void {
    this.#notices.delete(sequence);
    this.#options.rows.remove(noticeKey(sequence));
  }

  #ofRule(rule: string): Map<string, FiringRow> {
    let rows = this.#firing.get(rule);
    if (rows === undefined) this.#firing.set(rule, (rows = new Map()));
    return rows;
  }

  #putFiring(row: FiringRow): void {
    this.#ofRule(row.rule).set(row.function, row);
    this.#options.rows.put(firingKey(row.rule, row.function), row);
  }

  #removeFiring(rule: string, fn: string): void {
    const rows = this.#firing.get(rule);
    rows?.delete(fn);
    if (rows?.size === 0) this.#firing.delete(rule);
    this.#options.rows.remove(firingKey(rule, fn));
  }
}
