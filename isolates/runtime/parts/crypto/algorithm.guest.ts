// What an algorithm is, and normalisation (Web Cryptography API, section 18.4): each member of what a tenant gave is read once.
import { ArrayBufferByteLength, NativeUint8Array, RegExpPrototypeExec, StringPrototypeToUpperCase, TypedArrayBuffer, TypedArrayByteLength } from '../../primordials.guest.ts';
import { copyBytes, fail, isObject, mustBeBufferSource, required, toText } from './convert.guest.ts';
import type { Members } from './convert.guest.ts';
import { has } from './crypto-key.guest.ts';
import type { CryptoKey, KeyAlgorithm, KeySlots, KeyUsage } from './crypto-key.guest.ts';
import type { HostKey } from './host-keys.guest.ts';
import type { Jwk } from './jwk.guest.ts';

export type Operation = 'encrypt' | 'decrypt' | 'sign' | 'verify' | 'digest' | 'generateKey' | 'deriveBits' | 'importKey' | 'wrapKey' | 'unwrapKey' | 'getKeyLength';

/** Normalised members of whichever algorithm and operation. BufferSources are copies. */
export interface Params {
  readonly iv?: Uint8Array;
  readonly counter?: Uint8Array;
  readonly additionalData?: Uint8Array | undefined;
  readonly label?: Uint8Array | undefined;
  readonly salt?: Uint8Array;
  readonly info?: Uint8Array;
  readonly tagLength?: number | undefined;
  readonly length?: number | undefined;
  readonly saltLength?: number;
  readonly iterations?: number;
  readonly hash?: string;
  readonly namedCurve?: string;
  readonly modulusLength?: number;
  readonly publicExponent?: Uint8Array;
  readonly public?: KeySlots;
}

export interface KeyPair {
  readonly publicKey: CryptoKey;
  readonly privateKey: CryptoKey;
}

export type KeyFormat = 'raw' | 'spki' | 'pkcs8' | 'jwk';

/** What `importKey` of an algorithm makes. */
export interface Imported {
  readonly key: HostKey;
  readonly algorithm: KeyAlgorithm;
}

/** Whether a derived secret is wanted as bytes or as a key of the host: `KEEP` of abi-crypto.ts. */
export type Keep = 0 | 1 | 2;

/** Operations throw DOMExceptions; the caller has checked the key's algorithm and usage. */
export interface Algorithm {
  readonly name: string;
  /** The operations that it has, each with the conversion of its parameters. */
  readonly parameters: Readonly<Partial<Record<Operation, (members: Members) => Params>>>;
  /** Also wraps. */
  encrypt?(params: Params, key: KeySlots, data: Uint8Array): Uint8Array;
  decrypt?(params: Params, key: KeySlots, data: Uint8Array): Uint8Array;
  sign?(params: Params, key: KeySlots, data: Uint8Array): Uint8Array;
  verify?(params: Params, key: KeySlots, signature: Uint8Array, data: Uint8Array): boolean;
  generateKey?(params: Params, extractable: boolean, usages: readonly KeyUsage[]): CryptoKey | KeyPair | Promise<KeyPair>;
  /** @param bits  null: not given */
  deriveBits?(params: Params, key: KeySlots, bits: number | null, keep: Keep): unknown;
  /** @param format  `host`: a secret key that was derived, as the host described it */
  importKey?(format: KeyFormat | 'host', data: Uint8Array | Jwk | HostKey, params: Params, extractable: boolean, usages: readonly KeyUsage[]): Imported;
  exportKey?(format: KeyFormat, key: KeySlots): Uint8Array | Record<string, unknown>;
  getKeyLength?(params: Params): number | null;
}

export interface Normalised {
  readonly algorithm: Algorithm;
  readonly operation: Operation;
  readonly params: Params;
}

export const none = (): Params => EMPTY;
const EMPTY: Params = { __proto__: null } as never;

const registry: Record<string, Algorithm> = { __proto__: null as never };

export function register(algorithms: readonly Algorithm[]): void {
  for (let i = 0; i < algorithms.length; i++) {
    const algorithm = algorithms[i] as Algorithm;
    registry[StringPrototypeToUpperCase(algorithm.name)] = algorithm;
  }
}

export function algorithmNamed(name: string): Algorithm | undefined {
  // Only ASCII letters are alike in both cases.
  return RegExpPrototypeExec(ASCII, name) === null ? undefined : registry[StringPrototypeToUpperCase(name)];
}
const ASCII = /^[\x20-\x7e]+$/;

/**
 * @param first  the operation
 * @param second  taken if the algorithm has no `first`
 * @throws TypeError, or NotSupportedError when there is no such algorithm or it has no such operation
 */
export function normalise(given: unknown, first: Operation, second?: Operation): Normalised {
  const members = (isObject(given) ? given : NO_MEMBERS) as Members;
  const name = toText(isObject(given) ? required(members['name'], 'name') : given);
  const algorithm = algorithmNamed(name);
  const operation = algorithm?.parameters[first] === undefined ? second : first;
  const convert = operation === undefined ? undefined : algorithm?.parameters[operation];
  if (algorithm === undefined || operation === undefined || convert === undefined) return fail('NotSupportedError', 'unrecognized algorithm or operation');
  return { algorithm, operation, params: convert(members) };
}
const NO_MEMBERS = { __proto__: null } as never;

/** A HashAlgorithmIdentifier: the name of the hash. */
export function toHash(value: unknown): string {
  return normalise(required(value, 'hash'), 'digest').algorithm.name;
}

export function toBytes(value: unknown, what: string): Uint8Array {
  return copyBytes(mustBeBufferSource(required(value, what), what));
}

export function toOptionalBytes(value: unknown, what: string): Uint8Array | undefined {
  return value === undefined ? undefined : toBytes(value, what);
}

/** The buffer of bytes that only we hold. */
export function bufferOf(bytes: Uint8Array): ArrayBuffer {
  const buffer = TypedArrayBuffer(bytes);
  return ArrayBufferByteLength(buffer) === TypedArrayByteLength(bytes) ? buffer : TypedArrayBuffer(new NativeUint8Array(bytes));
}

/** @param more  allowed as well */
export function mustHaveUsages(usages: readonly KeyUsage[], allowed: readonly KeyUsage[], more: readonly KeyUsage[] = []): void {
  for (let i = 0; i < usages.length; i++) {
    const usage = usages[i] as KeyUsage;
    if (!has(allowed, usage) && !has(more, usage)) fail('SyntaxError', `the usage ${usage} does not fit the key`);
  }
}

export function mustNotBeEmpty(usages: readonly KeyUsage[]): void {
  if (usages.length === 0) fail('SyntaxError', 'a secret or private key needs a usage');
}

export function mustBeType(key: KeySlots, type: 'public' | 'private'): void {
  if (key.key.type !== type) fail('InvalidAccessError', `a ${type} key is needed`);
}
