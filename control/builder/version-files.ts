// Version folders on disk: written whole or not at all, found again by digest, collected when nothing names them.
import { mkdir, open, readFile, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { randomToken } from '../../core/ids/index.ts';
import { sha256Hex } from '../../core/crypto/index.ts';
import { PlatformError } from '../../core/errors/index.ts';
import { BUNDLE_FILE, MANIFEST_FILE, SOURCE_MAP_FILE, versionFolder } from '../../core/versions/index.ts';
import type { VersionManifest } from '../../core/versions/index.ts';

const TEMPORARY = '.new-';
const contentSchema = z.looseObject({ env: z.record(z.string(), z.string()), bindings: z.record(z.string(), z.unknown()) });
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
  /** Resolves when folders may be removed; undefined: now. */
  readonly removable?: () => Promise<void> | undefined;
}

export class VersionFiles {
  readonly #options: VersionFilesOptions;
  readonly #parent: string;
  /** The last write of each digest under way: deploys of the same content come one after the other, since one would take the other's folder for a damaged one. */
  readonly #writing = new Map<string, Promise<void>>();
  /** Digests that something under way is about to need, with how many times. */
  readonly #held = new Map<string, number>();

  constructor(options: VersionFilesOptions) {
    this.#options = options;
    this.#parent = dirname(versionFolder(options.dataFolder, options.tier, 'x'));
  }

  /** Makes the folder of all versions durable. Once, before the first write. */
  async prepare(): Promise<void> {
    await mkdir(this.#parent, { recursive: true, mode: 0o700 });
    for (let folder = this.#parent; folder.length >= this.#options.dataFolder.length; folder = dirname(folder)) await flush(folder);
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
    const bundleSha256 = sha256Hex(content.bundle);
    await this.#alone(digest, async (folder) => {
      if (await isSound(folder, bundleSha256)) return;
      const manifest: VersionManifest = { format: 1, digest, bundleSha256, env: content.env, bindings: content.bindings, builtAt: new Date().toISOString() };
      await this.#replace(folder, (beside) =>
        Promise.all([
          writeFlushed(join(beside, BUNDLE_FILE), content.bundle),
          writeFlushed(join(beside, SOURCE_MAP_FILE), content.map),
          writeFlushed(join(beside, MANIFEST_FILE), JSON.stringify(manifest)),
        ]));
    });
  }

  /**
   * Copies the folder of `digest` from another tier, with all that was made for it since, unless it is there and sound. As durable as `write`.
   *
   * @returns false when the other tier has no sound one
   * @throws storage_failed
   */
  async copy(digest: string, fromTier: string): Promise<boolean> {
    const source = versionFolder(this.#options.dataFolder, fromTier, digest);
    let copied = true;
    await this.#alone(digest, async (folder) => {
      if (await isSound(folder, null)) return;
      copied = await isSound(source, null);
      if (!copied) return;
      const entries = await readdir(source, { withFileTypes: true });
      await this.#replace(folder, (beside) =>
        Promise.all(entries.filter((entry) => entry.isFile()).map(async ({ name }) => {
          // Never a link: what one tier's process may change must not be what another one's reads. Nor copyFile, which hands on the source's group:
          // the new file's is that of the folder, by which the other tier's hosts read.
          await writeFlushed(join(beside, name), await readFile(join(source, name)));
        })));
    });
    return copied;
  }

  /** Keeps the folder of `digest` from `remove` until the returned function is called, although nothing that is committed names it yet. */
  hold(digest: string): () => void {
    this.#held.set(digest, (this.#held.get(digest) ?? 0) + 1);
    return () => {
      const left = (this.#held.get(digest) ?? 1) - 1;
      if (left === 0) this.#held.delete(digest);
      else this.#held.set(digest, left);
    };
  }

  /** Removes the folder of `digest` unless it is held, or `needed` says when its turn comes that something names it. @throws storage_failed */
  async remove(digest: string, needed: () => boolean): Promise<void> {
    await this.#options.removable?.();
    await this.#alone(digest, async (folder) => {
      if (!this.#held.has(digest) && !needed()) await rm(folder, { recursive: true, force: true });
    });
  }

  /** Runs `task` when all that was asked for the same digest before is over. */
  async #alone(digest: string, task: (folder: string) => Promise<void>): Promise<void> {
    const folder = versionFolder(this.#options.dataFolder, this.#options.tier, digest);
    const before = this.#writing.get(digest) ?? Promise.resolve();
    const mine = before.catch(() => {}).then(() => task(folder)).catch((cause: unknown) => {
      throw new PlatformError('storage_failed', undefined, { cause });
    });
    this.#writing.set(digest, mine);
    try {
      await mine;
    } finally {
      if (this.#writing.get(digest) === mine) this.#writing.delete(digest);
    }
  }

  /** Fills a new folder and puts it in the place of `folder`: whoever looks sees the old one, none, or the whole new one. */
  async #replace(folder: string, fill: (beside: string) => Promise<unknown>): Promise<void> {
    const beside = join(this.#parent, TEMPORARY + randomToken(8));
    try {
      await rm(folder, { recursive: true, force: true });
      // Where hosts have a user of their own, they read by the group that the folder above hands on.
      await mkdir(beside, { mode: 0o750 });
      await fill(beside);
      await flush(beside);
      await rename(beside, folder);
      await flush(this.#parent);
    } catch (thrown) {
      await rm(beside, { recursive: true, force: true }).catch(() => {});
      throw thrown;
    }
  }

  /** Whether the folder of `digest` is there and its bundle is the one that was written. */
  async sound(digest: string): Promise<boolean> {
    return isSound(versionFolder(this.#options.dataFolder, this.#options.tier, digest), null);
  }

  /** Whether the folder of `digest` is there with just the content that the digest was made from. Reads all of it. */
  async whole(digest: string): Promise<boolean> {
    const folder = versionFolder(this.#options.dataFolder, this.#options.tier, digest);
    try {
      const { env, bindings } = contentSchema.parse(JSON.parse(await readFile(join(folder, MANIFEST_FILE), 'utf8')));
      const [bundle, map] = await Promise.all([BUNDLE_FILE, SOURCE_MAP_FILE].map((name) => readFile(join(folder, name), 'utf8')));
      return this.digest({ bundle: bundle ?? '', map: map ?? '', env, bindings }) === digest;
    } catch {
      return false;
    }
  }

  /** The source map of `digest`; undefined when there is none that can be read. */
  async map(digest: string): Promise<string | undefined> {
    return await readFile(join(versionFolder(this.#options.dataFolder, this.#options.tier, digest), SOURCE_MAP_FILE), 'utf8').catch(() => undefined);
  }

  /**
   * Removes what a crash between files and commit left. Only at start, when no write is under way.
   *
   * @param sinceMs  when the store was made, ms since 1970: what is older is not its own. Where a store was lost, gateways go on serving from
   *   their own tables, and those are the files that they need
   * @returns how many folders went
   */
  async collect(known: ReadonlySet<string>, sinceMs: number): Promise<number> {
    let removed = 0;
    for (const entry of await readdir(this.#parent)) {
      if (known.has(entry) || !(DIGEST.test(entry) || entry.startsWith(TEMPORARY))) continue;
      if ((await stat(join(this.#parent, entry))).mtimeMs < sinceMs) continue;
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

async function writeFlushed(path: string, text: string | Uint8Array): Promise<void> {
  const file = await open(path, 'wx', 0o640);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** A file or a folder. */
async function flush(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
