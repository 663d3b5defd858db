// PBKDF2 and HKDF.
import { bytes, rejected, report } from './lib/report.ts';

const password = new TextEncoder().encode('password');
const salt = new TextEncoder().encode('salt');
const base = async (name: string, raw: Uint8Array<ArrayBuffer> = password): Promise<CryptoKey> => crypto.subtle.importKey('raw', raw, name, false, ['deriveBits', 'deriveKey']);

export default {
  fetch: async (): Promise<Response> =>
    report({
      ...Object.fromEntries(['SHA-1', 'SHA-256', 'SHA-384', 'SHA-512'].flatMap((hash) => [
        [`PBKDF2 ${hash}`, async () => crypto.subtle.deriveBits({ name: 'PBKDF2', hash, salt, iterations: 100 }, await base('PBKDF2'), 256)],
        [`HKDF ${hash}`, async () => crypto.subtle.deriveBits({ name: 'HKDF', hash, salt, info: bytes('0102') }, await base('HKDF'), 256)],
      ])),
      'HKDF of RFC 5869': async () => crypto.subtle.deriveBits({ name: 'HKDF', hash: 'SHA-256', salt: bytes('000102030405060708090a0b0c'), info: bytes('f0f1f2f3f4f5f6f7f8f9') }, await base('HKDF', new Uint8Array(22).fill(0x0b)), 336),
      'HKDF empty': async () => crypto.subtle.deriveBits({ name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(0), info: new Uint8Array(0) }, await base('HKDF'), 128),
      'HKDF too long': async () => rejected(async () => crypto.subtle.deriveBits({ name: 'HKDF', hash: 'SHA-256', salt, info: salt }, await base('HKDF'), 255 * 256 + 8)),
      'PBKDF2 empty password': async () => crypto.subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-256', salt, iterations: 1 }, await base('PBKDF2', new Uint8Array(0)), 128),
      'PBKDF2 no iterations': async () => rejected(async () => crypto.subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-256', salt, iterations: 0 }, await base('PBKDF2'), 128)),
      'odd lengths': async () => rejected(async () => crypto.subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-256', salt, iterations: 1 }, await base('PBKDF2'), 12)),
      'deriveKey AES': async () => crypto.subtle.exportKey('raw', await crypto.subtle.deriveKey({ name: 'PBKDF2', hash: 'SHA-256', salt, iterations: 10 }, await base('PBKDF2'), { name: 'AES-GCM', length: 256 }, true, ['encrypt'])),
      'deriveKey HMAC': async () => {
        const key = await crypto.subtle.deriveKey({ name: 'HKDF', hash: 'SHA-256', salt, info: salt }, await base('HKDF'), { name: 'HMAC', hash: 'SHA-256' }, true, ['sign']);
        return [key.algorithm, (await crypto.subtle.exportKey('raw', key)).byteLength];
      },
      'extractable is refused': async () => rejected(async () => crypto.subtle.importKey('raw', password, 'PBKDF2', true, ['deriveBits'])),
      'missing salt': async () => rejected(async () => crypto.subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-256', iterations: 1 } as never, await base('PBKDF2'), 128)),
    }),
};
