// Node's zlib in bounded synchronous steps. Its public API either runs whole inputs or streams on the thread pool with an output that a step can't
// bound, so this takes the handle below the streams, as Node's own synchronous functions do. The only module that knows of it.
import { constants, createBrotliCompress, createBrotliDecompress, createDeflate, createDeflateRaw, createGunzip, createGzip, createInflate, createInflateRaw } from 'node:zlib';

interface Handle {
  onerror: (message: string, errno: number, code: string) => void;
  writeSync(flush: number, input: Uint8Array, inputAt: number, inputBytes: number, output: Uint8Array, outputAt: number, outputBytes: number): void;
  close(): void;
}
interface Engine {
  readonly _handle: Handle;
  /** After a write: bytes left in the output, bytes left in the input. */
  readonly _writeState: Uint32Array;
}

interface Format {
  readonly compress: () => Engine;
  readonly decompress: () => Engine;
  /** The flush value that ends the stream. */
  readonly finish: number;
  /** Memory of a context, bytes, rounded up (measured). A brotli decoder adds the window that its input names. */
  readonly compressBytes: number;
  readonly decompressBytes: number;
}

/**
 * Quality 4 and a window of 256 KiB: a step stays under a millisecond and a context under 1 MiB. Node's default, quality 11, does
 * 15 ms of work in one step that nothing could interrupt.
 */
const BROTLI = { params: { [constants.BROTLI_PARAM_QUALITY]: 4, [constants.BROTLI_PARAM_LGWIN]: 18 } };
const engine = (stream: unknown): Engine => stream as Engine;
const ZLIB = { finish: constants.Z_FINISH, compressBytes: 288 * 1024, decompressBytes: 64 * 1024 };

const FORMATS: Readonly<Record<string, Format>> = {
  gzip: { ...ZLIB, compress: () => engine(createGzip()), decompress: () => engine(createGunzip()) },
  deflate: { ...ZLIB, compress: () => engine(createDeflate()), decompress: () => engine(createInflate()) },
  'deflate-raw': { ...ZLIB, compress: () => engine(createDeflateRaw()), decompress: () => engine(createInflateRaw()) },
  brotli: {
    finish: constants.BROTLI_OPERATION_FINISH,
    compress: () => engine(createBrotliCompress(BROTLI)),
    decompress: () => engine(createBrotliDecompress()),
    compressBytes: 768 * 1024,
    decompressBytes: 64 * 1024,
  },
};

export type CodecFailure = 'corrupt' | 'trailing' | 'truncated';

const NOTHING = new Uint8Array(0);
/** Shared by all codecs: a step is over before the next begins. */
let scratch = new Uint8Array(0);

export class ZlibCodec {
  readonly decompress: boolean;
  readonly format: string;
  readonly #engine: Engine;
  readonly #finish: number;
  #input: Uint8Array = NOTHING;
  #at = 0;
  #error = '';

  /** Throws a TypeError for an unknown format. */
  constructor(format: string, decompress: boolean) {
    const made = formatOf(format);
    this.format = format;
    this.decompress = decompress;
    this.#finish = made.finish;
    this.#engine = decompress ? made.decompress() : made.compress();
    this.#engine._handle.onerror = (_message, _errno, code) => (this.#error = code);
  }

  /** Native memory of a context, bytes. */
  static bytes(format: string, decompress: boolean): number {
    return decompress ? formatOf(format).decompressBytes : formatOf(format).compressBytes;
  }

  /** There is input that no step has taken yet. */
  get hasInput(): boolean {
    return this.#at < this.#input.length;
  }

  feed(input: Uint8Array): void {
    this.#input = input;
    this.#at = 0;
  }

  /**
   * One step: at most `outputBytes` come out, and all of the input has been taken if fewer do.
   *
   * @param end  no input follows what was fed
   */
  step(end: boolean, outputBytes: number): Uint8Array<ArrayBuffer> | CodecFailure {
    if (scratch.length < outputBytes) scratch = new Uint8Array(outputBytes);
    const { _handle: handle, _writeState: left } = this.#engine;
    const flush = end ? this.#finish : constants.Z_NO_FLUSH;
    handle.writeSync(flush, this.#input, this.#at, this.#input.length - this.#at, scratch, 0, outputBytes);
    if (this.#error !== '') return this.#error === 'Z_BUF_ERROR' ? 'truncated' : 'corrupt';
    const written = outputBytes - (left[0] as number);
    this.#at = this.#input.length - (left[1] as number);
    // Room left and input left: the decoder has seen its end. What it decoded is good, and the next step finds the same again.
    if (written === 0 && this.hasInput) return 'trailing';
    if (!this.hasInput) this.feed(NOTHING);
    return scratch.slice(0, written);
  }

  close(): void {
    this.#engine._handle.close();
  }
}

function formatOf(name: string): Format {
  const format = Object.hasOwn(FORMATS, name) ? FORMATS[name] : undefined;
  if (format === undefined) throw new TypeError('unknown format');
  return format;
}

/** Bytes of the window that a brotli stream asks for by its first byte (RFC 7932, section 9.1). */
export function brotliWindowBytes(first: number): number {
  if ((first & 1) === 0) return 1 << 16;
  const high = (first >> 1) & 7;
  if (high !== 0) return 1 << (17 + high);
  const low = (first >> 4) & 7;
  return 1 << (low === 0 ? 17 : 8 + low);
}
