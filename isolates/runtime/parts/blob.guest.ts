// Blob and File (File API, sections 3 and 4). Their bytes are chunks that nobody changes: slices, Blobs of Blobs and bodies share them.
import { withoutMark } from '../body.guest.ts';
import { epochMs } from '../clock.guest.ts';
import { bytesOf, decodeUtf8, encodeUtf8 } from '../encoding.guest.ts';
import {
  ArrayBufferIsView, NativeArrayBuffer, NativeNumber, NativeTypeError, RegExpPrototypeExec, StringPrototypeReplace, StringPrototypeToLowerCase, StringPrototypeToWellFormed, TypedArrayBuffer,
  TypedArrayPrototypeSubarray, Uint8ArrayPrototypeSlice, rawGetter, reflectApply,
} from '../primordials.guest.ts';
import type { ReadableStreamLike } from '../streams.guest.ts';
import { addPlatformObject } from '../structured-clone.guest.ts';
import { PIECE_BYTES, streamOfPieces } from './body/byte-stream.guest.ts';
import { joined, pieces, totalBytes } from './body/chunks.guest.ts';
import type { Chunks } from './body/chunks.guest.ts';
import { sequenceOf } from './shared/sequence.guest.ts';

export interface BlobPart {
  readonly Blob: typeof Blob;
  readonly File: typeof File;
  /** A Blob of chunks, which nobody may change from then on. */
  blobOf(chunks: Chunks, type: string): Blob;
  cleanType(type: unknown): string;
  fileOf(chunks: Chunks, type: string, name: string, lastModified: number): File;
  /** Undefined for what is no Blob. */
  contentOf(value: unknown): BlobContent | undefined;
  isFile(value: unknown): value is File;
}

export interface BlobContent {
  readonly chunks: Chunks;
  readonly type: string;
}

export interface BlobPropertyBag {
  endings?: string;
  type?: string;
}

export interface FilePropertyBag extends BlobPropertyBag {
  lastModified?: number;
}

/**
 * Chunks of one Blob at the most; more are joined. Shared chunks cost no memory, so without this a Blob of Blobs could claim far more bytes
 * than there are, and its list of chunks could grow without bound.
 */
const MAX_CHUNKS = 1_024;

const INTERNAL = Symbol('internal');
const NEWLINES = /\r\n?|\n/g;
const NOT_TYPE = /[^\u0020-\u007e]/;
const { trunc } = Math;

/** Web IDL's `long long` with wrap-around, and with [Clamp]. */
function toInteger(value: unknown, clamp: boolean): number {
  const number = NativeNumber(value);
  if (number !== number) return 0;
  if (clamp) return number > Number.MAX_SAFE_INTEGER ? Number.MAX_SAFE_INTEGER : number < Number.MIN_SAFE_INTEGER ? Number.MIN_SAFE_INTEGER : roundHalfEven(number);
  const whole = trunc(number);
  return whole === Infinity || whole === -Infinity ? 0 : whole + 0;
}

function roundHalfEven(number: number): number {
  const down = Math.floor(number);
  const over = number - down;
  return (over < 0.5 || (over === 0.5 && down % 2 === 0) ? down : down + 1) + 0;
}

/** A Blob's type (File API, section 3.1): in lower case, '' when it is not printable ASCII. */
export function cleanType(type: unknown): string {
  const text = `${type as string}`;
  return RegExpPrototypeExec(NOT_TYPE, text) === null ? StringPrototypeToLowerCase(text) : '';
}

/** A part as Web IDL converts it: bytes and Blobs stay, everything else is text. */
function convertPart(part: unknown): unknown {
  if (typeof part === 'object' && part !== null && (ArrayBufferIsView(part) || part instanceof NativeArrayBuffer || contentOf(part) !== undefined)) return part;
  return StringPrototypeToWellFormed(`${part as string}`);
}

function toChunks(parts: readonly unknown[], nativeEndings: boolean): Chunks {
  const chunks: Uint8Array[] = [];
  let text = '';
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i];
    if (typeof part === 'string') {
      // Neighbouring texts are encoded as one.
      text += nativeEndings ? StringPrototypeReplace(part, NEWLINES, '\n') : part;
      if (typeof parts[i + 1] === 'string') continue;
      if (text !== '') chunks[chunks.length] = encodeUtf8(text);
      text = '';
      continue;
    }
    const inner = contentOf(part)?.chunks ?? [Uint8ArrayPrototypeSlice(bytesOf(part))];
    for (let k = 0; k < inner.length; k++) if ((inner[k] as Uint8Array).length > 0) chunks[chunks.length] = inner[k] as Uint8Array;
    if (chunks.length > MAX_CHUNKS) {
      const all = joined(chunks, totalBytes(chunks));
      chunks.length = 0;
      chunks[0] = all;
    }
  }
  return chunks;
}

/** Options as Web IDL reads them: in this order, whatever the object. */
function readBag(options: unknown): { readonly nativeEndings: boolean; readonly type: string } {
  if (options === undefined || options === null) return { nativeEndings: false, type: '' };
  if (typeof options !== 'object' && typeof options !== 'function') throw new NativeTypeError('the options of a Blob must be an object');
  const { endings } = options as { endings?: unknown };
  const text = endings === undefined ? 'transparent' : `${endings as string}`;
  if (text !== 'transparent' && text !== 'native') throw new NativeTypeError('endings must be transparent or native');
  const { type } = options as { type?: unknown };
  return { nativeEndings: text === 'native', type: type === undefined ? '' : cleanType(type) };
}

export class Blob {
  readonly #chunks: Chunks;
  readonly #size: number;
  readonly #type: string;

  constructor(parts: Iterable<unknown> | undefined = undefined, options: BlobPropertyBag | null | undefined = undefined, made: BlobContent | undefined = undefined) {
    if ((parts as unknown) === INTERNAL && made !== undefined) {
      this.#chunks = made.chunks;
      this.#type = made.type;
    } else {
      const converted = parts === undefined ? [] : sequenceOf(parts, convertPart);
      const { nativeEndings, type } = readBag(options);
      this.#chunks = toChunks(converted, nativeEndings);
      this.#type = type;
    }
    this.#size = totalBytes(this.#chunks);
  }

  get size(): number { return this.#size; }
  get type(): string { return this.#type; }

  slice(start: number | undefined = undefined, end: number | undefined = undefined, contentType: string | undefined = undefined): Blob {
    const size = this.#size;
    const within = (value: unknown, otherwise: number): number => {
      if (value === undefined) return otherwise;
      const at = toInteger(value, true);
      return at < 0 ? Math.max(size + at, 0) : Math.min(at, size);
    };
    const from = within(start, 0);
    const to = within(end, size);
    const type = contentType === undefined ? '' : cleanType(contentType);
    const chunks: Uint8Array[] = [];
    for (let i = 0, at = 0; i < this.#chunks.length && at < to; i++) {
      const chunk = this.#chunks[i] as Uint8Array;
      if (at + chunk.length > from) chunks[chunks.length] = TypedArrayPrototypeSubarray(chunk, Math.max(from - at, 0), Math.min(to - at, chunk.length));
      at += chunk.length;
    }
    return blobOf(from < to ? chunks : [], type);
  }

  stream(): ReadableStreamLike {
    const chunks = this.#chunks;
    return streamOfPieces(() => pieces(chunks, PIECE_BYTES));
  }

  async text(): Promise<string> {
    return withoutMark(decodeUtf8(joined(this.#chunks, this.#size)));
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return TypedArrayBuffer(Uint8ArrayPrototypeSlice(joined(this.#chunks, this.#size)));
  }

  async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    return Uint8ArrayPrototypeSlice(joined(this.#chunks, this.#size));
  }

  static [INTERNAL](value: unknown): BlobContent | undefined {
    return typeof value === 'object' && value !== null && #chunks in value ? { chunks: value.#chunks, type: value.#type } : undefined;
  }
}

const { [INTERNAL]: content } = Blob;
delete (Blob as { [INTERNAL]?: unknown })[INTERNAL];

export function contentOf(value: unknown): BlobContent | undefined {
  return content(value);
}

export function blobOf(chunks: Chunks, type: string): Blob {
  return new Blob(INTERNAL as never, undefined, { chunks, type });
}

const IS_FILE = Symbol('is file');

export class File extends Blob {
  readonly #name: string;
  readonly #lastModified: number;

  constructor(parts: Iterable<unknown>, name: string, options: FilePropertyBag | null | undefined = undefined, made: BlobContent | undefined = undefined) {
    if (arguments.length < 2) throw new NativeTypeError('File needs parts and a name');
    let lastModified: number | undefined;
    if ((parts as unknown) === INTERNAL) {
      super(parts, undefined, made);
      this.#name = name;
      lastModified = (options as { lastModified: number }).lastModified;
    } else {
      const converted = sequenceOf(parts, convertPart);
      const text = StringPrototypeToWellFormed(`${name}`);
      const { nativeEndings, type } = readBag(options);
      const modified: unknown = options?.lastModified;
      lastModified = modified === undefined ? undefined : toInteger(modified, false);
      super(INTERNAL as never, undefined, { chunks: toChunks(converted, nativeEndings), type });
      this.#name = text;
    }
    this.#lastModified = lastModified ?? epochMs();
  }

  get name(): string { return this.#name; }
  get lastModified(): number { return this.#lastModified; }

  static [IS_FILE](value: unknown): value is File {
    return typeof value === 'object' && value !== null && #name in value;
  }
}

export const isFile = File[IS_FILE] as (value: unknown) => value is File;
delete (File as { [IS_FILE]?: unknown })[IS_FILE];

export function fileOf(chunks: Chunks, type: string, name: string, lastModified: number): File {
  return new File(INTERNAL as never, name, { lastModified }, { chunks, type });
}

const fileName = rawGetter(File.prototype, 'name');
const fileModified = rawGetter(File.prototype, 'lastModified');

/** Chunks never change, so a copy shares them. */
function cloned(value: object): Blob {
  const { chunks, type } = content(value) as BlobContent;
  return isFile(value) ? fileOf(chunks, type, reflectApply(fileName, value, []) as string, reflectApply(fileModified, value, []) as number) : blobOf(chunks, type);
}
addPlatformObject({ is: (value) => content(value) !== undefined, clone: cloned });
