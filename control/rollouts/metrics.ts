// Figures about rollouts for /metrics.
import { STATES } from './records.ts';
import type { Rollouts } from './rollouts.ts';

/** By metric name. Counters are of this life of the process. */
export function rolloutMetrics({ counts: { running, paused, started, ended } }: Rollouts): Record<string, { readonly help: string; readonly value: number }> {
  const ends = STATES.filter((state) => state !== 'running' && state !== 'paused');
  return {
    thimble_rollouts_running: { help: 'Rollouts that go on by themselves.', value: running },
    thimble_rollouts_paused: { help: 'Rollouts that wait for an operator.', value: paused },
    thimble_rollouts_started_total: { help: 'Rollouts that were started.', value: started },
    ...Object.fromEntries(ends.map((state) => [`thimble_rollouts_${state}_total`, { help: `Rollouts that ended ${state}.`, value: ended.get(state) ?? 0 }])),
  };
}
