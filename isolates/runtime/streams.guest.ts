// The Streams API, made on first touch: its code costs heap and start-up time that most functions never need.
import { OP } from './abi.ts';
import { op } from './host.guest.ts';
import { NativeTypeError, reflectDefineProperty } from './primordials.guest.ts';

export interface StreamReader {
  read(): Promise<{ done: boolean; value?: unknown }>;
  cancel(reason?: unknown): Promise<void>;
  releaseLock(): void;
}

export interface ReadableStreamLike {
  readonly locked: boolean;
  getReader(): StreamReader;
  cancel(reason?: unknown): Promise<void>;
}

export interface ByteSource {
  readonly type: 'bytes';
  pull(controller: { enqueue(chunk: Uint8Array): void; close(): void; readonly byobRequest: { respond(bytes: number): void } | null }): Promise<void> | void;
  cancel(reason: unknown): void;
}

export interface Streams {
  readonly ReadableStream: new (source: ByteSource, strategy: { highWaterMark: number }) => ReadableStreamLike;
  readonly [name: string]: unknown;
}

/** Globals that the lazy part defines. */
export const STREAM_NAMES = [
  'ReadableStream', 'ReadableStreamDefaultController', 'ReadableByteStreamController', 'ReadableStreamBYOBRequest', 'ReadableStreamDefaultReader', 'ReadableStreamBYOBReader',
  'WritableStream', 'WritableStreamDefaultController', 'WritableStreamDefaultWriter', 'ByteLengthQueuingStrategy', 'CountQueuingStrategy', 'TransformStream',
  'TransformStreamDefaultController',
] as const;

const HANDOVER = '__thimble_lazy';

let streams: Streams | undefined;

/** The Streams classes; the first call has the host run their script in this isolate, during the call. */
export function loadStreams(): Streams {
  if (streams !== undefined) return streams;
  let loaded: Streams | undefined;
  const take = (part: Streams): void => {
    loaded = part;
  };
  if (!reflectDefineProperty(globalThis, HANDOVER, { value: take, configurable: true })) throw new NativeTypeError('globalThis is frozen: streams can not be made');
  op(OP.lazy, 'streams');
  delete (globalThis as Record<string, unknown>)[HANDOVER];
  if (loaded === undefined) throw new NativeTypeError('streams can not be made');
  streams = loaded;
  return loaded;
}

/** Whether streams exist at all: where they do not, no value can be one. */
export function isReadableStream(value: unknown): value is ReadableStreamLike {
  return streams !== undefined && value instanceof streams.ReadableStream;
}
