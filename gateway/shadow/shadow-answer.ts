// Where the answer of a shadow is written: the surface of a client's response, without a client.
import { ClientlessResponse } from '../clientless-response.ts';
import type { AnswerRecord } from './answer-record.ts';

/** How it ended; `broken`: without its last chunk. */
export type ShadowEnd = 'whole' | 'broken' | 'too large' | 'stream';

export class ShadowAnswer extends ClientlessResponse {
  readonly record: AnswerRecord;
  readonly #done: (end: ShadowEnd) => void;

  /** @param done  called exactly once, unless `abandon` comes first */
  constructor(record: AnswerRecord, done: (end: ShadowEnd) => void) {
    super();
    this.record = record;
    this.#done = done;
  }

  writeStatus(status: string): void {
    this.record.takeStatus(status);
  }

  writeHeader(name: string, value: string | Uint8Array): void {
    this.record.takeField(name, value);
  }

  write(chunk: string | Uint8Array): boolean {
    if (this.over) return true;
    this.record.takeBody(chunk);
    // The caller's answer was neither: what follows has no other half.
    if (this.record.isEventStream) this.#stop('stream');
    else if (this.record.tooLarge) this.#stop('too large');
    return true;
  }

  end(body?: string | Uint8Array): void {
    if (body !== undefined && !this.over) this.record.takeBody(body);
    this.#finish('whole');
  }

  close(): void {
    this.#finish('broken');
  }

  #stop(end: ShadowEnd): void {
    this.#finish(end);
    // Not from within the write that the exchange is in the middle of.
    setImmediate(() => this.abort());
  }

  #finish(end: ShadowEnd): void {
    if (this.over) return;
    this.over = true;
    this.#done(end);
  }
}
