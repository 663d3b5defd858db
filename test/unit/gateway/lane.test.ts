// When a version changes its lane, and when it does not: entries on a clock of the test's own.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LONG_ENTRY_US } from '../../../core/protocol/index.ts';
import { Lane, MAX_RETURN_MS, MIN_SHORT, RETURN_MS } from '../../../gateway/lane.ts';

const MS = 1_000;

/** Long entries of `ms` each, every `everyMs`, until the version is slow. @returns when that was */
function untilSlow(lane: Lane, fromMs: number, ms: number, everyMs: number, withinMs: number): number {
  for (let now = fromMs; now <= fromMs + withinMs; now += everyMs) if (lane.long(now, 1, ms * MS, ms * MS)) return now - fromMs;
  return Number.POSITIVE_INFINITY;
}

/** Short entries every 100 ms until the version is fast. @returns when that was */
function untilFast(lane: Lane, fromMs: number, withinMs: number): number {
  for (let now = fromMs; now <= fromMs + withinMs; now += 100) if (lane.short(now, 1)) return now;
  return Number.POSITIVE_INFINITY;
}

test('20 ms ten times a second: slow at the third', () => {
  const lane = new Lane();
  expect(untilSlow(lane, 1_000, 20, 100, 5_000)).toBe(200);
  expect([lane.slow, lane.figures]).toEqual([true, { longEntries: 3, longMs: 60, maxMs: 20 }]);
});

test.each([
  ['a kill after 50 ms, ten times a second', 50, 100, 200],
  ['5 ms a hundred times a second', 5, 10, 100],
  ['20 ms once a second, which is two hundredths of the time', 20, 1_000, 3_000],
  ['300 ms every five seconds', 300, 5_000, 10_000],
])('%s: slow', (_, ms, everyMs, afterMs) => {
  expect(untilSlow(new Lane(), 0, ms, everyMs, 60_000)).toBe(afterMs);
});

test.each([
  ['20 ms every two seconds, which is a hundredth of the time', 20, 2_000],
  ['5 ms once a second', 5, 1_000],
  ['any length, when the one before is forgotten', 5_000, 10_000],
])('%s: stays fast', (_, ms, everyMs) => {
  expect(untilSlow(new Lane(), 0, ms, everyMs, 600_000)).toBe(Number.POSITIVE_INFINITY);
});

test('two accidents are no habit, however long', () => {
  const lane = new Lane();
  expect([lane.long(0, 1, 900 * MS, 900 * MS), lane.long(100, 1, 900 * MS, 900 * MS), lane.slow]).toEqual([false, false, false]);
  // Ten seconds later they are forgotten.
  expect([lane.long(10_200, 1, 40 * MS, 40 * MS), lane.figures]).toEqual([false, { longEntries: 1, longMs: 40, maxMs: 40 }]);
});

test('back after ten calm seconds and twenty short entries, not on silence', () => {
  const lane = new Lane();
  untilSlow(lane, 0, 20, 100, 1_000);
  const calmFrom = 200 + (60 - 50) * 100 - 40;
  for (let i = 0; i < MIN_SHORT - 1; i++) expect(lane.short(calmFrom + i, 1)).toBe(false);
  expect(lane.short(calmFrom + 100, 0)).toBe(false);
  // An hour of silence proves nothing: one more entry does.
  expect([lane.short(3_600_000, 1), lane.slow]).toEqual([true, false]);
});

test('now and then a long entry does not keep it slow: what would not have sent it there', () => {
  const lane = new Lane();
  untilSlow(lane, 0, 20, 100, 1_000);
  let backAt = 0;
  for (let now = 1_000; now < 60_000 && backAt === 0; now += 100) {
    if (now % 4_000 === 0) lane.long(now, 1, 20 * MS, 20 * MS);
    if (lane.short(now, 1)) backAt = now;
  }
  expect(backAt).toBeGreaterThan(0);
  expect(backAt).toBeLessThan(20_000);
});

test('each relapse doubles the wait; a long good time forgets it', () => {
  const lane = new Lane();
  const waits: number[] = [];
  let now = 0;
  for (let i = 0; i < 8; i++) {
    now += untilSlow(lane, now, 20, 100, 1_000);
    waits.push(lane.returnMs);
    now = untilFast(lane, now, 1_000_000) + 100;
  }
  expect(waits.slice(0, 5)).toEqual([1, 2, 4, 8, 16].map((n) => n * RETURN_MS));
  expect(waits.at(-1)).toBe(MAX_RETURN_MS);
  untilSlow(lane, now + MAX_RETURN_MS * 10, 20, 100, 1_000);
  expect(lane.returnMs).toBe(RETURN_MS);
});

test('whatever comes: slow only after three long entries, and never back before its time is over', () => {
  const step = fc.record({ gapMs: fc.integer({ min: 0, max: 4_000 }), long: fc.boolean(), entries: fc.integer({ min: 1, max: 40 }), us: fc.integer({ min: LONG_ENTRY_US, max: 400_000 }) });
  fc.assert(fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
    const lane = new Lane();
    let now = 0;
    let longs = 0;
    let slowAt = 0;
    for (const { gapMs, long, entries, us } of steps) {
      now += gapMs;
      const before = lane.slow;
      const changed = long ? lane.long(now, entries, entries * us, us) : lane.short(now, entries);
      if (long) longs += entries;
      expect(changed).toBe(lane.slow !== before);
      // Long entries lead one way and short ones the other.
      expect(!changed || lane.slow === long).toBe(true);
      expect(!changed || (long ? longs >= 3 : now - slowAt >= lane.returnMs)).toBe(true);
      if (!changed) continue;
      if (long) slowAt = now;
      else longs = 0;
    }
  }), { numRuns: 300 });
});
