// Web IDL conversions that the Web Cryptography API needs. They run tenant code (getters, iterators), so all of them come before any work.
import { DOMException } from '../../errors.guest.ts';
import { ArrayBufferByteLength, ArrayBufferIsView, NativeTypeError, NativeUint8Array, viewBytes } from '../../primordials.guest.ts';

export type Members = Readonly<Record<string, unknown>>;

/** A failure of an operation: a DOMException. */
export function fail(name: string, message: string): never {
  throw new DOMException(message, name);
}

export function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

/** DOMString: throws a TypeError for symbols. */
export function toText(value: unknown): string {
  return `${value as string}`;
}

/** An integer with [EnforceRange], 0 to `max`. */
export function toInteger(value: unknown, max: number, what: string): number {
  const number = +(value as number);
  if (!(number > -1 && number < max + 1)) throw new NativeTypeError(`${what} is out of range`);
  return number < 0 ? 0 : number - (number % 1);
}

export function toOptionalInteger(value: unknown, max: number, what: string): number | undefined {
  return value === undefined ? undefined : toInteger(value, max, what);
}

export const OCTET = 255;
export const UNSIGNED_SHORT = 65_535;
export const UNSIGNED_LONG = 4_294_967_295;

/** Whether it is a BufferSource; nothing of it is read. */
export function isBufferSource(value: unknown): value is ArrayBuffer | ArrayBufferView {
  if (ArrayBufferIsView(value)) return true;
  try {
    ArrayBufferByteLength(value);
    return true;
  } catch {
    return false;
  }
}

export function mustBeBufferSource(value: unknown, what: string): ArrayBuffer | ArrayBufferView {
  if (!isBufferSource(value)) throw new NativeTypeError(`${what} must be an ArrayBuffer or a view of one`);
  return value;
}

/** A copy of the bytes that a BufferSource holds, which the tenant can't reach. */
export function copyBytes(source: ArrayBuffer | ArrayBufferView): Uint8Array<ArrayBuffer> {
  return new NativeUint8Array(ArrayBufferIsView(source) ? viewBytes(source) : new NativeUint8Array(source));
}

/** A sequence<T>; `convert` is applied to each item. */
export function toList<T>(value: unknown, what: string, convert: (item: unknown) => T): T[] {
  if (!isObject(value)) throw new NativeTypeError(`${what} must be a sequence`);
  const method = (value as { [Symbol.iterator]?: unknown })[Symbol.iterator];
  if (typeof method !== 'function') throw new NativeTypeError(`${what} must be a sequence`);
  const list: T[] = [];
  for (const item of value as Iterable<unknown>) list[list.length] = convert(item);
  return list;
}

/** Members of a dictionary: undefined and null have none, other primitives are no dictionary. */
export function toDictionary(value: unknown, what: string): Members {
  if (value === undefined || value === null) return NONE;
  if (!isObject(value)) throw new NativeTypeError(`${what} must be an object`);
  return value as Members;
}
const NONE: Members = { __proto__: null } as never;

export function required(value: unknown, what: string): unknown {
  if (value === undefined) throw new NativeTypeError(`${what} is missing`);
  return value;
}
