// The tests of rollouts: expectations are computed in full where that is possible, and only then drawn by chance.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FadingHistogram, Wager, blockEvidence, nearestNull, slowSide, tolerated } from '../../../../control/rollouts/statistics/index.ts';
import type { Shares } from '../../../../control/rollouts/statistics/index.ts';
import { LogHistogram } from '../../../../core/metrics/index.ts';
import { randomOf, seed } from '../../../support/seed.ts';

/** Chance of `k` of `n`, each with chance `p`. */
function binomial(n: number, k: number, p: number): number {
  let ways = 1;
  for (let i = 0; i < k; i++) ways = (ways * (n - i)) / (i + 1);
  return ways * p ** k * (1 - p) ** (n - k);
}

/** Expectation of `value` over all outcomes of both sides. */
function expectation(nCanary: number, nLive: number, truth: Shares, value: (canary: number, live: number) => number): number {
  let sum = 0;
  for (let a = 0; a <= nCanary; a++) for (let b = 0; b <= nLive; b++) sum += binomial(nCanary, a, truth.canary) * binomial(nLive, b, truth.live) * value(a, b);
  return sum;
}

const share = fc.double({ min: 0.000_1, max: 0.95, noNaN: true });

describe('the evidence of a block', () => {
  it('is at most 1 on average for every pair of shares within the null hypothesis', () => {
    fc.assert(
      fc.property(share, share, fc.constantFrom(0, 0.001, 0.02, 0.2), fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 12 }), (live, above, margin, part, nCanary, nLive) => {
        const alternative = { live, canary: Math.min(0.999, live + above) };
        // From far inside the null hypothesis up to its edge.
        const truthLive = part * (1 - margin);
        for (const canary of [0, truthLive / 2, truthLive, truthLive + margin]) {
          const mean = expectation(nCanary, nLive, { canary, live: truthLive }, (a, b) => Math.exp(blockEvidence({ n: nCanary, bad: a }, { n: nLive, bad: b }, alternative, margin)));
          expect(mean).toBeLessThan(1 + 1e-6);
        }
      }),
      { seed, numRuns: 300 },
    );
  });

  it('grows on average under its alternative', () => {
    const alternative = { live: 0.02, canary: 0.1 };
    const mean = expectation(20, 60, alternative, (a, b) => blockEvidence({ n: 20, bad: a }, { n: 60, bad: b }, alternative, 0.001));
    expect(mean).toBeGreaterThan(0.5);
  });

  it('compares with the nearest shares of the null hypothesis', () => {
    const distance = (from: Shares, to: Shares, nCanary: number, nLive: number): number => {
      const kl = (p: number, q: number): number => p * Math.log(p / q) + (1 - p) * Math.log((1 - p) / (1 - q));
      return nCanary * kl(from.canary, to.canary) + nLive * kl(from.live, to.live);
    };
    fc.assert(
      fc.property(share, share, fc.constantFrom(0, 0.01), fc.integer({ min: 1, max: 500 }), fc.integer({ min: 1, max: 500 }), (live, above, margin, nCanary, nLive) => {
        const alternative = { live, canary: Math.min(0.999, live + above) };
        const found = nearestNull(alternative, margin, nCanary, nLive);
        expect(found.canary).toBeLessThanOrEqual(found.live + margin + 1e-12);
        const best = distance(alternative, found, nCanary, nLive);
        for (let q = 0.001; q < 0.98; q += 0.01) expect(distance(alternative, { live: q, canary: q + margin }, nCanary, nLive)).toBeGreaterThan(best - 1e-6);
      }),
      { seed, numRuns: 100 },
    );
  });

  it('is nothing when one side has no requests', () => {
    const alternative = { live: 0.01, canary: 0.5 };
    expect(blockEvidence({ n: 0, bad: 0 }, { n: 50, bad: 25 }, alternative, 0)).toBe(0);
    expect(blockEvidence({ n: 50, bad: 50 }, { n: 0, bad: 0 }, alternative, 0)).toBe(0);
  });
});

describe('a wager', () => {
  const play = (seconds: number, from: number, shares: (second: number) => Shares, each = { canary: 20, live: 180 }): Wager => {
    const random = randomOf(from);
    const draw = (n: number, p: number): { n: number; bad: number } => ({ n, bad: Array.from({ length: n }, random).filter((x) => x < p).length });
    const wager = new Wager(0);
    wager.raise();
    let usual = shares(0).live;
    for (let second = 0; second < seconds && wager.wealth < 100; second++) {
      const { canary, live } = shares(second);
      const ofLive = draw(each.live, live);
      wager.add(draw(each.canary, canary), ofLive, usual);
      usual = 0.9 * usual + 0.1 * (ofLive.bad / ofLive.n);
    }
    return wager;
  };

  it('is worth at most what it was before, on average over all outcomes of a second', () => {
    for (const live of [0, 0.01, 0.3]) {
      const mean = expectation(6, 10, { canary: live, live }, (a, b) => {
        const wager = new Wager(0);
        wager.raise();
        wager.add({ n: 6, bad: 1 }, { n: 10, bad: 0 }, 0.05);
        const before = wager.wealth;
        wager.add({ n: 6, bad: a }, { n: 10, bad: b }, 0.1);
        return wager.wealth / before;
      });
      expect(mean).toBeLessThan(1 + 1e-9);
    }
  });

  it('is fooled neither by what comes over both versions nor by a daily rise', () => {
    // Outages of both, and a share that wanders from 0.1 % to 20 %.
    const shaken = (second: number): Shares => {
      const p = second % 17 === 0 ? 0.8 : 0.001 + 0.2 * Math.abs(Math.sin(second / 40));
      return { canary: p, live: p };
    };
    const won = Array.from({ length: 200 }, (_, i) => play(120, seed + i, shaken)).filter((wager) => wager.wealth >= 100);
    expect(won.length).toBeLessThanOrEqual(4);
  });

  it('finds a canary that goes bad late', () => {
    const late = (second: number): Shares => ({ live: 0.001, canary: second < 600 ? 0.001 : 0.1 });
    for (let i = 0; i < 20; i++) expect(play(620, seed + i, late).wealth).toBeGreaterThanOrEqual(100);
  });

  it('is not steady before a third second agrees', () => {
    const wager = new Wager(0.000_5);
    wager.raise();
    for (let i = 0; i < 60; i++) wager.add({ n: 20, bad: 0 }, { n: 180, bad: 0 }, 0.001);
    for (let i = 0; i < 2; i++) {
      wager.add({ n: 20, bad: 15 }, { n: 180, bad: 0 }, 0.001);
      expect(wager.wealth).toBeGreaterThan(100);
      expect(wager.steady).toBeLessThan(1);
    }
    for (let i = 0; i < 30; i++) wager.add({ n: 20, bad: 0 }, { n: 180, bad: 0 }, 0.001);
    expect(wager.steady).toBeLessThan(1);
    for (let i = 0; i < 2; i++) wager.add({ n: 20, bad: 15 }, { n: 180, bad: 0 }, 0.001);
    expect(wager.steady).toBeGreaterThan(1);
  });

  it('does not break on nonsense', () => {
    const wager = new Wager(0.001);
    wager.raise();
    wager.add({ n: 20, bad: 20 }, { n: 180, bad: 0 }, 0);
    wager.add({ n: 0, bad: 0 }, { n: 180, bad: 180 }, 1);
    wager.add({ n: 20, bad: 0 }, { n: 180, bad: 0 }, 1);
    expect(wager.wealth).toBeGreaterThan(0);
    expect(Number.isFinite(wager.wealth)).toBe(true);
    for (let i = 0; i < 2_000; i++) wager.add({ n: 2_000, bad: 2_000 }, { n: 18_000, bad: 0 }, 0);
    expect([wager.wealth, wager.steady].every((value) => Number.isFinite(value) && value > 100)).toBe(true);
  });
});

describe('latency as a share', () => {
  it('takes a latency that is slower by what is tolerated for no slower', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 10, max: 1e7, noNaN: true }), { minLength: 1, maxLength: 50 }), fc.double({ min: 0, max: 4, noNaN: true }), fc.integer({ min: 0, max: 30 }), (latencies, maxIncrease, fewer) => {
        const of = (factor: number): LogHistogram => {
          const histogram = new LogHistogram();
          for (const us of latencies) histogram.record(us * factor);
          return histogram;
        };
        const usual = new FadingHistogram();
        usual.add(of(1).toPairs());
        const bucket = Math.max(0, usual.bucketOf(0.5) - fewer);
        const slow = slowSide(of(1 + maxIncrease * 0.999).toPairs(), tolerated(bucket, maxIncrease, 0)).bad;
        expect(slow).toBeLessThanOrEqual(slowSide(of(1).toPairs(), bucket).bad);
      }),
      { seed },
    );
  });

  it('finds the bucket of a quantile and what lies above it', () => {
    const usual = new FadingHistogram();
    usual.add([[10, 98], [20, 1], [30, 1]]);
    expect([usual.bucketOf(0.5), usual.bucketOf(0.99), usual.bucketOf(1)]).toEqual([10, 20, 30]);
    expect(usual.shareAbove(10)).toBeCloseTo(0.02);
    expect(new FadingHistogram().shareAbove(3)).toBe(0);
  });

  it('leaves out excused requests, the slow ones first', () => {
    expect(slowSide([[5, 10], [50, 3]], 20, 2)).toEqual({ n: 11, bad: 1 });
    expect(slowSide([[5, 1]], 20, 7)).toEqual({ n: 0, bad: 0 });
  });

  it('tolerates at least the slack', () => {
    // 100 µs and 1 ms of slack: 1.1 ms lies in bucket 41 (1.218 ms).
    expect(2 ** (tolerated(27, 0.15, 1_000) / 4)).toBeGreaterThanOrEqual(2 ** (27 / 4) + 1_000);
    expect(tolerated(40, 0, 0)).toBe(40);
    expect(tolerated(40, 1, 0)).toBe(44);
  });
});
