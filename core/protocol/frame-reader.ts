// Cuts a byte stream into frames: a 4-byte little-endian length, then that many bytes of msgpack.
import { PlatformError } from '../errors/index.ts';
import { checkFrame } from './check.ts';
import { decode } from './codec.ts';
import { MAX_FRAME_BYTES } from './frames.ts';
import type { Frame } from './frames.ts';

const PREFIX_BYTES = 4;

export class FrameReader {
  readonly #maxFrameBytes: number;
  /** Bytes of a frame that is not complete. */
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  /** Bytes needed before the pending ones can be looked at again. */
  #needed = PREFIX_BYTES;

  constructor(maxFrameBytes = MAX_FRAME_BYTES) {
    this.#maxFrameBytes = maxFrameBytes;
  }

  /**
   * Takes the next bytes and calls `onFrame` for each complete frame, in order. Binary parts of a frame are views into `chunk`: the
   * caller gives it up.
   *
   * @throws protocol_violation  a length is 0 or above the limit, or a frame is malformed; the stream is of no use after that
   */
  push(chunk: Buffer, onFrame: (frame: Frame) => void): void {
    let bytes = chunk;
    if (this.#pendingBytes > 0) {
      this.#pending.push(chunk);
      this.#pendingBytes += chunk.length;
      // A large frame comes in many chunks: they are joined once, when it is complete.
      if (this.#pendingBytes < this.#needed) return;
      bytes = Buffer.concat(this.#pending, this.#pendingBytes);
      this.#pending = [];
      this.#pendingBytes = 0;
    }
    let at = 0;
    while (bytes.length - at >= PREFIX_BYTES) {
      const length = bytes.readUInt32LE(at);
      if (length === 0 || length > this.#maxFrameBytes) {
        throw new PlatformError('protocol_violation', { why: `a frame of ${length} bytes` });
      }
      const end = at + PREFIX_BYTES + length;
      if (end > bytes.length) {
        this.#keep(bytes.subarray(at), PREFIX_BYTES + length);
        return;
      }
      const frame = checkFrame(decode(bytes, at + PREFIX_BYTES, end));
      if (frame === undefined) throw new PlatformError('protocol_violation', { why: 'a frame has a wrong type or field' });
      at = end;
      onFrame(frame);
    }
    if (at < bytes.length) this.#keep(bytes.subarray(at), PREFIX_BYTES);
  }

  #keep(rest: Buffer, needed: number): void {
    this.#pending.push(rest);
    this.#pendingBytes = rest.length;
    this.#needed = needed;
  }
}
