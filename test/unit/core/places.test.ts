// Who moves when weights change: only from versions that lose to versions that gain, exactly as many as must, and back again.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PLACES, PlaceIndex, placesFor } from '../../../core/routing/index.ts';
import type { Places } from '../../../core/routing/index.ts';
import type { Traffic } from '../../../core/schemas/index.ts';

type Split = Traffic['split'];
const split = (weights: Readonly<Record<number, number>>): Split => Object.entries(weights).map(([version, weight]) => ({ version: Number(version), weight }));

/** Version of every place. */
function owners(places: Places | null, of: Split): number[] {
  const index = new PlaceIndex(places, of);
  return Array.from({ length: PLACES }, (_, place) => index.at(place));
}
const countOf = (all: readonly number[], version: number): number => all.filter((one) => one === version).length;

/** A split over some of the versions 1 to 8 in any order, some of them with weight 0. */
const anySplit: fc.Arbitrary<Split> = fc
  .tuple(fc.uniqueArray(fc.integer({ min: 1, max: 8 }), { minLength: 1, maxLength: 8 }), fc.array(fc.integer({ min: 0, max: PLACES }), { minLength: 7, maxLength: 7 }))
  .map(([versions, cuts]) => {
    const edges = [0, ...cuts.slice(0, versions.length - 1).toSorted((a, b) => a - b), PLACES];
    return versions.map((version, i) => ({ version, weight: ((edges[i + 1] ?? 0) - (edges[i] ?? 0)) / 100 }));
  });
const weightOf = (of: Split, version: number): number => Math.round((of.find((part) => part.version === version)?.weight ?? 0) * 100);

describe('a change of weights', () => {
  it('moves callers only from versions that lose to versions that gain, exactly as many as that takes, over any series of changes', () => {
    fc.assert(fc.property(fc.array(anySplit, { minLength: 2, maxLength: 6 }), (splits) => {
      let places: Places | null = null;
      let before: readonly number[] = [];
      let previous: Split = [];
      for (const next of splits) {
        places = placesFor(places, next);
        const after = owners(places, next);
        for (const { version } of next) expect(countOf(after, version)).toBe(weightOf(next, version));
        const moves = [...before.entries()].map(([place, from]) => ({ from, to: after[place] ?? 0 })).filter(({ from, to }) => from !== to);
        for (const { from, to } of moves) {
          if (weightOf(next, from) >= weightOf(previous, from) || weightOf(next, to) <= weightOf(previous, to)) throw new Error(`a caller moved from ${from} to ${to}`);
        }
        expect(moves.length).toBe(previous.reduce((lost, { version }) => lost + Math.max(0, weightOf(previous, version) - weightOf(next, version)), 0));
        [before, previous] = [after, next];
      }
    }), { numRuns: 60 });
  });

  it('depends neither on the order of the list nor on versions without weight', () => {
    fc.assert(fc.property(anySplit, anySplit, (first, second) => {
      const bare = (of: Split): Split => of.filter(({ weight }) => weight > 0).toSorted((a, b) => b.version - a.version);
      expect(placesFor(placesFor(null, first), second)).toEqual(placesFor(placesFor(null, bare(first)), bare(second)));
    }));
  });

  it('is undone by its reverse: a canary that rises step by step and falls again gives everybody back', () => {
    const steps = [0.01, 1, 5, 10, 25, 50, 75, 99].map((weight) => split({ 1: 100 - weight, 2: weight }));
    let places: Places | null = null;
    const way = steps.map((step) => owners((places = placesFor(places, step)), step));
    for (const [i, step] of [...steps.entries()].toReversed()) expect(owners((places = placesFor(places, step)), step)).toEqual(way[i]);
  });

  it('starts every canary with other callers', () => {
    const firsts = [2, 3, 4, 5].map((stable) => {
      const of = split({ [stable]: 99, [stable + 1]: 1 });
      return new Set(owners(placesFor(placesFor(null, split({ [stable]: 100 })), of), of).flatMap((version, place) => (version === stable + 1 ? [place] : [])));
    });
    const [one = new Set<number>(), ...others] = firsts;
    for (const other of others) expect(one.isDisjointFrom(other)).toBe(true);
  });

  it('keeps few ranges over a long life', () => {
    let places: Places | null = null;
    for (let version = 2; version < 60; version++) {
      for (const weight of [1, 5, 25, 50, 100]) places = placesFor(places, split({ [version - 1]: 100 - weight, [version]: weight }));
      expect(Object.values(places ?? {}).flat().length).toBeLessThanOrEqual(8);
    }
  });
});

describe('places that are not those of the split', () => {
  const of = split({ 1: 60, 2: 40 });

  it.each([
    ['of other weights', { 1: [0, 5_000], 2: [5_000, 10_000] }], ['of other versions', { 1: [0, 6_000], 3: [6_000, 10_000] }], ['that overlap', { 1: [0, 6_000], 2: [5_000, 9_000] }],
    ['with half a range', { 1: [0, 6_000], 2: [6_000, 10_000, 7] }], ['beyond the end', { 1: [0, 6_000], 2: [7_000, 11_000] }], ['that are no numbers', { 1: [0, 6_000], 2: [Number.NaN, 10_000] }], ['of nobody', {}],
  ] satisfies [string, Places][])('%s are not used', (_what, places) => {
    expect(owners(places, of)).toEqual(owners(null, of));
  });

  it('and those that are, are', () => {
    const own = { 1: [10_000, 7_000, 0, 3_000], 2: [3_000, 7_000] };
    expect(owners(own, of)).toEqual(Array.from({ length: PLACES }, (_, place) => (place >= 3_000 && place < 7_000 ? 2 : 1)));
  });
});
