// Builds by content: deploys of the same files share one esbuild run, whether it is under way or lately over.
import type { Builder, Built } from './builder.ts';

export interface BuildCacheOptions {
  /** Characters of bundles and maps that are kept at the most; a build of over a quarter of it is not kept. Default 32 Mi. */
  readonly characters?: number;
}

const CHARACTERS = 32 * 1_048_576;

/**
 * A bundle depends on the files and the name of the main one alone, so their digest finds it. The least recently used goes first. A build
 * that fails is not kept, but those that waited for it get its error.
 */
export class BuildCache {
  readonly #builder: Pick<Builder, 'build'>;
  readonly #limit: number;
  /** In the order of their last use. */
  readonly #kept = new Map<string, Built>();
  readonly #running = new Map<string, Promise<Built>>();
  #characters = 0;

  constructor(builder: Pick<Builder, 'build'>, { characters = CHARACTERS }: BuildCacheOptions = {}) {
    this.#builder = builder;
    this.#limit = characters;
  }

  /** Characters kept. */
  get characters(): number {
    return this.#characters;
  }

  /**
   * @param digest  of `files` and `main`
   * @returns with the time that this call took
   * @throws build_failed  as of Builder.build
   */
  async build(digest: string, files: Readonly<Record<string, string>>, main: string): Promise<Built> {
    const kept = this.#kept.get(digest);
    if (kept !== undefined) {
      this.#kept.delete(digest);
      this.#kept.set(digest, kept);
      return { ...kept, buildMs: 0 };
    }
    const running = this.#running.get(digest);
    if (running !== undefined) return await running;
    const building = this.#builder.build(files, main);
    this.#running.set(digest, building);
    try {
      const built = await building;
      this.#keep(digest, built);
      return built;
    } finally {
      this.#running.delete(digest);
    }
  }

  #keep(digest: string, built: Built): void {
    const size = sizeOf(built);
    if (size > this.#limit / 4) return;
    this.#kept.set(digest, built);
    this.#characters += size;
    for (const [oldest, other] of this.#kept) {
      if (this.#characters <= this.#limit) return;
      this.#kept.delete(oldest);
      this.#characters -= sizeOf(other);
    }
  }
}

const sizeOf = ({ bundle, map }: Built): number => bundle.length + map.length;
