// One alert: a rule and a function, from pending over firing to resolved. Pure: time is what the caller says.
import type { AlertRule } from '../../core/schemas/index.ts';
import type { Reading, Verdict } from './condition.ts';

export type AlertPhase = 'pending' | 'firing';

export interface Alert {
  readonly function: string;
  phase: AlertPhase;
  /** When it became too much, milliseconds since 1970. */
  readonly sinceMs: number;
  /** When it began to fire; 0: it does not yet. */
  firedAtMs: number;
  /** Since when it has been calm, without a break; 0: it is not. */
  calmSinceMs: number;
  /** Of the last look. */
  value: number;
  samples: number;
}

/** What a look at an alert changed. `gone`: it was pending, and is not too much any more. */
export type Step = 'none' | 'began' | 'fired' | 'gone' | 'resolved';

/** The alert that begins with a breach; undefined with any other verdict. */
export function begin(fn: string, verdict: Verdict, { value, samples }: Reading, atMs: number): Alert | undefined {
  return verdict === 'breach' ? { function: fn, phase: 'pending', sinceMs: atMs, firedAtMs: 0, calmSinceMs: 0, value, samples } : undefined;
}

/** Moves an alert on to `atMs`. While it fires, too few requests are calm: what nobody calls harms nobody. */
export function advance(alert: Alert, rule: AlertRule, verdict: Verdict, { value, samples }: Reading, atMs: number): Step {
  alert.value = value;
  alert.samples = samples;
  if (alert.phase === 'pending') {
    if (verdict !== 'breach') return 'gone';
    if (atMs - alert.sinceMs < rule.forMs) return 'none';
    alert.phase = 'firing';
    alert.firedAtMs = atMs;
    return 'fired';
  }
  if (verdict === 'breach' || verdict === 'between') {
    alert.calmSinceMs = 0;
    return 'none';
  }
  if (alert.calmSinceMs === 0) alert.calmSinceMs = atMs;
  return atMs - alert.calmSinceMs >= rule.resolveForMs ? 'resolved' : 'none';
}
