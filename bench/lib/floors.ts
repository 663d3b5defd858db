// What Thimble claims, as floors and ceilings of measured figures.

export interface Bound {
  readonly name: string;
  readonly bound: number;
  /** `min`: the figure must not be below; `max`: not above. */
  readonly side: 'min' | 'max';
}

export const BOUNDS: readonly Bound[] = [
  { name: 'json_rps_vs_workerd', bound: 2.5, side: 'min' },
  { name: 'json_rps_vs_fastify', bound: 0.5, side: 'min' },
  { name: 'hello_one_connection_p50_us', bound: 250, side: 'max' },
  { name: 'json_one_connection_p50_us', bound: 250, side: 'max' },
  { name: 'hello_cold_start_p50_ms', bound: 5, side: 'max' },
  { name: 'hello_deploy_to_live_ms', bound: 500, side: 'max' },
  { name: 'json_deploy_to_live_ms', bound: 500, side: 'max' },
  { name: 'card_deploy_to_live_ms', bound: 500, side: 'max' },
  { name: 'stream_deploy_to_live_ms', bound: 500, side: 'max' },
  { name: 'echo_deploy_to_live_ms', bound: 500, side: 'max' },
];

export interface Verdict {
  /** `name value floor`; a ceiling is written `<=N`. */
  readonly lines: readonly string[];
  /** Names of the figures that miss their bound. */
  readonly missed: readonly string[];
}

/** Judges every bound whose figure was measured. */
export function judge(figures: ReadonlyMap<string, number>, bounds: readonly Bound[] = BOUNDS): Verdict {
  const lines: string[] = [];
  const missed: string[] = [];
  for (const { name, bound, side } of bounds) {
    const value = figures.get(name);
    if (value === undefined) continue;
    lines.push(`${name} ${Number(value.toPrecision(4))} ${side === 'max' ? '<=' : ''}${bound}`);
    // Written so that NaN misses.
    if (!(side === 'max' ? value <= bound : value >= bound)) missed.push(name);
  }
  return { lines, missed };
}
