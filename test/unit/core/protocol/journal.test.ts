// The in-flight journal: which invocations a dead host had entered, and which one was on its thread.
import * as fc from 'fast-check';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { JOURNAL_BYTES, JOURNAL_SLOTS, JournalWriter, readBeat, readJournal, writeBeat } from '../../../../core/protocol/index.ts';

function useFile(): { fd: number; path: string } {
  const folder = mkdtempSync(join(tmpdir(), 'thimble-core-'));
  const path = join(folder, 'journal');
  writeFileSync(path, Buffer.alloc(JOURNAL_BYTES));
  const fd = openSync(path, 'r+');
  onTestFinished(() => {
    closeSync(fd);
    rmSync(folder, { recursive: true, force: true });
  });
  return { fd, path };
}

describe('the journal', () => {
  it('of a host that did nothing is empty, also when the file is short', () => {
    const { fd, path } = useFile();
    expect(readJournal(fd)).toEqual({ onThread: null, entered: [] });
    writeFileSync(path, Buffer.alloc(70));
    expect(readJournal(fd)).toEqual({ onThread: null, entered: [] });
  });

  it('names the one on the thread, and none after idle', () => {
    const { fd } = useFile();
    const writer = new JournalWriter(fd);
    writer.enter(1, 7, 100);
    writer.enter(2, 7, 101);
    expect(readJournal(fd)).toEqual({ onThread: { epoch: 7, sequence: 101 }, entered: [{ epoch: 7, sequence: 100 }, { epoch: 7, sequence: 101 }] });
    writer.enter(1, 7, 100);
    expect(readJournal(fd).onThread).toEqual({ epoch: 7, sequence: 100 });
    writer.idle();
    expect(readJournal(fd)).toMatchObject({ onThread: null, entered: [{}, {}] });
    writer.clear(1);
    expect(readJournal(fd).entered).toEqual([{ epoch: 7, sequence: 101 }]);
  });

  it('holds the greatest epoch, sequence and slot', () => {
    const { fd, path } = useFile();
    const writer = new JournalWriter(fd);
    writer.enter(JOURNAL_SLOTS - 1, 0xffffffff, Number.MAX_SAFE_INTEGER);
    expect(readJournal(fd).onThread).toEqual({ epoch: 0xffffffff, sequence: Number.MAX_SAFE_INTEGER });
    expect(readFileSync(path).length).toBe(JOURNAL_BYTES);
  });

  it('stays right when orders are numbered anew, with slots that nobody has touched for long', () => {
    const { fd } = useFile();
    const writer = new JournalWriter(fd, JOURNAL_SLOTS);
    const seen: [number, number | undefined][] = [];
    writer.enter(9, 1, 9);
    for (let i = 0; i < JOURNAL_SLOTS * 2 + 100; i++) {
      writer.enter(1 + (i % 3), 1, i);
      if (i % 5_000 === 0 || i > JOURNAL_SLOTS * 2) seen.push([i, readJournal(fd).onThread?.sequence]);
    }
    expect(seen.length).toBeGreaterThan(100);
    expect(seen.every(([wrote, read]) => wrote === read)).toBe(true);
    expect(readJournal(fd).entered).toHaveLength(4);
    writer.idle();
    expect(readJournal(fd).onThread).toBeNull();
  });

  it('agrees with a model over any sequence of writes', () => {
    const { fd } = useFile();
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom('enter', 'enter', 'idle', 'clear'), fc.integer({ min: 1, max: 6 })), { maxLength: 60 }), (steps) => {
        const writer = new JournalWriter(fd);
        for (let slot = 0; slot < 8; slot++) writer.clear(slot);
        const slots = new Map<number, number>();
        let onThread: number | null = null;
        steps.forEach(([what, slot], sequence) => {
          if (what === 'enter') {
            writer.enter(slot, 3, sequence);
            slots.set(slot, sequence);
            onThread = sequence;
          } else if (what === 'idle') {
            writer.idle();
            onThread = null;
          } else if (slots.get(slot) !== onThread) {
            // The host clears what is over, never what runs.
            writer.clear(slot);
            slots.delete(slot);
          }
        });
        const read = readJournal(fd);
        expect(read.onThread).toEqual(onThread === null ? null : { epoch: 3, sequence: onThread });
        expect(read.entered.map((r) => r.sequence).toSorted((a, b) => a - b)).toEqual([...slots.values()].toSorted((a, b) => a - b));
      }),
      { numRuns: 60 },
    );
  });
});

describe('the beat', () => {
  it('is read as it was written, beside the slots', () => {
    const { fd } = useFile();
    expect(readBeat(fd).count).toBe(0);
    const beat = { count: 2 ** 40, entry: 5, ageMs: 1.5, cpuMs: 0.25, budgetMs: 50, disposedMs: 0 };
    new JournalWriter(fd).enter(1, 1, 1);
    writeBeat(fd, beat);
    expect(readBeat(fd)).toEqual(beat);
    expect(readJournal(fd).entered).toHaveLength(1);
  });
});
