// Response (Fetch standard, section 5.5).
import { bodyStream, cloneBody, emptyBody, extractBody, handleBody, isUsed, readBuffer, readBytes, readJson, readText } from './body.guest.ts';
import type { BodyState } from './body.guest.ts';
import { Headers, parseHeaders, setDefaultHeader } from './headers.guest.ts';
import type { HeadersInit } from './headers.guest.ts';
import { JSONStringify, NativeString, NativeTypeError, RegExpPrototypeExec } from './primordials.guest.ts';
import type { ReadableStreamLike } from './streams.guest.ts';
import { URL } from './url.guest.ts';

// eslint-disable-next-line no-control-regex -- reason-phrase of RFC 9112 section 4
const BAD_STATUS_TEXT = /[^\t\u0020-\u007e\u0080-\u00ff]/;

export interface ResponseInit {
  status?: number;
  statusText?: string;
  headers?: HeadersInit;
}

const INTERNAL = Symbol('internal');
const isNullBody = (status: number): boolean => status === 101 || status === 204 || status === 205 || status === 304;

export class Response {
  #status = 200;
  #statusText = '';
  #headers: Headers | undefined;
  #headText = '';
  #body: BodyState;
  #url = '';
  #redirected = false;
  #type = 'default';

  constructor(body?: unknown, init?: ResponseInit) {
    let type = '';
    if (body === null || body === undefined) {
      this.#body = emptyBody();
    } else {
      const extracted = extractBody(body);
      this.#body = extracted.body;
      type = extracted.type;
    }
    if (init !== undefined && init !== null) {
      if (init.status !== undefined) this.#status = checkedStatus(init.status);
      if (init.statusText !== undefined) {
        this.#statusText = NativeString(init.statusText);
        if (RegExpPrototypeExec(BAD_STATUS_TEXT, this.#statusText) !== null) throw new NativeTypeError('statusText holds a character that is not allowed');
      }
      if (init.headers !== undefined) this.#headers = new Headers(init.headers);
      if (body !== null && body !== undefined && isNullBody(this.#status)) throw new NativeTypeError(`a response of status ${this.#status} can not have a body`);
    }
    if (type !== '') this.#defaultType(type);
  }

  #defaultType(type: string): void {
    if (this.#headers === undefined && this.#headText === '') this.#headText = `content-type\n${type}`;
    else setDefaultHeader(this.headers, 'content-type', type);
  }

  static json(data: unknown, init?: ResponseInit): Response {
    const text = JSONStringify(data);
    if (text === undefined) throw new NativeTypeError('the value has no JSON form');
    const response = new Response(null, init);
    if (isNullBody(response.#status)) throw new NativeTypeError(`a response of status ${response.#status} can not have a body`);
    response.#body = extractBody(text).body;
    response.#defaultType('application/json');
    return response;
  }

  static redirect(url: unknown, status: number = 302): Response {
    const { href } = new URL(url);
    const code = Number(status);
    if (code !== 301 && code !== 302 && code !== 303 && code !== 307 && code !== 308) throw new RangeError(`${code} is no redirect status`);
    const response = new Response(null);
    response.#status = code;
    response.#headText = `location\n${href}`;
    return response;
  }

  static error(): Response {
    const response = new Response(null);
    response.#status = 0;
    response.#type = 'error';
    return response;
  }

  get status(): number { return this.#status; }
  get ok(): boolean { return this.#status >= 200 && this.#status <= 299; }
  get statusText(): string { return this.#statusText; }
  get headers(): Headers {
    this.#headers ??= parseHeaders(this.#headText, this.#url !== '');
    return this.#headers;
  }
  get url(): string { return this.#url; }
  get redirected(): boolean { return this.#redirected; }
  get type(): string { return this.#type; }
  get body(): ReadableStreamLike | null { return bodyStream(this.#body); }
  get bodyUsed(): boolean { return isUsed(this.#body); }

  text(): Promise<string> { return readText(this.#body); }
  json(): Promise<unknown> { return readJson(this.#body); }
  bytes(): Promise<Uint8Array> { return readBytes(this.#body); }
  arrayBuffer(): Promise<ArrayBuffer> { return readBuffer(this.#body); }

  clone(): Response {
    const body = cloneBody(this.#body);
    const copy = new Response(null);
    copy.#body = body;
    copy.#status = this.#status;
    copy.#statusText = this.#statusText;
    copy.#headers = new Headers(this.headers);
    copy.#url = this.#url;
    copy.#redirected = this.#redirected;
    copy.#type = this.#type;
    return copy;
  }

  static [INTERNAL] = {
    is(value: unknown): value is Response {
      return typeof value === 'object' && value !== null && #status in value;
    },
    fromFetch(status: number, url: string, redirected: boolean, headText: string, handle: number): Response {
      const response = new Response(null);
      response.#status = status;
      response.#url = url;
      response.#redirected = redirected;
      response.#headText = headText;
      response.#type = 'basic';
      response.#body = isNullBody(status) ? emptyBody() : handleBody(handle);
      return response;
    },
    parts(response: Response): { status: number; headers: Headers | undefined; headText: string; body: BodyState } {
      return { status: response.#status, headers: response.#headers, headText: response.#headText, body: response.#body };
    },
  };
}

function checkedStatus(value: unknown): number {
  const status = Number(value);
  // 101 is allowed by no server runtime as a plain response; the standard's range is 200 to 599.
  if (!(status >= 200 && status <= 599) || Math.trunc(status) !== status) throw new RangeError('status must be 200 to 599');
  return status;
}

export const { is: isResponse, fromFetch: fetchedResponse, parts: responseParts } = Response[INTERNAL];
delete (Response as { [INTERNAL]?: unknown })[INTERNAL];
