// Streams on their way out: from a reader into a sink of the host.
import { MAX_CROSSING, OP } from '../../abi.ts';
import { drainId } from '../../body.guest.ts';
import type { ChunkSource } from '../../body.guest.ts';
import { describeThrown } from '../../errors.guest.ts';
import { expectSettlement, op } from '../../host.guest.ts';
import { MapPrototypeDelete, MapPrototypeGet, MapPrototypeSet, NativeError, NativeMap, NativeTypeError, TypedArrayPrototypeSubarray, exactBytes, typedArrayName } from '../../primordials.guest.ts';
import type { StreamReader } from '../../streams.guest.ts';

type Reader = Pick<StreamReader, 'read' | 'cancel'>;

const readers = new NativeMap<number, Reader>();

/** Moves a source into a sink of the host, chunk by chunk, at the pace of its reader. */
export async function pump(sink: number, source: ChunkSource): Promise<void> {
  let reader: Reader | undefined;
  try {
    reader = source.getReader();
    MapPrototypeSet(readers, sink, reader);
    for (;;) {
      const { done, value } = await reader.read();
      if (MapPrototypeGet(readers, sink) === undefined) return;
      if (done) break;
      if (typedArrayName(value as object) !== 'Uint8Array') throw new NativeTypeError('a body stream must give Uint8Array chunks');
      const bytes = value as Uint8Array;
      for (let at = 0; at < bytes.length; at += MAX_CROSSING) {
        const piece = bytes.length <= MAX_CROSSING ? bytes : TypedArrayPrototypeSubarray(bytes, at, at + MAX_CROSSING);
        if (op(OP.sinkWrite, sink, exactBytes(piece)) !== 1) await expectSettlement(drainId(sink));
        if (MapPrototypeGet(readers, sink) === undefined) return;
      }
    }
    MapPrototypeDelete(readers, sink);
    op(OP.sinkEnd, sink);
  } catch (thrown) {
    MapPrototypeDelete(readers, sink);
    const { message, stack } = describeThrown(thrown);
    op(OP.sinkError, sink, message, stack);
    void cancel(reader, thrown);
  }
}

async function cancel(reader: Reader | undefined, reason: unknown): Promise<void> {
  try {
    await reader?.cancel(reason);
  } catch {
    // The stream has failed already; its cancel may fail too.
  }
}

/** Nobody reads the sink any more. */
export function cancelSink(sink: number, reason: unknown = new NativeError('the reader is gone')): void {
  const reader = MapPrototypeGet(readers, sink) as Reader | undefined;
  if (reader === undefined) return;
  MapPrototypeDelete(readers, sink);
  void cancel(reader, reason);
}
