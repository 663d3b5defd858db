// Branded identifiers and how they are made: ids of one kind cannot be passed for another.
import { randomBytes } from 'node:crypto';

declare const brand: unique symbol;
type Branded<T, B extends string> = T & { readonly [brand]: B };

export type FunctionName = Branded<string, 'FunctionName'>;
export type TenantId = Branded<string, 'TenantId'>;
/** `sha256-` and 64 hex digits over code, environment and bindings. */
export type VersionDigest = Branded<string, 'VersionDigest'>;
/** Printable id of one invocation, unique per node: a random prefix of the gateway process and a counter. */
export type InvocationId = Branded<string, 'InvocationId'>;

/** A name in the form of RFC 1123 labels without `--`, so that `v7--card.localhost` is never ambiguous. */
export const FUNCTION_NAME = /^(?!.*--)[a-z](?:[a-z0-9-]{0,60}[a-z0-9])?$/;

export function isFunctionName(value: string): value is FunctionName {
  return FUNCTION_NAME.test(value);
}

/** A random 32-bit number that is never 0: tells one life of a process from the next. */
export function newEpoch(): number {
  return randomBytes(4).readUInt32LE() || 1;
}

let prefixEpoch = 0;
let prefix = '';

/** The printable id of invocation `sequence` of the gateway with this epoch. */
export function invocationId(epoch: number, sequence: number): InvocationId {
  // One gateway at a time is the rule: its part is written once.
  if (epoch !== prefixEpoch) {
    prefixEpoch = epoch;
    prefix = `${epoch.toString(36)}-`;
  }
  return `${prefix}${sequence}` as InvocationId;
}

/** A random lower-case token of `bytes` random bytes, in hex. */
export function randomToken(bytes = 24): string {
  return randomBytes(bytes).toString('hex');
}
