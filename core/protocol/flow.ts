// Byte credits of one body in one direction: the sender spends, the receiver grants what it has consumed.
import { STREAM_WINDOW_BYTES } from './frames.ts';

/** The sender's side. Starts with the whole window; may go below zero by less than one chunk, so chunks need no splitting. */
export class SendWindow {
  #bytes = STREAM_WINDOW_BYTES;

  /** Whether another chunk may be sent. */
  get open(): boolean {
    return this.#bytes > 0;
  }

  /** Whether the receiver has granted more than was spent: a protocol violation. */
  get overgranted(): boolean {
    return this.#bytes > STREAM_WINDOW_BYTES;
  }

  spend(bytes: number): void {
    this.#bytes -= bytes;
  }

  /** @returns true when this opened a closed window: time to go on sending */
  grant(bytes: number): boolean {
    const wasClosed = this.#bytes <= 0;
    this.#bytes += bytes;
    return wasClosed && this.#bytes > 0;
  }
}

/** The receiver's side: gathers consumed bytes and says when a `credit` frame is due, so that not every chunk costs one. */
export class ReceiveWindow {
  #owed = 0;
  /** Received and not consumed. A sender that follows the protocol keeps it below window plus one chunk. */
  #held = 0;

  received(bytes: number): void {
    this.#held += bytes;
  }

  /** Whether the sender has sent more than it was allowed to: a protocol violation. */
  get overrun(): boolean {
    return this.#held > STREAM_WINDOW_BYTES * 2;
  }

  /** @returns credit to send now, or 0 */
  consumed(bytes: number): number {
    this.#held -= bytes;
    this.#owed += bytes;
    if (this.#owed < STREAM_WINDOW_BYTES / 4) return 0;
    const due = this.#owed;
    this.#owed = 0;
    return due;
  }
}
