// Operations of the compression area (codes 96 to 127): CompressionStream and DecompressionStream over the host's zlib. Imported by both sides.

export const COMPRESSION_OP = {
  /** (format, 1 to decompress): a context's id, or 0 when the isolate or the host holds as many as it may. */
  open: 96,
  /**
   * (context, Uint8Array or undefined, 1 at the end): feeds up to STEP_BYTES, or goes on with what was fed. Returns output as a Uint8Array when the
   * next call must feed nothing, since there is more to come; as an ArrayBuffer when everything has been taken. Or a COMPRESSION_ERROR, and the
   * context is gone, as it is after the end.
   */
  step: 97,
  /** (context): it is not needed any more. */
  close: 98,
} as const;

/** Most bytes that go in, and that come out, in one step. */
export const STEP_BYTES = 65_536;

export const COMPRESSION_FORMATS = ['gzip', 'deflate', 'deflate-raw', 'brotli'] as const;

export const COMPRESSION_ERROR = {
  corrupt: 'corrupt',
  /** Bytes after the end of the compressed data. */
  trailing: 'trailing',
  truncated: 'truncated',
  /** Decompressing it would take more memory than the isolate has left for compression. */
  memory: 'memory',
  /** Its invocation has ended, or it never was. */
  gone: 'gone',
} as const;
