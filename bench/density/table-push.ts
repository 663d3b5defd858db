// How long the control plane takes to give a gateway its whole route table: a subscriber of our own, on the node's socket.
import { join } from 'node:path';
import { z } from 'zod';
import { newEpoch } from '../../core/ids/index.ts';
import { FRAME, ReconnectingPeer, encode } from '../../core/protocol/index.ts';

const pieceSchema = z.object({ epoch: z.number(), revision: z.number(), functions: z.array(z.unknown()).optional(), upsert: z.array(z.unknown()).optional() });

export interface TablePush {
  readonly functions: number;
  /** Encoded, over all its frames. */
  readonly bytes: number;
  /** From `subscribe` to the last frame, decoded. */
  readonly ms: number;
}

const WITHIN_MS = 30_000;

/** @param dataFolder  of a running node */
export async function measureTablePush(dataFolder: string, expectFunctions: number): Promise<TablePush> {
  let sentMs = 0;
  let bytes = 0;
  let functions = 0;
  return await new Promise((resolve, reject) => {
    const late = setTimeout(() => done(() => reject(new Error(`no whole table within ${WITHIN_MS} ms, but ${functions} functions`))), WITHIN_MS);
    const peer = new ReconnectingPeer(join(dataFolder, 'run', 'control.sock'), { self: { role: 'gateway', name: 'bench', epoch: newEpoch() }, accepts: ['control'] }, {
      onOpen: (connection) => {
        sentMs = performance.now();
        connection.send([FRAME.subscribe, 0, 0, 0]);
      },
      onFrame: (frame, connection) => {
        if (frame[0] !== FRAME.table && frame[0] !== FRAME.delta) return;
        const ms = performance.now() - sentMs;
        const piece = pieceSchema.parse(frame[2]);
        functions += (piece.functions ?? piece.upsert ?? []).length;
        bytes += encode(frame[2]).length;
        if (functions < expectFunctions) return;
        // So that no write of the node waits for this subscriber.
        connection.send([FRAME.applied, 0, piece.revision]);
        done(() => resolve({ functions, bytes, ms }));
      },
      onClose: () => {},
    });
    const done = (then: () => void): void => {
      clearTimeout(late);
      peer.close();
      then();
    };
  });
}
