// The last good answers of functions that want them: in memory, bounded per function and in all, each under the key of whoever got it.
import { mayTake } from '../fair-share.ts';

/** Of all functions together, bytes. */
export const MAX_STORE_BYTES = 64 * 1_048_576;
/** Of one function. */
export const MAX_FUNCTION_BYTES = 16 * 1_048_576;
/** What an answer costs besides its text. */
const ENTRY_BYTES = 512;
/** Answers to one URL and caller that differ by what Vary names. */
const MAX_VARIANTS = 8;

export interface GoodAnswer {
  readonly status: number;
  /** Names and values in turn, parted by line feeds. */
  readonly head: string;
  readonly body: Buffer | null;
  readonly version: number;
  readonly storedAtMs: number;
  readonly usableMs: number;
  /** What the answer depends on: field names and the values that the request had, in turn. */
  readonly vary: readonly string[];
  readonly bytes: number;
}

/** Reads a field of the request at hand. */
export type ReadField = (name: string) => string;

export interface Store {
  bytes: number;
  answers: number;
}

/** The answers of one function, the oldest first. */
export class Shelf {
  readonly #store: Store;
  readonly #byKey = new Map<string, GoodAnswer[]>();
  #bytes = 0;

  constructor(store: Store) {
    this.#store = store;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** @returns the answer to the same request, if it is not older than `ttlMs` and its own rules allow */
  find(key: string, read: ReadField, ttlMs: number, nowMs: number): GoodAnswer | undefined {
    const found = this.#byKey.get(key)?.find((answer) => matches(answer, read));
    return found !== undefined && nowMs - found.storedAtMs <= Math.min(ttlMs, found.usableMs) ? found : undefined;
  }

  /** Takes the place of the former answer to the same request. One too large for the bounds is not kept, and takes the former with it: it is no longer the last. */
  put(key: string, answer: Omit<GoodAnswer, 'bytes'>, read: ReadField): void {
    const others = this.#take(key).filter((former) => !matches(former, read));
    // Of former variants those go that are the oldest, and those that name other fields than this answer does: Vary is of the resource.
    const kept = others.filter((former) => sameNames(former, answer)).slice(0, MAX_VARIANTS - 1);
    for (const former of kept) this.#count(former, 1);
    const bytes = ENTRY_BYTES + key.length + answer.head.length + (answer.body?.length ?? 0) + answer.vary.reduce((sum, part) => sum + part.length, 0);
    const fits = this.#makeRoom(bytes);
    if (fits) {
      const added = { ...answer, bytes };
      kept.unshift(added);
      this.#count(added, 1);
    }
    if (kept.length > 0) this.#byKey.set(key, kept);
  }

  drop(key: string): void {
    this.#take(key);
  }

  /** Removes what nobody may be given any more. */
  sweep(ttlMs: number, nowMs: number): void {
    for (const [key, answers] of this.#byKey) {
      // Keys are in the order in which they were last written, so all that follow are younger.
      if (answers.some((answer) => nowMs - answer.storedAtMs <= ttlMs)) return;
      this.#take(key);
    }
  }

  clear(): void {
    for (const key of this.#byKey.keys()) this.#take(key);
  }

  #take(key: string): GoodAnswer[] {
    const answers = this.#byKey.get(key) ?? [];
    this.#byKey.delete(key);
    for (const answer of answers) this.#count(answer, -1);
    return answers;
  }

  #count({ bytes }: GoodAnswer, sign: 1 | -1): void {
    this.#bytes += sign * bytes;
    this.#store.bytes += sign * bytes;
    this.#store.answers += sign;
  }

  /** The oldest of this function make room; other functions' answers stay. */
  #makeRoom(bytes: number): boolean {
    const fits = (): boolean => this.#bytes + bytes <= MAX_FUNCTION_BYTES && this.#store.bytes + bytes <= MAX_STORE_BYTES && mayTake(this.#bytes + bytes, this.#store.bytes, MAX_STORE_BYTES);
    if (fits()) return true;
    for (const key of this.#byKey.keys()) {
      this.#take(key);
      if (fits()) return true;
    }
    return false;
  }
}

function matches({ vary }: GoodAnswer, read: ReadField): boolean {
  for (let i = 0; i < vary.length; i += 2) if (read(vary[i] ?? '') !== vary[i + 1]) return false;
  return true;
}

function sameNames(a: Pick<GoodAnswer, 'vary'>, b: Pick<GoodAnswer, 'vary'>): boolean {
  return a.vary.length === b.vary.length && a.vary.every((part, i) => i % 2 === 1 || part === b.vary[i]);
}
