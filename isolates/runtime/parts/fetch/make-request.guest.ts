// "new Request(input, init)" (Fetch standard, section 5.4).
import { NO_BODY, OWN_KIND, extractBody } from '../../body.guest.ts';
import { isAbortSignal } from '../../events.guest.ts';
import type { AbortSignal } from '../../events.guest.ts';
import { Headers, needs, parseHeaders, setDefaultHeader } from '../../headers.guest.ts';
import type { HeadersInit } from '../../headers.guest.ts';
import { loadPart } from '../../parts.guest.ts';
import { NativeTypeError, RegExpPrototypeExec, StringPrototypeToUpperCase } from '../../primordials.guest.ts';
import { DETAILS, requestOf, stateOfRequest } from '../../request.guest.ts';
import type { RequestDetails, RequestState } from '../../request.guest.ts';
import { URL } from '../../url.guest.ts';
import type { BodyPart } from '../body.guest.ts';

const NOT_TOKEN = /[^!#$%&'*+.^_`|~0-9A-Za-z-]|^$/;
const NORMALISED = /^(?:delete|get|head|options|post|put)$/i;
const FORBIDDEN = /^(?:connect|trace|track)$/i;

/** Enumerations of RequestInit. */
const VALUES = {
  cache: ['default', 'no-store', 'reload', 'no-cache', 'force-cache', 'only-if-cached'],
  credentials: ['omit', 'same-origin', 'include'],
  duplex: ['half'],
  mode: ['same-origin', 'no-cors', 'cors'],
  priority: ['high', 'low', 'auto'],
  redirect: ['follow', 'error', 'manual'],
  referrerPolicy: ['', 'no-referrer', 'no-referrer-when-downgrade', 'same-origin', 'origin', 'strict-origin', 'origin-when-cross-origin', 'strict-origin-when-cross-origin', 'unsafe-url'],
} as const;

type Init = { readonly [name: string]: unknown };

const NO_INIT: Init = { __proto__: null as never };

/** A member of an enumeration as Web IDL converts it; undefined when it is not there. Throws a TypeError for other values. */
function choice(init: Init, name: keyof typeof VALUES): string | undefined {
  const value = init[name];
  if (value === undefined) return undefined;
  const text = `${value as string}`;
  const values: readonly string[] = VALUES[name];
  for (let i = 0; i < values.length; i++) if (values[i] === text) return text;
  throw new NativeTypeError(`"${text}" is no ${name} of a request`);
}

function checkedMethod(value: unknown): string {
  const method = `${value as string}`;
  if (RegExpPrototypeExec(NOT_TOKEN, method) !== null) throw new NativeTypeError(`"${method}" is not a method`);
  if (RegExpPrototypeExec(FORBIDDEN, method) !== null) throw new NativeTypeError(`the method ${method} is not allowed`);
  return RegExpPrototypeExec(NORMALISED, method) === null ? method : StringPrototypeToUpperCase(method);
}

/** There is no origin here, so every referrer is another origin's: only "none" and "client" are left. */
function referrerOf(value: unknown): string {
  const text = `${value as string}`;
  if (text === '') return '';
  const { href } = new URL(text);
  return href === '' ? '' : DETAILS.referrer;
}

function parseAddress(input: unknown): string {
  const url = new URL(`${input as string}`);
  if (url.username !== '' || url.password !== '') throw new NativeTypeError('an address must not hold credentials');
  return url.href;
}

/** Members in the order of Web IDL. */
function readInit(init: Init): {
  readonly body: unknown; readonly headers: unknown; readonly method: string | undefined; readonly signal: AbortSignal | null | undefined; readonly details: Partial<RequestDetails>;
} {
  const { body } = init;
  const details: Record<string, unknown> = {};
  const put = (name: string, value: unknown): void => {
    if (value !== undefined) details[name] = value;
  };
  put('cache', choice(init, 'cache'));
  put('credentials', choice(init, 'credentials'));
  choice(init, 'duplex');
  const { headers } = init;
  const { integrity, keepalive, method } = init;
  if (integrity !== undefined) put('integrity', `${integrity as string}`);
  if (keepalive !== undefined) put('keepalive', Boolean(keepalive));
  const checked = method === undefined ? undefined : checkedMethod(method);
  put('mode', choice(init, 'mode'));
  choice(init, 'priority');
  put('redirect', choice(init, 'redirect'));
  const { referrer, signal, window } = init;
  if (referrer !== undefined) put('referrer', referrerOf(referrer));
  put('referrerPolicy', choice(init, 'referrerPolicy'));
  if (signal !== undefined && signal !== null && !isAbortSignal(signal)) throw new NativeTypeError('signal must be an AbortSignal');
  if (window !== undefined && window !== null) throw new NativeTypeError('window must be null');
  return { body, headers, method: checked, signal, details: details as Partial<RequestDetails> };
}

function isEmpty(init: Init): boolean {
  for (const _ in init) return false;
  return true;
}

export function makeRequest(input: unknown, init: unknown, given: number): RequestState {
  needs(given, 1);
  if (init !== undefined && init !== null && typeof init !== 'object' && typeof init !== 'function') throw new NativeTypeError('the init of a Request must be an object');
  const from = stateOfRequest(input);
  const url = from === undefined ? parseAddress(input) : from.url;
  const options = (init ?? NO_INIT) as Init;
  const { body, headers, method = from?.method ?? 'GET', signal, details: chosen } = readInit(options);
  const base = from === undefined ? DETAILS : isEmpty(options) ? from.details : { ...from.details, referrer: DETAILS.referrer, referrerPolicy: '' };
  const details: RequestDetails = { ...base, ...chosen };
  if (details.cache === 'only-if-cached' && details.mode !== 'same-origin') throw new NativeTypeError('only-if-cached is for the mode same-origin alone');
  const state: RequestState = {
    method, url, details, headText: '', body: NO_BODY, signal: undefined,
    headers: headers === undefined ? inherited(from) : new Headers(headers as HeadersInit),
    follows: signal === null ? undefined : (signal ?? (from === undefined ? undefined : requestOf(from).signal)),
  };
  const hasBody = body !== undefined && body !== null;
  if ((hasBody || (from !== undefined && from.body !== NO_BODY)) && (method === 'GET' || method === 'HEAD')) throw new NativeTypeError(`a ${method} request can not have a body`);
  if (hasBody) {
    const extracted = extractBody(body);
    const { type } = extracted;
    if (details.keepalive && extracted.kind === OWN_KIND.stream) throw new NativeTypeError('a request with keepalive can not have a stream as its body');
    state.body = extracted;
    if (type !== '') setDefaultHeader(state.headers as Headers, 'content-type', type);
  } else if (from !== undefined && from.body !== NO_BODY) {
    state.body = loadPart<BodyPart>('body').transfer(from.body);
  }
  return state;
}

function inherited(from: RequestState | undefined): Headers {
  if (from === undefined) return new Headers();
  from.headers ??= parseHeaders(from.headText, true);
  return new Headers(from.headers);
}
