// What every RecordStore promises. Run on each implementation and on the fake.
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Change, RecordStore } from '../../core/ports/index.ts';

/** @param open  a store; the same `place` gives the same data again, where the store keeps any */
export function recordStoreContract(name: string, open: () => { readonly store: RecordStore; readonly reopen: (() => RecordStore) | undefined }): void {
  const use = (): { readonly store: RecordStore; readonly reopen: (() => RecordStore) | undefined } => {
    const opened = open();
    onTestFinished(() => opened.store.close());
    return opened;
  };

  describe(`record store: ${name}`, () => {
    it('starts empty at revision 0', () => {
      const { store } = use();
      expect(store.revision).toBe(0);
      expect(store.get('a')).toBeUndefined();
      expect(store.list({ prefix: '' })).toEqual([]);
    });

    it('gives back what was committed, with the revision that wrote it', async () => {
      const { store } = use();
      expect(await store.commit([{ key: 'a', value: { n: 1, t: 'ü😀', list: [null, true, 1.5], bytes: Uint8Array.of(0, 255) } }])).toBe(1);
      expect(await store.commit([{ key: 'b', value: null }])).toBe(2);
      const a = store.get('a');
      expect(a?.revision).toBe(1);
      expect(a?.value).toMatchObject({ n: 1, t: 'ü😀', list: [null, true, 1.5] });
      expect(a?.value).toHaveProperty('bytes.0', 0);
      expect(a?.value).toHaveProperty('bytes.1', 255);
      expect(store.get('b')).toEqual({ key: 'b', value: null, revision: 2 });
      expect(store.revision).toBe(2);
    });

    it('gives values that are the caller\'s to change', async () => {
      const { store } = use();
      const value = { list: [1] };
      await store.commit([{ key: 'a', value }]);
      value.list.push(2);
      const got = store.get('a')?.value as typeof value;
      got.list.push(3);
      expect(store.get('a')?.value).toEqual({ list: [1] });
    });

    it('lists by prefix in code unit order, after a key, up to a limit', async () => {
      const { store } = use();
      const keys = ['a', 'f/a', 'f/a-1', 'f/a0', 'f/aa', 'f/b', 'f~', 'g/a'];
      await store.commit(keys.toReversed().map((key) => ({ key, value: key })));
      const listed = (options: Parameters<RecordStore['list']>[0]): string[] => store.list(options).map((row) => row.key);
      expect(listed({ prefix: '' })).toEqual(keys);
      expect(listed({ prefix: 'f/' })).toEqual(['f/a', 'f/a-1', 'f/a0', 'f/aa', 'f/b']);
      expect(listed({ prefix: 'f/', after: 'f/a-1' })).toEqual(['f/a0', 'f/aa', 'f/b']);
      expect(listed({ prefix: 'f/', after: 'f/a/never' })).toEqual(['f/a0', 'f/aa', 'f/b']);
      expect(listed({ prefix: 'f/', after: 'a' })).toEqual(['f/a', 'f/a-1', 'f/a0', 'f/aa', 'f/b']);
      expect(listed({ prefix: 'f/', after: 'z' })).toEqual([]);
      expect(listed({ prefix: 'f/', limit: 2 })).toEqual(['f/a', 'f/a-1']);
      expect(listed({ prefix: 'nothing' })).toEqual([]);
    });

    it('lists 100 records unless told otherwise', async () => {
      const { store } = use();
      await store.commit(Array.from({ length: 150 }, (_, i) => ({ key: `k/${String(i).padStart(3, '0')}`, value: i })));
      expect(store.list({ prefix: 'k/' })).toHaveLength(100);
      expect(store.list({ prefix: 'k/', limit: 1_000 })).toHaveLength(150);
    });

    it('applies the changes of a commit in order, removals too', async () => {
      const { store } = use();
      await store.commit([{ key: 'a', value: 1 }, { key: 'a', value: 2 }, { key: 'b', value: 1 }, { key: 'b', remove: true }, { key: 'never', remove: true }]);
      expect(store.get('a')?.value).toBe(2);
      expect(store.get('b')).toBeUndefined();
      expect(store.revision).toBe(1);
    });

    it('commits nothing when an expectation does not hold', async () => {
      const { store } = use();
      await store.commit([{ key: 'a', value: 1 }]);
      const change: Change[] = [{ key: 'b', value: 1 }, { key: 'a', remove: true }];
      for (const expected of [[{ key: 'a', revision: 0 }], [{ key: 'a', revision: 2 }], [{ key: 'c', revision: 1 }], [{ key: 'a', revision: 1 }, { key: 'b', revision: 7 }]]) {
        await expect(store.commit(change, expected)).rejects.toMatchObject({ code: 'precondition_failed' });
      }
      expect(store.get('a')).toEqual({ key: 'a', value: 1, revision: 1 });
      expect(store.get('b')).toBeUndefined();
      expect(store.revision).toBe(1);
      expect(await store.commit(change, [{ key: 'a', revision: 1 }, { key: 'b', revision: 0 }])).toBe(2);
    });

    it('lets one of many that expect the same win', async () => {
      const { store } = use();
      const outcomes = await Promise.allSettled(Array.from({ length: 10 }, (_, i) => store.commit([{ key: 'a', value: i }], [{ key: 'a', revision: 0 }])));
      expect(outcomes.filter((one) => one.status === 'fulfilled')).toHaveLength(1);
      expect(store.revision).toBe(1);
    });

    it('refuses keys that are not 1 to 500 printable ASCII characters, and commits nothing with them', async () => {
      const { store } = use();
      for (const key of ['', 'a\n', 'é', '\u0000', 'x'.repeat(501)]) {
        await expect(store.commit([{ key: 'good', value: 1 }, { key, value: 1 }])).rejects.toBeInstanceOf(RangeError);
        expect(() => store.get(key)).toThrow(RangeError);
      }
      expect(store.get('good')).toBeUndefined();
      expect(store.revision).toBe(0);
    });

    it('holds values of megabytes', async () => {
      const { store } = use();
      const text = 'é'.repeat(3_000_000);
      await store.commit([{ key: 'big', value: { text } }]);
      const value = store.get('big')?.value as { readonly text: string };
      // Not toBe: a difference of megabytes is no message.
      expect(value.text === text).toBe(true);
    });

    it('refuses commits after close', async () => {
      const { store } = use();
      await store.close();
      await expect(store.commit([{ key: 'a', value: 1 }])).rejects.toMatchObject({ code: 'storage_failed' });
    });

    it('keeps everything over a close', async () => {
      const { store, reopen } = use();
      await store.commit([{ key: 'a', value: 1 }, { key: 'b', value: 2 }]);
      await store.commit([{ key: 'b', remove: true }]);
      if (reopen === undefined) return;
      await store.close();
      const again = reopen();
      onTestFinished(() => again.close());
      expect(again.revision).toBe(2);
      expect(again.get('a')).toEqual({ key: 'a', value: 1, revision: 1 });
      expect(again.list({ prefix: '' })).toHaveLength(1);
    });

    it('behaves as a sorted map under any sequence of commits', async () => {
      const key = fc.constantFrom('a', 'a/1', 'a/2', 'a~', 'b', 'b/1');
      // `__proto__` is no possible name in stored data: what comes from outside is refused before.
      const value = fc.jsonValue({ maxDepth: 2 }).filter((one) => !JSON.stringify(one).includes('__proto__'));
      const change = fc.oneof(fc.record({ key, value }), fc.record({ key, remove: fc.constant(true as const) }));
      await fc.assert(
        fc.asyncProperty(fc.array(fc.array(change, { maxLength: 5 }), { maxLength: 8 }), async (commits) => {
          const { store } = open();
          const model = new Map<string, string>();
          for (const changes of commits) {
            await store.commit(changes);
            for (const one of changes) {
              if ('remove' in one) model.delete(one.key);
              else model.set(one.key, JSON.stringify(one.value));
            }
          }
          const rows = store.list({ prefix: '' }).map((row) => [row.key, JSON.stringify(row.value)]);
          expect(rows).toEqual([...model].toSorted(([a], [b]) => (a < b ? -1 : 1)));
          expect(store.revision).toBe(commits.length);
          await store.close();
        }),
        { numRuns: 30 },
      );
    });
  });
}
