// Iterators of interfaces with pairs: Headers, FormData (Web IDL, section 3.7.10). They are live: each step looks at the pairs of that moment.
import { IteratorPrototype, NativeTypeError, ObjectDefineProperty, reflectApply } from '../../primordials.guest.ts';

export type IterationKind = 'entries' | 'keys' | 'values';
export type Pair<V> = readonly [name: string, value: V];

const { setPrototypeOf } = Object;
const { toStringTag } = Symbol;

/** Makes iterators of one interface; `pairsOf` gives the target's pairs as they are now. */
export function pairIterators<T extends object, V>(interfaceName: string, pairsOf: (target: T) => readonly Pair<V>[]): (target: T, kind: IterationKind) => IterableIterator<unknown> {
  class PairIterator {
    readonly #target: T;
    readonly #kind: IterationKind;
    #at = 0;

    constructor(target: T, kind: IterationKind) {
      this.#target = target;
      this.#kind = kind;
    }

    next(): { value: unknown; done: boolean } {
      const pairs = pairsOf(this.#target);
      const pair = pairs[this.#at];
      if (pair === undefined) return { value: undefined, done: true };
      this.#at += 1;
      return { value: this.#kind === 'entries' ? [pair[0], pair[1]] : this.#kind === 'keys' ? pair[0] : pair[1], done: false };
    }
  }
  const { prototype } = PairIterator;
  setPrototypeOf(prototype, IteratorPrototype);
  delete (prototype as { constructor?: unknown }).constructor;
  ObjectDefineProperty(prototype, 'next', { enumerable: true });
  ObjectDefineProperty(prototype, toStringTag, { value: `${interfaceName} Iterator`, writable: false, enumerable: false, configurable: true });
  return (target, kind) => new PairIterator(target, kind) as unknown as IterableIterator<unknown>;
}

/** `forEach` of an interface with pairs. */
export function forEachPair<T extends object, V>(target: T, pairsOf: () => readonly Pair<V>[], callback: unknown, thisArg: unknown): void {
  if (typeof callback !== 'function') throw new NativeTypeError('forEach needs a function');
  for (let i = 0; ; i++) {
    const pair = pairsOf()[i];
    if (pair === undefined) return;
    reflectApply(callback as never, thisArg, [pair[1], pair[0], target]);
  }
}
