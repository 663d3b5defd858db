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
for (const name of ['fill', 'includes', 'indexOf', 'lastIndexOf', 'write']) knowing(prototype, name, 1);

/** Node reads hex up to the first pair that is none. */
const isHex = (encoding: unknown): boolean => typeof encoding === 'string' && encoding.toLowerCase() === 'hex';
const pairs = (text: string): string => /^(?:[0-9a-f]{2})*/i.exec(text)?.[0] ?? '';

// UTF-8 and Latin-1 by what the engine and the runtime have: ten times as fast as loops over bytes.
const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const isUtf8Name = (encoding: unknown): boolean => typeof encoding !== 'string' || /^(?:utf-?8)?$/i.test(encoding);
const isLatin1Name = (encoding: unknown): boolean => typeof encoding === 'string' && /^(?:latin1|binary)$/i.test(encoding);

function latin1(bytes: Uint8Array): string {
  let text = '';
  // As many arguments as every stack has room for.
  for (let i = 0; i < bytes.length; i += 4_096) text += String.fromCharCode.apply(null, bytes.subarray(i, i + 4_096) as unknown as number[]);
  return text;
}

const { from, byteLength } = base as unknown as Record<'from' | 'byteLength', Any>;
base.from = ((value: unknown, encodingOrOffset: unknown, length: unknown) => {
  if (typeof value !== 'string') return from(value, encodingOrOffset, length);
  if (isUtf8Name(encodingOrOffset)) return Object.setPrototypeOf(encoder.encode(value), prototype) as Buffer;
  return from(isHex(encodingOrOffset) ? pairs(value) : value, known(encodingOrOffset));
}) as typeof base.from;
base.byteLength = ((value: unknown, encoding: unknown) => (typeof value === 'string' && isUtf8Name(encoding) ? encoder.encode(value).length : byteLength(value, known(encoding)))) as typeof base.byteLength;

const { isEncoding } = base;
base.isEncoding = ((encoding: string) => isEncoding(String(known(encoding)))) as typeof base.isEncoding;

const write = prototype.write as Any;
prototype.write = function (this: unknown, text: unknown, ...rest: unknown[]): number {
  return write.call(this, typeof text === 'string' && rest.some(isHex) ? pairs(text) : text, ...rest) as number;
} as typeof prototype.write;

const { toString } = prototype;
prototype.toString = function (this: Buffer, encoding?: BufferEncoding, start = 0, end = this.length): string {
  if (isUtf8Name(encoding)) return decoder.decode(this.subarray(Math.max(start, 0), Math.max(end, 0)));
  if (isLatin1Name(encoding)) return latin1(this.subarray(Math.max(start, 0), Math.max(end, 0)));
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
