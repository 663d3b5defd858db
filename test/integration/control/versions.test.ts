// Versions over REST: the report of a build, the source map, the content address, differences, pins and aliases.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SOURCE_MAP_FILE, versionFolder } from '../../../core/versions/index.ts';
import { versionDiffSchema } from '../../../control/model/index.ts';
import { useGateway } from '../../support/control-peers.ts';
import { HELLO, useControl } from '../../support/control-plane.ts';

const VERSIONS = '/v1/functions/card/versions';
const upload = (text: string, more: Readonly<Record<string, string>> = {}): unknown => ({ files: { 'index.ts': `export default { fetch() { return new Response(${JSON.stringify(text)}); } };`, ...more }, main: 'index.ts' });

describe('a version', () => {
  it('has the report of its build, in short in the answer to the deploy and whole beside its files', async () => {
    const { call } = await useControl();
    await call('PUT', '/v1/functions/card');
    const made = await call('POST', VERSIONS, upload('x', { 'notes.txt': 'not imported' }));
    const short = made.body['report'] as Readonly<Record<string, unknown>>;
    expect(short).toMatchObject({ bytes: { bundle: made.body['bytes'] }, modules: 1, packages: [], warnings: [], warningCount: 0 });
    const shown = (await call('GET', `${VERSIONS}/1`)).body;
    expect(shown['report']).toMatchObject({ bytes: short['bytes'], files: { uploaded: 2, bundled: 1 }, modules: [{ path: 'index.ts' }], more: { modules: 0 } });
    // Lists stay short.
    expect((await call('GET', VERSIONS)).body.items?.[0]).not.toHaveProperty('report');
    // A version of the same files has it too.
    expect((await call('POST', VERSIONS, { from: 1 })).body['report']).toEqual(short);
  });

  it('gives out its source map, also when its function was deleted', async () => {
    const { call, data } = await useControl();
    await call('PUT', '/v1/functions/card');
    const { digest } = (await call('POST', VERSIONS, upload('x'))).body as { readonly digest: string };
    const reply = await call('GET', `${VERSIONS}/1/map`);
    expect([reply.status, reply.headers['content-type']]).toEqual([200, 'application/json']);
    expect(reply.body).toMatchObject({ version: 3, sources: ['index.ts'] });
    expect(reply.text).toBe(readFileSync(join(versionFolder(data, 'default', digest), SOURCE_MAP_FILE), 'utf8'));
    expect((await call('GET', `${VERSIONS}/2/map`)).body.code).toBe('not_found');
    expect((await call('GET', '/v1/functions/other/versions/1/map')).body.code).toBe('not_found');
    await call('DELETE', '/v1/functions/card');
    expect((await call('GET', `${VERSIONS}/1/map`)).text).toBe(reply.text);
  });

  it('is addressed by its content: code, environment and bindings, and nothing else', async () => {
    const { call, deploy } = await useControl();
    await call('PUT', '/v1/functions/card', { env: { A: '1', B: '2' } });
    const first = (await call('POST', VERSIONS, { ...(upload('x') as object), message: 'one' })).body['digest'];
    const digestAfter = async (put: unknown, body: unknown): Promise<unknown> => {
      await call('PUT', '/v1/functions/card', put);
      return (await call('POST', VERSIONS, body)).body['digest'];
    };
    // The same content again, whatever its message, and whatever belongs to the function rather than to its versions.
    expect(await digestAfter({ env: { B: '2', A: '1' }, limits: { cpuMs: 10 }, secrets: { K: 'v' }, debug: true }, upload('x'))).toBe(first);
    expect(await digestAfter({}, { from: 1 })).toBe(first);
    // Files that the bundle has nothing of are no part of it.
    expect(await digestAfter({}, upload('x', { 'notes.txt': '?' }))).toBe(first);
    // Other code, other line numbers (stacks would name wrong places), another environment.
    const others = [await digestAfter({}, upload('y')), await digestAfter({ env: { A: '1' } }, upload('x')), await digestAfter({ env: { A: '1', B: '3' } }, upload('x'))];
    expect(new Set([first, ...others]).size).toBe(4);
    expect(await digestAfter({ env: { A: '1', B: '2' } }, { from: 1 })).toBe(first);
    // Nor is the function's name.
    await call('PUT', '/v1/functions/twin', { env: { A: '1', B: '2' } });
    expect((await deploy('twin', (upload('x') as { readonly files: { readonly 'index.ts': string } }).files['index.ts'])).body['digest']).toBe(first);
    expect((await deploy('twin', HELLO)).body['digest']).not.toBe(first);
  });
});

describe('the difference of two versions', () => {
  it('names files, environment, main and sizes, the author\'s files first', async () => {
    const { call } = await useControl();
    await call('PUT', '/v1/functions/card', { env: { A: '1', B: 'old', C: '3' }, secrets: { KEY: 'sesame' } });
    const lines = (...texts: readonly string[]): string => texts.map((text) => `${text}\n`).join('');
    const main = "export default { fetch: () => new Response('') };";
    const package_ = { 'node_modules/p/package.json': '{"version":"1.0.0"}' };
    await call('POST', VERSIONS, { files: { 'index.ts': main, 'gone.txt': 'bye\n', 'a.txt': lines('1', '2', '3', '4', '5', '6', '7', '8', '9'), 'same.txt': 'x', ...package_ }, main: 'index.ts' });
    await call('PUT', '/v1/functions/card', { env: { A: '1', B: 'new', D: '4' }, secrets: { KEY: 'other' } });
    await call('POST', VERSIONS, { files: { 'new.ts': main, 'a.txt': lines('1', '2', '3', '4', 'five', '6', '7', '8', '9'), 'same.txt': 'x', 'node_modules/p/package.json': '{"version":"1.0.1"}' }, main: 'new.ts' });
    const reply = await call('GET', `${VERSIONS}/1/diff/2`);
    expect(reply.status).toBe(200);
    const diff = versionDiffSchema.parse(reply.body);
    expect([diff.same, diff.main, diff.more, diff.unchanged]).toEqual([false, { before: 'index.ts', after: 'new.ts' }, 0, 1]);
    expect(diff.env).toEqual([{ key: 'B', before: 'old', after: 'new' }, { key: 'C', before: '3', after: null }, { key: 'D', before: null, after: '4' }]);
    expect(diff.bindings).toEqual([]);
    expect(diff.files.map(({ path, change }) => `${change} ${path}`)).toEqual(['changed a.txt', 'removed gone.txt', 'removed index.ts', 'added new.ts', 'changed node_modules/p/package.json']);
    expect(diff.files[0]).toEqual({
      path: 'a.txt', change: 'changed', bytes: { before: 18, after: 21 }, omitted: null, patch: '--- a/a.txt\n+++ b/a.txt\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n',
    });
    expect(diff.files[1]).toMatchObject({ bytes: { before: 4, after: null }, patch: '--- a/gone.txt\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-bye\n' });
    expect(diff.from.bytes).toBeGreaterThan(0);
    expect(diff.to.gzip).toBeGreaterThan(0);
    expect(reply.text).not.toMatch(/sesame|KEY/);
    // Backwards, and with itself.
    expect((await call('GET', `${VERSIONS}/2/diff/1`)).body['env']).toContainEqual({ key: 'D', before: '4', after: null });
    expect((await call('GET', `${VERSIONS}/2/diff/2`)).body).toMatchObject({ same: true, files: [], env: [], main: null });
    for (const path of ['1/diff/3', '3/diff/1']) expect((await call('GET', `${VERSIONS}/${path}`)).body.code).toBe('not_found');
    for (const path of ['1/diff/0', '1/diff/x', '1/diff/1e3']) expect((await call('GET', `${VERSIONS}/${path}`)).body.code).toBe('invalid');
  });
});

describe('pins', () => {
  it('are set and taken away, listed with the function, audited once, and keep a version addressable', async () => {
    const { call, deploy, socket } = await useControl();
    const gateway = await useGateway(socket);
    for (const text of ['a', 'b', 'c']) await deploy('card', HELLO.replace('hello', text));
    expect((await call('PUT', `${VERSIONS}/2/pin`, { pinned: true })).body).toMatchObject({ version: 2, pinned: true, applied: true });
    const { revision } = (await call('PUT', `${VERSIONS}/1/pin`, { pinned: true })).body;
    expect((await call('GET', '/v1/functions/card')).body['pinned']).toEqual([1, 2]);
    // Again: no change, no revision.
    expect((await call('PUT', `${VERSIONS}/1/pin`, { pinned: true })).body['revision']).toBe(revision);
    await call('PUT', `${VERSIONS}/1/pin`, { pinned: false });
    expect((await call('GET', '/v1/functions/card')).body['pinned']).toEqual([2]);
    const rows = ((await call('GET', '/v1/audit?limit=1000')).body.items ?? []).filter((row) => row['action'] === 'version.pin');
    expect(rows.map((row) => [row['target'], row['before'], row['after']])).toEqual([
      ['card@2', { pinned: false }, { pinned: true }], ['card@1', { pinned: false }, { pinned: true }], ['card@1', { pinned: true }, { pinned: false }],
    ]);
    expect(Object.keys(gateway.functions.get('card')?.versions ?? {})).toEqual(['1', '2', '3']);
    expect((await call('PUT', `${VERSIONS}/9/pin`, { pinned: true })).body.code).toBe('not_found');
    expect((await call('PUT', '/v1/functions/other/versions/1/pin', { pinned: true })).body.code).toBe('not_found');
    for (const body of [{}, { pinned: 'yes' }, { pinned: true, x: 1 }, []]) expect((await call('PUT', `${VERSIONS}/1/pin`, body)).status).toBe(422);
  });
});

describe('aliases', () => {
  it('are set, moved and removed, reach gateways, and survive a restart', async () => {
    const control = await useControl();
    const { call, deploy } = control;
    const gateway = await useGateway(control.socket);
    for (const text of ['a', 'b']) await deploy('card', HELLO.replace('hello', text));
    expect((await call('PUT', '/v1/functions/card/aliases/next', { version: 2 })).body).toMatchObject({ alias: 'next', version: 2, applied: true });
    await call('PUT', '/v1/functions/card/aliases/beta', { version: 2 });
    expect(gateway.functions.get('card')?.aliases).toEqual({ beta: 2, next: 2 });
    await call('PUT', '/v1/functions/card/aliases/next', { version: 1 });
    expect((await call('GET', '/v1/functions/card')).body['aliases']).toEqual({ beta: 2, next: 1 });
    expect((await call('DELETE', '/v1/functions/card/aliases/beta')).body).toMatchObject({ alias: 'beta', applied: true });
    expect(gateway.functions.get('card')?.aliases).toEqual({ next: 1 });
    expect((await call('DELETE', '/v1/functions/card/aliases/beta')).body.code).toBe('not_found');
    const rows = ((await call('GET', '/v1/audit?limit=1000')).body.items ?? []).filter((row) => String(row['action']).startsWith('alias.'));
    expect(rows.map((row) => [row['action'], row['before'], row['after']])).toEqual([
      ['alias.set', { next: null }, { next: 2 }], ['alias.set', { beta: null }, { beta: 2 }], ['alias.set', { next: 2 }, { next: 1 }], ['alias.remove', { beta: 2 }, { beta: null }],
    ]);
    const again = await control.restart();
    expect((await again.call('GET', '/v1/functions/card')).body['aliases']).toEqual({ next: 1 });
  });

  it('name versions that exist, have names that fit a host, and are bounded', async () => {
    const { call, deploy } = await useControl();
    await deploy('card', HELLO);
    const put = (alias: string, body: unknown = { version: 1 }): ReturnType<typeof call> => call('PUT', `/v1/functions/card/aliases/${alias}`, body);
    expect((await put('next', { version: 2 })).body).toMatchObject({ code: 'invalid', errors: [{ path: 'version' }] });
    for (const body of [{}, { version: 0 }, { version: 1.5 }, { version: '1' }, { version: 1, x: 1 }]) expect((await put('next', body)).status).toBe(422);
    for (const alias of ['v1', 'v07', 'A', '-a', 'a-', 'a--b', '1a', 'a.b', 'a%2Fb', 'a'.repeat(32), '%C3%A4']) {
      expect((await put(alias)).body).toMatchObject({ code: 'invalid', errors: [{ path: 'alias' }] });
    }
    expect((await call('PUT', '/v1/functions/other/aliases/next', { version: 1 })).body.code).toBe('not_found');
    // Names that objects inherit are names like any other.
    expect((await call('DELETE', '/v1/functions/card/aliases/constructor')).body.code).toBe('not_found');
    expect((await put('constructor')).status).toBe(200);
    expect((await call('GET', '/v1/functions/card')).body['aliases']).toEqual({ constructor: 1 });
    for (let i = 1; i < 100; i++) await put(`a${i}`);
    expect((await put('one-more')).body.code).toBe('conflict');
    expect((await put('a5')).status).toBe(200);
    // A version of a deleted function of the same name is read, not reached.
    await call('DELETE', '/v1/functions/card');
    await deploy('card', HELLO);
    expect((await call('GET', '/v1/functions/card')).body).toMatchObject({ aliases: {}, pinned: [], lastVersion: 2 });
    expect((await put('next')).body.code).toBe('invalid');
  });
});
