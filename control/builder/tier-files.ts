// Version folders of every trust tier of the node: each tier's hosts read only their own.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { TIER_NAME } from '../../core/config/index.ts';
import { VersionFiles } from './version-files.ts';

export interface TierFilesOptions {
  readonly dataFolder: string;
  /** Canonical JSON, for the digest. */
  readonly canonical: (value: unknown) => string;
}

export class TierFiles {
  readonly #options: TierFilesOptions;
  readonly #tiers = new Map<string, VersionFiles>();
  #keeping: Promise<void> | undefined;

  constructor(options: TierFilesOptions) {
    this.#options = options;
  }

  of(tier: string): VersionFiles {
    let files = this.#tiers.get(tier);
    if (files === undefined) {
      files = new VersionFiles({ ...this.#options, tier, removable: () => this.#keeping });
      this.#tiers.set(tier, files);
    }
    return files;
  }

  /** No folder is removed while `task` runs, and what was to be removed goes after it. One task at a time. */
  async keepAll<T>(task: () => Promise<T>): Promise<T> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#keeping = promise;
    try {
      return await task();
    } finally {
      this.#keeping = undefined;
      resolve();
    }
  }

  /** Tiers that have a folder, also those that the node has no more. */
  async onDisk(): Promise<readonly string[]> {
    const entries = await readdir(join(this.#options.dataFolder, 'versions'), { withFileTypes: true }).catch(() => []);
    return entries.filter((entry) => entry.isDirectory() && TIER_NAME.test(entry.name)).map((entry) => entry.name);
  }
}
