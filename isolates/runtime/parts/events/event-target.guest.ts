// EventTarget, event handler attributes, and globalThis as a target (DOM standard, section 2.7; HTML standard, section 8.1.8.1).
import { DOMException } from '../../errors.guest.ts';
import { fetchListeners } from '../../events.guest.ts';
import { ArrayPrototypeSplice, MapPrototypeDelete, MapPrototypeGet, MapPrototypeSet, NativeMap, NativeTypeError, ObjectCreate, ObjectSetPrototypeOf, append, reflectApply } from '../../primordials.guest.ts';
import { report } from '../../reporting.guest.ts';
import { dictionary, needArguments, toDOMString } from './conversions.guest.ts';
import { cancel, eventState } from './event.guest.ts';
import type { Event, EventState } from './event.guest.ts';

interface SignalUse {
  isSignal(value: unknown): boolean;
  /** @returns a function that takes the algorithm back */
  onAbort(signal: unknown, algorithm: () => void): () => void;
}

/** Set by abort.guest.ts: a listener's `signal` must be one, and takes the listener off. */
export const signals: { use: SignalUse | null } = { use: null };

type Callback = ((event: Event) => unknown) | { handleEvent?: unknown };

interface Listener {
  readonly type: string;
  readonly callback: Callback;
  readonly capture: boolean;
  readonly once: boolean;
  readonly passive: boolean;
  removed: boolean;
  /** Takes the listener's abort algorithm off its signal. */
  release: (() => void) | null;
}

/** The value of one event handler attribute with the listener that calls it. */
interface Handler {
  value: object;
  readonly listener: Listener;
}

/** What a target keeps. */
class Listeners {
  entries: Listener[] = [];
  handlers: Map<string, Handler> | null = null;
  /** Told after every change with the type that changed. */
  watcher: ((type: string) => void) | null = null;
}

const global: object = globalThis;
const globalListeners = new Listeners();
let listenersOf: (target: unknown) => Listeners;

export class EventTarget {
  readonly #listeners = new Listeners();

  static {
    listenersOf = (target) => {
      if (target === global) return globalListeners;
      if (typeof target === 'object' && target !== null && #listeners in target) return target.#listeners;
      throw new NativeTypeError('Illegal invocation');
    };
  }

  addEventListener(type: string, callback: Callback | null, options: unknown = undefined): void {
    const target: object = this ?? global;
    const listeners = listenersOf(target);
    needArguments(arguments.length, 2, 'addEventListener');
    const name = toDOMString(type);
    const checked = toCallback(callback);
    const { capture, once = false, passive = false, signal } = flatten(options);
    const { use } = signals;
    if (signal !== undefined && use?.isSignal(signal) !== true) throw new NativeTypeError('signal must be an AbortSignal');
    if (checked === null || (signal as { aborted: boolean } | undefined)?.aborted === true) return;
    if (find(listeners, name, checked, capture) !== undefined) return;
    const listener: Listener = { type: name, callback: checked, capture, once: Boolean(once), passive: Boolean(passive), removed: false, release: null };
    add(listeners, listener);
    if (signal !== undefined) listener.release = use?.onAbort(signal, () => remove(listeners, listener)) ?? null;
    if (target === global && name === 'fetch') fetchListeners.onAdded?.(checked);
  }

  removeEventListener(type: string, callback: Callback | null, options: unknown = undefined): void {
    const listeners = listenersOf(this ?? global);
    needArguments(arguments.length, 2, 'removeEventListener');
    const name = toDOMString(type);
    const checked = toCallback(callback);
    const { capture } = flatten(options);
    const listener = checked === null ? undefined : find(listeners, name, checked, capture);
    if (listener !== undefined) remove(listeners, listener);
  }

  dispatchEvent(event: Event): boolean {
    const target: object = this ?? global;
    const listeners = listenersOf(target);
    needArguments(arguments.length, 1, 'dispatchEvent');
    const state = eventState(event);
    if (state === undefined) throw new NativeTypeError('an Event is needed');
    if (state.dispatching) throw new DOMException('the event is being dispatched already', 'InvalidStateError');
    state.trusted = false;
    return dispatch(target, listeners, event, state);
  }
}

/** Web IDL: a callback interface is any object; nothing else but null is one. */
function toCallback(value: unknown): Callback | null {
  if (value === null || value === undefined) return null;
  if (typeof value !== 'object' && typeof value !== 'function') throw new NativeTypeError('a listener must be a function or an object');
  return value as Callback;
}

/** Section 2.7, "flatten" and "flatten more". */
function flatten(options: unknown): { readonly capture: boolean; readonly once?: unknown; readonly passive?: unknown; readonly signal?: unknown } {
  if (options === undefined || options === null || typeof options === 'object' || typeof options === 'function') {
    const { capture, once, passive, signal } = dictionary<{ capture: unknown; once: unknown; passive: unknown; signal: unknown }>(options);
    return { capture: Boolean(capture), once, passive, signal };
  }
  return { capture: Boolean(options) };
}

function find({ entries }: Listeners, type: string, callback: Callback, capture: boolean): Listener | undefined {
  for (let i = 0; i < entries.length; i++) {
    const l = entries[i] as Listener;
    if (l.type === type && l.callback === callback && l.capture === capture) return l;
  }
  return undefined;
}

function add(listeners: Listeners, listener: Listener): void {
  append(listeners.entries, listener);
  listeners.watcher?.(listener.type);
}

function remove(listeners: Listeners, listener: Listener): void {
  if (listener.removed) return;
  listener.removed = true;
  const { entries } = listeners;
  for (let i = 0; i < entries.length; i++) {
    if (entries[i] === listener) {
      ArrayPrototypeSplice(entries, i, 1);
      break;
    }
  }
  listener.release?.();
  listeners.watcher?.(listener.type);
}

/** Section 2.9, "dispatch": the path is the target alone, whose capturing listeners come first. */
function dispatch(target: object, listeners: Listeners, event: Event, state: EventState): boolean {
  state.dispatching = true;
  state.target = state.currentTarget = target;
  state.phase = 2;
  invoke(listeners, event, state, true);
  invoke(listeners, event, state, false);
  state.phase = 0;
  state.currentTarget = null;
  state.dispatching = state.stopPropagation = state.stopImmediately = false;
  return !state.canceled;
}

function invoke(listeners: Listeners, event: Event, state: EventState, capture: boolean): void {
  if (state.stopPropagation) return;
  const { entries } = listeners;
  // Listeners that are added meanwhile are not called.
  const matching: Listener[] = [];
  for (let i = 0; i < entries.length; i++) {
    const l = entries[i] as Listener;
    if (l.type === state.type && l.capture === capture) append(matching, l);
  }
  for (let i = 0; i < matching.length; i++) {
    const listener = matching[i] as Listener;
    if (listener.removed) continue;
    if (listener.once) remove(listeners, listener);
    state.inPassiveListener = listener.passive;
    try {
      call(listener.callback, event, state);
    } catch (thrown) {
      report(thrown);
    }
    state.inPassiveListener = false;
    if (state.stopImmediately) return;
  }
}

function call(callback: Callback, event: Event, state: EventState): void {
  if (typeof callback === 'function') {
    reflectApply(callback as never, state.currentTarget, [event]);
    return;
  }
  const { handleEvent } = callback;
  if (typeof handleEvent !== 'function') throw new NativeTypeError('handleEvent is not a function');
  reflectApply(handleEvent as never, callback, [event]);
}

/** "Fire an event": a trusted one that the platform made. @returns false when a listener prevented the default */
export function fire(target: object, event: Event): boolean {
  const state = eventState(event) as EventState;
  state.trusted = true;
  return dispatch(target, listenersOf(target), event, state);
}

/** Has `watcher` told whenever listeners of some type come or go. @returns how many there are of a type */
export function watchListeners(target: object, watcher: (type: string) => void): (type: string) => number {
  const listeners = listenersOf(target);
  listeners.watcher = watcher;
  return (type) => count(listeners, type);
}

function count({ entries }: Listeners, type: string): number {
  let n = 0;
  for (let i = 0; i < entries.length; i++) if (entries[i]?.type === type) n += 1;
  return n;
}

export function globalListens(type: string): boolean {
  return count(globalListeners, type) > 0;
}

/** What an event handler attribute (`onabort`, `onmessage` …) reads. */
export function handlerOf(target: object, type: string): object | null {
  const { handlers } = listenersOf(target);
  return handlers === null ? null : ((MapPrototypeGet(handlers, type) as Handler | undefined)?.value ?? null);
}

/**
 * Sets an event handler attribute. Its place among the listeners is where it was first set; anything but an object is null, and an object
 * that is no function is kept and never called ([LegacyTreatNonObjectAsNull]).
 */
export function setHandler(target: object, type: string, value: unknown): void {
  const listeners = listenersOf(target);
  listeners.handlers ??= new NativeMap<string, Handler>();
  const known = MapPrototypeGet(listeners.handlers, type) as Handler | undefined;
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) {
    if (known === undefined) return;
    MapPrototypeDelete(listeners.handlers, type);
    remove(listeners, known.listener);
  } else if (known !== undefined) {
    known.value = value;
  } else {
    const callback = (event: Event): void => {
      const current = handlerOf(target, type);
      if (typeof current === 'function') callHandler(current as never, target, event);
    };
    const listener: Listener = { type, callback, capture: false, once: false, passive: false, removed: false, release: null };
    MapPrototypeSet(listeners.handlers, type, { value, listener });
    add(listeners, listener);
  }
}

/** HTML, "the event handler processing algorithm": `onerror` of the global takes five arguments, and cancels by returning true. */
function callHandler(handler: (...args: unknown[]) => unknown, target: object, event: Event): void {
  const state = eventState(event) as EventState;
  const error = target === global && state.type === 'error' ? errorArguments.of(event) : null;
  const result: unknown = reflectApply(handler as never, state.currentTarget, error ?? [event]);
  if (error === null ? result === false : result === true) cancel(state);
}

/** Set by the part that makes ErrorEvent: message, filename, lineno, colno and error of one, null for other events. */
export const errorArguments: { of: (event: Event) => unknown[] | null } = { of: () => null };

// globalThis is a target, and says so: `globalThis instanceof EventTarget`.
ObjectSetPrototypeOf(globalThis, ObjectCreate(EventTarget.prototype, { constructor: { value: Object, writable: true, configurable: true } }));
