// The body of one request on its way to a host: gathered whole while it is small, else passed on chunk by chunk under credits.
import { PlatformError } from '../core/errors/index.ts';
import { INLINE_BODY_BYTES, MAX_DATA_BYTES, SendWindow } from '../core/protocol/index.ts';
import type { Client } from './client.ts';

/** Where the chunks go. */
export interface BodySink {
  /** Encodes the bytes before it returns. */
  sendData(id: number, bytes: Uint8Array): void;
  sendEnd(id: number): void;
}

export interface BodyOwner {
  /** The body is whole and small. */
  onBodyGathered(body: Buffer): void;
  /** The body is large or slow: it will come as a stream. */
  onBodyStreams(): void;
  onBodyTooLarge(): void;
  /** The gateway holds so many bytes more of it, or fewer. */
  onHeld(bytes: number): void;
}

/** Bytes of request bodies that the gateway holds, over all requests. */
export interface BodyMemory {
  heldBytes: number;
}

const MODE = { gather: 0, stream: 1, discard: 2 } as const;

export class RequestBody {
  readonly #client: Client;
  readonly #owner: BodyOwner;
  readonly #limitBytes: number;
  #mode: (typeof MODE)[keyof typeof MODE] = MODE.gather;
  #decisionDue = false;
  readonly #chunked: boolean;
  /** Chunks that are not sent: while gathering, without a host, or with a closed window. */
  #held: Buffer[] = [];
  #heldBytes = 0;
  #receivedBytes = 0;
  #complete = false;
  #sink: BodySink | null = null;
  #id = 0;
  #window = new SendWindow();
  #begun = false;

  /** @param declaredBytes  Content-Length, -1 for chunked; known to be within the limit */
  constructor(client: Client, owner: BodyOwner, limitBytes: number, declaredBytes: number) {
    this.#client = client;
    this.#owner = owner;
    this.#limitBytes = limitBytes;
    this.#chunked = declaredBytes < 0;
    if (declaredBytes > INLINE_BODY_BYTES) this.#mode = MODE.stream;
    client.onBody((chunk, last) => this.#onChunk(chunk, last));
  }

  get streams(): boolean {
    return this.#mode === MODE.stream;
  }

  /** Whether the client has sent all of it. */
  get complete(): boolean {
    return this.#complete;
  }

  /** Whether a part has left for a host, so that no other host can have the whole. */
  get begun(): boolean {
    return this.#begun;
  }

  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  /** The invocation was sent to `sink` under `id`: chunks may follow. */
  attach(sink: BodySink, id: number): void {
    this.#sink = sink;
    this.#id = id;
    this.#window = new SendWindow();
    this.#flush();
  }

  /** The host is gone and nothing was sent: chunks wait for the next one. */
  detach(): void {
    this.#sink = null;
  }

  /**
   * The host has consumed `bytes`.
   *
   * @throws protocol_violation  it grants more than it was sent: the body would pile up on the way to it
   */
  grant(bytes: number): void {
    const opened = this.#window.grant(bytes);
    if (this.#window.overgranted) throw new PlatformError('protocol_violation', { why: 'more credit than was spent' });
    if (opened) this.#flush();
  }

  /** Nobody wants the rest: it is read and dropped, so that the connection stays usable. */
  discard(): void {
    this.#mode = MODE.discard;
    this.#sink = null;
    this.#release();
    this.#client.resume();
  }

  #release(): void {
    this.#owner.onHeld(-this.#heldBytes);
    this.#held = [];
    this.#heldBytes = 0;
  }

  #onChunk(chunk: ArrayBuffer, last: boolean): void {
    const size = chunk.byteLength;
    this.#receivedBytes += size;
    if (last) this.#complete = true;
    if (this.#mode === MODE.discard) return;
    if (this.#receivedBytes > this.#limitBytes) {
      this.#owner.onBodyTooLarge();
      return;
    }
    if (this.#mode === MODE.gather) this.#gather(chunk, last);
    else this.#pass(chunk, last);
  }

  #gather(chunk: ArrayBuffer, last: boolean): void {
    this.#hold(Buffer.from(chunk));
    if (last) {
      const body = this.#held.length === 1 ? (this.#held[0] as Buffer) : Buffer.concat(this.#held, this.#heldBytes);
      this.#release();
      this.#mode = MODE.discard;
      this.#owner.onBodyGathered(body);
    } else if (this.#receivedBytes > INLINE_BODY_BYTES) {
      this.#stream();
    } else if (this.#chunked && !this.#decisionDue) {
      // What came in one packet is delivered in one turn: a body that is not whole by then may be a conversation.
      this.#decisionDue = true;
      setImmediate(() => {
        if (this.#mode === MODE.gather && this.#client.open) this.#stream();
      });
    }
  }

  #stream(): void {
    this.#mode = MODE.stream;
    if (this.#sink === null) this.#client.pause();
    this.#owner.onBodyStreams();
  }

  #pass(chunk: ArrayBuffer, last: boolean): void {
    let at = 0;
    const size = chunk.byteLength;
    while (at < size && this.#sink !== null && this.#held.length === 0 && this.#window.open) {
      const bytes = Math.min(MAX_DATA_BYTES, size - at);
      this.#send(this.#sink, Buffer.from(chunk, at, bytes));
      at += bytes;
    }
    if (at < size) {
      this.#hold(Buffer.from(chunk, at));
      if (!last) this.#client.pause();
    } else if (last && this.#held.length === 0) {
      this.#sink?.sendEnd(this.#id);
      this.#sink = null;
    }
  }

  #flush(): void {
    while (this.#sink !== null && this.#window.open) {
      const first = this.#held[0];
      if (first === undefined) break;
      if (first.length > MAX_DATA_BYTES) {
        this.#send(this.#sink, first.subarray(0, MAX_DATA_BYTES));
        this.#held[0] = first.subarray(MAX_DATA_BYTES);
      } else {
        this.#held.shift();
        if (first.length > 0) this.#send(this.#sink, first);
      }
      const sent = Math.min(first.length, MAX_DATA_BYTES);
      this.#heldBytes -= sent;
      this.#owner.onHeld(-sent);
    }
    if (this.#held.length > 0 || this.#sink === null) return;
    if (this.#complete) {
      this.#sink.sendEnd(this.#id);
      this.#sink = null;
    } else {
      this.#client.resume();
    }
  }

  #send(sink: BodySink, bytes: Buffer): void {
    this.#begun = true;
    this.#window.spend(bytes.length);
    sink.sendData(this.#id, bytes);
  }

  /** @param view  of the listener's memory, which is reused: copied */
  #hold(view: Buffer): void {
    if (view.length === 0) return;
    this.#held.push(Buffer.copyBytesFrom(view));
    this.#heldBytes += view.length;
    this.#owner.onHeld(view.length);
  }
}
