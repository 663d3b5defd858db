// The codec: round trips of plain data, and nothing but a protocol violation for everything else.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decode, encode } from '../../../../core/protocol/index.ts';
import { validFrame } from '../../../support/core-frames.ts';
import { fuzzRounds } from '../../../support/sidecar-random.ts';

const plain = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.string(), fc.string({ unit: 'binary' }).map((s) => s.toWellFormed()), fc.maxSafeInteger(), fc.double({ noNaN: true }).map((n) => (n === 0 ? 0 : n)), fc.boolean(), fc.constant(null), fc.uint8Array({ maxLength: 300 }).map((b) => Buffer.from(b)),
    fc.array(tie('value'), { maxLength: 5 }), fc.dictionary(fc.string({ maxLength: 6 }).filter((key) => key !== '__proto__'), tie('value'), { maxKeys: 5 }),
  ),
})).value;

const codeOf = (f: () => unknown): string => {
  try {
    f();
    return 'ok';
  } catch (thrown) {
    return String((thrown as { code?: unknown }).code);
  }
};

const be32 = (token: number, n: number): Buffer => {
  const b = Buffer.alloc(5, token);
  b.writeUInt32BE(n, 1);
  return b;
};

describe('the codec', () => {
  it('gives plain data back', () => {
    fc.assert(fc.property(plain, (value) => {
      const back = decode(encode(value));
      expect(back).toEqual(value);
    }), { numRuns: 2_000 });
  });

  it('gives numbers back exactly: whole ones, fractions, extremes', () => {
    for (const n of [0, -0, 1, 127, 128, -32, -33, 255, 256, 65_535, 65_536, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1, -(2 ** 53 - 1), 0.1, 1e300, 5e-324]) {
      expect(Object.is(decode(encode(n)), n) || (n === 0 && decode(encode(n)) === 0)).toBe(true);
    }
  });

  it('reads a part of a buffer and gives views into it', () => {
    const inner = encode([1, Buffer.from('abc')]);
    const buffer = Buffer.concat([Buffer.from('head'), inner, Buffer.from('tail')]);
    const value = decode(buffer, 4, 4 + inner.length) as [number, Buffer];
    expect(value[1].toString()).toBe('abc');
    expect(value[1].buffer).toBe(buffer.buffer);
  });

  it('never keeps what it has given out', () => {
    const first = encode(['x'.repeat(100)]);
    const copy = Buffer.from(first);
    for (let i = 0; i < 2_000; i++) encode(['y'.repeat(100)]);
    expect(first.equals(copy)).toBe(true);
  });
});

describe('hostile bytes', () => {
  it.each([
    ['nothing', Buffer.alloc(0)], ['two values', Buffer.from([1, 2])], ['the reserved token', Buffer.from([0xc1])],
    ['an array longer than the frame', be32(0xdd, 30_000_000)], ['the longest array', be32(0xdd, 0xffffffff)], ['arrays in arrays that are not there', Buffer.concat(Array.from({ length: 100 }, () => be32(0xdd, 30_000_000)))],
    ['a map longer than the frame', be32(0xdf, 0xffffffff)], ['a text longer than the frame', be32(0xdb, 0x7fffffff)], ['bytes longer than the frame', be32(0xc6, 0xffffffff)],
    ['a cut length', Buffer.from([0xdd, 0, 0])], ['a cut number', Buffer.from([0xcb, 0, 0])], ['a date', Buffer.from([0xd6, 0xff, 0, 0, 0, 1])], ['a long date', Buffer.from([0xc7, 12, 0xff, ...Buffer.alloc(12)])],
    ['a set', Buffer.from([0xd4, 0x73, 0, 0x91, 1])], ['an error', Buffer.from([0xc7, 8, 0x65, 0x92, 0xa5, 69, 114, 114, 111, 114, 0xa1, 65])], ['a regular expression', Buffer.from([0xc7, 5, 0x78, 0x92, 0xa1, 0x61, 0xa1, 0x67])],
    ['a record with a generated reader', Buffer.from([0xd4, 0x72, 0x40, 0x91, 0xa1, 0x61, 5])], ['a record in an array', Buffer.from([0x91, 0xd5, 0x72, 0x40, 0, 0x91, 0xa1, 0x61, 5])],
    ['bundled strings', Buffer.from([0xd6, 0x62, 0, 0, 0, 1, 1])], ['a shared reference', Buffer.from([0xd6, 0x70, 0, 0, 0, 1])], ['a typed array', Buffer.from([0xc7, 3, 0x74, 1, 2, 3])], ['a big integer', Buffer.from([0xc7, 2, 0x42, 1, 1])],
    ['a map with an array as key', Buffer.from([0x81, 0x91, 1, 2])], ['nesting without an end', Buffer.alloc(1_000_000, 0x91)], ['deep nesting', Buffer.concat([Buffer.alloc(1_000_000, 0x91), Buffer.from([1])])],
    ['deep maps', Buffer.concat([...Array.from({ length: 200_000 }, () => Buffer.from([0x81, 0xa1, 0x61])), Buffer.from([1])])],
  ])('of %s are a protocol violation, fast and without much memory', (_name, bytes) => {
    const from = performance.now();
    const before = process.memoryUsage.rss();
    expect(codeOf(() => decode(bytes))).toBe('protocol_violation');
    expect(performance.now() - from).toBeLessThan(500);
    expect(process.memoryUsage.rss() - before).toBeLessThan(100 * 1_048_576);
  });

  it('leave nothing behind for the next frame', () => {
    codeOf(() => decode(Buffer.from([0xd4, 0x72, 0x40, 0x91, 0xa1, 0x61, 5])));
    const all = Array.from({ length: 128 }, (_, i) => i);
    expect(decode(encode(all))).toEqual(all);
  });

  it('do not reach prototypes', () => {
    const value = decode(Buffer.concat([Buffer.from([0x81, 0xa9]), Buffer.from('__proto__'), Buffer.from([0x81, 0xa1, 0x61, 1])])) as Record<string, unknown>;
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(value['a']).toBeUndefined();
  });

  it('at random, or with random changes to a frame, decode or are a protocol violation', () => {
    const numRuns = fuzzRounds(5_000, 300_000);
    const plainOnly = (v: unknown): boolean =>
      v === null || v === undefined || ['string', 'number', 'boolean'].includes(typeof v) || v instanceof Uint8Array ||
      (Array.isArray(v) ? v.every(plainOnly) : Object.getPrototypeOf(v) === Object.prototype && Object.values(v as object).every(plainOnly));
    const tell = (bytes: Buffer): void => {
      try {
        expect(plainOnly(decode(bytes))).toBe(true);
      } catch (thrown) {
        if ((thrown as { code?: string }).code !== 'protocol_violation') throw thrown;
      }
    };
    fc.assert(fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), (bytes) => tell(Buffer.from(bytes))), { numRuns });
    fc.assert(
      fc.property(validFrame, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 5 }), (frame, changes) => {
        const bytes = Buffer.from(encode(frame));
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        tell(bytes);
      }),
      { numRuns },
    );
  }, 600_000);
});
