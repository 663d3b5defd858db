// Stacks as authors read them: mapped through the version's source map, which is read when its function first fails.
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type * as tracing from '@jridgewell/trace-mapping';
import type { Target } from '../../core/protocol/index.ts';
import { SOURCE_MAP_FILE, versionFolder } from '../../core/versions/index.ts';
import { bundleName } from '../version-files.ts';
import { mayHoldFrames, rewriteFrames } from './frames.ts';
import type { Lookup } from './frames.ts';
import { WorkBudget } from './work-budget.ts';

/** A larger map is not used: decoding it would hold up the loop for a tenth of a second. Bytes. */
const MAX_MAP_BYTES = 4 * 1_048_576;
/** Maps kept, bytes of their files; in memory each takes several times as much. */
const MAX_CACHED_BYTES = 8 * 1_048_576;
/** Versions without a usable map cost an entry too. */
const ENTRY_BYTES = 1_024;
/** Texts that wait for maps; more stay as they are. */
const MAX_WAITING = 1_000;

type Tracing = typeof tracing;

interface CachedMap {
  /** null: there is none, or none that can be used. */
  readonly map: tracing.TraceMap | null;
  readonly bytes: number;
}

export class StackMapper {
  readonly #dataFolder: string;
  readonly #budget = new WorkBudget();
  /** By digest, the one used last at the end. */
  readonly #maps = new Map<string, CachedMap>();
  readonly #loading = new Map<string, Promise<CachedMap>>();
  #cachedBytes = 0;
  #waiting = 0;
  #tracing: Tracing | undefined;

  constructor(dataFolder: string) {
    this.#dataFolder = dataFolder;
  }

  /** @returns the text at once when its map is here or not needed; else a promise, which never rejects */
  map(target: Target, text: string): string | Promise<string> {
    const filename = bundleName(target);
    if (!mayHoldFrames(text, filename)) return text;
    if (!text.includes(filename) || !this.#budget.allows(target.function, performance.now())) return rewriteFrames(text, filename, null);
    const cached = this.#maps.get(target.digest);
    if (cached !== undefined) return this.#rewrite(target, filename, text, cached);
    if (this.#waiting >= MAX_WAITING) return rewriteFrames(text, filename, null);
    this.#waiting += 1;
    return this.#load(target).then((loaded) => {
      this.#waiting -= 1;
      return this.#rewrite(target, filename, text, loaded);
    });
  }

  #rewrite({ function: fn, digest }: Target, filename: string, text: string, cached: CachedMap): string {
    if (this.#maps.get(digest) === cached) {
      this.#maps.delete(digest);
      this.#maps.set(digest, cached);
    }
    // Many may have waited for the same map.
    const lookup = cached.map === null || !this.#budget.allows(fn, performance.now()) ? null : this.#lookup(cached.map);
    return this.#charged(fn, () => rewriteFrames(text, filename, lookup));
  }

  #lookup(map: tracing.TraceMap): Lookup {
    return (line, column) => {
      const found = line > 0 && column > 0 ? this.#tracing?.originalPositionFor(map, { line, column: column - 1 }) : undefined;
      if (found === undefined || found.source === null) return undefined;
      return `${withoutRoot(found.source)}:${found.line}:${found.column + 1}`;
    };
  }

  #load(target: Target): Promise<CachedMap> {
    const { digest } = target;
    let loading = this.#loading.get(digest);
    if (loading === undefined) {
      loading = this.#read(target).then((cached) => {
        this.#loading.delete(digest);
        this.#keep(digest, cached);
        return cached;
      });
      this.#loading.set(digest, loading);
    }
    return loading;
  }

  async #read({ function: fn, tier, digest }: Target): Promise<CachedMap> {
    try {
      const text = await readBounded(join(versionFolder(this.#dataFolder, tier, digest), SOURCE_MAP_FILE));
      if (text === undefined) return { map: null, bytes: ENTRY_BYTES };
      this.#tracing ??= await import('@jridgewell/trace-mapping');
      const { TraceMap, traceSegment } = this.#tracing;
      const map = this.#charged(fn, () => {
        const made = new TraceMap(text);
        // Decodes, which is most of the work.
        traceSegment(made, 0, 0);
        return made;
      });
      return { map, bytes: text.length + ENTRY_BYTES };
    } catch {
      // No map, or a damaged one: stacks show places in the bundle.
      return { map: null, bytes: ENTRY_BYTES };
    }
  }

  /** Runs it, counting its CPU time: on a busy machine the wall clock would charge for what others do. */
  #charged<T>(fn: string, work: () => T): T {
    const before = process.threadCpuUsage();
    const result = work();
    const { user, system } = process.threadCpuUsage(before);
    this.#budget.spend(fn, (user + system) / 1_000, performance.now());
    return result;
  }

  #keep(digest: string, cached: CachedMap): void {
    this.#maps.set(digest, cached);
    this.#cachedBytes += cached.bytes;
    for (const [oldest, { bytes }] of this.#maps) {
      if (this.#cachedBytes <= MAX_CACHED_BYTES || oldest === digest) return;
      this.#maps.delete(oldest);
      this.#cachedBytes -= bytes;
    }
  }
}

/** @returns undefined when it is too large */
async function readBounded(path: string): Promise<string | undefined> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    return size > MAX_MAP_BYTES ? undefined : await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

/** The builder's paths are relative to the author's root; whatever else a map says, no path of the machine is shown. */
function withoutRoot(source: string): string {
  return source.replace(/^(?:\.{0,2}\/)+/, '');
}
