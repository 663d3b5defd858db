// Intrinsics that the runtime relies on, captured before tenant code runs: who patches a prototype breaks only itself.

const { apply, construct, defineProperty, getPrototypeOf, ownKeys, getOwnPropertyDescriptor } = Reflect;
export { apply as reflectApply, construct as reflectConstruct, defineProperty as reflectDefineProperty, getOwnPropertyDescriptor as reflectGetOwnPropertyDescriptor, getPrototypeOf as reflectGetPrototypeOf, ownKeys as reflectOwnKeys };

type AnyFunction = (this: never, ...args: never[]) => unknown;
type Uncurried<F> = F extends (this: infer T, ...args: infer A) => infer R ? (self: T, ...args: A) => R : never;

// `Function.prototype.call.bind(f)`: the bound call is captured, so a patched `call` is never looked up.
const { bind, call } = Function.prototype;
export const uncurryThis = bind.bind(call) as unknown as <F extends AnyFunction>(f: F) => Uncurried<F>;

export const StringPrototypeSplit = uncurryThis(String.prototype.split as (this: string, separator: string) => string[]);
export const StringPrototypeToLowerCase = uncurryThis(String.prototype.toLowerCase);
export const StringPrototypeToUpperCase = uncurryThis(String.prototype.toUpperCase);
export const StringPrototypeSlice = uncurryThis(String.prototype.slice);
export const StringPrototypeIndexOf = uncurryThis(String.prototype.indexOf);
export const StringPrototypeCharCodeAt = uncurryThis(String.prototype.charCodeAt);
export const StringFromCharCode = String.fromCharCode;
export const StringPrototypeToWellFormed = uncurryThis(String.prototype.toWellFormed);
export const StringPrototypeReplaceWith = uncurryThis(String.prototype.replace as (this: string, pattern: RegExp, by: (found: string) => string) => string);
export const StringPrototypeReplace = uncurryThis(String.prototype.replace as (this: string, pattern: RegExp, by: string) => string);
export const ArrayPrototypeJoin = uncurryThis(Array.prototype.join as (this: unknown[], separator: string) => string);
export const ArrayPrototypeSort = uncurryThis(Array.prototype.sort as (this: unknown[], compare?: (a: never, b: never) => number) => unknown[]);
export const ArrayPrototypeSplice = uncurryThis(Array.prototype.splice as (this: unknown[], start: number, count: number) => unknown[]);
export const MapPrototypeGet = uncurryThis(Map.prototype.get as (this: Map<unknown, unknown>, key: unknown) => unknown);
export const MapPrototypeSet = uncurryThis(Map.prototype.set as (this: Map<unknown, unknown>, key: unknown, value: unknown) => unknown);
export const MapPrototypeDelete = uncurryThis(Map.prototype.delete as (this: Map<unknown, unknown>, key: unknown) => boolean);
export const MapPrototypeHas = uncurryThis(Map.prototype.has as (this: Map<unknown, unknown>, key: unknown) => boolean);
export const PromisePrototypeThen = uncurryThis(Promise.prototype.then as (this: Promise<unknown>, onFulfilled?: (value: unknown) => unknown, onRejected?: (reason: unknown) => unknown) => Promise<unknown>);
export const WeakMapPrototypeGet = uncurryThis(WeakMap.prototype.get as (this: WeakMap<object, unknown>, key: object) => unknown);
export const WeakMapPrototypeSet = uncurryThis(WeakMap.prototype.set as (this: WeakMap<object, unknown>, key: object, value: unknown) => unknown);
export const DatePrototypeToString = uncurryThis(Date.prototype.toString);
export const RegExpPrototypeExec = uncurryThis(RegExp.prototype.exec);
export const Uint8ArrayPrototypeSet = uncurryThis(Uint8Array.prototype.set as (this: Uint8Array, from: ArrayLike<number>, at?: number) => void);
export const TypedArrayPrototypeFill = uncurryThis(Uint8Array.prototype.fill as (this: Uint8Array, value: number) => Uint8Array);
export const ArrayBufferIsView = ArrayBuffer.isView;
export const encodeComponent = encodeURIComponent;
export const decodeComponent = decodeURIComponent;
export const JSONParse = JSON.parse;
export const JSONStringify = JSON.stringify;
export const ObjectFreeze = Object.freeze;
export const ObjectDefineProperty = Object.defineProperty;
export const ObjectKeys = Object.keys;
export const ObjectPrototypeHasOwnProperty = uncurryThis(Object.prototype.hasOwnProperty);
export const ObjectPrototypeToString = uncurryThis(Object.prototype.toString);
/** Has the real clock: tenants get the one of clock.guest.ts. */
export const NativeDate = Date;
export const NativePromise = Promise;
export const NativeMap = Map;
export const NativeSet = Set;
export const ObjectGetOwnPropertyDescriptor = Object.getOwnPropertyDescriptor;
export const SetPrototypeAdd = uncurryThis(Set.prototype.add as (this: Set<unknown>, value: unknown) => Set<unknown>);
export const SetPrototypeHas = uncurryThis(Set.prototype.has as (this: Set<unknown>, value: unknown) => boolean);
export const NativeUint8Array = Uint8Array;
export const NativeUint16Array = Uint16Array;
export const NativeUint32Array = Uint32Array;
export const NativeArrayBuffer = ArrayBuffer;
export const NativeTypeError = TypeError;
export const NativeRangeError = RangeError;
export const NativeString = String;
export const NativeNumber = Number;
export const NativeError = Error;
export const NativeWeakRef = WeakRef;
export const NativeWeakMap = WeakMap;
export const WeakRefPrototypeDeref = uncurryThis(WeakRef.prototype.deref as (this: WeakRef<object>) => object | undefined);
export const ObjectCreate = Object.create;
export const ObjectSetPrototypeOf = Object.setPrototypeOf;

/**
 * Adds to the end of an internal list. Plain assignment and `push` would run a setter that a tenant has put on Array.prototype, and hand the
 * value to it.
 */
export function append<T>(list: T[], value: T): void {
  defineProperty(list, list.length, { __proto__: null, value, writable: true, enumerable: true, configurable: true } as PropertyDescriptor);
}

const typedArray = Object.getPrototypeOf(Uint8Array.prototype) as object;
/** The getter itself, which costs nothing to keep; `uncurryThis` makes it callable. */
export const rawGetter = (of: object, name: string | symbol): ((this: unknown) => unknown) => {
  const get = getOwnPropertyDescriptor(of, name)?.get;
  if (get === undefined) throw new TypeError(`no getter ${String(name)}`);
  return get as (this: unknown) => unknown;
};
const getter = <R>(of: object, name: string): ((self: unknown) => R) => {
  const get = rawGetter(of, name);
  return uncurryThis(get as (this: unknown) => R) as unknown as (self: unknown) => R;
};
export const ArrayBufferByteLength = getter<number>(ArrayBuffer.prototype, 'byteLength');
export const TypedArrayBuffer = getter<ArrayBuffer>(typedArray, 'buffer');
export const TypedArrayByteLength = getter<number>(typedArray, 'byteLength');
export const TypedArrayByteOffset = getter<number>(typedArray, 'byteOffset');
export const DataViewBuffer = getter<ArrayBuffer>(DataView.prototype, 'buffer');
export const DataViewByteLength = getter<number>(DataView.prototype, 'byteLength');
export const DataViewByteOffset = getter<number>(DataView.prototype, 'byteOffset');
/** The name of the typed array's class, or undefined when it is none. */
export const typedArrayName = getter<string | undefined>(typedArray, Symbol.toStringTag as unknown as string);

const withResolvers = Promise.withResolvers;

export interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T | PromiseLike<T>) => void;
  readonly reject: (reason: unknown) => void;
}

/** A promise of the captured class. */
export function deferred<T>(): Deferred<T> {
  return apply(withResolvers, NativePromise, []) as Deferred<T>;
}

/** The bytes of any view, without copying. */
export function viewBytes(view: ArrayBufferView): Uint8Array {
  return typedArrayName(view) === undefined
    ? new NativeUint8Array(DataViewBuffer(view), DataViewByteOffset(view), DataViewByteLength(view))
    : new NativeUint8Array(TypedArrayBuffer(view), TypedArrayByteOffset(view), TypedArrayByteLength(view));
}

/** An array that holds just these bytes: crossing to the host copies the whole buffer under a view. */
export function exactBytes(bytes: Uint8Array): Uint8Array {
  return ArrayBufferByteLength(TypedArrayBuffer(bytes)) === TypedArrayByteLength(bytes) ? bytes : Uint8ArrayPrototypeSlice(bytes);
}

/** %IteratorPrototype% of ECMA-262, section 27.1.2. */
export const IteratorPrototype = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]())) as object;
export const symbolIterator: typeof Symbol.iterator = Symbol.iterator;
export const Uint8ArrayPrototypeIndexOf = uncurryThis(Uint8Array.prototype.indexOf as (this: Uint8Array, byte: number, from?: number) => number);

// The methods of these names ask the receiver's `constructor` for a species: a tenant that defines one would be handed the buffer.

/** A view of the same buffer; bounds as in `subarray`, not negative. */
export function TypedArrayPrototypeSubarray(bytes: Uint8Array, from = 0, to: number = TypedArrayByteLength(bytes)): Uint8Array {
  const length = TypedArrayByteLength(bytes);
  const start = from < length ? from : length;
  const end = to < length ? to : length;
  return new NativeUint8Array(TypedArrayBuffer(bytes), TypedArrayByteOffset(bytes) + start, end > start ? end - start : 0);
}

/** A copy with a buffer of its own; bounds as in `slice`, not negative. */
export function Uint8ArrayPrototypeSlice(bytes: Uint8Array, from?: number, to?: number): Uint8Array<ArrayBuffer> {
  return new NativeUint8Array(TypedArrayPrototypeSubarray(bytes, from, to));
}

/** A copy of a part of a buffer; bounds as in `slice`, not negative. */
export function ArrayBufferPrototypeSlice(buffer: ArrayBuffer, from: number, to: number): ArrayBuffer {
  return TypedArrayBuffer(new NativeUint8Array(new NativeUint8Array(buffer, from, to - from)));
}
