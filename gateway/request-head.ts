// One pass over a request's header fields: what functions get of them, what the gateway needs of them, and what is wrong with them.
import { HOP_BY_HOP, LOOP_FIELD, isHeaderName, loopDepth } from '../core/http/index.ts';
import type { ClientRequest } from './uws.ts';

/** Request target and fields together, characters. More: headers_too_large. (The parser itself refuses 100 fields or 32 KiB.) */
export const MAX_HEAD_CHARACTERS = 16 * 1_024;

const KIND = {
  plain: 0, host: 1, contentLength: 2, transferEncoding: 3, connection: 4, drop: 5, requestId: 6, forwardedFor: 7, forwardedProto: 8, forwardedHost: 9,
  forwarded: 10, traceparent: 11, named: 12, loop: 13,
} as const;
type Kind = (typeof KIND)[keyof typeof KIND];

/** Frequent names are listed although plain: a hit here saves the check of the grammar. */
const KINDS: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  ...[...HOP_BY_HOP, 'expect', 'http2-settings'].map((name): [string, Kind] => [name, KIND.drop]),
  ...['accept', 'accept-encoding', 'accept-language', 'authorization', 'cache-control', 'content-type', 'cookie', 'if-match', 'if-modified-since',
    'if-none-match', 'origin', 'pragma', 'priority', 'range', 'referer', 'sec-ch-ua', 'sec-ch-ua-mobile', 'sec-ch-ua-platform', 'sec-fetch-dest',
    'sec-fetch-mode', 'sec-fetch-site', 'sec-fetch-user', 'tracestate', 'upgrade-insecure-requests', 'user-agent', 'x-requested-with',
  ].map((name): [string, Kind] => [name, KIND.plain]),
  ['host', KIND.host], ['content-length', KIND.contentLength], ['transfer-encoding', KIND.transferEncoding], ['connection', KIND.connection],
  ['x-request-id', KIND.requestId], ['x-forwarded-for', KIND.forwardedFor], ['x-forwarded-proto', KIND.forwardedProto],
  ['x-forwarded-host', KIND.forwardedHost], ['x-forwarded-port', KIND.forwarded], ['forwarded', KIND.forwarded], ['traceparent', KIND.traceparent],
  ['x-thimble-function', KIND.named], [LOOP_FIELD, KIND.loop],
]);

// eslint-disable-next-line no-control-regex -- outside printable ASCII: look closer
const UNUSUAL = /[^\t\n\u0020-\u007e]/;
// eslint-disable-next-line no-control-regex -- control characters but tab, and the line feeds that this module puts between fields
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f]/;
const CONTENT_LENGTH = /^[0-9]{1,15}$/;

/**
 * Reads one request at a time; its members are valid until the next `read`. One instance serves all requests, so that none is made for each.
 *
 * What the parser does before: names are tokens in lower case, values are trimmed and hold no CR, LF or NUL, Host is there. It also cuts
 * bytes above 0x7f off both ends of a value, and takes an empty field name for the end of the head; neither can be seen from here.
 */
export class RequestHead {
  /** `\nname\nvalue` of every field that functions get as it came; the gateway's own fields are not in it. */
  fields = '';
  host = '';
  /** x-thimble-function. */
  named = '';
  /** -1: none. */
  contentLength = -1;
  chunked = false;
  requestId = '';
  /** All x-forwarded-for fields, in order. */
  forwardedFor = '';
  forwardedProto = '';
  forwardedHost = '';
  /** `\nname\nvalue` of Forwarded and X-Forwarded-Port: passed on only from trusted proxies. */
  forwarded = '';
  traceparent = '';
  /** Calls by functions that this request stems from. */
  loopDepth = 0;
  /** '' or what is wrong: the answer is bad_request. */
  why = '';
  tooLarge = false;
  #size = 0;
  #hosts = 0;
  #lengths = 0;
  #connection = '';
  readonly #each = (name: string, value: string): void => this.#field(name, value);

  read(request: ClientRequest, targetLength: number): void {
    this.fields = this.host = this.named = this.requestId = this.forwardedFor = this.forwardedProto = this.forwardedHost = '';
    this.forwarded = this.traceparent = this.why = this.#connection = '';
    this.contentLength = -1;
    this.chunked = this.tooLarge = false;
    this.#size = targetLength;
    this.#hosts = this.#lengths = this.loopDepth = 0;
    request.forEach(this.#each);
    if (this.#size > MAX_HEAD_CHARACTERS) this.tooLarge = true;
    if (this.why !== '') return;
    if (this.#hosts !== 1) this.why = this.#hosts === 0 ? 'there is no Host' : 'there are several Host fields';
    else if (this.#lengths > 1) this.why = 'there are several Content-Length fields';
    else if (this.#lengths === 1 && this.contentLength < 0) this.why = 'Content-Length is no number';
    else if (this.chunked && this.#lengths > 0) this.why = 'there are both Content-Length and Transfer-Encoding';
    if (this.why !== '') return;
    if (this.#connection !== '') this.#dropNamedByConnection();
    if (UNUSUAL.test(this.fields)) this.#restoreBytes();
  }

  #field(name: string, value: string): void {
    this.#size += name.length + value.length + 4;
    const kind = KINDS.get(name);
    switch (kind) {
      case KIND.plain:
        break;
      case undefined:
        if (name.startsWith('x-thimble-')) return;
        if (!isHeaderName(name)) {
          this.why = 'a field name is no token';
          return;
        }
        break;
      case KIND.host:
        this.#hosts += 1;
        this.host = value;
        return;
      case KIND.contentLength:
        this.#lengths += 1;
        if (CONTENT_LENGTH.test(value)) this.contentLength = Number(value);
        break;
      case KIND.transferEncoding:
        if (this.chunked || value.toLowerCase() !== 'chunked') this.why = 'a Transfer-Encoding other than chunked';
        this.chunked = true;
        return;
      case KIND.loop:
        this.loopDepth += loopDepth(value);
        break;
      case KIND.connection:
        if (value !== 'keep-alive' && value !== 'close') this.#connection += `,${value}`;
        return;
      case KIND.drop:
        return;
      case KIND.requestId:
        this.requestId = value;
        return;
      case KIND.forwardedFor:
        this.forwardedFor = this.forwardedFor === '' ? value : `${this.forwardedFor}, ${value}`;
        return;
      case KIND.forwardedProto:
        this.forwardedProto = value;
        return;
      case KIND.forwardedHost:
        this.forwardedHost = value;
        return;
      case KIND.forwarded:
        this.forwarded += `\n${name}\n${value}`;
        return;
      case KIND.traceparent:
        this.traceparent = value;
        return;
      case KIND.named:
        this.named = value;
        return;
    }
    this.fields += `\n${name}\n${value}`;
  }

  /** Fields that Connection names belong to this connection only (RFC 9110 section 7.6.1). */
  #dropNamedByConnection(): void {
    const names = new Set(this.#connection.toLowerCase().split(',').map((option) => option.trim()).filter((option) => !HOP_BY_HOP.has(option) && option !== ''));
    // Content-Length says how the body is framed, whatever a sender claims.
    names.delete('content-length');
    // RFC 8586 section 2: what tells loops is not for a sender to take off.
    names.delete(LOOP_FIELD);
    if (names.size === 0) return;
    const parts = this.fields.split('\n');
    let kept = '';
    for (let i = 1; i + 1 < parts.length; i += 2) {
      const name = parts[i] as string;
      if (!names.has(name)) kept += `\n${name}\n${parts[i + 1] as string}`;
    }
    this.fields = kept;
    if (names.has('traceparent')) this.traceparent = '';
  }

  /**
   * The parser decodes values as UTF-8; to functions a value is a byte string (WHATWG Fetch), one character per byte. Bytes that were no
   * UTF-8 are lost: refused, not passed on in part.
   */
  #restoreBytes(): void {
    if (CONTROL.test(this.fields)) this.why = 'a field value holds a control character';
    else if (this.fields.includes('\ufffd')) this.why = 'a field value holds bytes that are not UTF-8';
    else this.fields = Buffer.from(this.fields, 'utf8').toString('latin1');
  }
}
