// What readers see of a rollout.
import { z } from 'zod';
import { rolloutRecordSchema } from './records.ts';
import type { RolloutRecord } from './records.ts';
import type { Watch } from './watch.ts';

export const rolloutViewSchema = rolloutRecordSchema.extend({
  /** Why the present step is not left yet; null: it is about to be, or the rollout is not running. */
  holding: z.strictObject({
    for: z.enum(['hold', 'not_enough_samples', 'no_figures', 'suspect']),
    message: z.string(),
    /** The end of the hold, or of the longest time at this weight. */
    until: z.iso.datetime(),
  }).nullable(),
});
export type RolloutView = z.infer<typeof rolloutViewSchema>;

/** With the present figures where it is under way, else with those of its end. */
export function viewRollout(record: RolloutRecord, watch: Watch | undefined, nowMs: number): RolloutView {
  if (watch === undefined || watch.record.number !== record.number) return { ...record, holding: null };
  return { ...watch.record, seen: watch.seen(), holding: watch.record.state === 'running' ? (watch.holding(nowMs) ?? null) : null };
}
