// One call under way: its deadline, the credits of both bodies, and its single final frame.
import { toPlatformError } from '../../core/errors/index.ts';
import type { ErrorCode, ErrorParams } from '../../core/errors/index.ts';
import { BODY, FRAME, MAX_DATA_BYTES, ReceiveWindow, SendWindow } from '../../core/protocol/index.ts';
import type { CallFrame } from '../../core/protocol/index.ts';
import type { Call, CallTask, MiddlewareClient } from './client.ts';
import type { HostSession } from './session.ts';
import { shadowName } from './side-effects.ts';

/** Node's timers take no more; a day is the longest limit that a function may have. */
const MAX_DEADLINE_MS = 86_400_000;

const onDeadline = (exchange: Exchange): void => exchange.expire();

export class Exchange implements Call {
  readonly id: number;
  readonly operation: string;
  readonly head: string;
  readonly body: Uint8Array | string | null;
  readonly streamed: boolean;
  readonly deadlineMs: number;
  readonly traceparent: string;
  readonly tenant: string;
  readonly fn: string;
  readonly invocation: string;
  /** Whose log its lines go to. */
  readonly #logOf: string;
  readonly #shadow: boolean;
  readonly #session: HostSession;
  #task: CallTask | undefined;
  #deadline: NodeJS.Timeout | undefined;
  #over = false;
  /** The request body: undefined when there is none, or it has ended. */
  #receive: ReceiveWindow | undefined;
  #receivedBytes = 0;
  #consumedBytes = 0;
  /** The client reads no more of the request body. */
  #bodyStopped = false;
  /** The reply's body; undefined before `replyStream`. */
  #send: SendWindow | undefined;
  readonly #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  /** `end` was called; the final frame follows what is queued. */
  #ending = false;
  /** The client was told to wait by `write`. */
  #blocked = false;

  constructor(frame: CallFrame, session: HostSession) {
    const mode = frame[5];
    this.id = frame[1];
    this.operation = frame[3];
    this.head = frame[4];
    this.body = frame[6];
    this.streamed = mode === BODY.stream;
    this.deadlineMs = Math.min(Math.ceil(frame[7]), MAX_DEADLINE_MS);
    this.traceparent = frame[8];
    this.#logOf = frame[10];
    this.#shadow = frame[12];
    this.tenant = this.#shadow ? shadowName(frame[9]) : frame[9];
    this.fn = this.#shadow ? shadowName(frame[10]) : frame[10];
    this.invocation = frame[11];
    this.#session = session;
    this.#receive = this.streamed ? new ReceiveWindow() : undefined;
  }

  /** Body bytes that this call holds in memory. */
  get heldBytes(): number {
    return this.#receivedBytes - this.#consumedBytes + this.#queuedBytes;
  }

  start(client: MiddlewareClient): void {
    if (this.deadlineMs === 0) {
      this.fail('upstream_timeout', { afterMs: 0 });
      return;
    }
    this.#deadline = setTimeout(onDeadline, this.deadlineMs, this);
    try {
      const task = client.start(this);
      if (!this.#over) this.#task = task;
    } catch (thrown) {
      const { code, params } = toPlatformError(thrown);
      this.fail(code, params);
    }
  }

  // --- frames from the host

  /** @returns what the host did wrong, or undefined */
  data(bytes: Uint8Array): string | undefined {
    const window = this.#receive;
    if (window === undefined) return 'body data that was not announced';
    window.received(bytes.length);
    if (window.overrun) return 'a body overran its window';
    this.#receivedBytes += bytes.length;
    this.#session.admission.hold(bytes.length);
    if (this.#bodyStopped) this.consumed(bytes.length);
    else if (bytes.length > 0) this.#task?.bodyData(bytes);
    return undefined;
  }

  /** @returns what the host did wrong, or undefined */
  bodyEnd(): string | undefined {
    if (this.#receive === undefined) return 'the end of a body that was not announced';
    this.#receive = undefined;
    if (!this.#bodyStopped) this.#task?.bodyEnd();
    return undefined;
  }

  /** @returns what the host did wrong, or undefined */
  credit(bytes: number): string | undefined {
    const window = this.#send;
    if (window === undefined) return 'credit for a body that was not begun';
    window.grant(bytes);
    if (window.overgranted) return 'more credit than was spent';
    this.pump();
    return undefined;
  }

  /** The host is no longer interested. It still gets its final frame. */
  cancel(): void {
    this.#finish(true);
    this.#session.sendFail(this.id, 'upstream_failed', { why: 'cancelled' });
  }

  /** The host is gone: nobody is left to be told. */
  drop(): void {
    this.#finish(true);
  }

  expire(): void {
    if (!this.#over) this.#failNow('upstream_timeout', { afterMs: this.deadlineMs }, true);
  }

  // --- Call, for the client

  consumed(bytes: number): void {
    if (this.#over) return;
    this.#consumedBytes += bytes;
    this.#session.admission.hold(-bytes);
    const due = this.#receive?.consumed(bytes) ?? 0;
    if (due > 0) this.#session.send([FRAME.credit, this.id, due]);
  }

  stopBody(): void {
    if (this.#over || this.#bodyStopped || this.#receive === undefined) return;
    this.#bodyStopped = true;
    this.#session.send([FRAME.cancel, this.id, 'upstream_failed']);
  }

  reply(head: string, body: Uint8Array | null): void {
    if (this.#over) return;
    this.#finish(false);
    this.#session.send([FRAME.reply, this.id, head, body === null ? BODY.none : BODY.inline, body]);
  }

  replyStream(head: string): void {
    if (this.#over) return;
    clearTimeout(this.#deadline);
    this.#send = new SendWindow();
    this.#session.send([FRAME.reply, this.id, head, BODY.stream, null]);
  }

  write(bytes: Uint8Array): boolean {
    if (this.#over || bytes.length === 0) return !this.#blocked;
    const window = this.#send;
    if (window !== undefined && this.#queue.length === 0 && window.open && !this.#session.congested) {
      this.#sendPart(window, bytes);
    } else {
      this.#queue.push(bytes);
      this.#queuedBytes += bytes.length;
      this.#session.admission.hold(bytes.length);
    }
    this.#blocked = !this.#drainQueue();
    return !this.#blocked;
  }

  end(): void {
    if (this.#over) return;
    this.#ending = true;
    this.pump();
  }

  fail<C extends ErrorCode>(code: C, params: ErrorParams<C>): void {
    if (!this.#over) this.#failNow(code, params, false);
  }

  log(level: 'info' | 'warn', message: string, fields: Readonly<Record<string, unknown>>): void {
    this.#session.log(level, this.#logOf, this.invocation, message, this.#shadow ? { ...fields, shadow: true } : fields);
  }

  /** Sends what credit and socket allow, then the end if it is due. Called when either may have opened. */
  pump(): void {
    if (this.#over || !this.#drainQueue()) return;
    if (this.#ending) {
      this.#finish(false);
      this.#session.send([FRAME.end, this.id]);
    } else if (this.#blocked) {
      this.#blocked = false;
      this.#task?.resume();
    }
  }

  /** @returns whether more may be written: the queue is empty, and window and socket are open */
  #drainQueue(): boolean {
    const window = this.#send;
    if (window === undefined) return false;
    const session = this.#session;
    let at = 0;
    while (at < this.#queue.length && window.open && !session.congested) {
      const chunk = this.#queue[at] as Uint8Array;
      at += 1;
      this.#sendPart(window, chunk);
      this.#queuedBytes -= chunk.length;
      session.admission.hold(-chunk.length);
    }
    if (at > 0) this.#queue.splice(0, at);
    if (session.congested) session.stalled(this);
    return this.#queue.length === 0 && window.open && !session.congested;
  }

  #sendPart(window: SendWindow, chunk: Uint8Array): void {
    window.spend(chunk.length);
    if (chunk.length <= MAX_DATA_BYTES) {
      this.#session.send([FRAME.data, this.id, chunk]);
      return;
    }
    for (let from = 0; from < chunk.length; from += MAX_DATA_BYTES) {
      this.#session.send([FRAME.data, this.id, chunk.subarray(from, from + MAX_DATA_BYTES)]);
    }
  }

  #failNow<C extends ErrorCode>(code: C, params: ErrorParams<C>, abort: boolean): void {
    this.#finish(abort);
    this.#session.failed(code);
    this.#session.sendFail(this.id, code, params);
  }

  #finish(abort: boolean): void {
    if (this.#over) return;
    const held = this.heldBytes;
    this.#over = true;
    clearTimeout(this.#deadline);
    if (held !== 0) this.#session.admission.hold(-held);
    this.#queue.length = 0;
    const task = this.#task;
    this.#task = undefined;
    this.#session.leave(this);
    if (abort) task?.abort();
  }
}
