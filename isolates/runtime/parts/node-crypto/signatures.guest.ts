// sign, verify, createSign and createVerify of node:crypto.
import { CRYPTO } from '../../abi-crypto.ts';
import { TypedArrayByteLength } from '../../primordials.guest.ts';
import { opWithKeys, overData } from '../crypto/host-keys.guest.ts';
import type { HostKey } from '../crypto/host-keys.guest.ts';
import { hashNamed } from './digests.guest.ts';
import { Gathered, asNode, give, giveBytes, nodeError, takeBytes } from './encodings.guest.ts';
import type { Encoding } from './encodings.guest.ts';
import { optionsOf, privateKey, publicKey } from './keys.guest.ts';

/** Of `constants`. */
const PSS_PADDING = 6;
const PKCS1_PADDING = 1;
/** RSA_PSS_SALTLEN_MAX_SIGN and _AUTO, as Node's default. */
const SALT_AUTO = -2;
const MAX_SIGNATURE_BYTES = 2_048;

interface Scheme {
  readonly name: string;
  readonly hash: string;
  readonly saltLength: number;
}

function schemeOf(algorithm: unknown, key: HostKey, options: Readonly<Record<string, unknown>>): Scheme {
  const { padding = PKCS1_PADDING, saltLength = SALT_AUTO, dsaEncoding } = options;
  if (key.detail === 'Ed25519') return { name: 'ed25519', hash: '', saltLength: 0 };
  const hash = hashNamed(algorithm ?? 'sha256');
  if (key.exponent === '') return { name: dsaEncoding === 'ieee-p1363' ? 'ecdsa' : 'ecdsa-der', hash, saltLength: 0 };
  if (padding !== PKCS1_PADDING && padding !== PSS_PADDING) throw nodeError('ERR_INVALID_ARG_VALUE', 'the padding is not supported', TypeError);
  return { name: padding === PSS_PADDING ? 'pss' : 'pkcs1', hash, saltLength: +(saltLength as number) };
}

function signed(algorithm: unknown, data: Uint8Array, given: unknown): Uint8Array {
  const key = privateKey(given);
  const { name, hash, saltLength } = schemeOf(algorithm, key, optionsOf(given));
  return asNode(() => overData((all) => opWithKeys(CRYPTO.sign, [key], name, all, hash, saltLength), data)) as Uint8Array;
}

function verified(algorithm: unknown, data: Uint8Array, given: unknown, signature: Uint8Array): boolean {
  const key = publicKey(given);
  const { name, hash, saltLength } = schemeOf(algorithm, key, optionsOf(given));
  if (TypedArrayByteLength(signature) > MAX_SIGNATURE_BYTES) return false;
  return asNode(() => overData((all) => opWithKeys(CRYPTO.verify, [key], name, all, hash, saltLength, signature), data)) === 1;
}

export function sign(algorithm: unknown, data: unknown, key: unknown): Uint8Array {
  return giveBytes(signed(algorithm, takeBytes(data), key));
}

export function verify(algorithm: unknown, data: unknown, key: unknown, signature: unknown): boolean {
  return verified(algorithm, takeBytes(data), key, takeBytes(signature));
}

export class Sign {
  readonly #algorithm: unknown;
  readonly #data = new Gathered();

  constructor(algorithm: unknown) {
    hashNamed(algorithm);
    this.#algorithm = algorithm;
  }

  update(data: unknown, encoding?: Encoding): this {
    this.#data.add(takeBytes(data, encoding));
    return this;
  }

  sign(key: unknown, encoding?: Encoding): Uint8Array | string {
    return give(signed(this.#algorithm, this.#data.take(), key), encoding);
  }
}

export class Verify {
  readonly #algorithm: unknown;
  readonly #data = new Gathered();

  constructor(algorithm: unknown) {
    hashNamed(algorithm);
    this.#algorithm = algorithm;
  }

  update(data: unknown, encoding?: Encoding): this {
    this.#data.add(takeBytes(data, encoding));
    return this;
  }

  verify(key: unknown, signature: unknown, encoding?: Encoding): boolean {
    return verified(this.#algorithm, this.#data.take(), key, takeBytes(signature, encoding));
  }
}

export function createSign(algorithm: unknown): Sign {
  return new Sign(algorithm);
}

export function createVerify(algorithm: unknown): Verify {
  return new Verify(algorithm);
}
