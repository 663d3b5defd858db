// "data:" URLs (Fetch standard, section 6).
import { BODY_KIND } from '../../abi.ts';
import { NO_BODY } from '../../body.guest.ts';
import { encodeUtf8 } from '../../encoding.guest.ts';
import { loadPart } from '../../parts.guest.ts';
import {
  NativeTypeError, NativeUint8Array, RegExpPrototypeExec, StringPrototypeCharCodeAt, StringPrototypeIndexOf, StringPrototypeReplace, StringPrototypeSlice, TypedArrayPrototypeSubarray,
  Uint8ArrayPrototypeSlice,
} from '../../primordials.guest.ts';
import type { RequestState } from '../../request.guest.ts';
import { responseOf } from '../../response.guest.ts';
import type { Response } from '../../response.guest.ts';
import type * as Base64 from '../base64.guest.ts';
import type { MimePart } from '../mime.guest.ts';

const { fromCharCode } = String;
const BASE64 = /; *base64$/i;
const AROUND = /^[\t\n\f\r ]+|[\t\n\f\r ]+$/g;

function hexValue(code: number | undefined): number {
  if (code === undefined) return -1;
  if (code >= 48 && code <= 57) return code - 48;
  const letter = code | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}

function percentDecode(text: string): Uint8Array<ArrayBuffer> {
  const bytes = encodeUtf8(text);
  let length = 0;
  for (let i = 0; i < bytes.length; i++) {
    const high = bytes[i] === 37 ? hexValue(bytes[i + 1]) : -1;
    const low = high < 0 ? -1 : hexValue(bytes[i + 2]);
    bytes[length] = low < 0 ? (bytes[i] as number) : high * 16 + low;
    length += 1;
    if (low >= 0) i += 2;
  }
  return length === bytes.length ? bytes : Uint8ArrayPrototypeSlice(TypedArrayPrototypeSubarray(bytes, 0, length));
}

/** Forgiving-base64; characters of the bytes are taken one by one. */
function decodeBase64(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  let text = '';
  for (let i = 0; i < bytes.length; i++) text += fromCharCode(bytes[i] as number);
  let binary: string;
  try {
    binary = loadPart<typeof Base64>('base64').atob(text);
  } catch {
    throw new NativeTypeError('the data is not base64');
  }
  const decoded = new NativeUint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) decoded[i] = StringPrototypeCharCodeAt(binary, i);
  return decoded;
}

export function fetchData(request: RequestState): Response {
  const hash = StringPrototypeIndexOf(request.url, '#');
  const url = hash < 0 ? request.url : StringPrototypeSlice(request.url, 0, hash);
  const comma = StringPrototypeIndexOf(url, ',');
  if (comma < 0) throw new NativeTypeError('a data: address needs a comma');
  let type = StringPrototypeReplace(StringPrototypeSlice(url, 5, comma), AROUND, '');
  let bytes = percentDecode(StringPrototypeSlice(url, comma + 1));
  if (RegExpPrototypeExec(BASE64, type) !== null) {
    bytes = decodeBase64(bytes);
    type = StringPrototypeReplace(type, BASE64, '');
  }
  if (type[0] === ';') type = `text/plain${type}`;
  const { parseMime, serialiseMime } = loadPart<MimePart>('mime');
  const mime = parseMime(type) ?? { essence: 'text/plain', parameters: [['charset', 'US-ASCII']] };
  const body = request.method === 'HEAD' ? NO_BODY : { kind: BODY_KIND.bytes, value: bytes, type: '', used: false, stream: null, guard: null };
  return responseOf({ status: 200, statusText: 'OK', headers: undefined, headText: `content-type\n${serialiseMime(mime)}`, body, url, redirected: false, type: 'basic' });
}
