// What memory holds of every version: its digest, who else has it, and how often its sources are used. The rest is read when it is asked for.
import { z } from 'zod';

/** All that a start reads of a version's record: tens of thousands of them are there, and a full check costs ten times as much. */
export const indexedVersionSchema = z.object({ digest: z.string(), sources: z.string() });
type Indexed = z.infer<typeof indexedVersionSchema>;

const NONE: ReadonlyMap<number, string> = new Map();

export class VersionIndex {
  /** In order of the numbers; also of functions that were deleted. */
  readonly #digests = new Map<string, Map<number, string>>();
  readonly #sources = new Map<string, Map<number, string>>();
  /** Names by digest, one for each version that has it. */
  readonly #holders = new Map<string, string[]>();
  /** Versions by digest of their sources. */
  readonly #uses = new Map<string, number>();

  digests(name: string): ReadonlyMap<number, string> {
    return this.#digests.get(name) ?? NONE;
  }

  get size(): number {
    let size = 0;
    for (const versions of this.#digests.values()) size += versions.size;
    return size;
  }

  /** Every name with its versions. */
  all(): Iterable<readonly [name: string, digests: ReadonlyMap<number, string>]> {
    return this.#digests;
  }

  /** Names of the functions of which some version has this digest, each once for each such version. */
  holders(digest: string): readonly string[] {
    return this.#holders.get(digest) ?? [];
  }

  /** How many versions were made from these sources. */
  uses(sources: string): number {
    return this.#uses.get(sources) ?? 0;
  }

  sources(name: string, version: number): string | undefined {
    return this.#sources.get(name)?.get(version);
  }

  set(name: string, version: number, { digest, sources }: Indexed): void {
    this.delete(name, version);
    inner(this.#digests, name).set(version, digest);
    inner(this.#sources, name).set(version, sources);
    const holders = this.#holders.get(digest);
    if (holders === undefined) this.#holders.set(digest, [name]);
    else holders.push(name);
    this.#uses.set(sources, this.uses(sources) + 1);
  }

  delete(name: string, version: number): void {
    const digest = this.#digests.get(name)?.get(version);
    const sources = this.sources(name, version);
    if (digest === undefined || sources === undefined) return;
    for (const map of [this.#digests, this.#sources]) {
      map.get(name)?.delete(version);
      if (map.get(name)?.size === 0) map.delete(name);
    }
    const holders = this.#holders.get(digest) ?? [];
    holders.splice(holders.indexOf(name), 1);
    if (holders.length === 0) this.#holders.delete(digest);
    const uses = this.uses(sources) - 1;
    if (uses === 0) this.#uses.delete(sources);
    else this.#uses.set(sources, uses);
  }
}

function inner(maps: Map<string, Map<number, string>>, name: string): Map<number, string> {
  let map = maps.get(name);
  if (map === undefined) maps.set(name, (map = new Map()));
  return map;
}
