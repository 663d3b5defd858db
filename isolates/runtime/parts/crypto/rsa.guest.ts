// RSASSA-PKCS1-v1_5, RSA-PSS and RSA-OAEP (Web Cryptography API, sections 20 to 22).
import { CRYPTO, MAX_ENCODED_KEY, MAX_PARAMETER_BYTES } from '../../abi-crypto.ts';
import { MAX_CROSSING } from '../../abi.ts';
import { expectSettlement, nextId, op } from '../../host.guest.ts';
import { NativeNumber, NativeTypeError, NativeUint8Array, StringPrototypeSlice, TypedArrayByteLength, typedArrayName } from '../../primordials.guest.ts';
import { mustBeType, mustHaveUsages, mustNotBeEmpty, none, toHash, toOptionalBytes } from './algorithm.guest.ts';
import type { Algorithm, Imported, KeyFormat, KeyPair, Params } from './algorithm.guest.ts';
import { UNSIGNED_LONG, copyBytes, fail, required, toInteger } from './convert.guest.ts';
import type { Members } from './convert.guest.ts';
import { common, makeKey } from './crypto-key.guest.ts';
import type { KeyAlgorithm, KeySlots, KeyUsage } from './crypto-key.guest.ts';
import { describedKey, opWithKeys, overData, result } from './host-keys.guest.ts';
import type { HostKey } from './host-keys.guest.ts';
import { checkAlg, checkJwk, jwkForHost, shownJwk } from './jwk.guest.ts';
import type { Jwk } from './jwk.guest.ts';

const MEMBERS = ['kty', 'n', 'e', 'd', 'p', 'q', 'dp', 'dq', 'qi'] as const;

const toGeneration = (members: Members): Params => {
  const hash = toHash(members['hash']);
  const modulusLength = toInteger(required(members['modulusLength'], 'modulusLength'), UNSIGNED_LONG, 'modulusLength');
  const exponent = required(members['publicExponent'], 'publicExponent');
  if (typedArrayName(exponent) !== 'Uint8Array') throw new NativeTypeError('publicExponent must be a Uint8Array');
  const publicExponent = copyBytes(exponent as Uint8Array);
  const value = exponentOf(publicExponent);
  if (value !== 3 && value !== 65_537) fail('OperationError', 'publicExponent is 3 or 65537');
  return { hash, modulusLength, publicExponent };
};
const toImport = (members: Members): Params => ({ hash: toHash(members['hash']) });

/** Its value, or NaN when it is larger than those that are supported. */
function exponentOf(bytes: Uint8Array): number {
  let value = 0;
  for (let i = 0; i < TypedArrayByteLength(bytes); i++) value = value > 65_537 ? NaN : value * 256 + (bytes[i] as number);
  return value;
}

/** Big-endian bytes of hexadecimal digits. */
function exponentBytes(hex: string): Uint8Array {
  const digits = hex.length % 2 === 0 ? hex : `0${hex}`;
  const bytes = new NativeUint8Array(digits.length / 2);
  for (let i = 0; i < digits.length; i += 2) bytes[i / 2] = NativeNumber(`0x${StringPrototypeSlice(digits, i, i + 2)}`);
  return bytes;
}

function algorithmOf(name: string, hash: string, key: HostKey): KeyAlgorithm {
  return { name, modulusLength: +key.detail, publicExponent: exponentBytes(key.exponent), hash };
}

interface Kind {
  readonly name: string;
  readonly publicUsages: readonly KeyUsage[];
  readonly privateUsages: readonly KeyUsage[];
  readonly use: 'sig' | 'enc';
  /** JWK `alg` of a hash. */
  readonly alg: (hash: string) => string;
}

function rsa(kind: Kind, own: Omit<Algorithm, 'name'>): Algorithm {
  const { name, publicUsages, privateUsages, use, alg } = kind;
  return {
    ...own,
    name,
    parameters: { ...own.parameters, generateKey: toGeneration, importKey: toImport },
    generateKey(params, extractable, usages) {
      mustHaveUsages(usages, publicUsages, privateUsages);
      mustNotBeEmpty(common(usages, privateUsages));
      return generated(kind, params, extractable, usages);
    },
    importKey(format, data, { hash = '' }, extractable, usages): Imported {
      const isPublic = format === 'spki' || (format === 'jwk' && (data as Jwk)['d'] === undefined);
      mustHaveUsages(usages, isPublic ? publicUsages : privateUsages);
      const key = imported(format, data, use, extractable, usages, alg(hash));
      return { key, algorithm: algorithmOf(name, hash, key) };
    },
    exportKey(format, key) {
      if (format === 'raw') return fail('NotSupportedError', 'an RSA key has no raw format');
      if (format === 'jwk') return shownJwk(opWithKeys(CRYPTO.keyExport, [key.key], 'jwk') as string, alg(key.algorithm.hash ?? ''), key.extractable, key.usages);
      mustBeType(key, format === 'spki' ? 'public' : 'private');
      return new NativeUint8Array(opWithKeys(CRYPTO.keyExport, [key.key], format) as ArrayBuffer);
    },
  };
}

async function generated({ name, publicUsages, privateUsages }: Kind, { hash = '', modulusLength, publicExponent }: Params, extractable: boolean, usages: readonly KeyUsage[]): Promise<KeyPair> {
  const id = nextId();
  result(op(CRYPTO.keyGenerateRsa, id, modulusLength, exponentOf(publicExponent as Uint8Array), extractable ? 1 : 0));
  const described = result((await expectSettlement(id)).value);
  const publicKey = describedKey(described);
  const privateKey = describedKey(described, 1);
  return {
    publicKey: makeKey({ key: publicKey, extractable: true, algorithm: algorithmOf(name, hash, publicKey), usages: common(usages, publicUsages) }),
    privateKey: makeKey({ key: privateKey, extractable, algorithm: algorithmOf(name, hash, privateKey), usages: common(usages, privateUsages) }),
  };
}

function imported(format: KeyFormat | 'host', data: Uint8Array | Jwk | HostKey, use: 'sig' | 'enc', extractable: boolean, usages: readonly KeyUsage[], alg: string): HostKey {
  const flag = extractable ? 1 : 0;
  if (format === 'raw' || format === 'host') return fail('NotSupportedError', 'an RSA key has no raw format');
  if (format !== 'jwk') {
    if (TypedArrayByteLength(data) > MAX_ENCODED_KEY) fail('DataError', 'the key is too large');
    return describedKey(result(op(CRYPTO.keyImport, format, 'rsa', data, flag)));
  }
  const jwk = data as Jwk;
  checkJwk(jwk, 'RSA', use, extractable, usages);
  checkAlg(jwk, alg);
  if (jwk['oth'] !== undefined) fail('NotSupportedError', 'keys of more than two primes are not supported');
  const text = jwkForHost(jwk, MEMBERS);
  if (text.length > MAX_ENCODED_KEY) fail('DataError', 'the key is too large');
  return describedKey(result(op(CRYPTO.keyImport, 'jwk', 'rsa', text, flag)));
}

/** `RS256` of SHA-256, with this prefix. */
const numbered = (prefix: string) => (hash: string): string => `${prefix}${StringPrototypeSlice(hash, 4)}`;

const SIGNING = { publicUsages: ['verify'], privateUsages: ['sign'], use: 'sig' } as const;

function signed(scheme: string, saltLength: number, key: KeySlots, data: Uint8Array): Uint8Array {
  mustBeType(key, 'private');
  return overData((all) => opWithKeys(CRYPTO.sign, [key.key], scheme, all, key.algorithm.hash, saltLength), data) as Uint8Array;
}

function verified(scheme: string, saltLength: number, key: KeySlots, signature: Uint8Array, data: Uint8Array): boolean {
  mustBeType(key, 'public');
  if (TypedArrayByteLength(signature) > MAX_ENCODED_KEY || saltLength > MAX_SALT) return false;
  return overData((all) => opWithKeys(CRYPTO.verify, [key.key], scheme, all, key.algorithm.hash, saltLength, signature), data) === 1;
}

/** More than any modulus has bytes. */
const MAX_SALT = 2_048;
const toPss = (members: Members): Params => ({ saltLength: toInteger(required(members['saltLength'], 'saltLength'), UNSIGNED_LONG, 'saltLength') });
const toOaep = (members: Members): Params => ({ label: toOptionalBytes(members['label'], 'label') });

function oaep(code: number, { label }: Params, key: KeySlots, data: Uint8Array): Uint8Array {
  mustBeType(key, code === CRYPTO.rsaEncrypt ? 'public' : 'private');
  if (TypedArrayByteLength(data) > MAX_CROSSING || (label !== undefined && TypedArrayByteLength(label) > MAX_PARAMETER_BYTES)) fail('OperationError', 'the message or its label is too long');
  return new NativeUint8Array(opWithKeys(code, [key.key], key.algorithm.hash, data, label ?? new NativeUint8Array(0)) as ArrayBuffer);
}

export const RSA: readonly Algorithm[] = [
  rsa({ ...SIGNING, name: 'RSASSA-PKCS1-v1_5', alg: numbered('RS') }, {
    parameters: { sign: none, verify: none },
    sign: (_params, key, data) => signed('pkcs1', 0, key, data),
    verify: (_params, key, signature, data) => verified('pkcs1', 0, key, signature, data),
  }),
  rsa({ ...SIGNING, name: 'RSA-PSS', alg: numbered('PS') }, {
    parameters: { sign: toPss, verify: toPss },
    sign: ({ saltLength = 0 }, key, data) => (saltLength > MAX_SALT ? fail('OperationError', 'the salt is too long for the key') : signed('pss', saltLength, key, data)),
    verify: ({ saltLength = 0 }, key, signature, data) => verified('pss', saltLength, key, signature, data),
  }),
  rsa({ name: 'RSA-OAEP', publicUsages: ['encrypt', 'wrapKey'], privateUsages: ['decrypt', 'unwrapKey'], use: 'enc', alg: (hash) => (hash === 'SHA-1' ? 'RSA-OAEP' : `RSA-OAEP-${StringPrototypeSlice(hash, 4)}`) }, {
    parameters: { encrypt: toOaep, decrypt: toOaep },
    encrypt: (params, key, data) => oaep(CRYPTO.rsaEncrypt, params, key, data),
    decrypt: (params, key, data) => oaep(CRYPTO.rsaDecrypt, params, key, data),
  }),
];
