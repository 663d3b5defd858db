// SubtleCrypto: what is refused and how.
import { rejected, report } from './lib/report.ts';

const { subtle } = crypto;
const raw = new Uint8Array(16);

export default {
  fetch: async (): Promise<Response> =>
    report({
      'unknown algorithm': async () => rejected(async () => subtle.importKey('raw', raw, 'ROT-13', false, ['encrypt'])),
      'unknown format': async () => rejected(async () => subtle.importKey('pem' as 'raw', raw, 'AES-GCM', false, ['encrypt'])),
      'unknown usage': async () => rejected(async () => subtle.importKey('raw', raw, 'AES-GCM', false, ['paint' as KeyUsage])),
      'algorithm for another operation': async () => rejected(async () => subtle.digest('AES-GCM', raw)),
      'missing members': async () => [await rejected(async () => subtle.generateKey({ name: 'AES-GCM' } as never, false, ['encrypt'])), await rejected(async () => subtle.importKey('raw', raw, 'HMAC', false, ['sign']))],
      'no key': async () => rejected(async () => subtle.sign('HMAC', {} as CryptoKey, raw)),
      'no arguments': async () => rejected(async () => (subtle.digest as () => Promise<ArrayBuffer>)()),
      'no name': async () => rejected(async () => subtle.digest({} as Algorithm, raw)),
      'jwk of another kind': async () => rejected(async () => subtle.importKey('jwk', { kty: 'RSA' }, 'AES-GCM', false, ['encrypt'])),
      'jwk without key': async () => rejected(async () => subtle.importKey('jwk', { kty: 'oct' }, 'AES-GCM', false, ['encrypt'])),
      'jwk usages': async () => rejected(async () => subtle.importKey('jwk', { kty: 'oct', k: 'AAAAAAAAAAAAAAAAAAAAAA', key_ops: ['decrypt'] }, 'AES-GCM', false, ['encrypt'])),
      'jwk not extractable': async () => rejected(async () => subtle.importKey('jwk', { kty: 'oct', k: 'AAAAAAAAAAAAAAAAAAAAAA', ext: false }, 'AES-GCM', true, ['encrypt'])),
      'jwk as bytes': async () => rejected(async () => subtle.importKey('jwk', raw as never, 'AES-GCM', false, ['encrypt'])),
      'raw as object': async () => rejected(async () => subtle.importKey('raw', { kty: 'oct' } as never, 'AES-GCM', false, ['encrypt'])),
      'spki for a secret': async () => rejected(async () => subtle.importKey('spki', raw, 'AES-GCM', false, ['encrypt'])),
      'export of another format': async () => rejected(async () => subtle.exportKey('pkcs8', await subtle.importKey('raw', raw, 'AES-GCM', true, ['encrypt']))),
      'wrong receiver': async () => rejected(async () => SubtleCrypto.prototype.digest.call({} as SubtleCrypto, 'SHA-1', raw)),
    }),
};
