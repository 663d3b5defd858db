// Staged rollouts that compare, decide and roll back by themselves.
export { rolloutMetrics } from './metrics.ts';
export { Rollouts } from './rollouts.ts';
export type { RolloutEvent, RolloutsOptions } from './rollouts.ts';
export type { RolloutRecord } from './records.ts';
export { rolloutViewSchema, viewRollout } from './views.ts';
export type { RolloutView } from './views.ts';
