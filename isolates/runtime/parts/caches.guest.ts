// CacheStorage and Cache (Service Workers standard, section 5), kept by the sidecar; `caches.default` as on Cloudflare Workers.
import { MAX_HEAD_CHARACTERS, OP, SERVICES } from '../abi.ts';
import { NO_BODY, handleBody, pump, sendBody } from '../body.guest.ts';
import type { BodyState, Outgoing } from '../body.guest.ts';
import { DOMException } from '../errors.guest.ts';
import { findHeader, needs, parseHeaders, serialiseHeaders } from '../headers.guest.ts';
import { expectSettlement, forgetEnded, nextId, op } from '../host.guest.ts';
import type { Settled } from '../host.guest.ts';
import { loadPart } from '../parts.guest.ts';
import {
  ArrayPrototypeJoin, ArrayPrototypeSplice, JSONParse, JSONStringify, NativeNumber, NativeTypeError, NativeUint8Array, RegExpPrototypeExec, StringPrototypeIndexOf, StringPrototypeSlice, StringPrototypeSplit,
} from '../primordials.guest.ts';
import { DETAILS, requestOf, stateOfRequest } from '../request.guest.ts';
import type { Request, RequestState } from '../request.guest.ts';
import { isResponse, responseOf, responseParts } from '../response.guest.ts';
import type { Response, ResponseState } from '../response.guest.ts';
import type { BodyPart } from './body.guest.ts';
import { responsesOf } from './caches/listing.guest.ts';
import type { FetchPart } from './fetch.guest.ts';
import { sequenceOf } from './shared/sequence.guest.ts';

type CacheOperation = Extract<(typeof SERVICES)[number], readonly ['cache', string]>[1];

export interface CacheQueryOptions {
  ignoreSearch?: boolean;
  ignoreMethod?: boolean;
  ignoreVary?: boolean;
}

export interface MultiCacheQueryOptions extends CacheQueryOptions {
  cacheName?: string;
}

const INTERNAL = Symbol('internal');
const HTTP = /^https?:/;
const VARY_ALL = /(?:^|,)[\t ]*\*[\t ]*(?:,|$)/;
const NOTHING: Outgoing = { kind: NO_BODY.kind, value: undefined, source: null };
/** Of the cache that needs no `open`. */
const DEFAULT_NAME = '*';

function serviceOf(operation: CacheOperation): number {
  for (let i = 0; i < SERVICES.length; i++) {
    const service = SERVICES[i] as (typeof SERVICES)[number];
    if (service[0] === 'cache' && service[1] === operation) return i;
  }
  return -1;
}

/** One call of the sidecar; it counts as an outgoing call of the invocation. */
function ask(operation: CacheOperation, head: string, body: Outgoing = NOTHING): Promise<Settled> {
  if (head.length > 2 * MAX_HEAD_CHARACTERS) throw new NativeTypeError('the headers are too large for a cache');
  const id = nextId();
  const settled = expectSettlement(id);
  forgetEnded(op(OP.fetch, id, head, body.kind, body.value, serviceOf(operation)));
  if (body.source !== null) void pump(body.value as number, body.source);
  return settled;
}

async function said(operation: CacheOperation, head: string): Promise<boolean> {
  return (await ask(operation, head)).value === '1';
}

function bodyOf({ extra }: Settled): BodyState {
  return extra === 0 ? NO_BODY : handleBody(extra as number);
}

/** RequestInfo, without a claim on its body. */
function requestState(input: unknown): RequestState {
  return stateOfRequest(input) ?? loadPart<FetchPart>('fetch').makeRequest(input, undefined, 1);
}

function addressOf(state: RequestState): string {
  const hash = StringPrototypeIndexOf(state.url, '#');
  return hash < 0 ? state.url : StringPrototypeSlice(state.url, 0, hash);
}

function fieldsOf(owner: { readonly headers: Parameters<typeof serialiseHeaders>[0] | undefined; readonly headText: string }): string {
  return owner.headers === undefined ? owner.headText : serialiseHeaders(owner.headers);
}

const withFields = (head: string, fields: string): string => (fields === '' ? head : `${head}\n${fields}`);

interface Options {
  readonly flags: string;
  readonly ignoreMethod: boolean;
  readonly cacheName: string | undefined;
}

/** Members in the order of Web IDL. */
function readOptions(options: unknown): Options {
  if (options === undefined || options === null) return { flags: '', ignoreMethod: false, cacheName: undefined };
  if (typeof options !== 'object' && typeof options !== 'function') throw new NativeTypeError('the options of a query must be an object');
  const { ignoreMethod, ignoreSearch, ignoreVary } = options as CacheQueryOptions;
  const { cacheName } = options as MultiCacheQueryOptions;
  return { flags: `${ignoreSearch ? 's' : ''}${ignoreVary ? 'v' : ''}`, ignoreMethod: Boolean(ignoreMethod), cacheName: cacheName === undefined ? undefined : nameOf(cacheName) };
}

/** A name on one line; any text may be one. */
function nameOf(name: unknown): string {
  const line = JSONStringify(`${name as string}`);
  if (line.length > 1_024) throw new NativeTypeError('the name of a cache is too long');
  return line;
}

/** @returns the lines of a query, or undefined when nothing can match: only answers to GET are kept */
function queryOf(cache: string, input: unknown, { flags, ignoreMethod }: Options): string | undefined {
  const state = requestState(input);
  if (state.method !== 'GET' && !ignoreMethod) return undefined;
  return withFields(`${cache}\n${flags}\n${addressOf(state)}`, fieldsOf(state));
}

async function matchIn(cache: string, input: unknown, options: Options): Promise<Response | undefined> {
  const query = queryOf(cache, input, options);
  if (query === undefined) return undefined;
  const settled = await ask('match', query);
  const lines = StringPrototypeSplit(settled.value as string, '\n');
  return lines[0] === 'hit' ? responseFrom(ArrayPrototypeSplice(lines, 1, lines.length) as string[], bodyOf(settled)) : undefined;
}

/** `lines`: status, type, statusText, URL, then headers. */
function responseFrom(lines: readonly string[], body: BodyState): Response {
  const [status, type, statusText, url] = lines as [string, string, string, string];
  const fields: string[] = [];
  for (let i = 4; i < lines.length; i++) fields[i - 4] = lines[i] as string;
  return responseOf({
    status: NativeNumber(status), statusText, type, url, redirected: false, headText: '', headers: parseHeaders(ArrayPrototypeJoin(fields, '\n'), true),
    body: body === NO_BODY && !isNullBody(status) ? loadPart<BodyPart>('body').extract(new NativeUint8Array(0)) : body,
  });
}

const isNullBody = (status: string): boolean => status === '204' || status === '205' || status === '304';

function checkRequest(state: RequestState): void {
  if (RegExpPrototypeExec(HTTP, state.url) === null || state.method !== 'GET') throw new NativeTypeError('only answers to GET requests of http(s) addresses can be put into a cache');
}

function checkResponse(state: ResponseState): void {
  if (state.status === 206 || state.status === 0) throw new NativeTypeError('a response of this kind can not be put into a cache');
  if (RegExpPrototypeExec(VARY_ALL, findHeader(responseOf(state).headers, 'vary') ?? '') !== null) throw new NativeTypeError('a response that varies by everything can not be put into a cache');
}

/** Starts the call before the first wait: from here on the response's body is the cache's. */
function putInto(cache: string, request: RequestState, response: ResponseState): Promise<Settled> {
  const requestFields = fieldsOf(request);
  const count = requestFields === '' ? 0 : StringPrototypeSplit(requestFields, '\n').length;
  const head = withFields(`${cache}\n${addressOf(request)}\n${count}`, requestFields);
  const about = `${response.status}\n${response.type}\n${response.statusText}\n${response.url}`;
  if (loadPart<BodyPart>('body').isUnusable(response.body)) throw new NativeTypeError('the body of the response has already been read, or its stream is locked');
  return ask('put', withFields(`${head}\n${about}`, fieldsOf(response)), sendBody(response.body));
}

export class Cache {
  readonly #name: string;

  constructor(key: unknown, name: string) {
    if (key !== INTERNAL) throw new NativeTypeError('Illegal constructor');
    this.#name = name;
  }

  async match(request: Request | string, options: CacheQueryOptions | undefined = undefined): Promise<Response | undefined> {
    const name = this.#name;
    needs(arguments.length, 1);
    return matchIn(name, request, readOptions(options));
  }

  async matchAll(request: Request | string | undefined = undefined, options: CacheQueryOptions | undefined = undefined): Promise<readonly Response[]> {
    const name = this.#name;
    const read = readOptions(options);
    const query = request === undefined ? `${name}\n${read.flags}\n` : queryOf(name, request, read);
    return query === undefined ? [] : responsesOf(bodyOf(await ask('list', query)), responseFrom);
  }

  async add(request: Request | string): Promise<void> {
    const name = this.#name;
    needs(arguments.length, 1);
    await addAll(name, [request]);
  }

  async addAll(requests: Iterable<Request | string>): Promise<void> {
    const name = this.#name;
    needs(arguments.length, 1);
    await addAll(name, sequenceOf(requests));
  }

  async put(request: Request | string, response: Response): Promise<void> {
    const name = this.#name;
    needs(arguments.length, 2);
    const state = requestState(request);
    if (!isResponse(response)) throw new NativeTypeError('put needs a Response');
    checkRequest(state);
    checkResponse(responseParts(response));
    await putInto(name, state, responseParts(response));
  }

  async delete(request: Request | string, options: CacheQueryOptions | undefined = undefined): Promise<boolean> {
    const name = this.#name;
    needs(arguments.length, 1);
    const query = queryOf(name, request, readOptions(options));
    return query === undefined ? false : said('delete', query);
  }

  async keys(request: Request | string | undefined = undefined, options: CacheQueryOptions | undefined = undefined): Promise<readonly Request[]> {
    const name = this.#name;
    const read = readOptions(options);
    const query = request === undefined ? `${name}\n${read.flags}\n` : queryOf(name, request, read);
    if (query === undefined) return [];
    const lines = StringPrototypeSplit(await loadPart<BodyPart>('body').text(bodyOf(await ask('keys', query))), '\n');
    const requests: Request[] = [];
    for (let i = 0; i < lines.length - 1; i++) requests[i] = keyFrom(JSONParse(lines[i] as string) as string[]);
    return requests;
  }
}

function keyFrom(key: string[]): Request {
  const [url] = key;
  const fields = ArrayPrototypeJoin(ArrayPrototypeSplice(key, 1, key.length), '\n');
  return requestOf({ method: 'GET', url: url as string, headers: parseHeaders(fields, true), headText: '', body: NO_BODY, signal: undefined, follows: undefined, details: DETAILS });
}

async function addAll(cache: string, inputs: readonly unknown[]): Promise<void> {
  const { startFetch } = loadPart<FetchPart>('fetch');
  const states: RequestState[] = [];
  for (let i = 0; i < inputs.length; i++) {
    const state = requestState(inputs[i]);
    checkRequest(state);
    for (let k = 0; k < i; k++) if (addressOf(states[k] as RequestState) === addressOf(state)) throw new DOMException('the same request is there twice', 'InvalidStateError');
    states[i] = state;
  }
  const fetched: Promise<Response>[] = [];
  for (let i = 0; i < inputs.length; i++) fetched[i] = startFetch(requestOf(states[i] as RequestState), undefined, 1);
  const responses = await every(fetched);
  for (let i = 0; i < responses.length; i++) {
    const state = responseParts(responses[i] as Response);
    if (state.status < 200 || state.status > 299) throw new NativeTypeError(`an answer has the status ${state.status}`);
    checkResponse(state);
  }
  const puts: Promise<Settled>[] = [];
  for (let i = 0; i < responses.length; i++) puts[i] = putInto(cache, states[i] as RequestState, responseParts(responses[i] as Response));
  await every(puts);
}

/** All values; the first rejection otherwise, when all have settled. */
async function every<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  const values: T[] = [];
  let failure: { readonly thrown: unknown } | undefined;
  for (let i = 0; i < promises.length; i++) {
    try {
      values[i] = await (promises[i] as Promise<T>);
    } catch (thrown) {
      failure ??= { thrown };
    }
  }
  if (failure !== undefined) throw failure.thrown;
  return values;
}

export class CacheStorage {
  readonly #default: Cache;

  constructor(key: unknown) {
    if (key !== INTERNAL) throw new NativeTypeError('Illegal constructor');
    this.#default = new Cache(INTERNAL, DEFAULT_NAME);
  }

  get default(): Cache { return this.#default; }

  async match(request: Request | string, options: MultiCacheQueryOptions | undefined = undefined): Promise<Response | undefined> {
    this.#check();
    needs(arguments.length, 1);
    const read = readOptions(options);
    return matchIn(read.cacheName ?? '', request, read);
  }

  async has(name: string): Promise<boolean> {
    this.#check();
    needs(arguments.length, 1);
    return said('has', nameOf(name));
  }

  async open(name: string): Promise<Cache> {
    this.#check();
    needs(arguments.length, 1);
    const line = nameOf(name);
    await ask('open', line);
    return new Cache(INTERNAL, line);
  }

  async delete(name: string): Promise<boolean> {
    this.#check();
    needs(arguments.length, 1);
    return said('drop', nameOf(name));
  }

  async keys(): Promise<readonly string[]> {
    this.#check();
    const { value } = await ask('names', '');
    const lines = value === '' ? [] : StringPrototypeSplit(value as string, '\n');
    for (let i = 0; i < lines.length; i++) lines[i] = JSONParse(lines[i] as string) as string;
    return lines;
  }

  #check(): Cache {
    return this.#default;
  }
}

export const caches = new CacheStorage(INTERNAL);
