// One rollout under way, as the control plane watches it: reads the seconds as they come, and says what is to be done now.
import type { Series } from '../sensing/window.ts';
import { Comparison, wholeSecond } from './comparison.ts';
import type { GateVerdict } from './comparison.ts';
import type { Reason, RolloutRecord, Seen } from './records.ts';
import { SECOND_MS, readSecond } from './seconds.ts';
import { liveBeside } from './split.ts';

/** Seconds of live before the rollout (or before this start of the control plane) from which the gates learn what is usual. */
const LEARNED_SECONDS = 60;
/** Figures come within a second or two; when none have come for so long, nothing is known about the present. */
const BLIND_AFTER_MS = 10_000;

/** What keeps a step from being left. */
export interface Holding {
  readonly for: 'hold' | 'not_enough_samples' | 'no_figures' | 'suspect';
  readonly message: string;
  /** ISO: the end of the hold, or of the longest time at this weight. */
  readonly until: string;
}

/** `promote`: to the next step, or to the end after the last. */
export type Advice = { readonly action: 'promote'; readonly reason: null } | { readonly action: 'roll_back' | 'pause'; readonly reason: Reason };

export class Watch {
  readonly #series: Series;
  readonly #comparison: Comparison;
  readonly #live: readonly number[];
  #record: RolloutRecord;
  /** From here on the hold is counted: what this process has not watched is not part of it. */
  #sinceMs: number;
  #nextMs: number;

  constructor(record: RolloutRecord, series: Series, nowMs: number) {
    this.#record = record;
    this.#series = series;
    this.#comparison = new Comparison(record.gates, record.settleMs);
    this.#live = liveBeside(record.base, record.version);
    this.#sinceMs = nowMs;
    // The second that has begun counts as well, but not as one of the step: every second that a broken version is live for less is won.
    this.#nextMs = Math.floor(nowMs / SECOND_MS) * SECOND_MS;
    this.#learn();
    this.#comparison.beginStep(wholeSecond(nowMs));
  }

  get record(): RolloutRecord {
    return this.#record;
  }

  /** Follows a commit. */
  follow(record: RolloutRecord): void {
    const restarted = record.stepStartedAt !== this.#record.stepStartedAt;
    this.#record = record;
    if (!restarted) return;
    this.#sinceMs = Date.parse(record.stepStartedAt);
    this.#comparison.beginStep(wholeSecond(this.#sinceMs));
  }

  /** Takes the seconds that have become whole. */
  read(): void {
    const { function: name, version } = this.#record;
    for (; this.#nextMs + SECOND_MS <= this.#series.upToMs; this.#nextMs += SECOND_MS) {
      this.#comparison.add(readSecond(this.#series, name, version, this.#live, this.#nextMs));
    }
  }

  /** What is to be done now; undefined: nothing. A paused rollout is still rolled back by a gate, and nothing else. */
  advice(nowMs: number): Advice | undefined {
    const { failed } = this.#comparison;
    if (failed !== undefined) return { action: 'roll_back', reason: { code: failed, message: explain(this.#comparison.verdicts().find(({ gate }) => gate === failed), this.#comparison.samples) } };
    if (this.#record.state !== 'running') return undefined;
    const holding = this.holding(nowMs);
    if (holding === undefined) return { action: 'promote', reason: null };
    if (holding.for === 'hold' || nowMs < Date.parse(holding.until)) return undefined;
    // Suspicion is no proof, so it never rolls back by itself.
    if (holding.for === 'suspect') return { action: 'pause', reason: { code: 'undecided', message: holding.message } };
    return { action: this.#record.onMaxHold === 'pause' ? 'pause' : 'roll_back', reason: { code: holding.for, message: holding.message } };
  }

  /** Why the present step is not left; undefined: it may be. */
  holding(nowMs: number): Holding | undefined {
    const { steps, step, stepStartedAt, minSamples } = this.#record;
    const { holdMs, maxHoldMs, weight } = steps[step] ?? { holdMs: 0, maxHoldMs: 0, weight: 100 };
    const holdEndMs = this.#sinceMs + holdMs;
    if (nowMs < holdEndMs) return { for: 'hold', message: `held at ${weight} % for ${holdMs} ms`, until: iso(holdEndMs) };
    // Nobody is left to compare with.
    if (weight === 100) return undefined;
    const until = iso(Date.parse(stepStartedAt) + maxHoldMs);
    const { canary, live } = this.#comparison.samples;
    if (minSamples > 0 && this.#nextMs < nowMs - BLIND_AFTER_MS) return { for: 'no_figures', message: 'no gateway reports figures', until };
    if (Math.min(canary, live) < minSamples) return { for: 'not_enough_samples', message: `${canary} requests of the new version and ${live} of live in this step, ${minSamples} of each are needed`, until };
    if (this.#comparison.suspect) return { for: 'suspect', message: `evidence ${Math.round(this.#comparison.evidence)} of 100 against the new version`, until };
    return undefined;
  }

  seen(): Seen {
    return { samples: this.#comparison.samples, gates: this.#comparison.verdicts() };
  }

  #learn(): void {
    const { function: name, version } = this.#record;
    for (let atMs = this.#nextMs - (LEARNED_SECONDS + 1) * SECOND_MS; atMs < this.#nextMs && atMs + SECOND_MS <= this.#series.upToMs; atMs += SECOND_MS) {
      this.#comparison.learn(readSecond(this.#series, name, version, this.#live, atMs).live);
    }
  }
}

/** A sentence with the figures that a gate decided by. */
function explain(verdict: GateVerdict | undefined, samples: { readonly canary: number; readonly live: number }): string {
  if (verdict === undefined) return '';
  const { gate, unit, canary, live, limit } = verdict;
  const show = (value: number | null): string => {
    if (value === null) return 'unknown';
    if (unit === 'share') return `${(value * 100).toFixed(2)} %`;
    return unit === 'ms' ? `${value.toFixed(2)} ms` : `${(value / 1_048_576).toFixed(1)} MB`;
  };
  return `${gate}: ${show(canary)} beside ${show(live)} of live, at most ${show(limit)} is allowed (${samples.canary} requests beside ${samples.live})`;
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
