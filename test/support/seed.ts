// Chance that can be repeated: THIMBLE_TEST_SEED, else one number for the short form, so that a change is judged by the same sample as the one before, and another for each full run.

/** Printed by every suite that uses it. */
export const seed = Number(process.env['THIMBLE_TEST_SEED'] ?? (process.env['THIMBLE_TEST_FULL'] === '1' ? Math.floor(Date.now() / 1_000) % 1_000_000 : 20_260));

/** mulberry32: the same numbers for the same seed. @returns a function that gives numbers from 0 up to 1 */
export function randomOf(from: number): () => number {
  let a = from;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** `count` of them, in their order. */
export function sample<T>(all: readonly T[], count: number): T[] {
  const next = randomOf(seed);
  const marked = all.map((one, at) => ({ one, at, mark: next() })).toSorted((a, b) => a.mark - b.mark).slice(0, count);
  return marked.toSorted((a, b) => a.at - b.at).map(({ one }) => one);
}
