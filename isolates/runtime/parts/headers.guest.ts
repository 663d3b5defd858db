// What most functions never ask of Headers: iteration, cookies one by one, pairs as init.
import { sortedHeaders } from '../headers.guest.ts';
import type { Headers } from '../headers.guest.ts';
import { ArrayPrototypeSort, NativeTypeError, reflectApply, symbolIterator } from '../primordials.guest.ts';
import { forEachPair, pairIterators } from './shared/pair-iterator.guest.ts';
import type { IterationKind } from './shared/pair-iterator.guest.ts';

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

type Step = { readonly done?: unknown; readonly value?: unknown };

/** Web IDL's conversion to a sequence (section 3.2.21): the values, or a TypeError for what can't be iterated. */
function sequence(value: unknown, method: unknown): unknown[] {
  if (typeof method !== 'function') throw new NativeTypeError('headers must be an object, pairs or Headers');
  const iteration = reflectApply(method as never, value, []) as { next(): Step } | null;
  if ((typeof iteration !== 'object' && typeof iteration !== 'function') || iteration === null) throw new NativeTypeError('an iterator must be an object');
  const { next } = iteration as { next: never };
  const values: unknown[] = [];
  for (;;) {
    const step = reflectApply(next, iteration, []) as Step | null;
    if ((typeof step !== 'object' && typeof step !== 'function') || step === null) throw new NativeTypeError('the result of an iterator must be an object');
    if (step.done) return values;
    values[values.length] = step.value;
  }
}

/** Names and values in turn, from a sequence of pairs. */
export function flatPairs(init: object, iterate: unknown): unknown[] {
  const pairs = sequence(init, iterate);
  const flat: unknown[] = [];
  for (let i = 0; i < pairs.length; i++) {
    const pair = pairs[i];
    if ((typeof pair !== 'object' && typeof pair !== 'function') || pair === null) throw new NativeTypeError('each header must be a name and a value');
    const both = sequence(pair, (pair as { [Symbol.iterator]?: unknown })[symbolIterator]);
    if (both.length !== 2) throw new NativeTypeError('each header must be a name and a value');
    flat[flat.length] = `${both[0] as string}`;
    flat[flat.length] = `${both[1] as string}`;
  }
  return flat;
}
