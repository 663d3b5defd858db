// What most functions never ask of Headers: iteration, cookies one by one, pairs as init.
import { sortedHeaders } from '../headers.guest.ts';
import type { Headers } from '../headers.guest.ts';
import { ArrayPrototypeSort, NativeTypeError } from '../primordials.guest.ts';
import { forEachPair, pairIterators } from './shared/pair-iterator.guest.ts';
import type { IterationKind } from './shared/pair-iterator.guest.ts';
import { iterateWith, sequenceOf } from './shared/sequence.guest.ts';

export type HeaderPair = readonly [name: string, value: string];

export interface HeadersPart {
  setCookies(list: readonly string[]): string[];
  sortAndCombine(list: readonly string[]): HeaderPair[];
  iterator(headers: Headers, kind: IterationKind): IterableIterator<unknown>;
  eachHeader(headers: Headers, callback: unknown, thisArg: unknown): void;
  flatPairs(init: object, iterate: unknown): unknown[];
}

export function setCookies(list: readonly string[]): string[] {
  const values: string[] = [];
  for (let i = 0; i < list.length; i += 2) if (list[i] === 'set-cookie') values[values.length] = list[i + 1] as string;
  return values;
}

const byName = (a: HeaderPair, b: HeaderPair): number => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0);

/** Names in order, values of one name combined, cookies apart (Fetch standard, "sort and combine"). */
export function sortAndCombine(list: readonly string[]): HeaderPair[] {
  const pairs: HeaderPair[] = [];
  for (let i = 0; i < list.length; i += 2) pairs[pairs.length] = [list[i] as string, list[i + 1] as string];
  // The sort is stable: what has the same name keeps its order.
  ArrayPrototypeSort(pairs, byName as never);
  const combined: HeaderPair[] = [];
  for (let i = 0; i < pairs.length; i++) {
    const pair = pairs[i] as HeaderPair;
    const last = combined[combined.length - 1];
    if (last === undefined || last[0] !== pair[0] || pair[0] === 'set-cookie') combined[combined.length] = pair;
    else combined[combined.length - 1] = [last[0], `${last[1]}, ${pair[1]}`];
  }
  return combined;
}

export const iterator = pairIterators<Headers, string>('Headers', sortedHeaders);

export function eachHeader(headers: Headers, callback: unknown, thisArg: unknown): void {
  forEachPair(headers, () => sortedHeaders(headers), callback, thisArg);
}

/** Names and values in turn, from a sequence of pairs. */
export function flatPairs(init: object, iterate: unknown): unknown[] {
  const pairs = iterateWith(init, iterate, (pair) => {
    const both = sequenceOf(pair, (text) => `${text as string}`);
    if (both.length !== 2) throw new NativeTypeError('each header must be a name and a value');
    return both;
  }) as [unknown, unknown][];
  const flat: unknown[] = [];
  for (let i = 0; i < pairs.length; i++) {
    flat[flat.length] = pairs[i]?.[0];
    flat[flat.length] = pairs[i]?.[1];
  }
  return flat;
}
