// What each decision about a rollout writes: the record, the function's traffic and the audit row, for one commit.
import { PlatformError } from '../../core/errors/index.ts';
import type { Change } from '../../core/ports/index.ts';
import type { RolloutPost, Traffic } from '../../core/schemas/index.ts';
import { KEYS, canonicalJson, turnedTo, withTraffic } from '../model/index.ts';
import type { FunctionRecord } from '../model/index.ts';
import { decided, isUnderWay, newRollout } from './records.ts';
import type { Deciding, RolloutHead, RolloutRecord } from './records.ts';
import { liveBeside, withWeight } from './split.ts';

/** Rollouts of a function that are kept. */
export const KEPT_ROLLOUTS = 100;

export interface RolloutPlan {
  readonly changes: readonly Change[];
  readonly audit: { readonly action: string; readonly target: string; readonly before: unknown; readonly after: unknown };
  readonly result: RolloutRecord;
}

/**
 * Starts a rollout: its first step is live at once.
 *
 * @throws conflict  another one is under way, or the function has no other version with traffic
 */
export function planStart(owner: FunctionRecord, head: RolloutHead, post: RolloutPost, by: string, now: string): RolloutPlan {
  const { name, traffic } = owner;
  if (head.active !== null) throw new PlatformError('conflict', { with: `rollout ${head.active} of function ${name}, which is under way` });
  if (traffic === null) throw new PlatformError('conflict', { with: `the traffic of function ${name}: it has none` });
  if (liveBeside(traffic, post.version).length === 0) throw new PlatformError('conflict', { with: `the traffic of function ${name}: all of its split goes to version ${post.version} already` });
  const number = head.last + 1;
  const record = newRollout(name, number, post, traffic, by, now);
  const next = withTraffic(owner, withWeight(traffic, post.version, record.steps[0]?.weight ?? 100), now);
  return {
    changes: [
      { key: KEYS.function(name), value: next },
      { key: KEYS.rollout(name, number), value: record },
      { key: KEYS.rolloutHead(name), value: { last: number, active: number } satisfies RolloutHead },
      ...(number > KEPT_ROLLOUTS ? [{ key: KEYS.rollout(name, number - KEPT_ROLLOUTS), remove: true as const }] : []),
    ],
    audit: { action: 'rollout.start', target: `${name}@${post.version}`, before: { traffic }, after: { rollout: number, steps: record.steps, gates: record.gates, traffic: next.traffic } },
    result: record,
  };
}

/** Any later decision. The new version's weight follows it: the step's, 100 at the end, none when it was taken back. */
export function planDecision(owner: FunctionRecord, record: RolloutRecord, deciding: Deciding): RolloutPlan {
  const { action, now } = deciding;
  const { function: name, number, version } = record;
  const next = decided(record, deciding);
  const traffic = trafficAfter(record, deciding);
  const changed = traffic !== undefined && canonicalJson(traffic) !== canonicalJson(owner.traffic);
  const shown = (one: RolloutRecord): Record<string, unknown> => ({ rollout: number, state: one.state, step: one.step });
  return {
    changes: [
      ...(changed ? [{ key: KEYS.function(name), value: turnedTo(owner, traffic, historyAfter(owner, traffic), now) }] : []),
      ...recordChanges(next),
    ],
    audit: {
      action: `rollout.${action}`,
      target: `${name}@${version}`,
      before: { ...shown(record), ...(changed ? { traffic: owner.traffic } : undefined) },
      after: { ...shown(next), reason: next.reason, seen: next.seen, ...(changed ? { traffic } : undefined) },
    },
    result: next,
  };
}

/** The record, and that nothing is under way any more where it has ended. */
export function recordChanges(record: RolloutRecord): Change[] {
  const { function: name, number } = record;
  const stored: Change = { key: KEYS.rollout(name, number), value: record };
  return isUnderWay(record) ? [stored] : [stored, { key: KEYS.rolloutHead(name), value: { last: number, active: null } satisfies RolloutHead }];
}

function trafficAfter({ base, version, steps }: RolloutRecord, { action, step }: Deciding): Traffic | undefined {
  switch (action) {
    case 'promote':
      return withWeight(base, version, steps[step]?.weight ?? 100);
    case 'finish':
      return withWeight(base, version, 100);
    case 'roll_back':
    case 'abort':
      return withWeight(base, version, 0);
    default:
      return undefined;
  }
}

/** A rollout is one change of traffic, however many steps it has; one that was taken back is none. */
function historyAfter({ history }: FunctionRecord, traffic: Traffic): FunctionRecord['history'] {
  const last = history.at(-1);
  return last !== undefined && canonicalJson(last) === canonicalJson(traffic) ? history.slice(0, -1) : history;
}
