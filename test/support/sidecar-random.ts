// A seeded random source, so that a fuzz run that fails can be run again.

export interface Random {
  readonly seed: number;
  /** A number in [0, 1). */
  next(): number;
  /** A whole number from 0 to below `n`. */
  int(n: number): number;
  pick<T>(list: readonly T[]): T;
  bytes(n: number): Buffer;
}

/** mulberry32: small, fast, good enough for fuzzing. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 0x1_0000_0000;
  };
  const int = (n: number): number => Math.floor(next() * n);
  return {
    seed, next, int,
    pick: (list) => list[int(list.length)] as never,
    bytes: (n) => Buffer.from(Array.from({ length: n }, () => int(256))),
  };
}

/** Rounds of a fuzz test: few by default, many with THIMBLE_TEST_FULL=1. */
export function fuzzRounds(short: number, full: number): number {
  return process.env['THIMBLE_TEST_FULL'] === '1' ? full : short;
}

/** THIMBLE_TEST_SEED repeats a run; otherwise each day has its own seed, which a failure prints. */
export function fuzzSeed(): number {
  return Number(process.env['THIMBLE_TEST_SEED'] ?? Math.floor(Date.now() / 86_400_000));
}
