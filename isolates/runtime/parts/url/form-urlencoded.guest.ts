// application/x-www-form-urlencoded (URL standard, section 5): parser and serializer of names and values.
import { decodeUtf8, encodeUtf8 } from '../../encoding.guest.ts';
import {
  NativeUint8Array, RegExpPrototypeExec, StringPrototypeCharCodeAt, StringPrototypeIndexOf, StringPrototypeReplace, StringPrototypeReplaceWith, StringPrototypeSlice, StringPrototypeSplit,
  TypedArrayPrototypeSubarray, decodeComponent, encodeComponent,
} from '../../primordials.guest.ts';

const PLUS = /\+/g;
const FORM_SAFE = /^[A-Za-z0-9*._-]*$/;
const FORM_REWRITE = /%20|[!'()~]/g;
const HEX = '0123456789ABCDEF';

/** Names and values in turn. */
export function parseForm(text: string): string[] {
  const list: string[] = [];
  if (text === '') return list;
  const parts = StringPrototypeSplit(text, '&');
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i] as string;
    if (part === '') continue;
    const at = StringPrototypeIndexOf(part, '=');
    list[list.length] = decodeForm(at < 0 ? part : StringPrototypeSlice(part, 0, at));
    list[list.length] = at < 0 ? '' : decodeForm(StringPrototypeSlice(part, at + 1));
  }
  return list;
}

/** Percent-decodes, malformed sequences left as they are, then UTF-8 with replacement. */
function decodeForm(text: string): string {
  const spaced = StringPrototypeIndexOf(text, '+') < 0 ? text : StringPrototypeReplace(text, PLUS, ' ');
  if (StringPrototypeIndexOf(spaced, '%') < 0) return spaced;
  try {
    return decodeComponent(spaced);
  } catch {
    return decodeBytes(spaced);
  }
}

function hexValue(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  if (code >= 65 && code <= 70) return code - 55;
  if (code >= 97 && code <= 102) return code - 87;
  return -1;
}

/** The slow way for sequences that are not UTF-8. */
function decodeBytes(text: string): string {
  const utf8 = encodeUtf8(text);
  const out = new NativeUint8Array(utf8.length);
  let length = 0;
  for (let i = 0; i < utf8.length; i++) {
    const byte = utf8[i] as number;
    const high = byte === 37 && i + 2 < utf8.length ? hexValue(utf8[i + 1] as number) : -1;
    const low = high < 0 ? -1 : hexValue(utf8[i + 2] as number);
    if (low >= 0) i += 2;
    out[length++] = low < 0 ? byte : high * 16 + low;
  }
  return decodeUtf8(TypedArrayPrototypeSubarray(out, 0, length));
}

/** Serializes one name or value, which must be well-formed. */
export function encodeForm(text: string): string {
  if (RegExpPrototypeExec(FORM_SAFE, text) !== null) return text;
  return StringPrototypeReplaceWith(encodeComponent(text), FORM_REWRITE, formRewrite);
}

function formRewrite(found: string): string {
  if (found === '%20') return '+';
  const code = StringPrototypeCharCodeAt(found, 0);
  return `%${HEX[code >> 4]}${HEX[code & 15]}`;
}
