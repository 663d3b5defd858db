// The bounds of the log store: rows, characters, functions, and what a hostile sender may not do.
import { describe, expect, it } from 'vitest';
import { LogStore } from '../../../control/logs/index.ts';
import type { LogRow } from '../../../core/protocol/index.ts';

const row = (fn: string, message: string, more: Partial<Record<'time' | 'level' | 'invocation' | 'fields', unknown>> = {}): LogRow => [
  (more.time ?? 1_000) as number, (more.level ?? 'info') as string, fn, 1, (more.invocation ?? 'i') as string, message, (more.fields ?? null) as string | null,
];
const messages = (store: LogStore, name: string): string[] => store.list(name, 0, 10_000).items.map(({ line }) => line.message);

describe('the log store', () => {
  it('keeps the newest rows of a function', () => {
    const store = new LogStore({ exists: () => true, rows: 100 });
    for (let i = 0; i < 1_000; i++) store.take([row('a', String(i))], {});
    const kept = messages(store, 'a');
    expect(kept.length).toBeLessThanOrEqual(100);
    expect(kept.length).toBeGreaterThan(85);
    expect(kept.at(-1)).toBe('999');
    expect(kept).toEqual(Array.from({ length: kept.length }, (_, i) => String(1_000 - kept.length + i)));
  });

  it('bounds the characters of a function, and always keeps the last row', () => {
    const store = new LogStore({ exists: () => true, characters: 5_000 });
    for (let i = 0; i < 50; i++) store.take([row('a', 'x'.repeat(900))], {});
    expect(store.characters).toBeLessThanOrEqual(5_000);
    store.take([row('a', 'y'.repeat(10_000))], {});
    expect(messages(store, 'a')).toHaveLength(1);
  });

  it('bounds all functions together: who was silent longest loses, and it shows', () => {
    const store = new LogStore({ exists: () => true, allCharacters: 10_000 });
    for (const name of ['a', 'b', 'c', 'd']) for (let i = 0; i < 4; i++) store.take([row(name, 'x'.repeat(900))], {});
    expect(store.characters).toBeLessThanOrEqual(10_000);
    expect(messages(store, 'd')).toHaveLength(4);
    expect(messages(store, 'a')).toHaveLength(0);
    expect(store.list('a', 0, 10).dropped).toBe(4);
  });

  it('counts characters back to 0', () => {
    const store = new LogStore({ exists: () => true });
    store.take([row('a', 'x'), row('b', 'y', { fields: '{"n":1}' })], { a: 2 });
    store.forget('a');
    store.forget('b');
    expect(store.characters).toBe(0);
    expect(store.list('a', 0, 10)).toEqual({ items: [], dropped: 0 });
  });

  it('cuts what a hostile host sends to size, and takes nothing for functions that do not exist', () => {
    const store = new LogStore({ exists: (name) => name === 'a' });
    store.take([row('a', 'x'.repeat(1_000_000), { time: 1e300, level: '<b>', invocation: 'i'.repeat(1_000), fields: `"${'f'.repeat(1_000_000)}"` }), row('b', 'no')], { b: 5, a: 1 });
    const [kept] = store.list('a', 0, 10).items;
    expect(kept?.line.message.length).toBeLessThan(11_000);
    expect(String(kept?.line.fields).length).toBeLessThan(11_000);
    expect(kept?.line).toMatchObject({ level: 'info', time: '+275760-09-13T00:00:00.000Z' });
    expect(kept?.line.invocation).toHaveLength(64);
    expect(store.list('b', 0, 10)).toEqual({ items: [], dropped: 0 });
    expect(store.list('a', 0, 10).dropped).toBe(1);
  });
});
