// Files that are replaced whole or not at all.
import { existsSync, mkdtempSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { replaceFile, replaceFileSync, syncFolder } from '../../../core/files/index.ts';
import { versionFolder } from '../../../core/versions/index.ts';

function useFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'thimble-core-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

describe('replacing a file', () => {
  it('makes its folder, keeps the mode, leaves nothing beside', () => {
    const folder = useFolder();
    const path = join(folder, 'a/b/file');
    replaceFileSync(path, 'one');
    replaceFileSync(path, Buffer.from('two'), 0o640);
    expect(readFileSync(path, 'utf8')).toBe('two');
    expect(readdirSync(join(folder, 'a/b'))).toEqual(['file']);
    replaceFileSync(path, '');
    expect(statSync(path).size).toBe(0);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('without blocking does the same', async () => {
    const path = join(useFolder(), 'file');
    await replaceFile(path, 'one');
    await replaceFile(path, 'x'.repeat(3_000_000));
    expect(statSync(path).size).toBe(3_000_000);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('that fails keeps the old one', async () => {
    const folder = useFolder();
    const path = join(folder, 'file');
    writeFileSync(path, 'old');
    // What is written beside can't be made: its name is taken by a folder.
    mkdirSync(`${path}.${process.pid}.tmp`);
    expect(() => replaceFileSync(path, 'new')).toThrow('EISDIR');
    await expect(replaceFile(path, 'new')).rejects.toThrow('EISDIR');
    expect(readFileSync(path, 'utf8')).toBe('old');
    expect(() => replaceFileSync(join(path, 'below'), 'new')).toThrow(/ENOTDIR|EEXIST/);
  });

  it('flushes folders', () => {
    const folder = useFolder();
    expect(() => syncFolder(folder)).not.toThrow();
    expect(() => syncFolder(join(folder, 'missing'))).toThrow('ENOENT');
    expect(existsSync(folder)).toBe(true);
  });
});

describe('versions', () => {
  it('have a folder each, by tier and digest', () => {
    expect(versionFolder('/data', 'default', 'sha256-ab')).toBe('/data/versions/default/sha256-ab');
  });
});
