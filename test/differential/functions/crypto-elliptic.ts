// ECDSA and ECDH with fixed keys: signatures that verify, shared secrets, every key format.
import { bytes, rejected, report } from './lib/report.ts';

/** The key of RFC 6979, A.2.5. */
const pkcs8 = bytes('308187020100301306072a8648ce3d020106082a8648ce3d030107046d306b0201010420c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721a1440342000460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb67903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299');
const data = new TextEncoder().encode('sample');
/** Of RFC 6979, A.2.5: P-256, SHA-256, "sample". */
const signature = bytes('efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716 f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8');
const ecdsa = { name: 'ECDSA', namedCurve: 'P-256' };
const ecdh = { name: 'ECDH', namedCurve: 'P-256' };

async function publicPart(algorithm: EcKeyImportParams, usages: KeyUsage[]): Promise<CryptoKey> {
  const { kty, crv, x, y } = await crypto.subtle.exportKey('jwk', await crypto.subtle.importKey('pkcs8', pkcs8, ecdsa, true, ['sign']));
  return crypto.subtle.importKey('jwk', { kty: kty as string, crv: crv as string, x: x as string, y: y as string }, algorithm, true, usages);
}

export default {
  fetch: async (): Promise<Response> =>
    report({
      'verify a known signature': async () => crypto.subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, await publicPart(ecdsa, ['verify']), signature, data),
      'verify a changed one': async () => crypto.subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, await publicPart(ecdsa, ['verify']), signature, bytes('00')),
      'verify another length': async () => crypto.subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, await publicPart(ecdsa, ['verify']), signature.slice(1), data),
      'sign and verify': async () => {
        const key = await crypto.subtle.importKey('pkcs8', pkcs8, ecdsa, false, ['sign']);
        const made = await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-512' }, key, data);
        return [made.byteLength, await crypto.subtle.verify({ name: 'ECDSA', hash: 'SHA-512' }, await publicPart(ecdsa, ['verify']), made, data)];
      },
      'export jwk': async () => crypto.subtle.exportKey('jwk', await crypto.subtle.importKey('pkcs8', pkcs8, ecdsa, true, ['sign'])),
      'export spki': async () => crypto.subtle.exportKey('spki', await publicPart(ecdsa, ['verify'])),
      'export raw': async () => crypto.subtle.exportKey('raw', await publicPart(ecdsa, ['verify'])),
      'export pkcs8': async () => crypto.subtle.exportKey('pkcs8', await crypto.subtle.importKey('pkcs8', pkcs8, ecdsa, true, ['sign'])),
      'import raw and spki': async () => {
        const key = await publicPart(ecdsa, ['verify']);
        const raw = await crypto.subtle.importKey('raw', await crypto.subtle.exportKey('raw', key), ecdsa, true, ['verify']);
        const spki = await crypto.subtle.importKey('spki', await crypto.subtle.exportKey('spki', key), ecdsa, true, ['verify']);
        return [raw.type, spki.type, await crypto.subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, raw, signature, data)];
      },
      'ECDH with itself': async () => {
        const key = await crypto.subtle.importKey('pkcs8', pkcs8, ecdh, false, ['deriveBits']);
        return crypto.subtle.deriveBits({ name: 'ECDH', public: await publicPart(ecdh, []) }, key, 256);
      },
      'ECDH whole': async () => {
        const key = await crypto.subtle.importKey('pkcs8', pkcs8, ecdh, false, ['deriveBits']);
        return crypto.subtle.deriveBits({ name: 'ECDH', public: await publicPart(ecdh, []) }, key, null);
      },
      'ECDH too long': async () => {
        const key = await crypto.subtle.importKey('pkcs8', pkcs8, ecdh, false, ['deriveBits']);
        return rejected(async () => crypto.subtle.deriveBits({ name: 'ECDH', public: await publicPart(ecdh, []) }, key, 264));
      },
      ...Object.fromEntries(['P-256', 'P-384', 'P-521'].flatMap((namedCurve) => [
        [`${namedCurve} generated`, async () => {
          const { publicKey, privateKey } = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve }, false, ['sign', 'verify']);
          const made = await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-384' }, privateKey, data);
          return [made.byteLength, await crypto.subtle.verify({ name: 'ECDSA', hash: 'SHA-384' }, publicKey, made, data), publicKey.extractable, privateKey.extractable, publicKey.usages, privateKey.usages, publicKey.algorithm];
        }],
        [`${namedCurve} agreed`, async () => {
          const [a, b] = await Promise.all([0, 1].map(async () => crypto.subtle.generateKey({ name: 'ECDH', namedCurve }, true, ['deriveBits']) as Promise<CryptoKeyPair>)) as [CryptoKeyPair, CryptoKeyPair];
          const one = new Uint8Array(await crypto.subtle.deriveBits({ name: 'ECDH', public: b.publicKey }, a.privateKey, 256));
          const other = new Uint8Array(await crypto.subtle.deriveBits({ name: 'ECDH', public: a.publicKey }, b.privateKey, 256));
          return one.every((byte, i) => byte === other[i]);
        }],
      ])),
      'unknown curve': async () => rejected(async () => crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-1' }, false, ['sign'])),
      'broken pkcs8': async () => rejected(async () => crypto.subtle.importKey('pkcs8', pkcs8.slice(3), ecdsa, false, ['sign'])),
      'other curve in the key': async () => rejected(async () => crypto.subtle.importKey('pkcs8', pkcs8, { name: 'ECDSA', namedCurve: 'P-384' }, false, ['sign'])),
      'point off the curve': async () => rejected(async () => crypto.subtle.importKey('raw', new Uint8Array(65).fill(4), ecdsa, false, ['verify'])),
    }),
};
