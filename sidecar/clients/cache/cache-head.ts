// Heads of cache calls: lines, parsed by hand and checked, since the host's word is all there is.
import { PlatformError } from '../../../core/errors/index.ts';
import { isHeaderName } from '../../../core/http/index.ts';
import type { Fields } from './freshness.ts';

/** The cache that needs no `open`: `caches.default`. */
export const DEFAULT_CACHE = '*';

export interface Query {
  /** A cache's name as JSON, `*` for the default one, '' for all that were opened. */
  readonly cache: string;
  readonly ignoreSearch: boolean;
  readonly ignoreVary: boolean;
  /** Without fragment; '' matches everything. */
  readonly url: string;
  readonly headers: Fields;
}

export interface Deposit {
  readonly cache: string;
  readonly url: string;
  /** Of the request. */
  readonly headers: Fields;
  /** Lines that come back as they are: status, type, statusText and URL of the response. */
  readonly about: readonly [status: string, type: string, statusText: string, url: string];
  readonly fields: Fields;
}

const MAX_NAME_CHARACTERS = 1_024;

const flaw = (why: string): PlatformError => new PlatformError('protocol_violation', { why });

export function parseName(line: string | undefined): string {
  if (line === undefined || line.length > MAX_NAME_CHARACTERS) throw flaw('the name of a cache is missing or too long');
  return line;
}

function checkFields(fields: Fields): Fields {
  if (fields.length % 2 !== 0) throw flaw('a header without a value');
  for (let i = 0; i < fields.length; i += 2) if (!isHeaderName(fields[i] as string)) throw flaw('a header that breaks the grammar');
  return fields;
}

/** Cache, flags (`s` ignoreSearch, `v` ignoreVary), URL or '', then the request's headers. */
export function parseQuery(head: string): Query {
  const [cache, flags, url, ...headers] = head.split('\n');
  if (flags === undefined || url === undefined) throw flaw('a head with missing lines');
  return { cache: parseName(cache), ignoreSearch: flags.includes('s'), ignoreVary: flags.includes('v'), url, headers: checkFields(headers) };
}

/** Cache, URL, number of request header lines, these, then status, type, statusText, URL and headers of the response. */
export function parseDeposit(head: string): Deposit {
  const lines = head.split('\n');
  const [cache, url, count] = lines;
  const requestLines = Number(count);
  if (url === undefined || !URL.canParse(url) || !Number.isInteger(requestLines) || requestLines < 0) throw flaw('a head with missing lines');
  const at = 3 + requestLines;
  const [status, type, statusText, responseUrl] = lines.slice(at, at + 4);
  if (status === undefined || type === undefined || statusText === undefined || responseUrl === undefined) throw flaw('a head with missing lines');
  return { cache: parseName(cache), url, headers: checkFields(lines.slice(3, at)), about: [status, type, statusText, responseUrl], fields: checkFields(lines.slice(at + 4)) };
}
