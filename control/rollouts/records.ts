// What is stored of a rollout, and how one decision turns a record into the next.
import { z } from 'zod';
import { gatesSchema, trafficSchema } from '../../core/schemas/index.ts';
import type { RolloutPost } from '../../core/schemas/index.ts';
import { GATES } from './gates.ts';

export const STATES = ['running', 'paused', 'finished', 'rolled_back', 'aborted', 'superseded'] as const;
export type RolloutState = (typeof STATES)[number];

export const ACTIONS = ['start', 'promote', 'pause', 'resume', 'roll_back', 'finish', 'abort', 'supersede'] as const;
export type RolloutAction = (typeof ACTIONS)[number];

/** Why a rollout is not running: a gate, or what else ended or stopped it. */
export const REASONS = [
  ...GATES, 'not_enough_samples', 'no_figures', 'undecided', 'by_hand', 'frozen', 'killed', 'forced', 'traffic_changed', 'function_deleted',
] as const;
export type ReasonCode = (typeof REASONS)[number];

export const reasonSchema = z.strictObject({ code: z.enum(REASONS), message: z.string() });
export type Reason = z.infer<typeof reasonSchema>;

export const decisionSchema = z.strictObject({
  time: z.iso.datetime(),
  action: z.enum(ACTIONS),
  /** Place in `steps`, from 0, and its weight after the decision; the weight is 0 where the new version was taken off. */
  step: z.int(),
  weight: z.number(),
  /** Who: a token's name, or `rollout` for the rollout itself. */
  by: z.string(),
  reason: reasonSchema.nullable(),
});
export type Decision = z.infer<typeof decisionSchema>;

export const gateVerdictSchema = z.strictObject({
  gate: z.enum(GATES),
  verdict: z.enum(['ok', 'suspect', 'failed', 'no_data']),
  /** At 100, of all gates together, the new version is rolled back; null for a gate that compares levels. */
  evidence: z.number().nullable(),
  unit: z.enum(['share', 'ms', 'bytes']),
  canary: z.number().nullable(),
  live: z.number().nullable(),
  limit: z.number().nullable(),
});

/** Requests of both sides in the present step, and what each gate says. */
export const seenSchema = z.strictObject({ samples: z.strictObject({ canary: z.int(), live: z.int() }), gates: z.array(gateVerdictSchema) });
export type Seen = z.infer<typeof seenSchema>;

const ms = z.int();
export const stepSchema = z.strictObject({ weight: z.number(), holdMs: ms, maxHoldMs: ms });

export const rolloutRecordSchema = z.strictObject({
  function: z.string(),
  /** Counts from 1 for each function, also over a delete. */
  number: z.int(),
  version: z.int(),
  state: z.enum(STATES),
  reason: reasonSchema.nullable(),
  steps: z.array(stepSchema),
  gates: gatesSchema,
  minSamples: z.int(),
  onMaxHold: z.enum(['rollback', 'pause']),
  settleMs: ms,
  /** Place in `steps`, from 0. */
  step: z.int(),
  /** Also when it was resumed: the hold starts anew. */
  stepStartedAt: z.iso.datetime(),
  /** Traffic before the rollout. */
  base: trafficSchema,
  createdAt: z.iso.datetime(),
  createdBy: z.string(),
  endedAt: z.iso.datetime().nullable(),
  decisions: z.array(decisionSchema),
  /** At the last decision. */
  seen: seenSchema,
});
export type RolloutRecord = z.infer<typeof rolloutRecordSchema>;

export const rolloutHeadSchema = z.strictObject({ last: z.int(), active: z.int().nullable() });
export type RolloutHead = z.infer<typeof rolloutHeadSchema>;

/** Steps, resumes and pauses of one rollout that are kept: the first, and the latest. */
const MAX_DECISIONS = 200;

const STATE_AFTER: Readonly<Record<RolloutAction, RolloutState>> = {
  start: 'running', promote: 'running', pause: 'paused', resume: 'running', roll_back: 'rolled_back', finish: 'finished', abort: 'aborted', supersede: 'superseded',
};

export function isUnderWay({ state }: Pick<RolloutRecord, 'state'>): boolean {
  return state === 'running' || state === 'paused';
}

/** @param now  ISO time of the commit */
export function newRollout(name: string, number: number, post: RolloutPost, base: RolloutRecord['base'], by: string, now: string): RolloutRecord {
  const steps = post.steps.map(({ weight, hold, maxHold }) => ({ weight, holdMs: hold, maxHoldMs: maxHold ?? post.maxHold }));
  if (steps.at(-1)?.weight !== 100) steps.push({ weight: 100, holdMs: 0, maxHoldMs: post.maxHold });
  const { version, gates, minSamples, onMaxHold, settle } = post;
  const fresh: RolloutRecord = {
    function: name, number, version, state: 'running', reason: null, steps, gates, minSamples, onMaxHold, settleMs: settle, step: 0, stepStartedAt: now, base, createdAt: now, createdBy: by, endedAt: null,
    decisions: [], seen: { samples: { canary: 0, live: 0 }, gates: [] },
  };
  return decided(fresh, { action: 'start', step: 0, by, reason: null, now });
}

export interface Deciding {
  readonly action: RolloutAction;
  readonly step: number;
  readonly by: string;
  readonly reason: Reason | null;
  readonly now: string;
  readonly seen?: Seen;
}

/** The record after one more decision. */
export function decided(record: RolloutRecord, { action, step, by, reason, now, seen }: Deciding): RolloutRecord {
  const state = STATE_AFTER[action];
  const ended = !isUnderWay({ state });
  const weight = ended && action !== 'finish' ? 0 : (record.steps[step]?.weight ?? 0);
  const [first, ...later] = [...record.decisions, { time: now, action, step, weight, by, reason }];
  const restarts = step !== record.step || action === 'resume' || action === 'start';
  return {
    ...record,
    state,
    reason,
    step,
    stepStartedAt: restarts ? now : record.stepStartedAt,
    endedAt: ended ? now : null,
    decisions: first === undefined ? [] : [first, ...later.slice(1 - MAX_DECISIONS)],
    seen: seen ?? record.seen,
  };
}
