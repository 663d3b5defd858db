// Alerts over the API, and their webhooks to real receivers: well-behaved, slow, hostile, and gone.
import { describe, expect, it } from 'vitest';
import { callWebhook, webhookHeaders } from '../../../control/alerts/index.ts';
import type { WebhookAnswer } from '../../../control/alerts/index.ts';
import { FRAME } from '../../../core/protocol/index.ts';
import { SECRET } from '../../support/alerts.ts';
import { filesHolding } from '../../support/control-disk.ts';
import { usePeer } from '../../support/control-peers.ts';
import { HELLO, useControl } from '../../support/control-plane.ts';
import type { ControlUnderTest } from '../../support/control-plane.ts';
import { useControlProcess } from '../../support/control-process.ts';
import { useTempFolder } from '../../support/control-temp.ts';
import { gatewayFrame, increments } from '../../support/sensing.ts';
import { isSigned, useWebhookSink } from '../../support/webhook-sink.ts';

/** Any failure within a second fires, and it ends with the next second. */
const rule = (url: string): Record<string, unknown> => ({ function: 'card', metric: 'errorRate', threshold: 0.5, windowMs: 2_000, resolveForMs: 2_000, minSamples: 1, severity: 'critical', webhook: { url, secret: SECRET } });

/** Pushes failures as a gateway would, once for each second, until `done`. */
async function failUntil(socket: string, done: () => boolean): Promise<void> {
  const gateway = await usePeer(socket, 'gateway', 'gateway');
  await expect.poll(() => {
    const now = Date.now();
    gateway.send([FRAME.figures, 0, gatewayFrame([now - 500, now], [increments('card', 1, 0, { function_threw: 5 })])]);
    return done();
  }, { timeout: 20_000, interval: 250 }).toBe(true);
  gateway.close();
}

describe('a webhook call', () => {
  const call = async (url: string, timeoutMs = 5_000): Promise<WebhookAnswer> => callWebhook({ webhook: { url, secret: SECRET }, id: 'msg_1', body: '{"type":"t","data":{}}', atMs: Date.now(), timeoutMs });

  it('is signed as the specification has it', async () => {
    // The example of the specification's own test suites.
    expect(webhookHeaders({ webhook: { url: 'http://x.test', secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' }, id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', body: '{"test": 2432232314}', atMs: 1_614_265_330_999 })).toEqual({
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek', 'webhook-timestamp': '1614265330', 'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    });
    const sink = await useWebhookSink();
    expect(await call(sink.url)).toEqual({ status: 204, error: '', retryAfterS: 0 });
    const [received] = sink.received;
    expect(received !== undefined && isSigned(received, SECRET)).toBe(true);
    expect(received).toMatchObject({ id: 'msg_1', path: '/hook/very-secret-path' });
    expect(webhookHeaders({ webhook: { url: 'http://x.test' }, id: 'a', body: '', atMs: 0 })).not.toHaveProperty('webhook-signature');
  });

  it('is over whatever the receiver does', async () => {
    const sink = await useWebhookSink();
    sink.answer = (_one, response) => void response.writeHead(302, { location: `${sink.url}/elsewhere` }).end();
    expect((await call(sink.url)).status).toBe(302);
    expect(sink.received.map((one) => one.path)).toEqual(['/hook/very-secret-path']);

    sink.answer = (_one, response) => void response.writeHead(429, { 'retry-after': '7' }).end();
    expect(await call(sink.url)).toEqual({ status: 429, error: 'it answered 429', retryAfterS: 7 });

    // A body without end, of which nothing is read.
    let gone = false;
    sink.answer = (_one, response) => {
      response.writeHead(200);
      const timer = setInterval(() => response.write('x'.repeat(65_536)), 1);
      response.on('close', () => {
        clearInterval(timer);
        gone = true;
      });
    };
    expect((await call(sink.url)).status).toBe(200);
    await expect.poll(() => gone).toBe(true);

    // Silence; a head without end, byte by byte; a head that is too large; something else than HTTP.
    sink.answer = () => {};
    expect(await call(sink.url, 100)).toEqual({ status: 0, error: 'no answer within 100 ms', retryAfterS: 0 });
    sink.answer = (_one, response) => {
      response.socket?.write('HTTP/1.1 200 OK\r\nx: ');
      const timer = setInterval(() => response.socket?.write('x'), 10);
      response.on('close', () => clearInterval(timer));
    };
    expect(await call(sink.url, 200)).toMatchObject({ status: 0, error: 'no answer within 200 ms' });
    sink.answer = (_one, response) => void response.socket?.end(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(100_000)}\r\n\r\n`);
    expect((await call(sink.url)).status).toBe(0);
    sink.answer = (_one, response) => void response.socket?.end('what?\r\n\r\n');
    expect((await call(sink.url)).status).toBe(0);
    sink.answer = (_one, response) => void response.socket?.destroy();
    expect((await call(sink.url)).status).toBe(0);
    await sink.close();
    expect(await call(sink.url)).toMatchObject({ status: 0, error: expect.stringContaining('ECONNREFUSED') as string });
  });
});

describe('alerts over the API', { timeout: 60_000 }, () => {
  it('are put, listed, shown and deleted; the secret parts of a webhook are nowhere', async () => {
    const control = await useControl();
    await control.call('PUT', '/v1/functions/card');
    const url = 'http://127.0.0.1:9/hook/very-secret-path';
    const made = await control.call('PUT', '/v1/alerts/card-errors', rule(url));
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({ id: 'card-errors', function: 'card', metric: 'errorRate', state: 'ok', since: null, alerts: [], notifications: [], webhook: { origin: 'http://127.0.0.1:9', secret: { set: true } } });
    expect((await control.call('PUT', '/v1/alerts/all-slow', { all: true, metric: 'latencyP99', threshold: 500 })).status).toBe(201);
    const { webhook: _, ...without } = rule(url);
    const changed = await control.call('PUT', '/v1/alerts/card-errors', { ...without, threshold: 0.1 });
    expect([changed.status, changed.body['threshold'], changed.body['webhook']]).toEqual([200, 0.1, made.body['webhook']]);
    // Lost updates are refused.
    const tag = (await control.call('GET', '/v1/alerts/card-errors')).headers['etag'];
    expect((await control.call('PUT', '/v1/alerts/card-errors', { ...without, threshold: 0.1 }, { headers: { 'if-match': '"other"' } })).status).toBe(412);
    expect((await control.call('PUT', '/v1/alerts/card-errors', { ...without, threshold: 0.1 }, { headers: { 'if-match': String(tag) } })).status).toBe(200);
    const ids = async (query = ''): Promise<unknown> => (await control.call('GET', `/v1/alerts${query}`)).body.items?.map((item) => item['id']);
    expect(await ids()).toEqual(['all-slow', 'card-errors']);
    expect(await ids('?limit=1')).toEqual(['all-slow']);
    expect(await ids('?limit=1&cursor=all-slow')).toEqual(['card-errors']);
    expect(await ids('?function=card')).toEqual(['all-slow', 'card-errors']);
    expect(await ids('?function=other')).toEqual([]);
    expect(await ids('?state=firing')).toEqual([]);
    expect((await control.call('PUT', '/v1/alerts/Bad_Id', rule(url))).status).toBe(422);
    expect((await control.call('PUT', '/v1/alerts/x', { ...rule(url), threshold: 2 })).body.errors).toMatchObject([{ path: 'threshold' }]);
    expect((await control.call('PUT', '/v1/alerts/x', { ...rule(url), webhook: { url, secret: 'whsec_x' } })).body.errors).toMatchObject([{ path: 'webhook.secret' }]);
    const shown = JSON.stringify([await control.call('GET', '/v1/alerts/card-errors'), await control.call('GET', '/v1/alerts'), await control.call('GET', '/v1/audit'), changed, made]) + control.log();
    expect(shown).not.toContain('very-secret-path');
    expect(shown).not.toContain(SECRET);
    const audit = (await control.call('GET', '/v1/audit')).body.items ?? [];
    expect(audit.map((row) => [row['action'], row['target'], row['actor']])).toEqual([['function.create', 'card', 'admin'], ['alert.put', 'card-errors', 'admin'], ['alert.put', 'all-slow', 'admin'], ['alert.put', 'card-errors', 'admin']]);
    expect((await control.call('DELETE', '/v1/alerts/all-slow')).status).toBe(200);
    expect((await control.call('DELETE', '/v1/alerts/all-slow')).status).toBe(404);
    expect((await control.call('GET', '/v1/alerts/all-slow')).status).toBe(404);
    const again: ControlUnderTest = await control.restart();
    expect((await again.call('GET', '/v1/alerts/card-errors')).body).toMatchObject({ threshold: 0.1, webhook: { secret: { set: true } } });
    await again.stop();
    expect(filesHolding(control.data, 'very-secret-path')).toEqual([]);
    expect(filesHolding(control.data, SECRET.slice('whsec_'.length))).toEqual([]);
  });

  it('fire from a gateway\'s figures, are told with a signature, and are shown', async () => {
    const sink = await useWebhookSink();
    const control = await useControl();
    await control.call('PUT', '/v1/functions/card');
    await control.call('PUT', '/v1/alerts/card-errors', rule(sink.url));
    await failUntil(control.socket, () => sink.received.length > 0);
    const [told] = sink.received;
    expect(told).toMatchObject({ type: 'alert.firing', data: { alert: 'card-errors', severity: 'critical', alerts: [{ function: 'card', tenant: 'default', value: 1 }] } });
    expect(told !== undefined && isSigned(told, SECRET)).toBe(true);
    await expect.poll(async () => (await control.call('GET', '/v1/alerts/card-errors')).body).toMatchObject({ state: 'firing', firing: 1, notifications: [{ id: told?.id, state: 'delivered', status: 204 }] });
    const { text } = await control.call('GET', '/metrics');
    expect(text).toMatch(/thimble_alerts_firing 1\n/);
    expect(text).toMatch(/thimble_notifications_delivered_total 1\n/);
    expect(sink.received).toHaveLength(1);
  });

  it('tell what rollouts decide', async () => {
    const sink = await useWebhookSink();
    const control = await useControl();
    await control.deploy('card', HELLO);
    await control.deploy('card', `${HELLO}\n// another`);
    await control.call('PUT', '/v1/alerts/rollouts', { all: true, metric: 'rollout', webhook: { url: sink.url, secret: SECRET } });
    const begun = await control.call('POST', '/v1/functions/card/rollouts', { version: 2, steps: [{ weight: 10, hold: 60_000 }] });
    expect(begun.body.errors ?? begun.status).toBe(201);
    expect((await control.call('POST', '/v1/functions/card/rollouts/1/abort')).status).toBe(200);
    await expect.poll(() => sink.received.map((one) => one.type).toSorted()).toEqual(['rollout.abort', 'rollout.start']);
    expect(sink.received.find((one) => one.type === 'rollout.abort')?.data).toMatchObject({ alert: 'rollouts', function: 'card', tenant: 'default', rollout: 1, version: 2, state: 'aborted', by: 'admin' });
  });

  it('survive SIGKILL between two attempts: the next life sends the same notification', async () => {
    const sink = await useWebhookSink();
    sink.answer = (_one, response) => void response.writeHead(500).end();
    const data = useTempFolder();
    const first = await useControlProcess(data);
    await first.call('PUT', '/v1/functions/card');
    expect((await first.call('PUT', '/v1/alerts/card-errors', rule(sink.url))).status).toBe(201);
    await failUntil(`${data}/control.sock`, () => sink.received.length > 0);
    await expect.poll(async () => (await first.call('GET', '/v1/alerts/card-errors')).body['notifications']).toMatchObject([{ state: 'waiting', attempts: 1, status: 500 }]);
    await first.kill();
    const before = sink.received.length;
    sink.answer = (_one, response) => void response.writeHead(200).end();
    const second = await useControlProcess(data);
    expect((await second.call('GET', '/v1/alerts/card-errors')).body).toMatchObject({ state: 'firing', notifications: [{ state: 'waiting' }] });
    await expect.poll(async () => (await second.call('GET', '/v1/alerts/card-errors')).body['notifications'], { timeout: 15_000 }).toEqual(expect.arrayContaining([expect.objectContaining({ type: 'alert.firing', state: 'delivered', attempts: 2 })]));
    const firings = sink.received.filter((one) => one.type === 'alert.firing');
    expect(firings.length).toBe(before + 1);
    expect(new Set(firings.map((one) => one.id)).size).toBe(1);
    expect(firings.every((one) => isSigned(one, SECRET))).toBe(true);
    expect(await second.drain()).toBe(0);
  });
});
