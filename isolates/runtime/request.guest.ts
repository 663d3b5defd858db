// Request (Fetch standard, section 5.4). One that came from outside is a string and a handle until something is asked of it; making one of a
// function's own arguments is the part `fetch`.
import { NO_BODY, bodyStream, handleBody, illegal, isUsed, readAs, readJson, readText } from './body.guest.ts';
import type { BodyOwner } from './body.guest.ts';
import { abortSignal, createSignal, followSignal } from './events.guest.ts';
import type { AbortSignal } from './events.guest.ts';
import { parseHeaders } from './headers.guest.ts';
import type { Headers, HeadersInit } from './headers.guest.ts';
import { loadPart } from './parts.guest.ts';
import type { FetchPart } from './parts/fetch.guest.ts';
import { StringPrototypeIndexOf, StringPrototypeSlice } from './primordials.guest.ts';
import type { ReadableStreamLike } from './streams.guest.ts';

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
  priority?: string;
  duplex?: string;
  window?: null;
}

/** What few requests set and few functions ask for. */
export interface RequestDetails {
  readonly redirect: string;
  readonly referrer: string;
  readonly referrerPolicy: string;
  readonly mode: string;
  readonly credentials: string;
  readonly cache: string;
  readonly integrity: string;
  readonly keepalive: boolean;
}

export const DETAILS: RequestDetails = {
  redirect: 'follow', referrer: 'about:client', referrerPolicy: '', mode: 'cors', credentials: 'same-origin', cache: 'default', integrity: '', keepalive: false,
};

export interface RequestState extends BodyOwner {
  readonly method: string;
  readonly url: string;
  signal: AbortSignal | undefined;
  /** What `signal` will follow, once it is asked for. */
  readonly follows: AbortSignal | undefined;
  readonly details: RequestDetails;
}

const INTERNAL = Symbol('internal');

export class Request {
  readonly #state: RequestState;

  constructor(input: unknown, init: RequestInit | undefined = undefined) {
    this.#state = input === INTERNAL ? (init as unknown as RequestState) : loadPart<FetchPart>('fetch').makeRequest(input, init, arguments.length);
  }

  get method(): string { return this.#state.method; }
  get url(): string { return this.#state.url; }
  get headers(): Headers {
    const state = this.#state;
    return (state.headers ??= parseHeaders(state.headText, true));
  }
  get signal(): AbortSignal {
    const state = this.#state;
    return (state.signal ??= state.follows === undefined ? createSignal() : followSignal(state.follows));
  }
  get redirect(): string { return this.#state.details.redirect; }
  get destination(): string { return this.#state && ''; }
  get referrer(): string { return this.#state.details.referrer; }
  get referrerPolicy(): string { return this.#state.details.referrerPolicy; }
  get mode(): string { return this.#state.details.mode; }
  get credentials(): string { return this.#state.details.credentials; }
  get cache(): string { return this.#state.details.cache; }
  get integrity(): string { return this.#state.details.integrity; }
  get keepalive(): boolean { return this.#state.details.keepalive; }
  get isReloadNavigation(): boolean { return !this.#state; }
  get isHistoryNavigation(): boolean { return !this.#state; }
  get duplex(): string { return this.#state && 'half'; }
  get body(): ReadableStreamLike | null { return bodyStream(this.#state.body); }
  get bodyUsed(): boolean { return isUsed(this.#state.body); }

  text(): Promise<string> { return #state in this ? readText(this.#state.body) : illegal(); }
  json(): Promise<unknown> { return #state in this ? readJson(this.#state.body) : illegal(); }
  bytes(): Promise<Uint8Array> { return #state in this ? readAs('bytes', this.#state) : illegal(); }
  arrayBuffer(): Promise<ArrayBuffer> { return #state in this ? readAs('arrayBuffer', this.#state) : illegal(); }
  blob(): Promise<unknown> { return #state in this ? readAs('blob', this.#state) : illegal(); }
  formData(): Promise<unknown> { return #state in this ? readAs('formData', this.#state) : illegal(); }

  clone(): Request {
    return new Request(INTERNAL, loadPart<FetchPart>('fetch').cloneRequest(this, this.#state) as never);
  }

  /** Undefined for what is no Request. */
  static [INTERNAL](value: unknown): RequestState | undefined {
    return typeof value === 'object' && value !== null && #state in value ? value.#state : undefined;
  }
}

const { [INTERNAL]: requestState } = Request;
delete (Request as { [INTERNAL]?: unknown })[INTERNAL];

/** The state of a Request, undefined for anything else. */
export function stateOfRequest(value: unknown): RequestState | undefined {
  return requestState(value);
}

export function requestOf(state: RequestState): Request {
  return new Request(INTERNAL, state as never);
}

/** @param head  method, URL, then headers as `parseHeaders` takes them, parted by line feeds */
export function incomingRequest(head: string, handle: number): Request {
  const methodEnd = StringPrototypeIndexOf(head, '\n');
  let urlEnd = StringPrototypeIndexOf(head, '\n', methodEnd + 1);
  if (urlEnd < 0) urlEnd = head.length;
  return new Request(INTERNAL, {
    method: StringPrototypeSlice(head, 0, methodEnd),
    url: StringPrototypeSlice(head, methodEnd + 1, urlEnd),
    headers: undefined,
    headText: StringPrototypeSlice(head, urlEnd + 1),
    body: handle === 0 ? NO_BODY : handleBody(handle),
    signal: undefined,
    follows: undefined,
    details: DETAILS,
  } as never);
}

/** The client went away: only a signal that someone holds can tell. */
export function abortRequest(request: Request, reason: unknown): void {
  const state = requestState(request) as RequestState;
  state.signal ??= createSignal();
  abortSignal(state.signal, reason);
}
