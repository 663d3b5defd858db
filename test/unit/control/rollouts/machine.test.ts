// The life of a rollout on a fake clock: steps, holds, gates, an operator's hand, and a control plane that dies in between.
import { describe, expect, it } from 'vitest';
import { KEYS, verifyTrail } from '../../../../control/model/index.ts';
import type { RolloutEvent, RolloutRecord } from '../../../../control/rollouts/index.ts';
import { PlaceIndex, placesFor } from '../../../../core/routing/places.ts';
import { emergencySchema, rolloutPostSchema } from '../../../../core/schemas/index.ts';
import { MemoryStore } from '../../../support/control-memory-store.ts';
import { FN, ME, RolloutStand } from '../../../support/rollout-stand.ts';
import type { Behaviour, StandOptions } from '../../../support/rollout-stand.ts';

const GOOD: Behaviour = { failing: 0.001, wallMs: 20 };
const FAILING: Behaviour = { ...GOOD, failing: 0.3 };
const POST = { version: 2, steps: [{ weight: 10, hold: '20s' }, { weight: 50, hold: '20s' }, { weight: 100, hold: 0 }] };
const ONE = { rules: [], split: [{ version: 1, weight: 100 }] };

async function stand(canary: Behaviour = GOOD, options: Partial<StandOptions> = {}): Promise<RolloutStand> {
  const made = await RolloutStand.open({ seed: 7, perSec: 200, behaviour: (version) => (version === 1 ? GOOD : canary), ...options });
  await made.run(10_000);
  return made;
}

const weight = ({ record }: RolloutStand, version = 2): number => record.traffic?.split.find((part) => part.version === version)?.weight ?? 0;
const actions = ({ decisions }: RolloutRecord): string[] => decisions.map(({ action }) => action);

describe('a rollout', () => {
  it('goes through its steps to the end, each decision one commit with a row of the audit trail', async () => {
    const at = await stand();
    const { number } = await at.start(POST);
    expect([number, weight(at)]).toEqual([1, 10]);
    await at.run(15_000);
    expect([weight(at), at.rollouts.watchOf(FN)?.holding(at.nowMs)?.for]).toEqual([10, 'hold']);
    await at.run(15_000, () => weight(at) === 50);
    expect(weight(at)).toBe(50);
    const before = at.store.revision;
    const done = await at.finish(number, 60_000);
    expect(at.store.revision).toBe(before + 1);
    expect([done.state, done.reason, done.step, actions(done)]).toEqual(['finished', null, 2, ['start', 'promote', 'finish']]);
    expect(at.record.traffic).toEqual({ rules: [], split: [{ version: 2, weight: 100 }] });
    // All of it is one change: going back goes to what was before.
    expect(at.record.history).toEqual([ONE]);
    const rows = at.store.list({ prefix: KEYS.audit }).map(({ value }) => value as { readonly action: string; readonly actor: string });
    expect(rows.map(({ action, actor }) => [action, actor])).toEqual([['rollout.start', 'me'], ['rollout.promote', 'rollout'], ['rollout.finish', 'rollout']]);
    expect(verifyTrail(at.store)).toBeNull();
  });

  it('takes a failing version off by itself and says why, with figures', async () => {
    const at = await stand(FAILING);
    const { number } = await at.start(POST);
    const done = await at.finish(number, 60_000);
    expect([done.state, done.reason?.code, actions(done)]).toEqual(['rolled_back', 'error_rate', ['start', 'roll_back']]);
    expect(done.reason?.message).toMatch(/^error_rate: \d+\.\d\d % beside 0\.\d\d % of live/);
    expect(done.seen.gates.find(({ gate }) => gate === 'error_rate')).toMatchObject({ verdict: 'failed', unit: 'share' });
    expect([at.record.traffic, at.record.history]).toEqual([ONE, []]);
    expect(done.decisions.at(-1)).toMatchObject({ by: 'rollout', weight: 0 });
    // Long before minSamples: those are about going on.
    expect(done.seen.samples.canary).toBeLessThan(300);
  });

  it.each([
    ['slow', { ...GOOD, wallMs: 45 }, /^latency_p(?:50|99)$/],
    ['costly', { ...GOOD, cpuMs: 4 }, /^cpu$/],
    ['big', { ...GOOD, memoryMb: 60 }, /^memory$/],
  ] as const)('takes a %s version off', async (_what, canary, code) => {
    const at = await stand(canary);
    const done = await at.finish((await at.start(POST)).number, 60_000);
    expect([done.state, done.reason?.code]).toEqual(['rolled_back', expect.stringMatching(code)]);
    expect(at.record.traffic).toEqual(ONE);
  });

  it('does not look through gates that are off', async () => {
    const at = await stand({ failing: 0.3, wallMs: 90, cpuMs: 9, memoryMb: 90 });
    const done = await at.finish((await at.start({ ...POST, gates: { errorRate: null, latency: null, cpu: null, memory: null } })).number, 120_000);
    expect([done.state, done.seen.gates]).toEqual(['finished', []]);
  });

  it('leaves out cold starts and the time to get warm, so that neither takes a good version off', async () => {
    for (let seed = 0; seed < 10; seed++) {
      const at = await stand({ ...GOOD, cold: { perSecond: 3, seconds: 20 } }, { seed });
      const done = await at.finish((await at.start(POST)).number, 120_000);
      expect(done.state).toBe('finished');
    }
  });

  it('does not take a version off for one burst, such as a host that dies, but goes no further without a person', async () => {
    for (let seed = 0; seed < 5; seed++) {
      const at = await stand(GOOD, { seed, behaviour: (version, ms) => (version === 2 && ms >= 20_000 && ms < 22_000 ? { ...GOOD, failing: 0.9 } : GOOD) });
      const { number } = await at.start({ ...POST, maxHold: '60s' });
      await at.run(40_000);
      expect(at.rollouts.watchOf(FN)?.holding(at.nowMs)?.for).toBe('suspect');
      await at.run(40_000);
      expect([at.rollouts.get(FN, number), weight(at)]).toMatchObject([{ state: 'paused', reason: { code: 'undecided' } }, 10]);
    }
  });

  it('watches at 100 % for the hold of that step, where nothing is left to compare with', async () => {
    const at = await stand();
    const { number } = await at.start({ version: 2, steps: [{ weight: 100, hold: '5s' }] });
    await at.run(4_000);
    expect([weight(at), at.rollouts.get(FN, number).state]).toEqual([100, 'running']);
    expect((await at.finish(number, 5_000)).state).toBe('finished');
  });

  it('shares the split with all that was live, and gives it back', async () => {
    const split = [{ version: 1, weight: 70 }, { version: 3, weight: 30 }];
    const base = { rules: [{ when: { header: { beta: '1' } }, version: 3 }], split, sticky: 'user' };
    const at = await stand(FAILING, { split: base, behaviour: (version) => (version === 2 ? FAILING : GOOD) });
    const before = at.record.places;
    const { number } = await at.start(POST);
    expect(at.record.traffic).toEqual({ ...base, split: [{ version: 1, weight: 63 }, { version: 3, weight: 27 }, { version: 2, weight: 10 }] });
    expect(at.rollouts.versionsInUse(FN)).toEqual(new Set([1, 2, 3]));
    // Sticky callers move to the new version, and back to where they were.
    expect(at.record.places?.['1']?.length).toBeGreaterThan(0);
    const whose = new PlaceIndex(at.record.places, at.record.traffic?.split ?? []);
    const wasWhose = new PlaceIndex(before, split);
    const moves = new Set(Array.from({ length: 10_000 }, (_, place) => `${wasWhose.at(place)} ${whose.at(place)}`));
    expect([...moves].toSorted()).toEqual(['1 1', '1 2', '3 2', '3 3']);
    await at.finish(number, 60_000);
    expect(at.record.traffic).toEqual(base);
    expect(placesFor(at.record.places, split)).toEqual(placesFor(before, split));
    expect(at.rollouts.versionsInUse(FN)).toEqual(new Set());
  });
});

describe('too few samples', () => {
  const FEW = { ...POST, maxHold: '90s' };

  it('hold a step, which says so, up to maxHold; then the version is taken off', async () => {
    const at = await stand(GOOD, { perSec: 20 });
    const { number } = await at.start(FEW);
    await at.run(60_000);
    expect(at.rollouts.watchOf(FN)?.holding(at.nowMs)).toMatchObject({ for: 'not_enough_samples', message: expect.stringMatching(/^\d+ requests of the new version and \d+ of live in this step, 300 of each are needed$/) });
    expect(weight(at)).toBe(10);
    const done = await at.finish(number, 60_000);
    expect([done.state, done.reason?.code, at.record.traffic]).toEqual(['rolled_back', 'not_enough_samples', ONE]);
    expect(at.elapsedMs).toBeGreaterThanOrEqual(100_000);
  });

  it('pause it where that was asked for', async () => {
    const at = await stand(GOOD, { perSec: 20 });
    const { number } = await at.start({ ...FEW, onMaxHold: 'pause' });
    await at.run(120_000);
    const record = at.rollouts.get(FN, number);
    expect([record.state, record.reason?.code, weight(at)]).toEqual(['paused', 'not_enough_samples', 10]);
  });

  it('are enough when they come late', async () => {
    const at = await stand(GOOD, { perSec: 60 });
    const done = await at.finish((await at.start({ ...FEW, minSamples: 250 })).number, 200_000);
    expect(done.state).toBe('finished');
    expect(at.elapsedMs).toBeGreaterThan(50_000);
  });

  it('are those of live too, and a side without any says nothing', async () => {
    const at = await stand(FAILING, { split: { rules: [], split: [{ version: 1, weight: 100 }] }, perSec: 0 });
    const { number } = await at.start(FEW);
    await at.run(60_000);
    const seen = at.rollouts.watchOf(FN)?.seen();
    expect(seen?.samples).toEqual({ canary: 0, live: 0 });
    expect(new Set(seen?.gates.map(({ verdict }) => verdict))).toEqual(new Set(['no_data']));
    expect((await at.finish(number, 60_000)).reason?.code).toBe('not_enough_samples');
  });

  it('do not matter at minSamples 0; but figures that stop coming hold a step otherwise', async () => {
    const at = await stand();
    at.reporting = false;
    const first = await at.start({ ...POST, minSamples: 0 });
    expect((await at.finish(first.number, 60_000)).state).toBe('finished');
    const second = await at.start({ ...POST, version: 1, maxHold: '60s' });
    await at.run(40_000);
    expect(at.rollouts.watchOf(FN)?.holding(at.nowMs)?.for).toBe('no_figures');
    expect((await at.finish(second.number, 60_000)).reason?.code).toBe('no_figures');
  });
});

describe("an operator's hand", () => {
  it('pauses: the weight stays, the hold starts anew at the resume', async () => {
    const at = await stand();
    const { number } = await at.start(POST);
    await at.run(10_000);
    await at.rollouts.pause(ME, FN, number);
    await at.run(60_000);
    expect([weight(at), at.rollouts.get(FN, number)]).toMatchObject([10, { state: 'paused', reason: { code: 'by_hand' } }]);
    const revision = at.store.revision;
    expect((await at.rollouts.pause(ME, FN, number)).result.state).toBe('paused');
    expect(at.store.revision).toBe(revision);
    await at.rollouts.resume(ME, FN, number);
    await at.run(15_000);
    expect(weight(at)).toBe(10);
    const done = await at.finish(number, 120_000);
    expect(actions(done)).toEqual(['start', 'pause', 'resume', 'promote', 'finish']);
  });

  it('pauses what is still rolled back by a gate', async () => {
    const at = await RolloutStand.open({ seed: 3, perSec: 200, behaviour: (version, ms) => (version === 2 && ms > 40_000 ? FAILING : GOOD) });
    await at.run(10_000);
    const { number } = await at.start(POST);
    await at.run(2_000);
    await at.rollouts.pause(ME, FN, number);
    const done = await at.finish(number, 120_000);
    expect([done.state, done.reason?.code]).toEqual(['rolled_back', 'error_rate']);
  });

  it('aborts at once, and nothing can be done with it any more', async () => {
    const at = await stand();
    const { number } = await at.start(POST);
    const { result } = await at.rollouts.abort(ME, FN, number);
    expect([result.state, at.record.traffic, at.record.history]).toEqual(['aborted', ONE, []]);
    for (const operation of ['pause', 'resume', 'abort'] as const) await expect(at.rollouts[operation](ME, FN, number)).rejects.toMatchObject({ code: 'conflict' });
    await expect(at.rollouts.abort(ME, FN, 9)).rejects.toMatchObject({ code: 'not_found' });
  });

  it('on the traffic ends it in the same commit', async () => {
    const at = await stand();
    for (const change of [
      async (): Promise<unknown> => at.traffic.set(ME, FN, { rules: [], split: [{ version: 3, weight: 100 }] }),
      async (): Promise<unknown> => at.traffic.rollback(ME, FN),
      async (): Promise<unknown> => at.ledger.write(ME, () => ({ changes: [{ key: KEYS.function(FN), remove: true }], audit: { action: 'function.delete', target: FN, before: null, after: null }, result: undefined })),
    ]) {
      const { number } = await at.start(POST);
      const before = at.store.revision;
      await change();
      expect(at.store.revision).toBe(before + 1);
      const record = at.rollouts.get(FN, number);
      expect([record.state, record.reason?.code, record.decisions.at(-1)?.by]).toEqual(['superseded', at.catalog.get(FN) === undefined ? 'function_deleted' : 'traffic_changed', 'me']);
      expect(at.rollouts.watchOf(FN)).toBeUndefined();
    }
    expect(at.rollouts.counts).toMatchObject({ running: 0, paused: 0, started: 3, ended: new Map([['superseded', 3]]) });
  });

  it.each(['killed', 'frozen', 'forced'] as const)('on the switch %s pauses it; it is not resumed before the switch is back', async (what) => {
    const at = await stand();
    const { number } = await at.start(POST);
    const put = async (switches: unknown): Promise<unknown> => at.switches.set(ME, FN, emergencySchema.parse(switches));
    await put({ [what]: what === 'forced' ? 1 : true });
    expect([at.rollouts.get(FN, number).state, at.rollouts.get(FN, number).reason?.code]).toEqual(['paused', what]);
    const code = what === 'frozen' ? 'frozen' : 'conflict';
    await expect(at.rollouts.resume(ME, FN, number)).rejects.toMatchObject({ code });
    await put({});
    await at.rollouts.resume(ME, FN, number);
    await at.rollouts.abort(ME, FN, number);
    await put({ [what]: what === 'forced' ? 1 : true });
    await expect(at.start(POST)).rejects.toMatchObject({ code });
  });

  it('on the freeze of the node pauses all', async () => {
    const at = await stand();
    const { number } = await at.start(POST);
    const freeze = async (frozen: boolean): Promise<unknown> => at.switches.freeze(ME, { frozen, reason: '' });
    await freeze(true);
    expect(at.rollouts.get(FN, number).reason?.code).toBe('frozen');
    await expect(at.rollouts.resume(ME, FN, number)).rejects.toMatchObject({ code: 'frozen' });
    await freeze(false);
    expect((await at.rollouts.resume(ME, FN, number)).result.state).toBe('running');
  });

  it('on the freeze of the node does not keep a bad version live, nor an operator from taking it off', async () => {
    const at = await RolloutStand.open({ seed: 3, perSec: 200, behaviour: (version, ms) => (version === 2 && ms > 40_000 ? FAILING : GOOD) });
    await at.run(10_000);
    const first = await at.start(POST);
    await at.switches.freeze(ME, { frozen: true, reason: 'sale' });
    const done = await at.finish(first.number, 60_000);
    expect([done.state, done.reason?.code, at.record.traffic]).toEqual(['rolled_back', 'error_rate', ONE]);
    await at.switches.freeze(ME, { frozen: false, reason: '' });
    const second = await at.start(POST);
    await at.switches.freeze(ME, { frozen: true, reason: 'sale' });
    expect((await at.rollouts.abort(ME, FN, second.number)).result.state).toBe('aborted');
    await expect(at.traffic.set(ME, FN, { rules: [], split: [{ version: 3, weight: 100 }] })).rejects.toMatchObject({ code: 'frozen' });
  });

  it('starts one at a time, of a version that there is, beside one that is live', async () => {
    const at = await stand();
    const { number } = await at.start(POST);
    await expect(at.start(POST)).rejects.toMatchObject({ code: 'conflict' });
    await at.rollouts.abort(ME, FN, number);
    await expect(at.start({ ...POST, version: 4 })).rejects.toMatchObject({ code: 'invalid' });
    await expect(at.start({ ...POST, version: 1 })).rejects.toMatchObject({ code: 'conflict' });
    await expect(at.rollouts.start(ME, 'nobody', rolloutPostSchema.parse(POST))).rejects.toMatchObject({ code: 'not_found' });
    expect((await at.start({ ...POST, version: 3 })).number).toBe(2);
    expect(at.rollouts.list(FN, 9, 5).map((one) => one.number)).toEqual([2, 1]);
  });
});

describe('a control plane that dies', () => {
  it('goes on with the step, whose hold and test start anew', async () => {
    const at = await stand();
    const { number } = await at.start(POST);
    await at.run(18_000);
    at.restart();
    await at.run(15_000);
    expect([weight(at), at.rollouts.watchOf(FN)?.holding(at.nowMs)?.for]).toEqual([10, 'hold']);
    const done = await at.finish(number, 120_000);
    expect([done.state, actions(done)]).toEqual(['finished', ['start', 'promote', 'finish']]);
  });

  it('still rolls back, and a paused rollout stays paused', async () => {
    const at = await stand(FAILING);
    const { number } = await at.start(POST);
    await at.rollouts.pause(ME, FN, number);
    at.restart();
    expect(at.rollouts.watchOf(FN)?.record.state).toBe('paused');
    expect((await at.finish(number, 60_000)).state).toBe('rolled_back');
  });

  it('counts maxHold from the start of the step, however often it starts', async () => {
    const at = await stand(GOOD, { perSec: 20 });
    const { number } = await at.start({ ...POST, maxHold: '90s' });
    for (let i = 0; i < 5; i++) {
      await at.run(25_000);
      at.restart();
    }
    expect((await at.finish(number, 30_000)).reason?.code).toBe('not_enough_samples');
  });

  it('repeats a decision that the disk refused', async () => {
    const store = new MemoryStore();
    const at = await stand(FAILING, { store });
    const { number } = await at.start(POST);
    store.failNext = true;
    const done = await at.finish(number, 60_000);
    expect([done.state, store.failNext, at.record.traffic]).toEqual(['rolled_back', false, ONE]);
    expect(verifyTrail(store)).toBeNull();
  });
});

describe('listeners', () => {
  it('hear of every decision after its commit; one that throws harms nobody', async () => {
    const at = await stand(FAILING);
    const heard: string[] = [];
    at.rollouts.subscribe(() => {
      throw new Error('mine');
    });
    const stop = at.rollouts.subscribe(({ rollout, decision }: RolloutEvent) => void heard.push(`${rollout.number} ${decision.action} ${at.rollouts.get(FN, rollout.number).state}`));
    const { number } = await at.start(POST);
    await at.finish(number, 60_000);
    stop();
    await at.start({ ...POST, version: 3 });
    expect(heard).toEqual(['1 start running', '1 roll_back rolled_back']);
  });
});

describe('what a rollout may be asked for', () => {
  const refused = (post: unknown): string[] => [...new Set((rolloutPostSchema.safeParse(post).error?.issues ?? []).map(({ path }) => path.join('.')))];

  it('is sensible with a version alone, and takes durations in both forms', () => {
    const plan = rolloutPostSchema.parse({ version: 2 });
    expect(plan.steps.map((step) => [step.weight, step.hold])).toEqual([[1, 30_000], [10, 30_000], [50, 30_000], [100, 0]]);
    expect(plan).toMatchObject({ minSamples: 300, maxHold: 3_600_000, onMaxHold: 'rollback', gates: { errorRate: { maxIncrease: 0.0005 }, latency: { p50: { maxIncrease: 0.15 } }, cpu: {}, memory: {} } });
    expect(rolloutPostSchema.parse({ version: 2, steps: [{ weight: 5, hold: '2m' }, { weight: 6, hold: 500 }, { weight: 7, hold: '500ms' }] }).steps.map(({ hold }) => hold)).toEqual([120_000, 500, 500]);
  });

  it('names each field that is wrong', () => {
    expect(refused({})).toEqual(['version']);
    expect(refused({ version: 1, steps: [] })).toEqual(['steps']);
    for (const hold of ['5', 's', '-1s', '1d', -1, 1.5, null, '99999999h']) expect(refused({ version: 1, steps: [{ weight: 5, hold }] })).toEqual(['steps.0.hold']);
    for (const weight_ of [0, -1, 100.01, 0.005, 'x', Number.NaN]) expect(refused({ version: 1, steps: [{ weight: weight_ }] })).toEqual(['steps.0.weight']);
    expect(refused({ version: 1, steps: [{ weight: 5 }, { weight: 5 }] })).toEqual(['steps.1.weight']);
    expect(refused({ version: 1, maxHold: '10s' })).toEqual(['steps.0.hold', 'steps.1.hold', 'steps.2.hold']);
    expect(refused({ version: 1, steps: [{ weight: 5, hold: '2m', maxHold: '1m' }] })).toEqual(['steps.0.maxHold']);
    expect(refused({ version: 1, gates: { errorRate: { maxIncrease: 2 } } })).toEqual(['gates.errorRate.maxIncrease']);
    expect(refused({ version: 1, minSamples: -1 })).toEqual(['minSamples']);
  });
});
