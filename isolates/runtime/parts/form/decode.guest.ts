// The body of a form, read: multipart/form-data (Fetch standard, "multipart/form-data parser") and application/x-www-form-urlencoded.
import { decodeUtf8, encodeUtf8 } from '../../encoding.guest.ts';
import { loadPart } from '../../parts.guest.ts';
import {
  NativeTypeError, RegExpPrototypeExec, StringPrototypeReplace, StringPrototypeToLowerCase, TypedArrayPrototypeSubarray, Uint8ArrayPrototypeIndexOf,
} from '../../primordials.guest.ts';
import type { BlobPart } from '../blob.guest.ts';
import type { FormEntry } from '../form.guest.ts';
import type { MimePart, MimeType } from '../mime.guest.ts';
import { parseForm } from '../url/form-urlencoded.guest.ts';
import { finder } from './find-bytes.guest.ts';

/** Entries of one form: each costs far more memory than it has bytes, and clients choose their number. */
export const MAX_FORM_ENTRIES = 10_000;
/** Header lines of one part, bytes. */
export const MAX_PART_HEAD_BYTES = 16_384;

const CR = 13;
const LF = 10;
const DASH = 45;
const COLON = 58;
const FORM_DATA = /^[ \t]*form-data(?=[ \t]*(?:;|$))/iy;
const PARAMETER = /[ \t]*;[ \t]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)=(?:"([^"]*)"|([^\s;"]*))/y;
const REST = /[ \t]*;?[ \t]*$/y;
const NOT_TOKEN = /[^!#$%&'*+.^_`|~0-9A-Za-z-]|^$/;
const AROUND = /^[\t ]+|[\t ]+$/g;

function malformed(why: string): never {
  throw new NativeTypeError(`the body is no form: ${why}`);
}

export function decodeEntries(bytes: Uint8Array, mime: MimeType | null): FormEntry[] {
  if (mime?.essence === 'multipart/form-data') {
    const boundary = loadPart<MimePart>('mime').parameter(mime, 'boundary');
    return boundary === null || boundary === '' ? malformed('its type names no boundary') : new Multipart(bytes, encodeUtf8(boundary)).entries();
  }
  if (mime?.essence === 'application/x-www-form-urlencoded') return urlEncoded(bytes);
  return malformed('its Content-Type is another');
}

function urlEncoded(bytes: Uint8Array): FormEntry[] {
  let count = 1;
  for (let at = Uint8ArrayPrototypeIndexOf(bytes, 38, 0); at >= 0; at = Uint8ArrayPrototypeIndexOf(bytes, 38, at + 1)) if (++count > MAX_FORM_ENTRIES) malformed('it has too many entries');
  const fields = parseForm(decodeUtf8(bytes));
  const entries: FormEntry[] = [];
  for (let i = 0; i + 1 < fields.length; i += 2) entries[entries.length] = [fields[i] as string, fields[i + 1] as string];
  return entries;
}

interface PartHead {
  name: string | null;
  filename: string | null;
  type: string | null;
}

class Multipart {
  readonly #bytes: Uint8Array;
  readonly #find: (from: number) => number;
  /** Length of the dashes and the boundary. */
  readonly #markLength: number;
  readonly #boundary: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array, boundary: Uint8Array) {
    this.#bytes = bytes;
    this.#boundary = boundary;
    this.#markLength = boundary.length + 2;
    const delimiter = new (boundary.constructor as Uint8ArrayConstructor)(boundary.length + 4);
    delimiter.set([CR, LF, DASH, DASH]);
    delimiter.set(boundary, 4);
    this.#find = finder(bytes, delimiter);
  }

  entries(): FormEntry[] {
    const entries: FormEntry[] = [];
    this.#firstMark();
    while (!this.#isLast()) {
      if (entries.length === MAX_FORM_ENTRIES) malformed('it has too many entries');
      const head = this.#head();
      const end = this.#find(this.#at);
      if (end < 0) malformed('a part does not end');
      entries[entries.length] = entryOf(head, TypedArrayPrototypeSubarray(this.#bytes, this.#at, end));
      this.#at = end + 2 + this.#markLength;
    }
    return entries;
  }

  #firstMark(): void {
    const bytes = this.#bytes;
    if (bytes[0] !== DASH || bytes[1] !== DASH) malformed('it does not begin with its boundary');
    for (let i = 0; i < this.#boundary.length; i++) if (bytes[i + 2] !== this.#boundary[i]) malformed('it does not begin with its boundary');
    this.#at = this.#markLength;
  }

  /** What follows a boundary: two dashes at the end, else the line's end. Blanks in between are transport padding. */
  #isLast(): boolean {
    const bytes = this.#bytes;
    const last = bytes[this.#at] === DASH && bytes[this.#at + 1] === DASH;
    if (last) this.#at += 2;
    while (bytes[this.#at] === 32 || bytes[this.#at] === 9) this.#at += 1;
    if (last && this.#at >= bytes.length) return true;
    if (bytes[this.#at] !== CR || bytes[this.#at + 1] !== LF) malformed('a boundary is followed by something else');
    this.#at += 2;
    return last;
  }

  #head(): PartHead {
    const head: PartHead = { name: null, filename: null, type: null };
    const bytes = this.#bytes;
    const from = this.#at;
    for (;;) {
      const start = this.#at;
      let end = start;
      for (let byte = bytes[end]; byte !== CR && byte !== LF; byte = bytes[++end]) {
        if (byte === undefined || byte === 0 || end - from > MAX_PART_HEAD_BYTES) malformed('a header breaks the grammar');
      }
      if (bytes[end] !== CR || bytes[end + 1] !== LF) malformed('a line end that is none');
      this.#at = end + 2;
      if (end === start) break;
      readLine(head, TypedArrayPrototypeSubarray(bytes, start, end));
    }
    if (head.name === null) malformed('a part has no name');
    return head;
  }
}

function readLine(head: PartHead, line: Uint8Array): void {
  const colon = Uint8ArrayPrototypeIndexOf(line, COLON, 0);
  if (colon < 0) malformed('a header without a colon');
  const name = StringPrototypeToLowerCase(StringPrototypeReplace(decodeUtf8(TypedArrayPrototypeSubarray(line, 0, colon)), AROUND, ''));
  if (RegExpPrototypeExec(NOT_TOKEN, name) !== null) malformed('a header name that is none');
  const value = TypedArrayPrototypeSubarray(line, colon + 1);
  if (name === 'content-disposition') readDisposition(head, decodeUtf8(value));
  else if (name === 'content-type') head.type = decodeUtf8(value);
}

/** RFC 7578, section 4.2, as browsers write it: no escapes within quotes, and percent sequences stay. */
function readDisposition(head: PartHead, value: string): void {
  FORM_DATA.lastIndex = 0;
  if (RegExpPrototypeExec(FORM_DATA, value) === null) malformed('a part that is no form data');
  head.name = null;
  head.filename = null;
  let at = FORM_DATA.lastIndex;
  for (;;) {
    PARAMETER.lastIndex = at;
    const found = RegExpPrototypeExec(PARAMETER, value) as (string | undefined)[] | null;
    if (found === null) break;
    at = PARAMETER.lastIndex;
    const key = StringPrototypeToLowerCase(found[1] as string);
    const content = found[2] ?? found[3] ?? '';
    if (key === 'name') head.name ??= content;
    else if (key === 'filename') head.filename ??= content;
  }
  REST.lastIndex = at;
  if (RegExpPrototypeExec(REST, value) === null) malformed('a Content-Disposition that breaks the grammar');
}

function entryOf(head: PartHead, content: Uint8Array): FormEntry {
  const name = head.name as string;
  if (head.filename === null) return [name, decodeUtf8(content)];
  const { extractMime, serialiseMime } = loadPart<MimePart>('mime');
  const { cleanType, fileOf } = loadPart<BlobPart>('blob');
  const mime = head.type === null ? null : extractMime(head.type);
  const type = head.type === null ? 'text/plain' : mime === null ? '' : cleanType(serialiseMime(mime));
  return [name, fileOf([content], type, head.filename, 0)];
}
