// Readable byte streams over bytes that are there already.
import { Uint8ArrayPrototypeSlice } from '../../primordials.guest.ts';
import { loadStreams } from '../../streams.guest.ts';
import type { ByteController, ReadableStreamLike } from '../../streams.guest.ts';

/** Bytes of one chunk of a stream. */
export const PIECE_BYTES = 65_536;

/** Closes the stream, and the view that a BYOB reader waits for. */
export function closeBytes(controller: ByteController): void {
  controller.close();
  controller.byobRequest?.respond(0);
}

/** @param first  gives the source of pieces when the first one is asked for; pieces are copied, since a reader owns what it gets */
export function streamOfPieces(first: () => () => Uint8Array | null, cancelled: () => void = () => {}): ReadableStreamLike {
  let next: (() => Uint8Array | null) | undefined;
  return new (loadStreams().ReadableStream)(
    {
      type: 'bytes',
      pull(controller) {
        next ??= first();
        const piece = next();
        if (piece === null) closeBytes(controller);
        else controller.enqueue(Uint8ArrayPrototypeSlice(piece));
      },
      cancel: cancelled,
    },
    { highWaterMark: 0 },
  );
}
