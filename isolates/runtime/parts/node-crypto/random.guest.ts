// Randomness of node:crypto, and timingSafeEqual.
import { MAX_RANDOM_BYTES, OP } from '../../abi.ts';
import { bound } from '../../async-context.guest.ts';
import { op } from '../../host.guest.ts';
import { ArrayBufferIsView, NativeUint8Array, TypedArrayBuffer, TypedArrayByteLength, TypedArrayByteOffset, Uint8ArrayPrototypeSet, viewBytes } from '../../primordials.guest.ts';
import { isBufferSource } from '../crypto/convert.guest.ts';
import { giveBytes, nodeError, soon } from './encodings.guest.ts';

type Callback = (error: unknown, value?: unknown) => void;

/** One microtask later: callbacks never run within the call that they were given to. */
function callBack(callback: Callback, value: unknown): void {
  const call = bound(() => callback(null, value));
  void (async () => {
    await soon;
    call();
  })();
}

function randomInto(bytes: Uint8Array): void {
  const size = TypedArrayByteLength(bytes);
  for (let at = 0; at < size; at += MAX_RANDOM_BYTES) {
    Uint8ArrayPrototypeSet(bytes, new NativeUint8Array(op(OP.random, size - at < MAX_RANDOM_BYTES ? size - at : MAX_RANDOM_BYTES) as ArrayBuffer), at);
  }
}

export function randomBytes(size: number, callback?: Callback): Uint8Array | undefined {
  if (!(Number.isInteger(size) && size >= 0 && size <= 2 ** 31 - 1)) throw nodeError('ERR_OUT_OF_RANGE', 'the size is out of range', RangeError);
  const bytes = new NativeUint8Array(size);
  randomInto(bytes);
  if (callback === undefined) return giveBytes(bytes);
  callBack(callback, giveBytes(bytes));
  return undefined;
}

export function randomFillSync<T>(buffer: T, offset = 0, size?: number): T {
  if (!isBufferSource(buffer)) throw nodeError('ERR_INVALID_ARG_TYPE', 'an ArrayBuffer or a view is expected', TypeError);
  const all = ArrayBufferIsView(buffer) ? viewBytes(buffer) : new NativeUint8Array(buffer);
  const unit = ((buffer as { BYTES_PER_ELEMENT?: unknown }).BYTES_PER_ELEMENT as number | undefined) ?? 1;
  const from = offset * unit;
  const count = size === undefined ? TypedArrayByteLength(all) - from : size * unit;
  if (!(from >= 0 && count >= 0 && from + count <= TypedArrayByteLength(all))) throw nodeError('ERR_OUT_OF_RANGE', 'offset and size are out of range', RangeError);
  randomInto(new NativeUint8Array(TypedArrayBuffer(all), TypedArrayByteOffset(all) + from, count));
  return buffer;
}

export function randomFill<T>(buffer: T, ...rest: unknown[]): void {
  const callback = rest[rest.length - 1] as Callback;
  if (typeof callback !== 'function') throw nodeError('ERR_INVALID_ARG_TYPE', 'a callback is expected', TypeError);
  callBack(callback, randomFillSync(buffer, rest.length > 1 ? (rest[0] as number) : 0, rest.length > 2 ? (rest[1] as number) : undefined));
}

const SPAN_BITS = 2 ** 48;

/** Uniform in [min, max): values beyond the last whole multiple of the range are drawn again. */
export function randomInt(...given: unknown[]): number | undefined {
  const callback = typeof given[given.length - 1] === 'function' ? (given[given.length - 1] as Callback) : undefined;
  const count = callback === undefined ? given.length : given.length - 1;
  const min = count > 1 ? (given[0] as number) : 0;
  const max = (count > 1 ? given[1] : given[0]) as number;
  const range = max - min;
  if (!Number.isSafeInteger(min) || !Number.isSafeInteger(max)) throw nodeError('ERR_INVALID_ARG_TYPE', 'min and max must be safe integers', TypeError);
  if (!(range > 0 && range <= SPAN_BITS - 1)) throw nodeError('ERR_OUT_OF_RANGE', 'the range is out of range', RangeError);
  const limit = SPAN_BITS - (SPAN_BITS % range);
  let drawn = limit;
  while (drawn >= limit) {
    const bytes = new NativeUint8Array(op(OP.random, 6) as ArrayBuffer);
    drawn = 0;
    for (let i = 0; i < 6; i++) drawn = drawn * 256 + (bytes[i] as number);
  }
  const value = min + (drawn % range);
  if (callback === undefined) return value;
  callBack(callback, value);
  return undefined;
}

export function randomUUID(): string {
  return op(OP.uuid) as string;
}

/** Takes as long whatever the bytes are; their lengths must be equal. */
export function timingSafeEqual(a: unknown, b: unknown): boolean {
  if (!isBufferSource(a) || !isBufferSource(b)) throw nodeError('ERR_INVALID_ARG_TYPE', 'ArrayBuffers or views are expected', TypeError);
  const [one, two] = [ArrayBufferIsView(a) ? viewBytes(a) : new NativeUint8Array(a), ArrayBufferIsView(b) ? viewBytes(b) : new NativeUint8Array(b)];
  if (TypedArrayByteLength(one) !== TypedArrayByteLength(two)) throw nodeError('ERR_CRYPTO_TIMING_SAFE_EQUAL_LENGTH', 'Input buffers must have the same byte length', RangeError);
  let difference = 0;
  for (let i = 0; i < TypedArrayByteLength(one); i++) difference |= (one[i] as number) ^ (two[i] as number);
  return difference === 0;
}
