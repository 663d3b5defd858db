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
 * `base` with `weight` percent of its split for `version`. Rules and stickiness stay, and so does the order of the versions, the new one last: what a
 * sticky caller moves by. Rounded to steps of 0.01 so that the sum is 100 (largest remainders, Hamilton's method).
 *
 * @param base  some version other than `version` has a weight, unless `weight` is 100
 */
export function withWeight(base: Traffic, version: number, weight: number): Traffic {
  const taken = Math.round(weight * PER_PERCENT);
  const others = base.split.filter((part) => part.version !== version);
  const sum = others.reduce((all, part) => all + part.weight, 0);
  if (taken === WHOLE || sum === 0) return { ...base, split: [{ version, weight: 100 }] };
  const exact = others.map((part) => ((WHOLE - taken) * part.weight) / sum);
  const whole = exact.map(Math.floor);
  const missing = WHOLE - taken - whole.reduce((all, one) => all + one, 0);
  const byRemainder = exact.map((value, index) => ({ index, remainder: value - Math.floor(value) })).toSorted((a, b) => b.remainder - a.remainder || a.index - b.index);
  const given = new Set(byRemainder.slice(0, missing).map(({ index }) => index));
  const split = others.map((part, index) => ({ version: part.version, weight: ((whole[index] ?? 0) + (given.has(index) ? 1 : 0)) / PER_PERCENT }));
  return { ...base, split: taken === 0 ? split : [...split, { version, weight: taken / PER_PERCENT }] };
}
