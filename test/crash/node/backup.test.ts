// A whole node: backed up by the command while it serves, changed, stopped, restored, and started as it was.
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { bootNode, startLoad } from '../../support/node.ts';
import type { TestNode } from '../../support/node.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const folder = mkdtempSync(join(tmpdir(), 'thimble-backup-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Ran {
  readonly code: number;
  readonly output: string;
}

/** The command as an operator runs it, with the node's settings. */
function thimble(args: readonly string[], environment: Readonly<Record<string, string>>): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(process.execPath, [join(ROOT, 'bin', 'thimble'), ...args], { env: { PATH: process.env['PATH'], ...environment }, timeout: 60_000 }, (error, stdout, stderr) => resolve({ code: error === null ? 0 : Number(error.code), output: stdout + stderr }));
  });
}

const settingsOf = (node: TestNode): Record<string, string> => ({ THIMBLE_DATA: node.dataFolder, THIMBLE_TOKEN: node.token, THIMBLE_PORT: String(node.port), THIMBLE_CONTROL_PORT: String(node.controlPort) });
const source = (text: string): string => `export default { fetch: (request, env) => new Response('${text} ' + env.KEY) };`;

it('comes back as it was, secrets included, whatever happened after the backup', { timeout: 180_000 }, async () => {
  const data = join(folder, 'data');
  const node = await bootNode({ hosts: 1, env: { THIMBLE_DATA: data } });
  const backup = join(folder, 'backup');
  try {
    await node.deploy('card', source('first'), { secrets: { KEY: 'sesame' } });
    await node.api('PUT', '/v1/functions/card/aliases/stable', { version: 1 });
    const load = startLoad(node, 'card', { connections: 2 });
    const made = await thimble(['backup', backup], settingsOf(node));
    const answers = await load.stop();
    expect(made).toMatchObject({ code: 0, output: expect.stringContaining('1 functions, 1 versions') as string });
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    // Moved out of the data folder, and not over anything that is there.
    expect(readdirSync(join(data, 'backups'))).toEqual([]);
    expect(await thimble(['backup', backup], settingsOf(node))).toMatchObject({ code: 1, output: expect.stringContaining('not empty') as string });
    await node.deploy('card', source('second'), { secrets: { KEY: 'other' } });
    await node.deploy('late', source('late'));
    expect((await node.call('card')).text).toBe('second other');
    // A folder that is in use is not touched.
    expect(await thimble(['restore', backup], settingsOf(node))).toMatchObject({ code: 1, output: expect.stringContaining('data_locked') as string });
    expect((await node.call('card')).text).toBe('second other');
  } finally {
    await node.stop();
  }
  const restored = await thimble(['restore', backup], settingsOf(node));
  expect(restored).toMatchObject({ code: 0, output: expect.stringContaining('what was there before is in') as string });
  const again = await bootNode({ hosts: 1, env: settingsOf(node) });
  try {
    expect((await again.call('card')).text).toBe('first sesame');
    expect((await again.call('late')).code).toBe('no_route');
    expect((await again.call('', '/', { headers: { host: 'stable--card.localhost' } })).text).toBe('first sesame');
    expect((await again.api('GET', '/v1/functions/card')).body).toMatchObject({ lastVersion: 1, aliases: { stable: 1 } });
    const { items } = (await again.api('GET', '/v1/audit?limit=1000')).body as { readonly items: readonly { readonly action: string }[] };
    expect(items.at(-1)?.action).toBe('store.restore');
    // What comes after is new: the gateway takes no revision of the old life for it.
    await again.deploy('card', source('third'));
    expect((await again.call('card')).text).toBe('third sesame');
  } finally {
    await again.stop();
  }
  // Without a node, and into an empty folder.
  const cold = join(folder, 'cold');
  expect(await thimble(['backup', cold, '--no-keys'], settingsOf(node))).toMatchObject({ code: 0, output: expect.stringContaining('without keys') as string });
  const other = join(folder, 'other');
  expect(await thimble(['restore', cold], { THIMBLE_DATA: other })).toMatchObject({ code: 0, output: expect.stringContaining('no secret.key') as string });
  expect([existsSync(join(other, 'secret.key')), readdirSync(other).filter((name) => name.startsWith('re'))]).toEqual([false, []]);
});
