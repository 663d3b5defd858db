// The commands backup and restore: what they refuse before they touch anything.
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { runCommand } from '../../../supervisor/index.ts';

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'thimble-command-'));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

async function thimble(args: readonly string[], data: string): Promise<{ readonly code: number; readonly said: string }> {
  const said: string[] = [];
  const keep = (line: string | Uint8Array): boolean => said.push(String(line)) > 0;
  const stderr = vi.spyOn(process.stderr, 'write').mockImplementation(keep);
  try {
    return { code: await runCommand(args, { environment: { THIMBLE_DATA: data }, out: keep, error: keep }), said: said.join('\n') };
  } finally {
    stderr.mockRestore();
  }
}

test.each([['backup'], ['restore'], ['backup', 'a', 'b'], ['backup', '--all', 'x'], ['restore', '--no-keys', 'x']])('%s %s %s is a wrong command line', async (...args) => {
  const data = folder();
  expect(await thimble(args, data)).toMatchObject({ code: 2, said: expect.stringContaining(`usage: thimble ${args[0] ?? ''} DIR`) as string });
  expect(readdirSync(data)).toEqual([]);
});

test('a backup of no data folder, and one over something that is there, are refused', async () => {
  const [data, full] = [folder(), folder()];
  writeFileSync(join(full, 'mine'), '');
  expect(await thimble(['backup', join(data, 'new')], data)).toMatchObject({ code: 1, said: expect.stringContaining('no data folder of a node') as string });
  expect(await thimble(['backup', full], data)).toMatchObject({ code: 1, said: expect.stringContaining('not empty') as string });
  expect([readdirSync(data), readdirSync(full)]).toEqual([[], ['mine']]);
});

test('a restore of what is no backup changes nothing', async () => {
  const [data, backup] = [folder(), folder()];
  writeFileSync(join(data, 'secret.key'), 'mine');
  expect(await thimble(['restore', backup], data)).toMatchObject({ code: 1, said: expect.stringContaining('backup_invalid') as string });
  expect(readdirSync(data).filter((name) => !name.startsWith('lock'))).toEqual(['secret.key']);
});
