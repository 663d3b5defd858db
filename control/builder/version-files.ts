// Version folders on disk: written whole or not at all, found again by digest, collected when nothing names them.
import { mkdir, open, readFile, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { randomToken } from '../../core/ids/index.ts';
import { sha256Hex } from '../../core/crypto/index.ts';
import { PlatformError } from '../../core/errors/index.ts';
import { BUNDLE_FILE, MANIFEST_FILE, SOURCE_MAP_FILE, versionFolder } from '../../core/versions/index.ts';
import type { VersionManifest } from '../../core/versions/index.ts';

const TEMPORARY = '.new-';
const DIGEST = /^sha256-[0-9a-f]{64}$/;

export interface VersionContent {
  readonly bundle: string;
  readonly map: string;
  readonly env: Readonly<Record<string, string>>;
  readonly bindings: Readonly<Record<string, unknown>>;
}

export interface VersionFilesOptions {
  readonly dataFolder: string;
  readonly tier: string;
  /** Canonical JSON, for the digest. */
  readonly canonical: (value: unknown) => string;
}

export class VersionFiles {
  readonly #options: VersionFilesOptions;
  readonly #parent: string;
  /** The last write of each digest under way: deploys of the same content come one after the other, since one would take the other's folder for a damaged one. */
  readonly #writing = new Map<string, Promise<void>>();

  constructor(options: VersionFilesOptions) {
    this.#options = options;
    this.#parent = dirname(versionFolder(options.dataFolder, options.tier, 'x'));
  }

  /** Makes the folder of all versions durable. Once, before the first write. */
  async prepare(): Promise<void> {
    await mkdir(this.#parent, { recursive: true, mode: 0o700 });
    for (let folder = this.#parent; folder.length >= this.#options.dataFolder.length; folder = dirname(folder)) await flushFolder(folder);
  }

  /** `sha256-` over code, environment and bindings. The map counts as code: with other line numbers, stacks would name wrong places. */
  digest(content: VersionContent): string {
    const parts = { format: 1, bundle: sha256Hex(content.bundle), map: sha256Hex(content.map), env: content.env, bindings: content.bindings };
    return `sha256-${sha256Hex(this.#options.canonical(parts))}`;
  }

  /**
   * Writes the folder of `digest` unless it is there and sound. When it resolves, the files are on disk under their final name.
   *
   * @throws storage_failed  nothing that a host could read was left behind
   */
  async write(digest: string, content: VersionContent): Promise<void> {
    const before = this.#writing.get(digest) ?? Promise.resolve();
    const mine = before.catch(() => {}).then(() => this.#writeAlone(digest, content));
    this.#writing.set(digest, mine);
    try {
      await mine;
    } finally {
      if (this.#writing.get(digest) === mine) this.#writing.delete(digest);
    }
  }

  async #writeAlone(digest: string, content: VersionContent): Promise<void> {
    const folder = versionFolder(this.#options.dataFolder, this.#options.tier, digest);
    const beside = join(this.#parent, TEMPORARY + randomToken(8));
    const bundleSha256 = sha256Hex(content.bundle);
    try {
      if (await isSound(folder, bundleSha256)) return;
      await rm(folder, { recursive: true, force: true });
      // Where hosts have a user of their own, they read by the group that the folder above hands on.
      await mkdir(beside, { mode: 0o750 });
      const manifest: VersionManifest = { format: 1, digest, bundleSha256, env: content.env, bindings: content.bindings, builtAt: new Date().toISOString() };
      await Promise.all([
        writeFlushed(join(beside, BUNDLE_FILE), content.bundle),
        writeFlushed(join(beside, SOURCE_MAP_FILE), content.map),
        writeFlushed(join(beside, MANIFEST_FILE), JSON.stringify(manifest)),
      ]);
      await flushFolder(beside);
      await rename(beside, folder);
      await flushFolder(this.#parent);
    } catch (cause) {
      await rm(beside, { recursive: true, force: true }).catch(() => {});
      throw new PlatformError('storage_failed', undefined, { cause });
    }
  }

  /** Whether the folder of `digest` is there and its bundle is the one that was written. */
  async sound(digest: string): Promise<boolean> {
    return isSound(versionFolder(this.#options.dataFolder, this.#options.tier, digest), null);
  }

  /** Removes what a crash between files and commit left. Only at start, when no write is under way. @returns how many folders went */
  async collect(known: ReadonlySet<string>): Promise<number> {
    let removed = 0;
    for (const entry of await readdir(this.#parent)) {
      if (known.has(entry) || !(DIGEST.test(entry) || entry.startsWith(TEMPORARY))) continue;
      await rm(join(this.#parent, entry), { recursive: true, force: true });
      removed += 1;
    }
    return removed;
  }
}

/** @param bundleSha256  null: what the manifest says */
async function isSound(folder: string, bundleSha256: string | null): Promise<boolean> {
  try {
    const manifest = z.looseObject({ bundleSha256: z.string() }).parse(JSON.parse(await readFile(join(folder, MANIFEST_FILE), 'utf8')));
    const bundle = await readFile(join(folder, BUNDLE_FILE));
    return sha256Hex(bundle) === manifest.bundleSha256 && (bundleSha256 === null || manifest.bundleSha256 === bundleSha256);
  } catch {
    return false;
  }
}

async function writeFlushed(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o640);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function flushFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
