// The runtime's own use of the Streams API, whose classes are a part made on first touch.
import { loadPart, partIfLoaded } from './parts.guest.ts';

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

export function loadStreams(): Streams {
  return loadPart<Streams>('streams');
}

/** Whether streams exist at all: where they do not, no value can be one. */
export function isReadableStream(value: unknown): value is ReadableStreamLike {
  const streams = partIfLoaded<Streams>('streams');
  return streams !== undefined && value instanceof streams.ReadableStream;
}
