// Byte credits: both windows, alone and together.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_DATA_BYTES, ReceiveWindow, STREAM_WINDOW_BYTES, SendWindow } from '../../../../core/protocol/index.ts';

describe('the windows', () => {
  it('let a sender go one chunk past zero, and open again with the first credit that pays for it', () => {
    const send = new SendWindow();
    send.spend(STREAM_WINDOW_BYTES - 1);
    expect(send.open).toBe(true);
    send.spend(100);
    expect(send.open).toBe(false);
    expect(send.grant(99)).toBe(false);
    expect(send.grant(1)).toBe(true);
    expect(send.grant(1)).toBe(false);
    expect(send.overgranted).toBe(false);
    expect(send.grant(STREAM_WINDOW_BYTES)).toBe(false);
    expect(send.overgranted).toBe(true);
  });

  it('gather credit until it is worth a frame', () => {
    const receive = new ReceiveWindow();
    receive.received(STREAM_WINDOW_BYTES);
    expect(receive.consumed(STREAM_WINDOW_BYTES / 4 - 1)).toBe(0);
    expect(receive.consumed(1)).toBe(STREAM_WINDOW_BYTES / 4);
    expect(receive.consumed(10)).toBe(0);
    expect(receive.overrun).toBe(false);
    receive.received(STREAM_WINDOW_BYTES * 2);
    expect(receive.overrun).toBe(true);
  });

  it('never stall, never overrun, never overgrant between two that follow the rules', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 1, max: MAX_DATA_BYTES }), fc.nat(3)), { minLength: 1, maxLength: 200 }), (steps) => {
        const [send, receive] = [new SendWindow(), new ReceiveWindow()];
        const held: number[] = [];
        const consumeOne = (): void => {
          const bytes = held.shift();
          if (bytes === undefined) return;
          const due = receive.consumed(bytes);
          if (due > 0) send.grant(due);
          expect(send.overgranted).toBe(false);
        };
        for (const [bytes, consumes] of steps) {
          for (let i = 0; i < consumes; i++) consumeOne();
          while (!send.open) {
            expect(held.length).toBeGreaterThan(0);
            consumeOne();
          }
          send.spend(bytes);
          receive.received(bytes);
          held.push(bytes);
          expect(receive.overrun).toBe(false);
        }
      }),
    );
  });
});
