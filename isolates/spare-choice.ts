// Which memory limits the spare isolates of a host should have.

/** Spares kept at the same time; each is about 1.1 MB. */
const SPARES = 2;
/** The default of `limits.memoryMb`: what is expected before anything was asked for. */
const FIRST_MEMORY_MB = 64;
/** Cold starts that are remembered. */
const REMEMBERED = 16;
/** A second limit gets a spare of its own when so many of them asked for it. */
const SECOND = 4;

export class SpareChoice {
  /** The limits of the last cold starts, the newest last. */
  readonly #asked: number[] = [];

  asked(memoryMb: number): void {
    this.#asked.push(memoryMb);
    if (this.#asked.length > REMEMBERED) this.#asked.shift();
  }

  /** Of each spare, its limit in MB. The most asked for has at least one; among equals the newest. */
  wanted(): number[] {
    const counts = new Map<number, number>();
    for (const memoryMb of this.#asked.toReversed()) counts.set(memoryMb, (counts.get(memoryMb) ?? 0) + 1);
    const [first, second] = [...counts].toSorted((a, b) => b[1] - a[1]);
    const most = first?.[0] ?? FIRST_MEMORY_MB;
    const limits = Array.from({ length: SPARES }, () => most);
    if (second !== undefined && second[1] >= SECOND) limits[SPARES - 1] = second[0];
    return limits;
  }
}
