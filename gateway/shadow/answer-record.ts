// One side's answer, as far as it is compared: status, chosen headers, and the body, kept while it is small, else its digest.
import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';

/** A body up to this size is kept and can be compared as JSON: two of them are parsed within some 20 ms, whatever is in them (measured: docs/decisions/0019). */
export const KEPT_BYTES = 128 * 1_024;
/** A larger one is hashed, up to this size. */
export const MAX_HASHED_BYTES = 4 * 1_048_576;

/** Bytes that all records hold together. */
export interface Held {
  bytes: number;
}

export class AnswerRecord {
  readonly #wanted: ReadonlySet<string>;
  readonly #held: Held;
  status = 0;
  /** Content-Type, and whether the body is coded: then it is no text. */
  type = '';
  coded = false;
  readonly headers = new Map<string, string>();
  bytes = 0;
  #chunks: Buffer[] = [];
  #keptBytes = 0;
  #hash: Hash | null = null;

  /** @param wanted  names of headers, in lower case */
  constructor(wanted: ReadonlySet<string>, held: Held) {
    this.#wanted = wanted;
    this.#held = held;
  }

  /** Nothing of it will be compared: it goes on without end, or is too large. */
  get tooLarge(): boolean {
    return this.bytes > MAX_HASHED_BYTES;
  }

  get isEventStream(): boolean {
    return this.type.startsWith('text/event-stream');
  }

  /** `application/json`, or anything `+json` (RFC 6839). */
  get isJson(): boolean {
    return !this.coded && /^application\/(?:[\w.+-]+\+)?json(?:$|[;\s])/i.test(this.type);
  }

  /** RFC 9457: the platform's failures, and those of functions that answer so. */
  get isProblem(): boolean {
    return this.type.startsWith('application/problem+json');
  }

  takeStatus(line: string): void {
    this.status = Number(line.slice(0, 3));
  }

  takeField(name: string, value: string | Uint8Array): void {
    // A function may write names in any case.
    const lower = name.toLowerCase();
    const text = typeof value === 'string' ? value : Buffer.from(value).toString('latin1');
    if (lower === 'content-type') this.type = text.trim();
    else if (lower === 'content-encoding') this.coded = true;
    if (!this.#wanted.has(lower)) return;
    const before = this.headers.get(lower);
    this.headers.set(lower, before === undefined ? text : `${before}, ${text}`);
  }

  /** @param chunk  may be a view of memory that is used again: copied */
  takeBody(chunk: string | Uint8Array): void {
    if (chunk.length === 0 || this.tooLarge) return;
    const size = typeof chunk === 'string' ? Buffer.byteLength(chunk) : chunk.length;
    this.bytes += size;
    if (this.#hash !== null) {
      this.#hash.update(chunk);
    } else if (this.bytes <= KEPT_BYTES) {
      this.#chunks.push(typeof chunk === 'string' ? Buffer.from(chunk) : Buffer.copyBytesFrom(chunk));
      this.#keptBytes += size;
      this.#held.bytes += size;
    } else {
      this.#hash = createHash('sha256');
      for (const kept of this.#chunks) this.#hash.update(kept);
      this.#hash.update(chunk);
      this.release();
    }
  }

  /** The whole body, or null: it was too large to be kept. */
  get body(): Buffer | null {
    if (this.#hash !== null) return null;
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks, this.#keptBytes)];
    return this.#chunks[0] ?? Buffer.alloc(0);
  }

  /** SHA-256 of a body that was not kept, hex; to be asked for once. */
  digest(): string {
    return this.#hash?.digest('hex') ?? '';
  }

  /** Lets go of the body. */
  release(): void {
    this.#held.bytes -= this.#keptBytes;
    this.#keptBytes = 0;
    this.#chunks = [];
  }
}
