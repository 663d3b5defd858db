// The packed package, installed in an empty folder elsewhere, runs.
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, bootNode, spawnNode } from '../../support/node.ts';
import { until } from '../../support/supervisor-process.ts';
import { ROOT } from '../../support/supervisor-sources.ts';

const run = promisify(execFile);

describe('the packed package', () => {
  const folder = mkdtempSync(join(tmpdir(), 'thimble-package-'));
  const installed = join(folder, 'app', 'node_modules', 'thimble');

  beforeAll(async () => {
    await run('npm', ['pack', '--pack-destination', folder], { cwd: ROOT });
    const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'));
    if (tarball === undefined) throw new Error('npm pack made no tarball');
    mkdirSync(join(folder, 'app'));
    writeFileSync(join(folder, 'app', 'package.json'), '{ "private": true }');
    await run('npm', ['install', '--no-audit', '--no-fund', join(folder, tarball)], { cwd: join(folder, 'app') });
  }, 180_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('holds JavaScript with declarations, and no TypeScript that Node would have to run', () => {
    const files = readdirSync(installed, { recursive: true, encoding: 'utf8' });
    expect(files).toContain('dist/main.js');
    expect(files).toContain('dist/main.d.ts');
    const sources = files.filter((path) => /(?<!\.d)\.ts$/.test(path));
    expect(sources.filter((path) => !/^dist\/(?:isolates\/runtime|examples\/[^/]+\/function)\//.test(path))).toEqual([]);
    expect(files.some((path) => /(?:^|\/)(?:test|bench)\//.test(path))).toBe(false);
  });

  it('runs a node by npx and answers an example', async () => {
    const node = await bootNode({ examples: true, command: { file: 'npx', args: ['thimble'], cwd: join(folder, 'app') } });
    try {
      const answer = await ask(node.port, { path: '/cards/42', headers: { host: `card.localhost:${node.port}` } });
      expect(answer.status).toBe(200);
      expect(JSON.parse(answer.text)).toMatchObject({ id: 42 });
      // What hosts may read was worked out for this layout too, or none would have started.
      expect((await node.api('GET', '/healthz')).body['isolation']).toMatchObject({ permissionModel: true });
      // npx passes the signal to its shell only; the node follows its launcher all the same.
      process.kill(node.pid, 'SIGTERM');
      await until(() => node.processes().length === 0, 9_000);
    } finally {
      await node.stop();
    }
  });

  it('passes signals and the exit code on', async () => {
    const node = await bootNode({ command: { file: join(installed, 'bin', 'thimble'), args: ['start'], cwd: folder } });
    expect(await node.stop()).toEqual({ code: 0, signal: null });
    const refused = await spawnNode({ env: { THIMBLE_HOSTS: '0' }, command: { file: join(installed, 'bin', 'thimble'), args: [], cwd: folder } });
    expect(await refused.exited).toEqual({ code: 1, signal: null });
    expect(refused.output).toContain('THIMBLE_HOSTS');
    await refused.stop();
  });

  it('gives authors the types of the runtime, and of nothing else', async () => {
    const app = join(folder, 'app');
    const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
    const compilerOptions = { lib: ['es2024'], types: ['thimble/runtime'], strict: true, noEmit: true, module: 'nodenext', target: 'es2024' };
    writeFileSync(join(app, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['function.ts'] }));
    writeFileSync(join(app, 'function.ts'), `
      export default { fetch: async (request, env, ctx) => { ctx.waitUntil(fetch(request.url)); return Response.json([env, new URLPattern({ pathname: '/:id' }).exec(request.url), ctx]); } } satisfies Handler<{ readonly NAME: string }>;
      export const getCard = (ctx: Context, id: string): string => ctx.user ?? id;
      // @ts-expect-error -- no DOM
      document.title;
    `);
    expect((await run(process.execPath, [tsc, '-p', app])).stdout).toBe('');
    // Bundlers' resolution finds them too.
    writeFileSync(join(app, 'tsconfig.json'), JSON.stringify({ compilerOptions: { ...compilerOptions, module: 'esnext', moduleResolution: 'bundler' }, files: ['function.ts'] }));
    expect((await run(process.execPath, [tsc, '-p', app])).stdout).toBe('');
  });

  it('tells version and help, and refuses other commands', async () => {
    const bin = join(installed, 'bin', 'thimble');
    const { version } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as { version: string };
    expect((await run(bin, ['--version'])).stdout.trim()).toBe(version);
    expect((await run(bin, ['--help'])).stdout).toContain('THIMBLE_PORT');
    await expect(run(bin, ['dance'])).rejects.toMatchObject({ code: 2 });
    await expect(run(bin, ['start', 'now'])).rejects.toMatchObject({ code: 2 });
  });
});
