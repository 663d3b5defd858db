// Strikes, quarantine and penalty terms of one function, on a clock of the test's own.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FORGIVE_MS, LADDER_MS, PENALTY_RUNG, PROBE_MS, STRIKES, Standing, TERM_MS, WINDOW_MS } from '../../../gateway/standing.ts';

const LAST_WAIT_MS = LADDER_MS[LADDER_MS.length - 1] as number;

/** Strikes of different requests at one time, until the function is quarantined. @returns id of the last */
function quarantine(standing: Standing, nowMs: number, firstId = 1): number {
  let id = firstId;
  while (standing.killed(id, nowMs) !== 'quarantined') id += 1;
  return id;
}

describe('strikes', () => {
  it('quarantine at the fifth within ten seconds, and not before', () => {
    const standing = new Standing();
    for (let i = 1; i < STRIKES; i++) {
      expect(standing.killed(i, i)).toBeUndefined();
      expect(standing.refuses(i)).toBe(false);
    }
    expect(standing.killed(STRIKES, STRIKES)).toBe('quarantined');
    expect(standing.refuses(STRIKES)).toBe(true);
  });

  it('that are spread over longer never do', () => {
    const standing = new Standing();
    for (let i = 0; i < 100; i++) expect(standing.killed(i + 1, i * (WINDOW_MS / (STRIKES - 1) + 1))).toBeUndefined();
    expect(standing.quarantined).toBe(false);
  });

  it('are forgotten after a while, and with them all that was held against the function', () => {
    const standing = new Standing();
    standing.killed(1, 0);
    expect(standing.goodAt(WINDOW_MS - 1)).toBe(false);
    expect(standing.goodAt(WINDOW_MS)).toBe(true);
  });
});

describe('a quarantine', () => {
  it('refuses everything until its first probe is due, then lets one through at a time', () => {
    const standing = new Standing();
    quarantine(standing, 0);
    expect([standing.refuses(0), standing.refuses(999), standing.refuses(1_000)]).toEqual([true, true, false]);
    expect(standing.entered(77, 1_000)).toBe(true);
    expect([standing.refuses(1_001), standing.blocks(78), standing.blocks(77)]).toEqual([true, true, false]);
  });

  it('waits 1, 2, 4 … 60 s for as long as probes are killed', () => {
    const standing = new Standing();
    quarantine(standing, 0);
    let now = 0;
    const waits: number[] = [];
    for (let i = 0; i < 9; i++) {
      waits.push(standing.probeDueMs - now);
      now = standing.probeDueMs;
      standing.entered(100 + i, now);
      expect(standing.killed(100 + i, now)).toBe('quarantined');
    }
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
  });

  it('ends with a probe that ran and was not killed', () => {
    const standing = new Standing();
    quarantine(standing, 0);
    standing.entered(9, 1_000);
    expect(standing.left(9, true, 1_050)).toBe('released');
    expect([standing.quarantined, standing.refuses(1_051), standing.blocks(10)]).toEqual([false, false, false]);
  });

  it('goes on after a probe that never ran: the next request is one', () => {
    const standing = new Standing();
    quarantine(standing, 0);
    standing.entered(9, 1_000);
    expect(standing.left(9, false, 1_010)).toBeUndefined();
    expect([standing.quarantined, standing.refuses(1_011)]).toEqual([true, false]);
  });

  it('lets another through when a probe does not come to its end', () => {
    const standing = new Standing();
    quarantine(standing, 0);
    standing.entered(9, 1_000);
    expect([standing.refuses(1_000 + PROBE_MS - 1), standing.refuses(1_000 + PROBE_MS)]).toEqual([true, false]);
  });

  it('is not made longer by what was under way when it began', () => {
    const standing = new Standing();
    const last = quarantine(standing, 0);
    for (let id = last + 1; id < last + 50; id++) expect(standing.killed(id, 10)).toBeUndefined();
    expect([standing.probeDueMs, standing.quarantines]).toEqual([1_000, 1]);
  });

  it('that comes again soon begins higher, and lower again for each minute without a kill', () => {
    const standing = new Standing();
    quarantine(standing, 0);
    standing.entered(9, 1_000);
    standing.left(9, true, 1_000);
    quarantine(standing, 2_000);
    expect(standing.probeDueMs).toBe(4_000);
    standing.entered(10, 4_000);
    standing.left(10, true, 4_000);
    standing.review(4_000 + FORGIVE_MS);
    expect(standing.goodAt(4_000 + FORGIVE_MS)).toBe(false);
    standing.review(4_000 + 2 * FORGIVE_MS);
    expect(standing.goodAt(4_000 + 2 * FORGIVE_MS)).toBe(true);
  });

  it('is probed at once, one rung lower, after other code or other limits came', () => {
    const standing = new Standing();
    quarantine(standing, 0);
    standing.entered(9, 1_000);
    standing.killed(9, 1_000);
    expect(standing.refuses(1_500)).toBe(true);
    standing.changed(1_500);
    expect(standing.refuses(1_500)).toBe(false);
    standing.entered(10, 1_500);
    standing.killed(10, 1_500);
    expect(standing.probeDueMs).toBe(1_500 + 2_000);
  });
});

describe('a host that was killed', () => {
  it('brings ten minutes on penalty hosts, and no quarantine for one', () => {
    const standing = new Standing();
    expect(standing.killedHost(1, 0, false)).toEqual(['penalised']);
    expect([standing.penalised, standing.quarantined]).toEqual([true, false]);
    expect(standing.review(TERM_MS - 1)).toBeUndefined();
    expect(standing.review(TERM_MS)).toBe('returned');
    expect(standing.penalised).toBe(false);
  });

  it('brings twice the term each time, up to 160 minutes, until it has behaved for as long', () => {
    const standing = new Standing();
    let now = 0;
    const terms: number[] = [];
    for (let i = 0; i < 7; i++) {
      standing.killedHost(i + 1, now, false);
      terms.push((standing.penaltyUntilMs - now) / TERM_MS);
      now = standing.penaltyUntilMs;
      expect(standing.review(now)).toBe('returned');
    }
    expect(terms).toEqual([1, 2, 4, 8, 16, 16, 16]);
    for (let i = 0; i < 10; i++) standing.review((now += 16 * TERM_MS));
    expect(standing.goodAt(now)).toBe(true);
  });

  it('counts once for a term, however many ordinary hosts die of what was sent to them before the first death was known', () => {
    const standing = new Standing();
    standing.killedHost(1, 0, false);
    expect(standing.killedHost(2, 100, false)).toEqual(['quarantined']);
    expect(standing.penaltyUntilMs).toBe(TERM_MS);
  });

  it('even though it was a penalty host: quarantine at once, on a higher rung', () => {
    const standing = new Standing();
    standing.killedHost(1, 0, false);
    expect(standing.killedHost(2, 100_000, true)).toEqual(['quarantined']);
    expect(standing.probeDueMs).toBe(100_000 + (LADDER_MS[PENALTY_RUNG] as number));
    expect(standing.penaltyUntilMs).toBe(100_000 + 2 * TERM_MS);
  });

  it('that fell silent is a suspicion, which the second one within ten minutes confirms', () => {
    const standing = new Standing();
    expect(standing.suspected(0)).toBe(false);
    expect([standing.goodAt(TERM_MS - 1), standing.goodAt(TERM_MS)]).toEqual([false, true]);
    expect(standing.suspected(TERM_MS)).toBe(false);
    expect(standing.suspected(2 * TERM_MS - 1)).toBe(true);
  });

  it('weighs less once the function has other code', () => {
    const standing = new Standing();
    standing.killedHost(1, 0, false);
    standing.changed(1_000);
    expect(standing.review(61_000)).toBe('returned');
  });
});

describe('whatever happens', () => {
  const event = fc.oneof(
    fc.record({ kind: fc.constant('request' as const), fate: fc.constantFrom('fine', 'killed', 'lost', 'never ran', 'hangs') }),
    fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 30_000 }) }),
    fc.record({ kind: fc.constant('changed' as const) }),
  );

  it('no request is refused below the threshold, a probe is due within a minute, and a good one always ends it', () => {
    fc.assert(fc.property(fc.array(event, { maxLength: 200 }), (events) => {
      const standing = new Standing();
      let now = 0;
      let id = 0;
      let weights: { readonly at: number; readonly weight: number }[] = [];
      for (const one of events) {
        if (one.kind === 'wait') now += one.ms;
        else if (one.kind === 'changed') standing.changed(now);
        standing.review(now);
        expect(standing.probeDueMs - now).toBeLessThanOrEqual(LAST_WAIT_MS);
        if (one.kind !== 'request' || standing.refuses(now)) continue;
        id += 1;
        const wasQuarantined = standing.quarantined;
        standing.entered(id, now);
        if (one.fate === 'hangs') continue;
        if (one.fate === 'killed' || one.fate === 'lost') {
          const onPenaltyHost = one.fate === 'lost' && standing.penalised;
          weights = [...weights.filter(({ at }) => now - at < WINDOW_MS), { at: now, weight: one.fate === 'killed' ? 1 : onPenaltyHost ? STRIKES : 3 }];
          if (one.fate === 'killed') standing.killed(id, now);
          else standing.killedHost(id, now, onPenaltyHost);
        }
        // Fewer strikes than the threshold within the window never begin a quarantine.
        const below = !wasQuarantined && weights.filter(({ at }) => now - at < WINDOW_MS).reduce((sum, { weight }) => sum + weight, 0) < STRIKES;
        expect(below && standing.quarantined).toBe(false);
        standing.left(id, one.fate !== 'never ran', now);
        expect(one.fate === 'fine' && standing.quarantined).toBe(false);
      }
      // In the end it comes back by itself, if it behaves.
      now = Math.max(now, standing.probeDueMs) + PROBE_MS;
      expect(standing.refuses(now)).toBe(false);
      standing.entered(id + 1, now);
      standing.left(id + 1, true, now);
      for (let i = 0; i < 40; i++) standing.review((now += 16 * TERM_MS));
      expect(standing.goodAt(now)).toBe(true);
    }), { numRuns: 300 });
  });
});
