// Purge and retention over REST: what goes is gone everywhere, and what stays works as before.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { versionFolder } from '../../../core/versions/index.ts';
import { brokenAuditRow } from '../../support/control-disk.ts';
import { useGateway } from '../../support/control-peers.ts';
import { HELLO, useControl } from '../../support/control-plane.ts';
import type { ControlUnderTest } from '../../support/control-plane.ts';

const VERSIONS = '/v1/functions/card/versions';

async function deployed(control: ControlUnderTest, count: number, query = ''): Promise<string[]> {
  const digests: string[] = [];
  for (let i = 1; i <= count; i++) digests.push(String((await control.deploy('card', HELLO.replace('hello', `card ${i}`), query)).body['digest']));
  return digests;
}

describe('a purge', () => {
  it('takes versions off lists, gateways and, at the latest with the next start, the disk', async () => {
    const control = await useControl();
    const { call, data } = control;
    const gateway = await useGateway(control.socket);
    const digests = await deployed(control, 7);
    await call('PUT', `${VERSIONS}/3/pin`, { pinned: true });
    await call('PUT', `${VERSIONS}/5/snapshot`, { enabled: false });
    const dry = await call('POST', '/v1/functions/card/purge', { keep: 1, dryRun: true });
    expect(dry.body).toMatchObject({ dryRun: true, count: 4, versions: [2, 4, 5, 6], held: [{ version: 1, by: ['live'] }, { version: 3, by: ['pinned'] }] });
    const reply = await call('POST', '/v1/functions/card/purge', { keep: 1 });
    expect(reply.body).toMatchObject({ dryRun: false, keep: 1, count: 4, versions: [2, 4, 5, 6], sources: 4, applied: true });
    expect(Object.keys(gateway.functions.get('card')?.versions ?? {})).toEqual(['1', '3', '7']);
    expect(gateway.faults).toEqual([]);
    // Pages run over the gaps.
    const pages: unknown[] = [];
    for (let cursor: string | null = '0', path = `${VERSIONS}?limit=1`; cursor !== null; path = `${VERSIONS}?limit=1&cursor=${cursor}`) {
      const { body } = await call('GET', path);
      pages.push(...(body.items ?? []).map((item) => item['version']));
      cursor = body.next ?? null;
    }
    expect(pages).toEqual([1, 3, 7]);
    for (const version of [2, 4, 5, 6]) {
      for (const path of ['', '/map', '/diff/1']) expect((await call('GET', `${VERSIONS}/${version}${path}`)).body.code).toBe('not_found');
      expect((await call('POST', VERSIONS, { from: version })).body.code).toBe('not_found');
      expect((await call('PUT', `${VERSIONS}/${version}/pin`, { pinned: true })).body.code).toBe('not_found');
      expect((await call('PUT', '/v1/functions/card/traffic', { rules: [], split: [{ version, weight: 100 }] })).body.code).toBe('invalid');
    }
    // Numbers go on.
    expect((await control.deploy('card', HELLO)).body['version']).toBe(8);
    const again = await control.restart();
    const left = new Set([digests[0], digests[2], digests[6]]);
    expect(new Set(readdirSync(join(data, 'versions', 'default')).filter((name) => digests.includes(name)))).toEqual(left);
    expect((await again.call('GET', VERSIONS)).body.items?.map((item) => item['version'])).toEqual([1, 3, 7, 8]);
    await again.stop();
    expect(await brokenAuditRow(data)).toBeNull();
  });

  it('leaves what the next rollback brings back, and cuts the history before it', async () => {
    const control = await useControl();
    await deployed(control, 5, '?activate=true');
    const { call } = control;
    expect((await call('POST', '/v1/functions/card/purge', { keep: 0 })).body).toMatchObject({ versions: [1, 2, 3], held: [{ version: 4, by: ['rollback'] }, { version: 5, by: ['live'] }], history: 3 });
    expect((await call('POST', '/v1/functions/card/rollback')).body).toMatchObject({ split: [{ version: 4, weight: 100 }] });
    expect((await call('POST', '/v1/functions/card/rollback')).body.code).toBe('conflict');
  });

  it('of a deleted function takes all, and its numbers still go on', async () => {
    const control = await useControl();
    const [digest = ''] = await deployed(control, 3);
    const { call } = control;
    // Of a function that is there, something must say what stays.
    expect((await call('POST', '/v1/functions/card/purge')).body).toMatchObject({ code: 'invalid', errors: [{ path: 'keep' }] });
    await call('PUT', `${VERSIONS}/1/pin`, { pinned: true });
    await call('DELETE', '/v1/functions/card');
    expect((await call('GET', `${VERSIONS}/1`)).status).toBe(200);
    expect((await call('POST', '/v1/functions/card/purge')).body).toMatchObject({ keep: 0, count: 3, held: [] });
    expect((await call('GET', VERSIONS)).body.items).toEqual([]);
    expect((await call('GET', `${VERSIONS}/1`)).body.code).toBe('not_found');
    expect((await call('POST', '/v1/functions/nobody/purge', { keep: 1 })).body.code).toBe('not_found');
    const again = await control.restart();
    expect(existsSync(versionFolder(control.data, 'default', digest))).toBe(false);
    expect((await again.deploy('card', HELLO)).body['version']).toBe(4);
    // The trail keeps everything.
    const actions = ((await again.call('GET', '/v1/audit?limit=1000')).body.items ?? []).map((row) => row['action']);
    expect(actions.filter((action) => action === 'version.create')).toHaveLength(4);
    expect(actions).toContain('version.purge');
  });

  it('takes only what it understands', async () => {
    const control = await useControl();
    await deployed(control, 1);
    for (const body of [{ keep: -1 }, { keep: 1.5 }, { keep: '1' }, { keep: null }, { keep: 100_001 }, { dryRun: 'yes' }, { keep: 1, versions: [1] }, []]) {
      expect((await control.call('POST', '/v1/functions/card/purge', body)).status).toBe(422);
    }
  });
});

describe('retention', () => {
  it('has every deploy remove what is not kept, by an actor of its own', async () => {
    const control = await useControl();
    const { call } = control;
    await deployed(control, 4);
    expect((await call('PUT', '/v1/functions/card', { retention: { keep: 2 } })).body['retention']).toEqual({ keep: 2 });
    // Acts with the next deploy.
    expect((await call('GET', VERSIONS)).body.items).toHaveLength(4);
    await control.deploy('card', HELLO);
    expect((await call('GET', VERSIONS)).body.items?.map((item) => item['version'])).toEqual([1, 4, 5]);
    const row = (await call('GET', '/v1/audit?limit=1000')).body.items?.at(-1);
    expect(row).toMatchObject({ actor: 'retention', action: 'version.purge', target: 'card', before: { versions: '2-3' }, after: { keep: 2 } });
    await Promise.all(Array.from({ length: 6 }, () => control.deploy('card', HELLO, '?activate=true')));
    expect((await call('GET', VERSIONS)).body.items?.map((item) => item['version'])).toEqual([10, 11]);
    // Absent: what the retention says.
    expect((await call('POST', '/v1/functions/card/purge')).body).toMatchObject({ keep: 2, count: 0 });
    await call('PUT', '/v1/functions/card', { retention: null });
    for (let i = 0; i < 2; i++) await control.deploy('card', HELLO);
    expect((await call('GET', VERSIONS)).body.items).toHaveLength(4);
    for (const retention of [{ keep: 0 }, { keep: 1.5 }, {}, { keep: 1, days: 3 }]) expect((await call('PUT', '/v1/functions/card', { retention })).status).toBe(422);
  });
});
