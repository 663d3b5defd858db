// From a backup to the parts of a data folder: every file checked as it is copied, then the store and its versions as a whole.
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { PlatformError } from '../../core/errors/index.ts';
import { newEpoch } from '../../core/ids/index.ts';
import { TierFiles } from '../builder/index.ts';
import { Catalog, KEYS, Ledger, canonicalJson, storeRecordSchema } from '../model/index.ts';
import type { RecordStore } from '../../core/ports/index.ts';
import { FORMAT, openLmdbStore } from '../store/index.ts';
import { checkStore } from './check-store.ts';
import { copyFlushed, each, flushFolders } from './files.ts';
import { DATA, readManifest } from './manifest.ts';
import type { BackupContent } from './manifest.ts';

const AT_ONCE = 4;

/**
 * Fills `staging`, which must not be there, with what a data folder has of this backup. Brings the store to this release's form, and gives it a new epoch:
 * gateways that have seen later revisions of the old one must not take them for revisions of this one.
 *
 * @throws backup_invalid  it is no backup, is damaged, or does not fit together
 * @throws store_too_new  a later release made it
 * @throws storage_failed
 */
export async function stageRestore(backup: string, staging: string): Promise<BackupContent> {
  const content = await readManifest(backup);
  if (content.store.format > FORMAT) throw new PlatformError('store_too_new', { found: content.store.format, known: FORMAT });
  try {
    await mkdir(staging, { mode: 0o700 });
    await each(content.files, AT_ONCE, async ({ path, bytes, sha256 }) => {
      const copied = await copyFlushed(join(backup, DATA, path), join(staging, path)).catch((cause: unknown) => {
        throw (cause as NodeJS.ErrnoException).code === 'ENOSPC' ? cause : new PlatformError('backup_invalid', { why: `its file ${path} cannot be read` }, { cause });
      });
      if (copied.bytes !== bytes || copied.sha256 !== sha256) throw new PlatformError('backup_invalid', { why: `its file ${path} was changed or damaged` });
    });
    await checkStaged(staging, content);
    await flushFolders(staging);
    return content;
  } catch (thrown) {
    await rm(staging, { recursive: true, force: true });
    throw thrown instanceof PlatformError ? thrown : new PlatformError('storage_failed', undefined, { cause: thrown });
  }
}

async function checkStaged(staging: string, content: BackupContent): Promise<void> {
  if (!content.files.some(({ path }) => path === 'control/data.mdb')) throw new PlatformError('backup_invalid', { why: 'it has no store' });
  const store = openLmdbStore(join(staging, 'control'));
  try {
    const { folders, audit, epoch, revision } = await checkStore(store);
    if (epoch !== content.store.epoch || revision !== content.store.revision || audit.hash !== content.audit.hash) throw new PlatformError('backup_invalid', { why: 'its store is not the one that it names' });
    const files = new TierFiles({ dataFolder: staging, canonical: canonicalJson });
    const known = new Set(content.missing);
    await each(folders, AT_ONCE, async ({ tier, digest }) => {
      if (!(await files.of(tier).whole(digest)) && !known.has(`${tier}/${digest}`)) throw new PlatformError('backup_invalid', { why: `the files of version ${tier}/${digest} are missing or damaged` });
    });
    await recordRestore(store, content);
  } finally {
    await store.close();
    await rm(join(staging, 'control', 'lock.mdb'), { force: true });
  }
}

async function recordRestore(store: RecordStore, { createdAt, store: { epoch, revision } }: BackupContent): Promise<void> {
  const ledger = new Ledger({ store, catalog: Catalog.load(store), onCommit: () => {} });
  const record = storeRecordSchema.parse(store.get(KEYS.store)?.value);
  await ledger.write({ name: 'restore', from: '' }, () => ({
    changes: [{ key: KEYS.store, value: { ...record, epoch: newEpoch() } }],
    audit: { action: 'store.restore', target: 'store', before: { epoch, revision }, after: { backupOf: createdAt } },
    result: undefined,
  }));
}
