// structuredClone (HTML standard, section 2.7): the way in. The work is a part, and platform objects say for themselves how they are cloned.
import { loadPart } from './parts.guest.ts';
import { NativeTypeError, append, rawGetter } from './primordials.guest.ts';

/** A kind of platform object that is serializable, transferable, or both. No function of it may run tenant code. */
export interface PlatformObject {
  /** Brand check: whether the value is of this kind, whatever its prototype says. */
  readonly is: (value: object) => boolean;
  /** A new object with the same state; `inner` clones values that it holds. Absent: not serializable. */
  readonly clone?: (value: object, inner: (value: unknown) => unknown) => object;
  /** Moves its state into a new object and leaves the old one detached; throws a DataCloneError if it is detached already. Absent: not transferable. */
  readonly transfer?: (value: object) => object;
}

/** The kinds that exist: parts add theirs when they are made, since without its class no value can be of a kind. */
export const platformObjects: PlatformObject[] = [];

export function addPlatformObject(kind: PlatformObject): void {
  append(platformObjects, kind);
}

/** Intrinsics for the part, which may be made long after a tenant has patched their prototypes. As they are: bound functions would cost each isolate. */
export const intrinsics = {
  arrayBufferDetached: rawGetter(ArrayBuffer.prototype, 'detached'),
  arrayBufferTransfer: ArrayBuffer.prototype.transfer,
  bigInt: BigInt.prototype.valueOf,
  boolean: Boolean.prototype.valueOf,
  number: Number.prototype.valueOf,
  string: String.prototype.valueOf,
  symbol: Symbol.prototype.valueOf,
  Date,
  dateTime: Date.prototype.getTime,
  errors: { Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError } as Readonly<Record<string, ErrorConstructor>>,
  hasOwn: Object.prototype.hasOwnProperty,
  isArray: Array.isArray,
  mapForEach: Map.prototype.forEach,
  mapHas: Map.prototype.has,
  Object,
  getPrototypeOf: Reflect.getPrototypeOf,
  reflectHas: Reflect.has,
  RegExp,
  regExpSource: rawGetter(RegExp.prototype, 'source'),
  regExpFlags: [
    ['d', rawGetter(RegExp.prototype, 'hasIndices')], ['g', rawGetter(RegExp.prototype, 'global')], ['i', rawGetter(RegExp.prototype, 'ignoreCase')], ['m', rawGetter(RegExp.prototype, 'multiline')],
    ['s', rawGetter(RegExp.prototype, 'dotAll')], ['u', rawGetter(RegExp.prototype, 'unicode')], ['y', rawGetter(RegExp.prototype, 'sticky')],
  ] as readonly (readonly [string, (this: unknown) => unknown])[],
  Set,
  setAdd: Set.prototype.add,
  setForEach: Set.prototype.forEach,
  typedArrayLength: rawGetter(Object.getPrototypeOf(Uint8Array.prototype) as object, 'length'),
  views: {
    BigInt64Array, BigUint64Array, DataView, Float32Array, Float64Array, Int16Array, Int32Array, Int8Array, Uint16Array, Uint32Array, Uint8Array, Uint8ClampedArray,
  } as unknown as Readonly<Record<string, new (buffer: ArrayBuffer, offset: number, length: number) => ArrayBufferView>>,
};

interface StructuredCloning {
  structuredClone(value: unknown, options: unknown): unknown;
  cloneWithTransfer(value: unknown, transfer: readonly object[]): Transferred;
}

export interface Transferred {
  readonly copy: unknown;
  /** What the transferred objects have become, in the order of the list. */
  readonly moved: readonly object[];
}

/** For message ports, which hand over what was transferred. */
export function cloneWithTransfer(value: unknown, transfer: readonly object[]): Transferred {
  return loadPart<StructuredCloning>('structured-clone').cloneWithTransfer(value, transfer);
}

/** One required argument (`length` says so), then the options. */
export function structuredClone(value: unknown, ...rest: readonly unknown[]): unknown {
  if (arguments.length === 0) throw new NativeTypeError('an argument is required');
  return loadPart<StructuredCloning>('structured-clone').structuredClone(value, rest[0]);
}
