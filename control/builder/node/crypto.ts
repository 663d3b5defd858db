// node:crypto: what the runtime's part has, with this Buffer for what it returns.
import { Buffer } from './buffer.ts';

const runtime = __thimble('node:crypto');
runtime.setBuffer?.(Buffer);

export const {
  Hash, Hmac, KeyObject, Sign, Verify, constants, createCipheriv, createDecipheriv, createHash, createHmac, createPrivateKey, createPublicKey, createSecretKey, createSign, createVerify, diffieHellman,
  generateKeyPair, generateKeyPairSync, getCiphers, getCurves, getHashes, hash, hkdf, hkdfSync, pbkdf2, pbkdf2Sync, privateDecrypt, publicEncrypt, randomBytes, randomFill, randomFillSync, randomInt, scrypt,
  scryptSync, sign, timingSafeEqual, verify,
} = runtime;
export const { crypto: webcrypto } = globalThis;
export const { subtle } = webcrypto;
export const getRandomValues = <T extends NodeJS.TypedArray>(into: T): T => webcrypto.getRandomValues(into as never) as never;
export const randomUUID = (): string => webcrypto.randomUUID();
export default { ...runtime, webcrypto, subtle, getRandomValues, randomUUID };
