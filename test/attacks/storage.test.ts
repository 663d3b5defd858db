// ISOLATION.md, row 15: files that a disk or a hand has damaged are noticed before V8 sees them, and cost only what they are for.
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { bootNode } from '../support/node.ts';
import type { TestNode } from '../support/node.ts';
import { until } from '../support/supervisor-process.ts';

// Each test starts one or two nodes.
vi.setConfig({ testTimeout: 120_000 });

const answerOf = (text: string): string => `export default { fetch() { return new Response(${JSON.stringify(text)}); } };`;

function useFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'thimble-damaged-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function boot(dataFolder: string): Promise<TestNode> {
  const node = await bootNode({ hosts: 1, env: { THIMBLE_DATA: dataFolder, THIMBLE_TOKEN: 'of-the-test' } });
  onTestFinished(async () => void (await node.stop()));
  return node;
}

/** Changes one byte in the middle. */
function damage(file: string): void {
  const bytes = readFileSync(file);
  const at = bytes.length >> 1;
  bytes[at] = (bytes[at] ?? 0) ^ 0xff;
  writeFileSync(file, bytes);
}

function filesBelow(folder: string, name: RegExp): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => name.test(file)).map((file) => join(folder, file));
}

it('a damaged platform snapshot or code cache is built anew, and the node serves', async () => {
  const data = useFolder();
  const first = await boot(data);
  await first.deploy('good', answerOf('good'));
  await first.stop();
  const damaged = filesBelow(join(data, 'platform'), /snapshot\.bin$|\.cache$/);
  expect(damaged.length).toBeGreaterThan(2);
  damaged.forEach(damage);
  const before = damaged.map((file) => readFileSync(file).toString('base64'));
  const again = await boot(data);
  expect((await again.call('good')).text).toBe('good');
  expect((await again.call('good', '/', { method: 'POST', body: 'x' })).text).toBe('good');
  expect(damaged.map((file) => readFileSync(file).toString('base64'))).not.toEqual(before);
});

it('a damaged bundle is never run: its function fails by name, others answer, and a new version mends it', async () => {
  const data = useFolder();
  const node = await boot(data);
  await node.deploy('good', answerOf('good'));
  await node.deploy('hurt', answerOf('whole'));
  expect((await node.call('hurt')).text).toBe('whole');
  const [bundle] = filesBelow(join(data, 'versions'), /\.js$/).filter((file) => readFileSync(file, 'utf8').includes('whole'));
  writeFileSync(bundle ?? '', readFileSync(bundle ?? '', 'utf8').replace('whole', 'other'));
  const host = node.kill('host-1');
  await until(() => node.processes().some(({ name, pid }) => name === 'host-1' && pid !== host));
  const refused = await node.call('hurt');
  expect([refused.status, refused.code]).toEqual([503, 'unavailable']);
  expect((await node.call('good')).text).toBe('good');
  await node.deploy('hurt', answerOf('mended'));
  expect((await node.call('hurt')).text).toBe('mended');
});

it('a route table of the gateway that was damaged is not read; it gets a whole one', async () => {
  const data = useFolder();
  const node = await boot(data);
  await node.deploy('good', answerOf('good'));
  const files = (): string[] => filesBelow(join(data, 'gateway'), /\w/);
  await until(() => files().length > 0, 20_000);
  files().forEach(damage);
  const gateway = node.kill('gateway');
  await until(() => node.processes().some(({ name, pid }) => name === 'gateway' && pid !== gateway));
  await expect.poll(async () => (await node.call('good')).text, { timeout: 10_000 }).toBe('good');
});
