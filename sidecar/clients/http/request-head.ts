// The head of a `fetch` call, parsed by hand, and the header rules of requests.
import { PlatformError } from '../../../core/errors/index.ts';
import { LOOP_FIELD, isHeaderName, isHeaderValue, withLoopEntry } from '../../../core/http/index.ts';
import { parseTraceparent } from '../../../core/trace/index.ts';
import { refused } from '../../egress/index.ts';

export type RedirectMode = 'follow' | 'error' | 'manual';

export interface RequestHead {
  readonly method: string;
  /** As the function wrote it; parsed once, by the caller. */
  readonly url: string;
  readonly redirect: RedirectMode;
  /** Name and value in turn, names in lower case: the form that undici takes. */
  readonly headers: string[];
}

/** Set by this side, or meant for one connection only: a function's own are dropped without a word, as fetch does with forbidden names. */
const DROPPED: ReadonlySet<string> = new Set([
  'host', 'connection', 'keep-alive', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'content-length', 'expect', 'http2-settings',
]);
/** The fetch standard forbids these methods: they would tunnel, or echo credentials. */
const FORBIDDEN_METHODS: ReadonlySet<string> = new Set(['CONNECT', 'TRACE', 'TRACK']);
const REDIRECT_MODES: ReadonlySet<string> = new Set(['follow', 'error', 'manual']);

/** Codings that come back decoded. */
export const ACCEPT_ENCODING = 'gzip, deflate, br';
const USER_AGENT = 'thimble/0.1';

const flaw = (why: string): PlatformError => new PlatformError('protocol_violation', { why });

function isDropped(name: string): boolean {
  return DROPPED.has(name) || name.startsWith('proxy-') || name.startsWith('x-thimble-');
}

/**
 * Method, URL, redirect mode, then header name and value in turn, parted by line feeds.
 *
 * @param traceparent  sent along unless the function set its own
 * @throws protocol_violation  the head breaks the grammar (the host has checked it before)
 * @throws egress_refused  the method is one that fetch forbids
 */
export function parseRequestHead(head: string, traceparent: string): RequestHead {
  const parts = head.split('\n');
  const [method, url, redirect] = parts;
  if (method === undefined || url === undefined || redirect === undefined || parts.length % 2 === 0) throw flaw('a head with missing lines');
  if (!isHeaderName(method)) throw flaw('a method that is no token');
  if (FORBIDDEN_METHODS.has(method.toUpperCase())) throw refused('method');
  if (!REDIRECT_MODES.has(redirect)) throw flaw('an unknown redirect mode');
  const headers: string[] = [];
  let accept = false;
  let acceptEncoding = false;
  let range = false;
  let userAgent = false;
  let traced = traceparent === '';
  let loop = '';
  for (let i = 3; i < parts.length; i += 2) {
    const name = (parts[i] as string).toLowerCase();
    const value = parts[i + 1] as string;
    if (!isHeaderName(name) || !isHeaderValue(value)) throw flaw('a header that breaks the grammar');
    if (isDropped(name)) continue;
    if (name === LOOP_FIELD) {
      loop = loop === '' ? value : `${loop}, ${value}`;
      continue;
    }
    if (name === 'accept') accept = true;
    else if (name === 'accept-encoding') acceptEncoding = true;
    else if (name === 'range') range = true;
    else if (name === 'user-agent') userAgent = true;
    else if (name === 'traceparent') traced = true;
    headers.push(name, value);
  }
  if (!accept) headers.push('accept', '*/*');
  // A part of a compressed body can't be decoded: fetch asks for the plain one.
  if (!acceptEncoding) headers.push('accept-encoding', range ? 'identity' : ACCEPT_ENCODING);
  if (!userAgent) headers.push('user-agent', USER_AGENT);
  headers.push(LOOP_FIELD, withLoopEntry(loop));
  if (!traced && parseTraceparent(traceparent) !== undefined) headers.push('traceparent', traceparent);
  return { method, url, redirect: redirect as RedirectMode, headers };
}
