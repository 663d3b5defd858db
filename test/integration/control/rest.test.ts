// The REST API over real HTTP: functions, versions, traffic, audit, lists, and who may call.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hashRow, AUDIT_START, auditRowSchema } from '../../../control/model/index.ts';
import { unseal, sha256Hex } from '../../../core/crypto/index.ts';
import { BUNDLE_FILE, BUNDLE_PREFIX, MANIFEST_FILE, versionFolder } from '../../../core/versions/index.ts';
import type { VersionManifest } from '../../../core/versions/index.ts';
import type { Isolation } from '../../../core/config/index.ts';
import { HELLO, TIER_KEY, processState, useControl } from '../../support/control-plane.ts';
import { useGateway } from '../../support/control-peers.ts';

describe('functions', () => {
  it('are created with defaults, then changed field by field', async () => {
    const { call } = await useControl();
    const created = await call('PUT', '/v1/functions/card');
    expect(created.status).toBe(201);
    expect(created.body).toMatchObject({
      name: 'card', tenant: 'default', env: {}, secrets: {}, triggers: [], bindings: {}, public: true, debug: false, keepWarm: 0, shape: 'auto', user: null, traffic: null,
      limits: { cpuMs: 50, wallMs: 10_000, memoryMb: 64 }, revision: 2,
    });
    const changed = await call('PUT', '/v1/functions/card', { limits: { cpuMs: 100 }, env: { A: '1', B: '2' }, debug: true, user: 'jwt:sub' });
    expect(changed.status).toBe(200);
    expect(changed.body).toMatchObject({ env: { A: '1', B: '2' }, debug: true, user: 'jwt:sub', limits: { cpuMs: 100, wallMs: 10_000 } });
    // Absent fields stay; env and limits are replaced whole.
    const again = await call('PUT', '/v1/functions/card', { limits: { wallMs: 500 }, env: { C: '3' }, user: null });
    expect(again.body).toMatchObject({ env: { C: '3' }, debug: true, user: null, limits: { cpuMs: 50, wallMs: 500 } });
    const read = await call('GET', '/v1/functions/card');
    const { applied, ...shown } = again.body;
    expect(read.body).toEqual(shown);
    expect(applied).toBe(false);
  });

  it('keep secrets by name, merge them by key, remove by null, and never show one', async () => {
    const { call, socket, log } = await useControl();
    const gateway = await useGateway(socket);
    await call('PUT', '/v1/functions/card', { secrets: { A: 'alpha-secret', B: 'beta-secret' } });
    const merged = await call('PUT', '/v1/functions/card', { secrets: { B: null, C: 'gamma-secret' } });
    expect(merged.body['secrets']).toEqual({ A: { set: true }, C: { set: true } });
    const sealed = gateway.functions.get('card')?.secrets ?? '';
    expect(JSON.parse(unseal(TIER_KEY, 'secrets/card', sealed))).toEqual({ A: 'alpha-secret', C: 'gamma-secret' });
    const everything = [merged.text, (await call('GET', '/v1/functions/card')).text, (await call('GET', '/v1/audit')).text, log()].join('\n');
    expect(everything).not.toMatch(/(?:alpha|beta|gamma)-secret/);
    const none = await call('PUT', '/v1/functions/card', { secrets: { A: null, C: null } });
    expect(none.body['secrets']).toEqual({});
    expect(gateway.functions.get('card')?.secrets).toBe('');
  });

  it('bound the secrets of one function over many calls', async () => {
    const { call } = await useControl();
    const many = (from: number): Record<string, string> => Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`S${from + i}`, 'x']));
    expect((await call('PUT', '/v1/functions/card', { secrets: many(0) })).status).toBe(201);
    const more = await call('PUT', '/v1/functions/card', { secrets: many(200), debug: true });
    expect(more.status).toBe(422);
    expect(more.body.errors?.[0]?.['path']).toBe('secrets');
    expect((await call('GET', '/v1/functions/card')).body).toMatchObject({ debug: false });
  });

  it('write nothing for a put that changes nothing, secrets included', async () => {
    const { call, socket } = await useControl();
    const gateway = await useGateway(socket);
    const first = await call('PUT', '/v1/functions/card', { env: { A: '1' }, secrets: { K: 'v' }, limits: {} });
    await call('PUT', '/v1/functions/other');
    const deltas = gateway.deltas.length;
    const second = await call('PUT', '/v1/functions/card', { env: { A: '1' }, secrets: { K: 'v', GONE: null }, limits: {} });
    expect(second.status).toBe(200);
    expect(second.body).toEqual(first.body);
    expect(gateway.deltas).toHaveLength(deltas);
    expect((await call('GET', '/v1/audit')).body.items).toHaveLength(2);
  });

  it('conflict when another one has the trigger, by pattern and method, not by parameter name', async () => {
    const { call } = await useControl();
    const put = (name: string, trigger: Record<string, unknown>): ReturnType<typeof call> => call('PUT', `/v1/functions/${name}`, { triggers: [{ type: 'http', ...trigger }] });
    expect((await put('one', { path: '/cards/:id', methods: ['GET'] })).status).toBe(201);
    const clash = await put('two', { path: '/cards/:card', methods: ['HEAD', 'PUT'] });
    expect(clash.status).toBe(409);
    expect(clash.body.code).toBe('conflict');
    expect(clash.text).toContain('one');
    expect((await call('GET', '/v1/functions/two')).status).toBe(404);
    expect((await put('two', { path: '/cards/:id', methods: ['PUT'] })).status).toBe(201);
    expect((await put('three', { path: '/cards/:id', host: 'api.example' })).status).toBe(201);
    expect((await put('four', { path: '/cards/:id', host: 'API.example', methods: ['POST'] })).status).toBe(409);
    // Its own triggers are no conflict, and what it gives up is free at once.
    expect((await put('one', { path: '/cards/:id', methods: ['GET', 'POST'] })).status).toBe(200);
    expect((await put('one', { path: '/else' })).status).toBe(200);
    expect((await put('five', { path: '/cards/:id', methods: ['GET'] })).status).toBe(201);
    await call('DELETE', '/v1/functions/five');
    expect((await put('six', { path: '/cards/:id', methods: ['GET'] })).status).toBe(201);
  });

  it('let one of two win that ask for the same trigger at once', async () => {
    const { call } = await useControl();
    const replies = await Promise.all(Array.from({ length: 8 }, (_, i) => call('PUT', `/v1/functions/f${i}`, { triggers: [{ type: 'http', path: '/same' }] })));
    expect(replies.map((r) => r.status).toSorted((a, b) => a - b)).toEqual([201, ...Array.from({ length: 7 }, () => 409)]);
  });

  it('are listed by name, page by page', async () => {
    const { call } = await useControl();
    const names = ['b', 'a', 'c-1', 'c', 'c0', 'z'];
    for (const name of names) await call('PUT', `/v1/functions/${name}`);
    const seen: unknown[] = [];
    let cursor = '';
    for (let pages = 0; pages < 10; pages++) {
      const reply = await call('GET', `/v1/functions?limit=2${cursor}`);
      expect(reply.body.items?.length).toBeLessThanOrEqual(2);
      seen.push(...(reply.body.items ?? []).map((item) => item['name']));
      if (typeof reply.body.next !== 'string') break;
      cursor = `&cursor=${reply.body.next}`;
    }
    expect(seen).toEqual(names.toSorted());
  });

  it('are deleted at once, keep their versions, and start anew under the same name with numbers that go on', async () => {
    const { call, deploy, socket } = await useControl();
    const gateway = await useGateway(socket);
    await call('PUT', '/v1/functions/card', { env: { A: '1' }, secrets: { K: 'v' } });
    await deploy('card', HELLO);
    await deploy('card', HELLO, '?activate=true');
    const gone = await call('DELETE', '/v1/functions/card');
    expect(gone.status).toBe(200);
    expect(gone.body).toMatchObject({ name: 'card', applied: true });
    expect(gateway.functions.has('card')).toBe(false);
    expect((await call('GET', '/v1/functions/card')).status).toBe(404);
    expect((await call('DELETE', '/v1/functions/card')).status).toBe(404);
    expect((await call('GET', '/v1/functions/card/versions')).body.items).toHaveLength(2);
    const anew = await call('PUT', '/v1/functions/card');
    expect(anew.status).toBe(201);
    expect(anew.body).toMatchObject({ env: {}, secrets: {}, traffic: null, lastVersion: 2 });
    expect((await call('PUT', '/v1/functions/card/traffic', { split: [{ version: 1, weight: 100 }] })).status).toBe(422);
    expect((await call('POST', '/v1/functions/card/rollback')).status).toBe(409);
    const copied = await call('POST', '/v1/functions/card/versions', { from: 1 });
    expect(copied.body).toMatchObject({ version: 3, live: true });
    expect(Object.keys(gateway.functions.get('card')?.versions ?? {})).toEqual(['3']);
    expect(gateway.faults).toEqual([]);
  });
});

describe('versions', () => {
  it('are built, written, committed and live at once when first', async () => {
    const { call, deploy, data, socket } = await useControl();
    const gateway = await useGateway(socket);
    await call('PUT', '/v1/functions/card', { env: { GREETING: 'hi' } });
    const reply = await deploy('card', HELLO);
    expect(reply.status).toBe(201);
    expect(reply.body).toMatchObject({ version: 1, live: true, applied: true, snapshot: { state: 'pending' } });
    const digest = String(reply.body['digest']);
    expect(digest).toMatch(/^sha256-[0-9a-f]{64}$/);
    const folder = versionFolder(data, 'default', digest);
    const bundle = readFileSync(join(folder, BUNDLE_FILE), 'utf8');
    expect(bundle.startsWith(`${BUNDLE_PREFIX}\n`)).toBe(true);
    expect(reply.body['bytes']).toBe(Buffer.byteLength(bundle));
    const manifest = JSON.parse(readFileSync(join(folder, MANIFEST_FILE), 'utf8')) as VersionManifest;
    expect(manifest).toMatchObject({ format: 1, digest, bundleSha256: sha256Hex(bundle), env: { GREETING: 'hi' }, bindings: {} });
    expect(gateway.functions.get('card')).toMatchObject({ traffic: { rules: [], split: [{ version: 1, weight: 100 }] }, versions: { 1: digest } });
    const second = await deploy('card', "export default { fetch() { return new Response('two'); } };");
    expect(second.body).toMatchObject({ version: 2, live: false });
    expect(gateway.functions.get('card')).toMatchObject({ traffic: { split: [{ version: 1, weight: 100 }] } });
    const third = await deploy('card', HELLO, '?activate=true');
    expect(third.body).toMatchObject({ version: 3, live: true, digest });
    expect(gateway.functions.get('card')?.traffic?.split).toEqual([{ version: 3, weight: 100 }]);
    // Equal content is kept once.
    expect(readdirSync(join(data, 'versions', 'default'))).toHaveLength(2);
  });

  it('freeze the environment; what is put later is for later versions', async () => {
    const { call, deploy } = await useControl();
    await call('PUT', '/v1/functions/card', { env: { A: '1' } });
    const one = await deploy('card', HELLO);
    await call('PUT', '/v1/functions/card', { env: { A: '2' } });
    const two = await call('POST', '/v1/functions/card/versions', { from: 1, message: 'new environment' });
    expect(two.body['digest']).not.toBe(one.body['digest']);
    expect((await call('GET', '/v1/functions/card/versions/1')).body).toMatchObject({ env: { A: '1' }, from: null });
    expect((await call('GET', '/v1/functions/card/versions/2')).body).toMatchObject({ env: { A: '2' }, from: 1, message: 'new environment', files: { 'index.ts': HELLO }, main: 'index.ts' });
  });

  it('are listed with paging, and say not_found for what is not there', async () => {
    const { call, deploy } = await useControl();
    for (let i = 0; i < 3; i++) await deploy('card', HELLO);
    const first = await call('GET', '/v1/functions/card/versions?limit=2');
    expect(first.body.items?.map((item) => item['version'])).toEqual([1, 2]);
    expect(first.body.items?.[0]).not.toHaveProperty('files');
    const rest = await call('GET', `/v1/functions/card/versions?limit=2&cursor=${first.body.next ?? ''}`);
    expect(rest.body.items?.map((item) => item['version'])).toEqual([3]);
    expect(rest.body['next']).toBeNull();
    for (const path of ['/v1/functions/nobody/versions', '/v1/functions/card/versions/4', '/v1/functions/nobody/versions/1']) expect((await call('GET', path)).status).toBe(404);
    expect((await call('POST', '/v1/functions/nobody/versions', { files: { 'a.js': '' }, main: 'a.js' })).body.code).toBe('not_found');
    expect((await call('POST', '/v1/functions/card/versions', { from: 9 })).body.code).toBe('not_found');
  });

  it('say where a build failed, and change nothing', async () => {
    const { call } = await useControl();
    await call('PUT', '/v1/functions/card');
    const reply = await call('POST', '/v1/functions/card/versions', { files: { 'index.ts': 'const a = 1;\nexport default {{' }, main: 'index.ts' });
    expect(reply.status).toBe(422);
    expect(reply.body).toMatchObject({ code: 'build_failed', errors: [{ file: 'index.ts', line: 2, column: 17 }] });
    expect((await call('GET', '/v1/functions/card/versions')).body.items).toEqual([]);
    expect((await call('GET', '/v1/functions/card')).body).toMatchObject({ lastVersion: null });
  });

  it('get numbers without gaps or doubles when many are made at once', async () => {
    const { call, deploy, socket } = await useControl();
    const gateway = await useGateway(socket);
    await call('PUT', '/v1/functions/card');
    const replies = await Promise.all(Array.from({ length: 12 }, (_, i) => deploy('card', `export default { fetch() { return new Response('${i}'); } };`, '?activate=true')));
    expect(replies.map((r) => r.body['version']).toSorted((a, b) => Number(a) - Number(b))).toEqual(Array.from({ length: 12 }, (_, i) => i + 1));
    expect(new Set(replies.map((r) => r.body['revision'])).size).toBe(12);
    expect(gateway.faults).toEqual([]);
    expect(gateway.functions.get('card')?.traffic?.split).toEqual([{ version: 12, weight: 100 }]);
  });

  it('take the environment of the moment they are committed, in the files too', async () => {
    const { call, data } = await useControl();
    await call('PUT', '/v1/functions/card');
    const puts = Array.from({ length: 20 }, (_, i) => call('PUT', '/v1/functions/card', { env: { N: String(i) } }));
    const deploys = Array.from({ length: 5 }, () => call('POST', '/v1/functions/card/versions', { files: { 'index.ts': HELLO }, main: 'index.ts' }));
    const replies = await Promise.all(deploys);
    await Promise.all(puts);
    for (const reply of replies) {
      expect(reply.status).toBe(201);
      const shown = await call('GET', `/v1/functions/card/versions/${String(reply.body['version'])}`);
      const folder = versionFolder(data, 'default', String(reply.body['digest']));
      const manifest = JSON.parse(readFileSync(join(folder, MANIFEST_FILE), 'utf8')) as VersionManifest;
      expect(manifest.env).toEqual(shown.body['env']);
    }
  });
});

describe('traffic', () => {
  it('is set as a whole or not at all', async () => {
    const { call, deploy } = await useControl();
    await deploy('card', HELLO);
    await deploy('card', HELLO);
    const before = (await call('GET', '/v1/functions/card')).body['traffic'];
    for (const [traffic, path] of [
      [{ split: [{ version: 1, weight: 60 }] }, 'split'],
      [{ split: [{ version: 1, weight: 50 }, { version: 1, weight: 50 }] }, 'split'],
      [{ split: [{ version: 1, weight: 99.999 }, { version: 2, weight: 0.001 }] }, 'split'],
      [{ split: [{ version: 3, weight: 100 }] }, 'split[0].version'],
      [{ split: [{ version: 1, weight: 100 }], rules: [{ when: {}, version: 7 }] }, 'rules[0].version'],
      [{ split: [{ version: 1, weight: 100 }], sticky: 'ip' }, 'sticky'],
      [{ split: [{ version: 1, weight: 100 }], extra: 1 }, 'extra'],
      [{ split: [] }, 'split'],
      [{}, 'split'],
    ] as const) {
      const reply = await call('PUT', '/v1/functions/card/traffic', traffic);
      expect([reply.status, reply.body.code]).toEqual([422, 'invalid']);
      expect(JSON.stringify(reply.body.errors)).toContain(path);
    }
    expect((await call('GET', '/v1/functions/card')).body['traffic']).toEqual(before);
    const good = { rules: [{ when: { header: { 'x-beta': '1' } }, version: 2 }], split: [{ version: 1, weight: 33.33 }, { version: 2, weight: 66.67 }], sticky: 'cookie:uid' };
    const reply = await call('PUT', '/v1/functions/card/traffic', good);
    expect(reply.status).toBe(200);
    expect(reply.body).toMatchObject(good);
    expect((await call('GET', '/v1/functions/card')).body['traffic']).toEqual(good);
  });

  it('goes back change by change, and a repeated put is no change', async () => {
    const { call, deploy } = await useControl();
    for (let i = 0; i < 3; i++) await deploy('card', HELLO);
    const set = (version: number): ReturnType<typeof call> => call('PUT', '/v1/functions/card/traffic', { split: [{ version, weight: 100 }] });
    await set(2);
    await set(3);
    await set(3);
    const back = async (): Promise<unknown> => ((await call('POST', '/v1/functions/card/rollback')).body['split'] as { version: number }[] | undefined)?.[0]?.version;
    expect(await back()).toBe(2);
    expect(await back()).toBe(1);
    const none = await call('POST', '/v1/functions/card/rollback', {});
    expect(none.body.code).toBe('conflict');
    expect((await call('GET', '/v1/functions/card')).body['traffic']).toMatchObject({ split: [{ version: 1, weight: 100 }] });
  });
});

describe('audit', () => {
  it('has one row a change, chained by hash, paged, and says what changed', async () => {
    const { call, deploy } = await useControl();
    await call('PUT', '/v1/functions/card', { env: { A: '1' } });
    await call('PUT', '/v1/functions/card', { env: { A: '2' }, secrets: { K: 'v' } });
    await call('PUT', '/v1/functions/card', { bad: 1 });
    await deploy('card', HELLO);
    await deploy('card', HELLO);
    await call('PUT', '/v1/functions/card/traffic', { split: [{ version: 2, weight: 100 }] });
    await call('POST', '/v1/functions/card/rollback');
    await call('DELETE', '/v1/functions/card');
    const rows: unknown[] = [];
    let next: string | null | undefined = '';
    do {
      const reply = await call('GET', `/v1/audit?limit=3${next === '' ? '' : `&cursor=${next}`}`);
      rows.push(...(reply.body.items ?? []));
      next = reply.body.next;
    } while (typeof next === 'string');
    const parsed = rows.map((row) => auditRowSchema.parse(row));
    expect(parsed.map((row) => row.action)).toEqual([
      'function.create', 'function.change', 'version.create', 'version.create', 'traffic.set', 'traffic.rollback', 'function.delete',
    ]);
    let previous = AUDIT_START;
    for (const { hash, ...row } of parsed) {
      expect(row.previous).toBe(previous);
      expect(hashRow(row)).toBe(hash);
      previous = hash;
    }
    expect(parsed[1]).toMatchObject({ actor: 'admin', target: 'card', before: { env: { A: '1' } }, after: { env: { A: '2' }, secrets: { K: { set: true } }, secretsChanged: ['K'] } });
    expect(parsed[1]?.before).not.toHaveProperty('limits');
    expect(parsed[6]).toMatchObject({ after: null, before: { env: { A: '2' }, traffic: { split: [{ version: 1, weight: 100 }] } } });
  });

  it('goes on over a restart', async () => {
    const first = await useControl();
    await first.deploy('card', HELLO);
    const second = await first.restart();
    await second.deploy('card', HELLO, '?activate=true');
    const rows = ((await second.call('GET', '/v1/audit')).body.items ?? []).map((row) => auditRowSchema.parse(row));
    expect(rows.map((row) => row.sequence)).toEqual([1, 2, 3]);
    expect(rows[2]?.previous).toBe(rows[1]?.hash);
    expect((await second.call('GET', '/v1/functions/card')).body).toMatchObject({ traffic: { split: [{ version: 2, weight: 100 }] }, lastVersion: 2 });
  });
});

describe('who may call', () => {
  it('nobody without the token, except for health and readiness', async () => {
    const { call } = await useControl();
    for (const path of ['/v1/functions', '/metrics', '/openapi.json', '/v1/audit', '/nope', '/', '/healthz/', '//healthz']) {
      for (const token of [null, '', 'wrong', 'test-token-012345678', 'test-token-01234567890']) {
        const reply = await call('GET', path, undefined, { token });
        expect([path, token, reply.status, reply.body.code]).toEqual([path, token, 401, 'unauthorized']);
        expect(reply.headers['www-authenticate']).toBe('Bearer');
      }
    }
    const basic = await call('GET', '/v1/functions', undefined, { headers: { authorization: 'Basic dGVzdA==' } });
    expect(basic.status).toBe(401);
    expect((await call('GET', '/healthz', undefined, { token: null })).status).toBe(200);
    expect((await call('GET', '/readyz', undefined, { token: null })).status).toBe(503);
    expect((await call('PUT', '/v1/functions/card', {}, { token: 'wrong' })).status).toBe(401);
    expect((await call('GET', '/v1/functions/card')).status).toBe(404);
  });

  it('finds addresses and methods only where they are', async () => {
    const { call } = await useControl();
    expect((await call('GET', '/v1/nope')).body.code).toBe('not_found');
    const patch = await call('PATCH', '/v1/functions/card');
    expect([patch.status, patch.body.code]).toEqual([405, 'method_not_allowed']);
    expect(patch.headers['allow']).toBe('GET, HEAD, PUT, DELETE');
    expect((await call('POST', '/v1/functions/card/elsewhere', {})).status).toBe(404);
    const head = await call('HEAD', '/v1/functions');
    expect([head.status, head.text]).toEqual([200, '']);
  });
});

describe('health', () => {
  it('is ready when a gateway has the table and every process is ready, and names what is missing', async () => {
    const { call, plane, socket } = await useControl();
    expect((await call('GET', '/readyz')).body).toMatchObject({ code: 'unavailable' });
    const all = [processState('control', 'control'), processState('host-1', 'host'), processState('gateway', 'gateway')];
    plane.onMessage?.({ type: 'node-state', processes: all, isolation: null });
    const without = await call('GET', '/readyz');
    expect(without.status).toBe(503);
    expect(without.text).toContain('gateway');
    const gateway = await useGateway(socket);
    expect((await call('GET', '/readyz')).status).toBe(200);
    plane.onMessage?.({ type: 'node-state', processes: [...all.slice(0, 1), processState('host-1', 'host', 'restarting')], isolation: null });
    const restarting = await call('GET', '/readyz');
    expect([restarting.status, restarting.body['missing']]).toEqual([503, ['host-1 is restarting']]);
    const health = await call('GET', '/healthz', undefined, { token: null });
    expect(health.body).toMatchObject({ status: 'ok', ready: false, processes: [{ name: 'control' }, { name: 'host-1', state: 'restarting', restarts: 0 }], isolation: null });
    const isolation: Isolation = {
      mode: 'auto', permissionModel: true, noNewPrivileges: true, noCapabilities: true, network: 'shared', uid: 1_000, ownUid: false, dataLimitBytes: 5_000, residentLimitBytes: 4_000, missing: [{ measure: 'network', why: 'unshare is not installed' }],
    };
    plane.onMessage?.({ type: 'node-state', processes: all, isolation });
    expect((await call('GET', '/healthz', undefined, { token: null })).body['isolation']).toEqual(isolation);
    gateway.close();
    await expect.poll(async () => (await call('GET', '/readyz')).text).toContain('no gateway');
  });
});
