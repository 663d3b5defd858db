// The files of a built version, written by the control plane and read by hosts: DATA/versions/TIER/DIGEST/.
import { join } from 'node:path';

/** `manifest.json`. Everything in it is covered by the digest but `builtAt`. */
export interface VersionManifest {
  readonly format: 1;
  readonly digest: string;
  /** SHA-256 (hex) of `bundle.js`; a host refuses a bundle that does not match. */
  readonly bundleSha256: string;
  /** The environment that this version froze. Secrets are not in here: they belong to the function. */
  readonly env: Readonly<Record<string, string>>;
  readonly bindings: Readonly<Record<string, unknown>>;
  readonly builtAt: string;
}

export const BUNDLE_FILE = 'bundle.js';
export const SOURCE_MAP_FILE = 'bundle.js.map';
export const MANIFEST_FILE = 'manifest.json';

/**
 * What a bundle looks like: one classic script that hands a CommonJS-style factory to the runtime. The prefix is the first line,
 * so every source line moves down by one. `__thimble(NAME)` gives the built-in modules that need the host (isolates/runtime/builtins.guest.ts).
 */
export const BUNDLE_PREFIX = '__thimble_define(function (module, exports, __thimble) {';
/**
 * The prefix of a bundle with top-level await: the factory gives a promise, and its first argument's `exports` is whole when that resolves.
 * What follows was a module, which may have a `module` and an `exports` of its own: hence the other names.
 */
export const ASYNC_BUNDLE_PREFIX = '__thimble_define(async function (__thimble_module, __thimble_exports, __thimble) {';
export const BUNDLE_SUFFIX = '});';

export function versionFolder(dataFolder: string, tier: string, digest: string): string {
  return join(dataFolder, 'versions', tier, digest);
}

export {
  CODE_CACHE_FILE, EARNED_MS, MAX_SNAPSHOT_BYTES, REBUILD_REASONS, SNAPSHOT_FOLDER, SNAPSHOT_REASONS, codeCacheBlob, codeCacheFileSchema, eagerBundle, engineSchema, isSnapshotReason, snapshotBlob, snapshotFile, snapshotFileSchema,
  touchesSecret,
} from './snapshots.ts';
export type { CodeCacheFile, Engine, SnapshotFile, SnapshotReason } from './snapshots.ts';
export { buildJobSchema, buildMessageSchema, decodeMessages, encodeMessage, verifyJobSchema, verifyMessageSchema } from './snapshot-job.ts';
export type { BuildJob, BuildMessage, DecodedMessage, VerifyJob, VerifyMessage } from './snapshot-job.ts';
