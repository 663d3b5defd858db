// Frames as a byte stream: writer and reader together, however the bytes are cut.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FRAME, FrameReader, FrameWriter, MAX_FRAME_BYTES, encode } from '../../../../core/protocol/index.ts';
import type { Frame } from '../../../../core/protocol/index.ts';
import { validFrame } from '../../../support/core-frames.ts';

function written(frames: readonly Frame[], flushEvery = Number.POSITIVE_INFINITY): Buffer {
  const out: Buffer[] = [];
  const writer = new FrameWriter((bytes) => out.push(bytes));
  frames.forEach((frame, i) => {
    writer.add(frame);
    if ((i + 1) % flushEvery === 0) writer.flush();
  });
  writer.flush();
  return Buffer.concat(out);
}

function read(chunks: Iterable<Buffer>, max?: number): Frame[] {
  const frames: Frame[] = [];
  const reader = new FrameReader(max);
  for (const chunk of chunks) reader.push(chunk, (frame) => frames.push(frame));
  return frames;
}

const violation = expect.objectContaining({ code: 'protocol_violation' }) as Error;
const prefixed = (payload: Buffer, length = payload.length): Buffer => {
  const prefix = Buffer.alloc(4);
  prefix.writeUInt32LE(length);
  return Buffer.concat([prefix, payload]);
};

describe('writer and reader', () => {
  it('give every frame back in order, whatever the chunks', () => {
    fc.assert(
      fc.property(fc.array(validFrame, { maxLength: 12 }), fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 20 }), fc.integer({ min: 1, max: 5 }), (frames, sizes, flushEvery) => {
        const bytes = written(frames, flushEvery);
        const chunks: Buffer[] = [];
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const size = sizes[i % sizes.length] ?? 1;
          chunks.push(Buffer.from(bytes.subarray(at, at + size)));
          at += size;
        }
        expect(JSON.stringify(read(chunks))).toBe(JSON.stringify(frames));
      }),
      { numRuns: 300 },
    );
  });

  it('carry large bodies without copies of the slab, and byte by byte', () => {
    const body = Buffer.alloc(200_000, 7);
    const frames: Frame[] = [[FRAME.data, 1, Buffer.from('small')], [FRAME.data, 1, body], [FRAME.end, 1]];
    const bytes = written(frames);
    const back = read([bytes]);
    expect(back.map((f) => f[0])).toEqual([FRAME.data, FRAME.data, FRAME.end]);
    expect(Buffer.from(back[1]?.[2] as Uint8Array).equals(body)).toBe(true);
    expect(read(Array.from(bytes.subarray(0, 2_000), (byte) => Buffer.of(byte)))).toHaveLength(1);
  });

  it('hand over one buffer for many small frames, and never touch it again', () => {
    const out: Buffer[] = [];
    const writer = new FrameWriter((bytes) => out.push(bytes));
    for (let i = 1; i <= 100; i++) writer.add([FRAME.end, i]);
    expect(out).toEqual([]);
    expect(writer.pendingBytes).toBeGreaterThan(0);
    writer.flush();
    writer.flush();
    expect(out).toHaveLength(1);
    expect(writer.pendingBytes).toBe(0);
    const copy = Buffer.from(out[0] as Buffer);
    for (let i = 0; i < 50_000; i++) writer.add([FRAME.end, 9]);
    writer.flush();
    expect(out[0]?.equals(copy)).toBe(true);
    expect(read(out)).toHaveLength(50_100);
  });

  it('refuse a frame above the limit and stay usable', () => {
    const out: Buffer[] = [];
    const writer = new FrameWriter((bytes) => out.push(bytes));
    expect(() => writer.add([FRAME.data, 1, Buffer.alloc(MAX_FRAME_BYTES + 1)])).toThrow(violation);
    writer.add([FRAME.end, 1]);
    writer.flush();
    expect(read(out)).toEqual([[FRAME.end, 1]]);
  });
});

describe('malformed streams', () => {
  it.each([
    ['a length of 0', Buffer.alloc(4)], ['the greatest length', Buffer.alloc(4, 255)], ['one byte above the limit', prefixed(Buffer.alloc(0), MAX_FRAME_BYTES + 1)],
    ['no msgpack', prefixed(Buffer.from([0xc1]))], ['no array', prefixed(encode('text'))], ['an unknown type', prefixed(encode([200, 1]))], ['too few fields', prefixed(encode([FRAME.cancel, 1]))],
    ['too many fields', prefixed(encode([FRAME.end, 1, 1]))], ['two values', prefixed(Buffer.concat([encode([FRAME.end, 1]), encode(1)]))], ['half a value', prefixed(encode([FRAME.end, 1]).subarray(0, 2))],
    ['nothing but nesting', prefixed(Buffer.alloc(100_000, 0x91))],
  ])('with %s are a protocol violation', (_name, bytes) => {
    expect(() => read([bytes])).toThrow(violation);
    expect(() => read([written([[FRAME.end, 5]]), bytes])).toThrow(violation);
  });

  it('need no memory for what has only been announced', () => {
    const before = process.memoryUsage().arrayBuffers;
    const readers = Array.from({ length: 50 }, () => new FrameReader());
    for (const reader of readers) reader.push(prefixed(Buffer.alloc(10), MAX_FRAME_BYTES), () => {});
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(10 * 1_048_576);
  });

  it('at random end in a violation or in frames, in bounded time', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ minLength: 1, maxLength: 64 }), { maxLength: 10 }), (chunks) => {
        let code: unknown = 'none';
        try {
          read(chunks.map((chunk) => Buffer.from(chunk)), 1_000);
        } catch (thrown) {
          code = (thrown as { code?: unknown }).code;
        }
        expect(['none', 'protocol_violation']).toContain(code);
      }),
      { numRuns: 2_000 },
    );
  });

  it('pass on a throw of the receiver as it is', () => {
    const reader = new FrameReader();
    expect(() => reader.push(written([[FRAME.end, 1]]), () => {
      throw new RangeError('the receiver\'s own');
    })).toThrow(RangeError);
  });
});
