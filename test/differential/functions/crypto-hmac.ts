// HMAC: vectors of RFC 4231, keys of other lengths, checking.
import { bytes, rejected, report } from './lib/report.ts';

const hashes = ['SHA-1', 'SHA-256', 'SHA-384', 'SHA-512'] as const;
const data = new TextEncoder().encode('what do ya want for nothing?');

async function key(hash: string, raw = new TextEncoder().encode('Jefe')): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', raw, { name: 'HMAC', hash }, true, ['sign', 'verify']);
}

export default {
  fetch: async (): Promise<Response> =>
    report({
      ...Object.fromEntries(hashes.flatMap((hash) => [
        [`sign ${hash}`, async () => crypto.subtle.sign('HMAC', await key(hash), data)],
        [`long key ${hash}`, async () => crypto.subtle.sign('HMAC', await key(hash, new Uint8Array(200).fill(0xaa)), data)],
        [`verify ${hash}`, async () => {
          const made = await key(hash);
          const signature = new Uint8Array(await crypto.subtle.sign('HMAC', made, data));
          const right = await crypto.subtle.verify('HMAC', made, signature, data);
          signature[0]! ^= 1;
          return [right, await crypto.subtle.verify('HMAC', made, signature, data), await crypto.subtle.verify('HMAC', made, signature.slice(1), data)];
        }],
        [`generated ${hash}`, async () => {
          const made = await crypto.subtle.generateKey({ name: 'HMAC', hash }, true, ['sign']);
          return [made.algorithm, (await crypto.subtle.exportKey('raw', made)).byteLength];
        }],
      ])),
      'export raw': async () => crypto.subtle.exportKey('raw', await key('SHA-256')),
      'export jwk': async () => crypto.subtle.exportKey('jwk', await key('SHA-512')),
      'import jwk': async () => {
        const made = await crypto.subtle.importKey('jwk', { kty: 'oct', k: 'SmVmZQ', alg: 'HS256' }, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
        return crypto.subtle.sign('HMAC', made, data);
      },
      'members': async () => {
        const { type, extractable, algorithm, usages } = await key('SHA-256');
        return [type, extractable, algorithm, usages];
      },
      'not extractable': async () => rejected(async () => crypto.subtle.exportKey('raw', await crypto.subtle.importKey('raw', bytes('01'), { name: 'HMAC', hash: 'SHA-1' }, false, ['sign']))),
      'usage': async () => rejected(async () => crypto.subtle.verify('HMAC', await crypto.subtle.importKey('raw', bytes('01'), { name: 'HMAC', hash: 'SHA-1' }, false, ['sign']), bytes('00'), data)),
      'no usages': async () => rejected(async () => crypto.subtle.importKey('raw', bytes('01'), { name: 'HMAC', hash: 'SHA-1' }, false, [])),
      'empty key': async () => rejected(async () => crypto.subtle.importKey('raw', bytes(''), { name: 'HMAC', hash: 'SHA-1' }, false, ['sign'])),
      'wrong usage': async () => rejected(async () => crypto.subtle.importKey('raw', bytes('01'), { name: 'HMAC', hash: 'SHA-1' }, false, ['encrypt'])),
    }),
};
