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
  readonly connection: { sentBytes: number; takenBytes: number };
  readonly enter: (id: number) => Invocation;
}

function useTurns(): Stand {
  const journal = new Map<number, number>();
  const connection = { sentBytes: 0, takenBytes: 0 };
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

test('until its answer has left, an invocation that has ended stays in the journal; then its slot is used again, others waiting or not', async () => {
  const { turns, journal, connection, enter } = useTurns();
  const end = (invocation: Invocation): void => {
    connection.sentBytes += 100;
    turns.release(invocation);
  };
  end(enter(1));
  end(enter(2));
  enter(3);
  await turn();
  await turn();
  enter(4);
  expect([...journal.values()]).toEqual([1, 2, 3, 4]);
  // The first answer is with the kernel, and more is on its way all the time.
  connection.takenBytes = 100;
  await turn();
  await turn();
  end(enter(5));
  await turn();
  await turn();
  end(enter(6));
  expect([...journal.values()]).not.toContain(1);
  expect([...journal.values()]).toEqual(expect.arrayContaining([2, 3, 4, 5, 6]));
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
