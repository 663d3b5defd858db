// Puts the platform on globalThis, and takes off what would dodge the limits.
import { freezeClocks } from './clock.guest.ts';
import { console } from './console.guest.ts';
import { Crypto, crypto } from './crypto.guest.ts';
import { globalHandler, setGlobalHandler } from './events.guest.ts';
import { fetch } from './fetch.guest.ts';
import { Headers } from './headers.guest.ts';
import {
  NativeArrayBuffer, NativeSet, ObjectGetOwnPropertyDescriptor, NativeTypeError, SetPrototypeAdd, SetPrototypeHas, reflectApply, reflectConstruct, reflectDefineProperty, reflectGetOwnPropertyDescriptor,
} from './primordials.guest.ts';
import { Request } from './request.guest.ts';
import { Response } from './response.guest.ts';
import { LAZY_INTERFACES, LAZY_MEMBERS } from './lazy-interfaces.guest.ts';
import { loadPart } from './parts.guest.ts';
import { reportError } from './reporting.guest.ts';
import { structuredClone } from './structured-clone.guest.ts';
import { clearImmediate, clearInterval, clearTimeout, queueMicrotask, setImmediate, setInterval, setTimeout } from './timers.guest.ts';
import { keepNative } from './wasm-native.guest.ts';
import { URL } from './url.guest.ts';
import { exposeInterface } from './webidl.guest.ts';

const INTERFACES = { Crypto, Headers, Request, Response, URL };
const FUNCTIONS = { clearImmediate, clearInterval, clearTimeout, fetch, queueMicrotask, reportError, setImmediate, setInterval, setTimeout, structuredClone };

function put(name: string, value: unknown, enumerable: boolean): void {
  reflectDefineProperty(globalThis, name, { value, writable: true, enumerable, configurable: true });
}

/** Getters of globals that nobody has touched. */
const unmade = new NativeSet<unknown>();

/** A global that its part makes on first touch; assigning to it replaces it, as it would any other. */
function putLazy(name: string, part: string, enumerable: boolean): void {
  const get = (): unknown => {
    const made = loadPart<Record<string, unknown>>(part)[name];
    if (typeof made === 'function') reflectDefineProperty(made, 'name', { value: name, configurable: true });
    put(name, made, enumerable);
    return made;
  };
  SetPrototypeAdd(unmade, get);
  reflectDefineProperty(globalThis, name, {
    get,
    set: (value: unknown) => put(name, value, enumerable),
    enumerable,
    configurable: true,
  });
}

/** Web IDL has globals as data properties: who asks for the descriptor of one that is not made yet gets it made. */
const DESCRIPTORS = {
  getOwnPropertyDescriptor(target: object, key: PropertyKey): PropertyDescriptor | undefined {
    const found = ObjectGetOwnPropertyDescriptor(target, key);
    if (target !== globalThis || found?.get === undefined || !SetPrototypeHas(unmade, found.get)) return found;
    reflectApply(found.get, target, []);
    return reflectGetOwnPropertyDescriptor(target, key);
  },
};

function showGlobalsAsData(): void {
  const { getOwnPropertyDescriptor } = DESCRIPTORS;
  const describe = { getOwnPropertyDescriptor(target: object, key: PropertyKey) {
    if ((typeof target !== 'object' || target === null) && typeof target !== 'function') throw new NativeTypeError('Reflect.getOwnPropertyDescriptor called on non-object');
    return getOwnPropertyDescriptor(target, key);
  } };
  for (const [holder, value] of [[Object, getOwnPropertyDescriptor], [Reflect, describe.getOwnPropertyDescriptor]] as const) {
    reflectDefineProperty(value, 'name', { value: 'getOwnPropertyDescriptor', configurable: true });
    reflectDefineProperty(holder, 'getOwnPropertyDescriptor', { value, writable: true, enumerable: false, configurable: true });
  }
}

/** Explicit resource management (ECMA-262, section 20.4.2): V8 12.4 lacks the symbols that compiled `using` declarations ask for. */
function addDisposalSymbols(): void {
  for (const name of ['dispose', 'asyncDispose']) {
    if (!(name in Symbol)) reflectDefineProperty(Symbol, name, { value: Symbol(`Symbol.${name}`), writable: false, enumerable: false, configurable: false });
  }
}

/** The event handler attributes of the global (HTML standard, section 8.1.8.2). */
const HANDLERS = {
  get onerror() { return globalHandler('error'); },
  set onerror(handler: unknown) { setGlobalHandler('error', handler); },
  get onunhandledrejection() { return globalHandler('unhandledrejection'); },
  set onunhandledrejection(handler: unknown) { setGlobalHandler('unhandledrejection', handler); },
  get onrejectionhandled() { return globalHandler('rejectionhandled'); },
  set onrejectionhandled(handler: unknown) { setGlobalHandler('rejectionhandled', handler); },
};

/** Everything that may live in the snapshot. */
export function installGlobals(): void {
  for (const [name, value] of Object.entries(INTERFACES)) {
    put(name, value, false);
    exposeInterface(name, value);
  }
  for (const [name, value] of Object.entries(FUNCTIONS)) {
    put(name, value, true);
    Object.defineProperty(value, 'name', { value: name, configurable: true });
  }
  put('console', console, false);
  put('crypto', crypto, true);
  put('self', globalThis, true);
  for (const [part, names] of Object.entries(LAZY_INTERFACES)) for (const name of names) putLazy(name, part, false);
  for (const [part, names] of Object.entries(LAZY_MEMBERS)) for (const name of names) putLazy(name, part, true);
  Object.defineProperties(globalThis, Object.getOwnPropertyDescriptors(HANDLERS));
  closeResizableBuffers();
  freezeClocks();
  showGlobalsAsData();
  addDisposalSymbols();
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

/**
 * After a restore: these do not exist while a snapshot is made, so they can only be taken off now.
 *
 * @param wasmBytes  what WebAssembly may use; 0: there is none
 */
export function removeUncounted(wasmBytes: number): void {
  const all = globalThis as Record<string, unknown>;
  if (wasmBytes > 0) keepNative(all['WebAssembly'] as object, wasmBytes);
  for (const name of ['WebAssembly', 'SharedArrayBuffer', 'Atomics']) delete all[name];
  if (wasmBytes > 0) putLazy('WebAssembly', 'wasm', false);
}
