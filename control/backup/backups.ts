// Backups of a running node, in `backups/` of its data folder: one made at a time, listed, removed.
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { PlatformError } from '../../core/errors/index.ts';
import type { Logger } from '../../core/log/index.ts';
import type { TierFiles } from '../builder/index.ts';
import type { Actor, Ledger } from '../model/index.ts';
import type { CopyableStore } from '../store/index.ts';
import { flushFolders } from './files.ts';
import { readManifest } from './manifest.ts';
import type { BackupContent } from './manifest.ts';
import { writeBackup } from './write.ts';

const FOLDER = 'backups';
const TEMPORARY = '.new-';
/** When it was begun, in UTC: names sort by age. */
export const BACKUP_ID = /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d-\d{3}Z$/;

export interface BackupsOptions {
  readonly store: CopyableStore;
  readonly ledger: Ledger;
  readonly files: TierFiles;
  readonly dataFolder: string;
  readonly logger: Logger;
  readonly now?: () => Date;
}

export interface BackupView extends Omit<BackupContent, 'kind' | 'format' | 'files'> {
  readonly id: string;
  /** Below the data folder. */
  readonly path: string;
  /** Of all files together. */
  readonly bytes: number;
}

export class Backups {
  readonly #options: BackupsOptions;
  readonly #folder: string;
  #work: Promise<unknown> | undefined;

  constructor(options: BackupsOptions) {
    this.#options = options;
    this.#folder = join(options.dataFolder, FOLDER);
  }

  /** Removes what a crash has left of one that was being made. Once, at start. */
  async collect(): Promise<void> {
    for (const name of await this.#names()) if (name.startsWith(TEMPORARY)) await rm(join(this.#folder, name), { recursive: true, force: true });
  }

  /**
   * Makes one while the node works. It is as of one moment between the call and its end, and it is there whole or not at all.
   *
   * @param keys  with the key files of the data folder: without secret.key nobody can open the secrets in it
   * @throws conflict  one is being made
   * @throws backup_invalid  the store itself is damaged
   * @throws storage_failed
   */
  async create(actor: Actor, keys: boolean): Promise<BackupView> {
    if (this.#work !== undefined) throw new PlatformError('conflict', { with: 'a backup that is being made' });
    const making = this.#create(actor, keys);
    this.#work = making.catch(() => {});
    return await making.finally(() => (this.#work = undefined));
  }

  async #create(actor: Actor, keys: boolean): Promise<BackupView> {
    const { store, ledger, files, dataFolder, logger } = this.#options;
    const startedMs = performance.now();
    const id = (this.#options.now?.() ?? new Date()).toISOString().replaceAll(/[:.]/g, '-');
    const beside = join(this.#folder, TEMPORARY + id);
    try {
      // In the trail first: who took a copy of everything must show even if it fails. The row is in the copy too.
      await ledger.write(actor, () => ({ changes: [], audit: { action: 'backup.create', target: id, before: null, after: { keys } }, result: undefined }));
      await mkdir(beside, { recursive: true, mode: 0o700 });
      const content = await files.keepAll(() => writeBackup({ store, dataFolder, keys }, beside));
      await rename(beside, join(this.#folder, id));
      await flushFolders(this.#folder);
      const view = viewBackup(id, content);
      logger.info({ backup: id, revision: content.store.revision, versions: content.versions, bytes: view.bytes, missing: content.missing.length, ms: Math.round(performance.now() - startedMs) }, 'a backup was made and checked');
      return view;
    } catch (thrown) {
      await rm(beside, { recursive: true, force: true }).catch(() => {});
      throw thrown instanceof PlatformError ? thrown : new PlatformError('storage_failed', undefined, { cause: thrown });
    }
  }

  /** The oldest first, after `after`. One that cannot be read is left out. */
  async list(after: string | undefined, limit: number): Promise<readonly BackupView[]> {
    const names = (await this.#names()).filter((name) => BACKUP_ID.test(name) && (after === undefined || name > after)).toSorted();
    const views: BackupView[] = [];
    for (const id of names) {
      if (views.length === limit) break;
      try {
        views.push(viewBackup(id, await readManifest(join(this.#folder, id))));
      } catch {
        // Somebody has worked on it by hand; restore would refuse it.
      }
    }
    return views;
  }

  /** @throws not_found */
  async remove(actor: Actor, id: string): Promise<void> {
    if (!BACKUP_ID.test(id) || !(await this.#names()).includes(id)) throw new PlatformError('not_found', { what: `backup ${id}` });
    await this.#options.ledger.write(actor, () => ({ changes: [], audit: { action: 'backup.remove', target: id, before: null, after: null }, result: undefined }));
    // Never seen half removed.
    const beside = join(this.#folder, TEMPORARY + id);
    await rename(join(this.#folder, id), beside);
    await rm(beside, { recursive: true, force: true });
  }

  /** Resolves when none is being made. */
  async idle(): Promise<void> {
    await this.#work;
  }

  async #names(): Promise<string[]> {
    try {
      return await readdir(this.#folder);
    } catch {
      return [];
    }
  }
}

function viewBackup(id: string, { createdAt, store, audit, functions, versions, keys, missing, files }: BackupContent): BackupView {
  return { id, path: `${FOLDER}/${id}`, createdAt, store, audit, functions, versions, keys, missing, bytes: files.reduce((sum, { bytes }) => sum + bytes, 0) };
}
