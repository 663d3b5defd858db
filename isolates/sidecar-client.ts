// The host's side of the sidecar protocol: calls by id, their bodies, and what happens to them when the sidecar dies.
import { isErrorCode } from '../core/errors/index.ts';
import { BODY, FRAME, ReconnectingPeer } from '../core/protocol/index.ts';
import type { Frame, FrameConnection, Identity } from '../core/protocol/index.ts';
import { IncomingBody } from './bodies/incoming-body.ts';
import { OutgoingBody } from './bodies/outgoing-body.ts';

/** Calls that wait for a connection; more are refused. */
const MAX_WAITING = 10_000;

/** A call of a middleware client on its way. */
export interface CallRequest {
  readonly client: string;
  readonly operation: string;
  /** Whether doing it twice is as good as once. */
  readonly repeatable: boolean;
  readonly head: string;
  /** Inline body, or null. */
  readonly body: Uint8Array | string | null;
  /** The body follows as a stream. */
  readonly streams: boolean;
  /** `performance.now()` at which the caller gives up. */
  readonly deadlineMs: number;
  readonly traceparent: string;
  readonly tenant: string;
  readonly fn: string;
  readonly invocation: string;
  /** Its invocation repeats one that was answered. */
  readonly shadow: boolean;
  /** Called once: the answer's head and its body. */
  onReply(head: string, body: IncomingBody | null): void;
  /** Called once, instead of `onReply`. */
  onFail(code: string, message: string): void;
}

class Call {
  readonly request: CallRequest;
  id = 0;
  connection: FrameConnection | null = null;
  reply: IncomingBody | null = null;
  upload: OutgoingBody | null = null;
  /** The answer has begun, or the call has failed. */
  settled = false;
  timer: NodeJS.Timeout | null = null;

  constructor(request: CallRequest) {
    this.request = request;
  }
}

export type { Call };

/** A little more than the deadline: the sidecar keeps it, and says why; this is for a sidecar that does not answer at all. */
const GRACE_MS = 250;

export class SidecarClient {
  readonly #peer: ReconnectingPeer;
  readonly #calls = new Map<number, Call>();
  readonly #waiting = new Set<Call>();
  #nextId = 1;

  constructor(path: string, self: Identity) {
    this.#peer = new ReconnectingPeer(path, { self, accepts: ['sidecar'] }, {
      onOpen: () => this.#sendWaiting(),
      onFrame: (frame) => this.#onFrame(frame),
      onClose: () => this.#onLost(),
    });
  }

  get underWay(): number {
    return this.#calls.size + this.#waiting.size;
  }

  close(): void {
    this.#peer.close();
  }

  start(request: CallRequest): Call {
    const call = new Call(request);
    const leftMs = Math.max(1, request.deadlineMs - performance.now());
    call.timer = setTimeout(() => this.#fail(call, 'upstream_timeout', `no answer within ${Math.round(leftMs)} ms`, true), leftMs + GRACE_MS);
    const { connection } = this.#peer;
    if (connection !== undefined) this.#send(call, connection);
    else if (this.#waiting.size < MAX_WAITING) this.#waiting.add(call);
    else this.#fail(call, 'sidecar_lost', 'the sidecar is not available', false);
    return call;
  }

  /** The caller lost interest: neither callback comes any more. */
  cancel(call: Call): void {
    call.settled = true;
    call.reply?.abandon();
    this.#release(call, true);
  }

  #send(call: Call, connection: FrameConnection): void {
    const { request } = call;
    call.id = this.#nextId++;
    call.connection = connection;
    this.#calls.set(call.id, call);
    const mode = request.streams ? BODY.stream : request.body === null ? BODY.none : BODY.inline;
    const leftMs = Math.max(1, request.deadlineMs - performance.now());
    connection.send([
      FRAME.call, call.id, request.client, request.operation, request.head, mode, mode === BODY.inline ? request.body : null,
      leftMs, request.traceparent, request.tenant, request.fn, request.invocation, request.shadow,
    ]);
    if (request.streams) call.upload ??= new OutgoingBody(connection, call.id);
  }

  #sendWaiting(): void {
    const { connection } = this.#peer;
    if (connection === undefined) return;
    for (const call of this.#waiting) {
      this.#waiting.delete(call);
      this.#send(call, connection);
    }
  }

  #onFrame(frame: Frame): void {
    switch (frame[0]) {
      case FRAME.reply: {
        const [, id, head, mode, whole] = frame;
        const call = this.#calls.get(id);
        if (call === undefined || call.settled) return;
        call.settled = true;
        if (call.timer !== null) clearTimeout(call.timer);
        if (mode === BODY.stream) {
          const body = new IncomingBody(null, {
            grant: (bytes) => call.connection?.send([FRAME.credit, id, bytes]),
            abandon: () => this.#release(call, true),
          });
          call.reply = body;
          call.request.onReply(head, body);
        } else {
          this.#release(call, false);
          call.request.onReply(head, mode === BODY.none ? null : new IncomingBody(whole as Uint8Array | string));
        }
        return;
      }
      case FRAME.data: {
        const call = this.#calls.get(frame[1]);
        if (call?.reply?.push(frame[2]) === false) this.#fail(call, 'upstream_failed', 'the sidecar ignored its credit', true);
        return;
      }
      case FRAME.end: {
        const call = this.#calls.get(frame[1]);
        if (call === undefined) return;
        this.#release(call, false);
        call.reply?.end();
        return;
      }
      case FRAME.fail: {
        const [, id, code, , , , detail] = frame;
        const call = this.#calls.get(id);
        if (call !== undefined) this.#fail(call, isErrorCode(code) ? code : 'upstream_failed', detail ?? 'the upstream failed', false);
        return;
      }
      case FRAME.credit:
        this.#calls.get(frame[1])?.upload?.grant(frame[2]);
        return;
      case FRAME.cancel:
        // The sidecar reads no more of the upload; its answer still comes.
        this.#calls.get(frame[1])?.upload?.close();
        return;
      default:
    }
  }

  /** Calls whose repetition is safe go to the next sidecar within their deadline; the others fail typed. */
  #onLost(): void {
    for (const call of Array.from(this.#calls.values())) {
      const again = !call.settled && !call.request.streams && call.request.repeatable;
      this.#calls.delete(call.id);
      call.connection = null;
      if (again && performance.now() < call.request.deadlineMs) this.#waiting.add(call);
      else this.#fail(call, 'sidecar_lost', 'the sidecar was lost during the call', false);
    }
    this.#sendWaiting();
  }

  #fail(call: Call, code: string, message: string, tell: boolean): void {
    this.#release(call, tell);
    if (call.settled) {
      call.reply?.fail(code);
      return;
    }
    call.settled = true;
    call.request.onFail(code, message);
  }

  #release(call: Call, tell: boolean): void {
    if (call.timer !== null) clearTimeout(call.timer);
    this.#waiting.delete(call);
    call.upload?.close();
    if (this.#calls.delete(call.id) && tell) call.connection?.send([FRAME.cancel, call.id, 'client_gone']);
  }
}
