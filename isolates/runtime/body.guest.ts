// Bodies of requests and responses (Fetch standard, section 2.2.5 and 5.3). What came from outside stays with the host, behind a handle, until it is read.
import { BODY_KIND, MAX_CROSSING, OP } from './abi.ts';
import { bytesOf, decodeUtf8, encodeUtf8, pieceEnd } from './encoding.guest.ts';
import { nextId, op, opOrWait, expectSettlement } from './host.guest.ts';
import {
  ArrayBufferIsView, ArrayBufferPrototypeSlice, JSONParse, NativeArrayBuffer, NativeError, NativeMap, NativeString, NativeTypeError, NativeUint8Array, MapPrototypeDelete, MapPrototypeGet,
  MapPrototypeSet, StringPrototypeSlice, TypedArrayBuffer, TypedArrayPrototypeSubarray, Uint8ArrayPrototypeSet, Uint8ArrayPrototypeSlice, WeakMapPrototypeGet, WeakMapPrototypeSet, exactBytes, typedArrayName,
} from './primordials.guest.ts';
import { describeThrown } from './errors.guest.ts';
import { isReadableStream, loadStreams } from './streams.guest.ts';
import type { ReadableStreamLike, StreamReader } from './streams.guest.ts';
import { searchParamsText } from './url.guest.ts';

/** `value`: text, bytes, a handle's number or a stream, by `kind`. */
export interface BodyState {
  kind: number;
  value: unknown;
  /** Read, or given away. */
  used: boolean;
  /** Made when `body` is asked for; reads go through it from then on. */
  stream: ReadableStreamLike | null;
}

/** Kind of a stream that the function made: beside BODY_KIND, inside the isolate only. */
const STREAM = 5;

export function emptyBody(): BodyState {
  return { kind: BODY_KIND.none, value: undefined, used: false, stream: null };
}

export function handleBody(handle: number): BodyState {
  return handle === 0 ? emptyBody() : { kind: BODY_KIND.handle, value: handle, used: false, stream: null };
}

/** Streams that stand for a body of ours, so that an untouched one is given back as what it was. */
const origins = new WeakMap<object, BodyState>();

/** Extracts a body (Fetch standard, "extract a body"); `type` is the content type that the value implies, or ''. */
export function extractBody(init: unknown): { readonly body: BodyState; readonly type: string } {
  if (init === null || init === undefined) return { body: emptyBody(), type: '' };
  if (typeof init === 'string') return { body: { kind: BODY_KIND.text, value: init, used: false, stream: null }, type: 'text/plain;charset=UTF-8' };
  if (typeof init === 'object') {
    if (ArrayBufferIsView(init) || init instanceof NativeArrayBuffer) {
      // A copy: what the author changes later is not sent.
      return { body: { kind: BODY_KIND.bytes, value: Uint8ArrayPrototypeSlice(bytesOf(init)), used: false, stream: null }, type: '' };
    }
    if (isReadableStream(init)) {
      const origin = WeakMapPrototypeGet(origins, init) as BodyState | undefined;
      if (init.locked) throw new NativeTypeError('the stream is locked');
      if (origin !== undefined && !origin.used) {
        // Never touched: the body itself moves on, and the stream is left locked, as if piped.
        init.getReader();
        origin.used = true;
        return { body: { kind: origin.kind, value: origin.value, used: false, stream: null }, type: '' };
      }
      return { body: { kind: STREAM, value: init, used: false, stream: init }, type: '' };
    }
    const form = searchParamsText(init);
    if (form !== undefined) {
      return { body: { kind: BODY_KIND.text, value: form, used: false, stream: null }, type: 'application/x-www-form-urlencoded;charset=UTF-8' };
    }
  }
  return { body: { kind: BODY_KIND.text, value: NativeString(init), used: false, stream: null }, type: 'text/plain;charset=UTF-8' };
}

/** `body` of a request or response. */
export function bodyStream(state: BodyState): ReadableStreamLike | null {
  if (state.kind === BODY_KIND.none) return null;
  if (state.stream === null) {
    state.stream = makeStream(state);
    WeakMapPrototypeSet(origins, state.stream, state);
  }
  return state.stream;
}

function makeStream(state: BodyState): ReadableStreamLike {
  const { ReadableStream } = loadStreams();
  const { kind, value } = state;
  return new ReadableStream(
    {
      type: 'bytes',
      async pull(controller) {
        state.used = true;
        let chunk: Uint8Array | null;
        if (kind === BODY_KIND.handle) {
          const bytes = (await opOrWait(OP.bodyRead, value)) as ArrayBuffer | null;
          chunk = bytes === null ? null : new NativeUint8Array(bytes);
        } else {
          chunk = state.kind === kind ? (kind === BODY_KIND.text ? encodeUtf8(value as string) : (value as Uint8Array)) : null;
          state.kind = STREAM;
        }
        if (chunk === null || chunk.length === 0) {
          controller.close();
          controller.byobRequest?.respond(0);
        } else {
          controller.enqueue(chunk);
        }
      },
      cancel() {
        state.used = true;
        if (kind === BODY_KIND.handle) op(OP.bodyCancel, value);
      },
    },
    { highWaterMark: 0 },
  );
}

export function isUsed(state: BodyState): boolean {
  return state.used;
}

function use(state: BodyState): void {
  if (state.used || state.stream?.locked === true) throw new NativeTypeError('the body has already been read');
  if (state.kind !== BODY_KIND.none) state.used = true;
}

export async function readText(state: BodyState): Promise<string> {
  use(state);
  switch (state.kind) {
    case BODY_KIND.none:
      return '';
    case BODY_KIND.text:
      return state.value as string;
    case BODY_KIND.handle:
      return (await opOrWait(OP.bodyText, state.value)) as string;
    default:
      return withoutMark(decodeUtf8(state.kind === BODY_KIND.bytes ? (state.value as Uint8Array) : await drain(state)));
  }
}

function withoutMark(text: string): string {
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}

export async function readBytes(state: BodyState): Promise<Uint8Array<ArrayBuffer>> {
  use(state);
  switch (state.kind) {
    case BODY_KIND.none:
      return new NativeUint8Array(0);
    case BODY_KIND.text:
      return encodeUtf8(state.value as string);
    case BODY_KIND.handle:
      return new NativeUint8Array((await opOrWait(OP.bodyBytes, state.value)) as ArrayBuffer);
    case BODY_KIND.bytes:
      return Uint8ArrayPrototypeSlice(state.value as Uint8Array);
    default:
      return drain(state);
  }
}

export async function readBuffer(state: BodyState): Promise<ArrayBuffer> {
  const bytes = await readBytes(state);
  const buffer = TypedArrayBuffer(bytes);
  return bytes.length === buffer.byteLength ? buffer : ArrayBufferPrototypeSlice(buffer, bytes.byteOffset, bytes.byteOffset + bytes.length);
}

export async function readJson(state: BodyState): Promise<unknown> {
  return JSONParse(await readText(state));
}

/** All bytes of a stream that the function made. */
async function drain(state: BodyState): Promise<Uint8Array<ArrayBuffer>> {
  const reader = (state.stream as ReadableStreamLike).getReader();
  const chunks: Uint8Array[] = [];
  let total = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    const bytes = chunkBytes(value);
    chunks[chunks.length] = bytes;
    total += bytes.length;
  }
  const all = new NativeUint8Array(total);
  let at = 0;
  for (let i = 0; i < chunks.length; i++) {
    const chunk = chunks[i] as Uint8Array;
    Uint8ArrayPrototypeSet(all, chunk, at);
    at += chunk.length;
  }
  return all;
}

function chunkBytes(value: unknown): Uint8Array {
  if (typedArrayName(value as object) !== 'Uint8Array') throw new NativeTypeError('a body stream must give Uint8Array chunks');
  return value as Uint8Array;
}

/** Two bodies of one: `clone()`. Text and bytes are shared, everything else is teed. */
export function cloneBody(state: BodyState): BodyState {
  if (state.used || state.stream?.locked === true) throw new NativeTypeError('the body has already been read');
  if (state.kind === BODY_KIND.none || state.kind === BODY_KIND.text || state.kind === BODY_KIND.bytes) {
    return { kind: state.kind, value: state.value, used: false, stream: null };
  }
  const [mine, theirs] = (bodyStream(state) as unknown as { tee(): [ReadableStreamLike, ReadableStreamLike] }).tee();
  state.kind = STREAM;
  state.value = mine;
  state.stream = mine;
  state.used = false;
  return { kind: STREAM, value: theirs, used: false, stream: theirs };
}

/** Where a body's chunks come from. */
export interface ChunkSource {
  getReader(): Pick<StreamReader, 'read' | 'cancel'>;
}

/** A body on its way out: what crosses, and the source that is pumped into its sink after the operation that names it. */
export interface Outgoing {
  readonly kind: number;
  readonly value: unknown;
  readonly source: ChunkSource | null;
}

const PIECE = 65_536;

/** A large text or array as a source of pieces: it must not cross at once. */
function inPieces(value: string | Uint8Array): ChunkSource {
  let at = 0;
  const next = (): { done: boolean; value?: unknown } => {
    if (at >= value.length) return { done: true };
    const from = at;
    at = typeof value === 'string' ? pieceEnd(value, at, PIECE) : at + PIECE;
    return { done: false, value: typeof value === 'string' ? encodeUtf8(StringPrototypeSlice(value, from, at)) : Uint8ArrayPrototypeSlice(value, from, at) };
  };
  return { getReader: () => ({ read: async () => next(), cancel: async () => {} }) };
}

export function sendBody(state: BodyState): Outgoing {
  use(state);
  switch (state.kind) {
    case BODY_KIND.none:
    case BODY_KIND.handle:
      return { kind: state.kind, value: state.value, source: null };
    case BODY_KIND.text:
    case BODY_KIND.bytes: {
      const value = state.value as string | Uint8Array;
      if (value.length > MAX_CROSSING) return { kind: BODY_KIND.sink, value: nextId(), source: inPieces(value) };
      return { kind: state.kind, value: typeof value === 'string' ? value : exactBytes(value), source: null };
    }
    default:
      return { kind: BODY_KIND.sink, value: nextId(), source: state.stream };
  }
}

interface Sink {
  readonly reader: Pick<StreamReader, 'read' | 'cancel'>;
}

const sinks = new NativeMap<number, Sink>();
const DRAIN_BIT = 0.5;

/** Moves a source into a sink of the host, chunk by chunk, at the pace of its reader. */
export async function pump(id: number, source: ChunkSource): Promise<void> {
  let reader: Sink['reader'] | undefined;
  try {
    reader = source.getReader();
    MapPrototypeSet(sinks, id, { reader });
    for (;;) {
      const { done, value } = await reader.read();
      if (MapPrototypeGet(sinks, id) === undefined) return;
      if (done) break;
      const bytes = chunkBytes(value);
      for (let at = 0; at < bytes.length; at += MAX_CROSSING) {
        const piece = bytes.length <= MAX_CROSSING ? bytes : TypedArrayPrototypeSubarray(bytes, at, at + MAX_CROSSING);
        if (op(OP.sinkWrite, id, exactBytes(piece)) !== 1) await expectSettlement(id + DRAIN_BIT);
        if (MapPrototypeGet(sinks, id) === undefined) return;
      }
    }
    MapPrototypeDelete(sinks, id);
    op(OP.sinkEnd, id);
  } catch (thrown) {
    MapPrototypeDelete(sinks, id);
    const { message, stack } = describeThrown(thrown);
    op(OP.sinkError, id, message, stack);
    void reader?.cancel(thrown).catch(ignore);
  }
}

function ignore(): void {
  // The stream has failed already; its cancel may fail too.
}

/** Nobody reads the sink any more. */
export function cancelSink(id: number): void {
  const sink = MapPrototypeGet(sinks, id) as Sink | undefined;
  if (sink === undefined) return;
  MapPrototypeDelete(sinks, id);
  void sink.reader.cancel(new NativeError('the reader is gone')).catch(ignore);
}

/** Settlement id of a sink's "go on": sinks share the numbers with operations, their waits lie between. */
export function drainId(sink: number): number {
  return sink + DRAIN_BIT;
}
