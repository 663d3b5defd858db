// What an isolate that is no longer the runtime's could send to the areas of encoding and compression: everything is checked, everything is bounded.
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import type { Invocation } from '../../../isolates/invocation.ts';
import type { OperationArea } from '../../../isolates/operations/area.ts';
import { compressionArea } from '../../../isolates/operations/compression.ts';
import { encodingArea } from '../../../isolates/operations/encoding.ts';
import { COMPRESSION_ERROR, COMPRESSION_OP, STEP_BYTES } from '../../../isolates/runtime/abi-compression.ts';
import { ENCODING_OP, TABLE } from '../../../isolates/runtime/abi-encoding.ts';

/** The areas know an invocation by identity only. */
const invocation = (): Invocation => ({}) as Invocation;
const HOSTILE: readonly unknown[] = [undefined, null, true, NaN, -1, 1e300, '', 'x'.repeat(2_000_000), '__proto__', 'constructor', new ArrayBuffer(8), new Uint8Array(2_000_000), 10n];

describe('encoding', () => {
  const area = encodingArea();
  const run = (code: number, a: unknown): unknown => area.run(code, invocation(), a, undefined, undefined, undefined, undefined, undefined);
  const outcome = (code: number, a: unknown): string => {
    try {
      const answer = run(code, a);
      return answer === undefined || typeof answer === 'string' ? 'harmless' : 'data';
    } catch (error) {
      return error instanceof TypeError ? 'harmless' : String(error);
    }
  };
  test('hostile arguments throw a TypeError or are answered with nothing', () => {
    const outcomes = [...Object.values(ENCODING_OP), 63].flatMap((code) => HOSTILE.map((a) => outcome(code, a)));
    expect(outcomes.length).toBeGreaterThan(60);
    expect(outcomes.filter((one) => one !== 'harmless')).toEqual([]);
    expect(outcome(ENCODING_OP.table, 'koi8')).toBe('harmless');
  });
  test.each([
    [TABLE.big5, 19_782], [TABLE.eucKr, 23_750], [TABLE.gb18030, 23_940], [TABLE.gb18030Ranges, 39_420], [TABLE.jis0208, 11_104], [TABLE.jis0212, 8_836], ['koi8-r', 128],
  ])('%s is made once, with %d pointers', (name, size) => {
    const table = run(ENCODING_OP.table, name) as ArrayBuffer;
    expect(table.byteLength).toBe(size * 4);
    expect(run(ENCODING_OP.table, name)).toBe(table);
  });
  test('tables hold what the standard says', () => {
    // Encoding standard, index-big5: pointer 942 is U+43F0.
    expect(new Uint32Array(run(ENCODING_OP.table, TABLE.big5) as ArrayBuffer)[942]).toBe(0x43f0);
    expect(new Uint32Array(run(ENCODING_OP.table, TABLE.jis0208) as ArrayBuffer).slice(8_836, 10_716).every((code) => code === 0)).toBe(true);
  });
});

describe('compression', () => {
  const made: OperationArea[] = [];
  const make = (): OperationArea => {
    const area = compressionArea();
    made.push(area);
    return area;
  };
  afterEach(() => {
    for (const area of made.splice(0)) area.close?.();
  });
  const call = (area: OperationArea, owner: Invocation, code: number, a?: unknown, b?: unknown, c?: unknown): unknown => area.run(code, owner, a, b, c, undefined, undefined, undefined);

  test('hostile arguments throw a TypeError or name no context', () => {
    const area = make();
    const owner = invocation();
    for (const a of HOSTILE) {
      expect(() => call(area, owner, COMPRESSION_OP.open, a, 1)).toThrow(TypeError);
      expect(call(area, owner, COMPRESSION_OP.step, a, new Uint8Array(1))).toBe(COMPRESSION_ERROR.gone);
      expect(call(area, owner, COMPRESSION_OP.close, a)).toBeUndefined();
    }
    const id = call(area, owner, COMPRESSION_OP.open, 'gzip', 0);
    for (const input of [null, 'x', 1, new ArrayBuffer(8), new Uint8Array(STEP_BYTES + 1)]) expect(() => call(area, owner, COMPRESSION_OP.step, id, input)).toThrow(TypeError);
    expect(() => call(area, owner, 127)).toThrow(TypeError);
  });

  test('what comes out of a step is bounded, and must be taken before more goes in', () => {
    const area = make();
    const owner = invocation();
    const id = call(area, owner, COMPRESSION_OP.open, 'gzip', 1);
    const bomb = gzipSync(Buffer.alloc(10_000_000));
    let output = call(area, owner, COMPRESSION_OP.step, id, new Uint8Array(bomb));
    expect(() => call(area, owner, COMPRESSION_OP.step, id, new Uint8Array(1))).toThrow(TypeError);
    let steps = 0;
    while (output instanceof Uint8Array && output.length === STEP_BYTES) {
      steps += 1;
      output = call(area, owner, COMPRESSION_OP.step, id);
    }
    expect(steps * STEP_BYTES + (output as ArrayBuffer).byteLength).toBe(10_000_000);
  });

  test('contexts end with their invocation, with their stream, and by close', () => {
    const area = make();
    const [a, b] = [invocation(), invocation()];
    const mine = Array.from({ length: 64 }, (_, i) => call(area, i < 60 ? a : b, COMPRESSION_OP.open, 'deflate', 0));
    expect(call(area, b, COMPRESSION_OP.open, 'gzip', 0)).toBe(0);
    area.release?.(a);
    expect(call(area, a, COMPRESSION_OP.step, mine[0])).toBe(COMPRESSION_ERROR.gone);
    expect(call(area, b, COMPRESSION_OP.step, mine[63], undefined, 1)).toBeInstanceOf(ArrayBuffer);
    expect(call(area, b, COMPRESSION_OP.step, mine[63])).toBe(COMPRESSION_ERROR.gone);
    call(area, b, COMPRESSION_OP.close, mine[62]);
    expect(call(area, b, COMPRESSION_OP.step, mine[62])).toBe(COMPRESSION_ERROR.gone);
    expect(call(area, b, COMPRESSION_OP.open, 'gzip', 0)).toBeGreaterThan(0);
  });

  test('native memory is bounded for an isolate and for all of them, and given back', () => {
    // The header of a brotli stream with a window of 16 MiB.
    const wide = new Uint8Array([0x0f, 0x00]);
    const owner = invocation();
    const reserve = (area: OperationArea): unknown => call(area, owner, COMPRESSION_OP.step, call(area, owner, COMPRESSION_OP.open, 'brotli', 1), wide);
    const area = make();
    expect(reserve(area)).toBeInstanceOf(ArrayBuffer);
    expect(reserve(area)).toBe(COMPRESSION_ERROR.memory);
    let isolates = 1;
    while (isolates < 100 && typeof reserve(make()) !== 'string') isolates += 1;
    // 512 MiB over 16 MiB and a little each.
    expect(isolates).toBe(31);
    for (const one of made) one.close?.();
    expect(reserve(make())).toBeInstanceOf(ArrayBuffer);
  });
});
