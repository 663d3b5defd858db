// Event, EventTarget, AbortController, AbortSignal (DOM standard, sections 2 and 3).
import { DOMException, describeThrown } from './errors.guest.ts';
import { log } from './host.guest.ts';
import { ArrayPrototypeSplice, NativeString, NativeTypeError, reflectApply, reflectDefineProperty } from './primordials.guest.ts';
import { startTimer } from './timers.guest.ts';

export class Event {
  readonly #type: string;
  readonly #bubbles: boolean;
  readonly #cancelable: boolean;
  readonly #composed: boolean;
  #target: EventTarget | null = null;
  #phase = 0;
  #prevented = false;
  #stopped = false;
  #stoppedAtOnce = false;

  static readonly NONE = 0;
  static readonly CAPTURING_PHASE = 1;
  static readonly AT_TARGET = 2;
  static readonly BUBBLING_PHASE = 3;

  constructor(type: string, init?: { bubbles?: boolean; cancelable?: boolean; composed?: boolean }) {
    if (arguments.length === 0) throw new NativeTypeError('Event needs a type');
    this.#type = NativeString(type);
    this.#bubbles = Boolean(init?.bubbles);
    this.#cancelable = Boolean(init?.cancelable);
    this.#composed = Boolean(init?.composed);
  }

  get type(): string { return this.#type; }
  get target(): EventTarget | null { return this.#target; }
  get srcElement(): EventTarget | null { return this.#target; }
  get currentTarget(): EventTarget | null { return this.#phase === 0 ? null : this.#target; }
  get eventPhase(): number { return this.#phase; }
  get bubbles(): boolean { return this.#bubbles; }
  get cancelable(): boolean { return this.#cancelable; }
  get composed(): boolean { return this.#composed; }
  get defaultPrevented(): boolean { return this.#prevented; }
  get returnValue(): boolean { return !this.#prevented; }
  get cancelBubble(): boolean { return this.#stopped; }
  get isTrusted(): boolean { return false; }
  get timeStamp(): number { return 0; }

  composedPath(): EventTarget[] {
    return this.#phase === 0 || this.#target === null ? [] : [this.#target];
  }
  preventDefault(): void {
    if (this.#cancelable) this.#prevented = true;
  }
  stopPropagation(): void {
    this.#stopped = true;
  }
  stopImmediatePropagation(): void {
    this.#stopped = true;
    this.#stoppedAtOnce = true;
  }

  static dispatch(event: Event, target: EventTarget, listeners: readonly Listener[], remove: (listener: Listener) => void): boolean {
    event.#target = target;
    event.#phase = Event.AT_TARGET;
    for (let i = 0; i < listeners.length; i++) {
      const listener = listeners[i];
      if (listener === undefined || listener.removed) continue;
      if (listener.once) remove(listener);
      try {
        const { callback } = listener;
        if (typeof callback === 'function') reflectApply(callback, target, [event]);
        else callback.handleEvent(event);
      } catch (thrown) {
        // "Report the exception": the other listeners still run.
        const { message, stack } = describeThrown(thrown);
        log('error', stack || message);
      }
      if (event.#stoppedAtOnce) break;
    }
    event.#phase = 0;
    return !event.#prevented;
  }
}

// Captured, then taken off: tenants must not reach it.
const { dispatch } = Event;
delete (Event as { dispatch?: unknown }).dispatch;

type Callback = ((event: Event) => unknown) | { handleEvent(event: Event): unknown };

interface Listener {
  readonly type: string;
  readonly callback: Callback;
  readonly capture: boolean;
  readonly once: boolean;
  removed: boolean;
}

interface ListenerOptions {
  capture?: boolean;
  once?: boolean;
  passive?: boolean;
  signal?: AbortSignal;
}

export class EventTarget {
  #listeners: Listener[] = [];

  addEventListener(type: string, callback: Callback | null, options?: boolean | ListenerOptions): void {
    if (callback === null || callback === undefined) return;
    if (typeof callback !== 'function' && typeof callback !== 'object') throw new NativeTypeError('a listener must be a function or an object');
    const settings = typeof options === 'object' && options !== null ? options : undefined;
    const capture = settings === undefined ? Boolean(options) : Boolean(settings.capture);
    const signal = settings?.signal;
    if (signal?.aborted === true) return;
    const name = NativeString(type);
    if (this.#find(name, callback, capture) !== undefined) return;
    const listener: Listener = { type: name, callback, capture, once: Boolean(settings?.once), removed: false };
    this.#listeners[this.#listeners.length] = listener;
    signal?.addEventListener('abort', () => this.#remove(listener), { once: true });
  }

  removeEventListener(type: string, callback: Callback | null, options?: boolean | { capture?: boolean }): void {
    const capture = typeof options === 'object' && options !== null ? Boolean(options.capture) : Boolean(options);
    const listener = this.#find(NativeString(type), callback, capture);
    if (listener !== undefined) this.#remove(listener);
  }

  dispatchEvent(event: Event): boolean {
    const matching: Listener[] = [];
    for (let i = 0; i < this.#listeners.length; i++) {
      const l = this.#listeners[i] as Listener;
      if (l.type === event.type) matching[matching.length] = l;
    }
    return dispatch(event, this, matching, (l) => this.#remove(l));
  }

  #find(type: string, callback: Callback | null, capture: boolean): Listener | undefined {
    for (let i = 0; i < this.#listeners.length; i++) {
      const l = this.#listeners[i] as Listener;
      if (l.type === type && l.callback === callback && l.capture === capture) return l;
    }
    return undefined;
  }

  #remove(listener: Listener): void {
    listener.removed = true;
    for (let i = 0; i < this.#listeners.length; i++) {
      if (this.#listeners[i] === listener) {
        ArrayPrototypeSplice(this.#listeners, i, 1);
        return;
      }
    }
  }
}

const INTERNAL = Symbol('internal');

export class AbortSignal extends EventTarget {
  #aborted = false;
  #reason: unknown = undefined;
  #algorithms: (() => void)[] = [];
  #onabort: ((event: Event) => unknown) | null = null;

  constructor(key: symbol) {
    if (key !== INTERNAL) throw new NativeTypeError('Illegal constructor');
    super();
  }

  get aborted(): boolean { return this.#aborted; }
  get reason(): unknown { return this.#reason; }

  get onabort(): ((event: Event) => unknown) | null { return this.#onabort; }
  set onabort(handler: ((event: Event) => unknown) | null) {
    if (this.#onabort !== null) this.removeEventListener('abort', this.#onabort);
    this.#onabort = typeof handler === 'function' ? handler : null;
    if (this.#onabort !== null) this.addEventListener('abort', this.#onabort);
  }

  throwIfAborted(): void {
    if (this.#aborted) throw this.#reason;
  }

  static abort(reason?: unknown): AbortSignal {
    const signal = createSignal();
    abortSignal(signal, reason);
    return signal;
  }

  static timeout(delayMs: number): AbortSignal {
    const signal = createSignal();
    startTimer(() => abortSignal(signal, new DOMException('The operation timed out', 'TimeoutError')), delayMs, false);
    return signal;
  }

  static any(signals: Iterable<AbortSignal>): AbortSignal {
    const dependent = createSignal();
    const sources = [...signals];
    for (let i = 0; i < sources.length; i++) {
      const source = sources[i] as AbortSignal;
      if (source.aborted) {
        abortSignal(dependent, source.reason);
        return dependent;
      }
    }
    for (let i = 0; i < sources.length; i++) {
      const source = sources[i] as AbortSignal;
      onAbort(source, () => abortSignal(dependent, source.reason));
    }
    return dependent;
  }

  /** Runs before listeners, as the standard's abort algorithms do. Returns a function that takes it back. */
  static onAbort(signal: AbortSignal, algorithm: () => void): () => void {
    signal.#algorithms[signal.#algorithms.length] = algorithm;
    return () => {
      for (let i = 0; i < signal.#algorithms.length; i++) {
        if (signal.#algorithms[i] === algorithm) ArrayPrototypeSplice(signal.#algorithms, i, 1);
      }
    };
  }

  static signalAbort(signal: AbortSignal, reason: unknown): void {
    if (signal.#aborted) return;
    signal.#aborted = true;
    signal.#reason = reason === undefined ? new DOMException('This operation was aborted', 'AbortError') : reason;
    const algorithms = signal.#algorithms;
    signal.#algorithms = [];
    for (let i = 0; i < algorithms.length; i++) algorithms[i]?.();
    signal.dispatchEvent(new Event('abort'));
  }
}

// Captured, then taken off: tenants must not reach them.
export const onAbort = AbortSignal.onAbort;
const signalAbort = AbortSignal.signalAbort;
delete (AbortSignal as { onAbort?: unknown }).onAbort;
delete (AbortSignal as { signalAbort?: unknown }).signalAbort;

export function createSignal(): AbortSignal {
  return new AbortSignal(INTERNAL);
}

export function abortSignal(signal: AbortSignal, reason?: unknown): void {
  signalAbort(signal, reason);
}

export class AbortController {
  readonly #signal = createSignal();

  get signal(): AbortSignal { return this.#signal; }

  abort(reason?: unknown): void {
    abortSignal(this.#signal, reason);
  }
}

/** Called with each listener that tenant code adds to globalThis for `fetch`. */
const fetchListeners: { onAdded: ((listener: object) => void) | null } = { onAdded: null };

/** Has `callback` told of every `addEventListener('fetch', listener)`: the service worker's shape of a function. */
export function onFetchListener(callback: (listener: object) => void): void {
  fetchListeners.onAdded = callback;
}

export function loadEvents(): { readonly Event: typeof Event } {
  return { Event };
}

reflectDefineProperty(globalThis, 'addEventListener', {
  value: (type: unknown, listener: unknown): void => {
    if (type === 'fetch' && ((typeof listener === 'object' && listener !== null) || typeof listener === 'function')) fetchListeners.onAdded?.(listener);
  },
  writable: true, enumerable: true, configurable: true,
});
