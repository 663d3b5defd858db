// Shadow traffic.
export { Shadows } from './shadows.ts';
export type { Mirror } from './mirror.ts';
