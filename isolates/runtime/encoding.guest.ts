// UTF-8 for the runtime itself. Bulk work is the host's; short ASCII stays here. TextEncoder, TextDecoder, atob and btoa are parts.
import { MAX_CROSSING, OP } from './abi.ts';
import { op } from './host.guest.ts';
import {
  ArrayBufferIsView, NativeArrayBuffer, NativeTypeError, NativeUint8Array, StringFromCharCode, StringPrototypeCharCodeAt, StringPrototypeSlice, TypedArrayPrototypeSubarray, Uint8ArrayPrototypeSet, exactBytes, viewBytes,
} from './primordials.guest.ts';

/** Up to here ASCII is faster done here than by the host, whose call costs some microseconds (measured). */
const ASCII_CHARACTERS = 256;

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
    const text = decodeAscii(bytes);
    if (text !== undefined) return text;
  }
  if (bytes.length <= MAX_CROSSING) return op(OP.utf8Decode, exactBytes(bytes)) as string;
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const piece = TypedArrayPrototypeSubarray(bytes, at, at + MAX_CROSSING);
    // A sequence that the cut would split begins the next piece.
    const whole = at + piece.length < bytes.length ? completeUtf8(piece) : piece.length;
    text += op(OP.utf8Decode, exactBytes(TypedArrayPrototypeSubarray(piece, 0, whole))) as string;
    at += whole;
  }
  return text;
}

/** Eight characters at a time: a string is made for each group only. @returns undefined when there are other bytes */
function decodeAscii(b: Uint8Array): string | undefined {
  const at = (i: number): number => b[i] as number;
  const { length } = b;
  let text = '';
  let i = 0;
  for (; i + 8 <= length; i += 8) {
    if ((at(i) | at(i + 1) | at(i + 2) | at(i + 3) | at(i + 4) | at(i + 5) | at(i + 6) | at(i + 7)) > 0x7f) return undefined;
    text += StringFromCharCode(at(i), at(i + 1), at(i + 2), at(i + 3), at(i + 4), at(i + 5), at(i + 6), at(i + 7));
  }
  for (; i < length; i++) {
    if (at(i) > 0x7f) return undefined;
    text += StringFromCharCode(at(i));
  }
  return text;
}

export function bytesOf(source: unknown): Uint8Array {
  if (ArrayBufferIsView(source)) return viewBytes(source);
  if (source instanceof NativeArrayBuffer) return new NativeUint8Array(source);
  throw new NativeTypeError('an ArrayBuffer or a view of one is needed');
}

/**
 * Length of what is left of `bytes` when the unfinished sequence at their end, if there is one, is taken off: bytes that the next ones may complete.
 * Where they can't be completed any more they stay (Encoding standard, section 8.1.1: an error is an error at once).
 */
export function completeUtf8(bytes: Uint8Array): number {
  const { length } = bytes;
  for (let back = 1; back <= 3 && back <= length; back++) {
    const lead = bytes[length - back] as number;
    if ((lead & 0xc0) === 0x80) continue;
    const size = lead < 0xc2 || lead > 0xf4 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (size <= back) return length;
    const second = back > 1 ? (bytes[length - back + 1] as number) : 0x80;
    const possible = back === 1 || (second >= (lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80) && second <= (lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf));
    return possible ? length - back : length;
  }
  return length;
}
