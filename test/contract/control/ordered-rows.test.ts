// What ordered rows promise, on LMDB and on the in-memory fake.
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openLmdbRows } from '../../../control/store/index.ts';
import type { OrderedRows } from '../../../core/ports/index.ts';
import { MemoryRows } from '../../support/control-memory-rows.ts';
import { useTempFolder } from '../../support/control-temp.ts';

const text = (bytes: Uint8Array | undefined): string | undefined => (bytes === undefined ? undefined : Buffer.from(bytes).toString());

function lmdb(): OrderedRows {
  const store = openLmdbRows(join(useTempFolder(), 'rows'));
  onTestFinished(() => store.close());
  return store.rows('test');
}

describe.each([['LMDB', lmdb], ['memory', (): OrderedRows => new MemoryRows()]])('ordered rows: %s', (_name, open) => {
  it('give back what was written, in the order of keys, the end left out', () => {
    const rows = open();
    expect([rows.get('a'), rows.count, rows.range('', '~', 10)]).toEqual([undefined, 0, []]);
    rows.write([['b/1', Buffer.from('one')], ['b', Buffer.from('b')], ['b0', Buffer.from('zero')], ['a-b/1', Buffer.from('a')], ['b/2', new Uint8Array(0)]]);
    expect(rows.range(' ', '~', 10).map(({ key, bytes }) => [key, text(bytes)])).toEqual([['a-b/1', 'a'], ['b', 'b'], ['b/1', 'one'], ['b/2', ''], ['b0', 'zero']]);
    expect(rows.keys('b/', 'b0', 10)).toEqual(['b/1', 'b/2']);
    expect(rows.keys('b/', 'b/2', 10)).toEqual(['b/1']);
    expect(rows.keys('b', '~', 2)).toEqual(['b', 'b/1']);
    expect(rows.count).toBe(5);
    rows.write([['b', null], ['none', null], ['b/1', Buffer.from('other')]]);
    expect([text(rows.get('b/1')), rows.get('b'), rows.count]).toEqual(['other', undefined, 4]);
  });

  it('keep nothing of the caller\'s buffer', () => {
    const rows = open();
    const bytes = Buffer.from('xabcx');
    rows.write([['k', bytes.subarray(1, 4)]]);
    bytes.fill(0);
    expect(text(rows.get('k'))).toBe('abc');
  });
});

describe('ordered rows', () => {
  it('are the same in memory and in LMDB, and there again after they were closed', async () => {
    const folder = join(useTempFolder(), 'rows');
    let store = openLmdbRows(folder);
    let rows = store.rows('test');
    const memory = new MemoryRows();
    const key = fc.string({ unit: fc.constantFrom('a', 'b', '/', '0', '~', ' '), minLength: 1, maxLength: 4 });
    const change = fc.tuple(key, fc.option(fc.uint8Array({ maxLength: 5 })));
    const all = (from: OrderedRows): unknown => [from.count, from.range(' ', '\x7f', 1_000).map((row) => [row.key, [...row.bytes]])];
    fc.assert(fc.property(fc.array(change, { maxLength: 8 }), key, key, (changes, from, to) => {
      // One key twice in one write is not promised.
      const unique = [...new Map(changes)];
      rows.write(unique);
      memory.write(unique);
      expect(all(rows)).toEqual(all(memory));
      expect(rows.keys(from, to, 3)).toEqual(memory.keys(from, to, 3));
    }), { numRuns: 30 });
    await store.close();
    store = openLmdbRows(folder);
    rows = store.rows('test');
    expect(all(rows)).toEqual(all(memory));
    await store.close();
  });
});
