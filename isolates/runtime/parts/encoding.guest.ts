// TextEncoder and TextDecoder (Encoding standard, section 7). UTF-8 and UTF-16 are here; legacy encodings are a part of their own.
import { MAX_CROSSING } from '../abi.ts';
import { ENCODING_OP } from '../abi-encoding.ts';
import { bytesOf, completeUtf8, decodeUtf8, encodeUtf8 } from '../encoding.guest.ts';
import { op } from '../host.guest.ts';
import { loadPart } from '../parts.guest.ts';
import {
  NativeRangeError, NativeString, NativeTypeError, NativeUint16Array, NativeUint8Array, StringPrototypeCharCodeAt, StringPrototypeReplace, StringPrototypeSlice, StringPrototypeToLowerCase, StringPrototypeToWellFormed, TypedArrayPrototypeSubarray,
  Uint8ArrayPrototypeSet, Uint8ArrayPrototypeSlice, exactBytes, typedArrayName,
} from '../primordials.guest.ts';
import { codeUnits } from './encodings/code-units.guest.ts';
import { dictionary, needArguments } from './shared/conversions.guest.ts';

export class TextEncoder {
  // Web IDL: the getter and the methods belong to instances.
  readonly #brand = true;

  get encoding(): string {
    void this.#brand;
    return 'utf-8';
  }

  encode(input: unknown = ''): Uint8Array<ArrayBuffer> {
    void this.#brand;
    return encodeUtf8(stringOf(input));
  }

  encodeInto(source: unknown, destination: Uint8Array): { read: number; written: number } {
    void this.#brand;
    needArguments(arguments.length, 2, 'TextEncoder.encodeInto');
    const text = stringOf(source);
    if (typedArrayName(destination) !== 'Uint8Array') throw new NativeTypeError('TextEncoder.encodeInto: the destination must be a Uint8Array');
    return encodeInto(text, destination);
  }
}

function stringOf(value: unknown): string {
  if (typeof value === 'symbol') throw new NativeTypeError('a symbol is no string');
  return NativeString(value);
}

function encodeInto(text: string, into: Uint8Array): { read: number; written: number } {
  const { length } = text;
  const room = into.length;
  let read = 0;
  let written = 0;
  while (read < length) {
    let code = StringPrototypeCharCodeAt(text, read);
    if (code < 0x80) {
      if (written === room) break;
      into[written++] = code;
      read++;
      continue;
    }
    let units = 1;
    if (code >= 0xd800 && code <= 0xdfff) {
      const next = code < 0xdc00 && read + 1 < length ? StringPrototypeCharCodeAt(text, read + 1) : 0;
      if (next >= 0xdc00 && next <= 0xdfff) {
        code = 0x10000 + ((code - 0xd800) << 10) + (next - 0xdc00);
        units = 2;
      } else {
        code = 0xfffd;
      }
    }
    const size = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    if (written + size > room) break;
    if (size === 2) {
      into[written] = 0xc0 | (code >> 6);
    } else {
      if (size === 3) into[written] = 0xe0 | (code >> 12);
      else {
        into[written] = 0xf0 | (code >> 18);
        into[written + 1] = 0x80 | ((code >> 12) & 0x3f);
      }
      into[written + size - 2] = 0x80 | ((code >> 6) & 0x3f);
    }
    into[written + size - 1] = 0x80 | (code & 0x3f);
    written += size;
    read += units;
  }
  return { read, written };
}

/** What a TextDecoder needs of an encoding. State lasts from one call to the next until `end`. */
export interface Decoder {
  /** Throws a TypeError for malformed input when fatal. */
  decode(bytes: Uint8Array, end: boolean): string;
}

/** The part `legacy-encodings`. */
interface LegacyEncodings {
  makeDecoder(encoding: string, fatal: boolean): Decoder;
}

const NO_BYTES = new NativeUint8Array(0);
const AROUND = /^[\t\n\f\r ]+|[\t\n\f\r ]+$/g;

/** The encoding of a label (Encoding standard, section 4.2), in lower case; '' for none. */
function encodingOf(label: string): string {
  const key = StringPrototypeToLowerCase(StringPrototypeReplace(label, AROUND, ''));
  return key === 'utf-8' || key === 'utf8' ? 'utf-8' : (op(ENCODING_OP.label, key) as string);
}

export class TextDecoder {
  readonly #encoding: string;
  readonly #fatal: boolean;
  readonly #ignoreBOM: boolean;
  readonly #decoder: Decoder;
  /** The "do not flush" flag: the last call said that more would come. */
  #more = false;
  #sawStart = false;

  constructor(label: unknown = 'utf-8', options: unknown = undefined) {
    const name = stringOf(label);
    const given = dictionary(options, 'TextDecoder');
    const fatal = Boolean(given['fatal']);
    const ignoreBOM = Boolean(given['ignoreBOM']);
    const encoding = encodingOf(name);
    if (encoding === '' || encoding === 'replacement') throw new NativeRangeError(`The encoding label "${name}" is not supported`);
    this.#encoding = encoding;
    this.#fatal = fatal;
    this.#ignoreBOM = ignoreBOM;
    this.#decoder = makeDecoder(encoding, fatal);
  }

  get encoding(): string { return this.#encoding; }
  get fatal(): boolean { return this.#fatal; }
  get ignoreBOM(): boolean { return this.#ignoreBOM; }

  decode(input: unknown = undefined, options: unknown = undefined): string {
    const more = Boolean(dictionary(options, 'TextDecoder.decode')['stream']);
    const bytes = input === undefined ? NO_BYTES : bytesOf(input);
    if (!this.#more) this.#sawStart = false;
    this.#more = more;
    const text = this.#decoder.decode(bytes, !more);
    if (text === '' || this.#sawStart) return text;
    this.#sawStart = true;
    return !this.#ignoreBOM && StringPrototypeCharCodeAt(text, 0) === 0xfeff && hasMark(this.#encoding) ? StringPrototypeSlice(text, 1) : text;
  }
}

function hasMark(encoding: string): boolean {
  return encoding === 'utf-8' || encoding === 'utf-16le' || encoding === 'utf-16be';
}

function makeDecoder(encoding: string, fatal: boolean): Decoder {
  if (encoding === 'utf-8') return new Utf8Decoder(fatal);
  if (encoding === 'utf-16le' || encoding === 'utf-16be') return new Utf16Decoder(encoding, fatal);
  return loadPart<LegacyEncodings>('legacy-encodings').makeDecoder(encoding, fatal);
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.length === 0) return b;
  const all = new NativeUint8Array(a.length + b.length);
  Uint8ArrayPrototypeSet(all, a);
  Uint8ArrayPrototypeSet(all, b, a.length);
  return all;
}

class Utf8Decoder implements Decoder {
  readonly #fatal: boolean;
  /** Bytes of a sequence that the next call may complete. */
  #held: Uint8Array = NO_BYTES;

  constructor(fatal: boolean) {
    this.#fatal = fatal;
  }

  decode(input: Uint8Array, end: boolean): string {
    const bytes = joined(this.#held, input);
    const whole = end ? bytes.length : completeUtf8(bytes);
    this.#held = whole === bytes.length ? NO_BYTES : Uint8ArrayPrototypeSlice(bytes, whole);
    const now = whole === bytes.length ? bytes : TypedArrayPrototypeSubarray(bytes, 0, whole);
    return this.#fatal ? decodeStrictly(now) : decodeUtf8(now);
  }
}

/** Most bytes that are looked at here before the host is asked: short texts are mostly ASCII. */
const SHORT_BYTES = 256;

function decodeStrictly(bytes: Uint8Array): string {
  if (bytes.length <= SHORT_BYTES) {
    let i = 0;
    while (i < bytes.length && (bytes[i] as number) < 0x80) i++;
    if (i === bytes.length) return decodeUtf8(bytes);
  }
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const piece = TypedArrayPrototypeSubarray(bytes, at, at + MAX_CROSSING);
    const whole = at + piece.length < bytes.length ? completeUtf8(piece) : piece.length;
    const decoded = op(ENCODING_OP.utf8Fatal, exactBytes(TypedArrayPrototypeSubarray(piece, 0, whole))) as string | undefined;
    if (decoded === undefined) throw malformed('utf-8');
    text += decoded;
    at += whole;
  }
  return text;
}

function malformed(encoding: string): TypeError {
  return new NativeTypeError(`The encoded data was not valid for encoding ${encoding}`);
}

class Utf16Decoder implements Decoder {
  readonly #encoding: string;
  readonly #fatal: boolean;
  /** An odd byte, a high surrogate, or both. */
  #held: Uint8Array = NO_BYTES;

  constructor(encoding: string, fatal: boolean) {
    this.#encoding = encoding;
    this.#fatal = fatal;
  }

  decode(input: Uint8Array, end: boolean): string {
    const bytes = joined(this.#held, input);
    const low = this.#encoding === 'utf-16le' ? 0 : 1;
    let whole = bytes.length & ~1;
    // A high surrogate waits for its other half.
    const waits = whole > 0 && ((bytes[whole - 1 - low] as number) & 0xfc) === 0xd8;
    if (waits) whole -= 2;
    this.#held = end || whole === bytes.length ? NO_BYTES : Uint8ArrayPrototypeSlice(bytes, whole);
    const units = new NativeUint16Array(whole / 2);
    for (let i = 0; i < units.length; i++) units[i] = (bytes[2 * i + low] as number) | ((bytes[2 * i + 1 - low] as number) << 8);
    const text = codeUnits(units, units.length);
    const wellFormed = StringPrototypeToWellFormed(text);
    const cut = end && whole < bytes.length;
    if (this.#fatal && (cut || wellFormed !== text)) throw malformed(this.#encoding);
    // One error for whatever is left, be it half a pair, half a unit or both (section 14.2.1).
    return cut ? `${wellFormed}\ufffd` : wellFormed;
  }
}
