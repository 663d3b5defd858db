// node:crypto for bundles: what functions use of it, on keys and digests of the host.
import { crypto } from '../crypto.guest.ts';

export { createCipheriv, createDecipheriv, getCiphers, privateDecrypt, publicEncrypt } from './node-crypto/ciphers.guest.ts';
export { hkdf, hkdfSync, pbkdf2, pbkdf2Sync, scrypt, scryptSync } from './node-crypto/derivations.guest.ts';
export { Hash, Hmac, createHash, createHmac, getHashes, hash } from './node-crypto/digests.guest.ts';
export { setBuffer } from './node-crypto/encodings.guest.ts';
export { KeyObject, createPrivateKey, createPublicKey, createSecretKey, diffieHellman, generateKeyPair, generateKeyPairSync, getCurves } from './node-crypto/keys.guest.ts';
export { randomBytes, randomFill, randomFillSync, randomInt, randomUUID, timingSafeEqual } from './node-crypto/random.guest.ts';
export { Sign, Verify, createSign, createVerify, sign, verify } from './node-crypto/signatures.guest.ts';

export const webcrypto = crypto;

export function getRandomValues<T extends ArrayBufferView>(array: T): T {
  return crypto.getRandomValues(array);
}

export const constants = {
  RSA_PKCS1_PADDING: 1, RSA_NO_PADDING: 3, RSA_PKCS1_OAEP_PADDING: 4, RSA_PKCS1_PSS_PADDING: 6, RSA_PSS_SALTLEN_DIGEST: -1, RSA_PSS_SALTLEN_MAX_SIGN: -2, RSA_PSS_SALTLEN_AUTO: -2,
} as const;
