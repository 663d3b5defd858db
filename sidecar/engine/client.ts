// The client interface: what a kind of middleware (http now; cache, kv, queue, sql, rpc later) gives the engine and gets from it.
import type { ErrorCode, ErrorParams } from '../../core/errors/index.ts';

/** One call of a function, from its `call` frame to its final frame. The engine implements it; a client must finish each call once. */
export interface Call {
  readonly operation: string;
  /** Belongs to client and operation; the engine does not look into it. */
  readonly head: string;
  /** The whole request body when it came inline; null when there is none or it is streamed. */
  readonly body: Uint8Array | string | null;
  /** Whether the request body comes through `CallTask.bodyData` and `bodyEnd`. */
  readonly streamed: boolean;
  /** Milliseconds that were left when the call arrived. The engine enforces it until the reply begins. */
  readonly deadlineMs: number;
  /** W3C traceparent of the caller's span, or ''. */
  readonly traceparent: string;
  /** Whose it is: what it counts for, and what it may find. Of a shadow, names of its own (side-effects.ts). */
  readonly tenant: string;
  readonly fn: string;
  readonly invocation: string;

  /** The client has used up that many bytes of the streamed request body. */
  consumed(bytes: number): void;
  /** The client reads no more of the streamed request body; the reply may still come. The host is told, and what it has sent is dropped. */
  stopBody(): void;
  /** Finishes the call with a whole body of at most INLINE_BODY_BYTES, or with none (null). */
  reply(head: string, body: Uint8Array | null): void;
  /** Begins a reply whose body follows by `write`. Ends the deadline. */
  replyStream(head: string): void;
  /**
   * Sends a part of the body, or keeps it until the host has credit for it.
   *
   * @returns false: produce no more until `CallTask.resume`
   */
  write(bytes: Uint8Array): boolean;
  /** Finishes a streamed reply, after all that was written. */
  end(): void;
  /** Finishes the call with a typed failure, at any time before its end. What was written and not sent is dropped. */
  fail<C extends ErrorCode>(code: C, params: ErrorParams<C>): void;
  /** A line for the function's own log. Never a secret, a query string or a body. */
  log(level: 'info' | 'warn', message: string, fields: Readonly<Record<string, unknown>>): void;
}

/** The client's side of a call under way. No method may throw. */
export interface CallTask {
  /** A part of the streamed request body; `Call.consumed` gives the host its credit back. */
  bodyData(bytes: Uint8Array): void;
  bodyEnd(): void;
  /** The host has credit again, after `Call.write` returned false. */
  resume(): void;
  /** The call is over (cancelled, deadline, host gone): let go of everything now. The call takes nothing more. */
  abort(): void;
}

export interface MiddlewareClient {
  /** As in `call` frames. */
  readonly name: string;
  readonly operations: ReadonlySet<string>;
  /** Open sockets, for the figures. */
  readonly sockets: number;
  /** Begins a call. It may finish before this returns. A throw fails the call with that error. */
  start(call: Call): CallTask;
  /** Lets go of idle connections and timers. Calls are over by then. */
  close(): Promise<void>;
}
