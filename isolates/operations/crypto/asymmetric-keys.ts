// RSA and curve keys: parsing, checking and printing them. OpenSSL does the work; what it is lenient about is checked here.
import { ECDH, createECDH, createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import type { JsonWebKey, KeyObject } from 'node:crypto';
import { MAX_ENCODED_KEY, MAX_PRIVATE_MODULUS_BITS } from '../../runtime/abi-crypto.ts';
import { bytesOf, textOf } from './arguments.ts';
import { CryptoFailure, orFail } from './failure.ts';
import { fromPem, isSupported } from './key-encodings.ts';
import type { Structure } from './key-encodings.ts';

interface Curve {
  /** `asymmetricKeyType` of Node. */
  readonly type: 'ec' | 'ed25519' | 'x25519';
  /** OpenSSL's name, of the curves that have points. */
  readonly group?: string;
  /** Bytes of a coordinate or key. */
  readonly bytes: number;
}

const CURVES: Readonly<Record<string, Curve>> = {
  __proto__: null as never,
  'P-256': { type: 'ec', group: 'prime256v1', bytes: 32 },
  'P-384': { type: 'ec', group: 'secp384r1', bytes: 48 },
  'P-521': { type: 'ec', group: 'secp521r1', bytes: 66 },
  Ed25519: { type: 'ed25519', bytes: 32 },
  X25519: { type: 'x25519', bytes: 32 },
};

/** Bytes before the key itself: PKCS #8 and SubjectPublicKeyInfo of RFC 8410. */
const OKP_PRIVATE = { Ed25519: '302e020100300506032b657004220420', X25519: '302e020100300506032b656e04220420' } as Readonly<Record<string, string>>;
const OKP_PUBLIC = { Ed25519: '302a300506032b6570032100', X25519: '302a300506032b656e032100' } as Readonly<Record<string, string>>;

export type KeyFormat = 'raw' | 'spki' | 'pkcs8' | 'jwk';

export function isCurve(kind: string): boolean {
  return CURVES[kind] !== undefined;
}

/** The curve of an object that OpenSSL made, or `rsa`; '' for anything else. */
export function kindOf(object: KeyObject): string {
  if (object.asymmetricKeyType === 'rsa') return 'rsa';
  for (const name in CURVES) {
    const curve = CURVES[name] as Curve;
    if (curve.type === object.asymmetricKeyType && (curve.group === undefined || curve.group === object.asymmetricKeyDetails?.namedCurve)) return name;
  }
  return '';
}

/**
 * @param kind  `rsa` or a curve
 * @throws DataError for anything that is no such key; NotSupportedError beyond the limits
 */
export function importKey(format: KeyFormat, kind: string, data: unknown): KeyObject {
  const object = orFail('DataError', 'the key is malformed', () => {
    if (format === 'jwk') return importJwk(kind, JSON.parse(textOf(data, MAX_ENCODED_KEY)) as JsonWebKey);
    const bytes = Buffer.from(bytesOf(data, MAX_ENCODED_KEY));
    return format === 'raw' ? importRaw(kind, bytes) : importDer(format, bytes);
  });
  if (kindOf(object) !== kind) throw new CryptoFailure('DataError', 'the key is of another kind');
  return checked(object);
}

/**
 * What Node's createPrivateKey and createPublicKey take: PEM, DER of a structure, or a JWK as text. Of any supported kind; never encrypted, since the file itself would say how
 * long decrypting takes.
 *
 * @param encoding  `pem`, `jwk` or `der`
 */
export function parseKey(wanted: string, encoding: string | undefined, structure: string | undefined, data: string | Buffer): KeyObject {
  if (encoding === 'jwk') {
    const jwk = JSON.parse(String(data)) as JsonWebKey;
    const kind = jwk.kty === 'RSA' ? 'rsa' : String(jwk.crv);
    const object = importKey('jwk', kind, String(data));
    return wanted === 'public' && object.type === 'private' ? createPublicKey(object as never) : object;
  }
  const key = encoding === 'der' ? { bytes: Buffer.from(data), structure: structure as Structure, isPrivate: structure === 'pkcs8' || structure === 'sec1' || wanted === 'private' } : fromPem(data.toString());
  if (key === undefined || !isSupported(key.bytes, key.structure)) throw new TypeError('no supported key');
  const input = { key: key.bytes, format: 'der', type: key.structure } as const;
  const object = key.isPrivate ? createPrivateKey(input as never) : createPublicKey(input as never);
  return checked(wanted === 'public' && object.type === 'private' ? createPublicKey(checked(object) as never) : object);
}

/** Keys whose use would take unbounded time are refused: what can't be interrupted must be small. */
export function checked(object: KeyObject): KeyObject {
  if (object.asymmetricKeyType !== 'rsa') return object;
  const bits = object.asymmetricKeyDetails?.modulusLength ?? 0;
  if (object.type === 'public') {
    if (bits > 4 * MAX_PRIVATE_MODULUS_BITS) throw new CryptoFailure('NotSupportedError', 'the modulus is too long');
    return object;
  }
  if (bits > MAX_PRIVATE_MODULUS_BITS) throw new CryptoFailure('NotSupportedError', `private keys have up to ${MAX_PRIVATE_MODULUS_BITS} bits`);
  // Exponents are taken as they stand, and each of their bits costs a squaring.
  const jwk = orFail('DataError', 'the key is malformed', () => object.export({ format: 'jwk' }));
  const longest = jwk.n?.length ?? 0;
  for (const part of [jwk.e, jwk.d, jwk.p, jwk.q, jwk.dp, jwk.dq, jwk.qi]) if ((part?.length ?? 0) > longest) throw new CryptoFailure('DataError', 'the key is inconsistent');
  return object;
}

function importDer(format: 'spki' | 'pkcs8', bytes: Buffer): KeyObject {
  if (!isSupported(bytes, format)) throw new TypeError('no supported key');
  const object = format === 'spki' ? createPublicKey({ key: bytes, format: 'der', type: 'spki' }) : createPrivateKey({ key: bytes, format: 'der', type: 'pkcs8' });
  if (object.asymmetricKeyType !== 'ec') return object;
  // Points may be compressed in what comes in, and never are in what goes out.
  const jwk = object.export({ format: 'jwk' });
  return format === 'spki' ? createPublicKey({ key: jwk, format: 'jwk' }) : createPrivateKey({ key: jwk, format: 'jwk' });
}

function importRaw(kind: string, bytes: Buffer): KeyObject {
  const curve = CURVES[kind];
  if (curve === undefined) throw new TypeError('no raw format');
  if (curve.group === undefined) {
    if (bytes.length !== curve.bytes) throw new TypeError('wrong length');
    return createPublicKey({ key: Buffer.concat([Buffer.from(OKP_PUBLIC[kind] as string, 'hex'), bytes]), format: 'der', type: 'spki' });
  }
  if (bytes[0] !== 2 && bytes[0] !== 3 && bytes[0] !== 4) throw new TypeError('no point');
  const point = ECDH.convertKey(bytes, curve.group, undefined, undefined, 'uncompressed') as Buffer;
  const x = point.subarray(1, 1 + curve.bytes).toString('base64url');
  const y = point.subarray(1 + curve.bytes).toString('base64url');
  return createPublicKey({ key: { kty: 'EC', crv: kind, x, y }, format: 'jwk' });
}

const BASE64URL = /^[A-Za-z0-9_-]*$/;

function importJwk(kind: string, jwk: JsonWebKey): KeyObject {
  for (const part of [jwk.n, jwk.e, jwk.d, jwk.p, jwk.q, jwk.dp, jwk.dq, jwk.qi, jwk.x, jwk.y]) {
    if (part !== undefined && (typeof part !== 'string' || !BASE64URL.test(part))) throw new TypeError('not base64url');
  }
  const curve = CURVES[kind];
  if (curve === undefined) return jwk.d === undefined ? createPublicKey({ key: jwk, format: 'jwk' }) : createPrivateKey({ key: jwk, format: 'jwk' });
  for (const part of curve.group === undefined ? [jwk.x, jwk.d] : [jwk.x, jwk.y, jwk.d]) {
    if (part !== undefined && Buffer.from(part, 'base64url').length !== curve.bytes) throw new TypeError('wrong length');
  }
  if (jwk.x === undefined || (curve.group !== undefined && jwk.y === undefined)) throw new TypeError('no public key');
  const given = curve.group === undefined ? importRaw(kind, Buffer.from(jwk.x, 'base64url')) : createPublicKey({ key: { kty: 'EC', crv: kind, x: jwk.x, y: jwk.y }, format: 'jwk' } as never);
  if (jwk.d === undefined) return given;
  const object = privateOf(kind, curve, jwk);
  if (!derivedPublic(object, curve, jwk).equals(given)) throw new TypeError('the halves do not belong together');
  return object;
}

function privateOf(kind: string, curve: Curve, jwk: JsonWebKey): KeyObject {
  if (curve.group !== undefined) return createPrivateKey({ key: jwk, format: 'jwk' });
  return createPrivateKey({ key: Buffer.concat([Buffer.from(OKP_PRIVATE[kind] as string, 'hex'), Buffer.from(jwk.d as string, 'base64url')]), format: 'der', type: 'pkcs8' });
}

/** The public key that the private one really has: a JWK states both. */
function derivedPublic(object: KeyObject, curve: Curve, jwk: JsonWebKey): KeyObject {
  if (curve.group === undefined) return createPublicKey(object);
  const own = createECDH(curve.group);
  own.setPrivateKey(Buffer.from(jwk.d as string, 'base64url'));
  return importRaw(kindOf(object), own.getPublicKey());
}

export function generateCurve(kind: string): { readonly publicKey: KeyObject; readonly privateKey: KeyObject } {
  const curve = CURVES[kind];
  if (curve === undefined) throw new TypeError('no such curve');
  if (curve.group !== undefined) return generateKeyPairSync('ec', { namedCurve: curve.group });
  return curve.type === 'ed25519' ? generateKeyPairSync('ed25519') : generateKeyPairSync('x25519');
}

/** @returns bytes, or the members of a JWK as JSON */
export function exportKey(object: KeyObject, format: KeyFormat | 'spki-pem' | 'pkcs8-pem'): Buffer | string {
  switch (format) {
    case 'jwk':
      return JSON.stringify(object.export({ format: 'jwk' }));
    case 'spki':
    case 'pkcs8':
      return object.export({ format: 'der', type: format }) as Buffer;
    case 'spki-pem':
      return object.export({ format: 'pem', type: 'spki' });
    case 'pkcs8-pem':
      return object.export({ format: 'pem', type: 'pkcs8' });
    case 'raw': {
      const { x = '', y } = object.export({ format: 'jwk' });
      return y === undefined ? Buffer.from(x, 'base64url') : Buffer.concat([Buffer.of(4), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]);
    }
    default:
      throw new TypeError('no such format');
  }
}
