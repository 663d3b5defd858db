// Node's deep comparison.
import comparisons from 'assert/build/internal/util/comparisons.js';

export const isDeepStrictEqual = (a: unknown, b: unknown): boolean => comparisons.isDeepStrictEqual(a, b);
