// Who may call what: every endpoint of the API's own description, tried with tokens of every kind.
import { request } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { HELLO, useControl } from '../../support/control-plane.ts';
import type { ControlUnderTest, Reply } from '../../support/control-plane.ts';

const documentSchema = z.looseObject({
  paths: z.record(z.string(), z.record(z.string(), z.looseObject({ operationId: z.string(), 'x-thimble-access': z.enum(['open', 'reader', 'deployer', 'admin']) }))),
});

interface Operation {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly access: string;
}

/** Every operation there is: a new endpoint is among them by itself. */
async function operations({ call }: ControlUnderTest): Promise<Operation[]> {
  const { paths } = documentSchema.parse((await call('GET', '/openapi.json')).body);
  return Object.entries(paths).flatMap(([path, methods]) => Object.entries(methods).map(([method, one]) => ({ id: one.operationId, method: method.toUpperCase(), path, access: one['x-thimble-access'] })));
}

async function makeToken({ call }: ControlUnderTest, token: Readonly<Record<string, unknown>>): Promise<{ readonly id: string; readonly text: string }> {
  const { status, body, text } = await call('POST', '/v1/tokens', { name: 'test', ...token });
  expect([status, text]).toEqual([201, expect.stringContaining('thm_')]);
  return { id: String(body['id']), text: String(body['token']) };
}

/** The address with a value for each parameter. */
function addressFor(path: string, name: string): string {
  return path.replaceAll(/\{(\w+)\}/g, (_, parameter: string) => (parameter === 'name' ? name : parameter === 'id' ? '0'.repeat(20) : parameter === 'alias' ? 'stable' : '1'));
}

const ofFunction = ({ path }: Operation): boolean => path.startsWith('/v1/functions/{name}');
const ofTenant = ({ path }: Operation): boolean => path.startsWith('/v1/tenants/{name}');

/** Everything that a refused call might have changed: the trail has a row for each change. */
async function trail({ call }: ControlUnderTest): Promise<unknown> {
  return (await call('GET', '/v1/audit/verify')).body['head'];
}

describe('every endpoint of the description', () => {
  it('is refused to who has no token, to a role that is too weak, and to a token that does not cover what it is about', async () => {
    const control = await useControl();
    const { call, deploy } = control;
    await deploy('card', HELLO);
    await deploy('other', HELLO);
    await call('PUT', '/v1/functions/foreign', { tenant: 'team-b' });
    await call('PUT', '/v1/tenants/team-b', { quotas: { rps: 5 } });
    const all = await operations(control);
    expect(all.length).toBeGreaterThan(25);
    const reader = await makeToken(control, { role: 'reader' });
    const deployer = await makeToken(control, { role: 'deployer', functions: ['card', 'card-*'] });
    const member = await makeToken(control, { role: 'deployer', tenants: ['team-a'] });
    const boundReader = await makeToken(control, { role: 'reader', functions: ['card'] });
    const before = await trail(control);
    const ask = (one: Operation, name: string, token: string | null): Promise<Reply> => call(one.method, addressFor(one.path, name), one.method === 'GET' ? undefined : {}, { token });
    const wrong: unknown[] = [];
    const expectCode = (one: Operation, who: string, reply: Reply, status: number, code: string): void => {
      if (reply.status !== status || reply.body.code !== code) wrong.push([one.method, one.path, who, reply.status, reply.text.slice(0, 200)]);
    };
    for (const one of all) {
      if (one.access === 'open') {
        const reply = await ask(one, 'card', null);
        if (reply.status === 401 || reply.status === 403) wrong.push([one.path, 'nobody', reply.status]);
        continue;
      }
      expectCode(one, 'nobody', await ask(one, 'card', null), 401, 'unauthorized');
      // The description must not call a write a read.
      if (one.method !== 'GET') expectCode(one, 'reader', await ask(one, 'card', reader.text), 403, 'forbidden');
      if (one.access === 'admin') {
        for (const [who, token] of [['reader', reader], ['deployer', deployer], ['member', member]] as const) expectCode(one, who, await ask(one, 'card', token.text), 403, 'forbidden');
        continue;
      }
      if (ofFunction(one)) {
        // Another function, one that there is and one that there is not: the same answer.
        const other = await ask(one, 'other', deployer.text);
        expectCode(one, 'deployer', other, 403, 'forbidden');
        const missing = await ask(one, 'missing', deployer.text);
        if (missing.status !== other.status || missing.text.replaceAll('missing', 'other') !== other.text) wrong.push([one.method, one.path, 'tells what there is', missing.text]);
        if (one.method === 'GET') expectCode(one, 'bound reader', await ask(one, 'other', boundReader.text), 403, 'forbidden');
        // A function of another tenant does not exist, but for who would make one of its name.
        const foreign = await ask(one, 'foreign', member.text);
        if (one.id === 'putFunction') expectCode(one, 'member', foreign, 403, 'forbidden');
        else expectCode(one, 'member', foreign, 404, 'not_found');
      } else if (ofTenant(one)) {
        for (const [who, token] of [['deployer', deployer], ['member', member]] as const) expectCode(one, who, await ask(one, 'team-b', token.text), 403, 'forbidden');
      } else if (one.method !== 'GET') {
        // A write about no function needs an admin, or looks at the caller by itself: a token for one function must not get through empty-handed.
        const reply = await ask(one, 'card', boundReader.text);
        if (reply.status < 400) wrong.push([one.method, one.path, 'bound reader', reply.status]);
      }
    }
    expect(wrong).toEqual([]);
    expect(await trail(control)).toEqual(before);
  });

  it('shows a bound token nothing of what it does not cover', async () => {
    const control = await useControl();
    const { call } = control;
    for (const [name, tenant] of [['card', 'team-a'], ['card-two', 'team-a'], ['zebra-hidden', 'team-b'], ['card-hidden', 'team-b']] as const) await call('PUT', `/v1/functions/${name}`, { tenant, env: { SEEN: `env-of-${name}` } });
    await call('PUT', '/v1/tenants/team-b', { quotas: { rps: 77 } });
    const member = await makeToken(control, { role: 'reader', tenants: ['team-a'] });
    const named = await makeToken(control, { role: 'deployer', functions: ['card-two'] });
    for (const one of await operations(control)) {
      if (one.method !== 'GET' || one.path.includes('{') || one.access === 'open') continue;
      for (const token of [member, named]) {
        const { status, text } = await call('GET', one.path, undefined, { token: token.text });
        expect([one.path, text]).toEqual([one.path, expect.not.stringMatching(/hidden|team-b/)]);
        expect([200, 403]).toContain(status);
      }
    }
    const names = async (path: string, token: string): Promise<unknown> => (await call('GET', path, undefined, { token })).body.items?.map((item) => item['name'] ?? item['target']);
    expect(await names('/v1/functions', member.text)).toEqual(['card', 'card-two']);
    expect(await names('/v1/functions', named.text)).toEqual(['card-two']);
    expect(await names('/v1/tenants', member.text)).toEqual(['team-a']);
    expect(await names('/v1/tenants', named.text)).toEqual([]);
    expect(await names('/v1/audit', member.text)).toEqual(['card', 'card-two']);
    expect(await names('/v1/audit', named.text)).toEqual(['card-two']);
    expect((await call('GET', '/metrics', undefined, { token: member.text })).body).toMatchObject({ code: 'forbidden', action: 'call metrics, which is about the whole node' });
  });
});

describe('a token', () => {
  it('is shown once, kept as a hash, and listed without its text', async () => {
    const { call, restart } = await useControl();
    const made = await call('POST', '/v1/tokens', { name: 'ci', role: 'deployer', functions: ['b*', 'a', 'a'], expiresAt: '2999-01-01T01:00:00+01:00' });
    expect(made.body).toMatchObject({ name: 'ci', role: 'deployer', functions: ['a', 'b*'], tenants: null, expiresAt: '2999-01-01T00:00:00.000Z', createdBy: 'admin', lastUsedAt: null, token: expect.stringMatching(/^thm_[0-9a-f]{20}_[\w-]{43}$/) });
    const { token, revision, applied, ...shown } = made.body;
    expect([typeof revision, applied]).toEqual(['number', false]);
    const id = String(made.body['id']);
    expect((await call('GET', `/v1/tokens/${id}`)).body).toEqual(shown);
    expect((await call('PUT', '/v1/functions/a', {}, { token: String(token) })).status).toBe(201);
    // Its holder is in the trail by name and id, and so is who made it; the use is known to the minute, also after a restart.
    const { call: callAgain } = await restart();
    expect((await callAgain('GET', '/v1/audit?action=function')).body.items?.map((row) => row['actor'])).toEqual([`ci/${id}`]);
    expect((await callAgain('GET', '/v1/audit?actor=ci')).body.items).toHaveLength(1);
    const listed = await callAgain('GET', '/v1/tokens');
    expect(listed.body.items).toEqual([{ ...shown, lastUsedAt: expect.stringMatching(/:00\.000Z$/) }]);
    expect((await callAgain('PUT', '/v1/functions/a', { debug: true }, { token: String(token) })).status).toBe(200);
    expect(listed.text + (await callAgain('GET', '/v1/audit')).text).not.toContain(String(token).slice(25));
  });

  it('is refused at once when it is revoked, and when it expires', async () => {
    const control = await useControl();
    const { call, deploy, plane } = control;
    await deploy('card', HELLO);
    const token = await makeToken(control, { role: 'reader' });
    const brief = await makeToken(control, { role: 'reader', expiresAt: new Date(Date.now() + 1_500).toISOString() });
    const streams = [follow(plane.port, token.text), follow(plane.port, brief.text)];
    for (const stream of streams) await expect.poll(() => stream.status()).toBe(200);
    expect((await call('DELETE', `/v1/tokens/${token.id}`)).status).toBe(200);
    const refused = await call('GET', '/v1/functions', undefined, { token: token.text });
    expect([refused.status, refused.body.code]).toEqual([401, 'unauthorized']);
    // Cut, not ended: what follows a log must not take this for its end.
    await expect.poll(() => streams[0]?.end()).toBe('cut');
    expect((await call('DELETE', `/v1/tokens/${token.id}`)).status).toBe(404);
    await expect.poll(() => streams[1]?.end(), { timeout: 10_000 }).toBe('cut');
    expect((await call('GET', '/v1/functions', undefined, { token: brief.text })).status).toBe(401);
    expect((await call('GET', '/v1/audit?action=token.revoke')).body.items).toMatchObject([{ target: token.id, before: { name: 'test', role: 'reader' }, after: null }]);
  });

  it('that is revoked makes room for other followers', async () => {
    const control = await useControl();
    const { call, deploy, plane } = control;
    await deploy('card', HELLO);
    const token = await makeToken(control, { role: 'reader' });
    const streams = Array.from({ length: 20 }, () => follow(plane.port, token.text));
    for (const stream of streams) await expect.poll(() => stream.status()).toBe(200);
    const other = await makeToken(control, { role: 'reader', functions: ['card'] });
    expect((await call('GET', '/v1/functions/card/logs?follow=1', undefined, { token: other.text })).body.code).toBe('overloaded');
    await call('DELETE', `/v1/tokens/${token.id}`);
    for (const stream of streams) await expect.poll(() => stream.end()).toBe('cut');
    await expect.poll(async () => {
      const stream = follow(plane.port, other.text);
      await expect.poll(() => stream.status()).toBeDefined();
      return stream.status();
    }).toBe(200);
  });

  it('that is revoked while its deploy is being built does not deploy', async () => {
    const control = await useControl();
    const { call } = control;
    await call('PUT', '/v1/functions/card');
    const token = await makeToken(control, { role: 'deployer', functions: ['card'] });
    const files = Object.fromEntries(Array.from({ length: 2_000 }, (_, i) => [`m${i}.ts`, `export const m${i} = ${i};`]));
    const main = `${Array.from({ length: 2_000 }, (_, i) => `import { m${i} } from './m${i}.ts'; export { m${i} };`).join('\n')}\nexport default { fetch() { return new Response('x'); } };`;
    const deploying = call('POST', '/v1/functions/card/versions', { files: { ...files, 'index.ts': main }, main: 'index.ts' }, { token: token.text });
    // It is under way once the token was used.
    await expect.poll(async () => (await call('GET', `/v1/tokens/${token.id}`)).body['lastUsedAt']).not.toBeNull();
    expect((await call('DELETE', `/v1/tokens/${token.id}`)).status).toBe(200);
    const reply = await deploying;
    expect([reply.status, reply.body.code]).toEqual([401, 'unauthorized']);
    expect((await call('GET', '/v1/functions/card/versions')).body.items).toEqual([]);
  });

  it('bound to tenants makes functions there, moves none out, and raises no quota; only admins choose tiers', async () => {
    const control = await useControl();
    const { call } = control;
    await call('PUT', '/v1/functions/theirs', { tenant: 'team-b' });
    const member = await makeToken(control, { role: 'deployer', tenants: ['team-a', 'team-c'] });
    const put = (name: string, body: unknown): Promise<Reply> => call('PUT', `/v1/functions/${name}`, body, { token: member.text });
    expect((await put('mine', {})).body).toMatchObject({ code: 'forbidden', action: 'put a function into tenant default' });
    expect((await put('mine', { tenant: 'team-a' })).status).toBe(201);
    expect((await put('mine', { debug: true })).status).toBe(200);
    expect((await put('mine', { tenant: 'team-b' })).body).toMatchObject({ code: 'forbidden', action: 'put a function into tenant team-b' });
    expect((await put('mine', { tenant: 'team-c' })).status).toBe(200);
    expect((await put('mine', { tier: 'lab' })).body).toMatchObject({ code: 'forbidden' });
    expect((await put('mine', { tier: 'default' })).status).toBe(200);
    expect((await call('PUT', '/v1/tenants/team-c', { quotas: { rps: 9 } }, { token: member.text })).status).toBe(403);
    expect((await call('GET', '/v1/tenants/team-c', undefined, { token: member.text })).status).toBe(200);
    // Moved away by an admin, it is gone for this token.
    await call('PUT', '/v1/functions/mine', { tenant: 'team-b' });
    expect((await call('GET', '/v1/functions/mine', undefined, { token: member.text })).status).toBe(404);
    expect((await call('GET', '/v1/functions/mine')).body).toMatchObject({ tenant: 'team-b', tier: 'default' });
  });

  it('must be well made', async () => {
    const { call } = await useControl();
    for (const [body, path] of [
      [{ name: 'x', role: 'root' }, 'role'], [{ role: 'reader' }, 'name'], [{ name: 'a/b', role: 'reader' }, 'name'], [{ name: 'x', role: 'admin', functions: ['a'] }, 'functions'], [{ name: 'x', role: 'admin', tenants: ['a'] }, 'tenants'],
      [{ name: 'x', role: 'reader', functions: [] }, 'functions'], [{ name: 'x', role: 'reader', functions: ['a*b'] }, 'functions[0]'], [{ name: 'x', role: 'reader', tenants: ['../'] }, 'tenants[0]'],
      [{ name: 'x', role: 'reader', expiresAt: '2001-01-01T00:00:00Z' }, 'expiresAt'], [{ name: 'x', role: 'reader', expiresAt: 'soon' }, 'expiresAt'], [{ name: 'x', role: 'reader', hash: 'x' }, 'hash'],
    ] as const) {
      const reply = await call('POST', '/v1/tokens', body);
      expect([JSON.stringify(body), reply.status, reply.body.errors?.map((error) => error['path'])]).toEqual([JSON.stringify(body), 422, [path]]);
    }
    for (const id of ['0'.repeat(20), 'x', '0'.repeat(21)]) expect([404, 422]).toContain((await call('GET', `/v1/tokens/${id}`)).status);
    expect((await call('GET', '/v1/tokens')).body.items).toEqual([]);
  });

  it('that is wrong is counted and logged, and too many from one address are refused unread, but not those that were right there before', async () => {
    const control = await useControl();
    const { call, log } = control;
    const known = await makeToken(control, { role: 'reader' });
    const fresh = await makeToken(control, { role: 'reader' });
    expect((await call('GET', '/v1/functions', undefined, { token: known.text })).status).toBe(200);
    const forged = known.text.slice(0, -1) + (known.text.endsWith('A') ? 'B' : 'A');
    const statuses = new Map<number, number>();
    for (let i = 0; i < 90; i++) {
      const { status } = await call('GET', '/v1/functions', undefined, { token: i % 2 === 0 ? forged : `guess-${i}` });
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
    expect(statuses.get(401)).toBeGreaterThanOrEqual(60);
    expect(statuses.get(429)).toBeGreaterThanOrEqual(1);
    expect(new Set(statuses.keys())).toEqual(new Set([401, 429]));
    for (let i = 0; i < 10; i++) await call('GET', '/v1/functions', undefined, { token: 'guess' });
    const stranger = await call('GET', '/v1/functions', undefined, { token: fresh.text });
    expect([stranger.status, stranger.body.code, stranger.headers['retry-after']]).toEqual([429, 'too_many_attempts', '1']);
    expect((await call('GET', '/v1/functions', undefined, { token: known.text })).status).toBe(200);
    const metrics = (await call('GET', '/metrics')).text;
    expect(Number(/^thimble_control_auth_failures_total (\d+)$/m.exec(metrics)?.[1])).toBeGreaterThanOrEqual(60);
    expect(Number(/^thimble_control_auth_refused_total (\d+)$/m.exec(metrics)?.[1])).toBeGreaterThanOrEqual(2);
    const lines = log().split('\n').filter((line) => line.includes('a token was wrong'));
    expect(lines.length).toBeGreaterThanOrEqual(1);
    expect(lines.length).toBeLessThan(20);
    expect(log()).not.toMatch(/guess|thm_/);
  });
});

/** Follows the log of `card`. */
function follow(port: number, token: string): { readonly status: () => number | undefined; readonly end: () => 'open' | 'ended' | 'cut' } {
  let status: number | undefined;
  let end: 'open' | 'ended' | 'cut' = 'open';
  const outgoing = request({ host: '127.0.0.1', port, path: '/v1/functions/card/logs?follow=1', headers: { authorization: `Bearer ${token}` }, agent: false }, (incoming) => {
    status = incoming.statusCode;
    incoming.on('error', () => void (end = 'cut'));
    incoming.on('end', () => void (end = 'ended'));
    incoming.resume();
  });
  onTestFinished(() => void outgoing.destroy());
  outgoing.on('error', () => {});
  outgoing.end();
  return { status: () => status, end: () => end };
}
