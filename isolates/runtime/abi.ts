// The contract between host and isolate: entries that the host makes, operations that the runtime asks for. Numbers and primitives only.

/** First argument of the one entry function; `id` is the second. */
export const ENTER = {
  /** Evaluate the version's module. a: environment as JSON, b: shape. Returns '', or the error, or `PENDING`: ask by `loaded`. */
  load: 1,
  /** id: invocation. a: head (method, URL, header names and values, parted by line feeds), b: body handle or 0. */
  invoke: 2,
  /** id: operation. a: 1 fulfilled, 0 rejected; b: value, or error code; c: second value, or error message. */
  settle: 3,
  /** id: timer. */
  timer: 4,
  /** id: invocation whose client went away or whose time is over. */
  abort: 5,
  /** id: sink that takes more. */
  drain: 6,
  /** id: sink that nobody reads any more. */
  sinkCancel: 7,
  /**
   * The last entry left a rejected promise that nobody handles. id: how the host saw the reason (`REASON`), a: its name and message parted by a
   * line feed, or the primitive, b: its stack, c: entries so far. Returns what that entry did, by `ENTERED`; undefined when it was no rejection, since the entry itself threw, or never came about.
   */
  rejected: 8,
  /** After the microtasks of `load`, for a module that awaits at its top level. Returns '' or the error. */
  loaded: 10,
  /** id: invocation. a: head whose method is one of `EVENT` (abi-shapes.ts), b: handle of the event as JSON. */
  event: 11,
  /**
   * In an isolate of a version snapshot, instead of `load`: what the heap could not hold. id: 1 to run the module's onRestore, a: secrets as JSON,
   * b: shape. Returns as `load` does, or `UNRESTORABLE`.
   */
  restore: 12,
  /** As `load`, while everything is watched that a snapshot could not hold (parts/observe.guest.ts). `observed` tells. */
  observe: 13,
  /** After `observe`. Returns what was touched as JSON. */
  observed: 14,
  /** Returns the bytes of WebAssembly's memories. Runs nothing of the tenant's. */
  wasmBytes: 31,
} as const;

/** Before the result of an entry that a rejection's copy has taken the place of: 0 for none, 1 for the text that follows. */
export const ENTERED = { nothing: '0', text: '1' } as const;

/** Returned by `load` for a module that is not evaluated yet: no error's text. */
export const PENDING = '\0';

/** Returned by `restore` when the module has made it impossible to give it its secrets: it must be evaluated instead. */
export const UNRESTORABLE = '\x01';

/** First argument of the one operation callback. Those marked * return at once when they can, else undefined and settle later. */
export const OP = {
  /** (invocation, status, head, body kind, body, lingers): the response; lingers 1: waitUntil work goes on, `finished` follows. */
  respond: 1,
  /** (invocation, code, message, stack, lingers, parameters of the code as JSON or '') */
  fail: 2,
  /** (invocation): response given and all waitUntil work settled. */
  finished: 3,
  /** (level, message, fields JSON or '') */
  log: 4,
  /** *(handle, op): the rest of the body as text. */
  bodyText: 5,
  /** *(handle, op): the rest of the body as an ArrayBuffer. */
  bodyBytes: 6,
  /** *(handle, op): the next chunk as an ArrayBuffer; null at the end. */
  bodyRead: 7,
  /** (handle): nobody will read it any more. */
  bodyCancel: 8,
  /** (sink, Uint8Array): returns 1 to go on, 0 to wait for `drain`. */
  sinkWrite: 9,
  sinkEnd: 10,
  /** (sink, message) */
  sinkError: 11,
  /** *(op, head, body kind, body, service or 0): a call of a middleware client. Settles with (head, body handle or 0). Returns calls that ended with their invocations, or undefined. */
  fetch: 12,
  /** (op): the caller lost interest. */
  cancel: 13,
  /** (timer, delay ms or -1 for the next turn, 1 to repeat): timers whose invocations have ended, parted by commas, or undefined. */
  timerStart: 14,
  timerClear: 15,
  /** (url, base or undefined): href and components parted by line feeds, or '' when invalid. */
  url: 16,
  /** (href, component name, value): as `url`, after the setter. */
  urlSet: 17,
  /** (text): ArrayBuffer of UTF-8. */
  utf8Encode: 18,
  /** (Uint8Array): text, malformed sequences replaced. */
  utf8Decode: 19,
  /** (count): ArrayBuffer of random bytes. */
  random: 20,
  uuid: 21,
  /** (name): runs a part of the platform that is made on first touch. */
  lazy: 22,
} as const;

/** What the host could see of a rejection's reason: isolated-vm copies primitives and errors, and nothing else. */
export const REASON = {
  error: 0,
  primitive: 1,
  opaque: 2,
  /** Added: without an event. */
  quietly: 4,
} as const;

/** What can be called: client and operation of the sidecar protocol. 0 is fetch. */
export const SERVICES = [
  ['http', 'fetch'], ['cache', 'match'], ['cache', 'list'], ['cache', 'keys'], ['cache', 'put'], ['cache', 'delete'], ['cache', 'open'], ['cache', 'has'], ['cache', 'drop'], ['cache', 'names'],
] as const;

/** How a body crosses. */
export const BODY_KIND = {
  none: 0,
  text: 1,
  bytes: 2,
  /** A handle of the host: piped outside the isolate. */
  handle: 3,
  /** A sink id: the isolate writes chunks into it. */
  sink: 4,
} as const;

/**
 * Characters or bytes that cross at once at the most. What crosses is copied outside the isolate's memory limit, so larger things go in pieces,
 * which the isolate pays for.
 */
export const MAX_CROSSING = 1_048_576;

/** Head of a request or response on its way out, characters. */
export const MAX_HEAD_CHARACTERS = 65_536;

/** Largest random request of one call, bytes (Web Crypto, getRandomValues: 65,536). */
export const MAX_RANDOM_BYTES = 65_536;
