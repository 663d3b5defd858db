// Staged rollouts over REST: what the endpoints answer, and what becomes of them when the control plane starts again.
import { expect, it } from 'vitest';
import { HELLO, TOKEN, useControl } from '../../support/control-plane.ts';
import type { ControlUnderTest } from '../../support/control-plane.ts';

const AT = '/v1/functions/card/rollouts';
/** By time alone: no gateway reports figures here. */
const BY_TIME = { minSamples: 0, settle: 0 };

async function useFunction(): Promise<ControlUnderTest> {
  const control = await useControl();
  await control.deploy('card', HELLO);
  await control.call('POST', '/v1/functions/card/versions', { from: 1 });
  return control;
}

it('answers with the whole of a rollout, moves the traffic in the same revision, and lists the newest first', async () => {
  const { call } = await useFunction();
  const started = await call('POST', AT, { version: 2 });
  expect(started.status).toBe(201);
  expect(started.body).toMatchObject({
    number: 1, version: 2, state: 'running', reason: null, step: 0, createdBy: 'admin', endedAt: null, minSamples: 300, holding: { for: 'hold' }, seen: { samples: { canary: 0, live: 0 } },
    steps: [{ weight: 1, holdMs: 30_000 }, { weight: 10 }, { weight: 50 }, { weight: 100, holdMs: 0 }], decisions: [{ action: 'start', weight: 1, by: 'admin' }],
  });
  expect((await call('GET', '/v1/functions/card')).body).toMatchObject({ traffic: { split: [{ version: 1, weight: 99 }, { version: 2, weight: 1 }] }, revision: started.body['revision'] });
  expect((await call('GET', `${AT}/1`)).body['seen']).toMatchObject({ gates: ['error_rate', 'latency_p50', 'latency_p99', 'cpu', 'memory'].map((gate) => ({ gate, verdict: 'no_data' })) });

  expect((await call('POST', `${AT}/1/pause`)).body).toMatchObject({ state: 'paused', reason: { code: 'by_hand' }, holding: null });
  expect((await call('POST', `${AT}/1/resume`)).body).toMatchObject({ state: 'running', reason: null });
  const aborted = await call('POST', `${AT}/1/abort`);
  expect([aborted.status, aborted.body['state']]).toEqual([200, 'aborted']);
  expect((await call('GET', '/v1/functions/card')).body).toMatchObject({ traffic: { split: [{ version: 1, weight: 100 }] } });

  for (let i = 0; i < 2; i++) {
    const { body } = await call('POST', AT, { version: 2 });
    await call('POST', `${AT}/${String(body['number'])}/abort`);
  }
  const first = await call('GET', `${AT}?limit=2`);
  expect([first.body.items?.map((one) => one['number']), first.body['next']]).toEqual([[3, 2], '2']);
  const second = await call('GET', `${AT}?limit=2&cursor=2`);
  expect([second.body.items?.map((one) => one['number']), second.body['next']]).toEqual([[1], null]);
  const rows = (await call('GET', '/v1/audit')).body.items?.filter(({ target }) => target === 'card@2').map(({ action, actor }) => [action, actor]);
  expect(rows?.slice(1, 5)).toEqual([['rollout.start', 'admin'], ['rollout.pause', 'admin'], ['rollout.resume', 'admin'], ['rollout.abort', 'admin']]);
});

it('refuses by name what it can not do', async () => {
  const { call } = await useFunction();
  const code = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const reply = await call(method, path, body);
    return [reply.status, reply.body['code'], ...(reply.body.errors ?? []).map(({ path: at }) => at)];
  };
  expect(await code('POST', AT, {})).toEqual([422, 'invalid', 'version']);
  expect(await code('POST', AT, { version: 7 })).toEqual([422, 'invalid', 'version']);
  expect(await code('POST', AT, { version: 2, steps: [{ weight: 5, hold: 'soon' }], gates: { errorRate: { maxIncrease: 'x' } } })).toEqual([422, 'invalid', 'steps[0].hold', 'gates.errorRate.maxIncrease']);
  expect(await code('POST', AT, { version: 1 })).toEqual([409, 'conflict']);
  expect(await code('POST', '/v1/functions/nobody/rollouts', { version: 1 })).toEqual([404, 'not_found']);
  expect(await code('GET', '/v1/functions/nobody/rollouts')).toEqual([404, 'not_found']);
  expect(await code('GET', `${AT}/1`)).toEqual([404, 'not_found']);
  expect(await code('GET', `${AT}/zero`)).toEqual([422, 'invalid', 'rollout']);
  expect(await code('POST', `${AT}/1/pause`)).toEqual([404, 'not_found']);
  await call('POST', AT, { version: 2 });
  expect(await code('POST', AT, { version: 2 })).toEqual([409, 'conflict']);
});

it('an operator wins: a deploy that goes live ends it, and settings and deploys that do not leave it alone', async () => {
  const { call } = await useFunction();
  await call('POST', AT, { version: 2 });
  await call('PUT', '/v1/functions/card', { env: { A: '1' } });
  await call('POST', '/v1/functions/card/versions', { from: 1 });
  expect((await call('GET', `${AT}/1`)).body['state']).toBe('running');
  await call('POST', '/v1/functions/card/versions?activate=true', { from: 1 });
  expect((await call('GET', `${AT}/1`)).body).toMatchObject({ state: 'superseded', reason: { code: 'traffic_changed', message: 'the traffic was changed by admin' } });
  expect((await call('GET', '/v1/functions/card')).body).toMatchObject({ traffic: { split: [{ version: 4, weight: 100 }] } });
  // Back to before the deploy is a step of the rollout that it ended; back again is before the rollout.
  await call('POST', '/v1/functions/card/rollback');
  await call('POST', '/v1/functions/card/rollback');
  expect((await call('GET', '/v1/functions/card')).body).toMatchObject({ traffic: { split: [{ version: 1, weight: 100 }] } });
});

it('goes on after a start of the control plane, to its end, and shows in metrics and log', async () => {
  const { call, restart } = await useFunction();
  await call('POST', AT, { version: 2, ...BY_TIME, steps: [{ weight: 20, hold: 300 }, { weight: 60, hold: 300 }] });
  const again = await restart();
  expect((await again.call('GET', `${AT}/1`)).body['state']).toBe('running');
  await expect.poll(async () => (await again.call('GET', `${AT}/1`)).body['state'], { timeout: 20_000 }).toBe('finished');
  expect((await again.call('GET', '/v1/functions/card')).body).toMatchObject({ traffic: { split: [{ version: 2, weight: 100 }] } });
  const metrics = await again.call('GET', '/metrics', undefined, { token: TOKEN });
  expect(metrics.text).toMatch(/^thimble_rollouts_running 0$/m);
  expect(metrics.text).toMatch(/^# TYPE thimble_rollouts_finished_total counter\nthimble_rollouts_finished_total 1$/m);
  expect(again.log()).toContain('"action":"finish"');
});
