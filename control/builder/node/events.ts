// node:events: the `events` package, whose EventEmitter can be called without `new` as old packages do, with what Node has added since.
import Base from 'events/events.js';
import type { EventEmitter as Emitter } from 'node:events';

type Listener = (...args: unknown[]) => void;
interface Options {
  readonly signal?: AbortSignal;
}

export const EventEmitter: typeof Emitter = Base as unknown as typeof Emitter;
const emitterClass = EventEmitter as unknown as Record<PropertyKey, unknown> & { prototype: Record<PropertyKey, unknown>; defaultMaxListeners: number };

export const errorMonitor: unique symbol = Symbol('events.errorMonitor');
export const captureRejectionSymbol: unique symbol = Symbol.for('nodejs.rejection') as never;
export const captureRejections = false;
export const usingDomains = false;
export const { defaultMaxListeners } = emitterClass;

const plainEmit = emitterClass.prototype['emit'] as (this: Emitter, event: PropertyKey, ...args: unknown[]) => boolean;
emitterClass.prototype['emit'] = function emit(this: Emitter, event: PropertyKey, ...args: unknown[]): boolean {
  if (event === 'error' && this.listenerCount(errorMonitor) > 0) plainEmit.call(this, errorMonitor, ...args);
  return plainEmit.call(this, event, ...args);
};

function abortError(signal: AbortSignal): Error {
  return Object.assign(new Error('The operation was aborted', { cause: signal.reason as unknown }), { name: 'AbortError', code: 'ABORT_ERR' });
}

export function addAbortListener(signal: AbortSignal, listener: (event: Event) => void): Disposable {
  if (signal.aborted) queueMicrotask(() => listener(new Event('abort')));
  else signal.addEventListener('abort', listener, { once: true });
  return { [Symbol.dispose]: () => signal.removeEventListener('abort', listener) };
}

function isTarget(value: unknown): value is EventTarget {
  return typeof (value as EventTarget).addEventListener === 'function' && typeof (value as Emitter).on !== 'function';
}

/** Calls `listener` for each event, until the answer is called. */
function listen(emitter: Emitter | EventTarget, event: string, listener: Listener): () => void {
  if (isTarget(emitter)) {
    emitter.addEventListener(event, listener as never);
    return () => emitter.removeEventListener(event, listener as never);
  }
  emitter.on(event, listener);
  return () => emitter.off(event, listener);
}

export async function once(emitter: Emitter | EventTarget, event: string, { signal }: Options = {}): Promise<unknown[]> {
  if (signal?.aborted === true) throw abortError(signal);
  const ends: (() => void)[] = [];
  try {
    return await new Promise<unknown[]>((resolve, reject) => {
      ends.push(listen(emitter, event, (...args) => resolve(args)));
      if (event !== 'error' && !isTarget(emitter)) ends.push(listen(emitter, 'error', reject));
      if (signal !== undefined) ends.push(listen(signal, 'abort', () => reject(abortError(signal))));
    });
  } finally {
    for (const end of ends) end();
  }
}

/** What came before it was asked for is kept, as in Node. */
export function on(emitter: Emitter | EventTarget, event: string, { signal, close = [] }: Options & { readonly close?: readonly string[] } = {}): AsyncIterableIterator<unknown[]> {
  if (signal?.aborted === true) throw abortError(signal);
  const events: unknown[][] = [];
  const waiting: { resolve: (result: IteratorResult<unknown[]>) => void; reject: (error: unknown) => void }[] = [];
  let failure: { readonly error: unknown } | undefined;
  let over = false;
  const finish = (error?: { readonly error: unknown }): void => {
    if (over) return;
    over = true;
    for (const end of ends) end();
    const [first, ...rest] = waiting.splice(0);
    if (error !== undefined && first === undefined) failure = error;
    if (error !== undefined) first?.reject(error.error);
    else first?.resolve({ value: undefined, done: true });
    for (const one of rest) one.resolve({ value: undefined, done: true });
  };
  const ends = [
    listen(emitter, event, (...args) => {
      const next = waiting.shift();
      if (next === undefined) events.push(args);
      else next.resolve({ value: args, done: false });
    }),
    ...close.map((name) => listen(emitter, name, () => finish())),
  ];
  if (event !== 'error' && !isTarget(emitter)) ends.push(listen(emitter, 'error', (error) => finish({ error })));
  if (signal !== undefined) ends.push(listen(signal, 'abort', () => finish({ error: abortError(signal) })));
  return {
    next: () => {
      const value = events.shift();
      if (value !== undefined) return Promise.resolve({ value, done: false });
      if (failure !== undefined) {
        const { error } = failure;
        failure = undefined;
        return Promise.reject(error as Error);
      }
      return over ? Promise.resolve({ value: undefined, done: true as const }) : new Promise((resolve, reject) => waiting.push({ resolve, reject }));
    },
    return: () => {
      finish();
      return Promise.resolve({ value: undefined, done: true as const });
    },
    throw: (error: unknown) => {
      finish({ error });
      return Promise.resolve({ value: undefined, done: true as const });
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

/** Those of an EventTarget cannot be listed here: only its own class knows them. */
export function getEventListeners(emitter: Emitter | EventTarget, event: string): unknown[] {
  return isTarget(emitter) ? [] : emitter.listeners(event);
}

export function getMaxListeners(emitter: Emitter | EventTarget): number {
  return isTarget(emitter) ? 0 : emitter.getMaxListeners();
}

export function setMaxListeners(count = defaultMaxListeners, ...emitters: (Emitter | EventTarget)[]): void {
  if (emitters.length === 0) emitterClass.defaultMaxListeners = count;
  for (const emitter of emitters) if (!isTarget(emitter)) emitter.setMaxListeners(count);
}

export function listenerCount(emitter: Emitter, event: string): number {
  return emitter.listenerCount(event);
}

Object.assign(emitterClass, { EventEmitter, addAbortListener, captureRejectionSymbol, captureRejections, errorMonitor, getEventListeners, getMaxListeners, listenerCount, on, once, setMaxListeners, usingDomains });
export default EventEmitter;
