// Every attack of the suite.
import type { Attack } from '../attack.ts';
import { ANSWER_ATTACKS } from './answers.ts';
import { BODY_ATTACKS } from './bodies.ts';
import { CLIENT_ATTACKS } from './clients.ts';
import { CPU_ATTACKS } from './cpu.ts';
import { DEPLOY_ATTACKS } from './deploys.ts';
import { FLOOD_ATTACKS } from './floods.ts';
import { MEMORY_ATTACKS } from './memory.ts';
import { TENANCY_ATTACKS } from './tenancy.ts';

export { FATAL_SOURCES, REFUSED_SOURCES } from './deploys.ts';

export const ATTACKS: readonly Attack[] = [
  ...MEMORY_ATTACKS, ...CPU_ATTACKS, ...ANSWER_ATTACKS, ...BODY_ATTACKS, ...FLOOD_ATTACKS, ...TENANCY_ATTACKS, ...DEPLOY_ATTACKS, ...CLIENT_ATTACKS,
];
