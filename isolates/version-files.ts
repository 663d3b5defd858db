// Reads a version's files: checked against the manifest, secrets opened with the tier's key. No control plane is needed for it.
import { join } from 'node:path';
import { sha256Hex, unseal } from '../core/crypto/index.ts';
import { PlatformError } from '../core/errors/index.ts';
import type { Target } from '../core/protocol/index.ts';
import { BUNDLE_FILE, MANIFEST_FILE, eagerBundle, versionFolder } from '../core/versions/index.ts';
import type { VersionManifest } from '../core/versions/index.ts';
import { readWhole } from './quick-read.ts';
import type { SnapshotShelf, StartData } from './snapshots/shelf.ts';

export interface LoadedVersion {
  /** The bundle; '' when isolates are restored with its module evaluated. */
  readonly code: string;
  /** Name of the bundle in stack traces. */
  readonly filename: string;
  /** Environment and secrets, as JSON. */
  readonly env: string;
  /** Secrets alone, as JSON: a restored module has its environment. */
  readonly secrets: string;
  readonly start: StartData;
}

/** Name of a version's bundle in stack traces. */
export function bundleName(target: Pick<Target, 'function' | 'version'>): string {
  return `${target.function}@${target.version}.js`;
}

/** A digest names a folder: nothing but what the builder makes may get into a path. */
const DIGEST = /^sha256-[0-9a-f]{64}$/;

async function textOf(path: string): Promise<string> {
  const found = readWhole(path);
  const bytes = found instanceof Promise ? await found : found;
  return Buffer.from(bytes.buffer).toString('utf8');
}

export class VersionReader {
  readonly #dataFolder: string;
  readonly #tierKey: Buffer;
  readonly #shelf: SnapshotShelf;

  constructor(dataFolder: string, tierKey: Buffer, shelf: SnapshotShelf) {
    this.#dataFolder = dataFolder;
    this.#tierKey = tierKey;
    this.#shelf = shelf;
  }

  /** @throws unavailable  the files are missing, damaged, or the secrets do not open */
  async load(target: Target): Promise<LoadedVersion> {
    try {
      if (!DIGEST.test(target.digest)) throw new Error(`"${target.digest}" is not a digest`);
      const folder = this.#folder(target);
      const seen = this.#shelf.look(folder, target);
      const manifest = JSON.parse(await textOf(join(folder, MANIFEST_FILE))) as VersionManifest;
      if (manifest.digest !== target.digest) throw new Error('the manifest is another version\'s');
      const secrets = target.secrets === '' ? {} : (JSON.parse(unseal(this.#tierKey, `secrets/${target.function}`, target.secrets)) as Record<string, string>);
      const start = await this.#shelf.find(folder, target, seen, Object.keys(secrets), manifest.bundleSha256);
      // A bundle that is evaluated already need not be read.
      const code = start.snapshot === '' ? await textOf(join(folder, BUNDLE_FILE)) : '';
      if (start.snapshot === '' && sha256Hex(code) !== manifest.bundleSha256) throw new Error('the bundle does not match its manifest');
      return {
        code: start.codeCache === '' ? code : eagerBundle(code),
        filename: bundleName(target),
        env: JSON.stringify({ ...manifest.env, ...secrets }),
        secrets: JSON.stringify(secrets),
        start,
      };
    } catch (cause) {
      throw new PlatformError('unavailable', { part: 'the version' }, { cause });
    }
  }

  /** Whether what was loaded is still what lies on disk, and at hand. */
  isCurrent(target: Target, { start }: LoadedVersion): boolean {
    if (start.stamp !== this.#shelf.look(this.#folder(target), target).stamp) return false;
    return start.snapshot === '' || this.#shelf.take(target, start.snapshot) !== null;
  }

  #folder(target: Target): string {
    return versionFolder(this.#dataFolder, target.tier, target.digest);
  }
}
