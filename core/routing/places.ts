// Who gets which version when weights change: 10,000 places of 0.01 %, each of which belongs to one version and moves only when it must.
import type { Traffic } from '../schemas/index.ts';
import { hash32 } from './hash.ts';

/** A weight of 0.01 %. */
export const PLACES = 10_000;

/**
 * The places of each version, by its number, as a stack of ranges: `[from, to, from, to, …]`, what it got last at the end. `from < to` is the
 * places from..to-1 in that order, `from > to` the places from-1 down to `to`. All ranges together are 0..9999, each once.
 */
export type Places = Readonly<Record<string, readonly number[]>>;

type Split = Traffic['split'];

/** Hundredths of a percent, exactly; versions without weight are left out. */
function hundredths(split: Split): Map<number, number> {
  const weights = new Map<number, number>();
  for (const { version, weight } of split) {
    const places = Math.round(weight * 100);
    if (places > 0) weights.set(version, places);
  }
  return weights;
}

/** All places of the only version. Which ones the next version gets first is drawn from its number: not the same callers at every canary. */
function whole(version: number): Record<string, number[]> {
  const start = hash32(String(version), 0) % PLACES;
  return { [version]: start === 0 ? [0, PLACES] : [start, PLACES, 0, start] };
}

function sizeOf(ranges: readonly number[]): number {
  let size = 0;
  for (let i = 0; i + 1 < ranges.length; i += 2) size += Math.abs((ranges[i + 1] ?? 0) - (ranges[i] ?? 0));
  return size;
}

/**
 * Takes the `count` places that it got last off `from` and puts them on `to`, the last one first. Undone by the same call the other way round:
 * a weight that rises and falls again gives everybody back.
 */
function move(from: number[], to: number[], count: number): void {
  for (let left = count; left > 0; ) {
    const end = from.pop() ?? 0;
    const start = from.pop() ?? 0;
    const size = Math.abs(end - start);
    if (size === 0) return;
    const cut = end - Math.sign(end - start) * Math.min(size, left);
    left -= Math.abs(end - cut);
    if (cut !== start) from.push(start, cut);
    const [last = 0, seam = -1] = to.slice(-2);
    if (seam === end && Math.sign(seam - last) === Math.sign(cut - end)) to[to.length - 1] = cut;
    else to.push(end, cut);
  }
}

/**
 * The places under `split`, as near to `before` as can be: each version that loses weight gives up exactly what it loses, and only versions
 * that gain get any. So nobody moves between versions whose weights stay, whatever the order of the list. (No function of the weights alone
 * can do that for three versions or more: docs/decisions/0018-choice-of-a-version.md.)
 *
 * @param before  under the split until now; null: there was none, or it is not known
 */
export function placesFor(before: Places | null, split: Split): Record<string, number[]> {
  const weights = hundredths(split);
  const versions = [...weights.keys()].toSorted((a, b) => a - b);
  const [first = 0] = versions;
  if (versions.length === 1) return whole(first);
  const stacks = new Map(Object.entries(before ?? whole(first)).map(([version, ranges]) => [Number(version), [...ranges]]));
  const losses = [...stacks]
    .map(([version, ranges]) => ({ version, ranges, count: sizeOf(ranges) - (weights.get(version) ?? 0) }))
    .filter(({ count }) => count > 0)
    .toSorted((a, b) => b.version - a.version);
  for (const version of versions) {
    const ranges = stacks.get(version) ?? [];
    stacks.set(version, ranges);
    for (let wanted = (weights.get(version) ?? 0) - sizeOf(ranges); wanted > 0; ) {
      const loss = losses.at(0);
      if (loss === undefined) break;
      const count = Math.min(wanted, loss.count);
      move(loss.ranges, ranges, count);
      wanted -= count;
      loss.count -= count;
      if (loss.count === 0) losses.shift();
    }
  }
  return Object.fromEntries(versions.map((version) => [version, stacks.get(version) ?? []]));
}

/** Looks up the version of a place. */
export class PlaceIndex {
  /** First places of the ranges, in order, and whose each is. */
  readonly #starts: Uint16Array;
  readonly #versions: readonly number[];

  /** @param places  whatever does not fit the split (another release wrote it, or damage) is not used: places are derived from the split then */
  constructor(places: Places | null, split: Split) {
    const fitting = places !== null && fits(places, split) ? places : placesFor(null, split);
    const ranges: { readonly start: number; readonly version: number }[] = [];
    for (const [version, bounds] of Object.entries(fitting)) {
      for (let i = 0; i + 1 < bounds.length; i += 2) ranges.push({ start: Math.min(bounds[i] ?? 0, bounds[i + 1] ?? 0), version: Number(version) });
    }
    ranges.sort((a, b) => a.start - b.start);
    this.#starts = Uint16Array.from(ranges, ({ start }) => start);
    this.#versions = ranges.map(({ version }) => version);
  }

  /** @param place  0 to 9999 */
  at(place: number): number {
    const starts = this.#starts;
    let low = 0;
    let high = starts.length;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if ((starts[middle] as number) <= place) low = middle;
      else high = middle;
    }
    return this.#versions[low] as number;
  }
}

/** Whether the places are those of the split: its weights exactly, every place once. */
function fits(places: Places, split: Split): boolean {
  const weights = hundredths(split);
  const versions = Object.keys(places);
  if (versions.length !== weights.size || versions.some((version) => sizeOf(places[version] ?? []) !== weights.get(Number(version)))) return false;
  const ranges: (readonly [number, number])[] = [];
  for (const bounds of Object.values(places)) {
    if (bounds.length % 2 === 1) return false;
    for (let i = 0; i < bounds.length; i += 2) ranges.push([Math.min(bounds[i] ?? 0, bounds[i + 1] ?? 0), Math.max(bounds[i] ?? 0, bounds[i + 1] ?? 0)]);
  }
  let next = 0;
  for (const [start, end] of ranges.toSorted(([a], [b]) => a - b)) {
    if (start !== next || end === start) return false;
    next = end;
  }
  return next === PLACES;
}
