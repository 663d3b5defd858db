// Known answers of NIST and the RFCs, and what Node's webcrypto says of thousands of random cases; keys go both ways.
import { webcrypto } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { runChecks, runHere } from '../../../support/isolates-checks.ts';
import { TestHost } from '../../../support/isolates-host.ts';

const host = TestHost.shared();

describe('known answers', () => {
  test('digests (FIPS 180-4) and HMAC (RFC 4231, test case 2)', async () => {
    expect(await runChecks(host(), `
      const abc = new TextEncoder().encode('abc');
      for (const h of ['SHA-1', 'SHA-256', 'SHA-384', 'SHA-512']) await check(h, async () => hex(await s.digest(h, abc)));
      const key = await s.importKey('raw', new TextEncoder().encode('Jefe'), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
      await check('HMAC', async () => hex(await s.sign('HMAC', key, new TextEncoder().encode('what do ya want for nothing?'))));`)).toEqual({
      'SHA-1': 'a9993e364706816aba3e25717850c26c9cd0d89d',
      'SHA-256': 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
      'SHA-384': 'cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7',
      'SHA-512': 'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
      HMAC: '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    });
  });
  test('AES (SP 800-38A F.2.1 and F.5.1, GCM test case 4, RFC 3394 section 4.1)', async () => {
    expect(await runChecks(host(), `
      const key = (bytes, name, usages) => s.importKey('raw', unhex(bytes), name, true, usages);
      const block = unhex('6bc1bee22e409f96e93d7e117393172a');
      await check('CBC', async () => hex(await s.encrypt({ name: 'AES-CBC', iv: unhex('000102030405060708090a0b0c0d0e0f') }, await key('2b7e151628aed2a6abf7158809cf4f3c', 'AES-CBC', ['encrypt']), block)).slice(0, 32));
      await check('CTR', async () => hex(await s.encrypt({ name: 'AES-CTR', length: 128, counter: unhex('f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff') }, await key('2b7e151628aed2a6abf7158809cf4f3c', 'AES-CTR', ['encrypt']), block)));
      await check('GCM', async () => hex(await s.encrypt({ name: 'AES-GCM', iv: unhex('cafebabefacedbaddecaf888'), additionalData: unhex('feedfacedeadbeeffeedfacedeadbeefabaddad2') }, await key('feffe9928665731c6d6a8f9467308308', 'AES-GCM', ['encrypt']),
        unhex('d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39'))));
      await check('KW', async () => hex(await s.wrapKey('raw', await key('00112233445566778899aabbccddeeff', 'AES-CBC', ['encrypt']), await key('000102030405060708090a0b0c0d0e0f', 'AES-KW', ['wrapKey']), 'AES-KW')));`)).toEqual({
      CBC: '7649abac8119b246cee98e9b12e9197d',
      CTR: '874d6191b620e3261bef6864990db6ce',
      GCM: '42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e0915bc94fbc3221a5db94fae95ae7121a47',
      KW: '1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5',
    });
  });
  test('derivation (RFC 5869 A.1, RFC 6070) and curves (RFC 8032, RFC 7748, RFC 6979)', async () => {
    expect(await runChecks(host(), `
      const base = (bytes, name) => s.importKey('raw', bytes, name, false, ['deriveBits']);
      await check('HKDF', async () => hex(await s.deriveBits({ name: 'HKDF', hash: 'SHA-256', salt: unhex('000102030405060708090a0b0c'), info: unhex('f0f1f2f3f4f5f6f7f8f9') }, await base(new Uint8Array(22).fill(0x0b), 'HKDF'), 336)));
      await check('PBKDF2', async () => hex(await s.deriveBits({ name: 'PBKDF2', hash: 'SHA-1', salt: new TextEncoder().encode('salt'), iterations: 4096 }, await base(new TextEncoder().encode('password'), 'PBKDF2'), 160)));
      const secret = unhex('302e020100300506032b6570042204209d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60');
      await check('Ed25519', async () => hex(await s.sign('Ed25519', await s.importKey('pkcs8', secret, 'Ed25519', false, ['sign']), new Uint8Array())));
      await check('X25519', async () => hex(await s.deriveBits({ name: 'X25519', public: await s.importKey('raw', unhex('e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c'), 'X25519', false, []) },
        await s.importKey('pkcs8', unhex('302e020100300506032b656e04220420a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4'), 'X25519', false, ['deriveBits']), 256)));
      const point = unhex('0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb67903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299');
      const signature = unhex('efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8');
      const ecdsa = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
      await check('ECDSA', async () => { const k = await s.importKey('raw', point, ecdsa, false, ['verify']); const m = new TextEncoder().encode('sample'); return [await s.verify(ecdsa, k, signature, m), await s.verify(ecdsa, k, signature, new Uint8Array(6)), await s.verify(ecdsa, k, signature.slice(1), m), await s.verify(ecdsa, k, new Uint8Array(64), m)]; });
      await check('compressed', async () => hex(await s.exportKey('raw', await s.importKey('raw', new Uint8Array([3, ...point.slice(1, 33)]), ecdsa, true, ['verify']))) === hex(point));`)).toEqual({
      HKDF: '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865',
      PBKDF2: '4b007901b765489abead49d926f721d065a429c1',
      Ed25519: 'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
      X25519: 'c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552',
      ECDSA: [true, false, false, false],
      compressed: true,
    });
  });
});

/** Each case is run in Node and in an isolate: the same bytes, or the same error. */
const CASES = `
  const bytes = (a) => new Uint8Array(a);
  let n = 0;
  for (const c of input) await check(String(n++), async () => {
    switch (c.kind) {
      case 'digest': return hex(await s.digest(c.hash, bytes(c.data)));
      case 'hmac': { const k = await s.importKey('raw', bytes([1, ...c.key]), { name: 'HMAC', hash: c.hash }, false, ['sign', 'verify']); const mac = await s.sign('HMAC', k, bytes(c.data)); return [hex(mac), await s.verify('HMAC', k, mac, bytes(c.data)), await s.verify('HMAC', k, mac, bytes([0, ...c.data]))]; }
      case 'hkdf': { const k = await s.importKey('raw', bytes(c.key), 'HKDF', false, ['deriveBits', 'deriveKey']); const a = { name: 'HKDF', hash: c.hash, salt: bytes(c.salt), info: bytes(c.data) };
        const d = await s.deriveKey(a, k, { name: 'AES-CTR', length: 256 }, true, ['encrypt']); return [hex(await s.deriveBits(a, k, c.bits * 8)), hex(await s.exportKey('raw', d))]; }
      case 'pbkdf2': { const k = await s.importKey('raw', bytes(c.key), 'PBKDF2', false, ['deriveBits']); return hex(await s.deriveBits({ name: 'PBKDF2', hash: c.hash, salt: bytes(c.salt), iterations: 1 + (c.bits % 50) }, k, c.bits * 8)); }
      default: {
        const k = await s.importKey('raw', bytes([...c.key, ...new Array(32).fill(9)]).slice(0, c.size / 8), c.kind, false, ['encrypt', 'decrypt']);
        const block = bytes([...c.salt, ...new Array(16).fill(255)]).slice(0, 16);
        const a = { name: c.kind, iv: c.kind === 'AES-GCM' ? bytes([...c.salt, ...new Array(12).fill(1)]) : block, counter: block.reverse(), length: 1 + (c.bits % 128), additionalData: bytes(c.aside), tagLength: [32, 64, 96, 104, 112, 120, 128][c.bits % 7] };
        const e = await s.encrypt(a, k, bytes(c.data)); const back = hex(await s.decrypt(a, k, e)) === hex(bytes(c.data));
        const broken = new Uint8Array(e); if (broken.length > 0) broken[0] ^= 1;
        return [hex(e), back, c.kind === 'AES-GCM' ? await error(() => s.decrypt(a, k, broken)) : 0];
      }
    }
  });`;

describe('random cases', () => {
  const byteList = (max: number): fc.Arbitrary<number[]> => fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: max });
  const record = fc.record({
    kind: fc.constantFrom('digest', 'hmac', 'hkdf', 'pbkdf2', 'AES-CBC', 'AES-CTR', 'AES-GCM'),
    hash: fc.constantFrom('SHA-1', 'SHA-256', 'SHA-384', 'SHA-512'),
    key: byteList(80), data: byteList(300), salt: byteList(40), aside: byteList(40), bits: fc.integer({ min: 0, max: 200 }), size: fc.constantFrom(128, 192, 256),
  });
  test('800 of digest, HMAC, HKDF, PBKDF2 and AES', async () => {
    for (let round = 0; round < 4; round++) {
      const cases = fc.sample(record, 200);
      const [here, there] = [await runHere(CASES, cases), await runChecks(host(), CASES, cases)];
      const wrong = cases.map((c, i) => ({ c, node: here[i], thimble: there[i] })).filter(({ node, thimble }) => JSON.stringify(node) !== JSON.stringify(thimble));
      expect(wrong).toEqual([]);
    }
  });
  test('inputs beyond what crosses at once go in pieces', async () => {
    const body = `
      const data = new Uint8Array(3_300_001).map((_, i) => i * 7 + (i >> 11));
      const key = await s.importKey('raw', new Uint8Array(32).fill(7), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign', 'verify']);
      await check('digest', async () => hex(await s.digest('SHA-512', data)));
      await check('hmac', async () => { const mac = await s.sign('HMAC', key, data); return [hex(mac), await s.verify('HMAC', key, mac, data), await s.verify('HMAC', key, mac, data.subarray(1))]; });
      for (const name of ['AES-CBC', 'AES-CTR', 'AES-GCM']) await check(name, async () => { const k = await s.importKey('raw', new Uint8Array(32).fill(7), name, false, ['encrypt', 'decrypt']); const a = { name, iv: new Uint8Array(16), counter: new Uint8Array(16).fill(255), length: 20 };
        const e = await s.encrypt(a, k, data); return [hex(await s.digest('SHA-1', e)), hex(await s.digest('SHA-1', await s.decrypt(a, k, e)))]; });
      await check('counter repeats', async () => { const k = await s.importKey('raw', new Uint8Array(32), 'AES-CTR', false, ['encrypt']); return [await error(() => s.encrypt({ name: 'AES-CTR', counter: new Uint8Array(16).fill(255), length: 17 }, k, data)), (await s.encrypt({ name: 'AES-CTR', counter: new Uint8Array(16).fill(255), length: 17 }, k, data.subarray(0, 2 ** 21))).byteLength]; });
      await check('ECDSA', async () => { const a = { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' }; const k = await s.generateKey(a, false, ['sign', 'verify']); const m = await s.sign(a, k.privateKey, data); return [await s.verify(a, k.publicKey, m, data), await s.verify(a, k.publicKey, m, data.subarray(1))]; });`;
    expect(await runChecks(host(), body)).toEqual(await runHere(body));
  });
});

describe('keys go both ways', () => {
  const { subtle } = webcrypto;
  const text = (bytes: ArrayBuffer): string => Buffer.from(bytes).toString('base64');
  const data = Buffer.from('message');
  test.each([
    ['RSASSA-PKCS1-v1_5', { hash: 'SHA-256', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) }], ['RSA-PSS', { hash: 'SHA-512', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), saltLength: 32 }],
    ['ECDSA', { namedCurve: 'P-256', hash: 'SHA-256' }], ['ECDSA', { namedCurve: 'P-521', hash: 'SHA-512' }], ['Ed25519', {}],
  ])('%s %o: signed here, verified there, and the other way', async (name, parameters) => {
    const algorithm = { name, ...parameters };
    const pair = (await subtle.generateKey(algorithm as never, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair;
    const [jwk, spki, pkcs8] = [await subtle.exportKey('jwk', pair.privateKey), await subtle.exportKey('spki', pair.publicKey), await subtle.exportKey('pkcs8', pair.privateKey)];
    const input = { jwk, spki: text(spki), pkcs8: text(pkcs8), signature: text(await subtle.sign(algorithm as never, pair.privateKey, data)), algorithm: { ...algorithm, publicExponent: undefined } };
    const got = await runChecks(host(), `
      const un = (t) => Uint8Array.from(atob(t), (c) => c.charCodeAt(0)); const b64 = (b) => btoa(String.fromCharCode(...new Uint8Array(b))); const data = new TextEncoder().encode('message'); const a = input.algorithm;
      const open = await s.importKey('spki', un(input.spki), a, true, ['verify']);
      await check('verified', () => s.verify(a, open, un(input.signature), data));
      await check('spki', async () => b64(await s.exportKey('spki', open)) === input.spki);
      for (const [format, key] of [['jwk', input.jwk], ['pkcs8', un(input.pkcs8)]]) { const secret = await s.importKey(format, key, a, true, ['sign']); await check(format, async () => b64(await s.sign(a, secret, data))); await check('pkcs8 of ' + format, async () => b64(await s.exportKey('pkcs8', secret)) === input.pkcs8); }`, input);
    expect(got).toMatchObject({ verified: true, spki: true, 'pkcs8 of jwk': true, 'pkcs8 of pkcs8': true });
    for (const format of ['jwk', 'pkcs8']) expect(await subtle.verify(algorithm as never, pair.publicKey, Buffer.from(String(got[format]), 'base64'), data)).toBe(true);
  });
  test('wrapped there, unwrapped here, in each format', async () => {
    const wrapping = await subtle.importKey('raw', Buffer.alloc(32, 3), 'AES-GCM', false, ['wrapKey']);
    const kw = await subtle.importKey('raw', Buffer.alloc(16, 3), 'AES-KW', false, ['wrapKey']);
    const gcm = { name: 'AES-GCM', iv: Buffer.alloc(12) };
    const ec = await subtle.generateKey({ name: 'ECDH', namedCurve: 'P-256' }, true, ['deriveBits']);
    const aes = await subtle.importKey('raw', Buffer.alloc(32, 5), 'AES-CBC', true, ['encrypt']);
    const input = {
      jwk: text(await subtle.wrapKey('jwk', ec.privateKey, wrapping, gcm)), pkcs8: text(await subtle.wrapKey('pkcs8', ec.privateKey, wrapping, gcm)), raw: text(await subtle.wrapKey('raw', aes, kw, 'AES-KW')), own: text(await subtle.exportKey('pkcs8', ec.privateKey)),
    };
    expect(await runChecks(host(), `
      const un = (t) => Uint8Array.from(atob(t), (c) => c.charCodeAt(0)); const b64 = (b) => btoa(String.fromCharCode(...new Uint8Array(b)));
      const k = await s.importKey('raw', new Uint8Array(32).fill(3), 'AES-GCM', false, ['unwrapKey', 'wrapKey']); const kw = await s.importKey('raw', new Uint8Array(16).fill(3), 'AES-KW', false, ['unwrapKey']); const gcm = { name: 'AES-GCM', iv: new Uint8Array(12) };
      for (const f of ['jwk', 'pkcs8']) await check(f, async () => b64(await s.exportKey('pkcs8', await s.unwrapKey(f, un(input[f]), k, gcm, { name: 'ECDH', namedCurve: 'P-256' }, true, ['deriveBits']))) === input.own);
      await check('raw', async () => hex(await s.exportKey('raw', await s.unwrapKey('raw', un(input.raw), kw, 'AES-KW', 'AES-CBC', true, ['encrypt']))));
      await check('damaged', () => error(() => s.unwrapKey('raw', un(input.raw).fill(0, 0, 3), kw, 'AES-KW', 'AES-CBC', true, ['encrypt'])));
      await check('no JWK', async () => error(async () => s.unwrapKey('jwk', await s.wrapKey('raw', await s.importKey('raw', new Uint8Array(16), 'AES-CBC', true, ['encrypt']), k, gcm), k, gcm, 'AES-CBC', true, ['encrypt'])));`, input))
      .toEqual({ jwk: true, pkcs8: true, raw: '05'.repeat(32), damaged: 'OperationError', 'no JWK': 'DataError' });
  });
});
