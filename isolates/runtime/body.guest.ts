// Bodies of requests and responses (Fetch standard, sections 2.2.5 and 5.3): what a plain handler needs of them. The rest is the part `body`.
// What came from outside stays with the host, behind a handle, until it is read.
import { BODY_KIND, MAX_CROSSING, OP } from './abi.ts';
import type { Headers } from './headers.guest.ts';
import { opOrWait } from './host.guest.ts';
import { loadPart, partIfLoaded } from './parts.guest.ts';
import type { BodyPart } from './parts/body.guest.ts';
import type { AbortGuard } from './parts/body/abort-guard.guest.ts';
import { JSONParse, NativeTypeError, StringPrototypeCharCodeAt, StringPrototypeSlice, StringPrototypeToWellFormed } from './primordials.guest.ts';
import { isDisturbed } from './streams.guest.ts';
import type { ReadableStreamLike, StreamReader } from './streams.guest.ts';

/** Kinds of bodies beside those of BODY_KIND; these never cross. */
export const OWN_KIND = {
  /** A stream that the function made. */
  stream: 5,
  /** Bytes in several arrays that nobody changes: of a large Blob, of a form. */
  chunks: 6,
} as const;

/** `value`: text, bytes, a handle's number or chunks, by `kind`. */
export interface BodyState {
  readonly kind: number;
  readonly value: unknown;
  /** Content type that the value implies; '' for none, and once it has been given away as a stream. */
  type: string;
  /** Read, or given away. */
  used: boolean;
  /** Made when `body` is asked for; reads go through it from then on. */
  stream: ReadableStreamLike | null;
  /** Of a body that a signal can end. */
  readonly guard: AbortGuard | null;
}

/** What has a body and headers: the state of a request or a response. */
export interface BodyOwner {
  body: BodyState;
  headers: Headers | undefined;
  headText: string;
}

export const TEXT_TYPE = 'text/plain;charset=UTF-8';

/** The body of everything that has none: shared, never used up. */
export const NO_BODY: BodyState = { kind: BODY_KIND.none, value: undefined, type: '', used: false, stream: null, guard: null };

export function textBody(text: string, type: string): BodyState {
  return { kind: BODY_KIND.text, value: text, type, used: false, stream: null, guard: null };
}

export function handleBody(handle: number, guard: AbortGuard | null = null): BodyState {
  return handle === 0 ? NO_BODY : { kind: BODY_KIND.handle, value: handle, type: '', used: false, stream: null, guard };
}

function part(): BodyPart {
  return loadPart<BodyPart>('body');
}

/** Extracts a body (Fetch standard, "extract a body"). Throws a TypeError for a stream that is locked or was read. */
export function extractBody(init: unknown): BodyState {
  return init === null || init === undefined ? NO_BODY : typeof init === 'string' ? textBody(init, TEXT_TYPE) : part().extract(init);
}

/** `body` of a request or response. */
export function bodyStream(state: BodyState): ReadableStreamLike | null {
  return state.kind === BODY_KIND.none ? null : (state.stream ?? part().stream(state));
}

export function isUsed(state: BodyState): boolean {
  return state.used || (state.stream !== null && isDisturbed(state.stream));
}

/** Whether a plain read will do: nobody has seen the body as a stream, and no signal can end it. */
function isPlain(state: BodyState): boolean {
  return state.stream === null && state.guard === null && (state.kind === BODY_KIND.text || state.kind === BODY_KIND.handle || state.kind === BODY_KIND.none);
}

function use(state: BodyState): void {
  if (state.used) throw new NativeTypeError('the body has already been read');
  if (state.kind !== BODY_KIND.none) state.used = true;
}

export async function readText(state: BodyState): Promise<string> {
  if (!isPlain(state)) return part().text(state);
  use(state);
  if (state.kind === BODY_KIND.handle) return (await opOrWait(OP.bodyText, state.value)) as string;
  return state.kind === BODY_KIND.none ? '' : withoutMark(StringPrototypeToWellFormed(state.value as string));
}

/** Text as "UTF-8 decode" gives it, without a byte order mark. */
export function withoutMark(text: string): string {
  return StringPrototypeCharCodeAt(text, 0) === 0xfeff ? StringPrototypeSlice(text, 1) : text;
}

export async function readJson(state: BodyState): Promise<unknown> {
  return JSONParse(await readText(state));
}

/** The reads that fewer functions use. */
export async function readAs(how: 'arrayBuffer' | 'blob' | 'bytes' | 'formData', owner: BodyOwner): Promise<never> {
  return part()[how](owner) as Promise<never>;
}

/** What a method that returns a promise answers when it is called on something else. */
export async function illegal(): Promise<never> {
  throw new NativeTypeError('Illegal invocation');
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

/** Gives the body away. Throws a TypeError when it has been read. */
export function sendBody(state: BodyState): Outgoing {
  if (!isPlain(state) || (state.kind === BODY_KIND.text && (state.value as string).length > MAX_CROSSING)) return part().send(state);
  use(state);
  return { kind: state.kind, value: state.value, source: null };
}

/** Moves a source into a sink of the host, chunk by chunk, at the pace of its reader. Never rejects. */
export function pump(sink: number, source: ChunkSource): Promise<void> {
  return part().pump(sink, source);
}

/** Nobody reads the sink any more; `reason` goes to its source. */
export function cancelSink(sink: number, reason?: unknown): void {
  partIfLoaded<BodyPart>('body')?.cancelSink(sink, reason);
}

/** Settlement id of a sink's "go on": sinks share the numbers with operations, their waits lie between. */
export function drainId(sink: number): number {
  return sink + 0.5;
}
