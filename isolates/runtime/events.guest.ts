// Abort signals and the global's listeners as the rest of the runtime sees them; the classes are a part made on first touch.
import { loadPart, partIfLoaded } from './parts.guest.ts';
import type * as EventsPart from './parts/events.guest.ts';

/** The part of this module. */
export type Events = typeof EventsPart;
export type { AbortSignal } from './parts/events.guest.ts';
type Signal = InstanceType<Events['AbortSignal']>;

export function loadEvents(): Events {
  return loadPart<Events>('events');
}

/** A signal that only `abortSignal` can abort. */
export function createSignal(): Signal {
  return loadEvents().createSignal();
}

/** DOM standard, "signal abort": does nothing the second time. An undefined reason becomes an AbortError. */
export function abortSignal(signal: Signal, reason?: unknown): void {
  loadEvents().abortSignal(signal, reason);
}

/** DOM standard, "create a dependent abort signal": aborts with `source`, holds nothing of it alive and is not held by it. */
export function followSignal(source: Signal): Signal {
  return loadEvents().dependentSignal([source]);
}

/** Runs before listeners do, once; never if the signal has aborted already. @returns a function that takes it back */
export function onAbort(signal: Signal, algorithm: () => void): () => void {
  return loadEvents().onAbort(signal, algorithm);
}

/** Where the class was never made, nothing can be an instance of it. */
export function isAbortSignal(value: unknown): value is Signal {
  return partIfLoaded<Events>('events')?.isAbortSignal(value) === true;
}

/** Whether a dispatch of `type` on globalThis would reach anybody. */
export function globalListens(type: string): boolean {
  return partIfLoaded<Events>('events')?.globalListens(type) === true;
}

/** The value of an event handler attribute of globalThis. */
export function globalHandler(type: string): unknown {
  return partIfLoaded<Events>('events')?.handlerOf(globalThis, type) ?? null;
}

export function setGlobalHandler(type: string, handler: unknown): void {
  loadEvents().setHandler(globalThis, type, handler);
}

/** Dispatches on globalThis, trusted. @returns false when a listener prevented the default */
export function dispatchOnGlobal(event: InstanceType<Events['Event']>): boolean {
  return loadEvents().fire(globalThis, event);
}

/** Called with each listener that tenant code adds to globalThis for `fetch`. */
export const fetchListeners: { onAdded: ((listener: object) => void) | null } = { onAdded: null };

/** Has `callback` told of every `addEventListener('fetch', listener)`: the service worker's shape of a function. */
export function onFetchListener(callback: (listener: object) => void): void {
  fetchListeners.onAdded = callback;
}
