// A readable and a writable side with work between them that may give far more than it takes. A TransformStream would queue all of what one chunk
// gives, whoever reads it or not; here each piece waits for the reader, so that a decompression bomb fills no memory.
import { deferred } from '../../primordials.guest.ts';
import type { Deferred } from '../../primordials.guest.ts';
import { loadStreams } from '../../streams.guest.ts';

export interface PacedPair {
  readonly readable: unknown;
  readonly writable: unknown;
}

/** Hands a piece on once somebody asks for it. @returns false when nobody will: stop */
export type Emit = (chunk: Uint8Array) => Promise<boolean>;

export interface PacedTransformer {
  write(chunk: unknown, emit: Emit): Promise<void>;
  /** Everything that is left, which is little: as in a TransformStream it does not wait for the reader. */
  flush(emitNow: (chunk: Uint8Array) => void): void;
  /** Nothing follows. May be called more than once. */
  dispose(): void;
}

interface ReadableController {
  enqueue(chunk: Uint8Array): void;
  close(): void;
  error(reason: unknown): void;
}
interface WritableController {
  readonly signal: { addEventListener(type: 'abort', listener: () => void): void };
  error(reason: unknown): void;
}
type ReadableSide = new (source: object, strategy: object) => unknown;
type WritableSide = new (sink: object) => unknown;

/** Queues as those of a TransformStream by default: one chunk wide on the writable side, none on the readable one. */
export function makePacedPair(transformer: PacedTransformer): PacedPair {
  const streams = loadStreams();
  const pace = new Pace(transformer);
  const readable = new (streams.ReadableStream as unknown as ReadableSide)(
    {
      start: (controller: ReadableController) => pace.reads(controller),
      pull: () => pace.pull(),
      cancel: (reason: unknown) => pace.cancel(reason),
    },
    { highWaterMark: 0 },
  );
  const writable = new (streams['WritableStream'] as WritableSide)({
    start: (controller: WritableController) => pace.writes(controller),
    write: (chunk: unknown) => pace.write(chunk),
    close: () => pace.close(),
    abort: (reason: unknown) => pace.fail(reason),
  });
  return { readable, writable };
}

class Pace {
  readonly #transformer: PacedTransformer;
  #readable!: ReadableController;
  #writable!: WritableController;
  /** The reader has asked for a chunk that it has not got. */
  #asked = false;
  #onAsked: Deferred<void> | null = null;
  #onServed: Deferred<void> | null = null;
  #over = false;

  constructor(transformer: PacedTransformer) {
    this.#transformer = transformer;
  }

  reads(controller: ReadableController): void {
    this.#readable = controller;
  }

  writes(controller: WritableController): void {
    this.#writable = controller;
    // An abort waits for the write under way, which must not wait for a reader then.
    controller.signal.addEventListener('abort', () => this.#end());
  }

  pull(): Promise<void> {
    this.#asked = true;
    this.#onAsked?.resolve();
    this.#onAsked = null;
    this.#onServed = deferred<void>();
    return this.#onServed.promise;
  }

  cancel(reason: unknown): void {
    this.#end();
    this.#writable.error(reason);
  }

  async write(chunk: unknown): Promise<void> {
    try {
      if (!(await this.#untilAsked())) return;
      await this.#transformer.write(chunk, async (piece) => {
        if (piece.length === 0) return !this.#over;
        if (!(await this.#untilAsked())) return false;
        this.#enqueue(piece);
        return true;
      });
    } catch (error) {
      this.fail(error);
      throw error;
    }
  }

  close(): void {
    try {
      this.#transformer.flush((piece) => {
        if (piece.length > 0) this.#enqueue(piece);
      });
    } catch (error) {
      this.fail(error);
      throw error;
    }
    this.#end();
    this.#readable.close();
  }

  fail(reason: unknown): void {
    this.#end();
    this.#readable.error(reason);
  }

  #enqueue(piece: Uint8Array): void {
    this.#asked = false;
    const served = this.#onServed;
    this.#onServed = null;
    this.#readable.enqueue(piece);
    served?.resolve();
  }

  /** @returns false when nothing is wanted any more */
  async #untilAsked(): Promise<boolean> {
    if (!this.#asked && !this.#over) {
      this.#onAsked ??= deferred<void>();
      await this.#onAsked.promise;
    }
    return !this.#over;
  }

  #end(): void {
    this.#over = true;
    this.#onAsked?.resolve();
    this.#onAsked = null;
    this.#transformer.dispose();
  }
}
