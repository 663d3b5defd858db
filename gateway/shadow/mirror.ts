// One live request that is going to be repeated: passes its answer on to the client, and keeps a copy of both, within bounds.
import type { ErrorCode } from '../../core/errors/index.ts';
import { INLINE_BODY_BYTES } from '../../core/protocol/index.ts';
import type { Exchange } from '../exchange.ts';
import { FALLBACK_FIELD } from '../fallback/fallbacks.ts';
import type { ClientResponse } from '../uws.ts';
import { AnswerRecord } from './answer-record.ts';
import type { Held } from './answer-record.ts';
import type { ShadowLane } from './shadow-lane.ts';

/** What is repeated. */
export interface MirroredRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  /** As hosts get it. */
  readonly head: string;
  readonly acceptedAtMs: number;
}

/** Why a request is not repeated although it was drawn. */
export type SkipReason = 'method' | 'not_served' | 'request_body' | 'response_body' | 'stream' | 'client_gone';

export interface MirrorOwner {
  /** The answer has been given to the client. Called once, unless `skipped` comes first. */
  answered(mirror: Mirror): void;
  skipped(mirror: Mirror, reason: SkipReason): void;
}

/** Why a live answer is none of its version's: it was refused, or lost with somebody else's isolate or host. */
const NOT_SERVED: ReadonlySet<string> = new Set<ErrorCode>([
  'rate_limited', 'tenant_rate_limited', 'caller_rate_limited', 'caller_concurrency_exceeded', 'overloaded', 'quarantined', 'unavailable', 'switched_off', 'tenant_memory_exceeded', 'isolate_lost', 'host_lost',
]);

/** An answer that is still being written after so long, milliseconds, is a stream. */
const STREAM_MS = 10_000;

/** Stands between the exchange and the client's native response. Whatever happens here, the client's answer is what it would have been, and goes first. */
export class Mirror implements ClientResponse {
  readonly lane: ShadowLane;
  readonly request: MirroredRequest;
  /** The version that answers the caller. */
  readonly version: number;
  readonly live: AnswerRecord;
  /** Set when it is admitted. */
  exchange: Exchange | null = null;
  /** From accept to the end of the answer, microseconds; and what the host had reported by then, -1: nothing. */
  wallUs = 0;
  cpuUs = -1;
  readonly #to: ClientResponse;
  readonly #owner: MirrorOwner;
  readonly #held: Held;
  #body: Buffer[] = [];
  #bodyBytes = 0;
  #bodyComplete: boolean;
  #begunAtMs = -1;
  #over = false;

  /** @param hasBody  the request has one */
  constructor(to: ClientResponse, owner: MirrorOwner, lane: ShadowLane, request: MirroredRequest, version: number, hasBody: boolean, held: Held) {
    this.#to = to;
    this.#owner = owner;
    this.lane = lane;
    this.request = request;
    this.version = version;
    this.live = new AnswerRecord(lane.headers, held);
    this.#held = held;
    this.#bodyComplete = !hasBody;
    held.bytes += request.head.length;
  }

  /** The request's body; empty when it has none. */
  get body(): Buffer {
    return this.#body.length === 1 ? (this.#body[0] as Buffer) : Buffer.concat(this.#body, this.#bodyBytes);
  }

  /** Lets go of what it holds. */
  release(): void {
    this.#over = true;
    this.live.release();
    this.#dropBody();
    this.#held.bytes -= this.request.head.length;
  }

  // The surface of the client's response.

  writeStatus(status: string): void {
    this.#to.writeStatus(status);
    this.live.takeStatus(status);
  }

  writeHeader(name: string, value: string | Uint8Array): void {
    this.#to.writeHeader(name, value);
    if (this.#over) return;
    // Fields that functions can't set. A fallback stands in for an answer, whatever became of that.
    if (name === FALLBACK_FIELD || (name === 'x-thimble-reason' && typeof value === 'string' && NOT_SERVED.has(value.split(';', 1)[0] ?? ''))) this.#skip('not_served');
    else this.live.takeField(name, value);
  }

  write(chunk: string | Uint8Array): boolean {
    const taken = this.#to.write(chunk);
    if (this.#over) return taken;
    const now = performance.now();
    if (this.#begunAtMs < 0) this.#begunAtMs = now;
    this.live.takeBody(chunk);
    if (this.live.isEventStream || now - this.#begunAtMs > STREAM_MS) this.#skip('stream');
    else if (this.live.tooLarge) this.#skip('response_body');
    return taken;
  }

  end(body?: string | Uint8Array, closeConnection?: boolean): void {
    this.#to.end(body, closeConnection);
    if (this.#over) return;
    if (body !== undefined) this.live.takeBody(body);
    this.#finish();
  }

  endWithoutBody(): void {
    this.#to.endWithoutBody();
    if (!this.#over) this.#finish();
  }

  close(): void {
    this.#to.close();
    this.#skip('client_gone');
  }

  pause(): void {
    this.#to.pause();
  }

  resume(): void {
    this.#to.resume();
  }

  cork(write: () => void): void {
    this.#to.cork(write);
  }

  onAborted(handler: () => void): void {
    this.#to.onAborted(() => {
      handler();
      this.#skip('client_gone');
    });
  }

  onData(handler: (chunk: ArrayBuffer, last: boolean) => void): void {
    this.#to.onData((chunk, last) => {
      if (!this.#over && !this.#bodyComplete) this.#takeBody(chunk, last);
      handler(chunk, last);
    });
  }

  onWritable(handler: (offset: number) => boolean): void {
    this.#to.onWritable(handler);
  }

  getRemoteAddressAsText(): ArrayBuffer {
    return this.#to.getRemoteAddressAsText();
  }

  #takeBody(chunk: ArrayBuffer, last: boolean): void {
    this.#bodyBytes += chunk.byteLength;
    if (this.#bodyBytes > INLINE_BODY_BYTES) {
      this.#bodyBytes -= chunk.byteLength;
      this.#skip('request_body');
      return;
    }
    this.#held.bytes += chunk.byteLength;
    // The listener's memory is used again.
    this.#body.push(Buffer.copyBytesFrom(new Uint8Array(chunk)));
    this.#bodyComplete = last;
  }

  #finish(): void {
    if (this.live.isEventStream) return this.#skip('stream');
    if (this.live.tooLarge) return this.#skip('response_body');
    // Answered before the whole of it had come: nobody has what the shadow would need.
    if (!this.#bodyComplete) return this.#skip('request_body');
    this.#over = true;
    this.wallUs = (performance.now() - this.request.acceptedAtMs) * 1_000;
    this.cpuUs = this.exchange?.cpuUs ?? -1;
    this.exchange = null;
    this.#owner.answered(this);
  }

  #skip(reason: SkipReason): void {
    if (this.#over) return;
    this.#over = true;
    this.exchange = null;
    this.#owner.skipped(this, reason);
  }

  #dropBody(): void {
    this.#held.bytes -= this.#bodyBytes;
    this.#bodyBytes = 0;
    this.#body = [];
  }
}
