// CryptoKey (Web Cryptography API, section 13): what it says of itself, and the host's key behind it.
import { NativeTypeError, NativeUint8Array } from '../../primordials.guest.ts';
import type { HostKey } from './host-keys.guest.ts';

export type KeyUsage = 'encrypt' | 'decrypt' | 'sign' | 'verify' | 'deriveKey' | 'deriveBits' | 'wrapKey' | 'unwrapKey';

/** In the order in which `usages` lists them. */
export const KEY_USAGES: readonly KeyUsage[] = ['encrypt', 'decrypt', 'sign', 'verify', 'deriveKey', 'deriveBits', 'wrapKey', 'unwrapKey'];

/** A KeyAlgorithm with whichever of its members there are. Never shown to a tenant: it gets a copy. */
export interface KeyAlgorithm {
  readonly name: string;
  readonly hash?: string;
  readonly length?: number;
  readonly namedCurve?: string;
  readonly modulusLength?: number;
  readonly publicExponent?: Uint8Array;
}

export interface KeySlots {
  readonly key: HostKey;
  readonly extractable: boolean;
  readonly algorithm: KeyAlgorithm;
  readonly usages: readonly KeyUsage[];
}

const TOKEN = {};

export class CryptoKey {
  readonly #slots: KeySlots;
  #algorithm: object | undefined;
  #usages: KeyUsage[] | undefined;

  constructor(...made: unknown[]) {
    if (made[0] !== TOKEN) throw new NativeTypeError('Illegal constructor');
    this.#slots = made[1] as KeySlots;
  }

  get type(): string {
    return this.#slots.key.type;
  }

  get extractable(): boolean {
    return this.#slots.extractable;
  }

  /** The same object each time; changing it changes nothing of the key. */
  get algorithm(): object {
    return (this.#algorithm ??= shownAlgorithm(this.#slots.algorithm));
  }

  get usages(): KeyUsage[] {
    return (this.#usages ??= copied(this.#slots.usages));
  }

  /** @internal taken off before anybody sees the class */
  static slotsOf(value: object): KeySlots | undefined {
    return #slots in value ? value.#slots : undefined;
  }
}

const { slotsOf } = CryptoKey;
delete (CryptoKey as { slotsOf?: unknown }).slotsOf;

export function makeKey(slots: KeySlots): CryptoKey {
  return new CryptoKey(TOKEN, slots);
}

/** Undefined when it is no CryptoKey. */
export function keySlots(value: unknown): KeySlots | undefined {
  return typeof value === 'object' && value !== null ? slotsOf(value) : undefined;
}

export function mustBeKey(value: unknown): KeySlots {
  const slots = keySlots(value);
  if (slots === undefined) throw new NativeTypeError('a CryptoKey is needed');
  return slots;
}

function shownAlgorithm(algorithm: KeyAlgorithm): object {
  const { name, hash, length, namedCurve, modulusLength, publicExponent } = algorithm;
  return {
    name,
    ...(modulusLength === undefined ? undefined : { modulusLength }),
    ...(publicExponent === undefined ? undefined : { publicExponent: new NativeUint8Array(publicExponent) }),
    ...(hash === undefined ? undefined : { hash: { name: hash } }),
    ...(length === undefined ? undefined : { length }),
    ...(namedCurve === undefined ? undefined : { namedCurve }),
  };
}

function copied(usages: readonly KeyUsage[]): KeyUsage[] {
  const list: KeyUsage[] = [];
  for (let i = 0; i < usages.length; i++) list[i] = usages[i] as KeyUsage;
  return list;
}

export function has(usages: readonly KeyUsage[], usage: KeyUsage): boolean {
  for (let i = 0; i < usages.length; i++) if (usages[i] === usage) return true;
  return false;
}

/** Those of `usages` that are in `allowed`, in the standard's order. */
export function common(usages: readonly KeyUsage[], allowed: readonly KeyUsage[]): KeyUsage[] {
  const list: KeyUsage[] = [];
  for (let i = 0; i < KEY_USAGES.length; i++) {
    const usage = KEY_USAGES[i] as KeyUsage;
    if (has(usages, usage) && has(allowed, usage)) list[list.length] = usage;
  }
  return list;
}
