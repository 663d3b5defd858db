// Content codings: small bodies decoded at once, others as a stream, both with a cap on what may come out.
import { brotliDecompressSync, constants, createBrotliDecompress, createGunzip, createInflate, createInflateRaw, gunzipSync, inflateRawSync, inflateSync } from 'node:zlib';
import type { BrotliDecompress, Gunzip, Inflate } from 'node:zlib';

export type Coding = 'gzip' | 'deflate' | 'br';

export interface DecodeLimits {
  /** Decoded bytes of one body. */
  readonly maxBytes: number;
  /** Decoded bytes for each coded one, once more than `freeBytes` have come out: text compresses ten- to hundredfold, a bomb a thousandfold. */
  readonly maxRatio: number;
  readonly freeBytes: number;
}

export const DEFAULT_DECODE_LIMITS: DecodeLimits = { maxBytes: 1_024 * 1_048_576, maxRatio: 256, freeBytes: 4 * 1_048_576 };

/** The coding to undo. Several, or an unknown one: undefined, and the body is passed on as it came, with its header. */
export function codingOf(contentEncoding: string | undefined): Coding | undefined {
  switch (contentEncoding?.trim().toLowerCase()) {
    case 'gzip':
    case 'x-gzip':
      return 'gzip';
    case 'deflate':
      return 'deflate';
    case 'br':
      return 'br';
    default:
      return undefined;
  }
}

/** Servers call both zlib (RFC 1950, as RFC 9110 has it) and raw deflate data `deflate`; the low half of a zlib header's first byte is 8. */
const isZlib = (first: number | undefined): boolean => first !== undefined && (first & 0x0f) === 8;

// As in browsers, a body that ends early in the coding (not in the transfer, which has its own length) gives what there is of it.
const LENIENT = { flush: constants.Z_SYNC_FLUSH, finishFlush: constants.Z_SYNC_FLUSH } as const;
const LENIENT_BR = { flush: constants.BROTLI_OPERATION_FLUSH, finishFlush: constants.BROTLI_OPERATION_FLUSH } as const;

/**
 * Decodes a whole body on this thread.
 *
 * @returns undefined when more than `maxBytes` would come out: take a stream then
 * @throws  the bytes are not of that coding
 */
export function decodeNow(coding: Coding, bytes: Buffer, maxBytes: number): Buffer | undefined {
  const bound = { maxOutputLength: maxBytes };
  try {
    if (coding === 'br') return brotliDecompressSync(bytes, { ...LENIENT_BR, ...bound });
    if (coding === 'gzip') return gunzipSync(bytes, { ...LENIENT, ...bound });
    return isZlib(bytes[0]) ? inflateSync(bytes, { ...LENIENT, ...bound }) : inflateRawSync(bytes, { ...LENIENT, ...bound });
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') return undefined;
    throw thrown;
  }
}

export interface DecoderEvents {
  onDecoded(bytes: Buffer): void;
  /** More coded bytes may be written, after `write` returned false. */
  onDrain(): void;
  onDecodedEnd(): void;
  /** `bomb`: a cap was passed; else the bytes are not of that coding. */
  onDecodeError(bomb: boolean): void;
}

/** Decodes a body as it comes, on the thread pool. */
export class BodyDecoder {
  readonly #coding: Coding;
  readonly #limits: DecodeLimits;
  readonly #events: DecoderEvents;
  /** Made with the first byte, which tells the two kinds of deflate apart. */
  #stream: Gunzip | Inflate | BrotliDecompress | undefined;
  #out = 0;
  #over = false;

  constructor(coding: Coding, limits: DecodeLimits, events: DecoderEvents) {
    this.#coding = coding;
    this.#limits = limits;
    this.#events = events;
  }

  /** @returns false: write no more until `onDrain` */
  write(bytes: Buffer): boolean {
    if (this.#over || bytes.length === 0) return true;
    this.#stream ??= this.#open(bytes[0]);
    return this.#stream.write(bytes);
  }

  end(): void {
    if (this.#over) return;
    if (this.#stream === undefined) {
      this.#over = true;
      this.#events.onDecodedEnd();
    } else {
      this.#stream.end();
    }
  }

  pause(): void {
    this.#stream?.pause();
  }

  resume(): void {
    this.#stream?.resume();
  }

  destroy(): void {
    this.#over = true;
    this.#stream?.destroy();
  }

  #open(first: number | undefined): Gunzip | Inflate | BrotliDecompress {
    const chunk = { chunkSize: 32 * 1_024 };
    const stream =
      this.#coding === 'br' ? createBrotliDecompress({ ...LENIENT_BR, ...chunk })
      : this.#coding === 'gzip' ? createGunzip({ ...LENIENT, ...chunk })
      : isZlib(first) ? createInflate({ ...LENIENT, ...chunk })
      : createInflateRaw({ ...LENIENT, ...chunk });
    stream.on('data', (bytes: Buffer) => this.#onData(bytes));
    stream.on('drain', () => {
      if (!this.#over) this.#events.onDrain();
    });
    stream.on('end', () => this.#finish(() => this.#events.onDecodedEnd()));
    stream.on('error', () => this.#finish(() => this.#events.onDecodeError(false)));
    return stream;
  }

  #onData(bytes: Buffer): void {
    if (this.#over) return;
    this.#out += bytes.length;
    const { maxBytes, maxRatio, freeBytes } = this.#limits;
    // `bytesWritten` is what zlib has taken in, without what waits in front of it.
    if (this.#out > maxBytes || (this.#out > freeBytes && this.#out > (this.#stream?.bytesWritten ?? 0) * maxRatio)) {
      this.destroy();
      this.#events.onDecodeError(true);
    } else {
      this.#events.onDecoded(bytes);
    }
  }

  #finish(tell: () => void): void {
    if (this.#over) return;
    this.#over = true;
    tell();
  }
}
