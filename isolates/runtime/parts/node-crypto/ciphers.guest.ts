// createCipheriv, createDecipheriv, publicEncrypt and privateDecrypt of node:crypto. What a cipher puts out comes with `final`.
import { CRYPTO } from '../../abi-crypto.ts';
import { NativeUint8Array, RegExpPrototypeExec, StringPrototypeToLowerCase, StringPrototypeToUpperCase, TypedArrayByteLength } from '../../primordials.guest.ts';
import { importSecret, opWithKeys, overData } from '../crypto/host-keys.guest.ts';
import type { HostKey } from '../crypto/host-keys.guest.ts';
import { hashNamed } from './digests.guest.ts';
import { Gathered, asNode, give, giveBytes, nodeError, takeBytes } from './encodings.guest.ts';
import type { Encoding } from './encodings.guest.ts';
import { isKeyObject, optionsOf, privateKey, publicKey, secretOf } from './keys.guest.ts';

interface CipherOptions {
  readonly authTagLength?: number;
}

const NAME = /^aes-(128|192|256)-(cbc|ctr|gcm)$/;

export function getCiphers(): string[] {
  return ['aes-128-cbc', 'aes-128-ctr', 'aes-128-gcm', 'aes-192-cbc', 'aes-192-ctr', 'aes-192-gcm', 'aes-256-cbc', 'aes-256-ctr', 'aes-256-gcm'];
}

class Cipheriv {
  readonly #code: number;
  readonly #mode: string;
  readonly #key: HostKey;
  readonly #iv: Uint8Array;
  readonly #data = new Gathered();
  readonly #tagBytes: number;
  #padded = true;
  #additional: Uint8Array | undefined;
  #tag: Uint8Array | undefined;
  #done = false;

  constructor(code: number, algorithm: unknown, key: unknown, iv: unknown, options: CipherOptions = {}) {
    const match = RegExpPrototypeExec(NAME, StringPrototypeToLowerCase(`${algorithm as string}`));
    if (match === null) throw nodeError('ERR_CRYPTO_UNKNOWN_CIPHER', 'Unknown cipher');
    this.#code = code;
    this.#mode = StringPrototypeToUpperCase(match[2] as string);
    this.#key = asNode(() => (isKeyObject(key) ? secretOf(key) : importSecret(takeBytes(key), false, 0)));
    this.#iv = takeBytes(iv);
    this.#tagBytes = options.authTagLength ?? 16;
    if (this.#key.detail !== match[1]) throw nodeError('ERR_CRYPTO_INVALID_KEYLEN', 'Invalid key length', RangeError);
    const ivBytes = TypedArrayByteLength(this.#iv);
    if (this.#mode === 'GCM' ? ivBytes === 0 : ivBytes !== 16) throw nodeError('ERR_CRYPTO_INVALID_IV', 'Invalid initialization vector', TypeError);
    if (this.#mode === 'GCM' && !TAG_BYTES[this.#tagBytes]) throw nodeError('ERR_CRYPTO_INVALID_AUTH_TAG', `Invalid authentication tag length: ${this.#tagBytes}`, TypeError);
  }

  /** Returns nothing of the output yet: concatenated with that of `final`, it is the same. */
  update(data: unknown, inputEncoding?: Encoding, outputEncoding?: Encoding): Uint8Array | string {
    if (this.#done) throw nodeError('ERR_CRYPTO_INVALID_STATE', 'Unsupported state');
    this.#data.add(takeBytes(data, inputEncoding));
    return give(new NativeUint8Array(0), outputEncoding);
  }

  final(outputEncoding?: Encoding): Uint8Array | string {
    if (this.#done) throw nodeError('ERR_CRYPTO_INVALID_STATE', 'Unsupported state');
    this.#done = true;
    const encrypts = this.#code === CRYPTO.encrypt;
    if (this.#mode === 'GCM' && !encrypts && this.#tag === undefined) throw nodeError('ERR_CRYPTO_INVALID_STATE', 'Unsupported state or unable to authenticate data');
    const name = `AES-${this.#mode}${this.#mode === 'CBC' && !this.#padded ? '-unpadded' : ''}`;
    const tag = this.#mode === 'CTR' ? 128 : this.#mode !== 'GCM' ? undefined : encrypts ? this.#tagBytes * 8 : this.#tag;
    const out = asNode(() => overData((all) => opWithKeys(this.#code, [this.#key], name, all, this.#iv, this.#additional, tag), this.#data.take())) as Uint8Array;
    if (this.#mode !== 'GCM' || !encrypts) return give(out, outputEncoding);
    const split = TypedArrayByteLength(out) - this.#tagBytes;
    this.#tag = new NativeUint8Array(new NativeUint8Array(out.buffer as ArrayBuffer, split));
    return give(new NativeUint8Array(new NativeUint8Array(out.buffer as ArrayBuffer, 0, split)), outputEncoding);
  }

  setAutoPadding(padded = true): this {
    this.#padded = padded;
    return this;
  }

  setAAD(data: unknown): this {
    this.#additional = takeBytes(data);
    return this;
  }

  getAuthTag(): Uint8Array {
    if (this.#code !== CRYPTO.encrypt || !this.#done || this.#tag === undefined) throw nodeError('ERR_CRYPTO_INVALID_STATE', 'Invalid state for operation getAuthTag');
    return giveBytes(this.#tag);
  }

  setAuthTag(tag: unknown, encoding?: Encoding): this {
    const bytes = takeBytes(tag, encoding);
    if (!TAG_BYTES[TypedArrayByteLength(bytes)] || TypedArrayByteLength(bytes) !== this.#tagBytes) throw nodeError('ERR_CRYPTO_INVALID_AUTH_TAG', 'Invalid authentication tag length', TypeError);
    this.#tag = bytes;
    return this;
  }
}

const TAG_BYTES: Readonly<Record<number, boolean>> = { 4: true, 8: true, 12: true, 13: true, 14: true, 15: true, 16: true };

export function createCipheriv(algorithm: unknown, key: unknown, iv: unknown, options?: CipherOptions): Cipheriv {
  return new Cipheriv(CRYPTO.encrypt, algorithm, key, iv, options);
}

export function createDecipheriv(algorithm: unknown, key: unknown, iv: unknown, options?: CipherOptions): Cipheriv {
  return new Cipheriv(CRYPTO.decrypt, algorithm, key, iv, options);
}

/** OAEP only: what decrypting PKCS #1 v1.5 tells by its failures can be used against it. */
function rsa(code: number, key: HostKey, options: Readonly<Record<string, unknown>>, data: unknown): Uint8Array {
  const { padding = 4, oaepHash = 'sha1', oaepLabel } = options;
  if (padding !== 4) throw nodeError('ERR_INVALID_ARG_VALUE', 'only RSA_PKCS1_OAEP_PADDING is supported', TypeError);
  const label = oaepLabel === undefined ? new NativeUint8Array(0) : takeBytes(oaepLabel);
  return giveBytes(new NativeUint8Array(asNode(() => opWithKeys(code, [key], hashNamed(oaepHash), takeBytes(data), label)) as ArrayBuffer));
}

export function publicEncrypt(key: unknown, data: unknown): Uint8Array {
  return rsa(CRYPTO.rsaEncrypt, publicKey(key), optionsOf(key), data);
}

export function privateDecrypt(key: unknown, data: unknown): Uint8Array {
  return rsa(CRYPTO.rsaDecrypt, privateKey(key), optionsOf(key), data);
}
