// WebAssembly as functions see it: V8's, with memories that count and with asynchronous calls that work where nothing pumps V8's tasks.
import {
  ArrayBufferByteLength, ArrayBufferIsView, NativeTypeError, NativeUint8Array, NativeWeakMap, TypedArrayByteLength, WeakMapPrototypeGet, WeakMapPrototypeSet, reflectApply, reflectConstruct,
  reflectDefineProperty, reflectGetOwnPropertyDescriptor, viewBytes,
} from '../primordials.guest.ts';
import { isResponse } from '../response.guest.ts';
import type { Response } from '../response.guest.ts';
import { takeNative } from '../wasm-native.guest.ts';
import { Accounts } from './wasm/accounts.guest.ts';
import { memoriesOf } from './wasm/binary.guest.ts';
import type { ModuleMemories } from './wasm/binary.guest.ts';

type Constructor = new (...args: never[]) => object;

interface NativeNamespace {
  readonly Module: Constructor & { exports(module: object): readonly { readonly name: string }[] };
  readonly Instance: Constructor;
  readonly Memory: Constructor;
  readonly CompileError: new (message: string) => Error;
  validate(source: unknown): boolean;
}

const PAGE = 65_536;
const MIME_TYPE = 'application/wasm';
const PLAIN = { writable: true, enumerable: false, configurable: true } as const;
const SHARED = 'shared memories are not available: there are no threads';

const { namespace, limitBytes } = takeNative(() => accounts.count());
const { Module: NativeModule, Instance: NativeInstance, Memory: NativeMemory, CompileError, validate: nativeValidate } = namespace as unknown as NativeNamespace;
const nativeExports = NativeModule.exports;
const memoryGetter = reflectGetOwnPropertyDescriptor(NativeMemory.prototype, 'buffer')?.get as () => ArrayBuffer;
const exportsGetter = reflectGetOwnPropertyDescriptor(NativeInstance.prototype, 'exports')?.get as () => Readonly<Record<string, object>>;
const nativeGrow = (NativeMemory.prototype as { grow: (pages: number) => number }).grow;

const accounts = new Accounts(limitBytes, (memory) => reflectApply(memoryGetter, memory, []) as ArrayBuffer);
const memories = new NativeWeakMap<object, ModuleMemories>();

/** The native constructor under its own name, with `make` in between. Its prototype object stays the native one. */
function wrapConstructor<C extends Constructor>(name: string, native: C, make: (args: ArrayLike<unknown>, target: unknown) => object): C {
  const Wrapped = function (this: unknown): object {
    if (new.target === undefined) throw new NativeTypeError(`WebAssembly.${name} must be invoked with 'new'`);
    return make(arguments, (new.target as unknown) === Wrapped ? native : new.target);
  } as unknown as C;
  reflectDefineProperty(Wrapped, 'name', { value: name, configurable: true });
  reflectDefineProperty(Wrapped, 'length', { value: 1, configurable: true });
  reflectDefineProperty(Wrapped, 'prototype', { value: native.prototype, writable: false });
  reflectDefineProperty(native.prototype as object, 'constructor', { ...PLAIN, value: Wrapped });
  reflectDefineProperty(namespace, name, { ...PLAIN, value: Wrapped });
  return Wrapped;
}

/** A buffer source in a form that V8 takes: this one does not know that a DataView is one. */
function accepted(source: unknown): unknown {
  return ArrayBufferIsView(source) ? viewBytes(source) : source;
}

/** @param source  has been compiled or validated, so it is one */
function look(source: unknown): ModuleMemories {
  const bytes = ArrayBufferIsView(source) ? viewBytes(source) : new NativeUint8Array(source as ArrayBuffer);
  return memoriesOf(bytes, TypedArrayByteLength(bytes));
}

/** @throws CompileError  also for modules with shared memories: waiting on one would hold up the whole host */
function makeModule(args: ArrayLike<unknown>, target: unknown): object {
  const source = accepted(args[0]);
  const module = reflectConstruct(NativeModule, [source], target as Constructor) as object;
  const found = look(source);
  if (found.shared) throw new CompileError(SHARED);
  WeakMapPrototypeSet(memories, module, found);
  return module;
}

/** @throws RangeError  no room for the module's own memories */
function makeInstance(args: ArrayLike<unknown>, target: unknown): object {
  const module = args[0] as object;
  const own = WeakMapPrototypeGet(memories, module) as ModuleMemories | undefined;
  // Undefined: no module, as V8 is about to say.
  if (own === undefined || own.count === 0) return reflectConstruct(NativeInstance, args, target as Constructor) as object;
  const hidden = own.count - own.exported.length;
  accounts.reserve(own.initialBytes > own.hiddenBytes ? own.initialBytes : own.hiddenBytes, own.count);
  const instance = reflectConstruct(NativeInstance, args, target as Constructor) as object;
  const exports = reflectApply(exportsGetter, instance, []) as Readonly<Record<string, object>>;
  const names = reflectApply(nativeExports, undefined, [module]) as readonly { readonly name: string }[];
  for (let i = 0; i < own.exported.length; i++) accounts.addMemory(exports[(names[own.exported[i] as number] as { name: string }).name] as object);
  if (hidden > 0) accounts.addHidden(instance, hidden, own.hiddenBytes);
  return instance;
}

/** @throws TypeError  a shared memory  @throws RangeError  no room for it */
function makeMemory(args: ArrayLike<unknown>, target: unknown): object {
  const memory = reflectConstruct(NativeMemory, args, target as Constructor) as object;
  const bytes = sizeOf(memory);
  // It was made with pages that nobody has touched, which cost nothing yet.
  accounts.reserve(bytes, 1);
  accounts.addMemory(memory);
  return memory;
}

function sizeOf(memory: object): number {
  const buffer = reflectApply(memoryGetter, memory, []) as ArrayBuffer;
  try {
    return ArrayBufferByteLength(buffer);
  } catch {
    throw new NativeTypeError(SHARED);
  }
}

/** [EnforceRange] unsigned long (Web IDL, section 3.2.4.6). */
function enforcePages(value: unknown): number {
  const pages = +(value as number);
  const whole = pages - (pages % 1);
  if (!(whole >= 0 && whole <= 0xffff_ffff)) throw new NativeTypeError('WebAssembly.Memory.grow(): the number of pages must be an unsigned 32-bit integer');
  return whole;
}

const Module = wrapConstructor('Module', NativeModule, makeModule);
for (const name of ['exports', 'imports', 'customSections'] as const) reflectDefineProperty(Module, name, reflectGetOwnPropertyDescriptor(NativeModule, name) as PropertyDescriptor);
const Instance = wrapConstructor('Instance', NativeInstance, makeInstance);
wrapConstructor('Memory', NativeMemory, makeMemory);

const { grow } = {
  grow(this: object, delta: unknown): number {
    // Throws for everything but a memory.
    reflectApply(memoryGetter, this, []);
    const pages = enforcePages(delta);
    accounts.reserve(pages * PAGE, 0);
    const before = reflectApply(nativeGrow, this, [pages]);
    accounts.count();
    return before;
  },
};
reflectDefineProperty(NativeMemory.prototype as object, 'grow', { ...reflectGetOwnPropertyDescriptor(NativeMemory.prototype as object, 'grow'), value: grow });

function isModule(value: unknown): value is object {
  return typeof value === 'object' && value !== null && WeakMapPrototypeGet(memories, value) !== undefined;
}

/** WebAssembly Web API, section 3: the bytes of a response that may be compiled. */
async function compileResponse(source: unknown): Promise<object> {
  const response = await source;
  if (!isResponse(response)) throw new NativeTypeError('the source must be a Response');
  const { headers, ok } = response as Response;
  const type = headers.get('content-type');
  if (type === null || type.trim().toLowerCase() !== MIME_TYPE) throw new NativeTypeError(`the response must be of type ${MIME_TYPE}`);
  if (!ok) throw new NativeTypeError('the response must have an ok status');
  return new Module((await response.arrayBuffer()) as never);
}

const FUNCTIONS = {
  validate(source: unknown): boolean {
    const bytes = accepted(source);
    return nativeValidate(bytes) && !look(bytes).shared;
  },
  /** Compiles now: V8 would do it on other threads, and its answer would never come. */
  async compile(source: unknown): Promise<object> {
    return new Module(source as never);
  },
  async instantiate(source: unknown, imports?: unknown): Promise<object> {
    if (isModule(source)) return new Instance(source as never, imports as never);
    // Imports are read once the module is there, which is after this call.
    const module = await FUNCTIONS.compile(source);
    return { module, instance: new Instance(module as never, imports as never) };
  },
  async compileStreaming(source: unknown): Promise<object> {
    return await compileResponse(source);
  },
  async instantiateStreaming(source: unknown, imports?: unknown): Promise<object> {
    const module = await compileResponse(source);
    return { module, instance: new Instance(module as never, imports as never) };
  },
};
for (const [name, value] of Object.entries(FUNCTIONS)) {
  reflectDefineProperty(value, 'length', { value: 1, configurable: true });
  reflectDefineProperty(namespace, name, { ...PLAIN, enumerable: true, value });
}

export const WebAssembly = namespace;
