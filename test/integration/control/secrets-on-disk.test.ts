// Secrets are nowhere on disk, in logs or in answers in the clear, whatever happened to them.
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { filesBelow, filesHolding, modeOf } from '../../support/control-disk.ts';
import { KEYS } from '../../../control/model/index.ts';
import { openLmdbStore } from '../../../control/store/index.ts';
import { HELLO, LAB_KEY, TIER_KEY, TOKEN, useControl } from '../../support/control-plane.ts';
import type { CallOptions, Reply } from '../../support/control-plane.ts';

describe('a secret', () => {
  it('is not found in any file after it was set, changed, removed, refused, and its function deleted', async () => {
    const control = await useControl();
    const { call, deploy, data } = control;
    const secrets = Array.from({ length: 30 }, (_, i) => `top-secret-value-${i}-${'z'.repeat(40)}`);
    const answers: string[] = [];
    for (const [i, secret] of secrets.entries()) {
      answers.push((await call('PUT', `/v1/functions/f${i % 3}`, { secrets: { KEY: secret, [`K${i}`]: secret } })).text);
      // Refused together with a wrong field, in a broken body, and in the wrong place.
      answers.push((await call('PUT', `/v1/functions/f${i % 3}`, { secrets: { KEY: secret }, limits: { cpuMs: 0 } })).text);
      answers.push((await call('PUT', `/v1/functions/f${i % 3}`, undefined, { raw: `{"secrets":{"KEY":"${secret}"` })).text);
      answers.push((await call('PUT', `/v1/functions/f${i % 3}`, { secrets: secret })).text);
      answers.push((await call('PUT', `/v1/functions/f${i % 3}`, { shape: secret, secrets: { [secret]: 'x' } })).text.replaceAll(`secrets.${secret}`, '').replaceAll(`secrets["${secret}"]`, ''));
    }
    await deploy('f0', HELLO);
    answers.push((await call('PUT', '/v1/functions/f0', { secrets: { KEY: null } })).text, (await call('DELETE', '/v1/functions/f1')).text);
    for (const path of ['/v1/functions', '/v1/functions/f0', '/v1/functions/f0/versions/1', '/v1/audit?limit=1000', '/metrics']) answers.push((await call('GET', path)).text);
    await control.stop();
    expect(filesBelow(data).length).toBeGreaterThan(3);
    for (const text of ['top-secret-value', TOKEN, TIER_KEY.toString('base64')]) {
      expect(filesHolding(data, text)).toEqual([]);
      expect(control.log()).not.toContain(text);
      expect(answers.filter((answer) => answer.includes(text))).toEqual([]);
    }
  });

  it('of every kind stays out of files, logs, errors and all that the API shows, whoever asks', async () => {
    const control = await useControl();
    const { call, data } = control;
    const replies: Reply[] = [];
    const send = async (method: string, path: string, body?: unknown, options?: CallOptions): Promise<Reply> => {
      const reply = await call(method, path, body, options);
      replies.push(reply);
      return reply;
    };
    const canary = 'canary-of-a-function-4711';
    await send('PUT', '/v1/functions/card', { secrets: { KEY: canary }, env: { A: '1' } });
    await send('POST', '/v1/functions/card/versions', { files: { 'index.ts': HELLO }, main: 'index.ts' });
    await send('PUT', '/v1/functions/card', { secrets: { KEY: `${canary}-2` }, env: { A: '2' } });
    await send('POST', '/v1/functions/card/versions', { from: 1 }, { headers: { 'idempotency-key': canary } });
    await send('PUT', '/v1/functions/card', { tier: 'lab' });
    // A rule's webhook: what signs it, and the path of its address, which is a secret with many services. It never fires here.
    const webhook = { url: `http://127.0.0.1:9/${canary}-path`, secret: `whsec_${Buffer.from('canary-that-signs-webhooks').toString('base64')}` };
    const rule = { function: 'card', metric: 'errorRate', threshold: 0.9 };
    expect((await send('PUT', '/v1/alerts/canary', { ...rule, webhook })).status).toBe(201);
    await send('PUT', '/v1/alerts/canary', { ...rule, threshold: 0.8 });
    await send('PUT', '/v1/alerts/canary', { ...rule, threshold: 7, webhook });
    // The text of a token is in the one answer that makes it, and in the repetition that its maker asks for.
    const key = { headers: { 'idempotency-key': 'once' } };
    const made = await call('POST', '/v1/tokens', { name: 'ci', role: 'deployer', functions: ['card'] }, key);
    expect((await call('POST', '/v1/tokens', { name: 'ci', role: 'deployer', functions: ['card'] }, key)).text).toBe(made.text);
    const token = String(made.body['token']);
    const spoilt = `${token.slice(0, -1)}!`;
    for (const bad of [spoilt, canary]) await send('GET', '/v1/functions/card', undefined, { token: bad });
    await send('GET', '/v1/functions/card', undefined, { headers: { 'if-match': canary } });
    // Everything that can be read, as an admin and as the function's deployer.
    const { paths } = (await call('GET', '/openapi.json')).body as { readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>> };
    const readable = Object.keys(paths).filter((path) => paths[path]?.['get'] !== undefined);
    expect(readable.length).toBeGreaterThan(15);
    for (const path of readable) {
      const address = path.replace('/v1/tokens/{id}', `/v1/tokens/${String(made.body['id'])}`).replace('/v1/alerts/{id}', '/v1/alerts/canary').replaceAll('{name}', 'card').replaceAll(/\{\w+\}/g, '1');
      for (const who of [undefined, token]) await send('GET', address, undefined, who === undefined ? {} : { token: who });
    }
    await control.stop();
    // A box that does not open fails inside, with the new value in hand.
    const store = openLmdbStore(join(data, 'control'));
    await store.commit([{ key: KEYS.function('card'), value: { ...(store.get(KEYS.function('card'))?.value as object), secrets: 'AQAA' } }]);
    await store.close();
    const again = await useControl(data);
    const failed = await again.call('PUT', '/v1/functions/card', { secrets: { KEY: `${canary}-3` } });
    expect([failed.status, failed.body.code]).toEqual([500, 'internal']);
    replies.push(failed);
    await again.stop();
    for (const text of [canary, webhook.secret.slice(6), token.slice(25), token, TOKEN, TIER_KEY.toString('base64'), LAB_KEY.toString('base64')]) {
      expect([text, filesHolding(data, text)]).toEqual([text, []]);
      expect(control.log() + again.log()).not.toContain(text);
      expect(replies.filter((reply) => reply.text.includes(text) || JSON.stringify(reply.headers).includes(text)).map((reply) => reply.text)).toEqual([]);
    }
  });

  it('lies in folders that other users cannot enter', async () => {
    const { deploy, data, socket } = await useControl();
    await deploy('card', HELLO);
    expect([modeOf(join(data, 'control')), modeOf(join(data, 'versions', 'default')), modeOf(socket)]).toEqual([0o700, 0o700, 0o600]);
  });
});
