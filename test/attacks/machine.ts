// How much longer than on a machine of its own a bounded wait may take here.
import { availableParallelism, loadavg } from 'node:os';

/** 1 on a machine at rest; on one that others load, as many times as there are runnable threads for each core, at most 10. */
export function loadedMachine(): number {
  return Math.min(10, Math.max(1, (loadavg()[0] ?? 0) / availableParallelism()));
}
