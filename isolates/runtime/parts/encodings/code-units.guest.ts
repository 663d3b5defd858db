// Strings out of arrays of UTF-16 code units.
import { NativeUint16Array, StringFromCharCode, TypedArrayBuffer, TypedArrayByteOffset, reflectApply } from '../../primordials.guest.ts';

/** Arguments of one call: well below what V8's stack takes. */
const UNITS_AT_ONCE = 8_192;

/** The first `length` units as text. */
export function codeUnits(units: Uint16Array, length: number): string {
  let text = '';
  for (let at = 0; at < length; at += UNITS_AT_ONCE) {
    const end = at + UNITS_AT_ONCE < length ? at + UNITS_AT_ONCE : length;
    const some = new NativeUint16Array(TypedArrayBuffer(units), TypedArrayByteOffset(units) + at * 2, end - at);
    text += reflectApply(StringFromCharCode, undefined, some as never) as string;
  }
  return text;
}
