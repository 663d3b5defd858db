// The streamed request body as undici reads it: what the host sends is pushed in, credit goes back when undici has written it.
import { Readable } from 'node:stream';
import type { Call } from '../../engine/index.ts';

export class UploadBody extends Readable {
  readonly #call: Call;

  constructor(call: Call) {
    super();
    this.#call = call;
  }

  override _read(): void {
    // Chunks are pushed as they come: the host's credits bound what waits in here.
  }

  /** Before its end when the upstream answers early or redirects: then the host need not send the rest. */
  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (!this.readableEnded) this.#call.stopBody();
    callback(error);
  }
}
