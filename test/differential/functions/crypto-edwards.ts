// Ed25519 and X25519: vectors of RFC 8032 and RFC 7748.
import { bytes, rejected, report } from './lib/report.ts';

const seed = bytes('4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb');
const publicKey = bytes('3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c');
const edPkcs8 = Uint8Array.of(...bytes('302e020100300506032b657004220420'), ...seed);
const xPkcs8 = Uint8Array.of(...bytes('302e020100300506032b656e04220420'), ...bytes('77076d0a7318a57d3c16c17251b26645df4c1f5ff8eab29dbcb0f5d4b6ac1b4a'.slice(0, 64)));
const bob = bytes('de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f');

export default {
  fetch: async (): Promise<Response> =>
    report({
      'Ed25519 sign': async () => crypto.subtle.sign('Ed25519', await crypto.subtle.importKey('pkcs8', edPkcs8, 'Ed25519', false, ['sign']), bytes('72')),
      'Ed25519 verify': async () => {
        const key = await crypto.subtle.importKey('raw', publicKey, 'Ed25519', true, ['verify']);
        const signature = bytes('92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00');
        return [await crypto.subtle.verify('Ed25519', key, signature, bytes('72')), await crypto.subtle.verify('Ed25519', key, signature, bytes('73'))];
      },
      'Ed25519 jwk': async () => crypto.subtle.exportKey('jwk', await crypto.subtle.importKey('pkcs8', edPkcs8, 'Ed25519', true, ['sign'])),
      'Ed25519 spki': async () => crypto.subtle.exportKey('spki', await crypto.subtle.importKey('raw', publicKey, 'Ed25519', true, ['verify'])),
      'Ed25519 pkcs8': async () => crypto.subtle.exportKey('pkcs8', await crypto.subtle.importKey('pkcs8', edPkcs8, 'Ed25519', true, ['sign'])),
      'Ed25519 generated': async () => {
        const pair = (await crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify'])) as CryptoKeyPair;
        return [pair.publicKey.algorithm, pair.publicKey.usages, pair.privateKey.usages, await crypto.subtle.verify('Ed25519', pair.publicKey, await crypto.subtle.sign('Ed25519', pair.privateKey, seed), seed)];
      },
      'X25519 agreed': async () => crypto.subtle.deriveBits({ name: 'X25519', public: await crypto.subtle.importKey('raw', bob, 'X25519', true, []) }, await crypto.subtle.importKey('pkcs8', xPkcs8, 'X25519', false, ['deriveBits']), 256),
      'X25519 zero': async () => rejected(async () => crypto.subtle.deriveBits({ name: 'X25519', public: await crypto.subtle.importKey('raw', new Uint8Array(32), 'X25519', true, []) }, await crypto.subtle.importKey('pkcs8', xPkcs8, 'X25519', false, ['deriveBits']), 256)),
      'X25519 generated': async () => {
        const pair = (await crypto.subtle.generateKey('X25519', true, ['deriveBits'])) as CryptoKeyPair;
        return [pair.publicKey.algorithm, pair.publicKey.usages, (await crypto.subtle.exportKey('raw', pair.publicKey)).byteLength];
      },
      'wrong length': async () => rejected(async () => crypto.subtle.importKey('raw', new Uint8Array(31), 'Ed25519', true, ['verify'])),
      'wrong usage': async () => rejected(async () => crypto.subtle.importKey('raw', publicKey, 'Ed25519', true, ['sign'])),
    }),
};
