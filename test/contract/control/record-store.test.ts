// The record store's contract, on LMDB and on the in-memory fake.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { openLmdbStore } from '../../../control/store/index.ts';
import { MemoryStore } from '../../support/control-memory-store.ts';
import { recordStoreContract } from '../record-store.contract.ts';

const root = mkdtempSync(join(tmpdir(), 'thimble-store-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let count = 0;

recordStoreContract('LMDB', () => {
  const folder = join(root, String((count += 1)));
  return { store: openLmdbStore(folder), reopen: () => openLmdbStore(folder) };
});

recordStoreContract('memory', () => ({ store: new MemoryStore(), reopen: undefined }));
