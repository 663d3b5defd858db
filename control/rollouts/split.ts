// The split of a step: the new version takes its weight, the others share the rest as they shared the whole.
import type { Traffic } from '../../core/schemas/index.ts';

/** Weights are steps of 0.01 %. */
const PER_PERCENT = 100;
const WHOLE = 100 * PER_PERCENT;

/** Versions that the new one is compared with: those of the split that have a weight. */
export function liveBeside(base: Traffic, version: number): number[] {
  return base.split.filter((part) => part.version !== version && part.weight > 0).map((part) => part.version);
}

/**
 * `base` with `weight` percent of its split for `version`; rules and stickiness stay. The others share the rest in their proportions, in steps of 0.01. As `weight` rises none of them gains
 * (Webster's method is house monotone: Balinski and Young 1982), so sticky callers move to the new version only.
 *
 * @param base  some version other than `version` has a weight, unless `weight` is 100
 */
export function withWeight(base: Traffic, version: number, weight: number): Traffic {
  const taken = Math.round(weight * PER_PERCENT);
  const others = base.split.filter((part) => part.version !== version);
  if (taken === WHOLE || others.every((part) => part.weight === 0)) return { ...base, split: [{ version, weight: 100 }] };
  const shares = apportion(others.map((part) => part.weight), WHOLE - taken);
  const split = others.map((part, index) => ({ version: part.version, weight: (shares[index] ?? 0) / PER_PERCENT }));
  return { ...base, split: taken === 0 ? split : [...split, { version, weight: taken / PER_PERCENT }] };
}

/** `seats` in proportion to `weights`: one after the other to whoever has the fewest for its weight (Webster, also Sainte-Laguë). */
function apportion(weights: readonly number[], seats: number): readonly number[] {
  if (weights.length === 1) return [seats];
  const given = weights.map(() => 0);
  for (let seat = 0; seat < seats; seat++) {
    let next = 0;
    for (let i = 1; i < weights.length; i++) {
      if ((weights[i] ?? 0) * (2 * (given[next] ?? 0) + 1) > (weights[next] ?? 0) * (2 * (given[i] ?? 0) + 1)) next = i;
    }
    given[next] = (given[next] ?? 0) + 1;
  }
  return given;
}
