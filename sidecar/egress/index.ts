// The egress policy: which addresses functions may reach.
export { canonicalAddress, isGlobalUnicast, isLoopback } from './addresses.ts';
export type { Address } from './addresses.ts';
export { EgressPolicy, hostOf, portOf } from './policy.ts';
export type { EgressRule, EgressSettings } from './policy.ts';
export { EgressGuard, refused, systemResolver } from './guard.ts';
export type { CheckedTarget, Resolver } from './guard.ts';
