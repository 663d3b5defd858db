// node:zlib over CompressionStream: callbacks and streams. Nothing here can run to its end within one call, so the `…Sync` functions are not available, and levels and dictionaries are the platform's.
import { constants as allConstants } from 'unenv/node/zlib';
import { Buffer } from './buffer.ts';
import { notAvailable } from './internal/not-available.ts';
import stream from './stream.ts';

type Format = 'gzip' | 'deflate' | 'deflate-raw' | 'brotli';
type Coder = { readonly readable: ReadableStream<Uint8Array>; readonly writable: WritableStream<unknown> };
type Callback = (error: Error | null, result?: Buffer) => void;

const compressor = (format: Format) => (): Coder => new CompressionStream(format as 'gzip') as unknown as Coder;
const decompressor = (format: Format) => (): Coder => new DecompressionStream(format as 'gzip') as unknown as Coder;

function coding(make: () => Coder): stream.Transform {
  const { readable, writable } = make();
  const writer = writable.getWriter();
  const reader = readable.getReader();
  const pump = async (): Promise<void> => {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      coded.push(Buffer.from(value.buffer, value.byteOffset, value.byteLength));
    }
  };
  const coded: stream.Transform = new stream.Transform({
    transform(chunk: Buffer, _encoding, done): void {
      writer.write(new Uint8Array(chunk)).then(() => done(), done);
    },
    flush(done): void {
      writer.close().catch(() => {});
      pumped.then(() => done(), done);
    },
    destroy(error, done): void {
      writer.abort(error).catch(() => {});
      reader.cancel(error).catch(() => {});
      done(error);
    },
  });
  const pumped = pump();
  pumped.catch((error: unknown) => coded.destroy(error as Error));
  return coded;
}

function whole(make: () => Coder) {
  return (input: string | Uint8Array | ArrayBuffer, options: unknown, callback?: Callback): void => {
    const done = (typeof options === 'function' ? options : callback) as Callback;
    const bytes = typeof input === 'string' ? Buffer.from(input) : input;
    const body = new Response(bytes as never).body as unknown as ReadableStream<unknown>;
    const out = body.pipeThrough(make() as never) as never;
    new Response(out).arrayBuffer().then(
      (result) => queueMicrotask(() => done(null, Buffer.from(result))),
      (error: unknown) => queueMicrotask(() => done(error as Error)),
    );
  };
}

const sync = (name: string) => notAvailable(`zlib.${name}`, 'use the function with a callback, or CompressionStream');

export const constants = allConstants;
export const gzip = whole(compressor('gzip'));
export const gunzip = whole(decompressor('gzip'));
export const deflate = whole(compressor('deflate'));
export const inflate = whole(decompressor('deflate'));
export const deflateRaw = whole(compressor('deflate-raw'));
export const inflateRaw = whole(decompressor('deflate-raw'));
export const brotliCompress = whole(compressor('brotli'));
export const brotliDecompress = whole(decompressor('brotli'));
export const createGzip = (): stream.Transform => coding(compressor('gzip'));
export const createGunzip = (): stream.Transform => coding(decompressor('gzip'));
export const createDeflate = (): stream.Transform => coding(compressor('deflate'));
export const createInflate = (): stream.Transform => coding(decompressor('deflate'));
export const createDeflateRaw = (): stream.Transform => coding(compressor('deflate-raw'));
export const createInflateRaw = (): stream.Transform => coding(decompressor('deflate-raw'));
export const createBrotliCompress = (): stream.Transform => coding(compressor('brotli'));
export const createBrotliDecompress = (): stream.Transform => coding(decompressor('brotli'));
export const gzipSync = sync('gzipSync');
export const gunzipSync = sync('gunzipSync');
export const deflateSync = sync('deflateSync');
export const inflateSync = sync('inflateSync');
export const deflateRawSync = sync('deflateRawSync');
export const inflateRawSync = sync('inflateRawSync');
export const brotliCompressSync = sync('brotliCompressSync');
export const brotliDecompressSync = sync('brotliDecompressSync');

/** CRC-32 of gzip and PNG, as zlib.crc32 of Node 22. */
export function crc32(data: string | Uint8Array, value = 0): number {
  let crc = ~value;
  for (const byte of typeof data === 'string' ? Buffer.from(data) : data) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (0xedb88320 & -(crc & 1));
  }
  return ~crc >>> 0;
}

export default {
  brotliCompress, brotliCompressSync, brotliDecompress, brotliDecompressSync, constants, crc32, createBrotliCompress, createBrotliDecompress, createDeflate, createDeflateRaw, createGunzip, createGzip,
  createInflate, createInflateRaw, deflate, deflateRaw, deflateRawSync, deflateSync, gunzip, gunzipSync, gzip, gzipSync, inflate, inflateRaw, inflateRawSync, inflateSync,
};
