// Figures of functions and processes, and their Prometheus form.
export { FigureStore } from './figure-store.ts';
export type { FigureStoreOptions } from './figure-store.ts';
export { Totals } from './totals.ts';
export { functionStandingSchema } from './standings.ts';
export type { FunctionStanding } from './standings.ts';
export { functionStatsSchema, tenantUsageSchema } from './views.ts';
export type { FunctionStats } from './views.ts';
export { renderMetrics } from './prometheus.ts';
export type { MetricSources } from './prometheus.ts';
