// KeyObject and the ways to one: keys of node:crypto, in the host like those of Web Crypto.
import { CRYPTO } from '../../abi-crypto.ts';
import { expectSettlement, nextId, op } from '../../host.guest.ts';
import { JSONParse, JSONStringify, NativeNumber, NativeUint8Array } from '../../primordials.guest.ts';
import { isBufferSource } from '../crypto/convert.guest.ts';
import { describedKey, importSecret, opWithKeys, result } from '../crypto/host-keys.guest.ts';
import type { HostKey } from '../crypto/host-keys.guest.ts';
import { asNode, giveBytes, nodeError, takeBytes } from './encodings.guest.ts';
import type { Encoding } from './encodings.guest.ts';

const TOKEN = {};

/** Node's names of curves. */
const GROUPS: Readonly<Record<string, string>> = { __proto__: null as never, 'P-256': 'prime256v1', 'P-384': 'secp384r1', 'P-521': 'secp521r1' };
const CURVES: Readonly<Record<string, string>> = { __proto__: null as never, 'P-256': 'P-256', 'P-384': 'P-384', 'P-521': 'P-521', prime256v1: 'P-256', secp384r1: 'P-384', secp521r1: 'P-521' };

export interface ExportOptions {
  readonly format?: string;
  readonly type?: string;
}

export class KeyObject {
  readonly #key: HostKey;

  constructor(...made: unknown[]) {
    if (made[0] !== TOKEN) throw nodeError('ERR_INVALID_ARG_TYPE', 'Illegal constructor', TypeError);
    this.#key = made[1] as HostKey;
  }

  get type(): 'secret' | 'public' | 'private' {
    return this.#key.type;
  }

  get symmetricKeySize(): number | undefined {
    return this.type === 'secret' ? +this.#key.detail / 8 : undefined;
  }

  get asymmetricKeyType(): string | undefined {
    if (this.type === 'secret') return undefined;
    const { detail, exponent } = this.#key;
    return exponent !== '' ? 'rsa' : detail === 'Ed25519' ? 'ed25519' : detail === 'X25519' ? 'x25519' : 'ec';
  }

  get asymmetricKeyDetails(): object | undefined {
    const { detail, exponent } = this.#key;
    if (this.type === 'secret') return undefined;
    return exponent !== '' ? { modulusLength: +detail, publicExponent: BigInt(`0x${exponent}`) } : GROUPS[detail] === undefined ? {} : { namedCurve: GROUPS[detail] };
  }

  export(options: ExportOptions = {}): unknown {
    return asNode(() => exported(this.#key, options));
  }

  equals(other: unknown): boolean {
    if (!isKeyObject(other)) throw nodeError('ERR_INVALID_ARG_TYPE', 'a KeyObject is expected', TypeError);
    return this.type === other.type && JSONStringify(this.export({ format: 'jwk' })) === JSONStringify(other.export({ format: 'jwk' }));
  }

  static hostKey(value: object): HostKey | undefined {
    return #key in value ? value.#key : undefined;
  }
}

const { hostKey } = KeyObject;
delete (KeyObject as { hostKey?: unknown }).hostKey;

export function isKeyObject(value: unknown): value is KeyObject {
  return typeof value === 'object' && value !== null && hostKey(value) !== undefined;
}

function exported(key: HostKey, { format, type }: ExportOptions): unknown {
  if (format === 'jwk') return JSONParse(opWithKeys(CRYPTO.keyExport, [key], 'jwk') as string);
  if (key.type === 'secret') return giveBytes(new NativeUint8Array(opWithKeys(CRYPTO.keyExport, [key], 'raw') as ArrayBuffer));
  const structure = key.type === 'private' ? 'pkcs8' : 'spki';
  if (type !== structure) throw nodeError('ERR_INVALID_ARG_VALUE', `only ${structure} is supported`, TypeError);
  if (format === 'pem') return opWithKeys(CRYPTO.keyExport, [key], `${structure}-pem`);
  if (format !== 'der') throw nodeError('ERR_INVALID_ARG_VALUE', 'the format must be pem, der or jwk', TypeError);
  return giveBytes(new NativeUint8Array(opWithKeys(CRYPTO.keyExport, [key], structure) as ArrayBuffer));
}

export function secretOf(key: KeyObject): HostKey {
  if (key.type !== 'secret') throw nodeError('ERR_CRYPTO_INVALID_KEY_OBJECT_TYPE', 'a secret key is expected', TypeError);
  return hostKey(key) as HostKey;
}

export function createSecretKey(key: unknown, encoding?: Encoding): KeyObject {
  return made(asNode(() => importSecret(takeBytes(key, encoding), true, 0)));
}

export function createPublicKey(key: unknown): KeyObject {
  return made(publicKey(key));
}

export function createPrivateKey(key: unknown): KeyObject {
  return made(privateKey(key));
}

function made(key: HostKey): KeyObject {
  return new KeyObject(TOKEN, key);
}

/** Whatever Node takes as a private key: PEM, DER with its `type`, a JWK, a KeyObject, or an object with one of them as `key`. */
export function privateKey(value: unknown): HostKey {
  const key = parsed(value, 'private');
  if (key.type !== 'private') throw nodeError('ERR_CRYPTO_INVALID_KEY_OBJECT_TYPE', 'a private key is expected', TypeError);
  return key;
}

/** As `privateKey`; from a private key comes its public one. */
export function publicKey(value: unknown): HostKey {
  const key = parsed(value, 'public');
  if (key.type === 'secret') throw nodeError('ERR_CRYPTO_INVALID_KEY_OBJECT_TYPE', 'a public or private key is expected', TypeError);
  return key.type === 'public' ? key : asNode(() => describedKey(opWithKeys(CRYPTO.keyPublic, [key])));
}

function parsed(value: unknown, wanted: 'public' | 'private'): HostKey {
  if (isKeyObject(value)) return hostKey(value) as HostKey;
  if (typeof value === 'string' || isBufferSource(value)) return parse(wanted, 'pem', '', value);
  if (typeof value !== 'object' || value === null) throw nodeError('ERR_INVALID_ARG_TYPE', 'a key is expected', TypeError);
  const { key, format = 'pem', type = '', passphrase } = value as { key?: unknown; format?: string; type?: string; passphrase?: unknown };
  if (passphrase !== undefined) throw nodeError('ERR_FEATURE_UNAVAILABLE_ON_PLATFORM', 'encrypted keys are not supported');
  if (isKeyObject(key)) return hostKey(key) as HostKey;
  return parse(wanted, format, type, format === 'jwk' ? JSONStringify(key) : key);
}

function parse(wanted: string, format: string, type: string, data: unknown): HostKey {
  return asNode(() => describedKey(result(op(CRYPTO.keyParse, `${wanted} ${format} ${type}`, typeof data === 'string' ? data : takeBytes(data)))));
}

interface PairOptions {
  readonly namedCurve?: string;
  readonly modulusLength?: number;
  readonly publicExponent?: number;
  readonly publicKeyEncoding?: ExportOptions;
  readonly privateKeyEncoding?: ExportOptions;
}

interface Pair {
  readonly publicKey: unknown;
  readonly privateKey: unknown;
}

function pairOf(described: unknown, { publicKeyEncoding, privateKeyEncoding }: PairOptions): Pair {
  const [open, secret] = [made(describedKey(described)), made(describedKey(described, 1))];
  return {
    publicKey: publicKeyEncoding === undefined ? open : open.export(publicKeyEncoding),
    privateKey: privateKeyEncoding === undefined ? secret : secret.export(privateKeyEncoding),
  };
}

function curveOf(type: unknown, options: PairOptions): string {
  const curve = type === 'ec' ? CURVES[`${options.namedCurve}`] : type === 'ed25519' ? 'Ed25519' : type === 'x25519' ? 'X25519' : undefined;
  if (curve === undefined) throw nodeError('ERR_INVALID_ARG_VALUE', type === 'rsa' ? 'RSA keys are made by generateKeyPair: it takes too long for a synchronous call' : 'keys of this type are not supported', TypeError);
  return curve;
}

export function generateKeyPairSync(type: unknown, options: PairOptions = {}): Pair {
  return pairOf(asNode(() => result(op(CRYPTO.keyGenerate, curveOf(type, options), 1))), options);
}

async function rsaPair({ modulusLength, publicExponent = 65_537 }: PairOptions): Promise<unknown> {
  const id = nextId();
  result(op(CRYPTO.keyGenerateRsa, id, NativeNumber(modulusLength), publicExponent, 1));
  return result((await expectSettlement(id)).value);
}

type PairCallback = (error: unknown, publicKey?: unknown, privateKey?: unknown) => void;

export function generateKeyPair(type: unknown, options: PairOptions, callback: PairCallback): void {
  void (async () => {
    let pair: Pair;
    try {
      pair = type === 'rsa' ? pairOf(await rsaPair(options), options) : generateKeyPairSync(type, options);
    } catch (error) {
      callback(error);
      return;
    }
    callback(null, pair.publicKey, pair.privateKey);
  })();
}

export function diffieHellman({ privateKey: own, publicKey: other }: { privateKey: unknown; publicKey: unknown }): Uint8Array {
  return giveBytes(new NativeUint8Array(asNode(() => opWithKeys(CRYPTO.agree, [privateKey(own), publicKey(other)], undefined, -1, 0)) as ArrayBuffer));
}

export function getCurves(): string[] {
  return ['prime256v1', 'secp384r1', 'secp521r1'];
}

/** Whether a PEM text or anything else was given with options. */
export function optionsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !isKeyObject(value) && !isBufferSource(value) ? (value as Record<string, unknown>) : {};
}
