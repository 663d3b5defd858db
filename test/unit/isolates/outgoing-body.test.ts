// A body on its way out keeps to its receiver's credit, whatever the size of what is written at once: more would end the connection for everybody.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FRAME, MAX_DATA_BYTES, ReceiveWindow, STREAM_WINDOW_BYTES } from '../../../core/protocol/index.ts';
import type { Frame, FrameConnection } from '../../../core/protocol/index.ts';
import { IncomingBody } from '../../../isolates/bodies/incoming-body.ts';
import { OutgoingBody, pipe } from '../../../isolates/bodies/outgoing-body.ts';

class Receiver {
  readonly connection = { backlogBytes: 0, send: (frame: Frame) => this.#take(frame) } as unknown as FrameConnection;
  readonly body = new OutgoingBody(this.connection, 7);
  readonly window = new ReceiveWindow();
  readonly chunks: Buffer[] = [];
  #unread: Buffer[] = [];
  ended = false;
  overran = false;

  #take(frame: Frame): void {
    if (frame[0] === FRAME.end) this.ended = true;
    if (frame[0] !== FRAME.data) return;
    const bytes = Buffer.from(frame[2]);
    this.window.received(bytes.length);
    if (this.window.overrun || bytes.length > MAX_DATA_BYTES || this.ended) this.overran = true;
    this.#unread.push(bytes);
  }

  get waiting(): number {
    return this.#unread.reduce((sum, { length }) => sum + length, 0);
  }

  /** Consumes what has come. @returns whether there was anything */
  read(): boolean {
    const chunks = this.#unread;
    this.#unread = [];
    for (const chunk of chunks) {
      this.chunks.push(chunk);
      const due = this.window.consumed(chunk.length);
      if (due > 0) this.body.grant(due);
    }
    return chunks.length > 0;
  }
}

const numbered = (length: number): Buffer => Buffer.from(Uint8Array.from({ length }, (_, i) => i % 251));

describe('a body on its way out', () => {
  it('that is written in one large piece waits for credit, and comes whole', () => {
    const receiver = new Receiver();
    const bytes = numbered(1_000_000);
    expect(receiver.body.write(bytes)).toBe(false);
    expect(receiver.waiting).toBeLessThan(STREAM_WINDOW_BYTES + MAX_DATA_BYTES);
    let drained = 0;
    receiver.body.whenDrained(() => (drained += 1));
    while (receiver.read());
    expect(drained).toBe(1);
    receiver.body.end();
    expect([receiver.ended, receiver.overran, Buffer.concat(receiver.chunks).equals(bytes)]).toEqual([true, false, true]);
  });

  it('ends behind what is held, also when its end comes first', () => {
    const receiver = new Receiver();
    receiver.body.write(numbered(600_000));
    receiver.body.end();
    expect([receiver.ended, receiver.body.closed]).toEqual([false, false]);
    while (receiver.read());
    expect([receiver.ended, receiver.body.closed, receiver.chunks.reduce((sum, { length }) => sum + length, 0)]).toEqual([true, true, 600_000]);
  });

  it('of any pieces arrives in order, and never overruns', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.nat(2_000), fc.nat(200_000), fc.constantFrom(MAX_DATA_BYTES, STREAM_WINDOW_BYTES, 1_048_576)), { maxLength: 8 }), fc.array(fc.boolean(), { maxLength: 8 }), (sizes, reads) => {
        const receiver = new Receiver();
        const source = new IncomingBody(null, { grant: () => {}, abandon: () => {} });
        let error: string | null | undefined;
        pipe(source, receiver.body, (code) => (error = code));
        const all = sizes.map(numbered);
        all.forEach((bytes, i) => {
          if (bytes.length > 0) source.push(bytes);
          if (reads[i] === true) receiver.read();
        });
        source.end();
        while (receiver.read());
        expect([receiver.ended, receiver.overran, error]).toEqual([true, false, null]);
        expect(Buffer.concat(receiver.chunks).equals(Buffer.concat(all))).toBe(true);
      }),
    );
  });
});
