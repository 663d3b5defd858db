// A body on its way out: data frames under the receiver's credit, small chunks of one entry joined.
import { FRAME, MAX_DATA_BYTES, SendWindow } from '../../core/protocol/index.ts';
import { toBuffer } from './incoming-body.ts';
import type { IncomingBody } from './incoming-body.ts';
import type { Caller } from '../invocation.ts';

/** Unwritten bytes of the connection above which a body waits, whatever its credit. */
const BACKLOG_BYTES = 1_048_576;

export class OutgoingBody {
  readonly #connection: Caller;
  readonly #id: number;
  readonly #window = new SendWindow();
  /** Not yet in a frame: small chunks of this entry, or what the receiver has no room for. */
  #held: Buffer[] = [];
  #heldBytes = 0;
  #closed = false;
  /** The end follows what is held. */
  #ending = false;
  #onDrain: (() => void) | null = null;

  constructor(connection: Caller, id: number) {
    this.#connection = connection;
    this.#id = id;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Whether the receiver takes more now. */
  get open(): boolean {
    return !this.#closed && this.#window.open && this.#connection.backlogBytes < BACKLOG_BYTES;
  }

  /** Takes over `bytes`, however many: what exceeds the receiver's credit waits here. @returns whether to go on; else wait for `whenDrained` */
  write(bytes: Buffer): boolean {
    if (this.#closed) return false;
    this.#held.push(bytes);
    this.#heldBytes += bytes.length;
    if (this.#heldBytes >= MAX_DATA_BYTES) this.flush();
    return this.open;
  }

  /** Sends what is held, as far as the credit goes: at the end of each entry, and when credit comes. */
  flush(): void {
    if (this.#heldBytes === 0 || this.#closed || !this.#window.open) return;
    const [first] = this.#held;
    const all = this.#held.length === 1 && first !== undefined ? first : Buffer.concat(this.#held, this.#heldBytes);
    let at = 0;
    while (at < all.length && this.#window.open) {
      const chunk = at === 0 && all.length <= MAX_DATA_BYTES ? all : all.subarray(at, at + MAX_DATA_BYTES);
      this.#window.spend(chunk.length);
      this.#connection.send([FRAME.data, this.#id, chunk]);
      at += chunk.length;
    }
    this.#held = at === all.length ? [] : [all.subarray(at)];
    this.#heldBytes = all.length - at;
  }

  /** The whole body has been written. */
  end(): void {
    if (this.#closed) return;
    this.flush();
    if (this.#heldBytes > 0) {
      this.#ending = true;
      return;
    }
    this.#closed = true;
    this.#connection.send([FRAME.end, this.#id]);
  }

  /** Nothing more will be sent; whoever ends the exchange says why. */
  close(): void {
    this.#closed = true;
    this.#held = [];
    this.#heldBytes = 0;
    this.#wake();
  }

  grant(bytes: number): void {
    if (!this.#window.grant(bytes)) return;
    this.flush();
    if (this.#ending && this.#heldBytes === 0) this.end();
    if (this.#window.open) this.#wake();
  }

  /** Calls back once when the window opens, or at once on close. */
  whenDrained(callback: () => void): void {
    this.#onDrain = callback;
    // Credit may be there while only the connection is behind: no grant will come, so look again soon.
    if (this.#window.open) setTimeout(() => this.#wake(), 1);
  }

  #wake(): void {
    const callback = this.#onDrain;
    this.#onDrain = null;
    callback?.();
  }
}

/**
 * Moves a body from outside to outside: no isolate is entered.
 *
 * @param done  null when the whole body was passed on, else the error code of the source
 */
export function pipe(from: IncomingBody, to: OutgoingBody, done: (error: string | null) => void): void {
  const step = (): void => {
    for (;;) {
      if (to.closed) {
        from.abandon();
        return;
      }
      if (!to.open) {
        to.flush();
        to.whenDrained(step);
        return;
      }
      const chunk = from.take();
      if (chunk === undefined) {
        to.flush();
        from.whenReadable(step);
        return;
      }
      if (chunk === null) {
        if (from.error === null) to.end();
        else to.close();
        done(from.error);
        return;
      }
      to.write(toBuffer(chunk));
    }
  };
  step();
}
