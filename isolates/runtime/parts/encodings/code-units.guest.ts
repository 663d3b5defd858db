// Strings out of arrays of UTF-16 code units.
import { StringFromCharCode, TypedArrayPrototypeSubarray, reflectApply } from '../../primordials.guest.ts';

/** Arguments of one call: well below what V8's stack takes. */
const UNITS_AT_ONCE = 8_192;

/** The first `length` units as text. */
export function codeUnits(units: Uint16Array, length: number): string {
  let text = '';
  for (let at = 0; at < length; at += UNITS_AT_ONCE) {
    const end = at + UNITS_AT_ONCE < length ? at + UNITS_AT_ONCE : length;
    text += reflectApply(StringFromCharCode, undefined, TypedArrayPrototypeSubarray(units as never, at, end) as never) as string;
  }
  return text;
}
