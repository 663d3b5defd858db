// Request (Fetch standard, section 5.4). One that came from outside is a string and a handle until something is asked of it.
import { bodyStream, cloneBody, emptyBody, extractBody, handleBody, isUsed, readBuffer, readBytes, readJson, readText } from './body.guest.ts';
import type { BodyState } from './body.guest.ts';
import { AbortSignal, abortSignal, createSignal, onAbort } from './events.guest.ts';
import { Headers, parseHeaders, setDefaultHeader } from './headers.guest.ts';
import type { HeadersInit } from './headers.guest.ts';
import { NativeString, NativeTypeError, RegExpPrototypeExec, StringPrototypeIndexOf, StringPrototypeSlice, StringPrototypeToUpperCase } from './primordials.guest.ts';
import type { ReadableStreamLike } from './streams.guest.ts';
import { URL } from './url.guest.ts';

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const NORMALISED = /^(?:delete|get|head|options|post|put)$/i;
const FORBIDDEN = /^(?:connect|trace|track)$/i;

export interface RequestInit {
  method?: string;
  headers?: HeadersInit;
  body?: unknown;
  redirect?: string;
  signal?: AbortSignal | null;
  referrer?: string;
  referrerPolicy?: string;
  mode?: string;
  credentials?: string;
  cache?: string;
  integrity?: string;
  keepalive?: boolean;
  duplex?: string;
}

const INTERNAL = Symbol('internal');

function checkedMethod(value: unknown): string {
  const method = NativeString(value);
  if (RegExpPrototypeExec(TOKEN, method) === null) throw new NativeTypeError(`"${method}" is not a method`);
  if (RegExpPrototypeExec(FORBIDDEN, method) !== null) throw new NativeTypeError(`the method ${method} is not allowed`);
  return RegExpPrototypeExec(NORMALISED, method) === null ? method : StringPrototypeToUpperCase(method);
}

export class Request {
  #method: string;
  #url: string;
  /** Undefined while the headers are only text. */
  #headers: Headers | undefined;
  #headText: string;
  #body: BodyState;
  #signal: AbortSignal | undefined;
  #redirect = 'follow';

  constructor(input: unknown, init?: RequestInit | string) {
    if (input === INTERNAL) {
      const head = init as string;
      const methodEnd = StringPrototypeIndexOf(head, '\n');
      let urlEnd = StringPrototypeIndexOf(head, '\n', methodEnd + 1);
      if (urlEnd < 0) urlEnd = head.length;
      this.#method = StringPrototypeSlice(head, 0, methodEnd);
      this.#url = StringPrototypeSlice(head, methodEnd + 1, urlEnd);
      this.#headText = StringPrototypeSlice(head, urlEnd + 1);
      this.#body = emptyBody();
      return;
    }
    if (arguments.length === 0) throw new NativeTypeError('Request needs an address or a Request');
    const options = (init ?? {}) as RequestInit;
    this.#headText = '';
    if (typeof input === 'object' && input !== null && #method in input) {
      const from = input;
      this.#url = from.#url;
      this.#method = options.method === undefined ? from.#method : checkedMethod(options.method);
      this.#headers = new Headers(options.headers ?? from.headers);
      this.#redirect = from.#redirect;
      this.#body = emptyBody();
      if (from.#signal !== undefined || from.#headText !== '') this.#signal = follow(from.signal);
      if (options.body === undefined) {
        if (from.#body.used) throw new NativeTypeError('the body has already been read');
        // The old request's body moves on: it reads as used from now on.
        this.#body = { ...from.#body };
        if (from.#body.kind !== 0) from.#body.used = true;
      }
    } else {
      const url = new URL(input);
      if (url.username !== '' || url.password !== '') throw new NativeTypeError('an address must not hold credentials');
      this.#url = url.href;
      this.#method = options.method === undefined ? 'GET' : checkedMethod(options.method);
      this.#headers = new Headers(options.headers);
      this.#body = emptyBody();
    }
    if (options.redirect !== undefined) {
      if (options.redirect !== 'follow' && options.redirect !== 'error' && options.redirect !== 'manual') throw new NativeTypeError('redirect must be follow, error or manual');
      this.#redirect = options.redirect;
    }
    if (options.signal !== undefined) this.#signal = options.signal === null ? undefined : follow(options.signal);
    if (options.body !== undefined && options.body !== null) {
      if (this.#method === 'GET' || this.#method === 'HEAD') throw new NativeTypeError(`a ${this.#method} request can not have a body`);
      const { body, type } = extractBody(options.body);
      this.#body = body;
      if (type !== '') setDefaultHeader(this.headers, 'content-type', type);
    }
  }

  get method(): string { return this.#method; }
  get url(): string { return this.#url; }
  get headers(): Headers {
    this.#headers ??= parseHeaders(this.#headText, true);
    return this.#headers;
  }
  get signal(): AbortSignal {
    this.#signal ??= createSignal();
    return this.#signal;
  }
  get redirect(): string { return this.#redirect; }
  get destination(): string { return ''; }
  get referrer(): string { return 'about:client'; }
  get referrerPolicy(): string { return ''; }
  get mode(): string { return 'cors'; }
  get credentials(): string { return 'same-origin'; }
  get cache(): string { return 'default'; }
  get integrity(): string { return ''; }
  get keepalive(): boolean { return false; }
  get duplex(): string { return 'half'; }
  get body(): ReadableStreamLike | null { return bodyStream(this.#body); }
  get bodyUsed(): boolean { return isUsed(this.#body); }

  text(): Promise<string> { return readText(this.#body); }
  json(): Promise<unknown> { return readJson(this.#body); }
  bytes(): Promise<Uint8Array> { return readBytes(this.#body); }
  arrayBuffer(): Promise<ArrayBuffer> { return readBuffer(this.#body); }

  clone(): Request {
    const body = cloneBody(this.#body);
    const copy = new Request(this.#url, { method: this.#method, headers: this.headers, redirect: this.#redirect, signal: this.signal });
    copy.#body = body;
    return copy;
  }

  static [INTERNAL] = {
    incoming(head: string, handle: number): Request {
      const request = new Request(INTERNAL, head);
      if (handle !== 0) request.#body = handleBody(handle);
      return request;
    },
    /** The client went away: only a signal that someone holds can tell. */
    abort(request: Request, reason: unknown): void {
      abortSignal(request.signal, reason);
    },
    parts(request: Request): { body: BodyState; signal: AbortSignal | undefined } {
      return { body: request.#body, signal: request.#signal };
    },
  };
}

function follow(source: AbortSignal): AbortSignal {
  if (!(source instanceof AbortSignal)) throw new NativeTypeError('signal must be an AbortSignal');
  const signal = createSignal();
  if (source.aborted) abortSignal(signal, source.reason);
  else onAbort(source, () => abortSignal(signal, source.reason));
  return signal;
}

export const { incoming: incomingRequest, abort: abortRequest, parts: requestParts } = Request[INTERNAL];
delete (Request as { [INTERNAL]?: unknown })[INTERNAL];
