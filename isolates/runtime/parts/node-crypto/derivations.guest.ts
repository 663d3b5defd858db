// pbkdf2, scrypt and hkdf of node:crypto, with callbacks and without; bounded by the host.
import { CRYPTO } from '../../abi-crypto.ts';
import { bound } from '../../async-context.guest.ts';
import { NativeUint8Array } from '../../primordials.guest.ts';
import { importSecret, opWithIdAndKey, opWithKeys, workWithKey } from '../crypto/host-keys.guest.ts';
import type { HostKey } from '../crypto/host-keys.guest.ts';
import { hashNamed } from './digests.guest.ts';
import { asNode, giveBytes, nodeError, soon, takeBytes } from './encodings.guest.ts';
import { isKeyObject, secretOf } from './keys.guest.ts';

type Callback = (error: unknown, bytes?: Uint8Array) => void;

function password(value: unknown): HostKey {
  return asNode(() => (isKeyObject(value) ? secretOf(value) : importSecret(takeBytes(value), false, 0)));
}

function give(answer: unknown): Uint8Array {
  return giveBytes(new NativeUint8Array(answer as ArrayBuffer));
}

function mustBeFunction(callback: unknown): Callback {
  if (typeof callback !== 'function') throw nodeError('ERR_INVALID_ARG_TYPE', 'a callback is expected', TypeError);
  return callback as Callback;
}

/** Calls back once the host has settled it. */
function later(work: () => Promise<unknown>, callback: Callback): void {
  let error: unknown = null;
  let bytes: Uint8Array | undefined;
  const call = bound(() => (error === null ? callback(null, bytes) : callback(error)));
  void (async () => {
    try {
      bytes = give(await work());
    } catch (thrown) {
      error = nodeError('ERR_CRYPTO_OPERATION_FAILED', (thrown as Error).message);
    }
    call();
  })();
}

export function pbkdf2Sync(secret: unknown, salt: unknown, iterations: number, keylen: number, digest: unknown): Uint8Array {
  const [key, hash, bytes] = [password(secret), hashNamed(digest), takeBytes(salt)];
  const length = `${+keylen * 8} 0`;
  return give(asNode(() => opWithIdAndKey(CRYPTO.pbkdf2Sync, 0, key, hash, bytes, +iterations, length)));
}

export function pbkdf2(secret: unknown, salt: unknown, iterations: number, keylen: number, digest: unknown, callback: unknown): void {
  const call = mustBeFunction(callback);
  const [key, hash, bytes] = [password(secret), hashNamed(digest), takeBytes(salt)];
  later(() => workWithKey(CRYPTO.pbkdf2, key, hash, bytes, +iterations, `${+keylen * 8} 0`), call);
}

interface ScryptOptions {
  readonly N?: number;
  readonly cost?: number;
  readonly r?: number;
  readonly blockSize?: number;
  readonly p?: number;
  readonly parallelization?: number;
  readonly maxmem?: number;
}

const MAXMEM = 32 * 1_024 * 1_024;

function scryptParameters({ N, cost, r, blockSize, p, parallelization, maxmem }: ScryptOptions, keylen: number): string {
  return `${N ?? cost ?? 16_384} ${r ?? blockSize ?? 8} ${p ?? parallelization ?? 1} ${maxmem ?? MAXMEM} ${+keylen}`;
}

export function scryptSync(secret: unknown, salt: unknown, keylen: number, options: ScryptOptions = {}): Uint8Array {
  const [key, bytes] = [password(secret), takeBytes(salt)];
  return give(asNode(() => opWithIdAndKey(CRYPTO.scryptSync, 0, key, bytes, scryptParameters(options, keylen), undefined)));
}

export function scrypt(secret: unknown, salt: unknown, keylen: number, options: ScryptOptions | Callback, callback?: unknown): void {
  const call = mustBeFunction(callback ?? options);
  const [key, bytes] = [password(secret), takeBytes(salt)];
  const parameters = scryptParameters(typeof options === 'function' ? {} : options, keylen);
  later(() => workWithKey(CRYPTO.scrypt, key, bytes, parameters, undefined), call);
}

export function hkdfSync(digest: unknown, ikm: unknown, salt: unknown, info: unknown, keylen: number): ArrayBuffer {
  const [key, hash, saltBytes, infoBytes] = [password(ikm), hashNamed(digest), takeBytes(salt), takeBytes(info)];
  return asNode(() => opWithKeys(CRYPTO.hkdf, [key], hash, saltBytes, infoBytes, +keylen * 8, 0)) as ArrayBuffer;
}

export function hkdf(digest: unknown, ikm: unknown, salt: unknown, info: unknown, keylen: number, callback: unknown): void {
  const call = mustBeFunction(callback) as (error: unknown, bytes?: unknown) => void;
  const [key, hash, saltBytes, infoBytes] = [password(ikm), hashNamed(digest), takeBytes(salt), takeBytes(info)];
  void (async () => {
    await soon;
    let bytes: ArrayBuffer;
    try {
      bytes = asNode(() => opWithKeys(CRYPTO.hkdf, [key], hash, saltBytes, infoBytes, +keylen * 8, 0)) as ArrayBuffer;
    } catch (error) {
      call(error);
      return;
    }
    call(null, bytes);
  })();
}
