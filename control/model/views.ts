// What readers see of functions and versions: the schemas of the answers, and how they are made from records.
import { z } from 'zod';
import { SHAPES, callersSchema, emergencyStateSchema, fallbackSchema, gatesReportSchema, deployGatesSchema, limitsSchema, retentionSchema, shadowRecordSchema, skewSchema, trafficSchema, triggerSchema } from '../../core/schemas/index.ts';
import type { GatesReport } from '../../core/schemas/index.ts';
import { buildReportSchema, placeSchema } from '../builder/index.ts';
import type { BuildReport } from '../builder/index.ts';
import type { FunctionRecord, SourcesRecord, VersionRecord } from './records.ts';

const variables = z.record(z.string(), z.string());
const bindings = z.record(z.string(), z.unknown());
const version = z.int().min(1);

export const functionViewSchema = z.strictObject({
  name: z.string(),
  tenant: z.string(),
  /** Trust tier: functions of different tiers never share a process. */
  tier: z.string(),
  limits: limitsSchema,
  /** For versions still to come; each version froze its own. */
  env: variables,
  secrets: z.record(z.string(), z.strictObject({ set: z.literal(true) })),
  triggers: z.array(triggerSchema),
  bindings,
  public: z.boolean(),
  debug: z.boolean(),
  keepWarm: z.int(),
  shape: z.enum(SHAPES),
  user: z.string().nullable(),
  callers: callersSchema.nullable(),
  fallback: fallbackSchema.nullable(),
  skew: skewSchema.nullable(),
  retention: retentionSchema.nullable(),
  gates: deployGatesSchema.nullable(),
  shadow: shadowRecordSchema.nullable(),
  emergency: emergencyStateSchema,
  aliases: z.record(z.string(), version),
  pinned: z.array(version),
  traffic: trafficSchema.nullable(),
  lastVersion: version.nullable(),
  createdAt: z.iso.datetime(),
  changedAt: z.iso.datetime(),
  /** Revision that last changed the function. */
  revision: z.int(),
});
export type FunctionView = z.infer<typeof functionViewSchema>;

/** Of a version snapshot. `reason` says why there is none: a code of core/versions/snapshots.ts. */
export const snapshotSchema = z.strictObject({ state: z.enum(['pending', 'ready', 'none']), bytes: z.int().optional(), reason: z.string().optional() });
type Snapshot = z.infer<typeof snapshotSchema>;

export const versionSummarySchema = z.strictObject({
  version,
  digest: z.string(),
  bytes: z.int(),
  buildMs: z.number(),
  message: z.string().nullable(),
  from: version.nullable(),
  createdAt: z.iso.datetime(),
  createdBy: z.string(),
  snapshot: snapshotSchema,
});
export type VersionSummary = z.infer<typeof versionSummarySchema>;

/** Of a build, in the answer to a deploy. The whole of it is with the version. */
export const shortReportSchema = z.strictObject({
  bytes: buildReportSchema.shape.bytes,
  modules: z.int(),
  /** The ten largest. */
  packages: z.array(z.strictObject({ name: z.string(), version: z.string().nullable() })),
  /** The first ten. */
  warnings: z.array(placeSchema),
  warningCount: z.int(),
});
type ShortReport = z.infer<typeof shortReportSchema>;

/** `report` is null for versions of earlier releases. */
export const versionViewSchema = versionSummarySchema.extend({ main: z.string(), files: variables, env: variables, bindings, report: buildReportSchema.nullable(), gates: gatesReportSchema.nullable() });
export type VersionView = z.infer<typeof versionViewSchema>;

export function viewSecrets(names: readonly string[]): Record<string, { set: true }> {
  return Object.fromEntries(names.map((name) => [name, { set: true as const }]));
}

export function viewFunction(record: FunctionRecord, revision: number): FunctionView {
  return {
    name: record.name,
    tenant: record.tenant,
    tier: record.tier,
    limits: record.limits,
    env: record.env,
    secrets: viewSecrets(record.secretNames),
    triggers: record.triggers,
    bindings: record.bindings,
    public: record.public,
    debug: record.debug,
    keepWarm: record.keepWarm,
    shape: record.shape,
    user: record.user,
    callers: record.callers,
    fallback: record.fallback,
    skew: record.skew,
    retention: record.retention,
    gates: record.gates,
    shadow: record.shadow,
    emergency: record.emergency,
    aliases: record.aliases,
    pinned: record.pinned,
    traffic: record.traffic,
    lastVersion: record.lastVersion === 0 ? null : record.lastVersion,
    createdAt: record.createdAt,
    changedAt: record.changedAt,
    revision,
  };
}

export function summariseVersion(record: VersionRecord, snapshot: Snapshot): VersionSummary {
  const { version: number, digest, bytes, buildMs, message, from, createdAt, createdBy } = record;
  return { version: number, digest, bytes, buildMs, message, from, createdAt, createdBy, snapshot };
}

const SHORT_LIST = 10;

export function shortenReport({ bytes, modules, packages, warnings, more }: BuildReport): ShortReport {
  return {
    bytes,
    modules: modules.length + more.modules,
    packages: packages.slice(0, SHORT_LIST).map(({ name, version: number }) => ({ name, version: number })),
    warnings: warnings.slice(0, SHORT_LIST),
    warningCount: warnings.length + more.warnings,
  };
}

export function viewVersion(record: VersionRecord, sources: SourcesRecord, report: BuildReport | null, snapshot: Snapshot, gates: GatesReport | null): VersionView {
  return { ...summariseVersion(record, snapshot), main: record.main, files: sources.files, env: record.env, bindings: record.bindings, report, gates };
}
