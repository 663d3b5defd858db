// A whole node with shadows: what they may do, what is told of their answers, and that nothing they do reaches callers of the live version.
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, bootNode } from '../../support/node.ts';
import type { Answer, TestNode } from '../../support/node.ts';

/** What reached the upstream: method and path. */
const upstream: string[] = [];
let server: Server;
let node: TestNode;
let address = '';

beforeAll(async () => {
  server = createServer((request, response) => {
    upstream.push(`${request.method} ${request.url}`);
    response.end('upstream');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  node = await bootNode({ hosts: 1, env: { THIMBLE_EGRESS_ALLOW: address } });
});
afterAll(async () => {
  await node.stop();
  server.close();
});

interface Report {
  readonly mirrored: number;
  readonly equal: number;
  readonly different: number;
  readonly lost: Readonly<Record<string, number>>;
  readonly skipped: Readonly<Record<string, number>>;
  readonly dropped: Readonly<Record<string, number>>;
  readonly failed: { readonly live: number; readonly shadow: number };
  readonly live: { readonly wallMs: { readonly p50: number | null }; readonly cpuMs: { readonly p50: number | null } };
  readonly answers: { readonly codes: Readonly<Record<string, number>>; readonly wallMs: { readonly p50: number | null }; readonly cpuMs: { readonly p50: number | null } };
  readonly differences: readonly Readonly<Record<string, unknown>>[];
}

async function report(name: string): Promise<Report> {
  const { status, body } = await node.api('GET', `/v1/functions/${name}/shadow`);
  expect(status).toBe(200);
  return body as unknown as Report;
}

/** Makes the first source live and the second one its shadow. */
async function shadowed(name: string, live: string, shadow: string, settings: Readonly<Record<string, unknown>> = {}, limits: Readonly<Record<string, unknown>> = {}): Promise<void> {
  await node.deploy(name, live, limits);
  expect((await node.api('POST', `/v1/functions/${name}/versions`, { files: { 'index.js': shadow }, main: 'index.js' })).status).toBe(201);
  const put = await node.api('PUT', `/v1/functions/${name}/shadow`, { version: 2, ...settings });
  expect([put.status, put.body['applied']]).toEqual([200, true]);
}

/** Calls until the report holds: a machine that is busy repeats nothing. @returns the answers that callers got */
async function callUntil(name: string, holds: (report: Report) => boolean, path = '/', options: Parameters<TestNode['call']>[2] = {}): Promise<readonly Answer[]> {
  const answers: Answer[] = [];
  await expect.poll(async () => {
    for (let n = 0; n < 3; n++) answers.push(await node.call(name, path, options));
    return holds(await report(name));
  }, { timeout: 75_000, interval: 150 }).toBe(true);
  return answers;
}

const versionOf = (answers: readonly Answer[]): string[] => [...new Set(answers.map(({ status, headers }) => `${status} ${String(headers['x-thimble-version'])}`))];

describe('the shadow of a function', () => {
  const answering = (n: number): string => `export default { fetch(request) {
    console.log('ran', { version: ${n} });
    return Response.json({ version: ${n}, path: new URL(request.url).pathname, at: Date.now(), password: 'p${n}' });
  } };`;

  it('is a version that is there and takes no traffic, and is written down like any change', async () => {
    await node.deploy('rules', answering(1));
    expect((await node.api('POST', '/v1/functions/rules/versions', { files: { 'index.js': answering(2) }, main: 'index.js' })).status).toBe(201);
    for (const [body, path] of [
      [{ version: 1 }, 'version'], [{ version: 9 }, 'version'], [{}, 'version'], [{ version: 2, percent: 101 }, 'percent'], [{ version: 2, methods: [] }, 'methods'],
      [{ version: 2, headers: ['set-cookie'] }, 'headers[0]'], [{ version: 2, ignore: ['a'] }, 'ignore[0]'], [{ version: 2, more: 1 }, 'more'],
    ] as const) {
      const refused = await node.api('PUT', '/v1/functions/rules/shadow', body);
      expect([refused.status, refused.code, (refused.body['errors'] as { path: string }[])[0]?.path]).toEqual([422, 'invalid', path]);
    }
    expect((await node.api('GET', '/v1/functions/rules/shadow')).code).toBe('not_found');
    const put = await node.api('PUT', '/v1/functions/rules/shadow', { version: 2 });
    expect(put.body).toMatchObject({ version: 2, percent: 100, methods: ['GET', 'HEAD'], headers: ['content-type'], ignore: [], values: true });
    // The same once more is no change.
    expect((await node.api('PUT', '/v1/functions/rules/shadow', { version: 2 })).body).toMatchObject({ since: put.body['since'], revision: put.body['revision'] });
    // It ends by itself when traffic turns to it, also by a rule or a rollback.
    const traffic = { rules: [], split: [{ version: 1, weight: 99 }, { version: 2, weight: 1 }] };
    expect((await node.api('PUT', '/v1/functions/rules/traffic', traffic)).status).toBe(200);
    expect((await node.api('GET', '/v1/functions/rules/shadow')).code).toBe('not_found');
    expect((await node.api('PUT', '/v1/functions/rules/shadow', { version: 2 })).code).toBe('invalid');
    await node.api('PUT', '/v1/functions/rules/traffic', { rules: [], split: [{ version: 1, weight: 100 }] });
    expect((await node.api('PUT', '/v1/functions/rules/shadow', { version: 2 })).status).toBe(200);
    expect((await node.api('POST', '/v1/functions/rules/rollback')).status).toBe(200);
    expect((await node.api('GET', '/v1/functions/rules')).body['shadow']).toBeNull();
    await node.api('PUT', '/v1/functions/rules/traffic', { rules: [], split: [{ version: 1, weight: 100 }] });
    await node.api('PUT', '/v1/functions/rules/shadow', { version: 2, percent: 1 });
    expect((await node.api('DELETE', '/v1/functions/rules/shadow')).status).toBe(200);
    expect((await node.api('DELETE', '/v1/functions/rules/shadow')).code).toBe('not_found');
    const { items } = (await node.api('GET', '/v1/audit?limit=100')).body as { items: { action: string; target: string; before: unknown; after: unknown }[] };
    const rows = items.filter(({ target, action }) => target === 'rules' && /^(shadow|traffic)/.test(action));
    expect(rows.map(({ action }) => action)).toEqual(['shadow.set', 'traffic.set', 'traffic.set', 'shadow.set', 'traffic.rollback', 'traffic.set', 'shadow.set', 'shadow.end']);
    expect(rows[1]?.after).toMatchObject({ shadowEnded: { version: 2 } });
    expect(rows[4]?.after).toMatchObject({ shadowEnded: { version: 2 } });
  });

  it('answers nobody, and what it would have answered is told apart from what was', { timeout: 90_000 }, async () => {
    await shadowed('card', answering(1), answering(2), { ignore: ['/at'] });
    const answers = await callUntil('card', ({ different, answers: { cpuMs }, live }) => different >= 3 && cpuMs.p50 !== null && live.cpuMs.p50 !== null, '/cards/42?token=abc');
    expect(versionOf(answers)).toEqual(['200 1']);
    const told = await report('card');
    expect(Object.fromEntries(told.differences.slice(0, 2).map(({ kind, at, live, shadow }) => [String(at), [kind, live, shadow]]))).toEqual({ '/password': ['body', '(hidden)', '(hidden)'], '/version': ['body', '1', '2'] });
    expect(told.differences[0]).toMatchObject({ method: 'GET', path: '/cards/42?token=…', version: 1 });
    expect(told.live.wallMs.p50).not.toBeNull();
    expect(told.answers.wallMs.p50).not.toBeNull();
    expect(node.processes().map(({ name }) => name)).toContain('shadow-1');
    // Its figures are its own.
    const { versions } = (await node.api('GET', '/v1/functions/card/stats')).body as { versions: { version: number; requests: number; used: { entries: number } }[] };
    expect(versions.map(({ version, requests, used }) => [version, requests > 0, used.entries > 0])).toEqual([[1, true, true], [2, false, false]]);
    // Its lines are marked, and say which invocation a difference is of.
    await expect.poll(async () => {
      const { items } = (await node.api('GET', '/v1/functions/card/logs?limit=1000')).body as { items: { version: number; invocation: string; fields: { shadow?: boolean } | null }[] };
      const marked = items.filter(({ fields }) => fields?.shadow === true);
      return items.length > 0 && marked.every(({ version }) => version === 2) && items.every(({ version, fields }) => version === 1 || fields?.shadow === true) && marked.some(({ invocation }) => invocation === told.differences[0]?.['invocation']);
    }, { timeout: 5_000 }).toBe(true);
    const metrics = (await ask(node.controlPort, { path: '/metrics', headers: { authorization: `Bearer ${node.token}` } })).text;
    expect(metrics).toMatch(/thimble_shadow_requests_total [1-9]/);
    expect(metrics).toMatch(/thimble_shadow_outcomes_total\{outcome="different"\} [1-9]/);
    // A request that writes is not repeated unless its method is named.
    await callUntil('card', ({ skipped }) => (skipped['method'] ?? 0) >= 3, '/', { method: 'POST', body: '{}' });
    // Other settings: the counts begin anew.
    await node.api('PUT', '/v1/functions/card/shadow', { version: 2, methods: ['POST'], ignore: ['/at', '/version', '/password'] });
    expect((await report('card')).mirrored).toBe(0);
    await callUntil('card', ({ equal }) => equal >= 3, '/', { method: 'POST', body: '{}' });
    expect((await report('card')).different).toBe(0);
  });

  it('may change nothing outside', { timeout: 90_000 }, async () => {
    const acts = (n: number): string => `export default { async fetch(request) {
      const tried = async (method) => {
        try {
          return await (await fetch('http://${address}/${n}', { method })).text();
        } catch (error) {
          return error instanceof TypeError ? error.code : String(error);
        }
      };
      const cached = (await caches.default.match('http://cache.example/key'))?.headers.get('x-by') ?? 'none';
      await caches.default.put('http://cache.example/key', new Response('x', { headers: { 'cache-control': 'max-age=60', 'x-by': '${n}' } }));
      const answers = {};
      for (const method of ['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE']) answers[method] = await tried(method);
      return Response.json({ answers, cached });
    } };`;
    await shadowed('acts', acts(1), acts(2), { methods: ['GET', 'POST'] });
    await callUntil('acts', ({ different }) => different >= 3);
    const { differences } = await report('acts');
    const shown = Object.fromEntries(differences.map(({ at, shadow }) => [at, shadow]));
    const refused = Object.fromEntries(['POST', 'PUT', 'PATCH', 'DELETE'].map((method) => [`/answers/${method}`, '"shadow_refused"']));
    // What it read is not among the differences; what it cached is found by itself alone.
    expect(shown).toEqual({ ...refused, ...('/cached' in shown ? { '/cached': shown['/cached'] } : {}) });
    expect(differences.filter(({ at, shadow }) => at === '/cached' && shadow !== '"none"' && shadow !== '"2"')).toEqual([]);
    const last = JSON.parse((await node.call('acts')).text) as { cached: string };
    expect(last.cached).toBe('1');
    expect([...new Set(upstream)].toSorted()).toEqual(['DELETE /1', 'GET /1', 'GET /2', 'HEAD /1', 'HEAD /2', 'OPTIONS /1', 'OPTIONS /2', 'PATCH /1', 'POST /1', 'PUT /1']);
  });
});

describe('a shadow that does not behave', () => {
  const FINE = "export default { fetch() { return new Response('fine'); } };";
  const ordinary = (): string => node.processes().filter(({ name }) => /^host-\d$/.test(name)).map(({ name, pid }) => `${name}=${pid}`).join(' ');

  it('loops for ever, and only itself rests', { timeout: 90_000 }, async () => {
    await shadowed('loops', FINE, 'export default { fetch() { for (;;); } };');
    const before = ordinary();
    const answers = await callUntil('loops', ({ dropped, answers: { codes } }) => (dropped['quarantined'] ?? 0) > 0 && (codes['cpu_limit_exceeded'] ?? 0) >= 5);
    expect(versionOf(answers)).toEqual(['200 1']);
    expect((await report('loops')).differences[0]).toMatchObject({ kind: 'status', live: '200', shadow: '503 cpu_limit_exceeded' });
    const { standing } = (await node.api('GET', '/v1/functions/loops/stats')).body as { standing: { state: string } };
    expect(standing.state).toBe('good');
    expect(ordinary()).toBe(before);
  });

  it('kills its host, and no other', { timeout: 90_000 }, async () => {
    await shadowed('kills', FINE, 'export default { fetch() { return new Response(String(new Array(1e8).fill(0).length)); } };', {}, { limits: { cpuMs: 5_000 } });
    const before = ordinary();
    const answers = await callUntil('kills', ({ answers: { codes }, dropped }) => (codes['host_lost'] ?? codes['memory_limit_exceeded'] ?? 0) > 0 && (dropped['quarantined'] ?? 0) > 0);
    expect(versionOf(answers)).toEqual(['200 1']);
    expect(ordinary()).toBe(before);
    const { standing } = (await node.api('GET', '/v1/functions/kills/stats')).body as { standing: { state: string } };
    expect(standing.state).toBe('good');
    // The next shadow finds a host again.
    await callUntil('card', ({ mirrored }) => mirrored > 0, '/', { method: 'POST', body: '{}' });
  });

  it('never answers, and callers wait for nothing', { timeout: 90_000 }, async () => {
    await shadowed('hangs', FINE, 'export default { fetch() { return new Promise(() => setInterval(() => {}, 1_000)); } };', {}, { limits: { wallMs: 1_000 } });
    const answers = await callUntil('hangs', ({ answers: { codes } }) => (codes['wall_limit_exceeded'] ?? 0) > 0);
    expect(versionOf(answers)).toEqual(['200 1']);
    expect(Math.min(...answers.map(({ ms }) => ms))).toBeLessThan(900);
  });
});
