// node:buffer: unenv's Buffer (the `buffer` package as a module) with the encoding and the functions that it lacks.
import { Buffer as Base, INSPECT_MAX_BYTES, SlowBuffer, kMaxLength } from 'unenv/node/internal/buffer/buffer';

const base = Base as unknown as BufferConstructor;
const { prototype } = base;

/** Decoding base64 takes both alphabets, so only what is written differs. */
const known = (encoding: unknown): unknown => (typeof encoding === 'string' && encoding.toLowerCase() === 'base64url' ? 'base64' : encoding);

type Any = (...args: unknown[]) => unknown;
/** Has the arguments from `first` on, where an encoding may be, say base64 where they say base64url. */
function knowing(target: object, name: string, first: number): void {
  const original = (target as Record<string, Any>)[name] as Any;
  const replaced = function (this: unknown, ...args: unknown[]): unknown {
    for (let i = first; i < args.length; i++) args[i] = known(args[i]);
    return original.apply(this, args);
  };
  Object.defineProperty(target, name, { value: replaced, writable: true, configurable: true, enumerable: true });
}
knowing(base, 'alloc', 2);
knowing(base, 'byteLength', 1);
for (const name of ['fill', 'includes', 'indexOf', 'lastIndexOf', 'write']) knowing(prototype, name, 1);

/** Node reads hex up to the first pair that is none. */
const isHex = (encoding: unknown): boolean => typeof encoding === 'string' && encoding.toLowerCase() === 'hex';
const pairs = (text: string): string => /^(?:[0-9a-f]{2})*/i.exec(text)?.[0] ?? '';

const from = base.from as Any;
base.from = ((value: unknown, encodingOrOffset: unknown, length: unknown) =>
  from(typeof value === 'string' && isHex(encodingOrOffset) ? pairs(value) : value, known(encodingOrOffset), length)) as typeof base.from;
const write = prototype.write as Any;
prototype.write = function (this: unknown, text: unknown, ...rest: unknown[]): number {
  return write.call(this, typeof text === 'string' && rest.some(isHex) ? pairs(text) : text, ...rest) as number;
} as typeof prototype.write;

const { isEncoding } = base;
base.isEncoding = ((encoding: string) => encoding === 'base64url' || isEncoding(String(known(encoding)))) as typeof base.isEncoding;

const { toString } = prototype;
prototype.toString = function (this: Buffer, encoding?: BufferEncoding, start?: number, end?: number): string {
  if (known(encoding) === encoding) return toString.call(this, encoding, start, end);
  return toString.call(this, 'base64', start, end).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
};
prototype.toLocaleString = prototype.toString;

base.copyBytesFrom ??= (view, offset = 0, length = view.length - offset) => {
  const part = view.subarray(offset, offset + length);
  return base.from(base.from(part.buffer, part.byteOffset, part.byteLength));
};

export function isUtf8(input: ArrayBuffer | NodeJS.TypedArray): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(input);
    return true;
  } catch {
    return false;
  }
}

export function isAscii(input: ArrayBuffer | NodeJS.TypedArray): boolean {
  const bytes = ArrayBuffer.isView(input) ? new Uint8Array(input.buffer, input.byteOffset, input.byteLength) : new Uint8Array(input);
  return bytes.every((byte) => byte < 0x80);
}

export function transcode(source: Uint8Array, from: BufferEncoding, to: BufferEncoding): Buffer {
  return base.from(base.from(source).toString(from), to);
}

export const Buffer = base;
export { INSPECT_MAX_BYTES, SlowBuffer, kMaxLength };
/** V8's longest string on 64 bits. */
export const kStringMaxLength = 536_870_888;
export const constants = { MAX_LENGTH: kMaxLength, MAX_STRING_LENGTH: kStringMaxLength };
export const atob = (text: string): string => globalThis.atob(text);
export const btoa = (text: string): string => globalThis.btoa(text);
export const resolveObjectURL = (): undefined => undefined;
export const Blob = /* @__PURE__ */ (() => globalThis.Blob)();
export const File = /* @__PURE__ */ (() => globalThis.File)();
export default {
  Buffer, INSPECT_MAX_BYTES, SlowBuffer, atob, btoa, constants, isAscii, isUtf8, kMaxLength, kStringMaxLength, resolveObjectURL, transcode,
  get Blob() {
    return globalThis.Blob;
  },
  get File() {
    return globalThis.File;
  },
};
