// createHash, createHmac, hash and getHashes of node:crypto.
import { CRYPTO } from '../../abi-crypto.ts';
import { op } from '../../host.guest.ts';
import { StringPrototypeReplace, StringPrototypeToLowerCase } from '../../primordials.guest.ts';
import { importSecret, opWithKeys, overData, result } from '../crypto/host-keys.guest.ts';
import type { HostKey } from '../crypto/host-keys.guest.ts';
import { Gathered, asNode, give, nodeError, takeBytes } from './encodings.guest.ts';
import type { Encoding } from './encodings.guest.ts';
import { isKeyObject, secretOf } from './keys.guest.ts';

const HASHES: Readonly<Record<string, string>> = {
  __proto__: null as never,
  md5: 'MD5', sha1: 'SHA-1', sha224: 'SHA-224', sha256: 'SHA-256', sha384: 'SHA-384', sha512: 'SHA-512', 'sha512-256': 'SHA-512-256', 'sha3-256': 'SHA3-256', 'sha3-384': 'SHA3-384', 'sha3-512': 'SHA3-512', ripemd160: 'RIPEMD-160',
};

/** The host's name of a hash: `sha256`, `SHA-256` and `RSA-SHA256` are one. */
export function hashNamed(name: unknown): string {
  const plain = StringPrototypeReplace(StringPrototypeToLowerCase(`${name as string}`), /^rsa-/, '');
  const found = HASHES[plain] ?? HASHES[StringPrototypeReplace(plain, /^(sha|ripemd|rmd)-?(?=\d)/, plain[0] === 's' ? 'sha' : 'ripemd')];
  if (found === undefined) throw nodeError('ERR_CRYPTO_INVALID_DIGEST', `Invalid digest: ${String(name)}`, TypeError);
  return found;
}

export function getHashes(): string[] {
  return ['RSA-MD5', 'RSA-RIPEMD160', 'RSA-SHA1', 'RSA-SHA224', 'RSA-SHA256', 'RSA-SHA384', 'RSA-SHA512', 'md5', 'ripemd160', 'sha1', 'sha224', 'sha256', 'sha3-256', 'sha3-384', 'sha3-512', 'sha384', 'sha512', 'sha512-256'];
}

/** What Hash and Hmac have in common. */
abstract class Digesting {
  protected gathered = new Gathered();
  #done = false;

  update(data: unknown, encoding?: Encoding): this {
    if (this.#done) throw nodeError('ERR_CRYPTO_HASH_FINALIZED', 'Digest already called');
    this.gathered.add(takeBytes(data, encoding));
    return this;
  }

  digest(encoding?: Encoding): Uint8Array | string {
    if (this.#done) throw nodeError('ERR_CRYPTO_HASH_FINALIZED', 'Digest already called');
    this.#done = true;
    return give(asNode(() => this.compute(this.gathered.take())), encoding);
  }

  protected abstract compute(data: Uint8Array): Uint8Array;
}

export class Hash extends Digesting {
  readonly #hash: string;

  constructor(algorithm: unknown) {
    super();
    this.#hash = hashNamed(algorithm);
  }

  copy(): Hash {
    const other = new Hash(this.#hash);
    other.gathered = this.gathered.copy();
    return other;
  }

  protected compute(data: Uint8Array): Uint8Array {
    return digestOf(this.#hash, data);
  }
}

export class Hmac extends Digesting {
  readonly #hash: string;
  readonly #key: HostKey;

  constructor(algorithm: unknown, key: unknown) {
    super();
    this.#hash = hashNamed(algorithm);
    this.#key = asNode(() => (isKeyObject(key) ? secretOf(key) : importSecret(takeBytes(key), false, 0)));
  }

  protected compute(data: Uint8Array): Uint8Array {
    return overData((all) => opWithKeys(CRYPTO.hmac, [this.#key], this.#hash, all), data) as Uint8Array;
  }
}

function digestOf(hash: string, data: Uint8Array): Uint8Array {
  return overData((all) => result(op(CRYPTO.digest, hash, all)), data) as Uint8Array;
}

export function createHash(algorithm: unknown): Hash {
  return new Hash(algorithm);
}

export function createHmac(algorithm: unknown, key: unknown): Hmac {
  return new Hmac(algorithm, key);
}

export function hash(algorithm: unknown, data: unknown, encoding: Encoding = 'hex'): Uint8Array | string {
  return give(asNode(() => digestOf(hashNamed(algorithm), takeBytes(data))), encoding);
}
