// Epochs of a store: every life draws its own and knows how far the earlier ones came.
import { expect, test } from 'vitest';
import { beginLife } from '../../../control/model/index.ts';
import { MemoryStore } from '../../support/control-memory-store.ts';

test('each life has an epoch of its own, and notes the revision that the one before ended with', async () => {
  const store = new MemoryStore();
  const first = await beginLife(store);
  expect(first.former).toEqual([]);
  await store.commit([{ key: 'function/a', value: {} }]);
  const second = await beginLife(store);
  expect(second).toMatchObject({ createdAt: first.createdAt, former: [{ epoch: first.epoch, until: 2 }] });
  const third = await beginLife(store);
  expect(third.former).toEqual([{ epoch: first.epoch, until: 2 }, { epoch: second.epoch, until: 3 }]);
  expect(new Set([first.epoch, second.epoch, third.epoch]).size).toBe(3);
});

test('a store of an earlier release begins its second life', async () => {
  const store = new MemoryStore();
  await store.commit([{ key: 'store', value: { epoch: 77, createdAt: new Date(0).toISOString() } }]);
  expect((await beginLife(store)).former).toEqual([{ epoch: 77, until: 1 }]);
});

test('so many lives back are remembered, and no more', async () => {
  const store = new MemoryStore();
  for (let n = 0; n < 40; n++) await beginLife(store);
  const { former } = await beginLife(store);
  expect(former).toHaveLength(16);
  expect(former.at(-1)?.until).toBe(40);
});
