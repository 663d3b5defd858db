// zod schemas of everything that comes from outside; they also make the OpenAPI document.
export { SUBREQUESTS_AT_ONCE, limitsSchema } from './limits.ts';
export type { Limits } from './limits.ts';
export { METHODS, httpTriggerSchema, storedTriggerSchema, triggerSchema } from './triggers.ts';
export type { HttpTrigger, Trigger } from './triggers.ts';
export { conditionSchema, trafficSchema } from './traffic.ts';
export type { Condition, Traffic } from './traffic.ts';
export { SHAPES, copySchema, functionNameSchema, functionPutSchema, pageSchema, snapshotPutSchema, uploadSchema } from './functions.ts';
export type { FunctionPut, Upload } from './functions.ts';
export { ALERT_METRICS, SEVERITIES, alertIdSchema, alertPutSchema, alertRuleSchema, webhookSchema } from './alerts.ts';
export type { AlertMetric, AlertPut, AlertRule, Webhook } from './alerts.ts';
export { quotasSchema, routeQuotasSchema, tenantNameSchema, tenantPutSchema } from './tenants.ts';
export type { Quotas } from './tenants.ts';
export {
  FALLBACK_CAUSES, MAX_SKEW_AGE_MS, aliasNameSchema, aliasPutSchema, backupPostSchema, callerKeySchema, callersSchema, emergencySchema, emergencyStateSchema, fallbackSchema, freezeSchema, freezeStateSchema, pinPutSchema, purgeSchema, retentionSchema, shadowRecordSchema, shadowSchema, skewSchema, staticAnswerSchema,
} from './delivery.ts';
export type { Callers, Emergency, EmergencyState, Fallback, FallbackCause, Freeze, FreezeState, PurgePost, Retention, Shadow, ShadowRecord, Skew, StaticAnswer } from './delivery.ts';
export { ROLES, functionPatternSchema, tokenPostSchema } from './access.ts';
export type { Role, TokenPost } from './access.ts';
export { filePathSchema } from './file-paths.ts';
export { deployGatesSchema, gateErrorSchema, gatesReportSchema } from './gates.ts';
export type { Ceilings, DeployGates, GateError, GatesReport, Smoke } from './gates.ts';
export { fieldErrors, fieldPath } from './field-errors.ts';
export type { FieldError } from './field-errors.ts';
export { MAX_EVENT_CHARACTERS, eventResultSchema, eventSchema, invokeAnswerSchema, invokeSchema, jsonSchema, runSchema } from './events.ts';
export type { FunctionEvent, Invoke } from './events.ts';
export { gatesSchema, rolloutPostSchema } from './rollouts.ts';
export type { Gates, RolloutPost } from './rollouts.ts';
