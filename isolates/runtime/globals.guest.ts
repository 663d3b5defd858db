// Puts the platform on globalThis, and takes off what would dodge the limits.
import { console } from './console.guest.ts';
import { Crypto, crypto } from './crypto.guest.ts';
import { TextDecoder, TextEncoder, atob, btoa } from './encoding.guest.ts';
import { DOMException } from './errors.guest.ts';
import { AbortController, AbortSignal, Event, EventTarget } from './events.guest.ts';
import { fetch } from './fetch.guest.ts';
import { Headers } from './headers.guest.ts';
import { NativeArrayBuffer, NativeTypeError, reflectConstruct, reflectDefineProperty } from './primordials.guest.ts';
import { Request } from './request.guest.ts';
import { Response } from './response.guest.ts';
import { STREAM_NAMES, loadStreams } from './streams.guest.ts';
import { structuredClone } from './structured-clone.guest.ts';
import { clearInterval, clearTimeout, queueMicrotask, setInterval, setTimeout } from './timers.guest.ts';
import { URL, URLSearchParams } from './url.guest.ts';

const INTERFACES = { AbortController, AbortSignal, Crypto, DOMException, Event, EventTarget, Headers, Request, Response, TextDecoder, TextEncoder, URL, URLSearchParams };
const FUNCTIONS = { atob, btoa, clearInterval, clearTimeout, fetch, queueMicrotask, setInterval, setTimeout, structuredClone };

function put(name: string, value: unknown, enumerable: boolean): void {
  reflectDefineProperty(globalThis, name, { value, writable: true, enumerable, configurable: true });
}

/** Everything that may live in the snapshot. */
export function installGlobals(): void {
  for (const [name, value] of Object.entries(INTERFACES)) {
    put(name, value, false);
    // Web IDL: members are enumerable, and the class string is the interface's name.
    const { prototype } = value as { prototype: object };
    for (const key of Object.getOwnPropertyNames(prototype)) if (key !== 'constructor') Object.defineProperty(prototype, key, { enumerable: true });
    if (!Object.hasOwn(prototype, Symbol.toStringTag)) Object.defineProperty(prototype, Symbol.toStringTag, { value: name, configurable: true });
  }
  for (const [name, value] of Object.entries(FUNCTIONS)) put(name, value, true);
  put('console', console, false);
  put('crypto', crypto, true);
  put('self', globalThis, true);
  for (const name of STREAM_NAMES) {
    reflectDefineProperty(globalThis, name, {
      get: () => {
        const made = loadStreams()[name];
        put(name, made, false);
        return made;
      },
      set: (value: unknown) => put(name, value, false),
      enumerable: false,
      configurable: true,
    });
  }
  closeResizableBuffers();
}

/**
 * Resizable buffers are not counted by the isolate's memory limit, so they can't be made: the constructor is wrapped, and the native
 * one is reachable from nowhere.
 */
function closeResizableBuffers(): void {
  const Limited = function ArrayBuffer(this: unknown, length: number, options?: { maxByteLength?: number }): object {
    if (new.target === undefined) throw new NativeTypeError("Constructor ArrayBuffer requires 'new'");
    if (options !== undefined && options !== null && options.maxByteLength !== undefined) throw new RangeError('resizable ArrayBuffers are not available');
    const target: unknown = new.target;
    return reflectConstruct(NativeArrayBuffer, [length], target === Limited ? NativeArrayBuffer : (target as ArrayBufferConstructor)) as object;
  } as unknown as ArrayBufferConstructor;
  Object.defineProperty(Limited, 'name', { value: 'ArrayBuffer', configurable: true });
  Object.defineProperty(Limited, 'length', { value: 1, configurable: true });
  Object.defineProperty(Limited, 'prototype', { value: NativeArrayBuffer.prototype, writable: false });
  Object.defineProperty(Limited, 'isView', { value: NativeArrayBuffer.isView, writable: true, configurable: true });
  Object.defineProperty(Limited, Symbol.species, { get: () => Limited, configurable: true });
  Object.defineProperty(NativeArrayBuffer.prototype, 'constructor', { value: Limited, writable: true, configurable: true });
  put('ArrayBuffer', Limited, false);
}

/** After a restore: these do not exist while a snapshot is made, so they can only be taken off now. */
export function removeUncounted(): void {
  for (const name of ['WebAssembly', 'SharedArrayBuffer', 'Atomics']) delete (globalThis as Record<string, unknown>)[name];
}
