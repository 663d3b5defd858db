// The text of a token: a recognisable prefix, the id that it is looked up by, and 256 random bits.
import { randomBytes } from 'node:crypto';
import { sha256Hex } from '../../core/crypto/index.ts';

const SECRET_BYTES = 32;
const ID_RANDOM_BYTES = 4;
/** Scanners for leaked secrets find it by this form. */
const FORM = /^thm_([0-9a-f]{20})_([A-Za-z0-9_-]{43})$/;

export const TOKEN_ID = /^[0-9a-f]{20}$/;

export interface TokenText {
  readonly id: string;
  /** Never stored and never logged. */
  readonly text: string;
  readonly hash: string;
}

/** Ids begin with the time, so that their order is the order in which tokens were made. */
export function newToken(nowMs: number): TokenText {
  const id = nowMs.toString(16).padStart(12, '0') + randomBytes(ID_RANDOM_BYTES).toString('hex');
  const text = `thm_${id}_${randomBytes(SECRET_BYTES).toString('base64url')}`;
  return { id, text, hash: hashToken(text) };
}

/** The id in a text of the right form; undefined: it is no such token. */
export function idOfToken(text: string): string | undefined {
  return FORM.exec(text)?.[1];
}

/**
 * What is kept of a token. One round of SHA-256 without salt is enough for 256 random bits: there is no list of likely ones to try.
 *
 * @see NIST SP 800-63B section 5.1.2.2: look-up secrets of 112 bits or more are hashed with an approved one-way function; weaker ones
 * need a salt and a slow one
 */
export function hashToken(text: string): string {
  return sha256Hex(text);
}
