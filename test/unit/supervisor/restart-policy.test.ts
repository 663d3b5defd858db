import { describe, expect, it } from 'vitest';
import { RestartPolicy, STABLE_MS } from '../../../supervisor/restart-policy.ts';

const delays = (policy: RestartPolicy, readyForMs: number | undefined, times: number): number[] => Array.from({ length: times }, () => policy.onDeath(readyForMs).delayMs);

describe('restart policy', () => {
  it('starts again at once, then later and later', () => {
    expect(delays(new RestartPolicy(), undefined, 9)).toEqual([0, 50, 100, 200, 400, 800, 1_600, 3_200, 5_000]);
  });

  it('is back well within a second for a process that got ready', () => {
    const policy = new RestartPolicy();
    for (let death = 0; death < 9; death++) {
      const choice = policy.onDeath(10);
      expect(choice.delayMs).toBeLessThanOrEqual(400);
      expect(choice.failed).toBe(false);
    }
  });

  it('forgets bad lives after a good one', () => {
    const policy = new RestartPolicy();
    delays(policy, undefined, 6);
    expect(policy.onDeath(STABLE_MS)).toEqual({ delayMs: 0, failed: false });
    expect(policy.onDeath(undefined)).toEqual({ delayMs: 50, failed: false });
  });

  it('rests a crash loop, and tries again from the start once a life holds', () => {
    const policy = new RestartPolicy();
    delays(policy, undefined, 9);
    expect(policy.onDeath(undefined)).toEqual({ delayMs: 30_000, failed: true });
    expect(policy.onDeath(0)).toEqual({ delayMs: 30_000, failed: true });
    expect(policy.onDeath(STABLE_MS)).toEqual({ delayMs: 0, failed: false });
  });
});
