// Snapshots and code caches in the folders of their versions: written beside, flushed, renamed, the description last.
import { mkdir, readdir, rm, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { sha256Hex } from '../../core/crypto/index.ts';
import { replaceFile } from '../../core/files/index.ts';
import { BUNDLE_FILE, CODE_CACHE_FILE, MANIFEST_FILE, SNAPSHOT_FOLDER, codeCacheBlob, snapshotBlob, snapshotFile, snapshotFileSchema, versionFolder } from '../../core/versions/index.ts';
import type { CodeCacheFile, SnapshotFile, VersionManifest } from '../../core/versions/index.ts';

/** Readable by the group of the tier's hosts, which may run as another user; the folder of versions hands its group down. */
const FOLDER_MODE = 0o750;
const FILE_MODE = 0o640;

export interface VersionBundle {
  readonly bundle: string;
  readonly environment: Readonly<Record<string, string>>;
}

export class SnapshotFiles {
  readonly #dataFolder: string;
  readonly #tier: string;

  constructor(dataFolder: string, tier: string) {
    this.#dataFolder = dataFolder;
    this.#tier = tier;
  }

  /** @throws Error  the version's files are missing or damaged */
  async read(digest: string): Promise<VersionBundle> {
    const folder = this.#folder(digest);
    const manifest = JSON.parse(await readFile(join(folder, MANIFEST_FILE), 'utf8')) as VersionManifest;
    const bundle = await readFile(join(folder, BUNDLE_FILE), 'utf8');
    if (sha256Hex(bundle) !== manifest.bundleSha256) throw new Error('the bundle does not match its manifest');
    return { bundle, environment: manifest.env };
  }

  /** Whether the snapshot that was made is still there, as far as a look at the names tells. */
  async has(digest: string, fn: string, version: number): Promise<boolean> {
    try {
      const { sha256 } = snapshotFileSchema.parse(JSON.parse(await readFile(snapshotFile(this.#folder(digest), fn, version), 'utf8')));
      return (await readdir(join(this.#folder(digest), SNAPSHOT_FOLDER))).includes(basename(snapshotBlob('', sha256)));
    } catch {
      return false;
    }
  }

  /** Puts a snapshot where hosts find it: at once whole, or not at all. What it replaces goes. */
  async publish(file: SnapshotFile, blob: Uint8Array): Promise<void> {
    const folder = this.#folder(file.digest);
    await mkdir(join(folder, SNAPSHOT_FOLDER), { recursive: true, mode: FOLDER_MODE });
    await replaceFile(snapshotBlob(folder, file.sha256), blob, FILE_MODE);
    await replaceFile(snapshotFile(folder, file.function, file.version), JSON.stringify(file), FILE_MODE);
    await this.#collect(folder);
  }

  async withdraw(digest: string, fn: string, version: number): Promise<void> {
    const folder = this.#folder(digest);
    await rm(snapshotFile(folder, fn, version), { force: true });
    await this.#collect(folder);
  }

  async publishCodeCache(digest: string, file: CodeCacheFile, blob: Uint8Array): Promise<void> {
    const folder = this.#folder(digest);
    const path = codeCacheBlob(folder, file.sha256);
    await replaceFile(path, blob, FILE_MODE);
    await replaceFile(join(folder, CODE_CACHE_FILE), JSON.stringify(file), FILE_MODE);
    for (const name of await readdir(folder)) if (/^code-cache-[0-9a-f]+\.bin$/.test(name) && name !== basename(path)) await rm(join(folder, name), { force: true });
  }

  /** Removes blobs that no description names, and what a crash left beside. */
  async #collect(folder: string): Promise<void> {
    const inside = join(folder, SNAPSHOT_FOLDER);
    const names = await readdir(inside).catch(() => []);
    const known = new Set<string>();
    for (const name of names.filter((each) => each.endsWith('.json'))) {
      try {
        known.add(basename(snapshotBlob('', snapshotFileSchema.parse(JSON.parse(await readFile(join(inside, name), 'utf8'))).sha256)));
      } catch {
        // Of another release, or damaged: no host takes it either.
      }
    }
    for (const name of names) if (!name.endsWith('.json') && !known.has(name)) await rm(join(inside, name), { force: true });
  }

  #folder(digest: string): string {
    return versionFolder(this.#dataFolder, this.#tier, digest);
  }
}
