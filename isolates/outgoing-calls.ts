// Outgoing calls of one isolate: counted and queued per invocation, sent to the sidecar, settled in the isolate.
import { LOOP_FIELD, isIdempotent } from '../core/http/index.ts';
import { INLINE_BODY_BYTES } from '../core/protocol/index.ts';
import { SUBREQUESTS_AT_ONCE } from './limits.ts';
import { IncomingBody, toBuffer } from './bodies/incoming-body.ts';
import { pipe } from './bodies/outgoing-body.ts';
import type { OutgoingBody } from './bodies/outgoing-body.ts';
import type { HostServices } from './host-services.ts';
import type { Invocation } from './invocation.ts';
import { BODY_KIND, ENTER, MAX_HEAD_CHARACTERS, SERVICES } from './runtime/abi.ts';
import type { Call } from './sidecar-client.ts';
import type { Sink } from './sinks.ts';
import type { TenantIsolate } from './tenant-isolate.ts';

/** An upload that the isolate writes. Its call may still wait for a place: until then the first chunk is held. */
class UploadSink implements Sink {
  #body: OutgoingBody | null = null;
  #held: Buffer | null = null;
  #ended = false;
  #closed = false;
  #onDrain: (() => void) | null = null;
  readonly #onFail: (message: string) => void;
  readonly #onHold: (bytes: number) => void;

  /** @param onHold  told how many bytes are held until the call begins */
  constructor(onFail: (message: string) => void, onHold: (bytes: number) => void) {
    this.#onFail = onFail;
    this.#onHold = onHold;
  }

  get closed(): boolean {
    return this.#closed || this.#body?.closed === true;
  }

  attach(body: OutgoingBody): void {
    this.#body = body;
    const takesMore = this.#held === null || body.write(this.#held);
    this.#held = null;
    if (this.#ended) body.end();
    if (takesMore) this.#wake();
    else body.whenDrained(() => this.#wake());
  }

  close(): void {
    this.#closed = true;
    this.#body?.close();
    this.#wake();
  }

  write(bytes: Buffer): boolean {
    if (this.#body !== null) return this.#body.write(bytes);
    this.#held = bytes;
    this.#onHold(bytes.length);
    return false;
  }

  whenDrained(callback: () => void): void {
    if (this.#body !== null) this.#body.whenDrained(callback);
    else this.#onDrain = callback;
  }

  end(): void {
    this.#ended = true;
    this.#body?.end();
  }

  fail(message: string): void {
    this.#onFail(message);
  }

  flush(): void {
    this.#body?.flush();
  }

  #wake(): void {
    const callback = this.#onDrain;
    this.#onDrain = null;
    callback?.();
  }
}

/** Lines of a call, characters: two heads of the largest size, as a cache's put has. */
const MAX_CALL_HEAD = 2 * MAX_HEAD_CHARACTERS;

interface Entry {
  readonly owner: Invocation;
  /** What it takes to begin. */
  readonly head: string;
  readonly kind: number;
  readonly value: unknown;
  readonly service: number;
  readonly sink: UploadSink | null;
  call: Call | null;
  /** It has one of the invocation's places. */
  begun: boolean;
  /** Of its body, outside the isolate's own memory; given back when the call has its answer or never will. */
  heldBytes: number;
}

const MIB = 1_048_576;

/** Ended operations that one `start` tells the isolate of. */
const MAX_TOLD = 256;

export class OutgoingCalls {
  readonly #isolate: TenantIsolate;
  readonly #host: HostServices;
  readonly #entries = new Map<number, Entry>();
  /** Operations of ended invocations: each is told of once, so there are never more than calls were under way. */
  #ended: number[] = [];
  readonly #sinks = new Map<number, UploadSink>();
  /** Bodies of all calls: they lie in the host, where V8's limit does not count them, so they have the same one of their own. */
  #heldBytes = 0;

  constructor(isolate: TenantIsolate, host: HostServices) {
    this.#isolate = isolate;
    this.#host = host;
  }

  sink(id: number): Sink | undefined {
    return this.#sinks.get(id);
  }

  /** At the end of each entry. */
  flush(): void {
    if (this.#sinks.size === 0) return;
    for (const [id, sink] of this.#sinks) {
      sink.flush();
      if (sink.closed) this.#sinks.delete(id);
    }
  }

  /**
   * Settles later in every case: a call never answers within the operation that starts it.
   *
   * @param service  index of SERVICES
   * @returns operations whose invocations ended without an answer, parted by commas: the isolate still waits for them
   */
  start(owner: Invocation, operation: number, head: string, kind: number, value: unknown, service: number): string | undefined {
    if (SERVICES[service] === undefined || head.length > MAX_CALL_HEAD) throw new TypeError('no such call');
    const limit = owner.target.target.subrequests;
    if (owner.calls >= limit) {
      setImmediate(() => this.#reject(owner, operation, 'subrequest_limit_exceeded', `more than ${limit} outgoing calls in one invocation`));
      return undefined;
    }
    if (owner.cancelled) {
      setImmediate(() => this.#reject(owner, operation, 'upstream_failed', 'the client went away'));
      return undefined;
    }
    owner.calls += 1;
    const sinkId = kind === BODY_KIND.sink ? Number(value) : 0;
    const sink = sinkId === 0 ? null : new UploadSink(
      (message) => this.#fail(operation, 'upstream_failed', `the body of the request failed: ${message}`),
      (bytes) => this.#hold(operation, entry, bytes),
    );
    if (sink !== null) this.#sinks.set(sinkId, sink);
    const entry: Entry = { owner, head, kind, value, service, sink, call: null, begun: false, heldBytes: 0 };
    this.#entries.set(operation, entry);
    owner.callOperations ??= new Set();
    owner.callOperations.add(operation);
    if (kind === BODY_KIND.text || kind === BODY_KIND.bytes) this.#hold(operation, entry, (value as string | Uint8Array).length);
    if (!this.#entries.has(operation)) {
      // Its body was too much.
    } else if (owner.callsUnderWay < SUBREQUESTS_AT_ONCE) {
      this.#begin(operation, entry);
    } else {
      owner.waitingCalls ??= [];
      owner.waitingCalls.push(operation);
    }
    return this.#ended.length === 0 ? undefined : this.#ended.splice(0, MAX_TOLD).join(',');
  }

  /** Counts bytes of a body as the isolate's; a call whose body is too much for it fails. */
  #hold(operation: number, entry: Entry, bytes: number): void {
    entry.heldBytes += bytes;
    this.#heldBytes += bytes;
    if (this.#heldBytes > entry.owner.target.target.memoryMb * MIB) this.#fail(operation, 'overloaded', 'the bodies of outgoing calls under way are larger than limits.memoryMb');
  }

  #begin(operation: number, entry: Entry): void {
    const { owner, head, kind, value, service } = entry;
    entry.begun = true;
    owner.callsUnderWay += 1;
    const body = this.#bodyOf(kind, value);
    const inline = body !== null && body.complete ? body.take() : null;
    const streams = entry.sink !== null || (body !== null && !body.complete) || (typeof inline !== 'undefined' && inline !== null && inline.length > INLINE_BODY_BYTES);
    const [client, name] = SERVICES[service] as (typeof SERVICES)[number];
    const call = this.#host.sidecar.start({
      client,
      operation: name,
      repeatable: client !== 'http' || isIdempotent(head.slice(0, head.indexOf('\n'))),
      head: client === 'http' ? withLoop(head, owner) : head,
      body: streams ? null : (inline ?? null),
      streams,
      deadlineMs: owner.answered ? performance.now() + this.#host.lingerMs : owner.deadlineMs,
      traceparent: owner.header('traceparent'),
      tenant: owner.target.target.tenant,
      fn: owner.target.target.function,
      invocation: owner.printableId,
      shadow: owner.target.target.shadow,
      onReply: (replyHead, replyBody) => this.#onReply(operation, replyHead, replyBody),
      onFail: (code, message) => this.#fail(operation, code, message),
    });
    entry.call = call;
    const { upload } = call;
    if (upload === null) return;
    if (entry.sink !== null) entry.sink.attach(upload);
    else if (inline !== null && inline !== undefined) pipe(new IncomingBody(toBuffer(inline)), upload, () => {});
    else if (body !== null) pipe(body, upload, (error) => error !== null && this.#fail(operation, 'upstream_failed', 'the body of the request broke off'));
  }

  #bodyOf(kind: number, value: unknown): IncomingBody | null {
    if (kind === BODY_KIND.text || kind === BODY_KIND.bytes) return new IncomingBody(value instanceof Uint8Array ? value : String(value));
    return kind === BODY_KIND.handle ? (this.#isolate.body(value) ?? null) : null;
  }

  #onReply(operation: number, head: string, body: IncomingBody | null): void {
    const entry = this.#take(operation);
    if (entry === undefined) {
      body?.abandon();
      return;
    }
    const handle = body === null ? 0 : this.#isolate.addBody(body, entry.owner);
    this.#isolate.enter(entry.owner, ENTER.settle, operation, 1, head, handle);
  }

  #fail(operation: number, code: string, message: string): void {
    const entry = this.#take(operation);
    if (entry === undefined) return;
    entry.sink?.close();
    if (entry.call !== null) this.#host.sidecar.cancel(entry.call);
    // May come within the operation that started the call: an entry inside an entry is not possible.
    setImmediate(() => this.#reject(entry.owner, operation, code, message));
  }

  #reject(owner: Invocation, operation: number, code: string, message: string): void {
    this.#isolate.enter(owner, ENTER.settle, operation, 0, code, message);
  }

  /** The caller lost interest. */
  cancel(operation: number): void {
    const entry = this.#take(operation);
    if (entry === undefined) return;
    entry.sink?.close();
    if (entry.call !== null) this.#host.sidecar.cancel(entry.call);
  }

  /** All calls of an invocation that has ended or been cancelled; those that were waited for are rejected while it may still run. */
  cancelOf(owner: Invocation): void {
    if (owner.callOperations === null) return;
    // What waits never begins; else each call that is given up would let the next one out.
    owner.waitingCalls = null;
    for (const operation of Array.from(owner.callOperations)) {
      this.cancel(operation);
      if (owner.finished) this.#ended.push(operation);
      else setImmediate(() => this.#reject(owner, operation, 'upstream_failed', 'the client went away'));
    }
  }

  /** The call has its answer, or never will: its place goes to the next. An upload may go on while the answer is read. */
  #take(operation: number): Entry | undefined {
    const entry = this.#entries.get(operation);
    if (entry === undefined) return undefined;
    this.#entries.delete(operation);
    const { owner } = entry;
    this.#heldBytes -= entry.heldBytes;
    owner.callOperations?.delete(operation);
    if (entry.begun) {
      owner.callsUnderWay -= 1;
      this.#beginNext(owner);
    }
    return entry;
  }

  /** The first that waits and was not given up meanwhile. */
  #beginNext({ waitingCalls }: Invocation): void {
    if (waitingCalls === null) return;
    for (let operation = waitingCalls.shift(); operation !== undefined; operation = waitingCalls.shift()) {
      const entry = this.#entries.get(operation);
      if (entry === undefined) continue;
      this.#begin(operation, entry);
      return;
    }
  }
}

/** What the request has come through, behind the function's own fields: it may add to it, and take nothing away. */
function withLoop(head: string, owner: Invocation): string {
  const came = owner.header(LOOP_FIELD);
  return came === '' ? head : `${head}\n${LOOP_FIELD}\n${came}`;
}
