// AES: CBC, CTR, GCM, KW with fixed keys and vectors.
import { bytes, rejected, report } from './lib/report.ts';

const iv = bytes('000102030405060708090a0b0c0d0e0f');
const data = new TextEncoder().encode('sixteen byte msg and some more');
const raw = (bits: number): Uint8Array<ArrayBuffer> => Uint8Array.from({ length: bits / 8 }, (_, i) => i);
const algorithms: Readonly<Record<string, AlgorithmIdentifier & { name: string }>> = {
  'AES-CBC': { name: 'AES-CBC', iv } as AesCbcParams,
  'AES-CTR': { name: 'AES-CTR', counter: iv, length: 64 } as AesCtrParams,
  'AES-GCM': { name: 'AES-GCM', iv: iv.slice(0, 12), additionalData: bytes('aabb') } as AesGcmParams,
};

async function key(name: string, bits: number): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', raw(bits), name, true, name === 'AES-KW' ? ['wrapKey', 'unwrapKey'] : ['encrypt', 'decrypt']);
}

export default {
  fetch: async (): Promise<Response> =>
    report({
      ...Object.fromEntries(Object.entries(algorithms).flatMap(([name, algorithm]) => [128, 256].flatMap((bits) => [
        [`${name} ${bits} encrypts`, async () => crypto.subtle.encrypt(algorithm, await key(name, bits), data)],
        [`${name} ${bits} decrypts`, async () => {
          const made = await key(name, bits);
          return new TextDecoder().decode(await crypto.subtle.decrypt(algorithm, made, await crypto.subtle.encrypt(algorithm, made, data)));
        }],
        [`${name} ${bits} empty`, async () => crypto.subtle.encrypt(algorithm, await key(name, bits), new Uint8Array(0))],
      ]))),
      'AES-GCM tags': async () => {
        const lengths = [];
        for (const tagLength of [32, 64, 96, 104, 128]) lengths.push((await crypto.subtle.encrypt({ name: 'AES-GCM', iv, tagLength } as AesGcmParams, await key('AES-GCM', 128), data)).byteLength);
        return lengths;
      },
      'AES-GCM tag refused': async () => rejected(async () => crypto.subtle.encrypt({ name: 'AES-GCM', iv, tagLength: 12 } as AesGcmParams, await key('AES-GCM', 128), data)),
      'AES-GCM changed': async () => {
        const made = await key('AES-GCM', 128);
        const sealed = new Uint8Array(await crypto.subtle.encrypt(algorithms['AES-GCM']!, made, data));
        sealed[3]! ^= 1;
        return rejected(async () => crypto.subtle.decrypt(algorithms['AES-GCM']!, made, sealed));
      },
      'AES-CBC padding': async () => rejected(async () => crypto.subtle.decrypt(algorithms['AES-CBC']!, await key('AES-CBC', 128), new Uint8Array(16))),
      'AES-CBC iv': async () => rejected(async () => crypto.subtle.encrypt({ name: 'AES-CBC', iv: iv.slice(1) } as AesCbcParams, await key('AES-CBC', 128), data)),
      'AES-CTR length': async () => rejected(async () => crypto.subtle.encrypt({ name: 'AES-CTR', counter: iv, length: 0 } as AesCtrParams, await key('AES-CTR', 128), data)),
      'AES-CTR wraps': async () => crypto.subtle.encrypt({ name: 'AES-CTR', counter: new Uint8Array(16).fill(0xff), length: 8 } as AesCtrParams, await key('AES-CTR', 128), new Uint8Array(48)),
      'AES-KW': async () => {
        const wrapping = await key('AES-KW', 128);
        const wrapped = await crypto.subtle.wrapKey('raw', await key('AES-GCM', 256), wrapping, 'AES-KW');
        const back = await crypto.subtle.unwrapKey('raw', wrapped, wrapping, 'AES-KW', 'AES-GCM', true, ['encrypt']);
        return [wrapped, await crypto.subtle.exportKey('raw', back)];
      },
      'wrap by AES-GCM as jwk': async () => {
        const wrapping = await crypto.subtle.importKey('raw', raw(128), 'AES-GCM', false, ['wrapKey', 'unwrapKey']);
        const wrapped = await crypto.subtle.wrapKey('jwk', await key('AES-CBC', 128), wrapping, algorithms['AES-GCM']!);
        const back = await crypto.subtle.unwrapKey('jwk', wrapped, wrapping, algorithms['AES-GCM']!, 'AES-CBC', true, ['decrypt', 'encrypt']);
        return [await crypto.subtle.exportKey('raw', back), back.usages];
      },
      'export jwk': async () => crypto.subtle.exportKey('jwk', await key('AES-CTR', 256)),
      'generated': async () => {
        const made = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['decrypt', 'encrypt']);
        return [made.type, made.extractable, made.algorithm, made.usages];
      },
      'wrong length': async () => [await rejected(async () => crypto.subtle.importKey('raw', new Uint8Array(15), 'AES-CBC', false, ['encrypt'])), await rejected(async () => crypto.subtle.generateKey({ name: 'AES-CBC', length: 100 }, false, ['encrypt']))],
      'wrong algorithm for a key': async () => rejected(async () => crypto.subtle.encrypt(algorithms['AES-CBC']!, await key('AES-GCM', 128), data)),
    }),
};
