// TextEncoder, TextDecoder (UTF-8 and UTF-16 so far), atob, btoa. Bulk work is the host's; short ASCII stays here.
import { MAX_CROSSING, OP } from './abi.ts';
import { DOMException } from './errors.guest.ts';
import { op } from './host.guest.ts';
import {
  ArrayBufferIsView, NativeArrayBuffer, NativeString, NativeTypeError, NativeUint8Array, StringPrototypeCharCodeAt, StringPrototypeReplace, StringPrototypeSlice, StringPrototypeToLowerCase,
  TypedArrayPrototypeSubarray, Uint8ArrayPrototypeSet, exactBytes, viewBytes,
} from './primordials.guest.ts';

const { fromCharCode } = String;
const ASCII_CHARACTERS = 64;

/** UTF-8 bytes; lone surrogates become U+FFFD. */
export function encodeUtf8(text: string): Uint8Array<ArrayBuffer> {
  if (text.length <= ASCII_CHARACTERS) {
    const bytes = new NativeUint8Array(text.length);
    let i = 0;
    for (; i < text.length; i++) {
      const code = StringPrototypeCharCodeAt(text, i);
      if (code > 0x7f) break;
      bytes[i] = code;
    }
    if (i === text.length) return bytes;
  }
  if (text.length <= MAX_CROSSING) return new NativeUint8Array(op(OP.utf8Encode, text) as ArrayBuffer);
  const pieces: Uint8Array[] = [];
  let total = 0;
  for (let at = 0; at < text.length; ) {
    const end = pieceEnd(text, at, MAX_CROSSING);
    const piece = new NativeUint8Array(op(OP.utf8Encode, StringPrototypeSlice(text, at, end)) as ArrayBuffer);
    pieces[pieces.length] = piece;
    total += piece.length;
    at = end;
  }
  const all = new NativeUint8Array(total);
  let at = 0;
  for (let i = 0; i < pieces.length; i++) {
    Uint8ArrayPrototypeSet(all, pieces[i] as Uint8Array, at);
    at += (pieces[i] as Uint8Array).length;
  }
  return all;
}

/** End of a piece of at most `size` units from `at` on that splits no surrogate pair. */
export function pieceEnd(text: string, at: number, size: number): number {
  const end = at + size;
  if (end >= text.length) return text.length;
  const last = StringPrototypeCharCodeAt(text, end - 1);
  return last >= 0xd800 && last <= 0xdbff ? end - 1 : end;
}

/** Text of UTF-8 bytes without a byte order mark, malformed sequences replaced. */
export function decodeUtf8(bytes: Uint8Array): string {
  if (bytes.length <= ASCII_CHARACTERS) {
    let text = '';
    let i = 0;
    for (; i < bytes.length; i++) {
      const code = bytes[i] as number;
      if (code > 0x7f) break;
      text += fromCharCode(code);
    }
    if (i === bytes.length) return text;
  }
  if (bytes.length <= MAX_CROSSING) return op(OP.utf8Decode, exactBytes(bytes)) as string;
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const piece = TypedArrayPrototypeSubarray(bytes, at, at + MAX_CROSSING);
    // A sequence that the cut would split begins the next piece; where the bytes are no UTF-8 at all, any cut does.
    const whole = at + piece.length < bytes.length ? completeUtf8(piece) : piece.length;
    text += op(OP.utf8Decode, exactBytes(TypedArrayPrototypeSubarray(piece, 0, whole))) as string;
    at += whole;
  }
  return text;
}

export function bytesOf(source: unknown): Uint8Array {
  if (ArrayBufferIsView(source)) return viewBytes(source);
  if (source instanceof NativeArrayBuffer) return new NativeUint8Array(source);
  throw new NativeTypeError('an ArrayBuffer or a view of one is needed');
}

export class TextEncoder {
  get encoding(): string { return 'utf-8'; }

  encode(text: unknown = ''): Uint8Array<ArrayBuffer> {
    return encodeUtf8(NativeString(text));
  }

  encodeInto(source: unknown, destination: Uint8Array): { read: number; written: number } {
    const text = NativeString(source);
    let read = 0;
    let written = 0;
    while (read < text.length) {
      let code = text.codePointAt(read) as number;
      const units = code > 0xffff ? 2 : 1;
      if (code >= 0xd800 && code <= 0xdfff) code = 0xfffd;
      const size = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
      if (written + size > destination.length) break;
      if (size === 1) destination[written] = code;
      else if (size === 2) {
        destination[written] = 0xc0 | (code >> 6);
        destination[written + 1] = 0x80 | (code & 0x3f);
      } else if (size === 3) {
        destination[written] = 0xe0 | (code >> 12);
        destination[written + 1] = 0x80 | ((code >> 6) & 0x3f);
        destination[written + 2] = 0x80 | (code & 0x3f);
      } else {
        destination[written] = 0xf0 | (code >> 18);
        destination[written + 1] = 0x80 | ((code >> 12) & 0x3f);
        destination[written + 2] = 0x80 | ((code >> 6) & 0x3f);
        destination[written + 3] = 0x80 | (code & 0x3f);
      }
      written += size;
      read += units;
    }
    return { read, written };
  }
}

const LABELS: Readonly<Record<string, string>> = {
  __proto__: null as never,
  'utf-8': 'utf-8', utf8: 'utf-8', 'unicode-1-1-utf-8': 'utf-8', 'unicode11utf8': 'utf-8', 'unicode20utf8': 'utf-8', 'x-unicode20utf8': 'utf-8',
  'utf-16le': 'utf-16le', 'utf-16': 'utf-16le', 'ucs-2': 'utf-16le', 'iso-10646-ucs-2': 'utf-16le', csunicode: 'utf-16le', unicode: 'utf-16le', unicodefeff: 'utf-16le',
  'utf-16be': 'utf-16be', unicodefffe: 'utf-16be',
};

/** Length of the longest prefix that ends with a whole UTF-8 sequence (or with bytes that no continuation can mend). */
function completeUtf8(bytes: Uint8Array): number {
  const { length } = bytes;
  for (let back = 1; back <= 3 && back <= length; back++) {
    const byte = bytes[length - back] as number;
    if ((byte & 0xc0) === 0x80) continue;
    const needs = byte >= 0xf0 && byte < 0xf5 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc2 ? 2 : 1;
    return needs > back && byte < 0xf5 ? length - back : length;
  }
  return length;
}

export class TextDecoder {
  readonly #encoding: string;
  readonly #fatal: boolean;
  readonly #ignoreBOM: boolean;
  #rest: Uint8Array = new NativeUint8Array(0);
  #started = false;

  constructor(label: unknown = 'utf-8', options?: { fatal?: boolean; ignoreBOM?: boolean }) {
    const key = StringPrototypeReplace(StringPrototypeToLowerCase(NativeString(label)), /^[\t\n\f\r ]+|[\t\n\f\r ]+$/g, '');
    const encoding = LABELS[key];
    if (encoding === undefined) throw new RangeError(`The encoding label "${key}" is not supported`);
    this.#encoding = encoding;
    this.#fatal = Boolean(options?.fatal);
    this.#ignoreBOM = Boolean(options?.ignoreBOM);
  }

  get encoding(): string { return this.#encoding; }
  get fatal(): boolean { return this.#fatal; }
  get ignoreBOM(): boolean { return this.#ignoreBOM; }

  decode(input?: unknown, options?: { stream?: boolean }): string {
    const more = Boolean(options?.stream);
    let bytes = input === undefined ? new NativeUint8Array(0) : bytesOf(input);
    if (this.#rest.length > 0) {
      const joined = new NativeUint8Array(this.#rest.length + bytes.length);
      joined.set(this.#rest);
      joined.set(bytes, this.#rest.length);
      bytes = joined;
    }
    const utf8 = this.#encoding === 'utf-8';
    const whole = more ? (utf8 ? completeUtf8(bytes) : bytes.length - (bytes.length % 2)) : bytes.length;
    this.#rest = more ? bytes.slice(whole) : new NativeUint8Array(0);
    let text = utf8 ? this.#utf8(bytes.subarray(0, whole)) : this.#utf16(bytes.subarray(0, whole));
    if (text !== '' && !this.#started) {
      if (!this.#ignoreBOM && StringPrototypeCharCodeAt(text, 0) === 0xfeff) text = text.slice(1);
      this.#started = true;
    }
    if (!more) this.#started = false;
    return text;
  }

  #utf8(bytes: Uint8Array): string {
    const text = decodeUtf8(bytes);
    // A replacement character that was not in the input betrays a malformed sequence.
    if (this.#fatal && text.includes('\ufffd')) {
      const again = encodeUtf8(text);
      let same = again.length === bytes.length;
      for (let i = 0; same && i < bytes.length; i++) same = bytes[i] === again[i];
      if (!same) throw new NativeTypeError('The encoded data was not valid for encoding utf-8');
    }
    return text;
  }

  #utf16(bytes: Uint8Array): string {
    const low = this.#encoding === 'utf-16le' ? 0 : 1;
    let text = '';
    for (let i = 0; i + 1 < bytes.length; i += 2) text += fromCharCode((bytes[i + low] as number) | ((bytes[i + 1 - low] as number) << 8));
    if (bytes.length % 2 === 1) text += '\ufffd';
    const wellFormed = text.toWellFormed();
    if (this.#fatal && (wellFormed !== text || bytes.length % 2 === 1)) throw new NativeTypeError(`The encoded data was not valid for encoding ${this.#encoding}`);
    return wellFormed;
  }
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const VALUES = new Int8Array(128).fill(-1);
for (let i = 0; i < 64; i++) VALUES[ALPHABET.charCodeAt(i)] = i;

/** Infra standard, "forgiving-base64 encode"; characters above U+00FF are an InvalidCharacterError. */
export function btoa(data: unknown): string {
  const text = NativeString(data);
  let out = '';
  for (let i = 0; i < text.length; i += 3) {
    const a = StringPrototypeCharCodeAt(text, i);
    const b = i + 1 < text.length ? StringPrototypeCharCodeAt(text, i + 1) : 0;
    const c = i + 2 < text.length ? StringPrototypeCharCodeAt(text, i + 2) : 0;
    if (a > 255 || b > 255 || c > 255) throw new DOMException('The string holds characters outside of Latin1', 'InvalidCharacterError');
    out += ALPHABET[a >> 2];
    out += ALPHABET[((a & 3) << 4) | (b >> 4)];
    out += i + 1 < text.length ? ALPHABET[((b & 15) << 2) | (c >> 6)] : '=';
    out += i + 2 < text.length ? ALPHABET[c & 63] : '=';
  }
  return out;
}

/** Infra standard, "forgiving-base64 decode". */
export function atob(data: unknown): string {
  let text = StringPrototypeReplace(NativeString(data), /[\t\n\f\r ]/g, '');
  if (text.length % 4 === 0) text = StringPrototypeReplace(text, /==?$/, '');
  if (text.length % 4 === 1) throw new DOMException('The string is not correctly encoded', 'InvalidCharacterError');
  let out = '';
  let bits = 0;
  let held = 0;
  for (let i = 0; i < text.length; i++) {
    const code = StringPrototypeCharCodeAt(text, i);
    const value = code < 128 ? (VALUES[code] as number) : -1;
    if (value < 0) throw new DOMException('The string is not correctly encoded', 'InvalidCharacterError');
    held = (held << 6) | value;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out += fromCharCode((held >> bits) & 255);
    }
  }
  return out;
}
