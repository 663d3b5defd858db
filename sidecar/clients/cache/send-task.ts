// A reply that streams entries, at the pace of the host's credit. What it sends stays counted until it is done.
import type { Call, CallTask } from '../../engine/index.ts';
import type { CacheStore, Entry } from './cache-store.ts';

export class SendTask implements CallTask {
  readonly #call: Call;
  readonly #store: CacheStore;
  readonly #head: string;
  #entries: readonly Entry[];
  readonly #chunks: Iterator<Uint8Array>;

  constructor(call: Call, store: CacheStore, head: string, entries: readonly Entry[], chunks: Iterable<Uint8Array>) {
    this.#call = call;
    this.#store = store;
    this.#head = head;
    this.#entries = entries;
    this.#chunks = chunks[Symbol.iterator]();
    for (const entry of entries) store.hold(entry);
  }

  begin(): this {
    this.#call.replyStream(this.#head);
    this.resume();
    return this;
  }

  resume(): void {
    for (;;) {
      const { done, value } = this.#chunks.next();
      if (done === true) break;
      if (!this.#call.write(value)) return;
    }
    this.abort();
    this.#call.end();
  }

  abort(): void {
    for (const entry of this.#entries) this.#store.letGo(entry);
    this.#entries = [];
  }

  bodyData(): void {
    // No such call has a body.
  }

  bodyEnd(): void {
    // No such call has a body.
  }
}
