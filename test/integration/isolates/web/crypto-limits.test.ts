// What cryptography may cost: keys that neither leak nor stop working, work that is refused or charged, neighbours that go on.
import { describe, expect, test } from 'vitest';
import { checksSource, runChecks } from '../../../support/isolates-checks.ts';
import { TestHost } from '../../../support/isolates-host.ts';

const host = TestHost.shared();

async function residentMb(pid: number): Promise<number> {
  const { readFile } = await import('node:fs/promises');
  return Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1_024;
}

describe('keys', () => {
  test('every one of a thousand live keys works, though the host holds a few', async () => {
    expect(await runChecks(host(), `
      const keys = []; for (let i = 0; i < 1000; i++) keys.push(await s.importKey('raw', new Uint8Array(16).fill(i & 255), { name: 'HMAC', hash: 'SHA-256' }, true, ['sign', 'verify']));
      const pairs = []; for (let i = 0; i < 100; i++) pairs.push(await s.generateKey({ name: 'ECDH', namedCurve: 'P-256' }, false, ['deriveBits']));
      await check('secret', async () => { let right = 0; for (let i = 0; i < 1000; i++) if (new Uint8Array(await s.exportKey('raw', keys[i]))[3] === (i & 255)) right++; return right; });
      await check('sign', async () => { let right = 0; for (let i = 0; i < 1000; i += 7) { const m = await s.sign('HMAC', keys[i], new Uint8Array(3)); if (await s.verify('HMAC', keys[i], m, new Uint8Array(3))) right++; } return right; });
      await check('agree', async () => { let right = 0; for (let i = 0; i < 99; i++) { const [a, b] = [pairs[i], pairs[i + 1]]; if (hex(await s.deriveBits({ name: 'ECDH', public: b.publicKey }, a.privateKey, 256)) === hex(await s.deriveBits({ name: 'ECDH', public: a.publicKey }, b.privateKey, 256))) right++; } return right; });
      await check('not extractable', () => error(() => s.exportKey('pkcs8', pairs[0].privateKey)));`))
      .toEqual({ secret: 1000, sign: 143, agree: 99, 'not extractable': 'InvalidAccessError' });
  });
  test('a function that imports a key per request for long neither leaks nor fails', async () => {
    const target = await host().deploy(`export default { async fetch() { for (let i = 0; i < 500; i++) { const k = await crypto.subtle.importKey('raw', new Uint8Array(64).fill(i), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']); await crypto.subtle.sign('HMAC', k, new Uint8Array(8)); }
      const e = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']); for (let i = 0; i < 20; i++) await crypto.subtle.importKey('jwk', await crypto.subtle.exportKey('jwk', e.publicKey), { name: 'ECDSA', namedCurve: 'P-256' }, true, ['verify']); return new Response('ok'); } };`, { cpuMs: 5_000, memoryMb: 16 });
    const pid = host().process.pid ?? 0;
    for (let i = 0; i < 20; i++) expect(await host().text(target)).toBe('ok');
    const before = await residentMb(pid);
    for (let i = 0; i < 60; i++) expect(await host().text(target)).toBe('ok');
    expect((await residentMb(pid)) - before).toBeLessThan(40);
  });
  test('a key outlives the invocation that made it', async () => {
    const target = await host().deploy(`let kept; export default { async fetch() { kept ??= await crypto.subtle.generateKey({ name: 'HMAC', hash: 'SHA-1' }, true, ['sign']); return new Response(btoa(String.fromCharCode(...new Uint8Array(await crypto.subtle.sign('HMAC', kept, new Uint8Array(1)))))); } };`);
    expect(await host().text(target)).toBe(await host().text(target));
  });
});

describe('work that would dodge the CPU limit', () => {
  const refused = async (body: string, settings: { cpuMs?: number } = {}): Promise<unknown> => (await runChecks(host(), `await check('it', ${body});`, undefined, settings))['it'];

  test('is refused before it begins', async () => {
    const pbkdf2 = (iterations: string, bits: string) => `async () => error(async () => s.deriveBits({ name: 'PBKDF2', hash: 'SHA-512', salt: new Uint8Array(8), iterations: ${iterations} }, await s.importKey('raw', new Uint8Array(8), 'PBKDF2', false, ['deriveBits']), ${bits}))`;
    expect(await refused(pbkdf2('2 ** 31 - 1', '256'))).toBe('OperationError');
    expect(await refused(pbkdf2('4294967295', '256'))).toBe('OperationError');
    expect(await refused(pbkdf2('1_000_000', '524288'), { cpuMs: 1_000 })).toBe('OperationError');
    expect(await refused(pbkdf2('1', '4294967288'))).toBe('OperationError');
    expect(await refused(`() => error(() => s.generateKey({ name: 'RSA-PSS', hash: 'SHA-1', modulusLength: 16384, publicExponent: new Uint8Array([1, 0, 1]) }, false, ['sign']))`)).toBe('OperationError');
    expect(await refused(`() => error(() => s.generateKey({ name: 'RSA-PSS', hash: 'SHA-1', modulusLength: 4096, publicExponent: new Uint8Array([1, 0, 1]) }, false, ['sign']))`, { cpuMs: 100 })).toBe('OperationError');
    expect(await refused(`() => error(() => s.generateKey({ name: 'HMAC', hash: 'SHA-1', length: 4294967295 }, false, ['sign']))`)).toBe('OperationError');
    expect(await refused(`() => error(() => s.importKey('raw', new Uint8Array(70_000), 'HKDF', false, ['deriveBits']))`)).toBe('DataError');
  });
  test('is charged when it is done', async () => {
    const target = await host().deploy(checksSource(`const k = await s.importKey('raw', new Uint8Array(8), 'PBKDF2', false, ['deriveBits']);
      await check('it', async () => (await s.deriveBits({ name: 'PBKDF2', hash: 'SHA-256', salt: new Uint8Array(8), iterations: 200_000 }, k, 256)).byteLength);`), { cpuMs: 2_000, debug: true });
    const answer = await host().call(target);
    expect([answer.code, answer.body.toString()]).toEqual([null, '{"it":32}']);
    expect(answer.cpuUs).toBeGreaterThan(20_000);
  });
  test('a thousand RSA keys at once: the budget ends it, and neighbours answer all the while', async () => {
    const neighbour = await host().deploy(`export default { fetch: () => new Response('here') };`);
    expect(await host().text(neighbour)).toBe('here');
    const target = await host().deploy(checksSource(`const make = () => error(() => s.generateKey({ name: 'RSA-OAEP', hash: 'SHA-1', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) }, false, ['decrypt']));
      const all = await Promise.all(Array.from({ length: 1000 }, make)); await check('it', () => all.filter((e) => e === 'none').length < 50 && all.includes('OperationError'));`), { cpuMs: 1_000, debug: true });
    const running = host().call(target);
    const slowest: number[] = [];
    for (let i = 0; i < 50; i++) {
      const answer = await host().call(neighbour);
      expect(answer.body.toString()).toBe('here');
      slowest.push(answer.ms);
    }
    expect(Math.max(...slowest)).toBeLessThan(1_500);
    const answer = await running;
    expect(answer.code ?? answer.body.toString()).toMatch(/^(?:cpu_limit_exceeded|\{"it":true\})$/);
    expect(await host().text(neighbour)).toBe('here');
  });
  test('private keys that would take long are refused', async () => {
    const huge = 'A'.repeat(5_000);
    expect(await runChecks(host(), `
      const k = await s.generateKey({ name: 'RSA-PSS', hash: 'SHA-1', modulusLength: 1024, publicExponent: new Uint8Array([1, 0, 1]) }, true, ['sign', 'verify']); const jwk = await s.exportKey('jwk', k.privateKey);
      for (const part of ['d', 'dp', 'dq', 'qi', 'p', 'e']) await check(part, () => error(() => s.importKey('jwk', { ...jwk, [part]: 'B${huge}' }, { name: 'RSA-PSS', hash: 'SHA-1' }, true, ['sign'])));
      await check('long', () => error(() => s.importKey('jwk', { ...jwk, n: 'B'.repeat(20_000) }, { name: 'RSA-PSS', hash: 'SHA-1' }, true, ['sign'])));`))
      .toEqual({ d: 'DataError', dp: 'DataError', dq: 'DataError', qi: 'DataError', p: 'DataError', e: 'DataError', long: 'DataError' });
  });
});

test('keys that take long to parse are refused before they are', async () => {
  // A DSA key of 16 KB: OpenSSL computes its public half while parsing, for half a minute.
  const value = (tag: number, bytes: Uint8Array): Buffer => Buffer.concat([Buffer.from(bytes.length < 128 ? [tag, bytes.length] : [tag, 0x82, bytes.length >> 8, bytes.length & 255]), bytes]);
  const number = (): Buffer => value(2, Buffer.alloc(3_900, 0x7b));
  const parameters = value(0x30, Buffer.concat([number(), number(), number()]));
  const der = value(0x30, Buffer.concat([Buffer.from([2, 1, 0]), value(0x30, Buffer.concat([Buffer.from('06072a8648ce380401', 'hex'), parameters])), value(4, number())]));
  expect(der.length).toBeLessThan(16_384);
  const started = performance.now();
  expect(await runChecks(host(), `
    const der = Uint8Array.from(atob(input), (c) => c.charCodeAt(0)); const c = __thimble('node:crypto');
    for (const [name, usages] of [['ECDSA', ['sign']], ['RSA-PSS', ['sign']], ['Ed25519', ['sign']], ['X25519', ['deriveBits']]]) await check(name, () => error(() => s.importKey('pkcs8', der, { name, namedCurve: 'P-256', hash: 'SHA-1' }, true, usages)));
    await check('der', () => error(() => c.createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })));
    await check('pem', () => error(() => c.createPrivateKey('-----BEGIN PRIVATE KEY-----\\n' + btoa(String.fromCharCode(...der.subarray(0, 9000))) + '\\n-----END PRIVATE KEY-----')));
    await check('public', () => error(() => c.createPublicKey({ key: der, format: 'der', type: 'pkcs8' })));`, der.toString('base64')))
    .toEqual({ ECDSA: 'DataError', 'RSA-PSS': 'DataError', Ed25519: 'DataError', X25519: 'DataError', der: 'Error ERR_CRYPTO_OPERATION_FAILED', pem: 'Error ERR_CRYPTO_OPERATION_FAILED', public: 'Error ERR_CRYPTO_OPERATION_FAILED' });
  expect(performance.now() - started).toBeLessThan(3_000);
});

describe('a tenant that patches intrinsics', () => {
  test('gets no sealed key, no handle and no byte of the supply of randomness', async () => {
    expect(await runChecks(host(), `
      const caught = []; const trap = (what) => function (...args) { caught.push(what); return Reflect.apply(trap.old.get(what) ?? (() => undefined), this, args); }; trap.old = new Map();
      const before = await s.importKey('raw', new Uint8Array(16).fill(1), 'AES-GCM', true, ['encrypt', 'decrypt']);
      for (const [holder, name] of [[Promise.prototype, 'then'], [Map.prototype, 'get'], [Uint8Array.prototype.__proto__, 'subarray'], [Uint8Array.prototype.__proto__, 'slice'], [Uint8Array.prototype.__proto__, 'set'], [Uint8Array.prototype.__proto__, 'fill'], [ArrayBuffer.prototype, 'slice'], [Function.prototype, 'call'], [Function.prototype, 'apply'], [Array.prototype, 'push'], [Array.prototype, 'map'], [String.prototype, 'slice'], [JSON, 'stringify'], [JSON, 'parse'], [Reflect, 'apply']]) { const old = holder[name]; holder[name] = function (...args) { caught.push(name); return Reflect.construct(Function, ['f', 't', 'a', 'return f(...a)']).length ? old.bind(this)(...args) : 0; }; }
      Object.defineProperty(Uint8Array.prototype, 'constructor', { get() { caught.push('species'); return Uint8Array; }, configurable: true });
      Object.prototype.toJSON = undefined;
      caught.length = 0;
      const random = crypto.getRandomValues(new Uint8Array(20)); const e = await s.encrypt({ name: 'AES-GCM', iv: random }, before, random); const d = await s.decrypt({ name: 'AES-GCM', iv: random }, before, e); await s.digest('SHA-256', random);
      const pair = await s.generateKey('Ed25519', true, ['sign', 'verify']); const m = await s.sign('Ed25519', pair.privateKey, random); const ok = await s.verify('Ed25519', pair.publicKey, m, random); const seen = [...caught];
      delete Object.prototype.toJSON;
      await check('seen', () => seen); await check('works', () => [ok, d.byteLength]);`)).toEqual({ seen: [], works: [true, 20] });
  });
});
