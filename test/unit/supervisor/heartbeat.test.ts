import { closeSync, fstatSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { JOURNAL_BYTES, readBeat, readJournal } from '../../../core/protocol/index.ts';
import type { Beat } from '../../../core/protocol/index.ts';
import { HeartbeatWatch, openJournal } from '../../../supervisor/heartbeat.ts';
import { useTempFolder } from '../../support/supervisor-process.ts';

const beat = (count: number, part: Partial<Beat> = {}): Beat => ({ count, entry: 0, ageMs: 0, cpuMs: 0, budgetMs: 0, disposedMs: 0, ...part });
const looks = (watch: HeartbeatWatch, given: Beat, times: number): string[] => Array.from({ length: times }, () => watch.look(given));

describe('heartbeat', () => {
  it('is lost when it stands still for ten looks', () => {
    const watch = new HeartbeatWatch();
    expect(looks(watch, beat(1), 10)).toEqual(Array(10).fill('alive'));
    expect(watch.look(beat(1))).toBe('silent');
  });

  it('is not lost while it grows, however slowly', () => {
    const watch = new HeartbeatWatch();
    for (let count = 1; count < 50; count++) expect(looks(watch, beat(count), 10)).not.toContain('silent');
  });

  it('is not judged before the first beat', () => {
    expect(looks(new HeartbeatWatch(), beat(0), 100)).not.toContain('silent');
  });

  it('shows an entry that outlives its disposed isolate, but no busy one within its budget', () => {
    const watch = new HeartbeatWatch();
    expect(watch.look(beat(1, { entry: 5, ageMs: 60_000, cpuMs: 60_000, budgetMs: 300_000 }))).toBe('alive');
    expect(watch.look(beat(2, { entry: 5, disposedMs: 250 }))).toBe('alive');
    expect(watch.look(beat(3, { entry: 5, disposedMs: 251 }))).toBe('stuck');
    expect(watch.look(beat(4, { entry: 0, disposedMs: 251 }))).toBe('alive');
  });
});

describe('journal file', () => {
  it('has its full size, no name, and says nothing yet', () => {
    const folder = useTempFolder();
    const fd = openJournal(folder);
    try {
      expect(fstatSync(fd)).toMatchObject({ size: JOURNAL_BYTES, nlink: 0 });
      expect(readdirSync(folder)).toEqual([]);
      expect(readBeat(fd).count).toBe(0);
      expect(readJournal(fd)).toEqual({ onThread: null, entered: [] });
    } finally {
      closeSync(fd);
    }
  });
});
