import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AlertEvaluator, RETRY_AFTER_S, viewAlert } from '../../../control/alerts/index.ts';
import { advance, begin } from '../../../control/alerts/alert-state.ts';
import type { Alert } from '../../../control/alerts/alert-state.ts';
import { judge } from '../../../control/alerts/condition.ts';
import { verifyTrail } from '../../../control/model/index.ts';
import { PlatformError } from '../../../core/errors/index.ts';
import { alertPutSchema, alertRuleSchema } from '../../../core/schemas/index.ts';
import { SECRET, URL_OF_SINK, alertStand, bad, good, status } from '../../support/alerts.ts';
import type { AlertStand, Sent } from '../../support/alerts.ts';
import { T0, increments } from '../../support/sensing.ts';

const webhook = { url: URL_OF_SINK, secret: SECRET };
const ERRORS = { function: 'f', metric: 'errorRate', threshold: 0.5, windowMs: 10_000, resolveForMs: 5_000, minSamples: 20, webhook };

const functionsOf = (sent: Sent | undefined): unknown[] => (sent?.data.alerts ?? []).map((alert) => alert['function']);
const told = ({ sent }: AlertStand): [string, ...unknown[]][] => sent.map((one) => [one.type, ...functionsOf(one)]);
const state = ({ alerts }: AlertStand, id: string): string => viewAlert(alerts, alerts.rules.require(id)).state;

describe('a condition', () => {
  const rule = (put: Record<string, unknown>): Parameters<typeof judge>[0] => alertRuleSchema.parse({ all: true, ...put });
  it.each([
    ['too much', { metric: 'errorRate', threshold: 0.1 }, 0.1, 20, 'breach'],
    ['between', { metric: 'errorRate', threshold: 0.1 }, 0.095, 20, 'between'],
    ['calm', { metric: 'errorRate', threshold: 0.1 }, 0.08, 20, 'calm'],
    ['too few to say', { metric: 'errorRate', threshold: 0.1 }, 1, 19, 'few'],
    ['its own end', { metric: 'latencyP99', threshold: 100, resolveAt: 50 }, 60, 20, 'between'],
    ['one kill is a kill', { metric: 'cpuKills', threshold: 1 }, 1, 1, 'breach'],
    ['none is none', { metric: 'cpuKills', threshold: 0.5, resolveAt: 0 }, 0, 0, 'calm'],
    ['silence', { metric: 'requests', threshold: 1, function: 'f' }, 0, 0, 'breach'],
    ['a little', { metric: 'requests', threshold: 10, function: 'f' }, 11, 11, 'between'],
    ['enough', { metric: 'requests', threshold: 10, function: 'f' }, 12, 12, 'calm'],
    ['memory needs no requests', { metric: 'memory', threshold: 64 }, 64, 0, 'breach'],
  ] as const)('is judged: %s', (_name, put, value, samples, verdict) => {
    expect(judge(rule(put), { value, samples })).toBe(verdict);
  });

  it('fires after the whole of its time, and never twice without an end between', () => {
    const verdicts = fc.array(fc.constantFrom('breach', 'between', 'calm', 'few'), { maxLength: 60 }) as fc.Arbitrary<('breach' | 'between' | 'calm' | 'few')[]>;
    fc.assert(fc.property(verdicts, fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 5 }), (all, forS, resolveForS) => {
      const one = rule({ metric: 'errorRate', threshold: 0.1, forMs: forS * 1_000, resolveForMs: resolveForS * 1_000 });
      let alert: Alert | undefined;
      const steps: string[] = [];
      for (const [second, verdict] of all.entries()) {
        const atMs = T0 + second * 1_000;
        alert ??= begin('f', verdict, { value: 1, samples: 1 }, atMs);
        if (alert === undefined) continue;
        const step = advance(alert, one, verdict, { value: 1, samples: 1 }, atMs);
        const lasted = (s: number, ...of: string[]): boolean => all.slice(second - s, second + 1).every((v) => of.includes(v));
        expect(step !== 'fired' || lasted(forS, 'breach')).toBe(true);
        expect(step !== 'resolved' || lasted(resolveForS, 'calm', 'few')).toBe(true);
        if (step === 'fired' || step === 'resolved') steps.push(step);
        if (step === 'gone' || step === 'resolved') alert = undefined;
      }
      for (const [i, step] of steps.entries()) expect(step).toBe(i % 2 === 0 ? 'fired' : 'resolved');
    }), { numRuns: 500 });
  });
});

describe('rules', () => {
  it.each([
    ['no scope', { function: undefined }, 'function'], ['two scopes', { all: true }, 'all'], ['a threshold that is no share', { threshold: 5 }, 'threshold'],
    ['no threshold', { threshold: undefined }, 'threshold'], ['a threshold of nothing', { threshold: 0 }, 'threshold'], ['an end above the threshold', { resolveAt: 0.6 }, 'resolveAt'],
    ['a rollout with a threshold', { metric: 'rollout' }, 'threshold'], ['silence of all', { metric: 'requests', function: undefined, all: true }, 'metric'],
    ['a window of a broken second', { windowMs: 1_500 }, 'windowMs'], ['a window longer than what is kept', { windowMs: 901_000 }, 'windowMs'], ['repeats that are a flood', { repeatEveryMs: 1_000 }, 'repeatEveryMs'],
    ['a URL of a file', { webhook: { url: 'file:///etc/passwd' } }, 'webhook.url'], ['a URL with a password', { webhook: { url: 'http://a:b@sink.test/' } }, 'webhook.url'], ['no URL', { webhook: { url: 'sink' } }, 'webhook.url'],
    ['a secret of another form', { webhook: { url: URL_OF_SINK, secret: 'secret' } }, 'webhook.secret'], ['a short secret', { webhook: { url: URL_OF_SINK, secret: `whsec_${Buffer.alloc(8).toString('base64')}` } }, 'webhook.secret'],
    ['an unknown member', { colour: 'red' }, ''],
  ])('refuse %s', (_name, change, path) => {
    const put = Object.fromEntries(Object.entries({ ...ERRORS, ...change }).filter(([, value]) => value !== undefined));
    const parsed = alertPutSchema.safeParse(put);
    expect(parsed.error?.issues.map((issue) => issue.path.join('.'))).toContain(path);
  });

  it('keep a webhook that is not put again, and let nothing of it out', async () => {
    const stand = alertStand();
    await stand.put('errors', ERRORS);
    const { webhook: _, ...without } = ERRORS;
    await stand.put('errors', { ...without, threshold: 0.4 });
    expect(stand.alerts.rules.webhook('errors')).toEqual(webhook);
    const before = stand.store.revision;
    // The same again is no change.
    await stand.put('errors', { ...ERRORS, threshold: 0.4 });
    expect(stand.store.revision).toBe(before);
    const stored = JSON.stringify([stand.store.list({ prefix: '' }), viewAlert(stand.alerts, stand.alerts.rules.require('errors'))]);
    expect(stored).not.toContain('very-secret-path');
    expect(stored).not.toContain(SECRET);
    expect(stored).toContain('http://sink.test');
    expect(verifyTrail(stand.store)).toBeNull();
    await stand.put('errors', { ...ERRORS, webhook: null });
    expect(stand.alerts.rules.webhook('errors')).toBeUndefined();
  });
});

describe('an alert', () => {
  it('fires once, within a second, and is over once it has been calm for its time', async () => {
    const stand = alertStand();
    await stand.put('errors', ERRORS);
    await stand.seconds(12, () => [good('f')]);
    expect(state(stand, 'errors')).toBe('ok');
    // 11 good seconds' worth is in the window of ten: half of it must go bad.
    await stand.seconds(4, () => [bad('f')]);
    expect(told(stand)).toEqual([]);
    await stand.second(bad('f'));
    expect(told(stand)).toEqual([['alert.firing', 'f']]);
    expect(stand.sent[0]?.data).toMatchObject({ alert: 'errors', severity: 'warning', metric: 'errorRate', threshold: 0.5, repeat: false, more: 0, alerts: [{ function: 'f', tenant: 'default', samples: 300, value: 0.5 }] });
    await stand.seconds(10, () => [bad('f')]);
    expect(state(stand, 'errors')).toBe('firing');
    await stand.seconds(5, () => [good('f')]);
    expect(state(stand, 'errors')).toBe('firing');
    await stand.seconds(8, () => [good('f')]);
    expect(state(stand, 'errors')).toBe('ok');
    await stand.seconds(10, () => [good('f')]);
    expect(told(stand)).toEqual([['alert.firing', 'f'], ['alert.resolved', 'f']]);
    expect(new Set(stand.sent.map((one) => one.id)).size).toBe(2);
    expect(viewAlert(stand.alerts, stand.alerts.rules.require('errors'))).toMatchObject({ alerts: [], notifications: [{ type: 'alert.resolved', state: 'delivered', attempts: 1 }, { type: 'alert.firing', state: 'delivered' }] });
  });

  it('waits for its time without a break, and says so', async () => {
    const stand = alertStand();
    await stand.put('errors', { ...ERRORS, windowMs: 1_000, forMs: 4_000 });
    await stand.seconds(3, () => [bad('f')]);
    expect(viewAlert(stand.alerts, stand.alerts.rules.require('errors'))).toMatchObject({ state: 'pending', pending: 1, firing: 0, since: new Date(T0 + 1_000).toISOString() });
    await stand.second(good('f'));
    expect(state(stand, 'errors')).toBe('ok');
    await stand.seconds(4, () => [bad('f')]);
    expect(told(stand)).toEqual([]);
    await stand.second(bad('f'));
    expect(told(stand)).toEqual([['alert.firing', 'f']]);
  });

  it('says nothing of few requests; one that fires is over when nobody calls any more', async () => {
    const stand = alertStand();
    await stand.put('errors', ERRORS);
    await stand.seconds(30, () => [bad('f', 1)]);
    expect(told(stand)).toEqual([]);
    await stand.seconds(3, () => [bad('f', 10)]);
    expect(told(stand)).toEqual([['alert.firing', 'f']]);
    await stand.seconds(20);
    expect(told(stand)).toEqual([['alert.firing', 'f'], ['alert.resolved', 'f']]);
  });

  it('is of what its metric says', async () => {
    const stand = alertStand();
    const base = { function: 'f', windowMs: 5_000, webhook };
    await stand.put('slow', { ...base, metric: 'latencyP99', threshold: 500 });
    await stand.put('median', { ...base, metric: 'latencyP50', threshold: 500 });
    await stand.put('kills', { ...base, metric: 'cpuKills', threshold: 3 });
    await stand.put('full', { ...base, metric: 'saturation', threshold: 0.2 });
    await stand.put('memory', { ...base, metric: 'memory', threshold: 100 });
    const firing = (): string[] => stand.alerts.rules.all().map((one) => one.id).filter((id) => state(stand, id) === 'firing');
    await stand.seconds(6, () => [good('f')]);
    expect(firing()).toEqual([]);
    await stand.second(increments('f', 1, 5, {}, 800_000));
    expect(firing()).toEqual(['slow']);
    await stand.seconds(5, () => [increments('f', 1, 5, {}, 800_000)]);
    expect(firing()).toEqual(['median', 'slow']);
    await stand.second(increments('f', 1, 20, { cpu_limit_exceeded: 2 }));
    expect(firing()).not.toContain('kills');
    await stand.second(increments('f', 2, 20, { cpu_limit_exceeded: 1 }));
    expect(firing()).toContain('kills');
    await stand.second(increments('f', 1, 0, { overloaded: 20, rate_limited: 20 }));
    expect(firing()).toContain('full');
    stand.hold([['f', 120 * 1_048_576], ['g', 10]]);
    await stand.second();
    expect(firing()).toContain('memory');
  });

  it('that is over before it could be told is told with its end', async () => {
    const stand = alertStand();
    await stand.put('errors', { ...ERRORS, windowMs: 1_000, resolveForMs: 0 });
    await stand.second(bad('f'));
    await stand.second();
    await stand.second(bad('f'));
    await stand.seconds(12);
    // What fired and ended within the ten seconds after the first notification is one end.
    expect(told(stand)).toEqual([['alert.firing', 'f'], ['alert.resolved', 'f']]);
    await stand.second(bad('f'));
    await stand.seconds(10);
    expect(told(stand).slice(2)).toEqual([['alert.resolved', 'f']]);
    expect(stand.sent[2]?.data.alerts[0]).toMatchObject({ firedAt: new Date(stand.clock.ms - 10_000).toISOString(), resolvedAt: new Date(stand.clock.ms - 9_000).toISOString() });
  });

  it('of silence fires when nobody calls, but not before it has looked for the whole window', async () => {
    const stand = alertStand();
    await stand.put('silence', { function: 'f', metric: 'requests', threshold: 5, windowMs: 10_000, resolveForMs: 0, webhook });
    await stand.seconds(9);
    expect(state(stand, 'silence')).toBe('ok');
    await stand.seconds(3);
    expect(told(stand)).toEqual([['alert.firing', 'f']]);
    await stand.seconds(12, () => [good('f', 1)]);
    expect(told(stand)).toEqual([['alert.firing', 'f'], ['alert.resolved', 'f']]);
    // No gateway says anything any more: 10 s later that is silence too.
    stand.clock.ms += 40_000;
    stand.alerts.tick();
    expect(told(stand).at(-1)).toEqual(['alert.firing', 'f']);
  });

  it('of a tenant or of all is one for each function, and goes with the function', async () => {
    const stand = alertStand();
    await stand.put('all', { ...ERRORS, function: undefined, all: true });
    await stand.put('lab', { ...ERRORS, function: undefined, tenant: 'lab' });
    await stand.second(bad('f'), good('g'), bad('h'));
    expect(told(stand)).toEqual([['alert.firing', 'f', 'h'], ['alert.firing', 'h']]);
    stand.tenants.delete('h');
    await stand.seconds(12, () => [bad('f')]);
    expect(told(stand).slice(2)).toEqual([['alert.resolved', 'h'], ['alert.resolved', 'h']]);
    expect(state(stand, 'lab')).toBe('ok');
    expect(state(stand, 'all')).toBe('firing');
    // The rule watches another function now.
    await stand.put('all', { ...ERRORS, function: 'g' });
    await stand.seconds(12, () => [bad('f')]);
    expect(told(stand).at(-1)).toEqual(['alert.resolved', 'f']);
  });
});

describe('notifications', () => {
  it('gather what fires soon after the first, and repeat while it lasts', async () => {
    const stand = alertStand();
    await stand.put('all', { ...ERRORS, function: undefined, all: true, windowMs: 60_000, repeatEveryMs: 60_000 });
    await stand.second(bad('f'));
    await stand.second(bad('f'), bad('g'));
    await stand.second(bad('f'), bad('h'));
    expect(told(stand)).toEqual([['alert.firing', 'f']]);
    await stand.seconds(9, () => [bad('f'), bad('g'), bad('h')]);
    expect(told(stand)).toEqual([['alert.firing', 'f'], ['alert.firing', 'g', 'h']]);
    await stand.seconds(50, () => [bad('f'), bad('g'), bad('h')]);
    expect(stand.sent).toHaveLength(2);
    await stand.seconds(12, () => [bad('f'), bad('g'), bad('h')]);
    expect(told(stand)[2]).toEqual(['alert.firing', 'f', 'g', 'h']);
    expect(stand.sent[2]?.data).toMatchObject({ repeat: true });
    expect(stand.sent.map((one) => one.data['sequence'])).toEqual([1, 2, 3]);
  });

  it('are tried eight times over an hour, with the same id and a fresh timestamp, and then given up', async () => {
    const stand = alertStand();
    await stand.put('errors', { ...ERRORS, repeatEveryMs: 0, windowMs: 900_000 });
    stand.answer = () => status(500);
    await stand.second(bad('f'));
    const begun = stand.clock.ms;
    for (let s = 0; s < 4_000; s++) {
      stand.clock.ms += 1_000;
      stand.alerts.deliverer.run();
      await Promise.resolve();
      await Promise.resolve();
      await Promise.resolve();
    }
    expect(stand.sent).toHaveLength(8);
    expect(new Set(stand.sent.map((one) => one.id)).size).toBe(1);
    const gaps = stand.sent.map((one, i) => Math.round((one.atMs - (stand.sent[i - 1]?.atMs ?? begun)) / 1_000)).slice(1);
    expect(gaps).toEqual(RETRY_AFTER_S);
    expect(RETRY_AFTER_S.reduce((sum, s) => sum + s, 0)).toBeLessThanOrEqual(3_600);
    expect(stand.alerts.deliverer.counts).toEqual({ delivered: 0, failed: 1, attemptsFailed: 8 });
    expect(viewAlert(stand.alerts, stand.alerts.rules.require('errors')).notifications[0]).toMatchObject({ state: 'failed', attempts: 8, status: 500, error: 'it answered 500', nextAttempt: null });
    expect(stand.log()).toContain('is given up');
    expect(stand.log()).not.toContain('very-secret-path');
  });

  it('are not sent again to a receiver that is gone, and later to one that asks for time', async () => {
    const stand = alertStand();
    await stand.put('errors', { ...ERRORS, windowMs: 900_000 });
    stand.answer = () => status(429, 120);
    await stand.second(bad('f'));
    stand.clock.ms += 117_000;
    await stand.second(bad('f'));
    expect(stand.sent).toHaveLength(1);
    stand.answer = () => status(410);
    await stand.seconds(3, () => [bad('f')]);
    expect(stand.sent).toHaveLength(2);
    stand.clock.ms += 3_600_000;
    await stand.second(bad('f'));
    expect(stand.sent).toHaveLength(2);
  });

  it('to a slow receiver keep nobody else from hearing', async () => {
    const stand = alertStand();
    let release = (): void => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    stand.answer = async ({ webhook: { url } }) => {
      if (url.includes('slow')) await held;
      return status(200);
    };
    for (let i = 0; i < 30; i++) await stand.put(`slow-${i}`, { ...ERRORS, webhook: { url: 'http://slow.test/' } });
    await stand.put('zz-quick', ERRORS);
    await stand.second(bad('f'));
    expect(stand.sent.filter((one) => one.webhook.url.includes('slow'))).toHaveLength(2);
    expect(stand.sent.filter((one) => !one.webhook.url.includes('slow'))).toHaveLength(1);
    expect(stand.alerts.deliverer.running).toBe(2);
    release();
    await expect.poll(() => stand.sent.length).toBe(31);
    await expect.poll(() => stand.alerts.deliverer.running).toBe(0);
  });

  it('are neither lost nor told twice by a restart in the middle', async () => {
    let stand = alertStand();
    await stand.put('errors', { ...ERRORS, repeatEveryMs: 0 });
    stand.answer = () => status(503);
    await stand.seconds(2, () => [bad('f')]);
    expect(stand.sent).toHaveLength(1);
    stand = await stand.restart();
    expect(state(stand, 'errors')).toBe('firing');
    // Figures are gone with the first life: that must not look like an end of the trouble.
    await stand.seconds(12, () => [bad('f', 5)]);
    expect(state(stand, 'errors')).toBe('firing');
    await stand.seconds(10, () => [bad('f')]);
    expect(stand.sent.every((one) => one.type === 'alert.firing')).toBe(true);
    expect(new Set(stand.sent.map((one) => one.id)).size).toBe(1);
    expect(stand.sent.length).toBe(2);
    stand = await stand.restart();
    // Delivered now: nothing more to say of it, in any later life.
    await stand.seconds(5, () => [bad('f')]);
    expect(stand.sent.length).toBe(2);
    await stand.seconds(25, () => [good('f')]);
    expect(told(stand).slice(2)).toEqual([['alert.resolved', 'f']]);
  });

  it('are kept up to a bound, and go with their rule', async () => {
    const stand = alertStand();
    await stand.put('errors', { ...ERRORS, windowMs: 1_000, resolveForMs: 0 });
    for (let i = 0; i < 60; i++) {
      await stand.second(bad('f'));
      stand.clock.ms += 11_000;
      await stand.second();
      stand.clock.ms += 11_000;
    }
    expect(stand.sent.length).toBe(120);
    const view = viewAlert(stand.alerts, stand.alerts.rules.require('errors'));
    expect(view.notifications).toHaveLength(100);
    expect(view.notifications[0]?.sequence).toBe(stand.sent.at(-1)?.data['sequence']);
    stand.answer = () => status(500);
    await stand.second(bad('f'));
    await stand.seconds(11, () => [bad('f')]);
    expect(stand.alerts.notices.waiting.size).toBeGreaterThan(0);
    await stand.alerts.rules.remove({ name: 'admin', from: '' }, 'errors');
    stand.alerts.forget('errors');
    expect(stand.alerts.notices.waiting.size).toBe(0);
    expect(stand.alerts.evaluator.firing).toBe(0);
    const again = await stand.restart();
    expect(again.alerts.notices.of('errors')).toEqual([]);
  });

  it('go out although the disk refuses, and are stored when it does not any more', async () => {
    let full = false;
    const stand = alertStand((rows) => ({
      get: (key) => rows.get(key), range: (...args) => rows.range(...args), keys: (...args) => rows.keys(...args), get count() { return rows.count; },
      write: (changes) => {
        if (full) throw new PlatformError('storage_failed');
        rows.write(changes);
      },
    }));
    await stand.put('errors', ERRORS);
    full = true;
    await stand.seconds(5, () => [bad('f')]);
    expect(told(stand)).toEqual([['alert.firing', 'f']]);
    expect(stand.alerts.rows.failed).toBeGreaterThan(0);
    expect(stand.log().match(/states of alerts cannot be written/g)).toHaveLength(1);
    full = false;
    await stand.second(bad('f'));
    const again = await stand.restart();
    expect(state(again, 'errors')).toBe('firing');
    expect(again.alerts.notices.of('errors')).toMatchObject([{ state: 'delivered' }]);
  });

  it('of rollouts go to the rules that ask for them, once each', async () => {
    const stand = alertStand();
    await stand.put('rollouts', { all: true, metric: 'rollout', severity: 'critical', webhook });
    await stand.put('others', { function: 'g', metric: 'rollout', webhook });
    await stand.put('errors', ERRORS);
    const event = { type: 'rollout.rolled_back', function: 'f', key: '7', data: { version: 8, reason: 'errors' } } as const;
    stand.alerts.notify(event);
    stand.alerts.notify(event);
    stand.alerts.notify({ ...event, key: '8' });
    await expect.poll(() => stand.sent.length).toBe(2);
    expect(stand.sent[0]).toMatchObject({ type: 'rollout.rolled_back', data: { alert: 'rollouts', severity: 'critical', function: 'f', tenant: 'default', version: 8, reason: 'errors' } });
    expect(stand.sent[0]?.id).not.toBe(stand.sent[1]?.id);
    await expect.poll(() => stand.alerts.notices.waiting.size).toBe(0);
    // Told again by the next life of the rollout: it is the same event.
    const again = await stand.restart();
    again.alerts.notify(event);
    await again.second();
    expect(again.sent).toHaveLength(2);
  });
});

describe('bounds', () => {
  it('of notifications that wait: the oldest is dropped, and counted', async () => {
    const stand = alertStand();
    await stand.put('rollouts', { all: true, metric: 'rollout', webhook });
    stand.answer = () => status(0);
    for (let i = 0; i < 1_050; i++) stand.alerts.notices.event({ type: 'rollout.start', function: 'f', key: String(i), data: {} });
    expect(stand.alerts.notices.waiting.size).toBe(1_000);
    expect(stand.alerts.notices.counts).toEqual({ made: 1_050, dropped: 50 });
    expect([...stand.alerts.notices.waiting][0]?.sequence).toBe(51);
  });

  it('of alerts: no more begin, and those are counted', async () => {
    const stand = alertStand();
    await stand.put('all', { ...ERRORS, function: undefined, all: true, webhook: null });
    const fired: string[] = [];
    const evaluator = new AlertEvaluator({ rules: stand.alerts.rules, seconds: stand.series, now: () => stand.clock.ms, exists: () => true, onChange: (_record, alert) => fired.push(alert.function), alerts: 2 });
    await stand.second(bad('f'), bad('g'), bad('h'));
    for (const fn of ['f', 'g', 'h']) evaluator.heard(fn);
    evaluator.tick();
    expect(fired).toEqual(['f', 'g']);
    expect(evaluator.counts.refused).toBe(1);
  });

  it('of a clock that is set back: alerts go on in the new time', async () => {
    const stand = alertStand();
    await stand.put('errors', ERRORS);
    await stand.seconds(2, () => [bad('f')]);
    expect(state(stand, 'errors')).toBe('firing');
    stand.clock.ms -= 3_600_000;
    await stand.seconds(3, () => [bad('f')]);
    expect(stand.series.upToMs).toBe(stand.clock.ms);
    expect(state(stand, 'errors')).toBe('firing');
    await stand.put('late', { ...ERRORS, forMs: 2_000 });
    await stand.seconds(4, () => [bad('f')]);
    expect(state(stand, 'late')).toBe('firing');
  });
});

describe('the cost', () => {
  it('is that of functions with news: 1,000 rules and 10,000 functions', async () => {
    const stand = alertStand();
    for (let i = 0; i < 10_000; i++) stand.tenants.set(`fn-${i}`, 'default');
    for (let i = 0; i < 500; i++) await stand.put(`one-${i}`, { ...ERRORS, function: `fn-${i}`, webhook: null });
    for (let i = 0; i < 500; i++) await stand.put(`all-${i}`, { ...ERRORS, function: undefined, all: true, webhook: null });
    await stand.seconds(3);
    expect(stand.alerts.evaluator.counts.looks).toBe(0);
    await stand.second(...Array.from({ length: 100 }, (_, i) => good(`fn-${450 + i}`, 1)));
    while (stand.alerts.evaluator.waiting > 0) stand.alerts.tick();
    expect(stand.alerts.evaluator.counts.looks).toBe(100);
  }, 30_000);

  it('has a bound: what a round has no time for comes first in the next', async () => {
    const stand = alertStand();
    const names = Array.from({ length: 4_000 }, (_, i) => `fn-${i}`);
    for (const name of names) stand.tenants.set(name, 'default');
    for (let i = 0; i < 50; i++) await stand.put(`all-${i}`, { ...ERRORS, function: undefined, all: true, windowMs: 1_000 * (i + 1), webhook: null });
    await stand.second(...names.map((name) => good(name, 1)));
    const { waiting } = stand.alerts.evaluator;
    expect(stand.alerts.evaluator.counts).toMatchObject({ looks: 4_000 - waiting, late: Number(waiting > 0) });
    for (let i = 0; i < 600 && stand.alerts.evaluator.waiting > 0; i++) stand.alerts.tick();
    expect(stand.alerts.evaluator.counts.looks).toBe(4_000);
  }, 60_000);
});
