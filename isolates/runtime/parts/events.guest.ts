// Event, CustomEvent, EventTarget, AbortController and AbortSignal (DOM standard, sections 2 and 3).
export { AbortController, AbortSignal, abortSignal, createSignal, dependentSignal, isAbortSignal, onAbort } from './events/abort.guest.ts';
export { CustomEvent, Event, eventState, reinitialise } from './events/event.guest.ts';
export { EventTarget, errorArguments, fire, globalListens, handlerOf, setHandler, watchListeners } from './events/event-target.guest.ts';
export { dictionary, toDOMString } from './events/conversions.guest.ts';
import { EventTarget } from './events/event-target.guest.ts';

/** globalThis is an EventTarget: these are its methods, and no others. */
export const { addEventListener, dispatchEvent, removeEventListener } = EventTarget.prototype;
