// Keys and sealed boxes: per-tier keys derived from the node key (HKDF, RFC 5869), secrets sealed with AES-256-GCM (NIST SP 800-38D).
import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const VERSION = 1;

/** The key of one tier: HKDF-SHA-256 over the node key, so that a host of one tier can't open what is sealed for another. */
export function deriveTierKey(nodeKey: string, tier: string): Buffer {
  return Buffer.from(hkdfSync('sha256', Buffer.from(nodeKey, 'utf8'), 'thimble', `secrets/tier/${tier}`, KEY_BYTES));
}

/**
 * Encrypts `plain` so that only the holder of `key` reads it, and only for this `purpose` (associated data).
 *
 * @returns base64url of version, nonce, tag and ciphertext
 */
export function seal(key: Buffer, purpose: string, plain: string): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  cipher.setAAD(Buffer.from(purpose, 'utf8'));
  const body = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()]);
  return Buffer.concat([Buffer.of(VERSION), nonce, cipher.getAuthTag(), body]).toString('base64url');
}

/** Opens what `seal` made; throws when key, purpose or bytes are not the same. */
export function unseal(key: Buffer, purpose: string, sealed: string): string {
  const raw = Buffer.from(sealed, 'base64url');
  if (raw[0] !== VERSION || raw.length < 1 + NONCE_BYTES + TAG_BYTES) throw new Error('not a sealed box of this version');
  const tagAt = 1 + NONCE_BYTES;
  const decipher = createDecipheriv('aes-256-gcm', key, raw.subarray(1, tagAt), { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(purpose, 'utf8'));
  decipher.setAuthTag(raw.subarray(tagAt, tagAt + TAG_BYTES));
  return Buffer.concat([decipher.update(raw.subarray(tagAt + TAG_BYTES)), decipher.final()]).toString('utf8');
}

/** Compares two strings in time that depends on neither (both are hashed first, so that lengths do not show). */
export function constantTimeEqual(a: string, b: string): boolean {
  return timingSafeEqual(createHash('sha256').update(a).digest(), createHash('sha256').update(b).digest());
}

export function sha256Hex(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}
