// Randomness by its shape: lengths, forms, refusals.
import { report, thrown } from './lib/report.ts';

export default {
  fetch: async (): Promise<Response> =>
    report({
      'getRandomValues returns its argument': () => {
        const array = new Uint8Array(16);
        return [crypto.getRandomValues(array) === array, array.some((byte) => byte !== 0)];
      },
      'integer arrays': () => [Int8Array, Uint16Array, Int32Array, BigUint64Array, Uint8ClampedArray].map((kind) => thrown(() => crypto.getRandomValues(new kind(2)))),
      'refuses floats and views': () => [thrown(() => crypto.getRandomValues(new Float64Array(1) as never)), thrown(() => crypto.getRandomValues(new DataView(new ArrayBuffer(1)) as never)), thrown(() => crypto.getRandomValues([1] as never))],
      'quota': () => [thrown(() => crypto.getRandomValues(new Uint8Array(65_536))), thrown(() => crypto.getRandomValues(new Uint8Array(65_537)))],
      'randomUUID': () => /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(crypto.randomUUID()),
      'twice is not the same': () => [crypto.randomUUID() === crypto.randomUUID(), Math.random() === Math.random()],
      'shapes': () => [crypto instanceof Crypto, crypto.subtle instanceof SubtleCrypto, crypto.subtle === crypto.subtle, Object.prototype.toString.call(crypto), Object.prototype.toString.call(crypto.subtle)],
      'illegal constructors': () => [Crypto, SubtleCrypto, CryptoKey].map((constructor) => thrown(() => new (constructor as unknown as new () => object)())),
      'wrong receiver': () => thrown(() => Crypto.prototype.getRandomValues.call({}, new Uint8Array(1))),
    }),
};
