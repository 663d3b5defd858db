// The blobs of one host: read once, checked before V8 sees them, shared by all isolates of their version, bounded in bytes.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { sha256Hex } from '../../core/crypto/index.ts';
import type { Logger } from '../../core/log/index.ts';
import type { HostFigures, Target } from '../../core/protocol/index.ts';
import { CODE_CACHE_FILE, MAX_SNAPSHOT_BYTES, codeCacheBlob, codeCacheFileSchema, snapshotBlob, snapshotFile, snapshotFileSchema, touchesSecret } from '../../core/versions/index.ts';
import type { SnapshotFile, SnapshotReason } from '../../core/versions/index.ts';
import { readWhole } from '../quick-read.ts';
import { sameEngine, thisEngine } from './engine.ts';
import { FallBacks } from './fall-backs.ts';

/** Bytes of blobs and code caches that a host keeps besides those of isolates that live. */
const SHELF_BYTES = 256 * 1_048_576;
const MIB = 1_048_576;
/** Of a function's memory limit that its snapshot may take. */
const HEAP_SHARE = 0.75;
/** What is hashed on the loop, 0.8 ms a megabyte: a hop to a thread and back takes longer. */
const HASHED_AT_ONCE_BYTES = 4 * 1_048_576;
/** Snapshots that failed here, and are not tried again. */
const MAX_REFUSED = 10_000;

export interface ShelfOptions {
  /** Key of the platform in use; '': there is none, and nothing is ever loaded. */
  readonly platform: string;
  /** The node-wide switch. */
  readonly snapshots: boolean;
  /** Wraps bytes for isolated-vm (`externalBytes` of vm.ts). */
  readonly external: (bytes: Uint8Array) => unknown;
  readonly logger: Logger;
  /** Default 256 MiB. */
  readonly bytes?: number;
}

/** The files of a version that isolates could start from, unread. */
export interface Seen {
  /** Changes when other files lie in the version's folder. */
  readonly stamp: string;
  readonly snapshot: boolean;
  readonly codeCache: boolean;
}
const NOTHING: Seen = { stamp: '', snapshot: false, codeCache: false };

/** What a version's isolates start from, besides its bundle. */
export interface StartData {
  /** Of the files that this was found in. */
  readonly stamp: string;
  /** Digest of the snapshot's blob; '': evaluate. */
  readonly snapshot: string;
  /** Digest of the code cache's blob; '': there is none. */
  readonly codeCache: string;
}

interface Kept {
  readonly external: unknown;
  readonly bytes: number;
}

export class SnapshotShelf {
  readonly #options: Required<ShelfOptions>;
  /** By digest of version and blob, the one used last at the end. */
  readonly #kept = new Map<string, Kept>();
  readonly #refused = new Map<string, SnapshotReason>();
  readonly fallBacks: FallBacks;
  #bytes = 0;
  #loaded = 0;

  constructor(options: ShelfOptions) {
    this.#options = { bytes: SHELF_BYTES, ...options };
    this.fallBacks = new FallBacks(options.logger);
  }

  /** For one frame: what has fallen back is told once. */
  takeFigures(): HostFigures['snapshots'] {
    return { restored: this.#loaded, bytes: this.#bytes, fallBacks: { ...this.fallBacks.counts }, fallen: this.fallBacks.takeRows() };
  }

  /** Which files a version has, and whether they have changed: two looks at its folder, 10 µs. */
  look(folder: string, target: Target): Seen {
    if (this.#options.platform === '') return NOTHING;
    const changed = (path: string): number => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    const snapshot = this.#options.snapshots ? changed(snapshotFile(folder, target.function, target.version)) : 0;
    const codeCache = changed(join(folder, CODE_CACHE_FILE));
    return { stamp: `${snapshot} ${codeCache}`, snapshot: snapshot > 0, codeCache: codeCache > 0 };
  }

  /**
   * Finds what a version starts from and has it at hand. Never rejects: whatever is wrong with a file, the next of the chain is taken.
   *
   * @param bundleSha256  of the version's manifest
   */
  async find(folder: string, target: Target, seen: Seen, secretNames: readonly string[], bundleSha256: string): Promise<StartData> {
    const snapshot = seen.snapshot ? await this.#findSnapshot(folder, target, secretNames) : '';
    const codeCache = snapshot === '' && seen.codeCache ? await this.#findCodeCache(folder, target, bundleSha256) : '';
    return { stamp: seen.stamp, snapshot, codeCache };
  }

  /** The blob for isolated-vm; null when it has been dropped meanwhile: find it again. */
  take(target: Target, sha256: string): unknown {
    const key = keyOf(target, sha256);
    const kept = this.#kept.get(key);
    if (kept === undefined) return null;
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    return kept.external;
  }

  /** An isolate was restored from it. */
  restored(): void {
    this.#loaded += 1;
  }

  /** This snapshot is not used again by this host. */
  refuse(target: Target, sha256: string, reason: SnapshotReason): void {
    this.#drop(keyOf(target, sha256));
    this.#refused.set(refusalOf(target, sha256), reason);
    for (const oldest of this.#refused.keys()) {
      if (this.#refused.size <= MAX_REFUSED) break;
      this.#refused.delete(oldest);
    }
    this.fallBacks.add(target, sha256, reason);
  }

  /** Nobody names the version any more. */
  forget(target: Target, { snapshot, codeCache }: StartData): void {
    this.#drop(keyOf(target, snapshot));
    this.#drop(keyOf(target, codeCache));
  }

  /** @returns digest of the blob, '' when the version is evaluated */
  async #findSnapshot(folder: string, target: Target, secretNames: readonly string[]): Promise<string> {
    const text = await readText(snapshotFile(folder, target.function, target.version));
    // Withdrawn in this moment.
    if (text === undefined) return '';
    const file = parsed(snapshotFileSchema, text);
    if (file === undefined) return this.#fallBack(target, '', 'corrupt');
    const wrong = this.#refused.get(refusalOf(target, file.sha256)) ?? this.#unfit(file, target, secretNames);
    if (wrong !== undefined) return this.#fallBack(target, file.sha256, wrong);
    const refusal = await this.#keep(keyOf(target, file.sha256), snapshotBlob(folder, file.sha256), file);
    return refusal === undefined ? file.sha256 : this.#fallBack(target, file.sha256, refusal);
  }

  #fallBack(target: Target, sha256: string, reason: SnapshotReason): '' {
    this.fallBacks.add(target, sha256, reason);
    return '';
  }

  #unfit(file: SnapshotFile, target: Target, secretNames: readonly string[]): SnapshotReason | undefined {
    if (file.function !== target.function || file.version !== target.version || file.digest !== target.digest || file.tenant !== target.tenant) return 'other_version';
    if (!sameEngine(file.engine, thisEngine(this.#options.platform))) return 'other_platform';
    if (file.bytes > MAX_SNAPSHOT_BYTES) return 'too_large';
    // V8 aborts the process when a heap does not take what is restored into it.
    if (file.heapBytes > target.memoryMb * MIB * HEAP_SHARE) return 'over_memory';
    return touchesSecret(file.environment, secretNames) ? 'touches_secret' : undefined;
  }

  async #findCodeCache(folder: string, target: Target, bundleSha256: string): Promise<string> {
    const text = await readText(join(folder, CODE_CACHE_FILE));
    const file = text === undefined ? undefined : parsed(codeCacheFileSchema, text);
    if (file === undefined || file.bundleSha256 !== bundleSha256 || !sameEngine(file.engine, thisEngine(this.#options.platform))) return '';
    const refusal = await this.#keep(keyOf(target, file.sha256), codeCacheBlob(folder, file.sha256), file);
    return refusal === undefined ? file.sha256 : '';
  }

  /** @returns why it can't be kept */
  async #keep(key: string, path: string, { sha256, bytes }: { readonly sha256: string; readonly bytes: number }): Promise<SnapshotReason | undefined> {
    if (this.#kept.has(key)) return undefined;
    if (bytes > this.#options.bytes) return 'over_memory';
    let blob: Uint8Array<ArrayBuffer>;
    try {
      const found = readWhole(path);
      blob = found instanceof Promise ? await found : found;
    } catch {
      return 'missing';
    }
    const digest = blob.length <= HASHED_AT_ONCE_BYTES ? sha256Hex(blob) : await sha256OffThread(blob);
    if (blob.length !== bytes || digest !== sha256) return 'corrupt';
    if (this.#kept.has(key)) return undefined;
    this.#kept.set(key, { external: this.#options.external(blob), bytes });
    this.#bytes += bytes;
    for (const oldest of this.#kept.keys()) {
      if (this.#bytes <= this.#options.bytes) break;
      this.#drop(oldest);
    }
    return undefined;
  }

  #drop(key: string): void {
    const kept = this.#kept.get(key);
    if (kept === undefined) return;
    this.#kept.delete(key);
    this.#bytes -= kept.bytes;
  }
}

/** A blob belongs to one version of one function of one tenant, even where another has the same bytes. */
function keyOf({ tenant, function: fn, version, digest }: Target, sha256: string): string {
  return `${tenant} ${fn}@${version} ${digest} ${sha256}`;
}

function refusalOf({ function: fn, version }: Target, sha256: string): string {
  return `${fn}@${version} ${sha256}`;
}

async function readText(path: string): Promise<string | undefined> {
  try {
    const found = readWhole(path);
    const bytes = found instanceof Promise ? await found : found;
    return Buffer.from(bytes.buffer).toString('utf8');
  } catch {
    return undefined;
  }
}

function parsed<T>(schema: { safeParse(value: unknown): { success: true; data: T } | { success: false } }, text: string): T | undefined {
  try {
    const result = schema.safeParse(JSON.parse(text));
    return result.success ? result.data : undefined;
  } catch {
    return undefined;
  }
}

/** Megabytes take milliseconds: not on the loop. */
async function sha256OffThread(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return Buffer.from(await crypto.subtle.digest('SHA-256', bytes)).toString('hex');
}
