// Looks at the figures each second: which alerts begin, fire, and resolve. Only functions with news are looked at, within a budget of time.
import { ALERT_METRICS } from '../../core/schemas/index.ts';
import { VersionSums } from '../sensing/index.ts';
import type { SecondSeries } from '../sensing/index.ts';
import { advance, begin } from './alert-state.ts';
import type { Alert, Step } from './alert-state.ts';
import { judge, readMetric } from './condition.ts';
import type { Reading, Verdict } from './condition.ts';
import type { AlertRecord, FiringRow } from './records.ts';
import type { AlertRules } from './rules.ts';

export interface AlertEvaluatorOptions {
  readonly rules: AlertRules;
  readonly seconds: SecondSeries;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly exists: (fn: string) => boolean;
  /** An alert has begun to fire, or is over. */
  readonly onChange: (record: AlertRecord, alert: Alert, step: 'fired' | 'resolved', atMs: number) => void;
  /** Time of one round, milliseconds; functions that are left come first in the next one. Default 100. */
  readonly budgetMs?: number;
  /** Alerts that are not over; more are not begun. Default 10,000. */
  readonly alerts?: number;
}

/** Figures that have not come after this time are not waited for: with no gateway there are no requests. */
const LATEST_MS = 10_000;
/** A clock that is further behind than this was set back. */
const SET_BACK_MS = 60_000;

export class AlertEvaluator {
  readonly #options: Required<AlertEvaluatorOptions>;
  /** By rule, then by function. */
  readonly #alerts = new Map<string, Map<string, Alert>>();
  /** Rules of the alerts that are not over, by function. */
  readonly #active = new Map<string, Set<string>>();
  /** Functions to look at, the longest waiting first: those with news, and those that time alone moves. */
  readonly #news = new Set<string>();
  readonly #quiet = new Set<string>();
  readonly #startedMs: number;
  /** Of the function that is being looked at: by window, and by window and metric. Windows are whole seconds. */
  readonly #sums = new Map<number, VersionSums>();
  readonly #readings = new Map<number, Reading>();
  /** Sums to use again: at most one for each window that rules name. */
  readonly #spare: VersionSums[] = [];
  #atMs = 0;
  #size = 0;
  #firing = 0;
  /** Looks at functions with news; rounds that had no time for all of them; alerts that found no room. */
  readonly counts = { looks: 0, late: 0, refused: 0 };

  constructor(options: AlertEvaluatorOptions) {
    this.#options = { budgetMs: 100, alerts: 10_000, ...options };
    this.#startedMs = options.now();
  }

  get firing(): number {
    return this.#firing;
  }

  get pending(): number {
    return this.#size - this.#firing;
  }

  /** Functions with news that wait to be looked at. */
  get waiting(): number {
    return this.#news.size;
  }

  /** Alerts of a rule that are not over, those that fire first. */
  of(rule: string): Alert[] {
    return [...(this.#alerts.get(rule)?.values() ?? [])].toSorted((a, b) => Number(b.phase === 'firing') - Number(a.phase === 'firing') || a.sinceMs - b.sinceMs || (a.function < b.function ? -1 : 1));
  }

  /** An alert that fired before a restart. */
  restore({ rule, function: fn, sinceMs, firedAtMs, value, samples }: FiringRow): void {
    if (this.#options.rules.get(rule) !== undefined) this.#keep(rule, { function: fn, phase: 'firing', sinceMs, firedAtMs, calmSinceMs: 0, value, samples });
  }

  /** Something was counted for the function. */
  heard(fn: string): void {
    if (this.#options.rules.size > 0) this.#news.add(fn);
  }

  /** A rule is gone: so are its alerts, without a word. */
  forget(rule: string): void {
    for (const alert of this.of(rule)) this.#drop(rule, alert.function);
  }

  /** One round; meant for once a second. */
  tick(): void {
    const { rules, seconds, now, budgetMs } = this.#options;
    const nowMs = now();
    const latest = Math.floor((nowMs - LATEST_MS) / 1_000) * 1_000;
    if (nowMs < this.#atMs - SET_BACK_MS) this.#startAnew();
    // Never back otherwise: durations are counted in it.
    this.#atMs = Math.max(this.#atMs, seconds.upToMs, latest);
    // Time alone moves these.
    for (const fn of rules.silent.keys()) this.#quiet.add(fn);
    for (const fn of this.#active.keys()) this.#quiet.add(fn);
    const beganMs = performance.now();
    this.#round(this.#quiet, beganMs + budgetMs / 2, (fn) => {
      if (!this.#news.has(fn)) this.#goOn(fn);
    });
    this.#round(this.#news, beganMs + budgetMs, (fn) => {
      this.counts.looks += 1;
      this.#apply(fn, rules.watching(fn));
      this.#endStrays(fn);
    });
  }

  /** Takes functions off a queue until it is empty or the time is over. */
  #round(queue: Set<string>, untilMs: number, look: (fn: string) => void): void {
    for (const fn of queue) {
      if (performance.now() > untilMs) {
        this.counts.late += 1;
        return;
      }
      queue.delete(fn);
      look(fn);
    }
  }

  /** The machine's clock was set back: times that have run so far mean nothing any more. */
  #startAnew(): void {
    this.#atMs = 0;
    for (const [rule, alerts] of this.#alerts) {
      for (const alert of alerts.values()) {
        alert.calmSinceMs = 0;
        if (alert.phase === 'pending') this.#drop(rule, alert.function);
      }
    }
  }

  /** Judges a function by rules that watch it. */
  #apply(fn: string, records: readonly AlertRecord[]): void {
    if (!this.#options.exists(fn)) return;
    this.#sums.clear();
    this.#readings.clear();
    for (const record of records) {
      if (record.rule.metric === 'rollout') continue;
      const reading = this.#read(record, fn);
      const alert = this.#alerts.get(record.id)?.get(fn);
      const verdict = this.#verdict(record, reading, alert !== undefined);
      if (verdict === undefined) continue;
      if (alert !== undefined) this.#step(record, alert, advance(alert, record.rule, verdict, reading, this.#atMs));
      else if (verdict === 'breach') this.#begin(record, fn, reading);
    }
  }

  /** Judges a function from which nothing has come: by the rules that it has alerts of, and by those that silence moves. */
  #goOn(fn: string): void {
    this.#endStrays(fn);
    const { rules } = this.#options;
    const records = new Set(rules.silent.get(fn));
    for (const id of this.#active.get(fn) ?? []) {
      const record = rules.get(id);
      if (record !== undefined) records.add(record);
    }
    this.#apply(fn, [...records]);
  }

  /** Alerts whose rule does not watch this function any more, or whose function is gone, are over. */
  #endStrays(fn: string): void {
    const { rules, exists } = this.#options;
    const there = exists(fn);
    for (const id of this.#active.get(fn) ?? []) {
      const record = rules.get(id);
      const alert = this.#alerts.get(id)?.get(fn);
      if (record !== undefined && alert !== undefined && (!there || record.rule.metric === 'rollout' || !rules.watches(record, fn))) this.#end(record, alert);
    }
  }

  #begin(record: AlertRecord, fn: string, reading: Reading): void {
    if (this.#size >= this.#options.alerts) {
      this.counts.refused += 1;
      return;
    }
    const alert = begin(fn, 'breach', reading, this.#atMs);
    if (alert === undefined) return;
    this.#keep(record.id, alert);
    this.#step(record, alert, advance(alert, record.rule, 'breach', reading, this.#atMs));
  }

  /** Rules of the same metric and window share a reading. */
  #read({ rule: { metric, windowMs } }: AlertRecord, fn: string): Reading {
    const key = windowMs + ALERT_METRICS.indexOf(metric);
    let reading = this.#readings.get(key);
    if (reading === undefined) {
      const { seconds } = this.#options;
      reading = readMetric(metric, this.#sum(fn, windowMs), metric === 'memory' ? seconds.held.bytesOf(fn) : 0, seconds.book);
      this.#readings.set(key, reading);
    }
    return reading;
  }

  #sum(fn: string, windowMs: number): VersionSums {
    let sums = this.#sums.get(windowMs);
    if (sums === undefined) {
      const { seconds } = this.#options;
      sums = this.#spare[this.#sums.size] ?? new VersionSums();
      this.#spare[this.#sums.size] = sums;
      sums.clear();
      for (const version of seconds.versionsOf(fn)) seconds.sum(fn, version, this.#atMs - windowMs, this.#atMs, sums);
      this.#sums.set(windowMs, sums);
    }
    return sums;
  }

  /** undefined: figures do not reach back far enough after a start to say that few requests are few. */
  #verdict({ rule }: AlertRecord, reading: Reading, active: boolean): Verdict | undefined {
    const verdict = judge(rule, reading);
    const blind = this.#atMs - rule.windowMs < this.#startedMs;
    if (!blind) return verdict;
    if (rule.metric === 'requests') return verdict === 'calm' ? verdict : undefined;
    return active && verdict !== 'breach' ? undefined : verdict;
  }

  #step(record: AlertRecord, alert: Alert, step: Step): void {
    switch (step) {
      case 'none':
      case 'began':
        return;
      case 'fired':
        this.#firing += 1;
        this.#options.onChange(record, alert, 'fired', this.#atMs);
        return;
      case 'gone':
        this.#drop(record.id, alert.function);
        return;
      case 'resolved':
        this.#end(record, alert);
        return;
    }
  }

  #end(record: AlertRecord, alert: Alert): void {
    const { phase } = alert;
    this.#drop(record.id, alert.function);
    if (phase === 'firing') this.#options.onChange(record, alert, 'resolved', this.#atMs);
  }

  #keep(rule: string, alert: Alert): void {
    let alerts = this.#alerts.get(rule);
    if (alerts === undefined) this.#alerts.set(rule, (alerts = new Map()));
    if (alerts.has(alert.function)) return;
    alerts.set(alert.function, alert);
    const ids = this.#active.get(alert.function);
    if (ids === undefined) this.#active.set(alert.function, new Set([rule]));
    else ids.add(rule);
    this.#size += 1;
    if (alert.phase === 'firing') this.#firing += 1;
  }

  #drop(rule: string, fn: string): void {
    const alerts = this.#alerts.get(rule);
    const alert = alerts?.get(fn);
    if (alerts === undefined || alert === undefined) return;
    alerts.delete(fn);
    if (alerts.size === 0) this.#alerts.delete(rule);
    const ids = this.#active.get(fn);
    ids?.delete(rule);
    if (ids?.size === 0) this.#active.delete(fn);
    this.#size -= 1;
    if (alert.phase === 'firing') this.#firing -= 1;
  }
}
