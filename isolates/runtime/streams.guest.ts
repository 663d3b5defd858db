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

export interface ByteController {
  enqueue(chunk: Uint8Array): void;
  close(): void;
  error(reason: unknown): void;
  readonly byobRequest: { respond(bytes: number): void } | null;
}

export interface ByteSource {
  readonly type: 'bytes';
  start?(controller: ByteController): void;
  pull(controller: ByteController): Promise<void> | void;
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

/** Whether the stream has been read from or cancelled (Streams standard, section 8.3.6: "disturbed"). */
export function isDisturbed(stream: ReadableStreamLike): boolean {
  return (stream as { _disturbed?: unknown })._disturbed === true;
}
