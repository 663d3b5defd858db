// A response body on its way from a host to the client: credits back to the host as the client takes it, and the clock of its limits.
import { ReceiveWindow } from '../core/protocol/index.ts';
import type { Limits } from '../core/schemas/index.ts';
import type { Client, OwnFields } from './client.ts';
import { ResponseFields } from './response-fields.ts';

// Filled and written within one call.
const fields = new ResponseFields();

export class ResponseStream {
  readonly status: number;
  readonly #client: Client;
  readonly #own: OwnFields;
  readonly #window = new ReceiveWindow();
  /** The head, until the first chunk takes it along: the listener cannot send one without the other. */
  #head: string | null;
  /** Bytes given to the client's socket and not taken by it. */
  #stalledBytes = 0;
  readonly #begunAtMs: number;
  #activeAtMs: number;

  /** @param head  known to be valid (ResponseFields.read) */
  constructor(client: Client, own: OwnFields, status: number, head: string, nowMs: number) {
    this.#client = client;
    this.#own = own;
    this.status = status;
    this.#head = head;
    this.#begunAtMs = this.#activeAtMs = nowMs;
  }

  /** Whether bytes of the answer have gone out: a failure can only break it off. */
  get headOut(): boolean {
    return this.#head === null;
  }

  /** @returns credit that the host gets now, bytes; -1: the host has sent more than it had credit for */
  push(bytes: Uint8Array, nowMs: number): number {
    this.#window.received(bytes.length);
    if (this.#window.overrun) return -1;
    this.#activeAtMs = nowMs;
    let taken: boolean;
    if (this.#head === null) {
      taken = this.#client.write(bytes);
    } else {
      fields.read(this.#head);
      this.#head = null;
      taken = this.#client.startStream(this.#own, this.status, fields, bytes);
    }
    if (taken && this.#stalledBytes === 0) return this.#window.consumed(bytes.length);
    this.#stalledBytes += bytes.length;
    return 0;
  }

  /** The client has taken everything. @returns as push */
  drained(nowMs: number): number {
    const bytes = this.#stalledBytes;
    this.#stalledBytes = 0;
    this.#activeAtMs = nowMs;
    return bytes > 0 ? this.#window.consumed(bytes) : 0;
  }

  /** The body is complete. Without a byte it becomes a plain empty answer. */
  end(closeAfter: boolean): void {
    if (this.#head === null) this.#client.endStream(closeAfter);
    else {
      fields.read(this.#head);
      this.#client.answer(this.#own, this.status, fields, '', false, closeAfter);
    }
  }

  /** When a limit may be reached. Activity only moves a number; the deadline itself moves when it comes up. */
  deadlineMs(limits: Limits): number {
    return Math.min(this.#activeAtMs + limits.idleMs, this.#begunAtMs + limits.streamMs);
  }

  /** @returns the limit that is reached, in milliseconds; 0: none */
  limitReached(limits: Limits, nowMs: number): number {
    // While the client does not take what was sent, the function is not the silent one; the listener closes such a client after some 10 s.
    if (this.#stalledBytes > 0) this.#activeAtMs = nowMs;
    if (nowMs >= this.#begunAtMs + limits.streamMs) return limits.streamMs;
    return nowMs >= this.#activeAtMs + limits.idleMs ? limits.idleMs : 0;
  }
}
