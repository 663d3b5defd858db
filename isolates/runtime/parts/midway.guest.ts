// midway's FaaS handlers: (ctx, event), where ctx is its HTTP context, Koa's way: what is returned, or set as ctx.body, is the answer.
// https://midwayjs.org/docs/serverless/serverless_context
import { console } from '../console.guest.ts';
import { Headers } from '../headers.guest.ts';
import type { ExecutionContext, Handler } from '../invocation.guest.ts';
import { loaded } from '../module.guest.ts';
import type { Request } from '../request.guest.ts';
import { Response, isResponse } from '../response.guest.ts';
import { about, remainingOf } from './shapes/about.guest.ts';
import type { AnyFunction } from './shapes/exports.guest.ts';
import { fromBase64, joined, listed, plainBody, plainRequest } from './shapes/http.guest.ts';
import type { Pair, PlainBody, PlainRequest } from './shapes/http.guest.ts';

export function adapt(handler: AnyFunction): Handler {
  return async (request: Request, _env: unknown, execution: ExecutionContext) => {
    const plain = plainRequest(request);
    const content = await plainBody(request);
    const ctx = new HttpContext(plain, content, execution);
    const event = {
      httpMethod: plain.method, path: plain.path, headers: ctx.headers, queryParameters: joined(plain.query, null), body: content.body ?? '', isBase64Encoded: content.isBase64Encoded,
      requestContext: { requestId: plain.requestId, sourceIp: plain.sourceIp },
    };
    let result: unknown;
    try {
      result = await Reflect.apply(handler, undefined, [ctx, event] as never[]);
    } catch (thrown) {
      return exposed(thrown);
    }
    if (isResponse(result)) return result;
    if (result !== undefined) ctx.body = result;
    return ctx.response.finish();
  };
}

/** An error with `status` and `expose` is an answer, as Koa has it; throws every other one again. */
function exposed(thrown: unknown): Response {
  if (typeof thrown === 'object' && thrown !== null) {
    const { status, expose, message } = thrown as { status?: unknown; expose?: unknown; message?: unknown };
    if (expose === true && typeof status === 'number' && status >= 400 && status <= 599) return new Response(String(message), { status, headers: { 'content-type': 'text/plain; charset=utf-8' } });
  }
  throw thrown;
}

/** Names with one value are text, those with several a list, as Koa's query has it. */
function queryOf(pairs: readonly Pair[]): Record<string, string | string[]> {
  const all = listed(pairs);
  return Object.fromEntries(Object.entries(all).map(([name, values]) => [name, values.length === 1 ? (values[0] as string) : values]));
}

/** A body as the usual parsers leave it on the request. */
function parsedBody({ body, isBase64Encoded }: PlainBody, type: string): unknown {
  if (body === null) return undefined;
  if (isBase64Encoded) return fromBase64(body);
  if (/^application\/(?:json|[\w.+-]+\+json)\b/i.test(type)) {
    try {
      return JSON.parse(body);
    } catch {
      return body;
    }
  }
  if (/^application\/x-www-form-urlencoded\b/i.test(type)) {
    const plain = (text: string): string => decodeURIComponent(text.replaceAll('+', ' '));
    try {
      return queryOf(body.split('&').filter((part) => part !== '').map((part): Pair => {
        const at = part.indexOf('=');
        return at < 0 ? [plain(part), ''] : [plain(part.slice(0, at)), plain(part.slice(at + 1))];
      }));
    } catch {
      return body;
    }
  }
  return body;
}

class HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly url: string;
  readonly originalUrl: string;
  readonly querystring: string;
  readonly query: Readonly<Record<string, string | string[]>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly host: string;
  readonly ip: string;
  readonly body: unknown;

  constructor(plain: PlainRequest, content: PlainBody) {
    const { method, path, rawPath, rawQuery, query, headers, host, sourceIp } = plain;
    this.method = method;
    this.path = path;
    this.url = this.originalUrl = rawQuery === '' ? rawPath : `${rawPath}?${rawQuery}`;
    this.querystring = rawQuery;
    this.query = queryOf(query);
    this.headers = joined(headers, ', ');
    this.host = host;
    this.ip = sourceIp;
    this.body = parsedBody(content, this.headers['content-type'] ?? '');
  }

  get header(): Readonly<Record<string, string>> { return this.headers; }
  get hostname(): string { return this.host.replace(/:\d+$/, ''); }
  get ips(): string[] { return this.get('x-forwarded-for').split(',').map((ip) => ip.trim()).filter((ip) => ip !== ''); }
  get type(): string { return this.get('content-type').split(';')[0]?.trim() ?? ''; }
  get length(): number | undefined { return this.get('content-length') === '' ? undefined : Number(this.get('content-length')); }
  get protocol(): string { return this.get('x-forwarded-proto') || 'http'; }
  get secure(): boolean { return this.protocol === 'https'; }

  get(name: string): string {
    const lower = name.toLowerCase();
    const key = lower === 'referrer' ? 'referer' : lower;
    return Object.hasOwn(this.headers, key) ? (this.headers[key] ?? '') : '';
  }
}

class HttpResponse {
  readonly #headers = new Headers();
  #status = 404;
  #statusGiven = false;
  #body: unknown;

  get status(): number { return this.#status; }
  set status(value: number) {
    this.#status = value;
    this.#statusGiven = true;
  }

  get body(): unknown { return this.#body; }
  /** The status is 200, or 204 for none, unless it was set. */
  set body(value: unknown) {
    this.#body = value;
    if (!this.#statusGiven) this.#status = value === null || value === undefined ? 204 : 200;
  }

  get type(): string { return this.get('content-type').split(';')[0]?.trim() ?? ''; }
  set type(value: string) {
    const short: Record<string, string> = { json: 'application/json', html: 'text/html', text: 'text/plain', txt: 'text/plain', xml: 'application/xml', css: 'text/css', js: 'text/javascript', bin: 'application/octet-stream' };
    const name = value.replace(/^\./, '');
    const full = Object.hasOwn(short, name) ? (short[name] as string) : value;
    this.set('content-type', /^text\/|json|xml/.test(full) && !full.includes(';') ? `${full}; charset=utf-8` : full);
  }

  get headers(): Record<string, string> { return Object.fromEntries(this.#headers.entries()); }
  get header(): Record<string, string> { return this.headers; }

  get(name: string): string { return this.#headers.get(name) ?? ''; }
  has(name: string): boolean { return this.#headers.has(name); }
  remove(name: string): void { this.#headers.delete(name); }

  set(name: string | Readonly<Record<string, unknown>>, value?: unknown): void {
    if (typeof name !== 'string') {
      for (const [key, one] of Object.entries(name)) this.set(key, one);
      return;
    }
    this.#headers.delete(name);
    this.append(name, value);
  }

  append(name: string, value: unknown): void {
    for (const one of Array.isArray(value) ? value : [value]) this.#headers.append(name, String(one));
  }

  redirect(url: string): void {
    if (!(this.#statusGiven && this.#status >= 300 && this.#status < 400)) this.status = 302;
    this.set('location', url);
    this.body = `Redirecting to ${url}.`;
  }

  finish(): Response {
    const body = this.#body;
    const status = this.#status;
    if (body === null || body === undefined || status === 204 || status === 205 || status === 304) return new Response(null, { status, headers: this.#headers });
    if (typeof body === 'string') {
      if (!this.has('content-type')) this.type = /^\s*</.test(body) ? 'html' : 'text';
      return new Response(body, { status, headers: this.#headers });
    }
    if (ArrayBuffer.isView(body) || body instanceof ArrayBuffer || isStream(body)) {
      if (!this.has('content-type')) this.type = 'bin';
      return new Response(body, { status, headers: this.#headers });
    }
    if (!this.has('content-type')) this.type = 'json';
    return new Response(JSON.stringify(body), { status, headers: this.#headers });
  }
}

function isStream(body: unknown): boolean {
  return typeof body === 'object' && body !== null && typeof (body as { getReader?: unknown }).getReader === 'function';
}

/** What Koa delegates from the context to request and response, and midway's own members. */
class HttpContext {
  readonly request: HttpRequest;
  readonly response = new HttpResponse();
  readonly state: Record<string, unknown> = {};
  readonly params: Record<string, string> = {};
  readonly env = loaded.environment;
  readonly logger = { debug: console.debug, info: console.info, warn: console.warn, error: console.error };
  readonly requestId: string;
  readonly requestContext: object;
  /** The platform's own context. */
  readonly originContext: object;

  constructor(plain: PlainRequest, content: PlainBody, execution: ExecutionContext) {
    this.request = new HttpRequest(plain, content);
    this.requestId = plain.requestId;
    const { name, version, memoryMb } = about();
    this.requestContext = { requestId: plain.requestId, sourceIp: plain.sourceIp };
    this.originContext = {
      requestId: plain.requestId, function: { name, version, memory: memoryMb }, getRemainingTimeInMillis: () => Math.floor(remainingOf(execution)),
      waitUntil: (promise: unknown) => execution.waitUntil(promise),
    };
  }

  get req(): HttpRequest { return this.request; }
  get res(): HttpResponse { return this.response; }
  get method(): string { return this.request.method; }
  get path(): string { return this.request.path; }
  get url(): string { return this.request.url; }
  get originalUrl(): string { return this.request.originalUrl; }
  get querystring(): string { return this.request.querystring; }
  get query(): HttpRequest['query'] { return this.request.query; }
  get headers(): HttpRequest['headers'] { return this.request.headers; }
  get header(): HttpRequest['headers'] { return this.request.headers; }
  get host(): string { return this.request.host; }
  get hostname(): string { return this.request.hostname; }
  get ip(): string { return this.request.ip; }
  get ips(): string[] { return this.request.ips; }
  get protocol(): string { return this.request.protocol; }
  get secure(): boolean { return this.request.secure; }
  get(name: string): string { return this.request.get(name); }

  get status(): number { return this.response.status; }
  set status(value: number) { this.response.status = value; }
  get body(): unknown { return this.response.body; }
  set body(value: unknown) { this.response.body = value; }
  get type(): string { return this.response.type; }
  set type(value: string) { this.response.type = value; }
  set(name: string | Readonly<Record<string, unknown>>, value?: unknown): void { this.response.set(name, value); }
  append(name: string, value: unknown): void { this.response.append(name, value); }
  remove(name: string): void { this.response.remove(name); }
  redirect(url: string): void { this.response.redirect(url); }

  /** Ends the call: an error with `status` and `expose`, as Koa makes it. */
  throw(status: number, message = 'Error', properties: object = {}): never {
    throw Object.assign(new Error(message), { status, statusCode: status, expose: status < 500 }, properties);
  }
}
