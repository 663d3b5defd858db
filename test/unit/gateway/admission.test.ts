// Rates, deadlines, lines and figures: the pieces that admit and count, with clocks of their own.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AccessLog } from '../../../gateway/access-log.ts';
import { WaitingLine } from '../../../gateway/function-gate.ts';
import type { Queued } from '../../../gateway/function-gate.ts';
import { RateLimiter } from '../../../core/rate/index.ts';
import { TimingWheel } from '../../../gateway/timing-wheel.ts';
import type { Timed } from '../../../gateway/timing-wheel.ts';
import { VersionFigureBook } from '../../../gateway/version-figures.ts';

describe('GCRA', () => {
  test('a second\'s worth at once, then the even rate', () => {
    const limiter = new RateLimiter();
    limiter.configure(10);
    expect(Array.from({ length: 10 }, () => limiter.take(0))).toEqual(Array(10).fill(0));
    expect(limiter.take(0)).toBeCloseTo(100);
    expect(limiter.take(99)).toBeGreaterThan(0);
    expect(limiter.take(100)).toBe(0);
    expect(limiter.take(100)).toBeGreaterThan(0);
  });

  test('never more than the burst and the rate allow in any window, and never less than the rate', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 500 }), fc.array(fc.double({ min: 0, max: 400, noNaN: true }), { minLength: 1, maxLength: 300 }), (rate, gaps) => {
      const limiter = new RateLimiter();
      limiter.configure(rate);
      const taken: number[] = [];
      let now = 0;
      for (const gap of gaps) {
        now += gap;
        const wait = limiter.take(now);
        if (wait === 0) taken.push(now);
        // A refusal costs nothing: the same question has the same answer.
        const again = wait === 0 ? 0 : limiter.take(now);
        expect(Math.abs(again - wait)).toBeLessThan(1e-6);
      }
      for (let i = 0; i < taken.length; i++) {
        for (let j = i; j < taken.length; j++) {
          expect(j - i + 1).toBeLessThanOrEqual(rate + (((taken[j] ?? 0) - (taken[i] ?? 0)) / 1_000) * rate + 1e-3);
        }
      }
    }), { numRuns: 200 });
  });

  test('0 is no limit; a changed rate keeps what was used', () => {
    const limiter = new RateLimiter();
    expect(Array.from({ length: 1_000 }, () => limiter.take(0)).every((wait) => wait === 0)).toBe(true);
    limiter.configure(2);
    expect([limiter.take(0), limiter.take(0), limiter.take(0) > 0]).toEqual([0, 0, true]);
    limiter.configure(0);
    expect(limiter.take(0)).toBe(0);
  });
});

describe('the timing wheel', () => {
  class Item implements Timed {
    timerNext: Timed | null = null;
    timerPrevious: Timed | null = null;
    timerAtMs = 0;
    fired: number[] = [];
    after: (() => void) | undefined;
    onTimer(nowMs: number): void {
      this.fired.push(nowMs);
      this.after?.();
    }
  }

  test('fires each deadline once, not early, and at most a tick late', () => {
    fc.assert(fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 30_000 }), fc.boolean()), { minLength: 1, maxLength: 80 }), fc.integer({ min: 1, max: 97 }), (deadlines, step) => {
      let now = 0;
      const wheel = new TimingWheel(8, () => now);
      const items = deadlines.map(([at, cleared]) => {
        const item = new Item();
        wheel.set(item, at);
        return { item, at, cleared };
      });
      for (const { item, cleared } of items) if (cleared) wheel.clear(item);
      for (; now <= 30_200; now += step) wheel.advance();
      wheel.stop();
      for (const { item, at, cleared } of items) {
        expect(item.fired).toHaveLength(cleared ? 0 : 1);
        expect(item.fired.every((firedAt) => firedAt >= at && firedAt < at + 16 + step)).toBe(true);
      }
      expect(wheel.size).toBe(0);
    }), { numRuns: 60 });
  });

  test('a handler may set, move and clear any item, also those that are due', () => {
    let now = 0;
    const wheel = new TimingWheel(8, () => now);
    const [a, b, c] = [new Item(), new Item(), new Item()];
    for (const item of [a, b, c]) wheel.set(item, 10);
    a.after = () => {
      a.after = undefined;
      wheel.clear(b);
      wheel.set(c, 500);
      wheel.set(a, 100);
    };
    for (; now < 1_000; now += 4) wheel.advance();
    wheel.stop();
    expect([a.fired.length, b.fired.length, c.fired.length]).toEqual([2, 0, 1]);
    expect(c.fired[0]).toBeGreaterThanOrEqual(500);
    expect(wheel.size).toBe(0);
  });

  test('after a long pause everything that is due fires at once', () => {
    let now = 0;
    const wheel = new TimingWheel(8, () => now);
    const items = Array.from({ length: 3_000 }, (_, i) => {
      const item = new Item();
      wheel.set(item, i * 10);
      return item;
    });
    now = 60_000;
    wheel.advance();
    wheel.stop();
    expect(items.every((item) => item.fired.length === 1)).toBe(true);
  });
});

test('a line keeps its order while any entry leaves', () => {
  class Entry implements Queued {
    queueNext: Queued | null = null;
    queuePrevious: Queued | null = null;
  }
  fc.assert(fc.property(fc.array(fc.oneof(fc.constant(-1), fc.constant(-2), fc.nat(20)), { maxLength: 120 }), (steps) => {
    const line = new WaitingLine<Entry>();
    const model: Entry[] = [];
    let same = true;
    for (const step of steps) {
      if (step === -1) {
        const entry = new Entry();
        line.push(entry);
        model.push(entry);
      } else if (step === -2) {
        same &&= line.shift() === model.shift();
      } else if (model.length > 0) {
        const [entry] = model.splice(step % model.length, 1);
        if (entry !== undefined) line.remove(entry);
      }
      expect(line.length).toBe(model.length);
    }
    expect(same).toBe(true);
    while (model.length > 0) expect(line.shift()).toBe(model.shift());
    expect(line.shift()).toBeUndefined();
  }));
});

describe('figures', () => {
  const node = { inFlight: 0, queued: 0, clients: 0, revision: 0, tableAgeMs: 0, replays: 0, residentBytes: 0, slowVersions: 0, laneChanges: { slow: 0, fast: 0 }, spreadVersions: 0, homeChanges: { spread: 0, shrink: 0, move: 0 } };
  test('are increments; a quiet version leaves, a busy one stays', () => {
    const book = new VersionFigureBook();
    const cell = book.cell('f', 1);
    cell.answered(200, '', 1_000);
    cell.answered(503, 'overloaded', 10);
    cell.cpu(50);
    cell.cold(900, [0.1, 1, 2, 3], 0.4);
    cell.cold(900, [0, 1, 0, 0], 0);
    cell.struck('cpu_limit_exceeded', 50, 70);
    cell.struck('cpu_limit_exceeded', 50, 60);
    const first = book.take(node).versions;
    expect(first).toHaveLength(1);
    expect(first[0]).toMatchObject({ function: 'f', version: 1, statuses: { 200: 1, 503: 1 }, codes: { overloaded: 1 }, coldStarts: 2, coldPhasesMs: [0.5, 2, 2, 3], limits: { cpu_limit_exceeded: [50, 70] } });
    expect(book.take(node).versions).toEqual([]);
    expect(book.cell('f', 1)).toBe(cell);
    for (let i = 0; i < 200; i++) book.take(node);
    expect(cell.dropped).toBe(true);
    expect(book.cell('f', 1)).not.toBe(cell);
  });

  test('versions beyond the bound are counted together', () => {
    const book = new VersionFigureBook();
    for (let i = 0; i < 6_000; i++) book.cell(`f${i}`, 1).answered(200, '', 1);
    const { versions } = book.take(node);
    expect(versions).toHaveLength(5_001);
    expect(versions.find((v) => v.function === '')?.statuses).toEqual({ 200: 1_000 });
  });
});

test('the access log takes one in a thousand of what went well', () => {
  const log = new AccessLog({ info: () => {}, warn: () => {} } as never);
  expect(Array.from({ length: 5_000 }, () => log.sampled()).filter(Boolean)).toHaveLength(5);
});
