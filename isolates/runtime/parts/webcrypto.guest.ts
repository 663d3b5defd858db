// SubtleCrypto (Web Cryptography API, section 14): checks in the standard's order, then the algorithm's own operation.
import { OP } from '../abi.ts';
import { KEEP } from '../abi-crypto.ts';
import { op } from '../host.guest.ts';
import { JSONParse, JSONStringify, NativeTypeError, NativeUint8Array, deferred } from '../primordials.guest.ts';
import { addPlatformObject } from '../structured-clone.guest.ts';
import { algorithmNamed, bufferOf, mustNotBeEmpty, normalise, register } from './crypto/algorithm.guest.ts';
import type { Algorithm, KeyFormat, KeyPair, Normalised } from './crypto/algorithm.guest.ts';
import { copyBytes, fail, isBufferSource, mustBeBufferSource, toList, toText } from './crypto/convert.guest.ts';
import { CryptoKey, KEY_USAGES, common, has, keySlots, makeKey, mustBeKey } from './crypto/crypto-key.guest.ts';
import type { KeySlots, KeyUsage } from './crypto/crypto-key.guest.ts';
import { CURVES } from './crypto/curves.guest.ts';
import { DERIVATIONS, digestOf } from './crypto/derivation.guest.ts';
import { describedKey, wipe } from './crypto/host-keys.guest.ts';
import type { HostKey } from './crypto/host-keys.guest.ts';
import { toJwk } from './crypto/jwk.guest.ts';
import type { Jwk } from './crypto/jwk.guest.ts';
import { RSA } from './crypto/rsa.guest.ts';
import { SYMMETRIC } from './crypto/symmetric.guest.ts';

export { CryptoKey };

register(SYMMETRIC);
register(RSA);
register(CURVES);
register(DERIVATIONS);
addPlatformObject({ is: (value) => keySlots(value) !== undefined, clone: (value) => makeKey(keySlots(value) as KeySlots) });

const settled = deferred<undefined>();
settled.resolve(undefined);

/** What follows normalisation is "in parallel" in the standard: its outcome is seen one microtask later at the earliest. */
async function outcome<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } finally {
    await settled.promise;
  }
}

function toFormat(value: unknown): KeyFormat {
  const format = toText(value);
  if (format !== 'raw' && format !== 'spki' && format !== 'pkcs8' && format !== 'jwk') throw new NativeTypeError('there is no such key format');
  return format;
}

function toUsage(value: unknown): KeyUsage {
  const usage = toText(value) as KeyUsage;
  if (!has(KEY_USAGES, usage)) throw new NativeTypeError('there is no such key usage');
  return usage;
}

function toUsages(value: unknown): KeyUsage[] {
  return toList(value, 'keyUsages', toUsage);
}

/** There is one SubtleCrypto. */
function check(value: unknown, given: number, count: number): void {
  if (value !== subtle) throw new NativeTypeError('Illegal invocation');
  if (given < count) throw new NativeTypeError(`${count} arguments are required`);
}

function mustAllow(key: KeySlots, algorithm: Algorithm, usage: KeyUsage): void {
  if (key.algorithm.name !== algorithm.name) fail('InvalidAccessError', 'the key is for another algorithm');
  if (!has(key.usages, usage)) fail('InvalidAccessError', `the key's usages have no ${usage}`);
}

function importInto(normalised: Pick<Normalised, 'algorithm' | 'params'>, format: KeyFormat | 'host', data: Uint8Array | Jwk | HostKey, extractable: boolean, usages: readonly KeyUsage[]): CryptoKey {
  const { algorithm, params } = normalised;
  if (algorithm.importKey === undefined) return fail('NotSupportedError', 'the algorithm imports no keys');
  const { key, algorithm: keyAlgorithm } = algorithm.importKey(format, data, params, extractable, usages);
  if (key.type !== 'public') mustNotBeEmpty(usages);
  return makeKey({ key, extractable, algorithm: keyAlgorithm, usages: common(usages, KEY_USAGES) });
}

function exportFrom(format: KeyFormat, key: KeySlots): Uint8Array | Record<string, unknown> {
  const algorithm = algorithmNamed(key.algorithm.name);
  if (algorithm?.exportKey === undefined) return fail('NotSupportedError', 'the algorithm exports no keys');
  if (!key.extractable) return fail('InvalidAccessError', 'the key is not extractable');
  return algorithm.exportKey(format, key);
}

export class SubtleCrypto {
  constructor() {
    if (made) throw new NativeTypeError('Illegal constructor');
    made = true;
  }

  async encrypt(algorithm: unknown, key: unknown, data: unknown): Promise<ArrayBuffer> {
    check(this, arguments.length, 3);
    const slots = mustBeKey(key);
    const source = mustBeBufferSource(data, 'data');
    const normalised = normalise(algorithm, 'encrypt');
    const bytes = copyBytes(source);
    return await outcome(() => {
      mustAllow(slots, normalised.algorithm, 'encrypt');
      return bufferOf(normalised.algorithm.encrypt?.(normalised.params, slots, bytes) as Uint8Array);
    });
  }

  async decrypt(algorithm: unknown, key: unknown, data: unknown): Promise<ArrayBuffer> {
    check(this, arguments.length, 3);
    const slots = mustBeKey(key);
    const source = mustBeBufferSource(data, 'data');
    const normalised = normalise(algorithm, 'decrypt');
    const bytes = copyBytes(source);
    return await outcome(() => {
      mustAllow(slots, normalised.algorithm, 'decrypt');
      return bufferOf(normalised.algorithm.decrypt?.(normalised.params, slots, bytes) as Uint8Array);
    });
  }

  async sign(algorithm: unknown, key: unknown, data: unknown): Promise<ArrayBuffer> {
    check(this, arguments.length, 3);
    const slots = mustBeKey(key);
    const source = mustBeBufferSource(data, 'data');
    const normalised = normalise(algorithm, 'sign');
    const bytes = copyBytes(source);
    return await outcome(() => {
      mustAllow(slots, normalised.algorithm, 'sign');
      return bufferOf(normalised.algorithm.sign?.(normalised.params, slots, bytes) as Uint8Array);
    });
  }

  async verify(algorithm: unknown, key: unknown, signature: unknown, data: unknown): Promise<boolean> {
    check(this, arguments.length, 4);
    const slots = mustBeKey(key);
    const signatureSource = mustBeBufferSource(signature, 'signature');
    const source = mustBeBufferSource(data, 'data');
    const normalised = normalise(algorithm, 'verify');
    const signatureBytes = copyBytes(signatureSource);
    const bytes = copyBytes(source);
    return await outcome(() => {
      mustAllow(slots, normalised.algorithm, 'verify');
      return normalised.algorithm.verify?.(normalised.params, slots, signatureBytes, bytes) as boolean;
    });
  }

  async digest(algorithm: unknown, data: unknown): Promise<ArrayBuffer> {
    check(this, arguments.length, 2);
    const source = mustBeBufferSource(data, 'data');
    const { name } = normalise(algorithm, 'digest').algorithm;
    const bytes = copyBytes(source);
    return await outcome(() => bufferOf(digestOf(name, bytes)));
  }

  async generateKey(algorithm: unknown, extractable: unknown, keyUsages: unknown): Promise<CryptoKey | KeyPair> {
    check(this, arguments.length, 3);
    const usages = toUsages(keyUsages);
    const normalised = normalise(algorithm, 'generateKey');
    return await outcome(() => normalised.algorithm.generateKey?.(normalised.params, !!extractable, usages) as CryptoKey);
  }

  async deriveKey(algorithm: unknown, baseKey: unknown, derivedKeyType: unknown, extractable: unknown, keyUsages: unknown): Promise<CryptoKey> {
    check(this, arguments.length, 5);
    const base = mustBeKey(baseKey);
    const usages = toUsages(keyUsages);
    const normalised = normalise(algorithm, 'deriveBits');
    // Its parameters are those of the import, too: they are read once for both.
    const derived = normalise(derivedKeyType, 'getKeyLength');
    return await outcome(async () => {
      mustAllow(base, normalised.algorithm, 'deriveKey');
      const bits = derived.algorithm.getKeyLength?.(derived.params) ?? null;
      // It never enters this heap: the host keeps it as the new key.
      const secret = normalised.algorithm.deriveBits?.(normalised.params, base, bits, extractable ? KEEP.extractable : KEEP.key);
      return importInto(derived, 'host', describedKey(await secret), !!extractable, usages);
    });
  }

  async deriveBits(algorithm: unknown, baseKey: unknown, length: unknown = null): Promise<ArrayBuffer> {
    check(this, arguments.length, 2);
    const base = mustBeKey(baseKey);
    const bits = length === null || length === undefined ? null : (length as number) >>> 0;
    const normalised = normalise(algorithm, 'deriveBits');
    return await outcome(async () => {
      mustAllow(base, normalised.algorithm, 'deriveBits');
      return (await normalised.algorithm.deriveBits?.(normalised.params, base, bits, KEEP.bytes)) as ArrayBuffer;
    });
  }

  async importKey(format: unknown, keyData: unknown, algorithm: unknown, extractable: unknown, keyUsages: unknown): Promise<CryptoKey> {
    check(this, arguments.length, 5);
    const keyFormat = toFormat(format);
    const source = isBufferSource(keyData) ? keyData : toJwk(keyData);
    const usages = toUsages(keyUsages);
    const normalised = normalise(algorithm, 'importKey');
    if ((keyFormat === 'jwk') === isBufferSource(source)) throw new NativeTypeError('the key data does not fit the format');
    const data = isBufferSource(source) ? copyBytes(source) : source;
    return await outcome(() => importInto(normalised, keyFormat, data, !!extractable, usages));
  }

  async exportKey(format: unknown, key: unknown): Promise<ArrayBuffer | Record<string, unknown>> {
    check(this, arguments.length, 2);
    const keyFormat = toFormat(format);
    const slots = mustBeKey(key);
    return await outcome(() => {
      const exported = exportFrom(keyFormat, slots);
      return keyFormat === 'jwk' ? (exported as Record<string, unknown>) : bufferOf(exported as Uint8Array);
    });
  }

  async wrapKey(format: unknown, key: unknown, wrappingKey: unknown, wrapAlgorithm: unknown): Promise<ArrayBuffer> {
    check(this, arguments.length, 4);
    const keyFormat = toFormat(format);
    const slots = mustBeKey(key);
    const wrapping = mustBeKey(wrappingKey);
    const { algorithm, params } = normalise(wrapAlgorithm, 'wrapKey', 'encrypt');
    return await outcome(() => {
      mustAllow(wrapping, algorithm, 'wrapKey');
      const exported = exportFrom(keyFormat, slots);
      const bytes = keyFormat === 'jwk' ? new NativeUint8Array(op(OP.utf8Encode, JSONStringify(exported)) as ArrayBuffer) : (exported as Uint8Array);
      try {
        return bufferOf(algorithm.encrypt?.(params, wrapping, bytes) as Uint8Array);
      } finally {
        wipe(bytes);
      }
    });
  }

  async unwrapKey(format: unknown, wrappedKey: unknown, unwrappingKey: unknown, unwrapAlgorithm: unknown, unwrappedKeyAlgorithm: unknown, extractable: unknown, keyUsages: unknown): Promise<CryptoKey> {
    check(this, arguments.length, 7);
    const keyFormat = toFormat(format);
    const source = mustBeBufferSource(wrappedKey, 'wrappedKey');
    const unwrapping = mustBeKey(unwrappingKey);
    const usages = toUsages(keyUsages);
    const { algorithm, params } = normalise(unwrapAlgorithm, 'unwrapKey', 'decrypt');
    const normalised = normalise(unwrappedKeyAlgorithm, 'importKey');
    const wrapped = copyBytes(source);
    return await outcome(() => {
      mustAllow(unwrapping, algorithm, 'unwrapKey');
      const bytes = algorithm.decrypt?.(params, unwrapping, wrapped) as Uint8Array;
      try {
        return importInto(normalised, keyFormat, keyFormat === 'jwk' ? parsedJwk(bytes) : bytes, !!extractable, usages);
      } finally {
        wipe(bytes);
      }
    });
  }
}

function parsedJwk(bytes: Uint8Array): Jwk {
  let parsed: unknown;
  try {
    parsed = JSONParse(op(OP.utf8Decode, bytes) as string);
  } catch {
    return fail('DataError', 'the key is no JSON Web Key');
  }
  if (typeof parsed !== 'object' || parsed === null) return fail('DataError', 'the key is no JSON Web Key');
  return toJwk(parsed);
}

let made = false;
export const subtle = new SubtleCrypto();
