// ECMA-429 (Minimum common web API, 2025) as data, with what functions expect besides it.

/** `get`: accessor without setter. `get set`: with one. A number: a method and its length, by Web IDL the required arguments. */
export type MemberForm = 'get' | 'get set' | number | { readonly constant: number };

export interface InterfaceEntry {
  /** Required arguments of the constructor; `illegal`: it throws a TypeError. */
  readonly constructs: number | 'illegal';
  /** Interface that it inherits from. */
  readonly inherits?: string;
  readonly members: Readonly<Record<string, MemberForm>>;
  readonly statics?: Readonly<Record<string, MemberForm>>;
  /** A member that is another member under a symbol: `@@iterator` is `entries`. */
  readonly aliases?: Readonly<Partial<Record<'@@iterator' | '@@asyncIterator', string>>>;
  /** Members whose methods return promises: on a wrong receiver these reject instead of throwing. */
  readonly promises?: readonly string[];
}

const constants = (...names: readonly string[]): Readonly<Record<string, MemberForm>> => Object.fromEntries(names.map((name, i) => [name, { constant: i }]));
const get = (...names: readonly string[]): Readonly<Record<string, MemberForm>> => Object.fromEntries(names.map((name) => [name, 'get' as const]));
const getSet = (...names: readonly string[]): Readonly<Record<string, MemberForm>> => Object.fromEntries(names.map((name) => [name, 'get set' as const]));

const PHASES = constants('NONE', 'CAPTURING_PHASE', 'AT_TARGET', 'BUBBLING_PHASE');
const { ['']: _none, ...EXCEPTION_CODES } = constants(
  '', 'INDEX_SIZE_ERR', 'DOMSTRING_SIZE_ERR', 'HIERARCHY_REQUEST_ERR', 'WRONG_DOCUMENT_ERR', 'INVALID_CHARACTER_ERR', 'NO_DATA_ALLOWED_ERR', 'NO_MODIFICATION_ALLOWED_ERR', 'NOT_FOUND_ERR', 'NOT_SUPPORTED_ERR', 'INUSE_ATTRIBUTE_ERR',
  'INVALID_STATE_ERR', 'SYNTAX_ERR', 'INVALID_MODIFICATION_ERR', 'NAMESPACE_ERR', 'INVALID_ACCESS_ERR', 'VALIDATION_ERR', 'TYPE_MISMATCH_ERR', 'SECURITY_ERR', 'NETWORK_ERR', 'ABORT_ERR', 'URL_MISMATCH_ERR', 'QUOTA_EXCEEDED_ERR', 'TIMEOUT_ERR',
  'INVALID_NODE_TYPE_ERR', 'DATA_CLONE_ERR',
);
const BODY = { ...get('body', 'bodyUsed'), arrayBuffer: 0, blob: 0, bytes: 0, formData: 0, json: 0, text: 0 } as const;
const BODY_PROMISES = ['arrayBuffer', 'blob', 'bytes', 'formData', 'json', 'text'];
const PAIR = get('readable', 'writable');
const ITERABLE = { entries: 0, keys: 0, values: 0, forEach: 1 } as const;

/** 43 of the 53 interfaces: those on globalThis. */
export const INTERFACES: Readonly<Record<string, InterfaceEntry>> = {
  AbortController: { constructs: 0, members: { ...get('signal'), abort: 0 } },
  AbortSignal: { constructs: 'illegal', inherits: 'EventTarget', members: { ...get('aborted', 'reason'), throwIfAborted: 0, onabort: 'get set' }, statics: { abort: 0, timeout: 1, any: 1 } },
  Event: {
    constructs: 1, statics: PHASES,
    members: {
      ...get('type', 'target', 'srcElement', 'currentTarget', 'eventPhase', 'bubbles', 'cancelable', 'defaultPrevented', 'composed', 'timeStamp'), ...getSet('cancelBubble', 'returnValue'), ...PHASES,
      composedPath: 0, stopPropagation: 0, stopImmediatePropagation: 0, preventDefault: 0, initEvent: 1,
    },
  },
  EventTarget: { constructs: 0, members: { addEventListener: 2, removeEventListener: 2, dispatchEvent: 1 } },
  CustomEvent: { constructs: 1, inherits: 'Event', members: { detail: 'get', initCustomEvent: 1 } },
  ErrorEvent: { constructs: 1, inherits: 'Event', members: get('message', 'filename', 'lineno', 'colno', 'error') },
  MessageChannel: { constructs: 0, members: get('port1', 'port2') },
  MessageEvent: { constructs: 1, inherits: 'Event', members: { ...get('data', 'origin', 'lastEventId', 'source', 'ports'), initMessageEvent: 1 } },
  MessagePort: { constructs: 'illegal', inherits: 'EventTarget', members: { postMessage: 1, start: 0, close: 0, ...getSet('onmessage', 'onmessageerror') } },
  PromiseRejectionEvent: { constructs: 2, inherits: 'Event', members: get('promise', 'reason') },
  DOMException: { constructs: 0, members: { ...get('name', 'message', 'code'), ...EXCEPTION_CODES }, statics: EXCEPTION_CODES },
  Headers: { constructs: 0, members: { append: 2, delete: 1, get: 1, getSetCookie: 0, has: 1, set: 2, ...ITERABLE }, aliases: { '@@iterator': 'entries' } },
  Request: { constructs: 1, promises: BODY_PROMISES, members: { ...get('method', 'url', 'headers', 'destination', 'referrer', 'referrerPolicy', 'mode', 'credentials', 'cache', 'redirect', 'integrity', 'keepalive', 'signal', 'duplex'), clone: 0, ...BODY } },
  Response: { constructs: 0, promises: BODY_PROMISES, members: { ...get('type', 'url', 'redirected', 'status', 'ok', 'statusText', 'headers'), clone: 0, ...BODY }, statics: { error: 0, redirect: 1, json: 1 } },
  FormData: { constructs: 0, members: { append: 2, delete: 1, get: 1, getAll: 1, has: 1, set: 2, ...ITERABLE }, aliases: { '@@iterator': 'entries' } },
  Blob: { constructs: 0, promises: ['text', 'arrayBuffer', 'bytes'], members: { ...get('size', 'type'), slice: 0, stream: 0, text: 0, arrayBuffer: 0, bytes: 0 } },
  File: { constructs: 2, inherits: 'Blob', members: get('name', 'lastModified') },
  CompressionStream: { constructs: 1, members: PAIR },
  DecompressionStream: { constructs: 1, members: PAIR },
  ByteLengthQueuingStrategy: { constructs: 1, members: get('highWaterMark', 'size') },
  CountQueuingStrategy: { constructs: 1, members: get('highWaterMark', 'size') },
  ReadableByteStreamController: { constructs: 'illegal', members: { ...get('byobRequest', 'desiredSize'), close: 0, enqueue: 1, error: 0 } },
  ReadableStream: { constructs: 0, promises: ['cancel', 'pipeTo'], members: { locked: 'get', cancel: 0, getReader: 0, pipeThrough: 1, pipeTo: 1, tee: 0, values: 0 }, statics: { from: 1 }, aliases: { '@@asyncIterator': 'values' } },
  ReadableStreamBYOBReader: { constructs: 1, promises: ['read', 'closed', 'cancel'], members: { read: 1, releaseLock: 0, closed: 'get', cancel: 0 } },
  ReadableStreamBYOBRequest: { constructs: 'illegal', members: { view: 'get', respond: 1, respondWithNewView: 1 } },
  ReadableStreamDefaultController: { constructs: 'illegal', members: { desiredSize: 'get', close: 0, enqueue: 0, error: 0 } },
  ReadableStreamDefaultReader: { constructs: 1, promises: ['read', 'closed', 'cancel'], members: { read: 0, releaseLock: 0, closed: 'get', cancel: 0 } },
  TransformStream: { constructs: 0, members: PAIR },
  TransformStreamDefaultController: { constructs: 'illegal', members: { desiredSize: 'get', enqueue: 0, error: 0, terminate: 0 } },
  WritableStream: { constructs: 0, promises: ['abort', 'close'], members: { locked: 'get', abort: 0, close: 0, getWriter: 0 } },
  WritableStreamDefaultController: { constructs: 'illegal', members: { signal: 'get', error: 0 } },
  WritableStreamDefaultWriter: { constructs: 1, promises: ['closed', 'ready', 'abort', 'close', 'write'], members: { ...get('closed', 'desiredSize', 'ready'), abort: 0, close: 0, releaseLock: 0, write: 0 } },
  TextDecoder: { constructs: 0, members: { decode: 0, ...get('encoding', 'fatal', 'ignoreBOM') } },
  TextDecoderStream: { constructs: 0, members: { ...PAIR, ...get('encoding', 'fatal', 'ignoreBOM') } },
  TextEncoder: { constructs: 0, members: { encode: 0, encodeInto: 2, encoding: 'get' } },
  TextEncoderStream: { constructs: 0, members: { ...PAIR, encoding: 'get' } },
  URL: {
    constructs: 1, statics: { parse: 1, canParse: 1 },
    members: { ...getSet('href', 'protocol', 'username', 'password', 'host', 'hostname', 'port', 'pathname', 'search', 'hash'), ...get('origin', 'searchParams'), toJSON: 0, toString: 0 },
  },
  URLSearchParams: { constructs: 0, members: { size: 'get', append: 2, delete: 1, get: 1, getAll: 1, has: 1, set: 2, sort: 0, ...ITERABLE, toString: 0 }, aliases: { '@@iterator': 'entries' } },
  URLPattern: { constructs: 0, members: { test: 0, exec: 0, ...get('protocol', 'username', 'password', 'hostname', 'port', 'pathname', 'search', 'hash', 'hasRegExpGroups') } },
  Crypto: { constructs: 'illegal', members: { subtle: 'get', getRandomValues: 1, randomUUID: 0 } },
  CryptoKey: { constructs: 'illegal', members: get('type', 'extractable', 'algorithm', 'usages') },
  SubtleCrypto: {
    constructs: 'illegal', promises: ['encrypt', 'decrypt', 'sign', 'verify', 'digest', 'generateKey', 'deriveKey', 'deriveBits', 'importKey', 'exportKey', 'wrapKey', 'unwrapKey'],
    members: { encrypt: 3, decrypt: 3, sign: 3, verify: 4, digest: 2, generateKey: 3, deriveKey: 5, deriveBits: 2, importKey: 5, exportKey: 2, wrapKey: 4, unwrapKey: 7 },
  },
  Performance: { constructs: 'illegal', inherits: 'EventTarget', members: { now: 0, timeOrigin: 'get', toJSON: 0 } },
};

/** The other ten interfaces and the namespace that holds them. Members by name; Web IDL's forms hold here, too. */
export const WEBASSEMBLY: Readonly<{ interfaces: Readonly<Record<string, { readonly members: readonly string[]; readonly statics?: readonly string[] }>>; functions: Readonly<Record<string, number>>; values: readonly string[] }> = {
  interfaces: {
    Global: { members: ['valueOf', 'value'] }, Instance: { members: ['exports'] }, Memory: { members: ['grow', 'buffer'] }, Module: { members: [], statics: ['exports', 'imports', 'customSections'] },
    Table: { members: ['grow', 'get', 'set', 'length'] }, Tag: { members: [] }, Exception: { members: ['is', 'getArg'] }, CompileError: { members: [] }, LinkError: { members: [] }, RuntimeError: { members: [] },
  },
  functions: { compile: 1, compileStreaming: 1, instantiate: 1, instantiateStreaming: 1, validate: 1 },
  values: ['JSTag'],
};

/** The 18 methods and properties outside of WebAssembly, which has six, and of globalThis itself. Numbers: a function and its length. */
export const GLOBALS: Readonly<Record<string, number | 'object' | 'handler'>> = {
  atob: 1, btoa: 1, clearTimeout: 0, clearInterval: 0, queueMicrotask: 1, reportError: 1, setTimeout: 1, setInterval: 1, structuredClone: 1, fetch: 1,
  onerror: 'handler', onunhandledrejection: 'handler', onrejectionhandled: 'handler', self: 'object', console: 'object', crypto: 'object', performance: 'object', navigator: 'object',
};

export const CONSOLE = [
  'assert', 'clear', 'debug', 'error', 'info', 'log', 'table', 'trace', 'warn', 'dir', 'dirxml', 'count', 'countReset', 'group', 'groupCollapsed', 'groupEnd', 'time', 'timeLog', 'timeEnd',
] as const;

/** What functions expect besides: an expression and the `typeof` of its value. */
export const BEYOND: Readonly<Record<string, string>> = {
  'performance.mark': 'function', 'performance.measure': 'function', 'setImmediate': 'function', 'clearImmediate': 'function', 'navigator.userAgent': 'string', 'Response.json': 'function', 'ReadableStream.from': 'function',
  'Headers.prototype.getSetCookie': 'function', 'AbortSignal.any': 'function', 'AbortSignal.timeout': 'function', 'new CompressionStream("gzip")': 'object', 'new CompressionStream("deflate")': 'object',
  'new CompressionStream("deflate-raw")': 'object', 'new CompressionStream("brotli")': 'object', 'Intl.DateTimeFormat': 'function', 'addEventListener': 'function', 'removeEventListener': 'function', 'dispatchEvent': 'function', 'caches': 'object',
};

/** Of the language and left out on purpose. */
export const LEFT_OUT: Readonly<Record<string, string>> = {
  'SharedArrayBuffer': 'shared memory is counted by no limit', 'Atomics': 'nothing to share without it',
};
