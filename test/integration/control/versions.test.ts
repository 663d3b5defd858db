// Versions over REST: the report of a build, the source map, the content address, differences, pins and aliases.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SOURCE_MAP_FILE, versionFolder } from '../../../core/versions/index.ts';
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
