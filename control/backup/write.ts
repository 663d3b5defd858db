// Writes a backup: the store as of one moment, the version folders that it names, and the node's key files; checked as it is made.
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { replaceFile } from '../../core/files/index.ts';
import { BUNDLE_FILE, MANIFEST_FILE, SOURCE_MAP_FILE } from '../../core/versions/index.ts';
import { TierFiles } from '../builder/index.ts';
import { canonicalJson } from '../model/index.ts';
import { FORMAT, openLmdbStore } from '../store/index.ts';
import type { CopyableStore } from '../store/index.ts';
import { checkStore } from './check-store.ts';
import type { CheckedStore } from './check-store.ts';
import { copyFlushed, each, filesBelow, flushFolders, hashFile } from './files.ts';
import { DATA, KEY_FILES, MANIFEST, signed } from './manifest.ts';
import type { BackupContent } from './manifest.ts';

/** What is copied of a version. Snapshots and code caches are made again by themselves. */
const VERSION_PARTS = [BUNDLE_FILE, SOURCE_MAP_FILE, MANIFEST_FILE];
/** Folders copied at the same time. */
const AT_ONCE = 4;

export interface BackupSource {
  readonly store: CopyableStore;
  readonly dataFolder: string;
  /** Whether secret.key and admin.token belong to it. */
  readonly keys: boolean;
}

/**
 * Fills `folder`, which must be empty or not there. The caller keeps version folders from being removed meanwhile.
 *
 * @throws storage_failed
 * @throws backup_invalid  the store's audit trail is broken: nobody should rely on a copy of it
 */
export async function writeBackup({ store, dataFolder, keys }: BackupSource, folder: string): Promise<BackupContent> {
  const data = join(folder, DATA);
  await store.copyTo(join(data, 'control'));
  const { folders, epoch, revision, audit, functions, versions } = await checkCopy(join(data, 'control'));
  const missing = await copyVersions(dataFolder, data, folders);
  const present: BackupContent['keys'] = [];
  for (const name of KEY_FILES) if (keys && (await copyIfThere(dataFolder, data, name))) present.push(name);
  await copyIfThere(dataFolder, data, 'examples.json');
  const files: BackupContent['files'] = [];
  for (const path of await filesBelow(data)) files.push({ path, ...(await hashFile(join(data, path))) });
  const content: BackupContent = {
    kind: 'thimble backup', format: 1, createdAt: new Date().toISOString(), store: { format: FORMAT, epoch, revision }, audit, functions, versions, keys: present, missing, files,
  };
  await flushFolders(folder);
  await replaceFile(join(folder, MANIFEST), signed(content));
  return content;
}

async function checkCopy(folder: string): Promise<CheckedStore> {
  const copy = openLmdbStore(folder);
  try {
    return await checkStore(copy);
  } finally {
    await copy.close();
    await rm(join(folder, 'lock.mdb'), { force: true });
  }
}

/** @returns those that were missing or damaged where they came from */
async function copyVersions(from: string, to: string, folders: readonly { readonly tier: string; readonly digest: string }[]): Promise<string[]> {
  const copied = new TierFiles({ dataFolder: to, canonical: canonicalJson });
  const missing: string[] = [];
  await each(folders, AT_ONCE, async ({ tier, digest }) => {
    const path = join('versions', tier, digest);
    const isThere = await stat(join(from, path, MANIFEST_FILE)).then(() => true, () => false);
    if (isThere) for (const name of VERSION_PARTS) await copyIfThere(from, to, join(path, name));
    if (await copied.of(tier).whole(digest)) return;
    await rm(join(to, path), { recursive: true, force: true });
    missing.push(`${tier}/${digest}`);
  });
  return missing.toSorted();
}

async function copyIfThere(from: string, to: string, path: string): Promise<boolean> {
  try {
    await copyFlushed(join(from, path), join(to, path));
    return true;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw thrown;
  }
}
