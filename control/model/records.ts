// What the control plane stores: the form of each record, and the key that it lies under.
import { z } from 'zod';
import { DEFAULT_TIER } from '../../core/config/index.ts';
import { SHAPES, callersSchema, emergencyStateSchema, fallbackSchema, deployGatesSchema, limitsSchema, quotasSchema, retentionSchema, shadowRecordSchema, skewSchema, storedTriggerSchema, trafficSchema } from '../../core/schemas/index.ts';
import type { Quotas, Traffic } from '../../core/schemas/index.ts';

/** Traffic changes that a rollback can go back through. */
export const HISTORY_LIMIT = 50;

const text = z.string();
/** In the store since its format 2. */
const tier = text.default(DEFAULT_TIER);
const variables = z.record(text, text);

export const functionRecordSchema = z.strictObject({
  name: text,
  tenant: text,
  /** Trust tier: whose hosts run it, whose key seals its secrets, and in which folder its versions' files are. */
  tier,
  limits: limitsSchema,
  /** For versions still to come: a version froze its own. */
  env: variables,
  /** Names of the secrets, sorted. */
  secretNames: z.array(text),
  /** All secrets as one JSON object, sealed for the tier; '' when there are none. */
  secrets: text,
  triggers: z.array(storedTriggerSchema),
  bindings: z.record(text, z.unknown()),
  public: z.boolean(),
  debug: z.boolean(),
  keepWarm: z.number(),
  shape: z.enum(SHAPES),
  user: text.nullable(),
  // In the store since its format 2. With a default, a record in code need not name what it does not use.
  callers: callersSchema.nullable().default(null),
  fallback: fallbackSchema.nullable().default(null),
  skew: skewSchema.nullable().default(null),
  retention: retentionSchema.nullable().default(null),
  gates: deployGatesSchema.nullable().default(null),
  shadow: shadowRecordSchema.nullable().default(null),
  emergency: emergencyStateSchema.default(emergencyStateSchema.parse({})),
  /** Numbers by name. */
  aliases: z.record(text, z.number()).default({}),
  /** Numbers of versions that are never purged, in order. */
  pinned: z.array(z.number()).default([]),
  traffic: trafficSchema.nullable(),
  /** Who of the split gets which version (core/routing/places.ts); null: as it follows from the split alone. */
  places: z.record(text, z.array(z.number())).nullable().default(null),
  /** When traffic left the versions that callers may still be held to, ms since 1970. */
  leftAt: z.record(text, z.number()).default({}),
  /** Earlier traffic, the latest last. Up to fifty for each function: checked when one of them is put back, not at each start. */
  history: z.array(z.custom<Traffic>((value) => typeof value === 'object' && value !== null)),
  /** Number of the newest version ever made under this name; numbers are never used again, not even after a delete. */
  lastVersion: z.number(),
  /** Versions below this number belong to a function of the same name that was deleted. */
  firstVersion: z.number(),
  createdAt: text,
  changedAt: text,
});
export type FunctionRecord = z.infer<typeof functionRecordSchema>;

/** What stays of a deleted function. */
export const removedRecordSchema = z.strictObject({ name: text, tier, lastVersion: z.number(), removedAt: text });
export type RemovedRecord = z.infer<typeof removedRecordSchema>;

export const versionRecordSchema = z.strictObject({
  version: z.number(),
  digest: text,
  bytes: z.number(),
  buildMs: z.number(),
  message: text.nullable(),
  /** Number of the version whose files it was made from, or null. */
  from: z.number().nullable(),
  main: text,
  /** Key suffix of its sources. */
  sources: text,
  env: variables,
  bindings: z.record(text, z.unknown()),
  createdAt: text,
  createdBy: text,
});
export type VersionRecord = z.infer<typeof versionRecordSchema>;

/** The files as they were uploaded, kept once however many versions were made from them. */
export const sourcesRecordSchema = z.strictObject({ files: z.record(text, text), main: text });
export type SourcesRecord = z.infer<typeof sourcesRecordSchema>;

export const tenantRecordSchema = z.strictObject({ name: text, quotas: quotasSchema, changedAt: text.nullable() });
export type TenantRecord = z.infer<typeof tenantRecordSchema>;

export const NO_QUOTAS: Quotas = quotasSchema.parse({});

export const storeRecordSchema = z.strictObject({
  /** Of this life of the control plane; drawn at its start, so that a store which was put back to an earlier state never goes on under the same one. */
  epoch: z.number(),
  /** The first epoch of all: tells this store from another, over all its lives. 0: a record of an earlier release. */
  origin: z.number().default(0),
  createdAt: text,
  /** Earlier lives, the latest last, and the revision that each of them ended with. */
  former: z.array(z.strictObject({ epoch: z.number(), until: z.number() })).default([]),
});
export type StoreRecord = z.infer<typeof storeRecordSchema>;

// Zero-padded, so that the order of keys is the order of numbers.
const padded = (n: number): string => String(n).padStart(12, '0');

export const KEYS = {
  store: 'store',
  functions: 'function/',
  function: (name: string): string => `function/${name}`,
  removedFunctions: 'removed/',
  removed: (name: string): string => `removed/${name}`,
  tenants: 'tenant/',
  tenant: (name: string): string => `tenant/${name}`,
  allVersions: 'version/',
  report: (name: string, version: number): string => `report/${name}/${padded(version)}`,
  versions: (name: string): string => `version/${name}/`,
  version: (name: string, version: number): string => `version/${name}/${padded(version)}`,
  snapshots: 'snapshot/',
  snapshot: (name: string, version: number): string => `snapshot/${name}/${padded(version)}`,
  snapshotSwitches: 'snapshot-switch/',
  snapshotSwitch: (name: string, version: number): string => `snapshot-switch/${name}/${padded(version)}`,
  gateReport: (name: string, version: number): string => `gate/${name}/${padded(version)}`,
  /** There while a version may get no traffic. */
  gateBlocks: 'gate-block/',
  gateBlock: (name: string, version: number): string => `gate-block/${name}/${padded(version)}`,
  sources: (digest: string): string => `sources/${digest}`,
  /** Of each function that ever had a rollout: the last number, and the one under way. */
  rolloutHeads: 'rollout-head/',
  rolloutHead: (name: string): string => `rollout-head/${name}`,
  rollouts: 'rollout/',
  rolloutsOf: (name: string): string => `rollout/${name}/`,
  rollout: (name: string, number: number): string => `rollout/${name}/${padded(number)}`,
  tokens: 'token/',
  token: (id: string): string => `token/${id}`,
  tokenUses: 'token-use/',
  tokenUse: (id: string): string => `token-use/${id}`,
  idempotencyKeys: 'idempotency/',
  idempotencyKey: (caller: string, key: string): string => `idempotency/${caller}/${key}`,
  alerts: 'alert/',
  alert: (id: string): string => `alert/${id}`,
  freeze: 'freeze',
  audit: 'audit/',
  auditRow: (sequence: number): string => `audit/${padded(sequence)}`,
} as const;

/** The last part of a key that ends in a number. */
export function numberOfKey(key: string): number {
  return Number(key.slice(key.lastIndexOf('/') + 1));
}
