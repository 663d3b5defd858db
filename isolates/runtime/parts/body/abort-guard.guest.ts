// Ties a response's body to the signal that its fetch was given: an abort ends the reads that are under way, with the signal's own reason.
import { onAbort } from '../../events.guest.ts';
import type { AbortSignal } from '../../events.guest.ts';
import { deferred } from '../../primordials.guest.ts';

export class AbortGuard {
  readonly #signal: AbortSignal;
  #undo: (() => void) | null;
  /** What has to end. */
  #onAbort: (() => void) | null = null;

  /** @param release  tells the host that nobody will read on */
  constructor(signal: AbortSignal, release: () => void) {
    this.#signal = signal;
    this.#undo = onAbort(signal, () => {
      this.#undo = null;
      release();
      this.#onAbort?.();
    });
  }

  get aborted(): boolean {
    return this.#undo === null && this.#signal.aborted;
  }

  get reason(): unknown {
    return this.#signal.reason;
  }

  /** The body has been read or given up: the signal no longer matters to it, nor holds it. */
  end(): void {
    this.#undo?.();
    this.#undo = null;
    this.#onAbort = null;
  }

  whenAborted(callback: () => void): void {
    this.#onAbort = callback;
  }

  /** What `start` gives, unless the signal aborts first; nothing is started when it has. */
  async race<T>(start: () => T | Promise<T>): Promise<T> {
    if (this.aborted) throw this.reason;
    const { promise, resolve, reject } = deferred<T>();
    this.#onAbort = () => reject(this.reason);
    void (async () => {
      try {
        resolve(await start());
      } catch (thrown) {
        reject(thrown);
      }
    })();
    return promise;
  }
}
