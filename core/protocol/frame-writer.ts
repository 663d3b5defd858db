// Packs frames into one buffer a loop turn, so that many small frames cost one system call.
import { PlatformError } from '../errors/index.ts';
import { encodeInPlace } from './codec.ts';
import { MAX_FRAME_BYTES } from './frames.ts';
import type { Frame } from './frames.ts';

const PREFIX_BYTES = 4;
/** Above this a frame gets a buffer of its own: it would use up the slab that small ones share. */
const OWN_BUFFER_BYTES = 16 * 1_024;
const SLAB_BYTES = 128 * 1_024;

export class FrameWriter {
  readonly #write: (bytes: Buffer) => void;
  #slab: Buffer = Buffer.allocUnsafeSlow(SLAB_BYTES);
  /** What has been added and not handed over: `#start`..`#end` of the slab. Bytes before `#start` belong to the socket. */
  #start = 0;
  #end = 0;
  #addedBytes = 0;

  /** @param write  takes over each buffer: it is never written again */
  constructor(write: (bytes: Buffer) => void) {
    this.#write = write;
  }

  /** Bytes of all frames so far. */
  get addedBytes(): number {
    return this.#addedBytes;
  }

  /** Bytes that wait for `flush`. */
  get pendingBytes(): number {
    return this.#end - this.#start;
  }

  /** @throws protocol_violation  the frame is above the size limit; nothing is written */
  add(frame: Frame): void {
    const encoded = encodeInPlace(frame);
    const { start, end } = encoded;
    const length = end - start;
    if (length > MAX_FRAME_BYTES) throw new PlatformError('protocol_violation', { why: `a frame of ${length} bytes` });
    const size = PREFIX_BYTES + length;
    this.#addedBytes += size;
    if (size > OWN_BUFFER_BYTES) {
      this.flush();
      const own = Buffer.allocUnsafeSlow(size);
      own.writeUInt32LE(length);
      encoded.copy(own, PREFIX_BYTES, start, end);
      this.#write(own);
      return;
    }
    if (this.#end + size > SLAB_BYTES) {
      this.flush();
      this.#slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
      this.#start = this.#end = 0;
    }
    this.#slab.writeUInt32LE(length, this.#end);
    encoded.copy(this.#slab, this.#end + PREFIX_BYTES, start, end);
    this.#end += size;
  }

  /** Hands over what has been added. */
  flush(): void {
    if (this.#end === this.#start) return;
    const out = this.#slab.subarray(this.#start, this.#end);
    this.#start = this.#end;
    this.#write(out);
  }
}
