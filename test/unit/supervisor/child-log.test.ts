import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ChildLog } from '../../../supervisor/child-log.ts';

function read(chunks: readonly Buffer[]): { json: string[]; text: string[] } {
  const json: string[] = [];
  const text: string[] = [];
  const log = new ChildLog((line) => json.push(line), (line) => text.push(line));
  for (const chunk of chunks) log.push(chunk);
  log.end();
  return { json, text };
}

describe('child log', () => {
  it('passes JSON lines as they are and wraps the rest', () => {
    expect(read([Buffer.from('{"level":"info","msg":"a"}\nboom\n\n{not json\nlast words')])).toEqual({ json: ['{"level":"info","msg":"a"}\n'], text: ['boom', '{not json', 'last words'] });
  });

  it('finds the same lines however the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme', minLength: 1 }).filter((line) => !/[\r\n]/.test(line) && line.trim() !== '')), fc.array(fc.nat(200)), (lines, cuts) => {
        const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
        const at = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)).toSorted((a, b) => a - b), bytes.length];
        const chunks = at.slice(1).map((end, index) => bytes.subarray(at[index], end));
        expect(read(chunks).text).toEqual(lines);
      }),
    );
  });

  it('cuts a line without end into pieces', () => {
    const { text } = read(Array.from({ length: 100 }, () => Buffer.alloc(10_000, 'x')));
    expect(text.join('').length).toBe(1_000_000);
    expect(Math.max(...text.map((piece) => piece.length))).toBeLessThanOrEqual(65_536);
  });
});
