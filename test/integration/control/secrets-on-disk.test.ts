// Secrets are nowhere on disk, in logs or in answers in the clear, whatever happened to them.
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { filesBelow, filesHolding, modeOf } from '../../support/control-disk.ts';
import { HELLO, TIER_KEY, TOKEN, useControl } from '../../support/control-plane.ts';

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

  it('lies in folders that other users cannot enter', async () => {
    const { deploy, data, socket } = await useControl();
    await deploy('card', HELLO);
    expect([modeOf(join(data, 'control')), modeOf(join(data, 'versions', 'default')), modeOf(socket)]).toEqual([0o700, 0o700, 0o600]);
  });
});
