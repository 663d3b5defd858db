// MIME types: parsing, serialising (MIME Sniffing standard, section 4), and extraction from headers (Fetch standard, section 2.2.2).
import { RegExpPrototypeExec, StringPrototypeCharCodeAt, StringPrototypeIndexOf, StringPrototypeReplace, StringPrototypeSlice, StringPrototypeToLowerCase } from '../primordials.guest.ts';

export interface MimeType {
  /** Type and subtype in lower case, parted by a slash. */
  readonly essence: string;
  readonly parameters: [name: string, value: string][];
}

export interface MimePart {
  parseMime(text: string): MimeType | null;
  serialiseMime(mime: MimeType): string;
  extractMime(contentType: string | null): MimeType | null;
  parameter(mime: MimeType, name: string): string | null;
}

const NOT_TOKEN = /[^!#$%&'*+.^_`|~0-9A-Za-z-]|^$/;
const NOT_QUOTABLE = /[^\t\u0020-\u007e\u0080-\u00ff]/;
const AROUND = /^[\t\n\r ]+|[\t\n\r ]+$/g;
const AFTER = /[\t\n\r ]+$/;
const ESCAPED = /["\\]/g;

const trim = (text: string): string => StringPrototypeReplace(text, AROUND, '');
const isToken = (text: string): boolean => RegExpPrototypeExec(NOT_TOKEN, text) === null;
const endOf = (text: string, mark: string, from: number): number => {
  const at = StringPrototypeIndexOf(text, mark, from);
  return at < 0 ? text.length : at;
};

export function parameter(mime: MimeType, name: string): string | null {
  const { parameters } = mime;
  for (let i = 0; i < parameters.length; i++) if (parameters[i]?.[0] === name) return parameters[i]?.[1] as string;
  return null;
}

/** A quoted string from its first quote on: its value, and where it ends. */
function quoted(text: string, from: number): { readonly value: string; readonly end: number } {
  let value = '';
  let at = from + 1;
  for (; at < text.length && text[at] !== '"'; at++) {
    if (text[at] === '\\' && at + 1 < text.length) at += 1;
    value += text[at] as string;
  }
  return { value, end: at < text.length ? at + 1 : at };
}

function isSpace(code: number): boolean {
  return code === 32 || code === 9 || code === 10 || code === 13;
}

export function parseMime(input: string): MimeType | null {
  const text = trim(input);
  const slash = endOf(text, '/', 0);
  const semicolon = endOf(text, ';', slash);
  const type = StringPrototypeSlice(text, 0, slash);
  const subtype = StringPrototypeReplace(StringPrototypeSlice(text, slash + 1, semicolon), AFTER, '');
  if (slash === text.length || !isToken(type) || !isToken(subtype)) return null;
  const mime: MimeType = { essence: StringPrototypeToLowerCase(`${type}/${subtype}`), parameters: [] };
  let at = semicolon;
  while (at < text.length) {
    at += 1;
    while (isSpace(StringPrototypeCharCodeAt(text, at))) at += 1;
    const end = endOf(text, ';', at);
    const equals = endOf(text, '=', at);
    if (equals >= end) {
      at = end;
      continue;
    }
    const name = StringPrototypeToLowerCase(StringPrototypeSlice(text, at, equals));
    let value: string;
    if (text[equals + 1] === '"') {
      const found = quoted(text, equals + 1);
      value = found.value;
      at = endOf(text, ';', found.end);
    } else {
      value = StringPrototypeReplace(StringPrototypeSlice(text, equals + 1, end), AFTER, '');
      at = end;
      if (value === '') continue;
    }
    if (isToken(name) && RegExpPrototypeExec(NOT_QUOTABLE, value) === null && parameter(mime, name) === null) mime.parameters[mime.parameters.length] = [name, value];
  }
  return mime;
}

export function serialiseMime(mime: MimeType): string {
  let text = mime.essence;
  for (let i = 0; i < mime.parameters.length; i++) {
    const [name, value] = mime.parameters[i] as [string, string];
    text += `;${name}=${isToken(value) ? value : `"${StringPrototypeReplace(value, ESCAPED, '\\$&')}"`}`;
  }
  return text;
}

/** "Get, decode, and split": values parted by commas outside of quotes. */
function split(value: string): string[] {
  const values: string[] = [];
  let from = 0;
  for (let at = 0; at <= value.length; at++) {
    if (value[at] === '"') {
      at = quoted(value, at).end - 1;
    } else if (at === value.length || value[at] === ',') {
      values[values.length] = StringPrototypeSlice(value, from, at);
      from = at + 1;
    }
  }
  return values;
}

/** "Extract a MIME type" of a Content-Type header's combined value: the last good one, with the charset of those of its kind before it. */
export function extractMime(contentType: string | null): MimeType | null {
  if (contentType === null) return null;
  const values = split(contentType);
  let mime: MimeType | null = null;
  let charset: string | null = null;
  for (let i = 0; i < values.length; i++) {
    const found = parseMime(values[i] as string);
    if (found === null || found.essence === '*/*') continue;
    if (mime === null || mime.essence !== found.essence) charset = parameter(found, 'charset');
    else if (charset !== null && parameter(found, 'charset') === null) found.parameters[found.parameters.length] = ['charset', charset];
    mime = found;
  }
  return mime;
}
