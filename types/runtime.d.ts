// What a function finds in Thimble: global types for authors, by `"types": ["thimble/runtime"]` and `"lib": ["es2024"]`.
// A class here is an interface object there: accessors are accessors, methods are methods, a private constructor throws.
// test/types/runtime.test.ts compares this file with a running isolate, both ways.

/// <reference path="./handlers.d.ts" />

// ── Values ──────────────────────────────────────────────────────────────────────────────────────────────────────────

type BufferSource = ArrayBufferView<ArrayBuffer> | ArrayBuffer;
type AllowSharedBufferSource = ArrayBufferView | ArrayBuffer;
type BodyInit = string | BufferSource | Blob | FormData | URLSearchParams | ReadableStream<Uint8Array>;
type HeadersInit = Headers | Iterable<readonly [string, string]> | readonly (readonly [string, string])[] | Readonly<Record<string, string>>;
type FormDataEntryValue = File | string;
/** Methods are compared bivariantly: a listener may ask for the kind of event that it knows to get. */
type EventListener = { handle(event: Event): unknown }['handle'];
type EventListenerObject = { handleEvent(event: Event): unknown };
type Transferable = ArrayBuffer | MessagePort | ReadableStream | WritableStream | TransformStream;

// ── DOM: events and aborts ──────────────────────────────────────────────────────────────────────────────────────────

interface EventInit {
  bubbles?: boolean;
  cancelable?: boolean;
  composed?: boolean;
}

interface EventListenerOptions {
  capture?: boolean;
}

interface AddEventListenerOptions extends EventListenerOptions {
  once?: boolean;
  passive?: boolean;
  /** Its abort removes the listener. */
  signal?: AbortSignal;
}

declare class Event {
  constructor(type: string, init?: EventInit);
  get type(): string;
  get target(): EventTarget | null;
  get srcElement(): EventTarget | null;
  get currentTarget(): EventTarget | null;
  composedPath(): EventTarget[];
  static readonly NONE: 0;
  static readonly CAPTURING_PHASE: 1;
  static readonly AT_TARGET: 2;
  static readonly BUBBLING_PHASE: 3;
  readonly NONE: 0;
  readonly CAPTURING_PHASE: 1;
  readonly AT_TARGET: 2;
  readonly BUBBLING_PHASE: 3;
  get eventPhase(): number;
  stopPropagation(): void;
  get cancelBubble(): boolean;
  set cancelBubble(value: boolean);
  stopImmediatePropagation(): void;
  get bubbles(): boolean;
  get cancelable(): boolean;
  get returnValue(): boolean;
  set returnValue(value: boolean);
  preventDefault(): void;
  get defaultPrevented(): boolean;
  get composed(): boolean;
  /** Milliseconds since `performance.timeOrigin`. */
  get timeStamp(): number;
  initEvent(type: string, bubbles?: boolean, cancelable?: boolean): void;
  /** On each event itself, and false unless the platform dispatched it. */
  readonly isTrusted: boolean;
}

declare class EventTarget {
  constructor();
  addEventListener(type: string, listener: EventListener | EventListenerObject | null, options?: AddEventListenerOptions | boolean): void;
  removeEventListener(type: string, listener: EventListener | EventListenerObject | null, options?: EventListenerOptions | boolean): void;
  /** @returns false when a listener prevented the default */
  dispatchEvent(event: Event): boolean;
}

declare class CustomEvent<T = unknown> extends Event {
  constructor(type: string, init?: EventInit & { detail?: T });
  get detail(): T;
  initCustomEvent(type: string, bubbles?: boolean, cancelable?: boolean, detail?: T): void;
}

declare class AbortController {
  constructor();
  get signal(): AbortSignal;
  /** @param reason  default: an AbortError */
  abort(reason?: unknown): void;
}

declare class AbortSignal extends EventTarget {
  private constructor();
  static abort(reason?: unknown): AbortSignal;
  /** Aborts with a TimeoutError after so many milliseconds. */
  static timeout(milliseconds: number): AbortSignal;
  /** Aborts with the first of these. */
  static any(signals: Iterable<AbortSignal>): AbortSignal;
  get aborted(): boolean;
  get reason(): unknown;
  throwIfAborted(): void;
  get onabort(): EventListener | null;
  set onabort(listener: EventListener | null);
}

declare class ErrorEvent extends Event {
  constructor(type: string, init?: EventInit & { message?: string; filename?: string; lineno?: number; colno?: number; error?: unknown });
  get message(): string;
  get filename(): string;
  get lineno(): number;
  get colno(): number;
  get error(): unknown;
}

declare class PromiseRejectionEvent extends Event {
  constructor(type: string, init: EventInit & { promise: Promise<unknown>; reason?: unknown });
  get promise(): Promise<unknown>;
  get reason(): unknown;
}

declare class MessageEvent<T = unknown> extends Event {
  constructor(type: string, init?: EventInit & { data?: T; origin?: string; lastEventId?: string; source?: MessagePort | null; ports?: readonly MessagePort[] });
  get data(): T;
  get origin(): string;
  get lastEventId(): string;
  get source(): MessagePort | null;
  get ports(): readonly MessagePort[];
  initMessageEvent(type: string, bubbles?: boolean, cancelable?: boolean, data?: T, origin?: string, lastEventId?: string, source?: MessagePort | null, ports?: readonly MessagePort[]): void;
}

declare class MessageChannel {
  constructor();
  get port1(): MessagePort;
  get port2(): MessagePort;
}

declare class MessagePort extends EventTarget {
  private constructor();
  postMessage(message: unknown, transfer?: readonly Transferable[] | { transfer?: readonly Transferable[] }): void;
  start(): void;
  close(): void;
  get onmessage(): ((event: MessageEvent) => unknown) | null;
  set onmessage(listener: ((event: MessageEvent) => unknown) | null);
  get onmessageerror(): ((event: MessageEvent) => unknown) | null;
  set onmessageerror(listener: ((event: MessageEvent) => unknown) | null);
  get onclose(): EventListener | null;
  set onclose(listener: EventListener | null);
}

declare class DOMException extends Error {
  /** @param name  such as AbortError; the legacy `code` follows from it */
  constructor(message?: string, name?: string);
  get name(): string;
  get message(): string;
  get code(): number;
  static readonly INDEX_SIZE_ERR: 1; static readonly DOMSTRING_SIZE_ERR: 2; static readonly HIERARCHY_REQUEST_ERR: 3; static readonly WRONG_DOCUMENT_ERR: 4; static readonly INVALID_CHARACTER_ERR: 5;
  static readonly NO_DATA_ALLOWED_ERR: 6; static readonly NO_MODIFICATION_ALLOWED_ERR: 7; static readonly NOT_FOUND_ERR: 8; static readonly NOT_SUPPORTED_ERR: 9; static readonly INUSE_ATTRIBUTE_ERR: 10;
  static readonly INVALID_STATE_ERR: 11; static readonly SYNTAX_ERR: 12; static readonly INVALID_MODIFICATION_ERR: 13; static readonly NAMESPACE_ERR: 14; static readonly INVALID_ACCESS_ERR: 15;
  static readonly VALIDATION_ERR: 16; static readonly TYPE_MISMATCH_ERR: 17; static readonly SECURITY_ERR: 18; static readonly NETWORK_ERR: 19; static readonly ABORT_ERR: 20;
  static readonly URL_MISMATCH_ERR: 21; static readonly QUOTA_EXCEEDED_ERR: 22; static readonly TIMEOUT_ERR: 23; static readonly INVALID_NODE_TYPE_ERR: 24; static readonly DATA_CLONE_ERR: 25;
  readonly INDEX_SIZE_ERR: 1; readonly DOMSTRING_SIZE_ERR: 2; readonly HIERARCHY_REQUEST_ERR: 3; readonly WRONG_DOCUMENT_ERR: 4; readonly INVALID_CHARACTER_ERR: 5;
  readonly NO_DATA_ALLOWED_ERR: 6; readonly NO_MODIFICATION_ALLOWED_ERR: 7; readonly NOT_FOUND_ERR: 8; readonly NOT_SUPPORTED_ERR: 9; readonly INUSE_ATTRIBUTE_ERR: 10;
  readonly INVALID_STATE_ERR: 11; readonly SYNTAX_ERR: 12; readonly INVALID_MODIFICATION_ERR: 13; readonly NAMESPACE_ERR: 14; readonly INVALID_ACCESS_ERR: 15;
  readonly VALIDATION_ERR: 16; readonly TYPE_MISMATCH_ERR: 17; readonly SECURITY_ERR: 18; readonly NETWORK_ERR: 19; readonly ABORT_ERR: 20;
  readonly URL_MISMATCH_ERR: 21; readonly QUOTA_EXCEEDED_ERR: 22; readonly TIMEOUT_ERR: 23; readonly INVALID_NODE_TYPE_ERR: 24; readonly DATA_CLONE_ERR: 25;
}

// ── Fetch ───────────────────────────────────────────────────────────────────────────────────────────────────────────

declare class Headers {
  constructor(init?: HeadersInit);
  append(name: string, value: string): void;
  delete(name: string): void;
  get(name: string): string | null;
  /** Each `Set-Cookie` apart. */
  getSetCookie(): string[];
  has(name: string): boolean;
  set(name: string, value: string): void;
  entries(): IteratorObject<[string, string]>;
  keys(): IteratorObject<string>;
  values(): IteratorObject<string>;
  forEach(callback: (value: string, name: string, headers: Headers) => void, self?: unknown): void;
  [Symbol.iterator](): IteratorObject<[string, string]>;
}

interface RequestInit {
  method?: string;
  headers?: HeadersInit;
  body?: BodyInit | null;
  redirect?: 'follow' | 'error' | 'manual';
  signal?: AbortSignal | null;
  /** Required beside a stream as body. */
  duplex?: 'half';
  cache?: string;
  credentials?: 'omit' | 'same-origin' | 'include';
  integrity?: string;
  keepalive?: boolean;
  mode?: string;
  referrer?: string;
  referrerPolicy?: string;
  window?: null;
}

declare class Request {
  constructor(input: Request | URL | string, init?: RequestInit);
  get method(): string;
  get url(): string;
  get headers(): Headers;
  get destination(): string;
  get referrer(): string;
  get referrerPolicy(): string;
  get mode(): string;
  get credentials(): 'omit' | 'same-origin' | 'include';
  get cache(): string;
  get redirect(): 'follow' | 'error' | 'manual';
  get integrity(): string;
  get keepalive(): boolean;
  get isReloadNavigation(): boolean;
  get isHistoryNavigation(): boolean;
  /** Of a request from outside: aborts when the client goes away. */
  get signal(): AbortSignal;
  get duplex(): 'half';
  clone(): Request;
  get body(): ReadableStream<Uint8Array<ArrayBuffer>> | null;
  get bodyUsed(): boolean;
  arrayBuffer(): Promise<ArrayBuffer>;
  blob(): Promise<Blob>;
  bytes(): Promise<Uint8Array<ArrayBuffer>>;
  formData(): Promise<FormData>;
  json<T = unknown>(): Promise<T>;
  text(): Promise<string>;
}

interface ResponseInit {
  status?: number;
  statusText?: string;
  headers?: HeadersInit;
}

declare class Response {
  constructor(body?: BodyInit | null, init?: ResponseInit);
  static error(): Response;
  static redirect(url: string | URL, status?: number): Response;
  /** The value as JSON, with its content type. */
  static json(value: unknown, init?: ResponseInit): Response;
  get type(): 'basic' | 'cors' | 'default' | 'error' | 'opaque' | 'opaqueredirect';
  get url(): string;
  get redirected(): boolean;
  get status(): number;
  /** Status 200 to 299. */
  get ok(): boolean;
  get statusText(): string;
  get headers(): Headers;
  clone(): Response;
  get body(): ReadableStream<Uint8Array<ArrayBuffer>> | null;
  get bodyUsed(): boolean;
  arrayBuffer(): Promise<ArrayBuffer>;
  blob(): Promise<Blob>;
  bytes(): Promise<Uint8Array<ArrayBuffer>>;
  formData(): Promise<FormData>;
  json<T = unknown>(): Promise<T>;
  text(): Promise<string>;
}

/** A call to the outside. What the node's egress policy refuses rejects with a TypeError whose `code` is `egress_refused`. */
declare function fetch(input: Request | URL | string, init?: RequestInit): Promise<Response>;

interface CacheQueryOptions {
  ignoreSearch?: boolean;
  ignoreMethod?: boolean;
  ignoreVary?: boolean;
}

/** Responses by request, bounded, held outside of the function's heap. */
declare class Cache {
  private constructor();
  match(request: Request | string, options?: CacheQueryOptions): Promise<Response | undefined>;
  matchAll(request?: Request | string, options?: CacheQueryOptions): Promise<readonly Response[]>;
  add(request: Request | string): Promise<void>;
  addAll(requests: Iterable<Request | string>): Promise<void>;
  put(request: Request | string, response: Response): Promise<void>;
  delete(request: Request | string, options?: CacheQueryOptions): Promise<boolean>;
  keys(request?: Request | string, options?: CacheQueryOptions): Promise<readonly Request[]>;
}

declare class CacheStorage {
  private constructor();
  /** The function's own cache without a name, as Workers have it. */
  get default(): Cache;
  match(request: Request | string, options?: CacheQueryOptions & { cacheName?: string }): Promise<Response | undefined>;
  has(name: string): Promise<boolean>;
  open(name: string): Promise<Cache>;
  delete(name: string): Promise<boolean>;
  keys(): Promise<readonly string[]>;
}

declare var caches: CacheStorage;

declare class FormData {
  constructor();
  append(name: string, value: string): void;
  append(name: string, value: Blob, filename?: string): void;
  delete(name: string): void;
  get(name: string): FormDataEntryValue | null;
  getAll(name: string): FormDataEntryValue[];
  has(name: string): boolean;
  set(name: string, value: string): void;
  set(name: string, value: Blob, filename?: string): void;
  entries(): IteratorObject<[string, FormDataEntryValue]>;
  keys(): IteratorObject<string>;
  values(): IteratorObject<FormDataEntryValue>;
  forEach(callback: (value: FormDataEntryValue, name: string, form: FormData) => void, self?: unknown): void;
  [Symbol.iterator](): IteratorObject<[string, FormDataEntryValue]>;
}

interface BlobPropertyBag {
  type?: string;
  endings?: 'transparent' | 'native';
}

declare class Blob {
  constructor(parts?: Iterable<BufferSource | Blob | string>, options?: BlobPropertyBag);
  /** Bytes. */
  get size(): number;
  get type(): string;
  slice(start?: number, end?: number, type?: string): Blob;
  stream(): ReadableStream<Uint8Array<ArrayBuffer>>;
  text(): Promise<string>;
  arrayBuffer(): Promise<ArrayBuffer>;
  bytes(): Promise<Uint8Array<ArrayBuffer>>;
}

declare class File extends Blob {
  constructor(parts: Iterable<BufferSource | Blob | string>, name: string, options?: BlobPropertyBag & { lastModified?: number });
  get name(): string;
  /** Milliseconds since the epoch. */
  get lastModified(): number;
}

// ── Streams ─────────────────────────────────────────────────────────────────────────────────────────────────────────

// Chunks are of any kind unless said: as elsewhere, so that the same file compiles.
interface QueuingStrategy<T = any> {
  highWaterMark?: number;
  size?(chunk: T): number;
}

interface QueuingStrategyInit {
  highWaterMark: number;
}

interface UnderlyingSource<R = any> {
  type?: undefined;
  start?(controller: ReadableStreamDefaultController<R>): unknown;
  pull?(controller: ReadableStreamDefaultController<R>): unknown;
  cancel?(reason?: unknown): unknown;
}

interface UnderlyingByteSource {
  type: 'bytes';
  autoAllocateChunkSize?: number;
  start?(controller: ReadableByteStreamController): unknown;
  pull?(controller: ReadableByteStreamController): unknown;
  cancel?(reason?: unknown): unknown;
}

interface UnderlyingSink<W = any> {
  type?: undefined;
  start?(controller: WritableStreamDefaultController): unknown;
  write?(chunk: W, controller: WritableStreamDefaultController): unknown;
  close?(): unknown;
  abort?(reason?: unknown): unknown;
}

interface Transformer<I = any, O = any> {
  readableType?: undefined;
  writableType?: undefined;
  start?(controller: TransformStreamDefaultController<O>): unknown;
  transform?(chunk: I, controller: TransformStreamDefaultController<O>): unknown;
  flush?(controller: TransformStreamDefaultController<O>): unknown;
  cancel?(reason?: unknown): unknown;
}

interface StreamPipeOptions {
  preventClose?: boolean;
  preventAbort?: boolean;
  preventCancel?: boolean;
  signal?: AbortSignal;
}

interface ReadableWritablePair<R = any, W = any> {
  readable: ReadableStream<R>;
  writable: WritableStream<W>;
}

type ReadableStreamReadResult<T> = { done: false; value: T } | { done: true; value: T | undefined };

declare class ReadableStream<R = any> {
  constructor(source: UnderlyingByteSource, strategy?: { highWaterMark?: number });
  constructor(source?: UnderlyingSource<R>, strategy?: QueuingStrategy<R>);
  static from<T>(iterable: Iterable<T> | AsyncIterable<T>): ReadableStream<T>;
  get locked(): boolean;
  cancel(reason?: unknown): Promise<void>;
  getReader(options: { mode: 'byob' }): ReadableStreamBYOBReader;
  getReader(options?: { mode?: undefined }): ReadableStreamDefaultReader<R>;
  pipeThrough<T>(pair: ReadableWritablePair<T, R>, options?: StreamPipeOptions): ReadableStream<T>;
  pipeTo(destination: WritableStream<R>, options?: StreamPipeOptions): Promise<void>;
  tee(): [ReadableStream<R>, ReadableStream<R>];
  values(options?: { preventCancel?: boolean }): AsyncIteratorObject<R, undefined>;
  [Symbol.asyncIterator](options?: { preventCancel?: boolean }): AsyncIteratorObject<R, undefined>;
}

declare class ReadableStreamDefaultReader<R = any> {
  constructor(stream: ReadableStream<R>);
  read(): Promise<ReadableStreamReadResult<R>>;
  releaseLock(): void;
  get closed(): Promise<void>;
  cancel(reason?: unknown): Promise<void>;
}

declare class ReadableStreamBYOBReader {
  constructor(stream: ReadableStream<Uint8Array>);
  /** Takes the view's buffer and gives it back filled. */
  read<T extends ArrayBufferView>(view: T, options?: { min?: number }): Promise<ReadableStreamReadResult<T>>;
  releaseLock(): void;
  get closed(): Promise<void>;
  cancel(reason?: unknown): Promise<void>;
}

declare class ReadableStreamBYOBRequest {
  private constructor();
  get view(): ArrayBufferView<ArrayBuffer> | null;
  respond(bytesWritten: number): void;
  respondWithNewView(view: ArrayBufferView): void;
}

declare class ReadableStreamDefaultController<R = any> {
  private constructor();
  get desiredSize(): number | null;
  close(): void;
  enqueue(chunk?: R): void;
  error(reason?: unknown): void;
}

declare class ReadableByteStreamController {
  private constructor();
  get byobRequest(): ReadableStreamBYOBRequest | null;
  get desiredSize(): number | null;
  close(): void;
  enqueue(chunk: ArrayBufferView): void;
  error(reason?: unknown): void;
}

declare class WritableStream<W = any> {
  constructor(sink?: UnderlyingSink<W>, strategy?: QueuingStrategy<W>);
  get locked(): boolean;
  abort(reason?: unknown): Promise<void>;
  close(): Promise<void>;
  getWriter(): WritableStreamDefaultWriter<W>;
}

declare class WritableStreamDefaultWriter<W = any> {
  constructor(stream: WritableStream<W>);
  get closed(): Promise<void>;
  get desiredSize(): number | null;
  get ready(): Promise<void>;
  abort(reason?: unknown): Promise<void>;
  close(): Promise<void>;
  releaseLock(): void;
  write(chunk?: W): Promise<void>;
}

declare class WritableStreamDefaultController {
  private constructor();
  get signal(): AbortSignal;
  error(reason?: unknown): void;
}

declare class TransformStream<I = any, O = any> {
  constructor(transformer?: Transformer<I, O>, writableStrategy?: QueuingStrategy<I>, readableStrategy?: QueuingStrategy<O>);
  get readable(): ReadableStream<O>;
  get writable(): WritableStream<I>;
}

declare class TransformStreamDefaultController<O = any> {
  private constructor();
  get desiredSize(): number | null;
  enqueue(chunk?: O): void;
  error(reason?: unknown): void;
  terminate(): void;
}

declare class ByteLengthQueuingStrategy {
  constructor(init: QueuingStrategyInit);
  get highWaterMark(): number;
  get size(): (chunk: ArrayBufferView) => number;
}

declare class CountQueuingStrategy {
  constructor(init: QueuingStrategyInit);
  get highWaterMark(): number;
  get size(): (chunk?: unknown) => 1;
}

type CompressionFormat = 'gzip' | 'deflate' | 'deflate-raw' | 'brotli';

declare class CompressionStream {
  constructor(format: CompressionFormat);
  get readable(): ReadableStream<Uint8Array<ArrayBuffer>>;
  get writable(): WritableStream<BufferSource>;
}

declare class DecompressionStream {
  constructor(format: CompressionFormat);
  get readable(): ReadableStream<Uint8Array<ArrayBuffer>>;
  get writable(): WritableStream<BufferSource>;
}

// ── Encoding, URL ───────────────────────────────────────────────────────────────────────────────────────────────────

interface TextDecoderOptions {
  fatal?: boolean;
  ignoreBOM?: boolean;
}

declare class TextDecoder {
  /** @param label  of any encoding of the Encoding standard; default utf-8 */
  constructor(label?: string, options?: TextDecoderOptions);
  decode(input?: AllowSharedBufferSource, options?: { stream?: boolean }): string;
  get encoding(): string;
  get fatal(): boolean;
  get ignoreBOM(): boolean;
}

declare class TextEncoder {
  constructor();
  encode(input?: string): Uint8Array<ArrayBuffer>;
  encodeInto(source: string, destination: Uint8Array): { read: number; written: number };
  get encoding(): 'utf-8';
}

declare class TextDecoderStream {
  constructor(label?: string, options?: TextDecoderOptions);
  get encoding(): string;
  get fatal(): boolean;
  get ignoreBOM(): boolean;
  get readable(): ReadableStream<string>;
  get writable(): WritableStream<BufferSource>;
}

declare class TextEncoderStream {
  constructor();
  get encoding(): 'utf-8';
  get readable(): ReadableStream<Uint8Array<ArrayBuffer>>;
  get writable(): WritableStream<string>;
}

declare class URL {
  constructor(url: string | URL, base?: string | URL);
  static canParse(url: string | URL, base?: string | URL): boolean;
  static parse(url: string | URL, base?: string | URL): URL | null;
  get href(): string;
  set href(value: string);
  get origin(): string;
  get protocol(): string;
  set protocol(value: string);
  get username(): string;
  set username(value: string);
  get password(): string;
  set password(value: string);
  get host(): string;
  set host(value: string);
  get hostname(): string;
  set hostname(value: string);
  get port(): string;
  set port(value: string);
  get pathname(): string;
  set pathname(value: string);
  get search(): string;
  set search(value: string);
  get searchParams(): URLSearchParams;
  get hash(): string;
  set hash(value: string);
  toJSON(): string;
  toString(): string;
}

declare class URLSearchParams {
  constructor(init?: string | URLSearchParams | Iterable<readonly [string, string]> | Readonly<Record<string, string>>);
  get size(): number;
  append(name: string, value: string): void;
  delete(name: string, value?: string): void;
  get(name: string): string | null;
  getAll(name: string): string[];
  has(name: string, value?: string): boolean;
  set(name: string, value: string): void;
  sort(): void;
  entries(): IteratorObject<[string, string]>;
  keys(): IteratorObject<string>;
  values(): IteratorObject<string>;
  forEach(callback: (value: string, name: string, params: URLSearchParams) => void, self?: unknown): void;
  [Symbol.iterator](): IteratorObject<[string, string]>;
  toString(): string;
}

interface URLPatternInit {
  protocol?: string;
  username?: string;
  password?: string;
  hostname?: string;
  port?: string;
  pathname?: string;
  search?: string;
  hash?: string;
  baseURL?: string;
}

interface URLPatternComponentResult {
  input: string;
  groups: Record<string, string | undefined>;
}

interface URLPatternResult {
  inputs: (string | URLPatternInit)[];
  protocol: URLPatternComponentResult;
  username: URLPatternComponentResult;
  password: URLPatternComponentResult;
  hostname: URLPatternComponentResult;
  port: URLPatternComponentResult;
  pathname: URLPatternComponentResult;
  search: URLPatternComponentResult;
  hash: URLPatternComponentResult;
}

declare class URLPattern {
  constructor(input: string | URLPatternInit, base: string, options?: { ignoreCase?: boolean });
  constructor(input?: string | URLPatternInit, options?: { ignoreCase?: boolean });
  test(input?: string | URLPatternInit, base?: string): boolean;
  exec(input?: string | URLPatternInit, base?: string): URLPatternResult | null;
  get protocol(): string;
  get username(): string;
  get password(): string;
  get hostname(): string;
  get port(): string;
  get pathname(): string;
  get search(): string;
  get hash(): string;
  get hasRegExpGroups(): boolean;
}

/** Base64 to a string of bytes. Throws an InvalidCharacterError. */
declare function atob(data: string): string;
/** A string of bytes to base64. Throws an InvalidCharacterError. */
declare function btoa(data: string): string;

// ── WebCrypto ───────────────────────────────────────────────────────────────────────────────────────────────────────

type KeyFormat = 'raw' | 'pkcs8' | 'spki' | 'jwk';
type KeyType = 'public' | 'private' | 'secret';
type KeyUsage = 'encrypt' | 'decrypt' | 'sign' | 'verify' | 'deriveKey' | 'deriveBits' | 'wrapKey' | 'unwrapKey';
type AlgorithmIdentifier = Algorithm | string;
type HashAlgorithmIdentifier = AlgorithmIdentifier;

interface Algorithm { name: string }
interface KeyAlgorithm { name: string }
interface AesCbcParams extends Algorithm { iv: BufferSource }
interface AesCtrParams extends Algorithm { counter: BufferSource; length: number }
interface AesGcmParams extends Algorithm { iv: BufferSource; additionalData?: BufferSource; tagLength?: number }
interface AesKeyGenParams extends Algorithm { length: number }
interface HmacImportParams extends Algorithm { hash: HashAlgorithmIdentifier; length?: number }
interface HmacKeyGenParams extends Algorithm { hash: HashAlgorithmIdentifier; length?: number }
interface Pbkdf2Params extends Algorithm { hash: HashAlgorithmIdentifier; salt: BufferSource; iterations: number }
interface HkdfParams extends Algorithm { hash: HashAlgorithmIdentifier; salt: BufferSource; info: BufferSource }
interface RsaHashedKeyGenParams extends Algorithm { hash: HashAlgorithmIdentifier; modulusLength: number; publicExponent: Uint8Array }
interface RsaHashedImportParams extends Algorithm { hash: HashAlgorithmIdentifier }
interface RsaPssParams extends Algorithm { saltLength: number }
interface RsaOaepParams extends Algorithm { label?: BufferSource }
interface EcKeyGenParams extends Algorithm { namedCurve: string }
interface EcKeyImportParams extends Algorithm { namedCurve: string }
interface EcdsaParams extends Algorithm { hash: HashAlgorithmIdentifier }
interface EcdhKeyDeriveParams extends Algorithm { public: CryptoKey }

interface CryptoKeyPair {
  publicKey: CryptoKey;
  privateKey: CryptoKey;
}

interface JsonWebKey {
  kty?: string; use?: string; key_ops?: string[]; alg?: string; ext?: boolean; crv?: string; x?: string; y?: string; d?: string; n?: string; e?: string; p?: string; q?: string; dp?: string; dq?: string; qi?: string; k?: string;
  oth?: { r?: string; d?: string; t?: string }[];
}

declare class Crypto {
  private constructor();
  get subtle(): SubtleCrypto;
  /** Fills at most 65,536 bytes, and returns the same array. */
  getRandomValues<T extends Int8Array | Uint8Array | Uint8ClampedArray | Int16Array | Uint16Array | Int32Array | Uint32Array | BigInt64Array | BigUint64Array>(array: T): T;
  randomUUID(): `${string}-${string}-${string}-${string}-${string}`;
}

/** Its material is held outside of the function's heap. */
declare class CryptoKey {
  private constructor();
  get type(): KeyType;
  get extractable(): boolean;
  get algorithm(): KeyAlgorithm;
  get usages(): KeyUsage[];
}

type ImportAlgorithm = AlgorithmIdentifier | RsaHashedImportParams | EcKeyImportParams | HmacImportParams;
type DerivedAlgorithm = AlgorithmIdentifier | AesKeyGenParams | HmacImportParams | HkdfParams | Pbkdf2Params;

declare class SubtleCrypto {
  private constructor();
  encrypt(algorithm: AlgorithmIdentifier | RsaOaepParams | AesCtrParams | AesCbcParams | AesGcmParams, key: CryptoKey, data: BufferSource): Promise<ArrayBuffer>;
  decrypt(algorithm: AlgorithmIdentifier | RsaOaepParams | AesCtrParams | AesCbcParams | AesGcmParams, key: CryptoKey, data: BufferSource): Promise<ArrayBuffer>;
  sign(algorithm: AlgorithmIdentifier | RsaPssParams | EcdsaParams, key: CryptoKey, data: BufferSource): Promise<ArrayBuffer>;
  verify(algorithm: AlgorithmIdentifier | RsaPssParams | EcdsaParams, key: CryptoKey, signature: BufferSource, data: BufferSource): Promise<boolean>;
  digest(algorithm: AlgorithmIdentifier, data: BufferSource): Promise<ArrayBuffer>;
  generateKey(algorithm: RsaHashedKeyGenParams | EcKeyGenParams, extractable: boolean, usages: readonly KeyUsage[]): Promise<CryptoKeyPair>;
  generateKey(algorithm: AesKeyGenParams | HmacKeyGenParams, extractable: boolean, usages: readonly KeyUsage[]): Promise<CryptoKey>;
  generateKey(algorithm: AlgorithmIdentifier, extractable: boolean, usages: readonly KeyUsage[]): Promise<CryptoKey | CryptoKeyPair>;
  deriveKey(algorithm: AlgorithmIdentifier | EcdhKeyDeriveParams | HkdfParams | Pbkdf2Params, baseKey: CryptoKey, derived: DerivedAlgorithm, extractable: boolean, usages: readonly KeyUsage[]): Promise<CryptoKey>;
  deriveBits(algorithm: AlgorithmIdentifier | EcdhKeyDeriveParams | HkdfParams | Pbkdf2Params, baseKey: CryptoKey, length?: number | null): Promise<ArrayBuffer>;
  importKey(format: 'jwk', key: JsonWebKey, algorithm: ImportAlgorithm, extractable: boolean, usages: readonly KeyUsage[]): Promise<CryptoKey>;
  importKey(format: 'raw' | 'pkcs8' | 'spki', key: BufferSource, algorithm: ImportAlgorithm, extractable: boolean, usages: readonly KeyUsage[]): Promise<CryptoKey>;
  exportKey(format: 'jwk', key: CryptoKey): Promise<JsonWebKey>;
  exportKey(format: 'raw' | 'pkcs8' | 'spki', key: CryptoKey): Promise<ArrayBuffer>;
  wrapKey(format: KeyFormat, key: CryptoKey, wrappingKey: CryptoKey, algorithm: AlgorithmIdentifier | RsaOaepParams | AesCtrParams | AesCbcParams | AesGcmParams): Promise<ArrayBuffer>;
  unwrapKey(format: KeyFormat, wrapped: BufferSource, unwrappingKey: CryptoKey, unwrapAlgorithm: AlgorithmIdentifier | RsaOaepParams | AesCtrParams | AesCbcParams | AesGcmParams, algorithm: ImportAlgorithm, extractable: boolean, usages: readonly KeyUsage[]): Promise<CryptoKey>;
}

declare var crypto: Crypto;

// ── Time ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Clocks stand still while code runs and move on at every wait: for a timer, a call, a chunk of a body. */
declare class Performance extends EventTarget {
  private constructor();
  /** Milliseconds since `timeOrigin`. */
  now(): number;
  get timeOrigin(): number;
  toJSON(): unknown;
  mark(name: string, options?: { detail?: unknown; startTime?: number }): PerformanceMark;
  measure(name: string, start?: string | { detail?: unknown; start?: string | number; end?: string | number; duration?: number }, end?: string): PerformanceMeasure;
  clearMarks(name?: string): void;
  clearMeasures(name?: string): void;
  getEntries(): PerformanceEntry[];
  getEntriesByName(name: string, type?: string): PerformanceEntry[];
  getEntriesByType(type: string): PerformanceEntry[];
}

declare class PerformanceEntry {
  protected constructor();
  get name(): string;
  get entryType(): string;
  get startTime(): number;
  get duration(): number;
  toJSON(): unknown;
}

declare class PerformanceMark extends PerformanceEntry {
  constructor(name: string, options?: { detail?: unknown; startTime?: number });
  get detail(): unknown;
}

declare class PerformanceMeasure extends PerformanceEntry {
  private constructor();
  get detail(): unknown;
}

declare var performance: Performance;

declare function setTimeout<A extends readonly [unknown, ...unknown[]]>(callback: (...args: A) => unknown, milliseconds: number | undefined, ...args: A): number;
declare function setTimeout(callback: (...args: never[]) => unknown, milliseconds?: number): number;
declare function clearTimeout(id?: number): void;
declare function setInterval<A extends readonly [unknown, ...unknown[]]>(callback: (...args: A) => unknown, milliseconds: number | undefined, ...args: A): number;
declare function setInterval(callback: (...args: never[]) => unknown, milliseconds?: number): number;
declare function clearInterval(id?: number): void;
declare function setImmediate<A extends readonly unknown[]>(callback: (...args: A) => unknown, ...args: A): number;
declare function clearImmediate(id?: number): void;
declare function queueMicrotask(callback: () => unknown): void;
/** @throws DataCloneError  for functions, symbols, and objects that can't be copied */
declare function structuredClone<T>(value: T, options?: { transfer?: readonly Transferable[] }): T;

// ── The global object ───────────────────────────────────────────────────────────────────────────────────────────────

declare var self: typeof globalThis;

declare var onerror: ((message: string | Event, source?: string, line?: number, column?: number, error?: unknown) => unknown) | null;
declare var onunhandledrejection: ((event: PromiseRejectionEvent) => unknown) | null;
declare var onrejectionhandled: ((event: PromiseRejectionEvent) => unknown) | null;

interface FetchEvent extends Event {
  readonly request: Request;
  respondWith(response: Response | Promise<Response>): void;
  waitUntil(work: unknown): void;
}

/** `fetch`: registers the function's handler, while the module is evaluated. */
declare function addEventListener(type: 'fetch', listener: (event: FetchEvent) => void): void;
declare function addEventListener(type: string, listener: EventListener | EventListenerObject | null, options?: AddEventListenerOptions | boolean): void;
declare function removeEventListener(type: string, listener: EventListener | EventListenerObject | null, options?: EventListenerOptions | boolean): void;
declare function dispatchEvent(event: Event): boolean;
/** Fires `error` on the global object, or logs. */
declare function reportError(error: unknown): void;

declare class Navigator {
  private constructor();
  get userAgent(): string;
  /** 1: a function has one thread. */
  get hardwareConcurrency(): number;
}

declare var navigator: Navigator;

/** Lines go to the function's log, with the invocation's id. */
interface Console {
  assert(condition?: unknown, ...data: readonly unknown[]): void;
  clear(): void;
  count(label?: string): void;
  countReset(label?: string): void;
  debug(...data: readonly unknown[]): void;
  dir(item?: unknown, options?: unknown): void;
  dirxml(...data: readonly unknown[]): void;
  error(...data: readonly unknown[]): void;
  group(...data: readonly unknown[]): void;
  groupCollapsed(...data: readonly unknown[]): void;
  groupEnd(): void;
  info(...data: readonly unknown[]): void;
  log(...data: readonly unknown[]): void;
  table(data?: unknown, columns?: readonly string[]): void;
  time(label?: string): void;
  timeEnd(label?: string): void;
  timeLog(label?: string, ...data: readonly unknown[]): void;
  trace(...data: readonly unknown[]): void;
  warn(...data: readonly unknown[]): void;
}

declare var console: Console;

interface ErrorConstructor {
  /** Writes the stack of here into `target.stack`. */
  captureStackTrace(target: object, above?: Function): void;
  stackTraceLimit: number;
}

// ── WebAssembly: in functions with `limits.wasm` ────────────────────────────────────────────────────────────────────

declare namespace WebAssembly {
  type ValueType = 'i32' | 'i64' | 'f32' | 'f64' | 'v128' | 'anyfunc' | 'externref';
  type ImportExportKind = 'function' | 'table' | 'memory' | 'global' | 'tag';
  type ExportValue = Function | Global | Memory | Table | Tag;
  type Exports = Readonly<Record<string, ExportValue>>;
  type Imports = Readonly<Record<string, Readonly<Record<string, ExportValue | number | bigint>>>>;

  interface InstantiatedSource {
    readonly module: Module;
    readonly instance: Instance;
  }

  class Module {
    constructor(bytes: BufferSource);
    static customSections(module: Module, name: string): ArrayBuffer[];
    static exports(module: Module): { readonly name: string; readonly kind: ImportExportKind }[];
    static imports(module: Module): { readonly module: string; readonly name: string; readonly kind: ImportExportKind }[];
  }

  class Instance {
    constructor(module: Module, imports?: Imports);
    get exports(): Exports;
  }

  class Memory {
    /** Pages of 64 KiB. */
    constructor(descriptor: { initial: number; maximum?: number });
    get buffer(): ArrayBuffer;
    /** @returns the pages before */
    grow(pages: number): number;
  }

  class Table<T = unknown> {
    constructor(descriptor: { element: 'anyfunc' | 'externref'; initial: number; maximum?: number }, value?: T);
    get length(): number;
    get(index: number): T;
    set(index: number, value?: T): void;
    grow(delta: number, value?: T): number;
  }

  class Global<T = unknown> {
    constructor(descriptor: { value: ValueType; mutable?: boolean }, value?: T);
    get value(): T;
    set value(value: T);
    valueOf(): T;
  }

  class Tag {
    constructor(type: { parameters: readonly ValueType[] });
  }

  class Exception {
    constructor(tag: Tag, payload: readonly unknown[]);
    is(tag: Tag): boolean;
    getArg(tag: Tag, index: number): unknown;
  }

  class CompileError extends Error {}
  class LinkError extends Error {}
  class RuntimeError extends Error {}

  const JSTag: Tag;

  function validate(bytes: BufferSource): boolean;
  function compile(bytes: BufferSource): Promise<Module>;
  function compileStreaming(source: Response | Promise<Response>): Promise<Module>;
  function instantiate(bytes: BufferSource, imports?: Imports): Promise<InstantiatedSource>;
  function instantiate(module: Module, imports?: Imports): Promise<Instance>;
  function instantiateStreaming(source: Response | Promise<Response>, imports?: Imports): Promise<InstantiatedSource>;
}
