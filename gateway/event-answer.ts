// Where the answer of an event is written: the surface of a client's response, without a client. What comes is gathered and handed over once.
import { ClientlessResponse } from './clientless-response.ts';

/** Longest answer of an event, bytes. */
export const MAX_ANSWER_BYTES = 4 * 1_048_576;

export interface Gathered {
  readonly status: number;
  /** x-thimble-reason, or ''. */
  readonly reason: string;
  readonly body: string;
  /** Name and value in turn, where they were asked for. */
  readonly headers: readonly string[];
}

/** Why there is no whole answer. */
export type Incomplete = 'broken' | 'too large';

export class EventAnswer extends ClientlessResponse {
  readonly #done: (answer: Gathered | Incomplete) => void;
  readonly #headers: string[] | undefined;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  #status = 0;
  #reason = '';

  /**
   * @param done  called exactly once, unless `abandon` comes first
   * @param keepsHeaders  for an answer that is looked at whole
   */
  constructor(done: (answer: Gathered | Incomplete) => void, keepsHeaders = false) {
    super();
    this.#done = done;
    this.#headers = keepsHeaders ? [] : undefined;
  }

  writeStatus(status: string): void {
    this.#status = Number(status.slice(0, 3));
  }

  writeHeader(name: string, value: string | Uint8Array): void {
    this.#headers?.push(name, typeof value === 'string' ? value : Buffer.from(value).toString('latin1'));
    if (name === 'x-thimble-reason' && typeof value === 'string') this.#reason = value;
  }

  write(chunk: string | Uint8Array): boolean {
    this.#take(chunk);
    return true;
  }

  end(body?: string | Uint8Array): void {
    if (body !== undefined) this.#take(body);
    this.#finish({ status: this.#status, reason: this.#reason, body: Buffer.concat(this.#chunks, this.#bytes).toString('utf8'), headers: this.#headers ?? [] });
  }

  close(): void {
    this.#finish('broken');
  }

  #take(chunk: string | Uint8Array): void {
    if (this.over || chunk.length === 0) return;
    // Chunks are views of the socket's memory.
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : Buffer.copyBytesFrom(chunk);
    this.#bytes += bytes.length;
    if (this.#bytes <= MAX_ANSWER_BYTES) {
      this.#chunks.push(bytes);
      return;
    }
    this.#finish('too large');
    this.abort();
  }

  #finish(answer: Gathered | Incomplete): void {
    if (this.over) return;
    this.over = true;
    this.#done(answer);
  }
}
