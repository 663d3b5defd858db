// Area 2, cryptography: Web Crypto's primitives and Node's, on keys that never enter the isolate.
import { createPublicKey, diffieHellman, generateKeyPair, hkdfSync, pbkdf2, pbkdf2Sync, privateDecrypt, publicEncrypt, randomBytes, scrypt, scryptSync, constants } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { Invocation } from '../../invocation.ts';
import { exact } from '../../isolate-bodies.ts';
import { CRYPTO, FORGOTTEN, KEEP, MAX_ENCODED_KEY, MAX_PARAMETER_BYTES, MAX_PRIVATE_MODULUS_BITS } from '../../runtime/abi-crypto.ts';
import { MAX_CROSSING } from '../../runtime/abi.ts';
import type { AreaIsolate, OperationArea } from '../area.ts';
import { bytesOf, hashName, intOf, textOf } from './arguments.ts';
import { exportKey, generateCurve, importKey, isCurve, kindOf, parseKey } from './asymmetric-keys.ts';
import type { KeyFormat } from './asymmetric-keys.ts';
import { CryptoFailure, orFail } from './failure.ts';
import { heavyWorks, pbkdf2Us, requireBudget, rsaUs, scryptUs } from './heavy-work.ts';
import { KeyRing } from './secrets.ts';
import type { StoredKey } from './secrets.ts';
import { cipherStream, digest, digestStream, hmacStream, runOnce, signatureStream } from './streams.ts';
import type { DataStream, SignatureScheme } from './streams.ts';

/** Derivations within a call hold the loop, so they must be short even where the budget is large; microseconds. */
const MAX_SYNC_US = 250_000;
/** Derived bytes. */
const MAX_DERIVED_BYTES = 65_536;
/** Memory of one scrypt, bytes: Node's own default. */
const MAX_SCRYPT_BYTES = 33_554_432;

/** Thrown inside, answered as `FORGOTTEN`. */
const NOT_LIVE = Symbol('not live');

export class CryptoArea implements OperationArea {
  readonly #isolate: AreaIsolate;
  readonly #keys = new KeyRing();
  /** The runtime feeds one after the other. */
  #stream: DataStream | null = null;

  constructor(isolate: AreaIsolate) {
    this.#isolate = isolate;
  }

  run(code: number, owner: Invocation, a: unknown, b: unknown, c: unknown, d: unknown, e: unknown, f: unknown): unknown {
    try {
      const result = this.#operation(code, owner, a, b, c, d, e, f);
      return Buffer.isBuffer(result) ? exact(result) : result;
    } catch (error) {
      if (error === NOT_LIVE) return FORGOTTEN;
      if (error instanceof CryptoFailure) return error.toString();
      throw new TypeError('no such operation', { cause: error });
    }
  }

  release(owner: Invocation): void {
    heavyWorks.drop((work) => work.owner === owner && work.isolate === this.#isolate);
  }

  close(): void {
    heavyWorks.drop((work) => work.isolate === this.#isolate);
    this.#keys.close();
    this.#stream = null;
  }

  #operation(code: number, owner: Invocation, a: unknown, b: unknown, c: unknown, d: unknown, e: unknown, f: unknown): unknown {
    switch (code) {
      case CRYPTO.digest:
        return b === undefined ? this.#open(digestStream(hashName(a))) : digest(hashName(a), bytesOf(b, MAX_CROSSING));
      case CRYPTO.streamUpdate:
        return this.#opened().update(bytesOf(a, MAX_CROSSING));
      case CRYPTO.streamEnd: {
        const stream = this.#opened();
        this.#stream = null;
        return stream.end();
      }
      case CRYPTO.keySecret:
        return this.#importSecret(a, b === 1, intOf(c, 0, MAX_PARAMETER_BYTES * 8));
      case CRYPTO.keyImport: {
        const object = importKey(textOf(a, 8) as KeyFormat, textOf(b, 16), c);
        return this.#describeObject(object, d === 1);
      }
      case CRYPTO.keyGenerate:
        return this.#generate(textOf(a, 16), b === 1, c);
      case CRYPTO.keyGenerateRsa:
        return this.#generateRsa(owner, intOf(a, 0, Number.MAX_SAFE_INTEGER), intOf(b, 0, 2 ** 32), c, d === 1);
      case CRYPTO.keyRestore:
        this.#keys.restore(intOf(a, 1, Number.MAX_SAFE_INTEGER), String(b));
        return 1;
      case CRYPTO.keyExport:
        return this.#export(a, textOf(b, 16));
      case CRYPTO.keyParse:
        return this.#parse(textOf(a, 24), b);
      case CRYPTO.keyPublic:
        return this.#describeObject(createPublicKey(this.#object(a, 'private') as never), true);
      case CRYPTO.hmac:
        return this.#data(hmacStream(hashName(b), this.#secret(a)), c);
      case CRYPTO.hmacVerify:
        return this.#data(hmacStream(hashName(b), this.#secret(a), bytesOf(d, MAX_CROSSING)), c);
      case CRYPTO.encrypt:
      case CRYPTO.decrypt:
        return this.#cipher(code === CRYPTO.encrypt, a, b, c, d, e, f);
      case CRYPTO.sign:
        return this.#data(signatureStream(this.#object(a, 'private'), textOf(b, 16) as SignatureScheme, d === '' ? '' : hashName(d), intOf(e, -2, 2 ** 31 - 1)), c);
      case CRYPTO.verify:
        return this.#data(signatureStream(this.#object(a, undefined), textOf(b, 16) as SignatureScheme, d === '' ? '' : hashName(d), intOf(e, -2, 2 ** 31 - 1), bytesOf(f, MAX_ENCODED_KEY)), c);
      case CRYPTO.rsaEncrypt:
      case CRYPTO.rsaDecrypt:
        return this.#rsa(code === CRYPTO.rsaEncrypt, a, b, bytesOf(c, MAX_CROSSING), bytesOf(d, MAX_PARAMETER_BYTES));
      case CRYPTO.agree: {
        const privateKey = this.#object(a, 'private');
        const publicKey = this.#object(b, 'public');
        const secret = orFail('OperationError', 'the keys do not agree on a secret', () => diffieHellman({ privateKey, publicKey }));
        return this.#derived(secret, intOf(c, -1, 2 ** 32), d);
      }
      case CRYPTO.hkdf: {
        const bits = intOf(e, 0, 2 ** 32);
        const [hash, salt, info] = [hashName(b), bytesOf(c, MAX_PARAMETER_BYTES), bytesOf(d, MAX_PARAMETER_BYTES)];
        if (bits > MAX_DERIVED_BYTES * 8) throw new CryptoFailure('OperationError', 'the length is out of range');
        const key = this.#secret(a);
        return this.#derived(orFail('OperationError', 'the parameters are out of range', () => (bits === 0 ? Buffer.alloc(0) : Buffer.from(hkdfSync(hash, key, salt, info, bits / 8)))), bits, f);
      }
      case CRYPTO.pbkdf2:
      case CRYPTO.pbkdf2Sync:
        return this.#pbkdf2(owner, code, a, b, hashName(c), bytesOf(d, MAX_PARAMETER_BYTES), intOf(e, 0, 2 ** 32), textOf(f, 32));
      case CRYPTO.scrypt:
      case CRYPTO.scryptSync:
        return this.#scrypt(owner, code, a, b, bytesOf(c, MAX_PARAMETER_BYTES), textOf(d, 128));
      default:
        throw new TypeError('unknown operation');
    }
  }

  // ---- data, whole or in pieces ----

  #data(stream: DataStream, data: unknown): unknown {
    return data === undefined ? this.#open(stream) : runOnce(stream, bytesOf(data, MAX_CROSSING));
  }

  #open(stream: DataStream): number {
    this.#stream = stream;
    return 1;
  }

  #opened(): DataStream {
    if (this.#stream === null) throw new TypeError('no stream is open');
    return this.#stream;
  }

  #cipher(encrypts: boolean, handle: unknown, name: unknown, data: unknown, iv: unknown, additional: unknown, tag: unknown): unknown {
    const key = this.#secret(handle);
    const bounded = additional === undefined ? undefined : bytesOf(additional, MAX_CROSSING);
    const tagOrBits = typeof tag === 'number' ? intOf(tag, 0, 128) : bytesOf(tag ?? Buffer.alloc(0), 16);
    return this.#data(cipherStream(encrypts, textOf(name, 24), key, bytesOf(iv, MAX_CROSSING), bounded, tagOrBits), data);
  }

  #rsa(encrypts: boolean, handle: unknown, hash: unknown, data: Uint8Array, label: Uint8Array): Buffer {
    const key = this.#object(handle, encrypts ? undefined : 'private');
    const options = { key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: hashName(hash), ...(label.length === 0 ? {} : { oaepLabel: label }) };
    return orFail('OperationError', encrypts ? 'the message is too long for the key' : 'the data can not be decrypted', () => (encrypts ? publicEncrypt(options, data) : privateDecrypt(options, data)));
  }

  // ---- keys ----

  #stored(handle: unknown): StoredKey {
    const key = this.#keys.get(intOf(handle, 1, Number.MAX_SAFE_INTEGER));
    if (key === undefined) throw NOT_LIVE;
    return key;
  }

  #secret(handle: unknown): Buffer {
    const key = this.#stored(handle);
    if (key.type !== 'secret') throw new TypeError('a secret key is expected');
    return key.bytes;
  }

  #object(handle: unknown, type: 'public' | 'private' | undefined): KeyObject {
    const key = this.#stored(handle);
    if (key.type === 'secret' || (type !== undefined && key.type !== type)) throw new TypeError(`a ${type} key is expected`);
    return key.object;
  }

  #importSecret(data: unknown, extractable: boolean, bits: number): string {
    if (typeof data === 'string' && !/^[A-Za-z0-9_-]*$/.test(data)) throw new CryptoFailure('DataError', 'the key is not base64url');
    const bytes = typeof data === 'string' ? Buffer.from(textOf(data, 2 * MAX_PARAMETER_BYTES), 'base64url') : Buffer.from(bytesOf(data, MAX_CROSSING));
    if (bytes.length > MAX_PARAMETER_BYTES) throw new CryptoFailure('DataError', `secret keys have up to ${MAX_PARAMETER_BYTES} bytes`);
    const over = bytes.length * 8 - bits;
    if (bits !== 0 && (over < 0 || over >= 8)) throw new CryptoFailure('DataError', 'the key has another length');
    return this.#describeSecret(masked(bytes, bits === 0 ? bytes.length * 8 : bits), extractable);
  }

  /** @param bytes  kept: nobody else may hold them */
  #describeSecret(bytes: Buffer, extractable: boolean): string {
    const { handle, sealed } = this.#keys.add({ type: 'secret', bytes, extractable });
    return `${handle}\nsecret\n${bytes.length * 8}\n\n${sealed}`;
  }

  #describeObject(object: KeyObject, extractable: boolean): string {
    const type = object.type as 'public' | 'private';
    const kind = kindOf(object);
    const details = object.asymmetricKeyDetails;
    const { handle, sealed } = this.#keys.add({ type, object, extractable });
    return `${handle}\n${type}\n${kind === 'rsa' ? details?.modulusLength : kind}\n${kind === 'rsa' ? (details?.publicExponent ?? 0n).toString(16) : ''}\n${sealed}`;
  }

  #generate(kind: string, extractable: boolean, bits: unknown): string {
    if (isCurve(kind)) {
      const { publicKey, privateKey } = generateCurve(kind);
      return `${this.#describeObject(publicKey, true)}\n${this.#describeObject(privateKey, extractable)}`;
    }
    const count = intOf(bits, 1, 2 ** 32);
    if (count > MAX_PARAMETER_BYTES * 8) throw new CryptoFailure('OperationError', `secret keys have up to ${MAX_PARAMETER_BYTES} bytes`);
    return this.#describeSecret(masked(randomBytes(Math.ceil(count / 8)), count), extractable);
  }

  #generateRsa(owner: Invocation, id: number, bits: number, exponent: unknown, extractable: boolean): undefined {
    if (bits < 512 || bits > MAX_PRIVATE_MODULUS_BITS) throw new CryptoFailure('OperationError', `a modulus has 512 to ${MAX_PRIVATE_MODULUS_BITS} bits`);
    const publicExponent = exponent === 3 ? 3 : 65_537;
    let result: (() => string) | null = null;
    heavyWorks.add({
      isolate: this.#isolate,
      owner,
      estimateUs: rsaUs(bits),
      start: (done) => {
        generateKeyPair('rsa', { modulusLength: bits, publicExponent }, (error, publicKey, privateKey) => {
          if (error === null) result = () => `${this.#describeObject(publicKey, true)}\n${this.#describeObject(privateKey, extractable)}`;
          done();
        });
      },
      settle: () => this.#isolate.resolve(owner, id, result === null || owner.finished ? FAILED : result()),
    });
    return undefined;
  }

  #export(handle: unknown, format: string): Buffer | string {
    const key = this.#stored(handle);
    // The runtime asks first: this is the second lock on the same door.
    if (!key.extractable) throw new CryptoFailure('InvalidAccessError', 'the key is not extractable');
    if (key.type !== 'secret') return orFail('OperationError', 'the key has no such format', () => exportKey(key.object, format as KeyFormat));
    return format === 'jwk' ? JSON.stringify({ kty: 'oct', k: key.bytes.toString('base64url') }) : Buffer.from(key.bytes);
  }

  #parse(format: string, data: unknown): string {
    const [wanted = '', encoding, structure] = format.split(' ');
    const object = orFail('DataError', 'the key is malformed, encrypted or of an unsupported kind', () => parseKey(wanted, encoding, structure, typeof data === 'string' ? textOf(data, MAX_ENCODED_KEY) : Buffer.from(bytesOf(data, MAX_ENCODED_KEY))));
    if (kindOf(object) === '') throw new CryptoFailure('NotSupportedError', 'keys of this kind are not supported');
    return this.#describeObject(object, true);
  }

  // ---- derivation ----

  /** @param bits  -1: all of it */
  #derived(secret: Buffer, bits: number, keep: unknown): Buffer | string {
    const count = bits < 0 ? secret.length * 8 : bits;
    if (count > secret.length * 8) throw new CryptoFailure('OperationError', 'the length is more than there is');
    const bytes = masked(secret.subarray(0, Math.ceil(count / 8)), count);
    return keep === KEEP.bytes ? bytes : this.#describeSecret(Buffer.from(bytes), keep === KEEP.extractable);
  }

  #pbkdf2(owner: Invocation, code: number, id: unknown, handle: unknown, hash: string, salt: Uint8Array, iterations: number, lengthAndKeep: string): unknown {
    const [bits = 0, keep = 0] = lengthAndKeep.split(' ').map(Number);
    const bytes = bits / 8;
    if (!Number.isInteger(bytes) || bytes < 0 || bytes > MAX_DERIVED_BYTES) throw new CryptoFailure('OperationError', 'the length is out of range');
    if (iterations < 1 || iterations > 2 ** 31 - 1) throw new CryptoFailure('OperationError', 'the iterations are out of range');
    const estimateUs = pbkdf2Us(hash, iterations, bytes);
    const key = this.#secret(handle);
    // A copy: while this waits, the ring may let go of the key and wipe it.
    const waiting = Buffer.from(key);
    const run = (done: (error: Error | null, secret: Buffer) => void): void => pbkdf2(waiting, salt, iterations, bytes, hash, done);
    return this.#derivation(owner, code === CRYPTO.pbkdf2Sync, id, estimateUs, bits, keep, () => pbkdf2Sync(key, salt, iterations, bytes, hash), run);
  }

  #scrypt(owner: Invocation, code: number, id: unknown, handle: unknown, salt: Uint8Array, parameters: string): unknown {
    const [N = 0, r = 0, p = 0, maxmem = 0, bytes = 0] = parameters.split(' ').map(Number);
    if (![N, r, p, maxmem, bytes].every(Number.isSafeInteger) || bytes < 0 || bytes > MAX_DERIVED_BYTES) throw new CryptoFailure('OperationError', 'the parameters are out of range');
    const options = { N, r, p, maxmem: Math.min(maxmem, MAX_SCRYPT_BYTES) };
    const key = this.#secret(handle);
    const waiting = Buffer.from(key);
    const run = (done: (error: Error | null, secret: Buffer) => void): void => scrypt(waiting, salt, bytes, options, done);
    return orFail('OperationError', 'the parameters are out of range', () => this.#derivation(owner, code === CRYPTO.scryptSync, id, scryptUs(N, r, p), bytes * 8, KEEP.bytes, () => scryptSync(key, salt, bytes, options), run));
  }

  #derivation(owner: Invocation, sync: boolean, id: unknown, estimateUs: number, bits: number, keep: number, now: () => Buffer, later: (done: (error: Error | null, secret: Buffer) => void) => void): unknown {
    if (sync) {
      requireBudget(owner, estimateUs);
      if (estimateUs > MAX_SYNC_US) throw new CryptoFailure('OperationError', 'this takes too long for a synchronous call');
      return this.#derived(orFail('OperationError', 'the parameters are out of range', now), bits, keep);
    }
    const settles = intOf(id, 0, Number.MAX_SAFE_INTEGER);
    let secret: Buffer | null = null;
    heavyWorks.add({
      isolate: this.#isolate,
      owner,
      estimateUs,
      start: (done) => later((error, bytes) => {
        if (error === null) secret = bytes;
        done();
      }),
      settle: () => {
        const result = secret === null || owner.finished ? FAILED : this.#derived(secret, bits, keep);
        this.#isolate.resolve(owner, settles, typeof result === 'string' ? result : exact(result));
      },
    });
    return undefined;
  }
}

const FAILED = '!OperationError the operation failed';

/** The bits beyond the last are zero (Web Crypto: lengths count bits). In place. */
function masked(bytes: Buffer, bits: number): Buffer {
  const whole = bytes.subarray(0, Math.ceil(bits / 8));
  if (bits % 8 !== 0 && whole.length > 0) whole[whole.length - 1] = (whole[whole.length - 1] ?? 0) & (0xff << (8 - (bits % 8)));
  return whole;
}
