// A body on its way in, kept outside the isolate: a client's request, or the answer to an outgoing call.
import { ReceiveWindow } from '../../core/protocol/index.ts';

/** What the body's far end must hear. */
export interface IncomingSource {
  /** Bytes were taken: the sender may send as many more. */
  grant(bytes: number): void;
  /** Nobody will read the rest. */
  abandon(): void;
}

/** Of a body that is whole from the start: there is nobody to tell. */
const NOBODY: IncomingSource = { grant: () => {}, abandon: () => {} };

/** One reader at a time: an isolate's reads, a collect, or a pipe. Chunks come out as they came in. */
export class IncomingBody {
  readonly #source: IncomingSource;
  readonly #window = new ReceiveWindow();
  readonly #chunks: (Uint8Array | string)[] = [];
  #ended: boolean;
  #error: string | null = null;
  /** Called once when `take` may have something again. */
  #onReadable: (() => void) | null = null;

  /** @param whole  the body when it came in one piece, null when chunks will follow from `source` */
  constructor(whole: Uint8Array | string | null, source: IncomingSource = NOBODY) {
    this.#source = source;
    this.#ended = whole !== null;
    if (whole !== null && whole.length > 0) this.#chunks.push(whole);
  }

  /** A code of the error table when the far end failed before the end. */
  get error(): string | null {
    return this.#error;
  }

  /** Whole in memory: it can be given at once. */
  get complete(): boolean {
    return this.#ended;
  }

  /** False when the sender ignored its credit. */
  push(bytes: Uint8Array): boolean {
    if (this.#ended) return true;
    this.#window.received(bytes.length);
    this.#chunks.push(bytes);
    this.#wake();
    return !this.#window.overrun;
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  fail(code: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = code;
    this.#wake();
  }

  /** The next chunk; undefined: none yet; null: the end, or `error`. */
  take(): Uint8Array | string | null | undefined {
    const chunk = this.#chunks.shift();
    if (chunk === undefined) return this.#ended ? null : undefined;
    if (!this.#ended) {
      const due = this.#window.consumed(chunk.length);
      if (due > 0) this.#source.grant(due);
    }
    return chunk;
  }

  whenReadable(callback: () => void): void {
    this.#onReadable = callback;
  }

  /** Nobody reads it any more. */
  abandon(): void {
    this.#chunks.length = 0;
    if (!this.#ended) {
      this.#ended = true;
      this.#source.abandon();
    }
    // Whoever still waits for it learns that nothing more will come.
    this.#error ??= 'upstream_failed';
    this.#wake();
  }

  #wake(): void {
    const callback = this.#onReadable;
    this.#onReadable = null;
    callback?.();
  }
}

/**
 * Gathers all that is left.
 *
 * @param limitBytes  more than this is `body_too_large`
 * @param done  the bytes, or an error code; called at once when the body is complete
 */
export function collect(body: IncomingBody, limitBytes: number, done: (bytes: Buffer | null, error: string | null) => void): void {
  const chunks: Buffer[] = [];
  let total = 0;
  const step = (): void => {
    for (;;) {
      const chunk = body.take();
      if (chunk === undefined) {
        body.whenReadable(step);
        return;
      }
      if (chunk === null) {
        if (body.error === null) done(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, total), null);
        else done(null, body.error);
        return;
      }
      const bytes = toBuffer(chunk);
      total += bytes.length;
      if (total > limitBytes) {
        body.abandon();
        done(null, 'body_too_large');
        return;
      }
      chunks.push(bytes);
    }
  };
  step();
}

/** A Buffer over the same bytes, or the UTF-8 of a text. */
export function toBuffer(chunk: Uint8Array | string): Buffer {
  return typeof chunk === 'string' ? Buffer.from(chunk) : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
}
