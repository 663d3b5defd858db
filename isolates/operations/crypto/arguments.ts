// Checks of arguments that come from an isolate: a wrong one is no operation of the runtime's, so a TypeError.

const HASHES: ReadonlyMap<unknown, string> = new Map([['SHA-1', 'sha1'], ['SHA-256', 'sha256'], ['SHA-384', 'sha384'], ['SHA-512', 'sha512'],
  // Of Node's interface only:
  ['MD5', 'md5'], ['SHA-224', 'sha224'], ['SHA-512-256', 'sha512-256'], ['SHA3-256', 'sha3-256'], ['SHA3-384', 'sha3-384'], ['SHA3-512', 'sha3-512'], ['RIPEMD-160', 'rmd160']]);

/** OpenSSL's name of a hash. */
export function hashName(value: unknown): string {
  const name = HASHES.get(value);
  if (name === undefined) throw new TypeError('no such hash');
  return name;
}

/** Bytes without copying them, up to `max`. */
export function bytesOf(value: unknown, max: number): Uint8Array {
  const bytes = value instanceof ArrayBuffer ? new Uint8Array(value) : value;
  if (!(bytes instanceof Uint8Array) || bytes.length > max) throw new TypeError('bytes are expected');
  return bytes;
}

export function textOf(value: unknown, max: number): string {
  if (typeof value !== 'string' || value.length > max) throw new TypeError('text is expected');
  return value;
}

export function intOf(value: unknown, min: number, max: number): number {
  if (!Number.isSafeInteger(value) || (value as number) < min || (value as number) > max) throw new TypeError('a number in range is expected');
  return value as number;
}
