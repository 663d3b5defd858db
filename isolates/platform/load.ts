// Reads the built platform: every file is checked against its SHA-256 before V8 sees it, since a damaged snapshot crashes the process.
import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { sha256Hex } from '../../core/crypto/index.ts';

export const PLATFORM_FILES = { manifest: 'manifest.json', runtime: 'runtime.js', freezing: 'freezing.js', snapshot: 'snapshot.bin' } as const;

/** Files of a part that is evaluated on first touch: its script and V8's code cache of it. */
export function partFiles(part: string): { readonly code: string; readonly cache: string } {
  return { code: `part-${part}.js`, cache: `part-${part}.cache` };
}
/** The part whose script this file is. */
export function partOf(file: string): string | undefined {
  return /^part-(.+)\.js$/.exec(file)?.[1];
}

export interface PlatformManifest {
  readonly format: 1;
  readonly node: string;
  readonly v8: string;
  /** SHA-256 (hex) of each file. */
  readonly files: Readonly<Record<string, string>>;
}

export interface LazyPart {
  readonly code: string;
  /** isolated-vm ExternalCopy; null: compile without. */
  readonly cachedData: unknown;
}

/** What isolates are made from. Shared by all isolates of a host. */
export interface Platform {
  /** Names the Node, V8, flags and runtime that it was made by: other data of V8 goes with no other platform. '' when it was not built. */
  readonly key: string;
  /** isolated-vm ExternalCopy of the blob; null: `runtime` is evaluated instead. */
  readonly snapshot: unknown;
  readonly runtime: string;
  readonly lazy: ReadonlyMap<string, LazyPart>;
}

/** A platform's folder is named by its key. */
export function platformKeyOf(folder: string): string {
  return basename(folder);
}

/** The checked bytes of every file, or undefined when anything is missing, damaged, or of another Node. */
export function readPlatform(folder: string): ReadonlyMap<string, Buffer> | undefined {
  const manifestFile = join(folder, PLATFORM_FILES.manifest);
  if (!existsSync(manifestFile)) return undefined;
  try {
    const manifest = JSON.parse(readFileSync(manifestFile, 'utf8')) as PlatformManifest;
    if (manifest.format !== 1 || manifest.node !== process.version || manifest.v8 !== process.versions.v8) return undefined;
    const files = new Map<string, Buffer>();
    for (const [name, digest] of Object.entries(manifest.files)) {
      const bytes = readFileSync(join(folder, name));
      if (sha256Hex(bytes) !== digest) return undefined;
      files.set(name, bytes);
    }
    return files;
  } catch {
    // A half-written or unreadable folder is as good as none: it is built anew.
    return undefined;
  }
}

/**
 * @param external  wraps bytes for isolated-vm (`externalBytes` of vm.ts)
 * @param key  of the folder that the files are from; '': they were made for this process alone, without a snapshot
 */
export function makePlatform(files: ReadonlyMap<string, Buffer>, external: (bytes: Uint8Array) => unknown, key = ''): Platform {
  const text = (name: string): string => files.get(name)?.toString('utf8') ?? '';
  const snapshot = files.get(PLATFORM_FILES.snapshot);
  const lazy = new Map<string, LazyPart>();
  for (const name of files.keys()) {
    const part = partOf(name);
    if (part === undefined) continue;
    const cache = files.get(partFiles(part).cache);
    lazy.set(part, { code: text(name), cachedData: cache === undefined || cache.length === 0 ? null : external(cache) });
  }
  return { key, snapshot: key !== '' && snapshot !== undefined ? external(snapshot) : null, runtime: text(PLATFORM_FILES.runtime), lazy };
}
