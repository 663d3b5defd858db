// JSON Web Keys: the dictionary (Web Cryptography API, section 15) and the checks that all algorithms share.
import { JSONParse, JSONStringify, ObjectKeys } from '../../primordials.guest.ts';
import { fail, toDictionary, toList, toText } from './convert.guest.ts';
import { has } from './crypto-key.guest.ts';
import type { KeyUsage } from './crypto-key.guest.ts';

/** Text members by name; no prototype. */
export interface Jwk {
  readonly [member: string]: unknown;
  readonly key_ops?: readonly string[];
  readonly ext?: boolean;
}

/** In the order in which Web IDL reads them. */
const MEMBERS = ['alg', 'crv', 'd', 'dp', 'dq', 'e', 'ext', 'k', 'key_ops', 'kty', 'n', 'oth', 'p', 'q', 'qi', 'use', 'x', 'y'] as const;

export function toJwk(value: unknown): Jwk {
  const members = toDictionary(value, 'the key');
  const jwk: Record<string, unknown> = { __proto__: null };
  for (let i = 0; i < MEMBERS.length; i++) {
    const name = MEMBERS[i] as string;
    const member = members[name];
    if (member === undefined) continue;
    jwk[name] = name === 'ext' ? !!member : name === 'key_ops' ? toList(member, 'key_ops', toText) : name === 'oth' ? toList(member, 'oth', (other) => toDictionary(other, 'oth')) : toText(member);
  }
  return jwk;
}

/** The checks of every JWK import, in the standard's order. */
export function checkJwk(jwk: Jwk, kty: string, use: 'sig' | 'enc', extractable: boolean, usages: readonly KeyUsage[]): void {
  if (jwk['kty'] !== kty) fail('DataError', `the key's type is not ${kty}`);
  if (usages.length > 0 && jwk['use'] !== undefined && jwk['use'] !== use) fail('DataError', 'the key is for another use');
  const operations = jwk.key_ops;
  if (operations !== undefined) {
    for (let i = 0; i < operations.length; i++) {
      for (let j = 0; j < i; j++) if (operations[i] === operations[j]) fail('DataError', 'key_ops names an operation twice');
    }
    for (let i = 0; i < usages.length; i++) if (!has(operations as KeyUsage[], usages[i] as KeyUsage)) fail('DataError', 'key_ops does not allow the usages');
  }
  if (jwk.ext === false && extractable) fail('DataError', 'the key is not extractable');
}

/** `alg`, where it is given, must be the one that fits. */
export function checkAlg(jwk: Jwk, expected: string, other?: string): void {
  if (jwk['alg'] !== undefined && jwk['alg'] !== expected && jwk['alg'] !== other) fail('DataError', 'the key is for another algorithm');
}

/** The members that the host needs, as it reads them. */
export function jwkForHost(jwk: Jwk, names: readonly string[]): string {
  const members: Record<string, unknown> = { __proto__: null };
  for (let i = 0; i < names.length; i++) {
    const name = names[i] as string;
    if (jwk[name] !== undefined) members[name] = jwk[name];
  }
  return JSONStringify(members);
}

/** A JWK for the tenant: the host's members, then what Web Crypto adds. */
export function shownJwk(hostMembers: string, alg: string | undefined, extractable: boolean, usages: readonly KeyUsage[]): Record<string, unknown> {
  const members = JSONParse(hostMembers) as Record<string, unknown>;
  const operations: KeyUsage[] = [];
  for (let i = 0; i < usages.length; i++) operations[i] = usages[i] as KeyUsage;
  const shown: Record<string, unknown> = { key_ops: operations, ext: extractable, ...(alg === undefined ? undefined : { alg }) };
  const names = ObjectKeys(members);
  for (let i = 0; i < names.length; i++) shown[names[i] as string] = members[names[i] as string];
  return shown;
}
