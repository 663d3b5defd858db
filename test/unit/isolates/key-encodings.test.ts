import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fromPem, isSupported } from '../../../isolates/operations/crypto/key-encodings.ts';

const pairs = [
  generateKeyPairSync('rsa', { modulusLength: 1024 }), generateKeyPairSync('ec', { namedCurve: 'P-256' }), generateKeyPairSync('ec', { namedCurve: 'P-521' }), generateKeyPairSync('ed25519'), generateKeyPairSync('x25519'),
];
const refused = [generateKeyPairSync('dsa', { modulusLength: 1024, divisorLength: 160 }), generateKeyPairSync('ed448'), generateKeyPairSync('rsa-pss', { modulusLength: 1024 }), generateKeyPairSync('ec', { namedCurve: 'P-256', paramEncoding: 'explicit' })];

const encoded = ({ publicKey, privateKey }: (typeof pairs)[number]): [Buffer, Buffer] => [publicKey.export({ format: 'der', type: 'spki' }), privateKey.export({ format: 'der', type: 'pkcs8' })];

describe('isSupported', () => {
  test('takes RSA, named curves, Ed25519 and X25519', () => {
    for (const pair of pairs) {
      const [spki, pkcs8] = encoded(pair);
      expect([isSupported(spki, 'spki'), isSupported(pkcs8, 'pkcs8')]).toEqual([true, true]);
      expect([isSupported(spki, 'pkcs8'), isSupported(pkcs8, 'spki')]).toEqual([false, false]);
    }
  });
  test('refuses every other kind before it is parsed', () => {
    for (const pair of refused) {
      const [spki, pkcs8] = encoded(pair as never);
      expect([isSupported(spki, 'spki'), isSupported(pkcs8, 'pkcs8')]).toEqual([false, false]);
    }
  });
  test('refuses what is cut or has something behind it, and never throws', () => {
    const [spki, pkcs8] = encoded(pairs[0] as never);
    for (let length = 0; length < spki.length; length++) expect(isSupported(spki.subarray(0, length), 'spki')).toBe(false);
    expect(isSupported(Buffer.concat([pkcs8, Buffer.of(0)]), 'pkcs8')).toBe(false);
    fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), fc.constantFrom('spki' as const, 'pkcs8' as const), (bytes, structure) => typeof isSupported(Buffer.from(bytes), structure) === 'boolean'));
    // One byte changed anywhere in the head: still a verdict, and the algorithm must be one that is supported.
    for (let at = 0; at < 26; at++) for (let bit = 0; bit < 8; bit++) expect(typeof isSupported(Buffer.from(pkcs8.map((byte, i) => (i === at ? byte ^ (1 << bit) : byte))), 'pkcs8')).toBe('boolean');
  });
});

describe('fromPem', () => {
  test('knows the structures by their labels', () => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const structures = (['spki', 'pkcs1'] as const).map((type) => fromPem(`text before\n${publicKey.export({ format: 'pem', type }) as string}`));
    expect(structures.map((key) => [key?.structure, key?.isPrivate])).toEqual([['spki', false], ['pkcs1', false]]);
    expect(fromPem(privateKey.export({ format: 'pem', type: 'pkcs8' }) as string)).toMatchObject({ structure: 'pkcs8', isPrivate: true });
  });
  test('takes no encrypted key and no certificate', () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
    for (const type of ['pkcs1', 'pkcs8'] as const) expect(fromPem(privateKey.export({ format: 'pem', type, cipher: 'aes-128-cbc', passphrase: 'x' }) as string)).toBeUndefined();
    expect(fromPem('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----')).toBeUndefined();
    expect(fromPem('')).toBeUndefined();
  });
});
