// The contract of area 2, cryptography: what the runtime asks for. Keys stay in the host; the isolate names them by handles.

/**
 * Operations 64 to 95. A handle names a key of this isolate. Failures that a function can cause come back as `!ErrorName message`; a key that the
 * host no longer holds as `FORGOTTEN`. A key is described by `handle\ntype\ndetail\nexponent\nsealed`: type is secret, public or private; detail the bits of a secret key or
 * RSA modulus, or the curve; exponent that of RSA in hexadecimal; sealed what `keyRestore` takes.
 *
 * Those marked ~ take a stream when `data` is undefined: they open the isolate's one stream, which `streamUpdate` feeds and `streamEnd` finishes.
 */
export const CRYPTO = {
  /** ~(hash, data): the digest. */
  digest: 64,
  /** (chunk): output so far, or undefined. */
  streamUpdate: 65,
  /** (): what the operation returns. */
  streamEnd: 66,
  /** (bytes, or the `k` of a JWK, extractable 1/0, expected bits or 0): describes the secret key. */
  keySecret: 67,
  /** (format, kind, data, extractable 1/0): describes the key; kind is `rsa`, or a curve. */
  keyImport: 68,
  /** (kind, extractable 1/0, bits): a secret key of so many bits, or the two keys of a curve, described one after the other. */
  keyGenerate: 69,
  /** (op, modulus bits, exponent, extractable 1/0): describes both keys when it settles. */
  keyGenerateRsa: 70,
  /** (handle, sealed): 1. */
  keyRestore: 71,
  /** (handle, format): bytes, or the members of a JWK as text. */
  keyExport: 72,
  /** ~(handle, hash, data) */
  hmac: 73,
  /** ~(handle, hash, data, signature): 1 or 0. */
  hmacVerify: 74,
  /** ~(handle, cipher, data, iv, additional data or undefined, tag bits) */
  encrypt: 75,
  decrypt: 76,
  /** ~(handle, scheme, data, hash, salt length) */
  sign: 77,
  /** ~(handle, scheme, data, hash, salt length, signature): 1 or 0. */
  verify: 78,
  /** (handle, hash, data, label) */
  rsaEncrypt: 79,
  rsaDecrypt: 80,
  /** (private handle, public handle, bits or -1, keep): the agreed secret. */
  agree: 81,
  /** (handle, hash, salt, info, bits, keep) */
  hkdf: 82,
  /** (op, handle, hash, salt, iterations, bits and keep): settles, or returns a failure. */
  pbkdf2: 83,
  /** (op, handle, salt, `N r p maxmem bytes`) */
  scrypt: 84,
  /** As `pbkdf2` and `scrypt`, within the call; bounded more tightly. */
  pbkdf2Sync: 85,
  scryptSync: 86,
  /** (format, text or bytes, passphrase): as `keyImport`, of any kind that there is, from PEM, DER or a JWK. */
  keyParse: 87,
  /** (private handle): describes the public key. */
  keyPublic: 88,
} as const;

/** What comes back when the host has let go of a key: `keyRestore` brings it back. */
export const FORGOTTEN = '?';

/** `keep` of operations that derive: the bytes are returned, or they stay in the host as a secret key, which may be exported or not. */
export const KEEP = { bytes: 0, key: 1, extractable: 2 } as const;

/** Largest secret key, salt, label, info or additional data, bytes. */
export const MAX_PARAMETER_BYTES = 65_536;

/** Largest key in DER, PEM or JWK, bytes or characters. */
export const MAX_ENCODED_KEY = 16_384;

/** RSA keys that may be generated or used with their private half, bits; public keys may have up to four times as many. */
export const MAX_PRIVATE_MODULUS_BITS = 4_096;
