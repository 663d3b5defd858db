// Operations over data that may come in pieces: each is a stream that is fed and finished, all at once or piece by piece.
import { createCipheriv, createDecipheriv, createHash, createHmac, createSign, createVerify, hash as digestOnce, sign as signOnce, timingSafeEqual, verify as verifyOnce, constants } from 'node:crypto';
import type { Cipher, CipherGCM, Decipher, DecipherGCM, KeyObject, SignKeyObjectInput } from 'node:crypto';
import { CryptoFailure, orFail } from './failure.ts';

export interface DataStream {
  /** @returns output so far, if the operation has any before its end */
  update(chunk: Uint8Array): Buffer | undefined;
  end(): Buffer | number | undefined;
}

/** The whole of it in one call: output, or the verdict of a verification. */
export function runOnce(stream: DataStream, data: Uint8Array): Buffer | number {
  const first = stream.update(data);
  const last = stream.end();
  if (first === undefined || first.length === 0) return last ?? Buffer.alloc(0);
  return last === undefined || typeof last === 'number' || last.length === 0 ? first : Buffer.concat([first, last]);
}

export function digest(hash: string, data: Uint8Array): Buffer {
  return digestOnce(hash, data, 'buffer');
}

export function digestStream(hash: string): DataStream {
  const state = createHash(hash);
  return {
    update: (chunk) => void state.update(chunk),
    end: () => state.digest(),
  };
}

/** @param expected  to verify: the verdict is 1 or 0 */
export function hmacStream(hash: string, key: Buffer, expected?: Uint8Array): DataStream {
  const state = createHmac(hash, key);
  return {
    update: (chunk) => void state.update(chunk),
    end: () => {
      const mac = state.digest();
      return expected === undefined ? mac : expected.length === mac.length && timingSafeEqual(mac, expected) ? 1 : 0;
    },
  };
}

export type SignatureScheme = 'pkcs1' | 'pss' | 'ecdsa' | 'ecdsa-der' | 'ed25519';

/** Ed25519 reads its message twice, so it takes one piece only. */
export function signatureStream(key: KeyObject, scheme: SignatureScheme, hash: string, saltLength: number, signature?: Uint8Array): DataStream {
  const input = signatureInput(key, scheme, saltLength);
  const refuse = <R>(run: () => R): R => orFail('OperationError', 'the signature can not be made', run);
  if (scheme === 'ed25519') {
    let message: Uint8Array | null = null;
    return {
      update: (chunk) => {
        if (message !== null) throw new CryptoFailure('OperationError', 'a message for Ed25519 must cross in one piece');
        message = chunk;
        return undefined;
      },
      end: () => {
        const whole = message ?? Buffer.alloc(0);
        return signature === undefined ? refuse(() => signOnce(null, whole, key)) : verdict(() => verifyOnce(null, whole, key, signature));
      },
    };
  }
  if (signature === undefined) {
    const state = createSign(hash);
    return { update: (chunk) => void state.update(chunk), end: () => refuse(() => state.sign(input)) };
  }
  const state = createVerify(hash);
  return { update: (chunk) => void state.update(chunk), end: () => verdict(() => state.verify(input, signature)) };
}

/** A signature that OpenSSL can't even parse is a wrong one. */
function verdict(verify: () => boolean): number {
  try {
    return verify() ? 1 : 0;
  } catch {
    return 0;
  }
}

function signatureInput(key: KeyObject, scheme: SignatureScheme, saltLength: number): SignKeyObjectInput {
  if (scheme === 'pkcs1') return { key, padding: constants.RSA_PKCS1_PADDING };
  if (scheme === 'pss') return { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength };
  return { key, dsaEncoding: scheme === 'ecdsa-der' ? 'der' : 'ieee-p1363' };
}

const DECRYPTION = 'the data can not be decrypted';

/** @param tag  GCM: its bits to encrypt, the tag itself to decrypt; CTR: bits of the counter */
export function cipherStream(encrypts: boolean, name: string, key: Buffer, iv: Uint8Array, additional: Uint8Array | undefined, tag: number | Uint8Array): DataStream {
  const bits = key.length * 8;
  switch (name) {
    case 'AES-CBC':
    case 'AES-CBC-unpadded': {
      const cipher = encrypts ? createCipheriv(`aes-${bits}-cbc`, key, iv) : createDecipheriv(`aes-${bits}-cbc`, key, iv);
      if (name !== 'AES-CBC') cipher.setAutoPadding(false);
      return plain(cipher);
    }
    case 'AES-CTR':
      return counterMode(key, iv, tag as number);
    case 'AES-KW':
      return plain(encrypts ? createCipheriv(`id-aes${bits}-wrap`, key, WRAP_IV) : createDecipheriv(`id-aes${bits}-wrap`, key, WRAP_IV));
    case 'AES-GCM':
      return encrypts ? gcmEncryption(key, iv, additional, tag as number) : gcmDecryption(key, iv, additional, tag as Uint8Array);
    default:
      throw new TypeError('no such cipher');
  }
}

/** RFC 3394, section 2.2.3.1. */
const WRAP_IV = Buffer.alloc(8, 0xa6);

function plain(cipher: Cipher | Decipher): DataStream {
  return {
    update: (chunk) => orFail('OperationError', DECRYPTION, () => cipher.update(chunk)),
    end: () => orFail('OperationError', DECRYPTION, () => cipher.final()),
  };
}

function gcmEncryption(key: Buffer, iv: Uint8Array, additional: Uint8Array | undefined, tagBits: number): DataStream {
  const cipher: CipherGCM = orFail('OperationError', 'the initialization vector is not usable', () => createCipheriv(`aes-${key.length * 8}-gcm` as 'aes-256-gcm', key, iv, { authTagLength: tagBits / 8 }));
  if (additional !== undefined) cipher.setAAD(additional);
  return {
    update: (chunk) => cipher.update(chunk),
    end: () => {
      cipher.final();
      return cipher.getAuthTag();
    },
  };
}

function gcmDecryption(key: Buffer, iv: Uint8Array, additional: Uint8Array | undefined, tag: Uint8Array): DataStream {
  const decipher: DecipherGCM = orFail('OperationError', DECRYPTION, () => createDecipheriv(`aes-${key.length * 8}-gcm` as 'aes-256-gcm', key, iv, { authTagLength: tag.length }));
  decipher.setAuthTag(tag);
  if (additional !== undefined) decipher.setAAD(additional);
  return { update: (chunk) => decipher.update(chunk), end: () => orFail('OperationError', DECRYPTION, () => decipher.final()) };
}

const BLOCK = 16;

/** OpenSSL counts with all 128 bits; Web Crypto (section 29.4) lets only the rightmost `counterBits` count and wrap. */
function counterMode(key: Buffer, counter: Uint8Array, counterBits: number): DataStream {
  const name = `aes-${key.length * 8}-ctr`;
  const span = 1n << BigInt(counterBits);
  const start = BigInt(`0x${Buffer.from(counter).toString('hex')}`);
  const from = start % span;
  /** Bytes until the counter wraps, and until it would repeat. */
  let beforeWrap = (span - from) * BigInt(BLOCK);
  let left = span * BigInt(BLOCK);
  let cipher = createCipheriv(name, key, counter);
  return {
    update: (chunk) => {
      left -= BigInt(chunk.length);
      if (left < 0n) throw new CryptoFailure('OperationError', 'the counter would repeat');
      if (BigInt(chunk.length) <= beforeWrap) {
        beforeWrap -= BigInt(chunk.length);
        return cipher.update(chunk);
      }
      const head = Number(beforeWrap);
      const first = cipher.update(chunk.subarray(0, head));
      cipher = createCipheriv(name, key, Buffer.from((start - from).toString(16).padStart(2 * BLOCK, '0'), 'hex'));
      beforeWrap = left;
      return Buffer.concat([first, cipher.update(chunk.subarray(head))]);
    },
    end: () => undefined,
  };
}
