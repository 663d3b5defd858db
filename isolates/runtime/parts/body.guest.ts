// Bodies beyond plain text: extraction of every kind of value, streams, clones, reads as bytes, Blob or form, and large or streamed ones on their way out.
import { BODY_KIND, MAX_CROSSING, OP } from '../abi.ts';
import { NO_BODY, OWN_KIND, TEXT_TYPE, textBody, withoutMark } from '../body.guest.ts';
import type { BodyOwner, BodyState, ChunkSource, Outgoing } from '../body.guest.ts';
import { bytesOf, decodeUtf8, encodeUtf8, pieceEnd } from '../encoding.guest.ts';
import { findHeader, parseHeaders } from '../headers.guest.ts';
import { nextId, op, opOrWait } from '../host.guest.ts';
import { loadPart, partIfLoaded } from '../parts.guest.ts';
import {
  ArrayBufferIsView, ArrayBufferPrototypeSlice, NativeArrayBuffer, NativeTypeError, NativeUint8Array, StringPrototypeSlice, StringPrototypeToWellFormed, TypedArrayBuffer, TypedArrayByteOffset,
  Uint8ArrayPrototypeSlice, WeakMapPrototypeGet, WeakMapPrototypeSet, exactBytes, typedArrayName,
} from '../primordials.guest.ts';
import { isDisturbed, isReadableStream, loadStreams } from '../streams.guest.ts';
import type { ByteController, ReadableStreamLike } from '../streams.guest.ts';
import { searchParamsText } from '../url.guest.ts';
import type { Blob, BlobPart } from './blob.guest.ts';
import { PIECE_BYTES, closeBytes, streamOfPieces } from './body/byte-stream.guest.ts';
import { joined, pieces, totalBytes } from './body/chunks.guest.ts';
import type { Chunks } from './body/chunks.guest.ts';
import { cancelSink, pump } from './body/pump.guest.ts';
import type { FormData, FormPart } from './form.guest.ts';
import type { MimePart, MimeType } from './mime.guest.ts';

export { cancelSink, pump };

export interface BodyPart {
  extract(init: unknown): BodyState;
  stream(state: BodyState): ReadableStreamLike;
  text(state: BodyState): Promise<string>;
  arrayBuffer(owner: BodyOwner): Promise<ArrayBuffer>;
  blob(owner: BodyOwner): Promise<Blob>;
  bytes(owner: BodyOwner): Promise<Uint8Array<ArrayBuffer>>;
  formData(owner: BodyOwner): Promise<FormData>;
  clone(owner: BodyOwner): BodyState;
  transfer(state: BodyState): BodyState;
  isUnusable(state: BodyState): boolean;
  send(state: BodyState): Outgoing;
  pump(sink: number, source: ChunkSource): Promise<void>;
  cancelSink(sink: number, reason?: unknown): void;
}


function bodyOf(kind: number, value: unknown, type: string): BodyState {
  return { kind, value, type, used: false, stream: null, guard: null };
}

function streamBody(stream: ReadableStreamLike): BodyState {
  return { kind: OWN_KIND.stream, value: stream, type: '', used: false, stream, guard: null };
}

/** Streams that stand for a body of ours: who is given one has the body itself, which can then be piped outside of the isolate. */
const origins = new WeakMap<object, BodyState>();

export function extract(init: unknown): BodyState {
  if ((typeof init === 'object' && init !== null) || typeof init === 'function') {
    if (isReadableStream(init)) {
      if (init.locked || isDisturbed(init)) throw new NativeTypeError('the stream is locked or was read');
      return (WeakMapPrototypeGet(origins, init) as BodyState | undefined) ?? streamBody(init);
    }
    // Copied: what the author changes later is not sent.
    if (ArrayBufferIsView(init) || init instanceof NativeArrayBuffer) return bodyOf(BODY_KIND.bytes, Uint8ArrayPrototypeSlice(bytesOf(init)), '');
    const blob = partIfLoaded<BlobPart>('blob')?.contentOf(init);
    if (blob !== undefined) return bodyOf(OWN_KIND.chunks, blob.chunks, blob.type);
    const form = partIfLoaded<FormPart>('form')?.encodeForm(init);
    if (form !== undefined) return bodyOf(OWN_KIND.chunks, form.chunks, form.type);
    const parameters = searchParamsText(init);
    if (parameters !== undefined) return textBody(parameters, 'application/x-www-form-urlencoded;charset=UTF-8');
  }
  return textBody(`${init as string}`, TEXT_TYPE);
}

// ---- streams

export function stream(state: BodyState): ReadableStreamLike {
  state.type = '';
  if (state.used) {
    // Read before anybody asked for the stream: it has ended, and its reader holds it.
    state.stream = streamOfPieces(() => () => null);
    void state.stream.getReader().read();
    return state.stream;
  }
  const cancelled = (): void => {
    state.used = true;
  };
  state.stream = state.kind === BODY_KIND.handle ? handleStream(state, cancelled) : streamOfPieces(() => pieces(chunksOf(state), PIECE_BYTES), cancelled);
  WeakMapPrototypeSet(origins, state.stream, state);
  return state.stream;
}

function handleStream(state: BodyState, cancelled: () => void): ReadableStreamLike {
  const { guard } = state;
  return new (loadStreams().ReadableStream)(
    {
      type: 'bytes',
      start(controller: ByteController) {
        guard?.whenAborted(() => controller.error(guard.reason));
        if (guard?.aborted === true) controller.error(guard.reason);
      },
      async pull(controller) {
        let chunk: ArrayBuffer | null;
        do chunk = (await opOrWait(OP.bodyRead, state.value)) as ArrayBuffer | null;
        while (chunk !== null && chunk.byteLength === 0);
        if (guard?.aborted === true) return;
        if (chunk === null) {
          guard?.end();
          closeBytes(controller);
        } else {
          controller.enqueue(new NativeUint8Array(chunk));
        }
      },
      cancel() {
        cancelled();
        guard?.end();
        op(OP.bodyCancel, state.value);
      },
    },
    { highWaterMark: 0 },
  );
}

// ---- reads

export function isUnusable(state: BodyState): boolean {
  return state.used || (state.stream !== null && (state.stream.locked || isDisturbed(state.stream)));
}

/** From here on the body is its reader's alone. */
function claim(state: BodyState): void {
  if (isUnusable(state)) throw new NativeTypeError('the body has already been read, or its stream is locked');
  if (state.kind === BODY_KIND.none) return;
  state.used = true;
  if (state.stream !== null && state.kind !== OWN_KIND.stream) void state.stream.getReader();
}

/** The bytes of a body that is whole in here. They are shared: nobody may change them. */
function chunksOf(state: BodyState): Chunks {
  switch (state.kind) {
    case BODY_KIND.text:
      return [encodeUtf8(state.value as string)];
    case BODY_KIND.bytes:
      return [state.value as Uint8Array];
    case OWN_KIND.chunks:
      return state.value as Chunks;
    default:
      return [];
  }
}

async function fromHost(state: BodyState, code: number): Promise<unknown> {
  const { guard } = state;
  if (guard === null) return opOrWait(code, state.value);
  const value = await guard.race(() => opOrWait(code, state.value));
  guard.end();
  return value;
}

/** All bytes, as chunks that may be shared with the body. */
async function content(state: BodyState): Promise<Chunks> {
  claim(state);
  if (state.kind === BODY_KIND.handle) return [new NativeUint8Array((await fromHost(state, OP.bodyBytes)) as ArrayBuffer)];
  return state.kind === OWN_KIND.stream ? drain(state.stream as ReadableStreamLike) : chunksOf(state);
}

async function drain(from: ReadableStreamLike): Promise<Chunks> {
  const reader = from.getReader();
  const chunks: Uint8Array[] = [];
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return chunks;
    if (typedArrayName(value as object) !== 'Uint8Array') throw new NativeTypeError('a body stream must give Uint8Array chunks');
    chunks[chunks.length] = value as Uint8Array;
  }
}

export async function text(state: BodyState): Promise<string> {
  if (state.kind === BODY_KIND.text || state.kind === BODY_KIND.handle) {
    claim(state);
    return state.kind === BODY_KIND.text ? withoutMark(StringPrototypeToWellFormed(state.value as string)) : ((await fromHost(state, OP.bodyText)) as string);
  }
  const chunks = await content(state);
  return withoutMark(decodeUtf8(joined(chunks, totalBytes(chunks))));
}

export async function bytes({ body }: BodyOwner): Promise<Uint8Array<ArrayBuffer>> {
  const chunks = await content(body);
  const all = joined(chunks, totalBytes(chunks));
  // What the body shares stays its own.
  return body.kind === BODY_KIND.bytes || body.kind === OWN_KIND.chunks ? Uint8ArrayPrototypeSlice(all) : all;
}

export async function arrayBuffer(owner: BodyOwner): Promise<ArrayBuffer> {
  const all = await bytes(owner);
  const buffer = TypedArrayBuffer(all);
  const offset = TypedArrayByteOffset(all);
  return all.length === buffer.byteLength ? buffer : ArrayBufferPrototypeSlice(buffer, offset, offset + all.length);
}

/** "Get the MIME type" (Fetch standard, section 5.3). */
function mimeOf(owner: BodyOwner): MimeType | null {
  owner.headers ??= parseHeaders(owner.headText, false);
  return loadPart<MimePart>('mime').extractMime(findHeader(owner.headers, 'content-type'));
}

export async function blob(owner: BodyOwner): Promise<Blob> {
  const chunks = await content(owner.body);
  const mime = mimeOf(owner);
  const { blobOf, cleanType } = loadPart<BlobPart>('blob');
  return blobOf(chunks, mime === null ? '' : cleanType(loadPart<MimePart>('mime').serialiseMime(mime)));
}

export async function formData(owner: BodyOwner): Promise<FormData> {
  const chunks = await content(owner.body);
  return loadPart<FormPart>('form').decodeForm(joined(chunks, totalBytes(chunks)), mimeOf(owner));
}

// ---- clones

/** A second body of one; the first one may become a branch of its stream. */
export function clone(owner: BodyOwner): BodyState {
  const state = owner.body;
  if (isUnusable(state)) throw new NativeTypeError('the body has already been read, or its stream is locked');
  if (state.kind === BODY_KIND.none) return NO_BODY;
  if (state.kind !== BODY_KIND.handle && state.kind !== OWN_KIND.stream) return bodyOf(state.kind, state.value, state.type);
  const [mine, theirs] = ((state.stream ?? stream(state)) as ReadableStreamLike & { tee(): [ReadableStreamLike, ReadableStreamLike] }).tee();
  owner.body = streamBody(mine);
  // The second branch has chunks of its own (Streams standard, "ReadableStreamTee" with cloneForBranch2).
  return streamBody(state.kind === OWN_KIND.stream ? passing(theirs, copyOf) : theirs);
}

/** The body moves on to another owner; this one's is used from now on (Fetch standard, "create a proxy"). */
export function transfer(state: BodyState): BodyState {
  claim(state);
  if (state.kind === OWN_KIND.stream) return streamBody(passing(state.stream as ReadableStreamLike, (chunk) => chunk));
  return { kind: state.kind, value: state.value, type: '', used: false, stream: null, guard: state.guard };
}

/** A stream that gives what another one gives. */
function passing(branch: ReadableStreamLike, change: (chunk: unknown) => unknown): ReadableStreamLike {
  const { ReadableStream } = loadStreams() as unknown as { ReadableStream: new (source: object, strategy: object) => ReadableStreamLike };
  const reader = branch.getReader();
  return new ReadableStream(
    {
      async pull(controller: { enqueue(chunk: unknown): void; close(): void }) {
        const { done, value } = await reader.read();
        if (done) controller.close();
        else controller.enqueue(change(value));
      },
      cancel: (reason: unknown) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}

function copyOf(chunk: unknown): unknown {
  if (ArrayBufferIsView(chunk)) {
    const { buffer } = Uint8ArrayPrototypeSlice(bytesOf(chunk));
    return new (chunk.constructor as new (buffer: ArrayBufferLike) => unknown)(buffer);
  }
  return chunk instanceof NativeArrayBuffer ? ArrayBufferPrototypeSlice(chunk, 0, chunk.byteLength) : chunk;
}

// ---- on the way out

/** Pieces of a text or of chunks that must not cross at once. */
function inPieces(value: string | Chunks): ChunkSource {
  let at = 0;
  const next = typeof value === 'string' ? nextOfText : pieces(value, PIECE_BYTES);
  function nextOfText(): Uint8Array | null {
    const from = at;
    if (from >= (value as string).length) return null;
    at = pieceEnd(value as string, from, PIECE_BYTES);
    return encodeUtf8(StringPrototypeSlice(value as string, from, at));
  }
  return {
    getReader: () => ({
      read: async () => {
        const piece = next();
        return piece === null ? { done: true } : { done: false, value: piece };
      },
      cancel: async () => {},
    }),
  };
}

function failing(reason: unknown): ChunkSource {
  return {
    getReader: () => ({
      read: async () => {
        throw reason;
      },
      cancel: async () => {},
    }),
  };
}

export function send(state: BodyState): Outgoing {
  claim(state);
  switch (state.kind) {
    case BODY_KIND.none:
      return { kind: BODY_KIND.none, value: undefined, source: null };
    case BODY_KIND.handle:
      // Piped outside; the guard goes on to watch, and takes the pipe's source away.
      if (state.guard?.aborted === true) return { kind: BODY_KIND.sink, value: nextId(), source: failing(state.guard.reason) };
      return { kind: BODY_KIND.handle, value: state.value, source: null };
    case BODY_KIND.text: {
      const whole = state.value as string;
      return whole.length > MAX_CROSSING ? { kind: BODY_KIND.sink, value: nextId(), source: inPieces(whole) } : { kind: BODY_KIND.text, value: whole, source: null };
    }
    case OWN_KIND.stream:
      return { kind: BODY_KIND.sink, value: nextId(), source: state.stream };
    default: {
      const chunks = chunksOf(state);
      const total = totalBytes(chunks);
      if (total > MAX_CROSSING) return { kind: BODY_KIND.sink, value: nextId(), source: inPieces(chunks) };
      return { kind: BODY_KIND.bytes, value: exactBytes(joined(chunks, total)), source: null };
    }
  }
}
