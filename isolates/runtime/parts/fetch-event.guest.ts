// addEventListener("fetch", …): the service worker's shape (Service Workers, section 4.6), as Workers took it over.
import { DOMException } from '../errors.guest.ts';
import { loadEvents } from '../events.guest.ts';
import type { ExecutionContext, Handler } from '../invocation.guest.ts';
import { loaded } from '../module.guest.ts';
import { NativeTypeError, reflectApply } from '../primordials.guest.ts';
import type { Request } from '../request.guest.ts';
import { exposeInterface } from '../webidl.guest.ts';

const { Event } = loadEvents();
const INTERNAL = Symbol('internal');

class FetchEvent extends Event {
  readonly #request: Request;
  readonly #ctx: ExecutionContext;
  #response: unknown;
  #responded = false;
  #over = false;

  constructor(key: symbol, request: Request, ctx: ExecutionContext) {
    if (key !== INTERNAL) throw new NativeTypeError('Illegal constructor');
    super('fetch', { cancelable: true });
    this.#request = request;
    this.#ctx = ctx;
  }

  get request(): Request { return this.#request; }
  get clientId(): string { return this.#request && ''; }

  /** Takes a response, or a promise of one; once, and only while the listeners run. */
  respondWith(response: unknown): void {
    if (this.#responded) throw new DOMException('respondWith was called already', 'InvalidStateError');
    if (this.#over) throw new DOMException('respondWith was called after the listeners had returned', 'InvalidStateError');
    this.#responded = true;
    this.#response = response;
  }

  waitUntil(promise: unknown): void {
    this.#ctx.waitUntil(promise);
  }

  /** There is no origin to pass through to. */
  passThroughOnException(): void {}

  static [INTERNAL] = {
    responded(event: FetchEvent): boolean {
      return event.#responded;
    },
    end(event: FetchEvent): unknown {
      event.#over = true;
      return event.#response;
    },
  };
}
const { responded, end } = FetchEvent[INTERNAL];
delete (FetchEvent as { [INTERNAL]?: unknown })[INTERNAL];
exposeInterface('FetchEvent', FetchEvent, 2);

const listeners: object[] = [];

/** A listener that the module has added: the first one makes it the function's handler, unless it has started a server. */
export function listen(listener: object): void {
  listeners[listeners.length] = listener;
  loaded.server ??= handler;
}

/** Calls listeners until one responds. Unlike a dispatch it lets a throw through: it is the request's failure. */
const handler: Handler = (request, _env, ctx) => {
  const event = new FetchEvent(INTERNAL, request, ctx);
  for (let i = 0; i < listeners.length && !responded(event); i++) call(listeners[i] as object, event);
  return end(event);
};

function call(listener: object, event: FetchEvent): void {
  if (typeof listener === 'function') {
    reflectApply(listener as (event: FetchEvent) => void, globalThis, [event]);
    return;
  }
  const { handleEvent } = listener as { handleEvent?: unknown };
  if (typeof handleEvent !== 'function') throw new NativeTypeError('the listener is neither a function nor has it handleEvent');
  reflectApply(handleEvent as (event: FetchEvent) => void, listener, [event]);
}
