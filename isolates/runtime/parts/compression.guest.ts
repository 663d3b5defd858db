// CompressionStream and DecompressionStream (Compression standard, sections 5 and 6) over the host's zlib, in steps at the pace of the reader.
import { COMPRESSION_ERROR, COMPRESSION_FORMATS, COMPRESSION_OP, STEP_BYTES } from '../abi-compression.ts';
import { bytesOf } from '../encoding.guest.ts';
import { op } from '../host.guest.ts';
import { ArrayBufferIsView, NativeString, NativeTypeError, NativeUint8Array, TypedArrayPrototypeSubarray, Uint8ArrayPrototypeSlice, exactBytes } from '../primordials.guest.ts';
import { needArguments } from './shared/conversions.guest.ts';
import { makePacedPair } from './streaming/paced-pair.guest.ts';
import type { PacedPair } from './streaming/paced-pair.guest.ts';

export class CompressionStream {
  readonly #pair: PacedPair;

  constructor(format: unknown) {
    needArguments(arguments.length, 1, 'CompressionStream');
    this.#pair = makePair(format, false);
  }

  get readable(): unknown { return this.#pair.readable; }
  get writable(): unknown { return this.#pair.writable; }
}

export class DecompressionStream {
  readonly #pair: PacedPair;

  constructor(format: unknown) {
    needArguments(arguments.length, 1, 'DecompressionStream');
    this.#pair = makePair(format, true);
  }

  get readable(): unknown { return this.#pair.readable; }
  get writable(): unknown { return this.#pair.writable; }
}

function formatOf(format: unknown): string {
  if (typeof format === 'symbol') throw new NativeTypeError('a symbol is no string');
  const name = NativeString(format);
  for (let i = 0; i < COMPRESSION_FORMATS.length; i++) if (COMPRESSION_FORMATS[i] === name) return name;
  throw new NativeTypeError(`"${name}" is not a compression format`);
}

const MESSAGES: Readonly<Record<string, string>> = {
  __proto__: null as never,
  [COMPRESSION_ERROR.corrupt]: 'the compressed data is not valid',
  [COMPRESSION_ERROR.trailing]: 'bytes follow the end of the compressed data',
  [COMPRESSION_ERROR.truncated]: 'the compressed data ends too early',
  [COMPRESSION_ERROR.memory]: 'decompressing it takes more memory than is left for compression',
  [COMPRESSION_ERROR.gone]: 'the invocation that began this stream has ended',
};

function makePair(given: unknown, decompress: boolean): PacedPair {
  const format = formatOf(given);
  /** 0 before the first bytes: a stream that nobody writes to costs the host nothing. */
  let context = 0;
  /** One step; a Uint8Array says that there is more to come before the next bytes. */
  const step = (bytes: Uint8Array | undefined, end: boolean): { readonly piece: Uint8Array; readonly more: boolean } => {
    if (context === 0) {
      context = op(COMPRESSION_OP.open, format, decompress ? 1 : 0) as number;
      if (context === 0) throw new NativeTypeError('too many compression streams at once');
    }
    const output = op(COMPRESSION_OP.step, context, bytes, end ? 1 : 0);
    if (typeof output === 'string') throw new NativeTypeError(MESSAGES[output]);
    const more = ArrayBufferIsView(output);
    return { piece: more ? (output as unknown as Uint8Array) : new NativeUint8Array(output as ArrayBuffer), more };
  };
  return makePacedPair({
    async write(chunk, emit) {
      const bytes = bytesOf(chunk);
      // Later steps wait for the reader; what the author does to a large chunk meanwhile changes nothing.
      const source = bytes.length > STEP_BYTES ? Uint8ArrayPrototypeSlice(bytes) : bytes;
      for (let at = 0; at < source.length; at += STEP_BYTES) {
        let { piece, more } = step(exactBytes(TypedArrayPrototypeSubarray(source, at, at + STEP_BYTES)), false);
        while (more) {
          if (!(await emit(piece))) return;
          ({ piece, more } = step(undefined, false));
        }
        if (!(await emit(piece))) return;
      }
    },
    flush(emitNow) {
      for (;;) {
        const { piece, more } = step(undefined, true);
        emitNow(piece);
        if (!more) return;
      }
    },
    dispose() {
      if (context > 0) op(COMPRESSION_OP.close, context);
      context = -1;
    },
  });
}
