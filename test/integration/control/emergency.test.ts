// Emergency switches and freezes over REST: what they push, what they refuse, what they leave in the audit trail, what outlives a restart.
import { describe, expect, it } from 'vitest';
import { useGateway } from '../../support/control-peers.ts';
import { HELLO, useControl } from '../../support/control-plane.ts';
import type { ControlUnderTest, Reply } from '../../support/control-plane.ts';

const NONE = { killed: false, forced: null, frozen: false, reason: '' };

async function lastAudit({ call }: ControlUnderTest): Promise<unknown> {
  const { items } = (await call('GET', '/v1/audit?limit=1000')).body;
  const { actor, action, target, before, after } = items?.at(-1) ?? {};
  return { actor, action, target, before, after };
}

describe('the switches of a function', () => {
  it('are replaced whole, pushed in one revision, shown with who set them, and recorded with the reason', async () => {
    const control = await useControl();
    const { call, deploy, socket } = control;
    const gateway = await useGateway(socket);
    await deploy('card', HELLO);
    await deploy('card', HELLO);
    expect((await call('GET', '/v1/functions/card')).body['emergency']).toEqual({ ...NONE, by: '', at: null });
    const killed = await call('PUT', '/v1/functions/card/emergency', { killed: true, forced: 2, reason: 'INC-7: wrong prices' });
    expect([killed.status, killed.body]).toEqual([200, { ...NONE, killed: true, forced: 2, reason: 'INC-7: wrong prices', by: 'admin', at: expect.any(String) as string, revision: gateway.revision, applied: true }]);
    expect(gateway.functions.get('card')).toMatchObject({ killed: true, forced: 2 });
    expect(await lastAudit(control)).toEqual({ actor: 'admin', action: 'emergency.set', target: 'card', before: NONE, after: { ...NONE, killed: true, forced: 2, reason: 'INC-7: wrong prices' } });
    expect((await call('GET', '/v1/functions/card')).body['emergency']).toMatchObject({ killed: true, forced: 2, by: 'admin' });
    // Once more is no change.
    expect((await call('PUT', '/v1/functions/card/emergency', { killed: true, forced: 2, reason: 'INC-7: wrong prices' })).body['revision']).toBe(killed.body['revision']);
    await call('PUT', '/v1/functions/card/emergency', { reason: 'INC-7 is over' });
    const { killed: stillKilled, forced } = gateway.functions.get('card') ?? {};
    expect([stillKilled, forced]).toEqual([undefined, undefined]);
    expect(gateway.faults).toEqual([]);
  });

  it('name the field that is wrong, and a version that is not there', async () => {
    const { call, deploy } = await useControl();
    await deploy('card', HELLO);
    const put = (body: unknown): Promise<Reply> => call('PUT', '/v1/functions/card/emergency', body);
    for (const [body, path] of [[{ killed: 'yes' }, 'killed'], [{ forced: 0 }, 'forced'], [{ forced: 2 }, 'forced'], [{ reason: 'x'.repeat(1_025) }, 'reason'], [{ kill: true }, 'kill']] as const) {
      const { status, body: problem } = await put(body);
      expect([status, problem.code, problem.errors?.[0]?.['path']]).toEqual([422, 'invalid', path]);
    }
    expect((await call('PUT', '/v1/functions/nobody/emergency', {})).status).toBe(404);
    expect((await call('PUT', '/v1/functions/card/emergency', {}, { token: null })).status).toBe(401);
    // Versions of a function that was deleted under the same name are not its own.
    await call('DELETE', '/v1/functions/card');
    await call('PUT', '/v1/functions/card');
    expect((await put({ forced: 1 })).body.code).toBe('invalid');
  });
});

describe('a frozen function', () => {
  const changes: readonly (readonly [method: string, path: string, body?: unknown])[] = [
    ['PUT', '/v1/functions/card', { debug: true }],
    ['POST', '/v1/functions/card/versions', { files: { 'a.js': HELLO }, main: 'a.js' }],
    ['POST', '/v1/functions/card/versions?activate=true', { from: 1 }],
    ['PUT', '/v1/functions/card/traffic', { rules: [], split: [{ version: 2, weight: 50 }, { version: 1, weight: 50 }] }],
    ['POST', '/v1/functions/card/rollback'],
    ['PUT', '/v1/functions/card/versions/1/snapshot', { enabled: false }],
    ['PUT', '/v1/functions/card/versions/1/pin', { pinned: true }],
    ['PUT', '/v1/functions/card/aliases/stable', { version: 1 }],
    ['DELETE', '/v1/functions/card'],
  ];

  it('refuses whatever would change it, naming reason and who froze it; a rebuild is not even begun', async () => {
    const control = await useControl();
    const { call, deploy } = control;
    await deploy('card', HELLO);
    await deploy('card', HELLO, '?activate=true');
    await deploy('other', HELLO);
    await call('PUT', '/v1/functions/card/emergency', { frozen: true, reason: 'audit of the 21st' });
    const { revision } = (await call('GET', '/v1/functions/card')).body;
    for (const [method, path, body] of changes) {
      const { status, body: problem } = await call(method, path, body);
      expect([path, status, problem.code, problem['detail']]).toEqual([path, 409, 'frozen', 'function card is frozen by admin: audit of the 21st']);
    }
    expect((await call('POST', '/v1/functions/card/versions', { files: { 'a.js': 'syntax error here' }, main: 'a.js' })).body.code).toBe('frozen');
    expect((await call('GET', '/v1/functions/card')).body['revision']).toBe(revision);
    expect((await call('PUT', '/v1/functions/other', { debug: true })).status).toBe(200);
    // What changes nothing is no change; switches work, one at a time or together.
    expect((await call('PUT', '/v1/functions/card', { debug: false })).status).toBe(200);
    expect((await call('PUT', '/v1/functions/card/emergency', { frozen: true, killed: true, forced: 1, reason: 'worse' })).status).toBe(200);
    expect((await call('PUT', '/v1/functions/card/emergency', {})).status).toBe(200);
    for (const [method, path, body] of changes) expect([path, (await call(method, path, body)).status < 300]).toEqual([path, true]);
  });

  it('pauses a rollout under way; it goes no step on, and neither it nor another is begun before the freeze is over', async () => {
    const control = await useControl();
    const { call, deploy } = control;
    for (let i = 0; i < 3; i++) await deploy('card', `${HELLO}// ${i}`);
    expect((await call('POST', '/v1/functions/card/rollouts', { version: 2 })).status).toBe(201);
    await call('PUT', '/v1/functions/card/emergency', { frozen: true, reason: 'r' });
    const state = async (): Promise<unknown> => (await call('GET', '/v1/functions/card/rollouts/1')).body['state'];
    expect(await state()).toBe('paused');
    expect((await call('POST', '/v1/functions/card/rollouts/1/resume')).body.code).toBe('frozen');
    expect((await call('POST', '/v1/functions/card/rollouts', { version: 3 })).status).toBe(409);
    await call('PUT', '/v1/functions/card/emergency', {});
    expect((await call('POST', '/v1/functions/card/rollouts/1/resume')).status).toBe(200);
    // The same for the whole node.
    await call('PUT', '/v1/freeze', { frozen: true });
    expect([await state(), (await call('POST', '/v1/functions/card/rollouts/1/resume')).body.code]).toEqual(['paused', 'frozen']);
    // To take it back is always possible: no freeze keeps a bad version live.
    expect([(await call('POST', '/v1/functions/card/rollouts/1/abort')).status, await state()]).toEqual([200, 'aborted']);
    expect((await call('GET', '/v1/functions/card')).body['traffic']).toMatchObject({ split: [{ version: 1, weight: 100 }] });
  });

  it('stays frozen over a restart, and a write that was asked for before the freeze is either whole or refused', async () => {
    const control = await useControl();
    await control.deploy('card', HELLO);
    await control.call('PUT', '/v1/functions/card/emergency', { frozen: true, reason: 'r' });
    const again = await control.restart();
    expect((await again.call('PUT', '/v1/functions/card', { debug: true })).body.code).toBe('frozen');
    await again.call('PUT', '/v1/functions/card/emergency', {});
    const deploys = Array.from({ length: 6 }, (_, i) => again.call('POST', '/v1/functions/card/versions', { files: { 'a.js': `${HELLO}// ${i}` }, main: 'a.js' }));
    const frozen = await again.call('PUT', '/v1/functions/card/emergency', { frozen: true });
    const made = (await Promise.all(deploys)).filter(({ status }) => status === 201);
    const { items } = (await again.call('GET', '/v1/functions/card/versions')).body;
    expect(items).toHaveLength(1 + made.length);
    for (const { body } of made) expect(Number(body['revision'])).toBeLessThan(Number(frozen.body['revision']));
  });
});

describe('a frozen node', () => {
  it('holds all functions and lets none be made; an operator kills, forces and unfreezes all the while', async () => {
    const control = await useControl();
    const { call, deploy } = control;
    await deploy('card', HELLO);
    expect((await call('GET', '/v1/freeze')).body).toEqual({ frozen: false, reason: '', by: '', at: null });
    const put = await call('PUT', '/v1/freeze', { frozen: true, reason: 'Black Friday' });
    expect([put.status, put.body]).toEqual([200, { frozen: true, reason: 'Black Friday', by: 'admin', at: expect.any(String) as string, revision: expect.any(Number) as number, applied: false }]);
    expect(await lastAudit(control)).toEqual({ actor: 'admin', action: 'freeze.set', target: 'node', before: { frozen: false, reason: '' }, after: { frozen: true, reason: 'Black Friday' } });
    for (const [method, path] of [['PUT', '/v1/functions/new'], ['DELETE', '/v1/functions/card']] as const) {
      const { status, body } = await call(method, path);
      expect([path, status, body.code]).toEqual([path, 409, 'frozen']);
    }
    expect((await call('PUT', '/v1/functions/card', { env: { A: '1' } })).body['detail']).toBe('the node is frozen by admin: Black Friday');
    expect((await call('PUT', '/v1/functions/card/emergency', { killed: true, forced: 1 })).status).toBe(200);
    const again = await control.restart();
    expect((await again.call('PUT', '/v1/functions/new')).body.code).toBe('frozen');
    expect((await again.call('GET', '/v1/freeze')).body).toMatchObject({ frozen: true, by: 'admin' });
    expect((await again.call('PUT', '/v1/freeze', { frozen: false })).status).toBe(200);
    expect((await again.call('PUT', '/v1/functions/new')).status).toBe(201);
  });

  it('names the field that is wrong', async () => {
    const { call } = await useControl();
    for (const body of [{}, { frozen: 1 }, { frozen: true, until: 'noon' }]) expect((await call('PUT', '/v1/freeze', body)).status).toBe(422);
    expect((await call('PUT', '/v1/freeze', { frozen: true }, { token: null })).status).toBe(401);
  });
});
