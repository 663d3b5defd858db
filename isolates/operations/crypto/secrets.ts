// The keys of one isolate: a few live ones in the host, all others sealed in the isolate's own memory.
import { createCipheriv, createDecipheriv, createPrivateKey, createPublicKey, randomBytes } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { MAX_ENCODED_KEY, MAX_PARAMETER_BYTES } from '../../runtime/abi-crypto.ts';

/** Live keys of one isolate, at most. A function that works with more pays for unsealing. */
const MAX_LIVE_KEYS = 64;
/** Bytes of its live secret keys. */
const MAX_LIVE_BYTES = 262_144;
const MAX_SEALED_CHARACTERS = 2 * (MAX_PARAMETER_BYTES + MAX_ENCODED_KEY);

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const CIPHER = 'aes-256-gcm';

export type StoredKey =
  | { readonly type: 'secret'; readonly bytes: Buffer; readonly extractable: boolean }
  | { readonly type: 'public' | 'private'; readonly object: KeyObject; readonly extractable: boolean };

/**
 * Nothing tells the host when a tenant's CryptoKey is collected (no finalizers run in these isolates), so it keeps none for good: it holds the most recently used ones, and the
 * isolate holds each as a blob that is sealed with a key of the host. Who still has the CryptoKey has the blob, so it never stops working; who has dropped it has given back its
 * memory, which the isolate's own limit counts.
 */
export class KeyRing {
  /** In order of use. */
  readonly #live = new Map<number, StoredKey>();
  #liveBytes = 0;
  #last = 0;
  /** Dies with the isolate, and so does every blob. */
  #sealing: Buffer | null = null;

  /** @returns handle and sealed blob (base64) */
  add(key: StoredKey): { readonly handle: number; readonly sealed: string } {
    this.#last += 1;
    this.#put(this.#last, key);
    return { handle: this.#last, sealed: this.#seal(this.#last, key) };
  }

  /** Undefined: not live, to be restored. */
  get(handle: number): StoredKey | undefined {
    const key = this.#live.get(handle);
    if (key === undefined) return undefined;
    this.#live.delete(handle);
    this.#live.set(handle, key);
    return key;
  }

  /** Throws when the blob is none of this isolate's, or another key's. */
  restore(handle: number, sealed: string): void {
    if (this.#live.has(handle)) return;
    if (sealed.length > MAX_SEALED_CHARACTERS || !(handle > 0 && handle <= this.#last)) throw new TypeError('no such key');
    this.#put(handle, this.#unseal(handle, Buffer.from(sealed, 'base64')));
  }

  close(): void {
    for (const key of this.#live.values()) wipe(key);
    this.#live.clear();
    this.#sealing?.fill(0);
  }

  #put(handle: number, key: StoredKey): void {
    this.#live.set(handle, key);
    this.#liveBytes += size(key);
    for (const [oldest, old] of this.#live) {
      if (oldest === handle || (this.#live.size <= MAX_LIVE_KEYS && this.#liveBytes <= MAX_LIVE_BYTES)) break;
      this.#live.delete(oldest);
      this.#liveBytes -= size(old);
      wipe(old);
    }
  }

  /** One byte of type and extractability, then the key. The handle is the nonce: it is used once, and it ties the blob to its key. */
  #seal(handle: number, key: StoredKey): string {
    this.#sealing ??= randomBytes(32);
    const cipher = createCipheriv(CIPHER, this.#sealing, nonce(handle), { authTagLength: TAG_BYTES });
    const material = key.type === 'secret' ? key.bytes : key.object.export({ type: key.type === 'private' ? 'pkcs8' : 'spki', format: 'der' });
    const head = Buffer.of(TYPES.indexOf(key.type) * 2 + (key.extractable ? 1 : 0));
    const sealed = Buffer.concat([cipher.update(head), cipher.update(material), cipher.final(), cipher.getAuthTag()]);
    if (key.type !== 'secret') material.fill(0);
    return sealed.toString('base64');
  }

  #unseal(handle: number, sealed: Buffer): StoredKey {
    if (this.#sealing === null || sealed.length < TAG_BYTES + 1) throw new TypeError('no such key');
    const decipher = createDecipheriv(CIPHER, this.#sealing, nonce(handle), { authTagLength: TAG_BYTES });
    decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
    const open = decipher.update(sealed.subarray(0, sealed.length - TAG_BYTES));
    decipher.final();
    const head = open[0] ?? 0;
    const type = TYPES[head >> 1] ?? 'secret';
    const extractable = (head & 1) === 1;
    if (type === 'secret') return { type, bytes: Buffer.from(open.subarray(1)), extractable };
    const der = open.subarray(1);
    const object = type === 'private' ? createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }) : createPublicKey({ key: der, format: 'der', type: 'spki' });
    open.fill(0);
    return { type, object, extractable };
  }
}

const TYPES = ['secret', 'public', 'private'] as const;

function nonce(handle: number): Buffer {
  const bytes = Buffer.alloc(NONCE_BYTES);
  bytes.writeUIntBE(handle, NONCE_BYTES - 6, 6);
  return bytes;
}

function size(key: StoredKey): number {
  return key.type === 'secret' ? key.bytes.length : 0;
}

function wipe(key: StoredKey): void {
  if (key.type === 'secret') key.bytes.fill(0);
}
