// ECDSA, ECDH, Ed25519 and X25519 (Web Cryptography API, sections 23 and 24; Secure Curves).
import { CRYPTO, MAX_ENCODED_KEY } from '../../abi-crypto.ts';
import { MAX_CROSSING } from '../../abi.ts';
import { op } from '../../host.guest.ts';
import { NativeTypeError, NativeUint8Array, TypedArrayByteLength } from '../../primordials.guest.ts';
import { mustBeType, mustHaveUsages, mustNotBeEmpty, none, toHash } from './algorithm.guest.ts';
import type { Algorithm, Imported, KeyFormat, KeyPair, Params } from './algorithm.guest.ts';
import { fail, required, toText } from './convert.guest.ts';
import type { Members } from './convert.guest.ts';
import { common, keySlots, makeKey } from './crypto-key.guest.ts';
import type { KeyAlgorithm, KeySlots, KeyUsage } from './crypto-key.guest.ts';
import { describedKey, opWithKeys, overData, result } from './host-keys.guest.ts';
import type { HostKey } from './host-keys.guest.ts';
import { checkAlg, checkJwk, jwkForHost, shownJwk } from './jwk.guest.ts';
import type { Jwk } from './jwk.guest.ts';

const MEMBERS = ['kty', 'crv', 'x', 'y', 'd'] as const;

interface Kind {
  readonly name: string;
  readonly publicUsages: readonly KeyUsage[];
  readonly privateUsages: readonly KeyUsage[];
  readonly use: 'sig' | 'enc';
  /** Whether the curve is a parameter, or the algorithm's own. */
  readonly named: boolean;
}

const SIGNING = { publicUsages: ['verify'], privateUsages: ['sign'], use: 'sig' } as const;
const AGREEING = { publicUsages: [], privateUsages: ['deriveKey', 'deriveBits'], use: 'enc' } as const;

/** JWK `alg` of the curves that ECDSA signs with. */
const ES_NAMES: Readonly<Record<string, string>> = { __proto__: null as never, 'P-256': 'ES256', 'P-384': 'ES384', 'P-521': 'ES512' };

const toCurve = (members: Members): Params => {
  const namedCurve = toText(required(members['namedCurve'], 'namedCurve'));
  if (ES_NAMES[namedCurve] === undefined) fail('NotSupportedError', 'the curve is not supported');
  return { namedCurve };
};

function curveAlgorithm(kind: Kind, own: Omit<Algorithm, 'name'>): Algorithm {
  const { name, publicUsages, privateUsages, named } = kind;
  const parameters = named ? toCurve : none;
  const algorithmOf = (curve: string): KeyAlgorithm => (named ? { name, namedCurve: curve } : { name });
  return {
    ...own,
    name,
    parameters: { ...own.parameters, generateKey: parameters, importKey: parameters },
    generateKey({ namedCurve = name }, extractable, usages): KeyPair {
      mustHaveUsages(usages, publicUsages, privateUsages);
      mustNotBeEmpty(common(usages, privateUsages));
      const described = result(op(CRYPTO.keyGenerate, namedCurve, extractable ? 1 : 0));
      return {
        publicKey: makeKey({ key: describedKey(described), extractable: true, algorithm: algorithmOf(namedCurve), usages: common(usages, publicUsages) }),
        privateKey: makeKey({ key: describedKey(described, 1), extractable, algorithm: algorithmOf(namedCurve), usages: common(usages, privateUsages) }),
      };
    },
    importKey(format, data, { namedCurve = name }, extractable, usages): Imported {
      const isPublic = format === 'spki' || format === 'raw' || (format === 'jwk' && (data as Jwk)['d'] === undefined);
      mustHaveUsages(usages, isPublic ? publicUsages : privateUsages);
      return { key: imported(kind, namedCurve, format, data, extractable, usages), algorithm: algorithmOf(namedCurve) };
    },
    exportKey(format, key) {
      if (format === 'jwk') {
        const alg = name === 'Ed25519' ? name : undefined;
        return shownJwk(opWithKeys(CRYPTO.keyExport, [key.key], 'jwk') as string, alg, key.extractable, key.usages);
      }
      mustBeType(key, format === 'pkcs8' ? 'private' : 'public');
      return new NativeUint8Array(opWithKeys(CRYPTO.keyExport, [key.key], format) as ArrayBuffer);
    },
  };
}

function imported({ name, use, named }: Kind, curve: string, format: KeyFormat | 'host', data: Uint8Array | Jwk | HostKey, extractable: boolean, usages: readonly KeyUsage[]): HostKey {
  const flag = extractable ? 1 : 0;
  if (format === 'host') return fail('NotSupportedError', 'such keys are not derived');
  if (format !== 'jwk') {
    if (TypedArrayByteLength(data) > MAX_ENCODED_KEY) fail('DataError', 'the key is too large');
    return describedKey(result(op(CRYPTO.keyImport, format, curve, data, flag)));
  }
  const jwk = data as Jwk;
  checkJwk(jwk, named ? 'EC' : 'OKP', use, extractable, usages);
  if (jwk['crv'] !== curve) fail('DataError', 'the key is of another curve');
  if (name === 'ECDSA') checkAlg(jwk, ES_NAMES[curve] ?? '');
  if (name === 'Ed25519') checkAlg(jwk, 'Ed25519', 'EdDSA');
  const text = jwkForHost(jwk, MEMBERS);
  if (text.length > MAX_ENCODED_KEY) fail('DataError', 'the key is too large');
  return describedKey(result(op(CRYPTO.keyImport, 'jwk', curve, text, flag)));
}

function signed(scheme: string, hash: string, key: KeySlots, data: Uint8Array): Uint8Array {
  mustBeType(key, 'private');
  if (scheme === 'ed25519' && TypedArrayByteLength(data) > MAX_CROSSING) fail('OperationError', 'Ed25519 signs up to 1 MiB');
  return overData((all) => opWithKeys(CRYPTO.sign, [key.key], scheme, all, hash, 0), data) as Uint8Array;
}

/** Two coordinates of the longest curve. */
const MAX_SIGNATURE_BYTES = 132;

function verified(scheme: string, hash: string, key: KeySlots, signature: Uint8Array, data: Uint8Array): boolean {
  mustBeType(key, 'public');
  if (TypedArrayByteLength(signature) > MAX_SIGNATURE_BYTES) return false;
  if (scheme === 'ed25519' && TypedArrayByteLength(data) > MAX_CROSSING) fail('OperationError', 'Ed25519 verifies up to 1 MiB');
  return overData((all) => opWithKeys(CRYPTO.verify, [key.key], scheme, all, hash, 0, signature), data) === 1;
}

const toSignature = (members: Members): Params => ({ hash: toHash(members['hash']) });

const toAgreement = (members: Members): Params => {
  const slots = keySlots(required(members['public'], 'public'));
  if (slots === undefined) throw new NativeTypeError('public must be a CryptoKey');
  return { public: slots };
};

const agreement: Pick<Algorithm, 'parameters' | 'deriveBits'> = {
  parameters: { deriveBits: toAgreement },
  deriveBits({ public: other }, key, bits, keep) {
    mustBeType(key, 'private');
    const peer = other as KeySlots;
    mustBeType(peer, 'public');
    if (peer.algorithm.name !== key.algorithm.name || peer.algorithm.namedCurve !== key.algorithm.namedCurve) fail('InvalidAccessError', 'the keys are of different algorithms');
    return opWithKeys(CRYPTO.agree, [key.key, peer.key], undefined, bits ?? -1, keep);
  },
};

export const CURVES: readonly Algorithm[] = [
  curveAlgorithm({ ...SIGNING, name: 'ECDSA', named: true }, {
    parameters: { sign: toSignature, verify: toSignature },
    sign: ({ hash = '' }, key, data) => signed('ecdsa', hash, key, data),
    verify: ({ hash = '' }, key, signature, data) => verified('ecdsa', hash, key, signature, data),
  }),
  curveAlgorithm({ ...SIGNING, name: 'Ed25519', named: false }, {
    parameters: { sign: none, verify: none },
    sign: (_params, key, data) => signed('ed25519', '', key, data),
    verify: (_params, key, signature, data) => verified('ed25519', '', key, signature, data),
  }),
  curveAlgorithm({ ...AGREEING, name: 'ECDH', named: true }, agreement),
  curveAlgorithm({ ...AGREEING, name: 'X25519', named: false }, agreement),
];
