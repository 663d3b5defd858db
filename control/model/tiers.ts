// Trust tiers of the node: whose keys there are, and how a function's files come to another tier before its record says so.
import { setTimeout as sleep } from 'node:timers/promises';
import { toPlatformError, PlatformError } from '../../core/errors/index.ts';
import type { Logger } from '../../core/log/index.ts';
import type { TierFiles } from '../builder/index.ts';
import type { Catalog } from './catalog.ts';

export interface TiersOptions {
  /** Key of each tier that this node has hosts for. */
  readonly keys: ReadonlyMap<string, Buffer>;
  readonly catalog: Catalog;
  readonly files: TierFiles;
  readonly logger: Logger;
  /** How long the folders of the former tier stay after a move, milliseconds. Default 60,000. */
  readonly leaveMs?: number;
}

/** Files of one function in the tier that it is about to have. */
export interface Brought {
  readonly tier: string;
  readonly digests: ReadonlySet<string>;
}

/** A host of the former tier may be about to load what it was asked for before the move. */
const LEAVE_MS = 60_000;
/** Folders copied at the same time. */
const AT_ONCE = 8;

export class Tiers {
  readonly #options: TiersOptions;

  constructor(options: TiersOptions) {
    this.#options = options;
  }

  get names(): readonly string[] {
    return [...this.#options.keys.keys()];
  }

  /** @returns undefined when the node has no such tier (any more) */
  key(tier: string): Buffer | undefined {
    return this.#options.keys.get(tier);
  }

  /** @throws invalid  the node has no such tier */
  check(tier: string): void {
    if (this.#options.keys.has(tier)) return;
    throw new PlatformError('invalid', { errors: [{ path: 'tier', message: `must be one of ${this.names.join(', ')}` }] });
  }

  /**
   * Runs `commit` with the files of all versions of `name` in place in `tier`, durable. A crash at any moment leaves the function whole in one
   * tier: the record that `commit` writes decides which, and the copies of the other are removed at the next start.
   *
   * @param commit  gets what was brought; must refuse what it does not cover, since a version may be made meanwhile
   */
  async move<T>(name: string, tier: string, commit: (brought: Brought) => Promise<T>): Promise<T> {
    const { catalog, files, logger } = this.#options;
    const { record } = catalog.require(name);
    const digests = [...this.needed(name)];
    const releases = digests.map((digest) => files.of(tier).hold(digest));
    try {
      for (let at = 0; at < digests.length; at += AT_ONCE) {
        await Promise.all(digests.slice(at, at + AT_ONCE).map(async (digest) => {
          // Without it the version runs in neither tier: nothing gets worse.
          if (!(await files.of(tier).copy(digest, record.tier))) logger.error({ function: name, digest, tier: record.tier }, 'the files of a version are missing or damaged: deploy it again');
        }));
      }
      return await commit({ tier, digests: new Set(digests) });
    } finally {
      for (const release of releases) release();
      // Of the two tiers the one that the function is not in. After a failed commit nobody can have used the copies.
      void this.#leave(record.tier, digests, this.#options.leaveMs ?? LEAVE_MS);
      void this.#leave(tier, digests, 0);
    }
  }

  /** Digests of the versions that the function may run. */
  needed(name: string): Set<string> {
    const { catalog } = this.#options;
    const { firstVersion } = catalog.require(name).record;
    return new Set([...catalog.digests(name)].filter(([version]) => version >= firstVersion).map(([, digest]) => digest));
  }

  async #leave(tier: string, digests: readonly string[], afterMs: number): Promise<void> {
    const { catalog, files, logger } = this.#options;
    await sleep(afterMs, undefined, { ref: false });
    const known = catalog.digestsOf(tier);
    for (const digest of digests) {
      if (known.has(digest)) continue;
      try {
        await files.of(tier).remove(digest, () => catalog.digestsOf(tier).has(digest));
      } catch (thrown) {
        // The next start collects it.
        logger.warn({ code: toPlatformError(thrown).code, digest, tier }, 'a folder of a former tier cannot be removed');
      }
    }
  }
}
