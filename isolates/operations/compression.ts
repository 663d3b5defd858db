// Compression for isolates: contexts of the host's zlib, bounded in number and in native memory, run in steps that are charged as CPU time of the entry.
import type { Invocation } from '../invocation.ts';
import { COMPRESSION_ERROR, COMPRESSION_OP, STEP_BYTES } from '../runtime/abi-compression.ts';
import { ZlibCodec, brotliWindowBytes } from '../zlib-codec.ts';
import type { OperationArea } from './area.ts';

/** Contexts of one isolate at once. */
const MAX_CONTEXTS = 64;
/** Native memory of one isolate's contexts, bytes: outside of its memory limit, so it has one of its own. The largest brotli window is 16 MiB. */
const MAX_ISOLATE_BYTES = 32 * 1024 * 1024;
/** The same for all isolates of the host together. */
const MAX_HOST_BYTES = 512 * 1024 * 1024;

let hostBytes = 0;

interface Context {
  readonly codec: ZlibCodec;
  readonly owner: Invocation;
  bytes: number;
  /** Its first bytes have come: what it takes is known. */
  begun: boolean;
}

export const compressionArea = (): OperationArea => new CompressionArea();

class CompressionArea implements OperationArea {
  readonly #contexts = new Map<number, Context>();
  #lastId = 0;
  #bytes = 0;

  run(code: number, owner: Invocation, a: unknown, b: unknown, c: unknown): unknown {
    switch (code) {
      case COMPRESSION_OP.open:
        return this.#open(owner, String(a), b === 1);
      case COMPRESSION_OP.step:
        return this.#step(a, b, c === 1);
      case COMPRESSION_OP.close:
        this.#close(a);
        return undefined;
      default:
        throw new TypeError('unknown operation');
    }
  }

  #open(owner: Invocation, format: string, decompress: boolean): number {
    const bytes = ZlibCodec.bytes(format, decompress);
    if (this.#contexts.size >= MAX_CONTEXTS || !this.#fits(bytes)) return 0;
    const context: Context = { codec: new ZlibCodec(format, decompress), owner, bytes: 0, begun: false };
    this.#reserve(context, bytes);
    this.#contexts.set(++this.#lastId, context);
    return this.#lastId;
  }

  #step(id: unknown, input: unknown, end: boolean): unknown {
    const context = this.#contexts.get(id as number);
    if (context === undefined) return COMPRESSION_ERROR.gone;
    const { codec } = context;
    if (input !== undefined) {
      if (!(input instanceof Uint8Array) || input.length > STEP_BYTES || codec.hasInput) throw new TypeError('a bounded piece of input is needed');
      if (!this.#begin(context, input)) {
        this.#close(id);
        return COMPRESSION_ERROR.memory;
      }
      codec.feed(input);
    }
    const output = codec.step(end, STEP_BYTES);
    if (typeof output === 'string') {
      this.#close(id);
      return output;
    }
    if (output.length === STEP_BYTES || codec.hasInput) return output;
    if (end) this.#close(id);
    return output.buffer;
  }

  /** Reserves what the stream itself asks for. */
  #begin(context: Context, input: Uint8Array): boolean {
    if (context.begun || input.length === 0) return true;
    context.begun = true;
    if (context.codec.format !== 'brotli' || !context.codec.decompress) return true;
    const window = brotliWindowBytes(input[0] as number);
    if (!this.#fits(window)) return false;
    this.#reserve(context, window);
    return true;
  }

  #fits(bytes: number): boolean {
    return this.#bytes + bytes <= MAX_ISOLATE_BYTES && hostBytes + bytes <= MAX_HOST_BYTES;
  }

  #reserve(context: Context, bytes: number): void {
    context.bytes += bytes;
    this.#bytes += bytes;
    hostBytes += bytes;
  }

  #close(id: unknown): void {
    const context = this.#contexts.get(id as number);
    if (context === undefined) return;
    this.#contexts.delete(id as number);
    this.#bytes -= context.bytes;
    hostBytes -= context.bytes;
    context.codec.close();
  }

  release(owner: Invocation): void {
    for (const [id, context] of this.#contexts) if (context.owner === owner) this.#close(id);
  }

  close(): void {
    for (const id of Array.from(this.#contexts.keys())) this.#close(id);
  }
}
