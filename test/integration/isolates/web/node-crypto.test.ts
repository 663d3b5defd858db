// node:crypto as bundles reach it: the same code on Node's own module gives the same, but for what is listed.
import * as nodeCrypto from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { runChecks, runHere } from '../../../support/isolates-checks.ts';
import { TestHost } from '../../../support/isolates-host.ts';

const host = TestHost.shared();

/** `c` is the module. Runs it in both: where they differ, but for what is our own, each of which must be a difference. */
async function differences(body: string, own: Readonly<Record<string, unknown>> = {}): Promise<unknown[]> {
  (globalThis as { nodeCryptoHere?: unknown }).nodeCryptoHere = nodeCrypto;
  const here = await runHere(`const c = globalThis.nodeCryptoHere; ${body}`);
  const there = await runChecks(host(), `const c = __thimble('node:crypto'); ${body}`);
  const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
  const wrong = Object.keys({ ...here, ...there }).filter((name) => !same(there[name], name in own ? own[name] : here[name]) || (name in own && same(here[name], own[name])));
  return wrong.map((name) => ({ name, node: here[name], thimble: there[name] }));
}

const rsa = nodeCrypto.generateKeyPairSync('rsa', { modulusLength: 2048 });
const PEM = { private: rsa.privateKey.export({ format: 'pem', type: 'pkcs8' }) as string, pkcs1: rsa.privateKey.export({ format: 'pem', type: 'pkcs1' }) as string, public: rsa.publicKey.export({ format: 'pem', type: 'spki' }) as string,
  encrypted: rsa.privateKey.export({ format: 'pem', type: 'pkcs8', cipher: 'aes-128-cbc', passphrase: 'x' }) as string };
const ec = nodeCrypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });
const EC_PEM = { private: ec.privateKey.export({ format: 'pem', type: 'sec1' }) as string, public: ec.publicKey.export({ format: 'pem', type: 'spki' }) as string };

describe('digests', () => {
  test('createHash, createHmac and hash', async () => {
    expect(await differences(`
      for (const h of ['md5', 'sha1', 'sha224', 'sha256', 'SHA-256', 'RSA-SHA512', 'sha384', 'sha512', 'sha512-256', 'sha3-256', 'ripemd160']) await check(h, () => c.createHash(h).update('a').update(new Uint8Array([1, 2])).update('ff00', 'hex').digest('hex'));
      for (const e of ['hex', 'base64', 'base64url', 'latin1', 'binary']) await check(e, () => c.createHash('sha1').update('x').digest(e));
      await check('bytes', () => { const d = c.createHash('sha256').digest(); return [d instanceof Uint8Array, hex(d)]; });
      await check('copy', () => { const a = c.createHash('sha1').update('a'); const b = a.copy().update('b'); return [a.digest('hex'), b.digest('hex')]; });
      await check('twice', () => error(() => { const a = c.createHash('sha1'); a.digest(); a.digest(); })); await check('unknown', async () => (await error(() => c.createHash('nope'))) !== 'none'); await check('wrong data', () => error(() => c.createHash('sha1').update(5)));
      await check('base64 in', () => c.createHash('sha1').update('_-8=', 'base64').digest('hex'));
      for (const k of ['key', new Uint8Array(100), new Uint8Array()]) await check('hmac ' + k.length, () => c.createHmac('sha256', k).update('data').digest('hex'));
      await check('hmac by KeyObject', () => c.createHmac('sha512', c.createSecretKey(new Uint8Array(10).fill(3))).update('x').digest('base64'));
      await check('hash', () => [c.hash('sha1', 'x'), c.hash('sha256', new Uint8Array(3), 'base64')]);
      await check('lists', () => ['sha256', 'sha512', 'sha1', 'RSA-SHA256'].every((h) => c.getHashes().includes(h)) && c.getCiphers().includes('aes-256-gcm') && c.getCurves().includes('prime256v1'));`)).toEqual([]);
  });
});

describe('randomness', () => {
  test('sizes, ranges and errors', async () => {
    expect(await differences(`
      await check('bytes', () => [c.randomBytes(0).length, c.randomBytes(10).length, c.randomBytes(200_000).length]); await check('callback', () => new Promise((done) => c.randomBytes(5, (e, b) => done([e, b.length]))));
      await check('negative', () => error(() => c.randomBytes(-1))); await check('huge', () => error(() => c.randomBytes(2 ** 32)));
      await check('fill', () => { const a = new Uint8Array(20); const same = c.randomFillSync(a, 5, 10) === a; return [same, a.slice(0, 5).join(), a.slice(15).join(), a.some((v) => v)]; }); await check('fill of words', () => { const a = new Uint32Array(9); c.randomFillSync(a, 3); return [a.slice(0, 3).join(), a.slice(3).some((v) => v)]; });
      await check('fill beyond', () => error(() => c.randomFillSync(new Uint8Array(4), 5))); await check('fill later', () => new Promise((done) => c.randomFill(new Uint8Array(4), (e, b) => done([e, b.length]))));
      await check('int', () => { const seen = new Set(); for (let i = 0; i < 300; i++) { const n = c.randomInt(3, 7); if (n < 3 || n > 6) return n; seen.add(n); } return seen.size; }); await check('int below', () => [c.randomInt(1), c.randomInt(-3, -2)]);
      await check('int range', async () => [await error(() => c.randomInt(5, 5)), await error(() => c.randomInt(0, 2 ** 48)), await error(() => c.randomInt(0.5))]); await check('int later', () => new Promise((done) => c.randomInt(1, (e, n) => done([e ?? null, n]))));
      await check('uuid', () => /^[0-9a-f-]{36}$/.test(c.randomUUID()));
      await check('equal', async () => [c.timingSafeEqual(new Uint8Array([1, 2]), new Uint8Array([1, 2])), c.timingSafeEqual(new Uint8Array([1, 2]), new Uint8Array([1, 3])), await error(() => c.timingSafeEqual(new Uint8Array(1), new Uint8Array(2))), await error(() => c.timingSafeEqual('a', 'a'))]);
      await check('webcrypto', () => [c.webcrypto === crypto, c.getRandomValues(new Uint8Array(4)).length, c.constants.RSA_PKCS1_PSS_PADDING]);`)).toEqual([]);
  });
});

describe('ciphers', () => {
  test('AES in three modes, to and from text', async () => {
    expect(await differences(`
      const key = (n) => new Uint8Array(n).fill(7); const iv = new Uint8Array(16).map((_, i) => i);
      for (const bits of [128, 192, 256]) for (const mode of ['cbc', 'ctr', 'gcm']) await check(mode + bits, () => { const a = c.createCipheriv('aes-' + bits + '-' + mode, key(bits / 8), iv); if (mode === 'gcm') a.setAAD(new Uint8Array([1, 2])); let out = a.update('some text', 'utf8', 'hex'); out += a.update(new Uint8Array(20), null, 'hex'); out += a.final('hex');
        const tag = mode === 'gcm' ? hex(a.getAuthTag()) : ''; const d = c.createDecipheriv('AES-' + bits + '-' + mode, key(bits / 8), iv); if (mode === 'gcm') { d.setAAD(new Uint8Array([1, 2])); d.setAuthTag(unhex(tag)); } return [out, tag, d.update(out, 'hex', 'utf8') + d.final('utf8')]; });
      await check('unpadded', () => { const a = c.createCipheriv('aes-128-cbc', key(16), iv).setAutoPadding(false); const one = hex(a.update(new Uint8Array(32))); return one + hex(a.final()); });
      await check('short tag', () => { const a = c.createCipheriv('aes-128-gcm', key(16), iv, { authTagLength: 12 }); a.update('x'); a.final(); return a.getAuthTag().length; });
      await check('wrong tag', async () => { const d = c.createDecipheriv('aes-128-gcm', key(16), iv); d.setAuthTag(new Uint8Array(16)); d.update(new Uint8Array(5)); return (await error(() => d.final())) !== 'none'; });
      await check('errors', async () => [await error(() => c.createCipheriv('nope', key(16), iv)), await error(() => c.createCipheriv('aes-128-cbc', key(17), iv)), await error(() => c.createCipheriv('aes-128-cbc', key(16), iv.slice(1)))]);
      await check('after final', async () => { const a = c.createCipheriv('aes-128-cbc', key(16), iv); a.final(); return (await error(() => a.final())) !== 'none'; });`)).toEqual([]);
  });
});

describe('keys and signatures', () => {
  test('PEM, DER and JWK, KeyObject, sign and verify', async () => {
    expect(await differences(`
      const PEM = ${JSON.stringify(PEM)}; const EC = ${JSON.stringify(EC_PEM)};
      for (const [name, pem] of Object.entries({ pkcs8: PEM.private, pkcs1: PEM.pkcs1, sec1: EC.private })) await check(name, () => { const k = c.createPrivateKey(pem); const p = c.createPublicKey(pem); return [k.type, k.asymmetricKeyType, String(k.asymmetricKeyDetails.modulusLength ?? k.asymmetricKeyDetails.namedCurve), k.export({ format: 'pem', type: 'pkcs8' }), p.type, hex(p.export({ format: 'der', type: 'spki' })), JSON.stringify(Object.entries(k.export({ format: 'jwk' })).sort())]; });
      await check('der', () => { const der = c.createPrivateKey(PEM.private).export({ format: 'der', type: 'pkcs8' }); return c.createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }).equals(c.createPrivateKey(PEM.pkcs1)); });
      await check('jwk', () => { const jwk = c.createPublicKey(EC.public).export({ format: 'jwk' }); return c.createPublicKey({ key: jwk, format: 'jwk' }).export({ format: 'pem', type: 'spki' }) === EC.public; });
      await check('secret', () => { const k = c.createSecretKey('ff00', 'hex'); return [k.type, k.symmetricKeySize, hex(k.export()), k.export({ format: 'jwk' }).k, k.asymmetricKeyType ?? null]; });
      await check('pkcs1 signature', () => hex(c.sign('sha256', new Uint8Array(5), PEM.private))); await check('createSign', () => c.createSign('RSA-SHA256').update('a').update('b').sign(PEM.private, 'base64'));
      await check('round trips', () => [['sha256', PEM.private, PEM.public], ['sha512', { key: PEM.private, padding: 6, saltLength: 20 }, { key: PEM.public, padding: 6, saltLength: 20 }], ['sha1', { key: PEM.private, padding: 6 }, { key: PEM.public, padding: 6 }], ['sha256', EC.private, EC.public], ['sha256', { key: EC.private, dsaEncoding: 'ieee-p1363' }, { key: EC.public, dsaEncoding: 'ieee-p1363' }]]
        .map(([h, a, b]) => { const m = c.sign(h, new Uint8Array(5), a); return [c.verify(h, new Uint8Array(5), b, m), c.verify(h, new Uint8Array(4), b, m), c.createVerify(h).update(new Uint8Array(5)).verify(b, m)]; }));
      await check('ed25519', () => { const k = c.generateKeyPairSync('ed25519'); const m = c.sign(null, new Uint8Array(3), k.privateKey); return [m.length, c.verify(null, new Uint8Array(3), k.publicKey, m), k.publicKey.asymmetricKeyType]; });
      await check('agreement', () => { const [a, b] = [c.generateKeyPairSync('x25519'), c.generateKeyPairSync('x25519')]; return hex(c.diffieHellman({ privateKey: a.privateKey, publicKey: b.publicKey })) === hex(c.diffieHellman({ privateKey: b.privateKey, publicKey: a.publicKey })); });
      await check('encodings', () => { const k = c.generateKeyPairSync('ec', { namedCurve: 'P-384', publicKeyEncoding: { format: 'pem', type: 'spki' }, privateKeyEncoding: { format: 'pem', type: 'pkcs8' } }); return [k.publicKey.slice(0, 26), k.privateKey.slice(0, 27)]; });
      await check('rsa pair', () => new Promise((done) => c.generateKeyPair('rsa', { modulusLength: 1024 }, (e, p, k) => done([e ?? null, p.type, k.asymmetricKeyDetails.modulusLength]))));
      await check('oaep', () => { const e = c.publicEncrypt({ key: PEM.public, oaepHash: 'sha256' }, new Uint8Array([1, 2])); return hex(c.privateDecrypt({ key: PEM.private, oaepHash: 'sha256' }, e)); });
      await check('no key', async () => (await Promise.all([() => c.createPrivateKey('nope'), () => c.createPrivateKey(PEM.public), () => c.createPublicKey(''), () => c.createPrivateKey(PEM.encrypted)].map(error))).map((e) => e !== 'none'));`)).toEqual([]);
  });
});

describe('derivation', () => {
  test('pbkdf2, scrypt and hkdf', async () => {
    expect(await differences(`
      await check('pbkdf2', () => [hex(c.pbkdf2Sync('pw', 'salt', 1000, 40, 'sha512')), hex(c.pbkdf2Sync(new Uint8Array(3), new Uint8Array(), 1, 5, 'sha1'))]); await check('pbkdf2 later', () => new Promise((done) => c.pbkdf2('pw', 'salt', 1000, 40, 'sha256', (e, k) => done([e, hex(k)]))));
      await check('scrypt', () => [hex(c.scryptSync('pw', 'salt', 32, { N: 1024 })), hex(c.scryptSync('', '', 16, { cost: 16, blockSize: 1, parallelization: 1 }))]); await check('scrypt later', () => new Promise((done) => c.scrypt('pw', 'salt', 64, (e, k) => done([e, hex(k)]))));
      await check('hkdf', () => hex(c.hkdfSync('sha256', 'key', 'salt', 'info', 42))); await check('hkdf later', () => new Promise((done) => c.hkdf('sha512', 'key', 'salt', 'info', 64, (e, k) => done([e ?? null, hex(k)]))));
      await check('bad', async () => (await Promise.all([() => c.pbkdf2Sync('a', 'b', 0, 10, 'sha1'), () => c.pbkdf2Sync('a', 'b', 1, 10, 'nope'), () => c.scryptSync('a', 'b', 10, { N: 15 }), () => c.hkdfSync('sha1', 'a', 'b', 'c', 20 * 255 + 1)].map(error))).map((e) => e !== 'none'));`)).toEqual([]);
  });
  test('what takes long is refused', async () => {
    expect(await runChecks(host(), `const c = __thimble('node:crypto');
      await check('sync', async () => [await error(() => c.pbkdf2Sync('a', 'b', 50_000_000, 32, 'sha256')), await error(() => c.scryptSync('a', 'b', 32, { N: 2 ** 20, r: 1, maxmem: 2 ** 31 })), await error(() => c.scryptSync('a', 'b', 32, { N: 2 ** 14, r: 8, p: 1000 }))]);
      await check('later', () => new Promise((done) => { try { c.pbkdf2('a', 'b', 2 ** 31 - 1, 64, 'sha512', (e) => done(e.code)); } catch (e) { done('threw ' + e.code); } }));`))
      .toEqual({ sync: ['Error ERR_CRYPTO_OPERATION_FAILED', 'Error ERR_CRYPTO_OPERATION_FAILED', 'Error ERR_CRYPTO_OPERATION_FAILED'], later: 'ERR_CRYPTO_OPERATION_FAILED' });
  });
  test('Buffers come once the bundle has handed over its class', async () => {
    expect(await runChecks(host(), `const c = __thimble('node:crypto'); class Mine extends Uint8Array { static from(buffer, at, n) { return new Mine(buffer, at, n); } }
      c.setBuffer(Mine); await check('types', () => [c.randomBytes(3) instanceof Mine, c.createHash('sha1').digest() instanceof Mine, c.createCipheriv('aes-128-ctr', new Uint8Array(16), new Uint8Array(16)).update('x') instanceof Mine]);`)).toEqual({ types: [true, true, true] });
  });
});
