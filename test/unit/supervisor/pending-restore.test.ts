// A restore is true from one moment on: interrupted before it, nothing has changed; after it, the next start ends it, wherever it was interrupted.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { commitRestore, finishRestore } from '../../../supervisor/pending-restore.ts';

const JOURNAL = { staging: 'restore-1', replaced: 'replaced-1' };

function dataFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'thimble-restore-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const put = (path: string, text: string): void => {
    mkdirSync(join(folder, path, '..'), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  for (const name of ['control/data.mdb', 'versions/default/a/bundle.js', 'gateway/routes.msgpack', 'secret.key', 'admin.token']) put(name, 'old');
  put('backups/x/backup.json', 'kept');
  for (const name of ['control/data.mdb', 'versions/default/b/bundle.js', 'secret.key']) put(`${JOURNAL.staging}/${name}`, 'new');
  return folder;
}

function isRestored(folder: string): void {
  const read = (path: string): string => readFileSync(join(folder, path), 'utf8');
  expect([read('control/data.mdb'), read('versions/default/b/bundle.js'), read('secret.key')]).toEqual(['new', 'new', 'new']);
  // Not in the backup: stays. Derived from the old store: gone.
  expect(read('admin.token')).toBe('old');
  expect(read('backups/x/backup.json')).toBe('kept');
  expect(readdirSync(folder).toSorted()).toEqual(['admin.token', 'backups', 'control', 'replaced-1', 'secret.key', 'versions']);
  expect(readdirSync(join(folder, 'replaced-1')).toSorted()).toEqual(['control', 'gateway', 'secret.key', 'versions']);
  expect([read('replaced-1/control/data.mdb'), read('replaced-1/versions/default/a/bundle.js'), read('replaced-1/secret.key')]).toEqual(['old', 'old', 'old']);
}

test('a restore replaces what it has, and keeps what was there', () => {
  const folder = dataFolder();
  commitRestore(folder, JOURNAL);
  isRestored(folder);
  expect(finishRestore(folder)).toBeUndefined();
  isRestored(folder);
});

test('one that never became true leaves everything, and its staging folder goes', () => {
  const folder = dataFolder();
  expect(finishRestore(folder)).toBeUndefined();
  expect(readFileSync(join(folder, 'control/data.mdb'), 'utf8')).toBe('old');
  expect(existsSync(join(folder, JOURNAL.staging))).toBe(false);
});

// The moves of a restore in their order; a crash comes after any number of them.
const MOVES = [['control', 'replaced-1/control'], ['restore-1/control', 'control'], ['versions', 'replaced-1/versions'], ['restore-1/versions', 'versions'], ['secret.key', 'replaced-1/secret.key'], ['restore-1/secret.key', 'secret.key'], ['gateway', 'replaced-1/gateway']] as const;

test.each(Array.from({ length: MOVES.length + 1 }, (_, done) => done))('one that was interrupted after %d moves is ended by the next start', (done) => {
  const folder = dataFolder();
  writeFileSync(join(folder, 'restore.json'), JSON.stringify(JOURNAL));
  mkdirSync(join(folder, 'replaced-1'), { recursive: true });
  for (const [from, to] of MOVES.slice(0, done)) renameSync(join(folder, from), join(folder, to));
  expect(finishRestore(folder)).toBe('replaced-1');
  isRestored(folder);
});

test('a journal that names other folders is refused', () => {
  const folder = dataFolder();
  for (const journal of ['{', '{}', JSON.stringify({ staging: '../elsewhere', replaced: 'replaced-1' }), JSON.stringify({ staging: 'restore-1', replaced: 'control' })]) {
    writeFileSync(join(folder, 'restore.json'), journal);
    expect(() => finishRestore(folder)).toThrow(expect.objectContaining({ code: 'storage_failed' }));
  }
  expect(readFileSync(join(folder, 'control/data.mdb'), 'utf8')).toBe('old');
});
