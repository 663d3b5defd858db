// Bytes in several arrays that nobody changes: what Blobs hold, and bodies made of them.
import { NativeUint8Array, TypedArrayPrototypeSubarray, Uint8ArrayPrototypeSet } from '../../primordials.guest.ts';

export type Chunks = readonly Uint8Array[];

/** One array of all; the array itself when there is only one. */
export function joined(chunks: Chunks, total: number): Uint8Array<ArrayBuffer> {
  if (chunks.length === 1) return chunks[0] as Uint8Array<ArrayBuffer>;
  const all = new NativeUint8Array(total);
  let at = 0;
  for (let i = 0; i < chunks.length; i++) {
    const chunk = chunks[i] as Uint8Array;
    Uint8ArrayPrototypeSet(all, chunk, at);
    at += chunk.length;
  }
  return all;
}

export function totalBytes(chunks: Chunks): number {
  let total = 0;
  for (let i = 0; i < chunks.length; i++) total += (chunks[i] as Uint8Array).length;
  return total;
}

/** Hands out pieces of at most `pieceBytes`, views of the chunks; null at the end. */
export function pieces(chunks: Chunks, pieceBytes: number): () => Uint8Array | null {
  let chunk = 0;
  let at = 0;
  return () => {
    for (;;) {
      const current = chunks[chunk];
      if (current === undefined) return null;
      if (at < current.length) {
        const piece = TypedArrayPrototypeSubarray(current, at, at + pieceBytes);
        at += piece.length;
        return piece;
      }
      chunk += 1;
      at = 0;
    }
  };
}
