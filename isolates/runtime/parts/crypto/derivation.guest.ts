// HKDF, PBKDF2 and the digests (Web Cryptography API, sections 32 to 34).
import { CRYPTO, MAX_PARAMETER_BYTES } from '../../abi-crypto.ts';
import { op } from '../../host.guest.ts';
import { NativeArrayBuffer, TypedArrayByteLength } from '../../primordials.guest.ts';
import { mustHaveUsages, none, toBytes, toHash } from './algorithm.guest.ts';
import type { Algorithm, Imported, Params } from './algorithm.guest.ts';
import { UNSIGNED_LONG, fail, required, toInteger } from './convert.guest.ts';
import type { Members } from './convert.guest.ts';
import type { KeyUsage } from './crypto-key.guest.ts';
import { importSecret, opWithKeys, overData, result, workWithKey } from './host-keys.guest.ts';
import type { HostKey } from './host-keys.guest.ts';

const USAGES: readonly KeyUsage[] = ['deriveKey', 'deriveBits'];

function derivation(name: string, toParams: (members: Members) => Params, deriveBits: NonNullable<Algorithm['deriveBits']>): Algorithm {
  return {
    name,
    parameters: { deriveBits: toParams, importKey: none, getKeyLength: none },
    deriveBits,
    importKey(format, data, _params, extractable, usages): Imported {
      if (format !== 'raw' && format !== 'host') return fail('NotSupportedError', 'keys to derive from are imported raw');
      mustHaveUsages(usages, USAGES);
      if (extractable) fail('SyntaxError', 'keys to derive from are not extractable');
      return { key: format === 'host' ? (data as HostKey) : importSecret(data as Uint8Array, false, 0), algorithm: { name } };
    },
    getKeyLength: () => null,
  };
}

function checkedBits(bits: number | null, ...parameters: readonly (Uint8Array | undefined)[]): number {
  if (bits === null || bits % 8 !== 0) return fail('OperationError', 'the length must be given, in whole bytes');
  for (let i = 0; i < parameters.length; i++) if (TypedArrayByteLength(parameters[i]) > MAX_PARAMETER_BYTES) fail('OperationError', `parameters have up to ${MAX_PARAMETER_BYTES} bytes`);
  return bits;
}

const toHkdf = (members: Members): Params => ({ hash: toHash(members['hash']), info: toBytes(members['info'], 'info'), salt: toBytes(members['salt'], 'salt') });
const toPbkdf2 = (members: Members): Params => ({
  hash: toHash(members['hash']),
  iterations: toInteger(required(members['iterations'], 'iterations'), UNSIGNED_LONG, 'iterations'),
  salt: toBytes(members['salt'], 'salt'),
});

function digestAlgorithm(name: string): Algorithm {
  return { name, parameters: { digest: none } };
}

export const DERIVATIONS: readonly Algorithm[] = [
  derivation('HKDF', toHkdf, ({ hash, salt, info }, { key }, bits, keep) => opWithKeys(CRYPTO.hkdf, [key], hash, salt, info, checkedBits(bits, salt, info), keep)),
  derivation('PBKDF2', toPbkdf2, ({ hash, salt, iterations }, { key }, bits, keep) => {
    const count = checkedBits(bits, salt);
    if (iterations === 0) fail('OperationError', 'there must be an iteration');
    return count === 0 ? new NativeArrayBuffer(0) : workWithKey(CRYPTO.pbkdf2, key, hash, salt, iterations, `${count} ${keep}`);
  }),
  digestAlgorithm('SHA-1'),
  digestAlgorithm('SHA-256'),
  digestAlgorithm('SHA-384'),
  digestAlgorithm('SHA-512'),
];

export function digestOf(hash: string, data: Uint8Array): Uint8Array {
  return overData((all) => result(op(CRYPTO.digest, hash, all)), data) as Uint8Array;
}
