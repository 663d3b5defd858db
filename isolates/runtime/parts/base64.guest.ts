// atob and btoa (Infra standard, section 7: forgiving-base64). Short texts are done here, long ones by the host.
import { MAX_CROSSING } from '../abi.ts';
import { ENCODING_OP } from '../abi-encoding.ts';
import { DOMException } from '../errors.guest.ts';
import { op } from '../host.guest.ts';
import { NativeString, NativeTypeError, NativeUint8Array, StringFromCharCode, StringPrototypeCharCodeAt, StringPrototypeReplace, StringPrototypeSlice } from '../primordials.guest.ts';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
/** Value of each ASCII character plus 1; 0 for those outside the alphabet. */
const VALUES = new NativeUint8Array(128);
/** The character of each value. */
const CODES = new NativeUint8Array(64);
for (let i = 0; i < 64; i++) {
  const code = StringPrototypeCharCodeAt(ALPHABET, i);
  VALUES[code] = i + 1;
  CODES[i] = code;
}
const PAD = 61;

/** Up to here a crossing costs more than the work (measured: it pays from about 100 characters on). */
const SHORT_CHARACTERS = 96;
/** A multiple of both 3 and 4, so that pieces join without padding between them. */
const PIECE = MAX_CROSSING - (MAX_CROSSING % 12);

function argument(given: number, value: unknown, of: string): string {
  if (given === 0) throw new NativeTypeError(`${of}: 1 argument required, but only 0 present`);
  if (typeof value === 'symbol') throw new NativeTypeError('a symbol is no string');
  return NativeString(value);
}

/** Characters above U+00FF are an InvalidCharacterError. */
export function btoa(data: string): string {
  const text = argument(arguments.length, data, 'btoa');
  if (text.length <= SHORT_CHARACTERS) return encodeHere(text);
  let out = '';
  for (let at = 0; at < text.length; at += PIECE) {
    const piece = op(ENCODING_OP.base64Encode, text.length <= PIECE ? text : StringPrototypeSlice(text, at, at + PIECE)) as string | undefined;
    if (piece === undefined) throw beyondLatin1();
    out += piece;
  }
  return out;
}

function beyondLatin1(): Error {
  return new DOMException('The string holds characters outside of Latin1', 'InvalidCharacterError');
}

function encodeHere(text: string): string {
  const { length } = text;
  let out = '';
  for (let i = 0; i < length; i += 3) {
    const a = StringPrototypeCharCodeAt(text, i);
    const b = i + 1 < length ? StringPrototypeCharCodeAt(text, i + 1) : 0;
    const c = i + 2 < length ? StringPrototypeCharCodeAt(text, i + 2) : 0;
    if (a > 255 || b > 255 || c > 255) throw beyondLatin1();
    out += StringFromCharCode(
      CODES[a >> 2] as number, CODES[((a & 3) << 4) | (b >> 4)] as number,
      i + 1 < length ? (CODES[((b & 15) << 2) | (c >> 6)] as number) : PAD, i + 2 < length ? (CODES[c & 63] as number) : PAD,
    );
  }
  return out;
}

const SPACES = /[\t\n\f\r ]+/g;
const PADDING = /==?$/;

/** White space is skipped; anything else that is no base64 is an InvalidCharacterError. */
export function atob(data: string): string {
  const text = StringPrototypeReplace(argument(arguments.length, data, 'atob'), SPACES, '');
  if (text.length <= SHORT_CHARACTERS) return decodeHere(text);
  let out = '';
  for (let at = 0; at < text.length; at += PIECE) {
    const last = at + PIECE >= text.length;
    const piece = text.length <= PIECE ? text : StringPrototypeSlice(text, at, at + PIECE);
    // Padding ends the text, not a piece of it.
    const decoded = !last && piece[PIECE - 1] === '=' ? undefined : (op(ENCODING_OP.base64Decode, piece) as string | undefined);
    if (decoded === undefined) throw notBase64();
    out += decoded;
  }
  return out;
}

function notBase64(): Error {
  return new DOMException('The string is not correctly encoded', 'InvalidCharacterError');
}

function decodeHere(padded: string): string {
  const text = padded.length % 4 === 0 ? StringPrototypeReplace(padded, PADDING, '') : padded;
  if (text.length % 4 === 1) throw notBase64();
  let out = '';
  let bits = 0;
  let held = 0;
  for (let i = 0; i < text.length; i++) {
    const code = StringPrototypeCharCodeAt(text, i);
    const value = code < 128 ? (VALUES[code] as number) - 1 : -1;
    if (value < 0) throw notBase64();
    held = ((held << 6) | value) & 0xffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out += StringFromCharCode((held >> bits) & 255);
    }
  }
  return out;
}
