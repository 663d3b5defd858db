// The surface of a client's response where there is no client: what an answer that somebody else takes has in common, whoever that is.
import type { ClientResponse } from './uws.ts';

/** Ends once: whole, or not. Its request came whole, and its answer has no reader that could be slow. */
export abstract class ClientlessResponse implements ClientResponse {
  #aborted: (() => void) | undefined;
  /** Nothing is taken any more. */
  protected over = false;

  abstract writeStatus(status: string): void;
  abstract writeHeader(name: string, value: string | Uint8Array): void;
  abstract write(chunk: string | Uint8Array): boolean;
  abstract end(body?: string | Uint8Array): void;
  abstract close(): void;

  /** Nobody waits for the answer any more. */
  abandon(): void {
    if (this.over) return;
    this.over = true;
    this.abort();
  }

  /** Tells the exchange that its client has gone. */
  protected abort(): void {
    this.#aborted?.();
  }

  endWithoutBody(): void {
    this.end();
  }

  cork(write: () => void): void {
    write();
  }

  onAborted(handler: () => void): void {
    this.#aborted = handler;
  }

  onData(): void {}
  onWritable(): void {}
  pause(): void {}
  resume(): void {}

  getRemoteAddressAsText(): ArrayBuffer {
    return new ArrayBuffer(0);
  }
}
