// Text and bytes as node:crypto takes and gives them. Results are Uint8Arrays, or Buffers once the bundle has handed over its Buffer class.
import { decodeUtf8, encodeUtf8 } from '../../encoding.guest.ts';
import { loadPart } from '../../parts.guest.ts';
import { NativeError, NativeNumber, NativeUint8Array, StringPrototypeCharCodeAt, StringPrototypeReplace, StringPrototypeSlice, StringPrototypeToLowerCase, TypedArrayBuffer, TypedArrayByteLength, TypedArrayByteOffset, deferred, reflectDefineProperty } from '../../primordials.guest.ts';
import { copyBytes, isBufferSource } from '../crypto/convert.guest.ts';

export type Encoding = string | undefined;

interface Base64 {
  atob(text: string): string;
  btoa(text: string): string;
}

const base64 = (): Base64 => loadPart<Base64>('base64');

/** What the builder's polyfill of node:buffer gives. */
interface BufferLike {
  from(buffer: ArrayBuffer, offset: number, length: number): Uint8Array;
}

let buffers: BufferLike | undefined;

/** From here on results are Buffers of this class. */
export function setBuffer(BufferClass: BufferLike): void {
  buffers = BufferClass;
}

/** An Error with Node's `code`. */
export function nodeError(code: string, message: string, Type: new (message: string) => Error = NativeError): Error {
  const error = new Type(message);
  reflectDefineProperty(error, 'code', { value: code, writable: true, enumerable: true, configurable: true });
  return error;
}

/** Runs what may fail in the host: its DOMException becomes an Error, as Node has it. */
export function asNode<R>(run: () => R): R {
  try {
    return run();
  } catch (thrown) {
    const { message, name } = thrown as Error;
    throw name === 'OperationError' || name === 'DataError' || name === 'NotSupportedError' || name === 'InvalidAccessError' ? nodeError('ERR_CRYPTO_OPERATION_FAILED', message) : thrown;
  }
}

export function giveBytes(bytes: Uint8Array): Uint8Array {
  return buffers === undefined ? bytes : buffers.from(TypedArrayBuffer(bytes), TypedArrayByteOffset(bytes), TypedArrayByteLength(bytes));
}

/** Bytes, or text when an encoding is asked for. */
export function give(bytes: Uint8Array, encoding: Encoding): Uint8Array | string {
  return encoding === undefined || encoding === null || encoding === 'buffer' ? giveBytes(bytes) : encodeBytes(bytes, encoding);
}

/** A copy of what a caller gave as data: a string in an encoding, or a BufferSource. */
export function takeBytes(value: unknown, encoding?: Encoding): Uint8Array {
  if (typeof value === 'string') return decodeText(value, encoding);
  if (isBufferSource(value)) return copyBytes(value);
  throw nodeError('ERR_INVALID_ARG_TYPE', 'a string, an ArrayBuffer or a view is expected', TypeError);
}

function encodeBytes(bytes: Uint8Array, encoding: string): string {
  switch (StringPrototypeToLowerCase(encoding)) {
    case 'hex': {
      let text = '';
      for (let i = 0; i < TypedArrayByteLength(bytes); i++) text += HEX[(bytes[i] as number) >> 4]! + HEX[(bytes[i] as number) & 15]!;
      return text;
    }
    case 'base64':
      return base64().btoa(binary(bytes));
    case 'base64url':
      return urlSafe(base64().btoa(binary(bytes)));
    case 'latin1':
    case 'binary':
      return binary(bytes);
    case 'utf8':
    case 'utf-8':
      return decodeUtf8(bytes);
    default:
      throw nodeError('ERR_UNKNOWN_ENCODING', `Unknown encoding: ${encoding}`, TypeError);
  }
}
const HEX = '0123456789abcdef';
const { fromCharCode } = String;

function binary(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < TypedArrayByteLength(bytes); i++) text += fromCharCode(bytes[i] as number);
  return text;
}

function urlSafe(text: string): string {
  return StringPrototypeReplace(StringPrototypeReplace(StringPrototypeReplace(text, /\+/g, '-'), /\//g, '_'), /=+$/, '');
}

function decodeText(text: string, encoding: Encoding): Uint8Array {
  switch (encoding === undefined || encoding === null || encoding === 'buffer' ? 'utf8' : StringPrototypeToLowerCase(encoding)) {
    case 'utf8':
    case 'utf-8':
      return encodeUtf8(text);
    case 'hex': {
      const bytes = new NativeUint8Array(text.length >> 1);
      for (let i = 0; i < TypedArrayByteLength(bytes); i++) bytes[i] = NativeNumber(`0x${StringPrototypeSlice(text, 2 * i, 2 * i + 2)}`);
      return bytes;
    }
    case 'base64':
    case 'base64url':
      return fromBinary(base64().atob(StringPrototypeReplace(StringPrototypeReplace(text, /-/g, '+'), /_/g, '/')));
    case 'latin1':
    case 'binary':
      return fromBinary(text);
    default:
      throw nodeError('ERR_UNKNOWN_ENCODING', `Unknown encoding: ${encoding}`, TypeError);
  }
}

function fromBinary(text: string): Uint8Array {
  const bytes = new NativeUint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = StringPrototypeCharCodeAt(text, i);
  return bytes;
}

const settled = deferred<undefined>();
settled.resolve(undefined);
/** To wait for until the next microtask: callbacks never run within the call that they were given to. */
export const soon: Promise<undefined> = settled.promise;

/** Data that comes in several calls, and is worked on when the last has come. */
export class Gathered {
  #pieces: Uint8Array[] = [];
  #size = 0;

  add(piece: Uint8Array): void {
    this.#pieces[this.#pieces.length] = piece;
    this.#size += TypedArrayByteLength(piece);
  }

  copy(): Gathered {
    const other = new Gathered();
    other.#pieces = [...this.#pieces];
    other.#size = this.#size;
    return other;
  }

  take(): Uint8Array {
    const all = new NativeUint8Array(this.#size);
    let at = 0;
    for (const piece of this.#pieces) {
      all.set(piece, at);
      at += TypedArrayByteLength(piece);
    }
    this.#pieces = [all];
    return all;
  }
}
