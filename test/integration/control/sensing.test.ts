// Figures over time, from a gateway's frames to the API and the disk.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FRAME } from '../../../core/protocol/index.ts';
import { useControl } from '../../support/control-plane.ts';
import type { Reply } from '../../support/control-plane.ts';
import { usePeer } from '../../support/control-peers.ts';
import { gatewayFrame, increments } from '../../support/sensing.ts';

const items = (reply: Reply): readonly Record<string, unknown>[] => reply.body.items ?? [];

describe('the series of a function', { timeout: 30_000 }, () => {
  it('is there by the second at once, and by the minute after a restart', async () => {
    const control = await useControl();
    await control.call('PUT', '/v1/functions/card');
    const revision = (await control.call('GET', '/v1/functions/card')).body['revision'];
    const gateway = await usePeer(control.socket, 'gateway', 'gateway');
    const second = Math.floor(Date.now() / 1_000) * 1_000 - 2_000;
    gateway.send([FRAME.figures, 0, gatewayFrame([second, second + 500], [increments('card', 1, 3, { function_threw: 1 }), increments('gone', 1, 1)])]);
    const from = `from=${second - 5_000}&to=${second + 5_000}`;
    await expect.poll(async () => items(await control.call('GET', `/v1/functions/card/series?step=1s&${from}`))).toMatchObject([{ time: new Date(second).toISOString(), requests: 4, failed: 1, errorRate: 0.25 }]);
    expect(items(await control.call('GET', `/v1/functions/card/series?step=1s&${from}&version=2`))).toEqual([]);
    expect(items(await control.call('GET', `/v1/functions/card/series?step=1s&${from}&metrics=requests,errorRate`))).toEqual([{ time: new Date(second).toISOString(), requests: 4, errorRate: 0.25 }]);
    expect((await control.call('GET', '/metrics')).text).toMatch(/thimble_control_series_bytes [1-9]/);
    const again = await control.restart();
    expect(existsSync(join(control.data, 'control-figures'))).toBe(true);
    const minutes = await again.call('GET', `/v1/functions/card/series?from=${new Date(second - 120_000).toISOString()}`);
    expect(items(minutes)).toMatchObject([{ time: new Date(Math.floor(second / 60_000) * 60_000).toISOString(), requests: 4, failed: 1, codes: { function_threw: 1 } }]);
    expect(minutes.body).toMatchObject({ step: '1m', version: null, upTo: null, next: null });
    expect(items(await again.call('GET', `/v1/functions/card/series?step=1s&${from}`))).toEqual([]);
    // Nothing of it is a change: the revision stands.
    expect((await again.call('GET', '/v1/functions/card')).body['revision']).toBe(revision);
  });

  it('refuses what it cannot answer, by the name of the field', async () => {
    const control = await useControl();
    await control.call('PUT', '/v1/functions/card');
    const refused = async (query: string): Promise<unknown> => {
      const reply = await control.call('GET', `/v1/functions/card/series?${query}`);
      return [reply.status, reply.body.errors?.[0]?.['path']];
    };
    const table: readonly (readonly [string, string])[] = [
      ['step=1h', 'step'], ['from=yesterday', 'from'], ['to=-5', 'to'], ['from=2027-01-01', 'from'], ['step=1s&from=0', 'from'], ['from=0', 'from'], ['from=5&to=5', 'from'],
      ['from=999999999999999&to=999999999999999', 'from'], ['version=0', 'version'], ['version=x', 'version'], ['metrics=requests,secrets', 'metrics'], ['metrics=', 'metrics'], ['limit=1001', 'limit'], ['limit=0', 'limit'], ['colour=red', 'colour'],
    ];
    for (const [query, field] of table) expect([query, await refused(query)]).toEqual([query, [422, field]]);
    expect((await control.call('GET', '/v1/functions/none/series')).status).toBe(404);
    expect((await control.call('GET', '/v1/functions/card/series', undefined, { token: 'wrong' })).status).toBe(401);
  });
});
