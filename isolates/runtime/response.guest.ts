// Response (Fetch standard, section 5.5).
import { NO_BODY, TEXT_TYPE, bodyStream, extractBody, illegal, isUsed, readAs, readJson, readText, textBody } from './body.guest.ts';
import type { BodyOwner, BodyState } from './body.guest.ts';
import { Headers, needs, parseHeaders, setDefaultHeader } from './headers.guest.ts';
import type { HeadersInit } from './headers.guest.ts';
import { loadPart } from './parts.guest.ts';
import type { FetchPart } from './parts/fetch.guest.ts';
import { JSONStringify, NativeNumber, NativeTypeError, RegExpPrototypeExec } from './primordials.guest.ts';
import type { ReadableStreamLike } from './streams.guest.ts';

const BAD_STATUS_TEXT = /[^\t\u0020-\u007e\u0080-\u00ff]/;
const TEXT_HEAD = `content-type\n${TEXT_TYPE}`;
const JSON_HEAD = 'content-type\napplication/json';

export interface ResponseInit {
  status?: number;
  statusText?: string;
  headers?: HeadersInit;
}

export interface ResponseState extends BodyOwner {
  status: number;
  statusText: string;
  readonly url: string;
  readonly redirected: boolean;
  /** Headers of all but `default` are immutable. */
  readonly type: string;
}

const INTERNAL = Symbol('internal');
const isNullBody = (status: number): boolean => status === 101 || status === 103 || status === 204 || status === 205 || status === 304;

function plainState(body: BodyState, headText: string): ResponseState {
  return { status: 200, statusText: '', headers: undefined, headText, body, url: '', redirected: false, type: 'default' };
}

/** "Initialize a response"; the members in the order of Web IDL. */
function initialise(state: ResponseState, init: ResponseInit, type: string): void {
  if (typeof init !== 'object' && typeof init !== 'function') throw new NativeTypeError('the init of a Response must be an object');
  const { headers, status, statusText } = init;
  if (status !== undefined) {
    // Web IDL's unsigned short.
    state.status = NativeNumber(status) & 0xffff;
    if (state.status < 200 || state.status > 599) throw new RangeError('status must be 200 to 599');
  }
  if (statusText !== undefined) {
    state.statusText = `${statusText}`;
    if (RegExpPrototypeExec(BAD_STATUS_TEXT, state.statusText) !== null) throw new NativeTypeError('statusText holds a character that is not allowed');
  }
  if (headers !== undefined) state.headers = new Headers(headers);
  if (state.body !== NO_BODY && isNullBody(state.status)) throw new NativeTypeError(`a response of status ${state.status} can not have a body`);
  if (type !== '' && state.headers !== undefined) setDefaultHeader(state.headers, 'content-type', type);
}

export class Response {
  readonly #state: ResponseState;

  constructor(body: unknown = undefined, init: ResponseInit | null | undefined = undefined) {
    if (body === INTERNAL) {
      this.#state = init as ResponseState;
      return;
    }
    const extracted = extractBody(body);
    const { type } = extracted;
    this.#state = plainState(extracted, type === '' ? '' : type === TEXT_TYPE ? TEXT_HEAD : `content-type\n${type}`);
    if (init !== undefined && init !== null) initialise(this.#state, init, type);
  }

  static json(data: unknown, init: ResponseInit | null | undefined = undefined): Response {
    needs(arguments.length, 1);
    const text = JSONStringify(data);
    if (text === undefined) throw new NativeTypeError('the value has no JSON form');
    const state = plainState(textBody(text, ''), JSON_HEAD);
    if (init !== undefined && init !== null) initialise(state, init, 'application/json');
    return responseOf(state);
  }

  static redirect(url: unknown, status: number = 302): Response {
    needs(arguments.length, 1);
    return responseOf(loadPart<FetchPart>('fetch').redirectTo(url, status));
  }

  static error(): Response {
    return responseOf({ ...plainState(NO_BODY, ''), status: 0, type: 'error' });
  }

  get status(): number { return this.#state.status; }
  get ok(): boolean {
    const { status } = this.#state;
    return status >= 200 && status <= 299;
  }
  get statusText(): string { return this.#state.statusText; }
  get headers(): Headers {
    const state = this.#state;
    return (state.headers ??= parseHeaders(state.headText, state.type !== 'default'));
  }
  get url(): string { return this.#state.url; }
  get redirected(): boolean { return this.#state.redirected; }
  get type(): string { return this.#state.type; }
  get body(): ReadableStreamLike | null { return bodyStream(this.#state.body); }
  get bodyUsed(): boolean { return isUsed(this.#state.body); }

  text(): Promise<string> { return #state in this ? readText(this.#state.body) : illegal(); }
  json(): Promise<unknown> { return #state in this ? readJson(this.#state.body) : illegal(); }
  bytes(): Promise<Uint8Array> { return #state in this ? readAs('bytes', this.#state) : illegal(); }
  arrayBuffer(): Promise<ArrayBuffer> { return #state in this ? readAs('arrayBuffer', this.#state) : illegal(); }
  blob(): Promise<unknown> { return #state in this ? readAs('blob', this.#state) : illegal(); }
  formData(): Promise<unknown> { return #state in this ? readAs('formData', this.#state) : illegal(); }

  clone(): Response {
    return responseOf(loadPart<FetchPart>('fetch').cloneResponse(this, this.#state));
  }

  /** Undefined for what is no Response. */
  static [INTERNAL](value: unknown): ResponseState | undefined {
    return typeof value === 'object' && value !== null && #state in value ? value.#state : undefined;
  }
}

const { [INTERNAL]: responseState } = Response;
delete (Response as { [INTERNAL]?: unknown })[INTERNAL];

export function isResponse(value: unknown): value is Response {
  return responseState(value) !== undefined;
}

/** The state of a Response. */
export function responseParts(response: Response): ResponseState {
  return responseState(response) as ResponseState;
}

export function responseOf(state: ResponseState): Response {
  return new Response(INTERNAL, state as never);
}

/** An answer from outside. */
export function fetchedResponse(status: number, statusText: string, url: string, redirected: boolean, headText: string, body: BodyState): Response {
  return responseOf({ status, statusText, headers: undefined, headText, body: isNullBody(status) ? NO_BODY : body, url, redirected, type: 'basic' });
}
