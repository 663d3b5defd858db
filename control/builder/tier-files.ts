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

  constructor(options: TierFilesOptions) {
    this.#options = options;
  }

  of(tier: string): VersionFiles {
    let files = this.#tiers.get(tier);
    if (files === undefined) {
      files = new VersionFiles({ ...this.#options, tier });
      this.#tiers.set(tier, files);
    }
    return files;
  }

  /** Tiers that have a folder, also those that the node has no more. */
  async onDisk(): Promise<readonly string[]> {
    const entries = await readdir(join(this.#options.dataFolder, 'versions'), { withFileTypes: true }).catch(() => []);
    return entries.filter((entry) => entry.isDirectory() && TIER_NAME.test(entry.name)).map((entry) => entry.name);
  }
}
