// Figures of shadow traffic.
export { ShadowStore } from './shadow-store.ts';
export type { ShadowSums } from './shadow-store.ts';
export { shadowReportSchema } from './views.ts';
