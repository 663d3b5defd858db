// Dynamic thresholds: what floods may take of a common bound, and what is left for the others.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mayTake } from '../../../gateway/fair-share.ts';

/** Every one takes whatever it may, in turns, until none may. @returns what each holds */
function flood(takers: number, limit: number, held = Array<number>(takers).fill(0)): number[] {
  let taken = held.reduce((a, b) => a + b, 0);
  for (let more = true; more; ) {
    more = false;
    for (let i = 0; i < takers; i++) {
      if (!mayTake(held[i] ?? 0, taken, limit)) continue;
      held[i] = (held[i] ?? 0) + 1;
      taken += 1;
      more = true;
    }
  }
  return held;
}

test('one alone gets two thirds, several get equal parts, and something is left', () => {
  expect(flood(1, 15_000)).toEqual([10_000]);
  expect(flood(2, 15_000)).toEqual([6_000, 6_000]);
  const many = flood(200, 16_000);
  expect(Math.max(...many) - Math.min(...many)).toBeLessThanOrEqual(1);
  expect(many.reduce((a, b) => a + b)).toBeLessThan(16_000);
});

test('whoever comes later finds room, whatever the first ones took; nobody gets beyond the bound', () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 100, max: 16_000 }), (takers, limit) => {
    const held = flood(takers, limit);
    const taken = held.reduce((a, b) => a + b);
    expect(taken).toBeLessThan(limit);
    expect(mayTake(0, taken, limit)).toBe(true);
    // As they give back and take again, shares become equal.
    const late = [...held, 0];
    let now = late;
    for (let round = 0; round < 40; round++) now = flood(takers + 1, limit, now.map((n) => Math.floor(n * 0.8)));
    expect(now.reduce((a, b) => a + b)).toBeLessThanOrEqual(limit);
    expect(Math.max(...now) - Math.min(...now)).toBeLessThanOrEqual(Math.max(6, Math.max(...now) * 0.1));
  }), { numRuns: 30 });
});
