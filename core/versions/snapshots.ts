// Version snapshots and code caches on disk: where they lie, what describes them, and every reason why there is none.
import { join } from 'node:path';
import { z } from 'zod';

/** Why a version has no snapshot, or why a host did not use the one that it has. The codes are stable; docs/runtime/snapshots.md lists them. */
export const SNAPSHOT_REASONS = {
  // Found while building.
  not_earned: 'evaluating the module is quick enough',
  touches_secret: 'the module looks at a secret while it is evaluated',
  touches_fetch: 'the module calls out while it is evaluated',
  touches_timer: 'the module starts a timer while it is evaluated',
  touches_random: 'the module draws random numbers while it is evaluated',
  touches_clock: 'the module reads the time while it is evaluated',
  touches_host: 'the module asks the host for something else while it is evaluated',
  touches_intl: 'the module makes objects of Intl while it is evaluated',
  touches_wasm: 'the module looks at WebAssembly while it is evaluated',
  touches_finalization: 'the module looks at FinalizationRegistry while it is evaluated',
  touches_unavailable: 'the module looks at a member that V8 lacks while it makes a snapshot',
  globals_frozen: 'the module froze globalThis, or took a name on it that the platform needs',
  threw: 'the module threw while it was evaluated',
  hook_threw: 'onSnapshot or onRestore threw, or waited for something that does not come',
  differs: 'the module did something else when it was evaluated again',
  wasm: 'functions with WebAssembly run on hosts with other flags of V8',
  too_large: 'the snapshot is larger than hosts take',
  build_timeout: 'building took too long',
  build_aborted: 'the process that built it died: mostly of memory',
  not_verified: 'the finished snapshot did not restore',
  // Found by the control plane.
  switched_off: 'version snapshots are switched off for this version',
  switched_off_node: 'version snapshots are switched off on this node',
  not_built: 'it is built when the version gets traffic',
  no_platform: 'the platform snapshot is missing',
  storage_failed: 'the disk refused it',
  // Found by a host.
  missing: 'the file is gone',
  corrupt: 'the file is not the one that was written',
  other_platform: 'it was made by another Node, V8, processor, flags or platform',
  other_version: 'it was made for another version, function or tenant',
  over_memory: 'it takes too much of the memory limit of the function, or of what hosts keep',
  restore_failed: 'the isolate could not be made, or was killed while it was restored',
} as const;
export type SnapshotReason = keyof typeof SNAPSHOT_REASONS;

export function isSnapshotReason(text: string): text is SnapshotReason {
  return Object.hasOwn(SNAPSHOT_REASONS, text);
}

/** Reasons of a host by which the files are at fault: a build makes them anew. */
export const REBUILD_REASONS: readonly SnapshotReason[] = ['missing', 'corrupt', 'other_platform', 'other_version'];

/** Evaluating below this many milliseconds of CPU time earns no snapshot: a blob of its own costs each isolate 0.4 MB and keeps it from using a spare one. */
export const EARNED_MS = 5;

/** Larger blobs are not kept: restoring takes about 4 ms a megabyte. */
export const MAX_SNAPSHOT_BYTES = 32 * 1_048_576;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** What V8 data depends on. V8 itself refuses some mismatches and crashes on others. */
export const engineSchema = z.strictObject({
  node: z.string(),
  v8: z.string(),
  arch: z.string(),
  /** `v8.cachedDataVersionTag()`: V8's version, its flags and the processor's features. */
  tag: z.number(),
  /** Key of the platform that it was made on. */
  platform: z.string(),
});
export type Engine = z.infer<typeof engineSchema>;

/** `snapshots/FUNCTION@VERSION.json` in a version's folder. */
export const snapshotFileSchema = z.strictObject({
  format: z.literal(1),
  tenant: z.string(),
  function: z.string(),
  version: z.number(),
  digest: z.string(),
  engine: engineSchema,
  /** Names of the variables that the module used while it was evaluated; `*`: it listed all. A secret of such a name makes it void. */
  environment: z.array(z.string()),
  /** Of the blob, whose name in `snapshots/` begins with it. */
  sha256,
  bytes: z.number(),
  /** What a restored heap takes before its first request. */
  heapBytes: z.number(),
});
export type SnapshotFile = z.infer<typeof snapshotFileSchema>;

/** `code-cache.json` in a version's folder: V8's code cache of the bundle, for isolates of the platform snapshot. */
export const codeCacheFileSchema = z.strictObject({ format: z.literal(1), bundleSha256: sha256, engine: engineSchema, sha256, bytes: z.number() });
export type CodeCacheFile = z.infer<typeof codeCacheFileSchema>;

export const SNAPSHOT_FOLDER = 'snapshots';
export const CODE_CACHE_FILE = 'code-cache.json';

/** Description of a version's snapshot, in the version's folder. */
export function snapshotFile(folder: string, fn: string, version: number): string {
  return join(folder, SNAPSHOT_FOLDER, `${fn}@${version}.json`);
}

/** A blob has its digest in its name, so that a description never names another's bytes. */
export function snapshotBlob(folder: string, digest: string): string {
  return join(folder, SNAPSHOT_FOLDER, `${digest}.bin`);
}

export function codeCacheBlob(folder: string, digest: string): string {
  return join(folder, `code-cache-${digest.slice(0, 16)}.bin`);
}

/** Whether a module that used these variables may be restored where these secrets exist. */
export function touchesSecret(environment: readonly string[], secretNames: readonly string[]): boolean {
  return secretNames.length > 0 && (environment.includes('*') || secretNames.some((name) => environment.includes(name)));
}

const BUNDLE_HEAD = /^__thimble_define\((async )?function/;

/**
 * The bundle as it is compiled with a code cache: V8 compiles a function in parentheses with the script, and so puts it into the cache. The first
 * line is the bundle's prefix, so no line or column of the author's moves.
 */
export function eagerBundle(bundle: string): string {
  const end = bundle.lastIndexOf('});');
  if (!BUNDLE_HEAD.test(bundle) || end < 0) return bundle;
  return `${bundle.slice(0, end).replace('(', '((')}}));${bundle.slice(end + 3)}`;
}
