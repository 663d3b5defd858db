// A response on its way into a cache: counted as it comes, kept when it has ended.
import { toPlainBytes } from './plain-bytes.ts';
import type { Call, CallTask } from '../../engine/index.ts';
import type { Deposit } from './cache-head.ts';
import type { CacheStore, Reservation } from './cache-store.ts';
import { keeping } from './freshness.ts';
import type { Keeping } from './freshness.ts';

export class PutTask implements CallTask {
  readonly #call: Call;
  readonly #store: CacheStore;
  readonly #deposit: Deposit;
  readonly #reservation: Reservation;
  readonly #keep: Keeping | undefined;
  readonly #chunks: Uint8Array[] = [];
  #over = false;

  constructor(call: Call, store: CacheStore, deposit: Deposit) {
    this.#call = call;
    this.#store = store;
    this.#deposit = deposit;
    this.#reservation = store.reserve(call.tenant);
    this.#keep = keeping(deposit.fields, store.now());
  }

  begin(): void {
    const { body, streamed } = this.#call;
    if (this.#keep === undefined) {
      // What was kept for this request is no longer what its author wants to be kept.
      this.#store.delete(this.#call.tenant, this.#call.fn, { cache: this.#deposit.cache, url: this.#deposit.url, headers: this.#deposit.headers, ignoreSearch: false, ignoreVary: false });
      if (streamed) this.#call.stopBody();
      this.#over = true;
      this.#call.reply('0', null);
      return;
    }
    if (streamed) return;
    if (body !== null) this.#take(toPlainBytes(body));
    this.bodyEnd();
  }

  bodyData(bytes: Uint8Array): void {
    this.#take(toPlainBytes(bytes));
    if (!this.#over) this.#call.consumed(bytes.length);
  }

  #take(bytes: Uint8Array): void {
    if (this.#over) return;
    const limitBytes = this.#store.limits.entryBytes;
    if (this.#reservation.bytes + bytes.length > limitBytes) {
      this.abort();
      this.#call.fail('body_too_large', { limitBytes });
    } else if (!this.#store.grow(this.#reservation, bytes.length)) {
      this.abort();
      this.#call.fail('overloaded', { what: 'bytes in caches' });
    } else {
      this.#chunks.push(bytes);
    }
  }

  bodyEnd(): void {
    if (this.#over || this.#keep === undefined) return;
    this.#over = true;
    const full = this.#store.put(this.#call.tenant, this.#call.fn, this.#deposit, this.#keep, this.#chunks, this.#reservation);
    if (full === undefined) this.#call.reply('1', null);
    else this.#call.fail('overloaded', { what: full });
  }

  resume(): void {
    // Its reply has no body.
  }

  abort(): void {
    this.#over = true;
    this.#chunks.length = 0;
    this.#store.release(this.#reservation);
  }
}
