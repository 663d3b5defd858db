// The journal's slots: one is used again only when the kernel has the final frame of the invocation that had it.
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { JournalWriter } from '../../../core/protocol/index.ts';
import type { Invocation } from '../../../isolates/invocation.ts';
import { Turns } from '../../../isolates/turns.ts';

interface Stand {
  readonly turns: Turns;
  /** Invocation by slot, as the journal would show it after a death. */
  readonly journal: Map<number, number>;
  readonly connection: { backlogBytes: number };
  readonly enter: (id: number) => Invocation;
}

function useTurns(): Stand {
  const journal = new Map<number, number>();
  const connection = { backlogBytes: 0 };
  const writer = { enter: (slot: number, _: number, id: number) => void journal.set(slot, id), idle: () => {} } as unknown as JournalWriter;
  const turns = new Turns(writer, () => {}, () => false);
  return {
    turns, journal, connection,
    enter: (id) => {
      const invocation = { id, epoch: 1, slot: 0, connection } as unknown as Invocation;
      expect(turns.entering(invocation)).toBe(true);
      return invocation;
    },
  };
}

test('within a turn, and until its answer has left, an invocation that has ended stays in the journal', async () => {
  const { turns, journal, connection, enter } = useTurns();
  const first = enter(1);
  turns.release(first);
  // The answer is on its way to the kernel.
  connection.backlogBytes = 100;
  enter(2);
  expect([...journal.values()]).toEqual([1, 2]);
  await turn();
  await turn();
  enter(3);
  await turn();
  await turn();
  enter(4);
  expect([...journal.values()]).toEqual([1, 2, 3, 4]);
  connection.backlogBytes = 0;
  await turn();
  await turn();
  enter(5);
  await turn();
  await turn();
  enter(6);
  expect([...journal.values()]).toContain(6);
  expect([...journal.values()]).not.toContain(1);
});

test('slots are used again: many invocations one after another need few', async () => {
  const { turns, journal, enter } = useTurns();
  for (let id = 1; id <= 500; id++) {
    turns.release(enter(id));
    await turn();
    await turn();
  }
  expect(journal.size).toBeLessThan(10);
});
