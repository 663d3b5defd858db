// A request in plain pieces for the event formats of adapters, and their results as responses.
import { readAs } from '../../body.guest.ts';
import { decodeUtf8 } from '../../encoding.guest.ts';
import { Headers, serialiseHeaders } from '../../headers.guest.ts';
import { NativeString, NativeUint8Array, RegExpPrototypeExec, StringPrototypeCharCodeAt, StringPrototypeIndexOf, StringPrototypeSlice, StringPrototypeSplit } from '../../primordials.guest.ts';
import { loadPart } from '../../parts.guest.ts';
import { stateOfRequest } from '../../request.guest.ts';
import type { Request, RequestState } from '../../request.guest.ts';
import { Response } from '../../response.guest.ts';

export type Pair = readonly [name: string, value: string];

export interface PlainRequest {
  readonly method: string;
  readonly host: string;
  /** As it was sent, percent-encoded. */
  readonly rawPath: string;
  readonly path: string;
  readonly rawQuery: string;
  /** Decoded, in order, names as often as they came. */
  readonly query: readonly Pair[];
  /** Names in lower case, in order. */
  readonly headers: readonly Pair[];
  readonly requestId: string;
  readonly sourceIp: string;
  readonly userAgent: string;
}

/** Types whose bodies travel as text; everything else is base64 (as API Gateway decides it for HTTP APIs). */
const TEXT = /^(?:text\/|application\/(?:json|javascript|xml|x-www-form-urlencoded|graphql|[\w.+-]+\+(?:json|xml))\b)/i;

export function plainRequest(request: Request): PlainRequest {
  const { url } = request;
  const hostAt = StringPrototypeIndexOf(url, '//') + 2;
  const pathAt = StringPrototypeIndexOf(url, '/', hostAt);
  const queryAt = StringPrototypeIndexOf(url, '?', pathAt);
  const rawPath = StringPrototypeSlice(url, pathAt, queryAt < 0 ? url.length : queryAt);
  const rawQuery = queryAt < 0 ? '' : StringPrototypeSlice(url, queryAt + 1);
  const headers = pairsOf(request.headers);
  const forwarded = valueOf(headers, 'x-forwarded-for');
  const hops = StringPrototypeSplit(forwarded, ',');
  return {
    method: request.method, host: StringPrototypeSlice(url, hostAt, pathAt), rawPath, path: decoded(rawPath), rawQuery, query: queryPairs(rawQuery), headers,
    requestId: valueOf(headers, 'x-request-id'), sourceIp: (hops[0] ?? '').trim(), userAgent: valueOf(headers, 'user-agent'),
  };
}

function pairsOf(headers: Headers): Pair[] {
  const text = serialiseHeaders(headers);
  const parts = text === '' ? [] : StringPrototypeSplit(text, '\n');
  const pairs: Pair[] = [];
  for (let i = 0; i + 1 < parts.length; i += 2) pairs[pairs.length] = [parts[i] as string, parts[i + 1] as string];
  return pairs;
}

function valueOf(pairs: readonly Pair[], name: string): string {
  for (let i = 0; i < pairs.length; i++) if ((pairs[i] as Pair)[0] === name) return (pairs[i] as Pair)[1];
  return '';
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function queryPairs(query: string): Pair[] {
  const pairs: Pair[] = [];
  const parts = query === '' ? [] : StringPrototypeSplit(query, '&');
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i] as string;
    if (part === '') continue;
    const at = StringPrototypeIndexOf(part, '=');
    const plain = (text: string): string => decoded(text.replaceAll('+', ' '));
    pairs[pairs.length] = at < 0 ? [plain(part), ''] : [plain(StringPrototypeSlice(part, 0, at)), plain(StringPrototypeSlice(part, at + 1))];
  }
  return pairs;
}

/** One value for each name; several are joined, or the last one stays. */
export function joined(pairs: readonly Pair[], separator: string | null): Record<string, string> {
  const record: Record<string, string> = {};
  for (let i = 0; i < pairs.length; i++) {
    const [name, value] = pairs[i] as Pair;
    const before = Object.hasOwn(record, name) ? record[name] : undefined;
    put(record, name, before === undefined || separator === null ? value : `${before}${separator}${value}`);
  }
  return record;
}

/** All values of each name. */
export function listed(pairs: readonly Pair[]): Record<string, string[]> {
  const record: Record<string, string[]> = {};
  for (let i = 0; i < pairs.length; i++) {
    const [name, value] = pairs[i] as Pair;
    const values = Object.hasOwn(record, name) ? (record[name] as string[]) : [];
    values[values.length] = value;
    put(record, name, values);
  }
  return record;
}

/** A client may name a field `__proto__`. */
function put<T>(record: Record<string, T>, name: string, value: T): void {
  Object.defineProperty(record, name, { value, writable: true, enumerable: true, configurable: true });
}

export interface PlainBody {
  /** null: there is none. */
  readonly body: string | null;
  readonly isBase64Encoded: boolean;
}

export async function plainBody(request: Request): Promise<PlainBody> {
  const bytes: Uint8Array = await readAs('bytes', stateOfRequest(request) as RequestState);
  if (bytes.length === 0) return { body: null, isBase64Encoded: false };
  const type = request.headers.get('content-type') ?? '';
  const coded = request.headers.get('content-encoding') ?? 'identity';
  if (coded === 'identity' && RegExpPrototypeExec(TEXT, type) !== null) return { body: decodeUtf8(bytes), isBase64Encoded: false };
  return { body: toBase64(bytes), isBase64Encoded: true };
}

interface Base64Part {
  btoa(binary: string): string;
  atob(text: string): string;
}

const PIECE = 8_190;

export function toBase64(bytes: Uint8Array): string {
  const { btoa } = loadPart<Base64Part>('base64');
  let text = '';
  // Pieces of a multiple of three bytes join without padding between them.
  for (let at = 0; at < bytes.length; at += PIECE) {
    let binary = '';
    const end = Math.min(at + PIECE, bytes.length);
    for (let i = at; i < end; i++) binary += String.fromCharCode(bytes[i] as number);
    text += btoa(binary);
  }
  return text;
}

export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  const binary = loadPart<Base64Part>('base64').atob(text);
  const bytes = new NativeUint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = StringPrototypeCharCodeAt(binary, i);
  return bytes;
}

/** What Lambda and Function Compute functions return. */
export interface PlainResponse {
  readonly statusCode?: unknown;
  readonly headers?: unknown;
  readonly multiValueHeaders?: unknown;
  readonly cookies?: unknown;
  readonly body?: unknown;
  readonly isBase64Encoded?: unknown;
}

/** Throws what Response and Headers throw for values that are out of bounds. */
export function toResponse(result: PlainResponse): Response {
  const headers = new Headers();
  fill(headers, result.headers);
  fill(headers, result.multiValueHeaders);
  if (Array.isArray(result.cookies)) for (let i = 0; i < result.cookies.length; i++) headers.append('set-cookie', NativeString(result.cookies[i]));
  const status = result.statusCode === undefined ? 200 : Number(result.statusCode);
  const { body } = result;
  const text = body === undefined || body === null ? null : typeof body === 'string' ? body : JSON.stringify(body);
  const isBare = status === 204 || status === 205 || status === 304 || text === null;
  const content = isBare ? null : result.isBase64Encoded === true ? fromBase64(text) : text;
  // Without a type Response would say text/plain; both platforms say JSON.
  if (content !== null && !headers.has('content-type')) headers.set('content-type', 'application/json');
  return new Response(content, { status, headers });
}

function fill(headers: Headers, from: unknown): void {
  if (typeof from !== 'object' || from === null) return;
  const names = Object.keys(from);
  for (let i = 0; i < names.length; i++) {
    const name = names[i] as string;
    const value = (from as Record<string, unknown>)[name];
    if (value === undefined || value === null) continue;
    // A field of several values replaces the one of the same name in `headers`.
    if (!Array.isArray(value)) headers.set(name, NativeString(value));
    else {
      headers.delete(name);
      for (let k = 0; k < value.length; k++) headers.append(name, NativeString(value[k]));
    }
  }
}

/**
 * Calls `(event, context, callback)`: the answer is what it returns or its promise gives, else what the callback gets. One that does none of
 * it ends at its wall limit.
 */
export function callHandler(handler: (this: unknown, ...args: never[]) => unknown, event: unknown, context: object): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const callback = (error: unknown, result: unknown): void => {
      if (error === undefined || error === null) resolve(result);
      else reject(typeof error === 'object' ? error : new Error(NativeString(error)));
    };
    Object.assign(context, {
      done: callback,
      succeed: (result: unknown) => callback(null, result),
      fail: (error: unknown) => callback(error ?? new Error('failed'), undefined),
    });
    const returned = Reflect.apply(handler, undefined, [event, context, callback] as never[]) as unknown;
    if (returned !== undefined) resolve(returned);
  });
}
