// AES in its four modes and HMAC (Web Cryptography API, sections 27 to 31).
import { CRYPTO } from '../../abi-crypto.ts';
import { op } from '../../host.guest.ts';
import { NativeTypeError, NativeUint8Array, StringPrototypeSlice, TypedArrayBuffer, TypedArrayByteLength } from '../../primordials.guest.ts';
import { mustHaveUsages, mustNotBeEmpty, none, toBytes, toHash, toOptionalBytes } from './algorithm.guest.ts';
import type { Algorithm, Imported, KeyFormat, Params } from './algorithm.guest.ts';
import { OCTET, UNSIGNED_LONG, UNSIGNED_SHORT, fail, required, toInteger, toOptionalInteger } from './convert.guest.ts';
import type { Members } from './convert.guest.ts';
import { common, makeKey } from './crypto-key.guest.ts';
import type { KeyAlgorithm, KeySlots, KeyUsage } from './crypto-key.guest.ts';
import { describedKey, importSecret, opWithKeys, overData, result } from './host-keys.guest.ts';
import type { HostKey } from './host-keys.guest.ts';
import { checkAlg, checkJwk, shownJwk } from './jwk.guest.ts';
import type { Jwk } from './jwk.guest.ts';

const CIPHER_USAGES: readonly KeyUsage[] = ['encrypt', 'decrypt', 'wrapKey', 'unwrapKey'];
const WRAP_USAGES: readonly KeyUsage[] = ['wrapKey', 'unwrapKey'];
const MAC_USAGES: readonly KeyUsage[] = ['sign', 'verify'];

const BLOCK_BYTES = 16;

function generate(bits: number, extractable: boolean): HostKey {
  return describedKey(result(op(CRYPTO.keyGenerate, '', extractable ? 1 : 0, bits)));
}

/** The key material of a raw or JWK import. @param bits  0: as many as there are */
function imported(format: KeyFormat | 'host', data: Uint8Array | Jwk | HostKey, use: 'sig' | 'enc', extractable: boolean, usages: readonly KeyUsage[], bits: number): HostKey {
  if (format === 'host') return data as HostKey;
  if (format === 'raw') return importSecret(data as Uint8Array, extractable, bits);
  if (format !== 'jwk') return fail('NotSupportedError', 'a secret key has no such format');
  const jwk = data as Jwk;
  if (jwk['kty'] !== 'oct') fail('DataError', "the key's type is not oct");
  if (typeof jwk['k'] !== 'string') return fail('DataError', 'the key is missing');
  checkJwk(jwk, 'oct', use, extractable, usages);
  return importSecret(jwk['k'], extractable, bits);
}

function exported(format: KeyFormat, { key, extractable, usages }: KeySlots, alg: string): Uint8Array | Record<string, unknown> {
  if (format === 'raw') return new NativeUint8Array(opWithKeys(CRYPTO.keyExport, [key], 'raw') as ArrayBuffer);
  if (format !== 'jwk') return fail('NotSupportedError', 'a secret key has no such format');
  return shownJwk(opWithKeys(CRYPTO.keyExport, [key], 'jwk') as string, alg, extractable, usages);
}

// ---- AES ----

const toAesLength = (members: Members): Params => {
  const length = toInteger(required(members['length'], 'length'), UNSIGNED_SHORT, 'length');
  if (length !== 128 && length !== 192 && length !== 256) fail('OperationError', 'AES keys have 128, 192 or 256 bits');
  return { length };
};

/** @param mode  CBC, CTR, GCM or KW */
function aes(mode: string, usages: readonly KeyUsage[], own: Pick<Algorithm, 'parameters' | 'encrypt' | 'decrypt'>): Algorithm {
  const name = `AES-${mode}`;
  return {
    ...own,
    name,
    parameters: { ...own.parameters, generateKey: toAesLength, getKeyLength: toAesLength, importKey: none },
    generateKey({ length = 0 }, extractable, wanted) {
      mustHaveUsages(wanted, usages);
      mustNotBeEmpty(wanted);
      return makeKey({ key: generate(length, extractable), extractable, algorithm: { name, length }, usages: common(wanted, usages) });
    },
    importKey(format, data, _params, extractable, wanted): Imported {
      mustHaveUsages(wanted, usages);
      const key = imported(format, data, 'enc', extractable, wanted, 0);
      const length = +key.detail;
      if (length !== 128 && length !== 192 && length !== 256) fail('DataError', 'AES keys have 128, 192 or 256 bits');
      if (format === 'jwk') checkAlg(data as Jwk, `A${length}${mode}`);
      return { key, algorithm: { name, length } };
    },
    exportKey: (format, key) => exported(format, key, `A${key.algorithm.length}${mode}`),
    getKeyLength: ({ length = 0 }) => length,
  };
}

function cipher(code: number, name: string, key: KeySlots, data: Uint8Array, iv: Uint8Array, additional?: Uint8Array, tag?: unknown): Uint8Array {
  return overData((all) => opWithKeys(code, [key.key], name, all, iv, additional, tag), data) as Uint8Array;
}

const toCbc = (members: Members): Params => ({ iv: toBytes(members['iv'], 'iv') });
function cbc(code: number, { iv }: Params, key: KeySlots, data: Uint8Array): Uint8Array {
  if (TypedArrayByteLength(iv) !== BLOCK_BYTES) fail('OperationError', 'the initialization vector has 16 bytes');
  return cipher(code, 'AES-CBC', key, data, iv as Uint8Array);
}

const toCtr = (members: Members): Params => ({ counter: toBytes(members['counter'], 'counter'), length: toInteger(required(members['length'], 'length'), OCTET, 'length') });
function ctr(code: number, { counter, length = 0 }: Params, key: KeySlots, data: Uint8Array): Uint8Array {
  if (TypedArrayByteLength(counter) !== BLOCK_BYTES) fail('OperationError', 'the counter has 16 bytes');
  if (length < 1 || length > 128) fail('OperationError', 'the counter has 1 to 128 bits');
  return cipher(code, 'AES-CTR', key, data, counter as Uint8Array, undefined, length);
}

const toGcm = (members: Members): Params => ({
  additionalData: toOptionalBytes(members['additionalData'], 'additionalData'),
  iv: toBytes(members['iv'], 'iv'),
  tagLength: toOptionalInteger(members['tagLength'], OCTET, 'tagLength'),
});
const MAX_GCM_ASIDE = 1_048_576;
/** @returns bytes of the tag */
function gcmTag({ tagLength = 128, iv, additionalData }: Params): number {
  if (tagLength !== 32 && tagLength !== 64 && tagLength !== 96 && tagLength !== 104 && tagLength !== 112 && tagLength !== 120 && tagLength !== 128) fail('OperationError', 'the tag has no such length');
  if (TypedArrayByteLength(iv) > MAX_GCM_ASIDE || (additionalData !== undefined && TypedArrayByteLength(additionalData) > MAX_GCM_ASIDE)) fail('OperationError', 'the parameters are too long');
  return tagLength / 8;
}

function split(data: Uint8Array, from: number, count: number): Uint8Array {
  return new NativeUint8Array(new NativeUint8Array(TypedArrayBuffer(data), from, count));
}

// ---- HMAC ----

const DIGEST_BLOCK_BITS: Readonly<Record<string, number>> = { __proto__: null as never, 'SHA-1': 512, 'SHA-256': 512, 'SHA-384': 1_024, 'SHA-512': 1_024 };

const toHmac = (members: Members): Params => ({
  hash: toHash(members['hash']),
  length: toOptionalInteger(members['length'], UNSIGNED_LONG, 'length'),
});

function hmacAlgorithm(hash: string, length: number): KeyAlgorithm {
  return { name: 'HMAC', hash, length };
}

const hmac: Algorithm = {
  name: 'HMAC',
  parameters: { sign: none, verify: none, generateKey: toHmac, importKey: toHmac, getKeyLength: toHmac },
  sign: (_params, { key, algorithm }, data) => overData((all) => opWithKeys(CRYPTO.hmac, [key], algorithm.hash, all), data) as Uint8Array,
  verify: (_params, { key, algorithm }, signature, data) => {
    // Anything longer is no MAC, and need not cross.
    if (TypedArrayByteLength(signature) > 64) return false;
    return overData((all) => opWithKeys(CRYPTO.hmacVerify, [key], algorithm.hash, all, signature), data) === 1;
  },
  generateKey({ hash = '', length = DIGEST_BLOCK_BITS[hash] ?? 512 }, extractable, wanted) {
    mustHaveUsages(wanted, MAC_USAGES);
    mustNotBeEmpty(wanted);
    if (length === 0) fail('OperationError', 'the length is zero');
    return makeKey({ key: generate(length, extractable), extractable, algorithm: hmacAlgorithm(hash, length), usages: common(wanted, MAC_USAGES) });
  },
  importKey(format, data, { hash = '', length }, extractable, wanted): Imported {
    mustHaveUsages(wanted, MAC_USAGES);
    if (format === 'jwk') checkAlg(data as Jwk, hsName(hash));
    if (length === 0) fail('DataError', 'the length is zero');
    const key = imported(format, data, 'sig', extractable, wanted, length ?? 0);
    if (key.detail === '0') fail('DataError', 'the key is empty');
    return { key, algorithm: hmacAlgorithm(hash, length ?? +key.detail) };
  },
  exportKey: (format, key) => exported(format, key, hsName(key.algorithm.hash ?? '')),
  getKeyLength({ hash = '', length }) {
    if (length === 0) throw new NativeTypeError('the length is zero');
    return length ?? DIGEST_BLOCK_BITS[hash] ?? 512;
  },
};

/** HS256 and so on. */
function hsName(hash: string): string {
  return `HS${StringPrototypeSlice(hash, 4)}`;
}

export const SYMMETRIC: readonly Algorithm[] = [
  aes('CBC', CIPHER_USAGES, { parameters: { encrypt: toCbc, decrypt: toCbc }, encrypt: (params, key, data) => cbc(CRYPTO.encrypt, params, key, data), decrypt: (params, key, data) => cbc(CRYPTO.decrypt, params, key, data) }),
  aes('CTR', CIPHER_USAGES, { parameters: { encrypt: toCtr, decrypt: toCtr }, encrypt: (params, key, data) => ctr(CRYPTO.encrypt, params, key, data), decrypt: (params, key, data) => ctr(CRYPTO.decrypt, params, key, data) }),
  aes('GCM', CIPHER_USAGES, {
    parameters: { encrypt: toGcm, decrypt: toGcm },
    encrypt: (params, key, data) => cipher(CRYPTO.encrypt, 'AES-GCM', key, data, params.iv as Uint8Array, params.additionalData, gcmTag(params) * 8),
    decrypt(params, key, data) {
      const tagBytes = gcmTag(params);
      const count = TypedArrayByteLength(data) - tagBytes;
      if (count < 0) fail('OperationError', 'the data can not be decrypted');
      return cipher(CRYPTO.decrypt, 'AES-GCM', key, split(data, 0, count), params.iv as Uint8Array, params.additionalData, split(data, count, tagBytes));
    },
  }),
  aes('KW', WRAP_USAGES, {
    parameters: { wrapKey: none, unwrapKey: none },
    encrypt(_params, key, data) {
      const size = TypedArrayByteLength(data);
      if (size < 16 || size % 8 !== 0) fail('OperationError', 'AES-KW wraps multiples of 8 bytes, two at least');
      return cipher(CRYPTO.encrypt, 'AES-KW', key, data, NO_BYTES);
    },
    decrypt(_params, key, data) {
      const size = TypedArrayByteLength(data);
      if (size < 24 || size % 8 !== 0) fail('OperationError', 'the data can not be unwrapped');
      return cipher(CRYPTO.decrypt, 'AES-KW', key, data, NO_BYTES);
    },
  }),
  hmac,
];
const NO_BYTES = new NativeUint8Array(0);
