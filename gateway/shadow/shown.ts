// What of two answers is shown where they differ: cut to size, and without what looks like a secret.

const MAX_VALUE = 200;
const MAX_POINTER = 500;
const MAX_PATH = 300;
const MAX_NAMES = 20;
const MAX_NAME = 32;

export const HIDDEN = '(hidden)';

/** Names of members and headers whose values are credentials, or what people must not read about others. */
const SECRET_NAME = /pass(?:wd|word|phrase|code)|secret|token|credential|authori[sz]ation|^auth$|cookie|session|api[-_]?key|private[-_]?key|access[-_]?key|signature|jwt|otp$|^pin$|cvv|cvc|iban|card[-_]?number|^pan$|ssn/i;
/** Values that are credentials whatever they are called: a JSON Web Token (RFC 7519), an Authorization value, a PEM block. */
const SECRET_VALUE = /\beyJ[\w-]{8,}\.[\w-]+|\b(?:bearer|basic)\s+[\w+/=.~-]{8,}|-----BEGIN /i;

export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name);
}

function cut(text: string, max: number): string {
  return text.length > max ? `${text.slice(0, max)}…` : text;
}

/** A JSON value; of objects and arrays only how large they are. @param value  undefined: not there */
export function shownJson(value: unknown): string | null {
  if (value === undefined) return null;
  if (Array.isArray(value)) return `[…] ${value.length} elements`;
  if (typeof value === 'object' && value !== null) return `{…} ${Object.keys(value).length} members`;
  if (typeof value !== 'string') return JSON.stringify(value);
  // Cut first: a text may be as long as the body.
  const text = value.length > MAX_VALUE ? value.slice(0, 4 * MAX_VALUE) : value;
  return SECRET_VALUE.test(text) ? HIDDEN : cut(JSON.stringify(text), MAX_VALUE);
}

/** The value of a header; null: not there. An address loses the values of its query. */
export function shownHeader(name: string, value: string | undefined): string | null {
  if (value === undefined) return null;
  if (isSecretName(name) || SECRET_VALUE.test(value)) return HIDDEN;
  return cut(name === 'location' || name === 'content-location' || name === 'link' || name === 'refresh' ? value.replaceAll(/\?[^#>\s]*/g, '?…') : value, MAX_VALUE);
}

export function shownPointer(pointer: string): string {
  return cut(pointer, MAX_POINTER);
}

/** The path, and of its query the names alone: values are where tokens and addresses of people are. */
export function shownPath(path: string, query: string): string {
  const shown = cut(path, MAX_PATH);
  if (query === '') return shown;
  const names = [...new Set(query.split('&', MAX_NAMES).map((part) => cut(part.split('=', 1)[0] ?? '', MAX_NAME)))];
  return cut(`${shown}?${names.map((name) => `${name}=…`).join('&')}`, 2 * MAX_PATH - 10);
}
