// Gates before traffic: tests, smoke requests and ceilings.
export { Gates } from './gates.ts';
export type { GatesOptions } from './gates.ts';
export { differences, runSmoke } from './smoke.ts';
export { Turns } from './turns.ts';
