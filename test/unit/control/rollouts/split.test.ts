// The split of a step: whatever was live shares the rest in its proportions.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { liveBeside, withWeight } from '../../../../control/rollouts/split.ts';
import { trafficSchema } from '../../../../core/schemas/index.ts';
import type { Traffic } from '../../../../core/schemas/index.ts';

const base = (...weights: readonly number[]): Traffic => ({ rules: [{ when: { header: { a: 'b' } }, version: 9 }], split: weights.map((weight, index) => ({ version: index + 1, weight })), sticky: 'user' });

describe('the split of a step', () => {
  it('is valid for every base and weight, in proportion, with rules and stickiness as they were', () => {
    const cuts = fc.uniqueArray(fc.integer({ min: 1, max: 9_999 }), { maxLength: 12 });
    fc.assert(
      fc.property(cuts, fc.integer({ min: 0, max: 10_000 }), fc.integer({ min: 1, max: 14 }), (at, hundredths, version) => {
        const bounds = [0, ...at.toSorted((a, b) => a - b), 10_000];
        const traffic = base(...bounds.slice(1).map((bound, index) => (bound - (bounds[index] ?? 0)) / 100));
        fc.pre(liveBeside(traffic, version).length > 0);
        const weight = hundredths / 100;
        const next = trafficSchema.parse(withWeight(traffic, version, weight));
        expect(next.split.find((part) => part.version === version)?.weight ?? 0).toBe(weight);
        expect([next.rules, next.sticky]).toEqual([traffic.rules, traffic.sticky]);
        const others = traffic.split.filter((part) => part.version !== version);
        const sum = others.reduce((all, part) => all + part.weight, 0);
        const off = others.map((part) => Math.abs((next.split.find((one) => one.version === part.version)?.weight ?? 0) - ((100 - weight) * part.weight) / sum));
        expect(Math.max(...off)).toBeLessThan(0.01 * (1 + others.length / 2));
        // What rises takes from all, and gives to none of them.
        const more = withWeight(traffic, version, Math.min(100, weight + 7.31));
        const gains = others.map((part) => (more.split.find((one) => one.version === part.version)?.weight ?? 0) - (next.split.find((one) => one.version === part.version)?.weight ?? 0));
        expect(Math.max(...gains)).toBeLessThanOrEqual(0);
      }),
    );
  });

  it('puts the new version last, so that sticky callers only move to it', () => {
    expect(withWeight(base(60, 40), 7, 10).split).toEqual([{ version: 1, weight: 54 }, { version: 2, weight: 36 }, { version: 7, weight: 10 }]);
    expect(withWeight(base(100), 7, 0.01).split).toEqual([{ version: 1, weight: 99.99 }, { version: 7, weight: 0.01 }]);
    expect(withWeight(base(60, 40), 2, 10).split).toEqual([{ version: 1, weight: 90 }, { version: 2, weight: 10 }]);
  });

  it('takes the new version out at 0, and leaves it alone at 100', () => {
    expect(withWeight(base(95, 5), 2, 0).split).toEqual([{ version: 1, weight: 100 }]);
    expect(withWeight(base(95, 5), 2, 100).split).toEqual([{ version: 2, weight: 100 }]);
    expect(liveBeside(base(100, 0), 1)).toEqual([]);
  });
});
