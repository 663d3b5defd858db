// Decisions of rollouts, as they are told.
import type { RolloutEvent } from '../rollouts/index.ts';
import type { Announcement } from './notices.ts';

/** `rollout.start`, `rollout.promote`, `rollout.pause`, `rollout.resume`, `rollout.roll_back`, `rollout.finish`, `rollout.abort` or `rollout.supersede`. */
export function announceRollout({ rollout, decision }: RolloutEvent): Announcement {
  const { function: fn, number, version, state, decisions } = rollout;
  const { time, action, step, weight, by, reason } = decision;
  return { type: `rollout.${action}`, function: fn, key: `${number}/${decisions.length}/${time}`, data: { rollout: number, version, state, step, weight, by, reason, time } };
}
