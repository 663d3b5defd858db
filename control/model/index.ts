// Functions, versions, traffic and audit: the rules of the control plane, without HTTP and sockets.
export { AUDIT_START, auditRowSchema, hashRow, isActor } from './audit.ts';
export { ChainCheck, auditRows, checkTrail, fits, scanTrail, subjectOf, verifyTrail } from './audit-trail.ts';
export type { AuditFilter, TrailVerdict } from './audit-trail.ts';
export type { Actor, AuditHead, AuditRow, Guard } from './audit.ts';
export { canonicalJson } from './canonical-json.ts';
export { ADDRESSABLE_VERSIONS, Catalog, allOf, liveVersions } from './catalog.ts';
export { EmergencySwitches, frozenBy } from './emergency.ts';
export { Functions } from './functions.ts';
export { gatesReport, requirePassed } from './gates.ts';
export type { Candidate, GateRunner, GateWishes } from './gates.ts';
export { Ledger } from './ledger.ts';
export type { Companion, Frozen, Written } from './ledger.ts';
export { HOLDS, Purge } from './purge.ts';
export type { FunctionRecord, SourcesRecord } from './records.ts';
export { HISTORY_LIMIT, KEYS, functionRecordSchema, storeRecordSchema } from './records.ts';
export { Shadowing } from './shadow.ts';
export { Tenants } from './tenants.ts';
export { Tiers } from './tiers.ts';
export { beginLife } from './store-life.ts';
export { TrafficControl, turnedTo, withTraffic } from './traffic.ts';
export { methodsOverlap, patternKey } from './trigger-patterns.ts';
export { versionDiffSchema } from './version-diff.ts';
export { VersionNames } from './version-names.ts';
export { Versions } from './versions.ts';
export type { Deployed } from './versions.ts';
export {
  functionViewSchema, shortReportSchema, shortenReport, snapshotSchema, summariseVersion, versionSummarySchema, versionViewSchema, viewFunction, viewVersion,
} from './views.ts';
