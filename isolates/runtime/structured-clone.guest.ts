// structuredClone (HTML standard, section 2.7): the types that exist here, cycles kept, ArrayBuffers transferable.
import { DOMException } from './errors.guest.ts';
import { ArrayBufferIsView, ArrayBufferPrototypeSlice, NativeArrayBuffer, NativeError, NativeMap, ObjectKeys, ObjectPrototypeToString, typedArrayName } from './primordials.guest.ts';

const ERRORS: Readonly<Record<string, ErrorConstructor>> = {
  Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError,
} as unknown as Record<string, ErrorConstructor>;

function refuse(what: string): never {
  throw new DOMException(`${what} could not be cloned`, 'DataCloneError');
}

export function structuredClone<T>(value: T, options?: { transfer?: readonly unknown[] }): T {
  const moved = new NativeMap<unknown, unknown>();
  const transfer = [...(options?.transfer ?? [])];
  for (const item of transfer) {
    if (!(item instanceof NativeArrayBuffer)) refuse('a value of this type can not be transferred; it');
    if (moved.has(item)) refuse('a buffer that is listed twice');
    if (item.detached) refuse('a detached buffer');
    moved.set(item, undefined);
  }
  // All is checked before anything is detached: a failure leaves the caller's buffers alone.
  const seen = new NativeMap<unknown, unknown>();
  for (const item of transfer as ArrayBuffer[]) seen.set(item, item);
  const copy = clone(value, seen);
  if (transfer.length === 0) return copy as T;
  for (const item of transfer as ArrayBuffer[]) moved.set(item, item.transfer());
  return replace(copy, moved, new NativeMap()) as T;
}

/** Puts the transferred buffers where the originals stand in the finished copy. */
function replace(value: unknown, moved: Map<unknown, unknown>, done: Map<unknown, unknown>): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (moved.has(value)) return moved.get(value);
  if (done.has(value)) return done.get(value);
  done.set(value, value);
  if (ArrayBufferIsView(value)) return value;
  if (value instanceof NativeMap) {
    const entries = [...value];
    value.clear();
    for (const [k, v] of entries) value.set(replace(k, moved, done), replace(v, moved, done));
  } else if (value instanceof Set) {
    const items = [...value];
    value.clear();
    for (const item of items) value.add(replace(item, moved, done));
  } else {
    for (const key of ObjectKeys(value)) (value as Record<string, unknown>)[key] = replace((value as Record<string, unknown>)[key], moved, done);
  }
  return value;
}

function clone(value: unknown, seen: Map<unknown, unknown>): unknown {
  if (typeof value === 'symbol') refuse('a symbol');
  if (typeof value === 'function') refuse('a function');
  if (typeof value !== 'object' || value === null) return value;
  if (seen.has(value)) return seen.get(value);
  const remember = <C>(copy: C): C => {
    seen.set(value, copy);
    return copy;
  };
  if (ArrayBufferIsView(value)) return cloneView(value, seen, remember);
  if (value instanceof NativeArrayBuffer) {
    if (value.detached) refuse('a detached buffer');
    return remember(ArrayBufferPrototypeSlice(value, 0, value.byteLength));
  }
  switch (ObjectPrototypeToString(value)) {
    case '[object Boolean]':
    case '[object Number]':
    case '[object String]':
    case '[object BigInt]':
      return remember(Object((value as { valueOf(): unknown }).valueOf()));
    case '[object Date]':
      return remember(new Date((value as Date).getTime()));
    case '[object RegExp]':
      return remember(new RegExp((value as RegExp).source, (value as RegExp).flags));
    default:
  }
  if (value instanceof NativeMap) {
    const copy = remember(new NativeMap());
    for (const [k, v] of [...value]) copy.set(clone(k, seen), clone(v, seen));
    return copy;
  }
  if (value instanceof Set) {
    const copy = remember(new Set());
    for (const item of [...value]) copy.add(clone(item, seen));
    return copy;
  }
  if (value instanceof NativeError) return cloneError(value, seen, remember);
  if (value instanceof Promise || value instanceof WeakMap || value instanceof WeakSet || value instanceof WeakRef) refuse('an object of this type');
  const copy = remember(Array.isArray(value) ? new Array(value.length) : {}) as Record<string, unknown>;
  for (const key of ObjectKeys(value)) {
    Object.defineProperty(copy, key, { value: clone((value as Record<string, unknown>)[key], seen), writable: true, enumerable: true, configurable: true });
  }
  return copy;
}

function cloneView(view: ArrayBufferView, seen: Map<unknown, unknown>, remember: <C>(copy: C) => C): unknown {
  const buffer = clone(view.buffer, seen) as ArrayBuffer;
  const name = typedArrayName(view);
  if (name === undefined) return remember(new DataView(buffer, view.byteOffset, view.byteLength));
  const constructor = (globalThis as unknown as Record<string, new (b: ArrayBuffer, at: number, n: number) => ArrayBufferView>)[name];
  if (constructor === undefined) refuse('a view of this type');
  return remember(new constructor(buffer, view.byteOffset, (view as Uint8Array).length));
}

function cloneError(error: Error, seen: Map<unknown, unknown>, remember: <C>(copy: C) => C): unknown {
  const { name } = error;
  const constructor = ERRORS[name] ?? NativeError;
  const copy = remember(new constructor());
  const define = (key: string, v: unknown): void => {
    Object.defineProperty(copy, key, { value: v, writable: true, enumerable: false, configurable: true });
  };
  if (Object.hasOwn(error, 'message')) define('message', String(error.message));
  if (typeof error.stack === 'string') define('stack', error.stack);
  if (Object.hasOwn(error, 'cause')) define('cause', clone(error.cause, seen));
  return copy;
}
