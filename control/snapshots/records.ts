// What is stored of version snapshots: what a build found, and the switch of a version. Versions themselves never change.
import { z } from 'zod';

export const snapshotRecordSchema = z.strictObject({
  /** Of the version that it was made for: a name may be deleted and used again. */
  digest: z.string(),
  /** Trust tier in whose folder its files are. */
  tier: z.string(),
  /** Key of the platform that it goes with: after an upgrade it counts no more. */
  platform: z.string(),
  /** null: there is a snapshot. */
  reason: z.string().nullable(),
  /** For the operator: what the module threw, or what was refused. */
  detail: z.string(),
  /** CPU time of evaluating the module, milliseconds. */
  evaluateMs: z.number(),
  bytes: z.number(),
  /** Digest of the blob; '' when there is none. */
  sha256: z.string(),
  codeCacheBytes: z.number(),
  /** Names of the function's secrets at that time. */
  secretNames: z.array(z.string()),
  builtAt: z.string(),
});
export type SnapshotRecord = z.infer<typeof snapshotRecordSchema>;

/** There only while version snapshots are switched off for a version. */
export const snapshotSwitchSchema = z.strictObject({ enabled: z.literal(false) });
