// Functions, versions, traffic and audit: the rules of the control plane, without HTTP and sockets.
export { AUDIT_START, auditRowSchema, hashRow, verifyTrail } from './audit.ts';
export type { Actor, AuditRow } from './audit.ts';
export { canonicalJson } from './canonical-json.ts';
export { ADDRESSABLE_VERSIONS, Catalog, liveVersions } from './catalog.ts';
export { EmergencySwitches, frozenBy } from './emergency.ts';
export { Functions } from './functions.ts';
export { Ledger } from './ledger.ts';
export type { Frozen, Written } from './ledger.ts';
export type { FunctionRecord } from './records.ts';
export { HISTORY_LIMIT, KEYS, storeRecordSchema } from './records.ts';
export { Tenants } from './tenants.ts';
export { Tiers } from './tiers.ts';
export { TrafficControl } from './traffic.ts';
export { methodsOverlap, patternKey } from './trigger-patterns.ts';
export { Versions } from './versions.ts';
export type { Deployed } from './versions.ts';
export {
  functionViewSchema, snapshotSchema, summariseVersion, versionSummarySchema, versionViewSchema, viewFunction, viewVersion,
} from './views.ts';
