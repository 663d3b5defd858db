// One host's connection: its calls by id, what it may do, and what it may not.
import { PlatformError, describe } from '../../core/errors/index.ts';
import type { ErrorCode, ErrorParams } from '../../core/errors/index.ts';
import { BODY, FRAME, INLINE_BODY_BYTES } from '../../core/protocol/index.ts';
import type { CallFrame, Frame, FrameConnection } from '../../core/protocol/index.ts';
import type { Admission } from './admission.ts';
import type { MiddlewareClient } from './client.ts';
import { Exchange } from './exchange.ts';
import { refusedToShadow } from './side-effects.ts';
import type { Tally } from './tally.ts';

/** What a session needs of the process around it. */
export interface SessionContext {
  readonly clients: ReadonlyMap<string, MiddlewareClient>;
  readonly admission: Admission;
  readonly tally: Tally;
  /** New calls are turned away: the process drains. */
  readonly draining: boolean;
}

/** Names and ids in frames; longer ones are no names. */
const MAX_NAME_CHARACTERS = 256;
const MAX_HEAD_CHARACTERS = 256 * 1_024;
/** A text body counts in characters here, three bytes each at the most. */
const MAX_INLINE = INLINE_BODY_BYTES;
/** How often a congested connection is looked at again, milliseconds. */
const STALL_MS = 5;

const violation = (why: string): PlatformError => new PlatformError('protocol_violation', { why });

export class HostSession {
  readonly admission: Admission;
  readonly #context: SessionContext;
  readonly #connection: FrameConnection;
  readonly #calls = new Map<number, Exchange>();
  #highestId = 0;
  #stalled = new Set<Exchange>();
  #stallTimer: NodeJS.Timeout | undefined;

  constructor(connection: FrameConnection, context: SessionContext) {
    this.#connection = connection;
    this.#context = context;
    this.admission = context.admission;
  }

  get active(): number {
    return this.#calls.size;
  }

  /** The host does not take its bytes as fast as they come. */
  get congested(): boolean {
    return this.#connection.backlogBytes > this.admission.limits.backlogBytes;
  }

  /** @throws protocol_violation  ends the connection, and with it all its calls */
  onFrame(frame: Frame): void {
    switch (frame[0]) {
      case FRAME.call:
        this.#onCall(frame);
        return;
      case FRAME.data:
        this.#check(this.#find(frame[1])?.data(frame[2]));
        return;
      case FRAME.end:
        this.#check(this.#find(frame[1])?.bodyEnd());
        return;
      case FRAME.credit:
        this.#check(this.#find(frame[1])?.credit(frame[2]));
        return;
      case FRAME.cancel:
        this.#find(frame[1])?.cancel();
        return;
      case FRAME.goaway:
        // The host drains: it opens no new call, and those under way go on.
        return;
      default:
        throw violation(`a host may not send frames of type ${frame[0]}`);
    }
  }

  /** The connection is gone. */
  onClose(): void {
    clearTimeout(this.#stallTimer);
    for (const exchange of this.#calls.values()) exchange.drop();
  }

  send(frame: Frame): void {
    this.#connection.send(frame);
  }

  /** The detail is the code's own sentence: nothing that must be kept from a function. */
  sendFail<C extends ErrorCode>(id: number, code: C, params: ErrorParams<C>): void {
    const fields = (params as Readonly<Record<string, unknown>> | undefined) ?? null;
    this.send([FRAME.fail, id, code, fields, 0, null, describe(code, params)]);
  }

  goaway(): void {
    this.send([FRAME.goaway, 0, 'unavailable']);
    this.#closeIfDone();
  }

  destroy(): void {
    this.#connection.destroy();
  }

  leave(exchange: Exchange): void {
    if (!this.#calls.delete(exchange.id)) return;
    this.#stalled.delete(exchange);
    this.admission.leave(exchange.tenant, exchange.fn);
    this.#context.tally.active -= 1;
    if (this.#context.draining) setImmediate(() => this.#closeIfDone());
  }

  failed(code: ErrorCode): void {
    if (code === 'egress_refused' || code === 'shadow_refused' || code === 'tenant_subrequests_limited') this.#context.tally.refused += 1;
    else this.#context.tally.failed += 1;
  }

  log(level: 'info' | 'warn', fn: string, invocation: string, message: string, fields: Readonly<Record<string, unknown>>): void {
    this.#context.tally.log(level, fn, invocation, message, fields);
  }

  /** The exchange waits for the socket, which gives no sign of its own: it is looked at again shortly. */
  stalled(exchange: Exchange): void {
    this.#stalled.add(exchange);
    this.#stallTimer ??= setTimeout(() => {
      this.#stallTimer = undefined;
      const waiting = this.#stalled;
      this.#stalled = new Set();
      for (const each of waiting) each.pump();
    }, STALL_MS);
  }

  #onCall(frame: CallFrame): void {
    const id = frame[1];
    if (this.#calls.has(id)) throw violation('the id of a call is in use');
    if (id > this.#highestId) this.#highestId = id;
    this.#context.tally.calls += 1;
    const client = this.#context.clients.get(frame[2]);
    const why = this.#flaw(frame, client);
    if (why !== undefined) {
      this.#refuse(id, 'protocol_violation', { why });
      return;
    }
    if (this.#context.draining) {
      this.#refuse(id, 'unavailable', { part: 'sidecar' });
      return;
    }
    const refused = frame[12] ? refusedToShadow(frame[2], frame[3], frame[4]) : undefined;
    if (refused !== undefined) {
      this.#refuse(id, 'shadow_refused', { what: refused });
      return;
    }
    if (this.#calls.size >= this.admission.limits.callsPerConnection) {
      this.#refuse(id, 'overloaded', { what: 'outgoing calls of this host' });
      return;
    }
    const exchange = new Exchange(frame, this);
    const refusal = this.admission.enter(exchange.tenant, exchange.fn);
    if (refusal !== undefined) {
      this.#refuse(id, refusal.code, refusal.params);
      return;
    }
    this.#calls.set(id, exchange);
    this.#context.tally.active += 1;
    exchange.start(client as MiddlewareClient);
  }

  /** What is wrong with the call alone; the connection goes on. */
  #flaw(frame: CallFrame, client: MiddlewareClient | undefined): string | undefined {
    if (client === undefined) return 'unknown client';
    if (!client.operations.has(frame[3])) return 'unknown operation';
    if (frame[4].length > MAX_HEAD_CHARACTERS) return 'the head is too long';
    if (frame[5] === BODY.inline && frame[6] !== null && frame[6].length > MAX_INLINE) return 'the inline body is too large';
    for (let i = 8; i < 12; i++) {
      if ((frame[i] as string).length > MAX_NAME_CHARACTERS) return 'a name is too long';
    }
    return undefined;
  }

  #refuse<C extends ErrorCode>(id: number, code: C, params: ErrorParams<C>): void {
    this.failed(code);
    this.sendFail(id, code, params);
  }

  /** Frames of a call that has just finished cross its final frame: they are late, not wrong. An id that never was is wrong. */
  #find(id: number): Exchange | undefined {
    if (id > this.#highestId) throw violation('a frame for a call that never was');
    return this.#calls.get(id);
  }

  #check(why: string | undefined): void {
    if (why !== undefined) throw violation(why);
  }

  #closeIfDone(): void {
    if (this.#calls.size === 0) this.#connection.end();
  }
}
