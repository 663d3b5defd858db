// The thread in which bodies are parsed and compared: what hostile ones cost holds up no request, and the whole thread can be ended.
import { setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import { compareBodies } from './compare-bodies.ts';
import type { BodyVerdict } from './compare-bodies.ts';
import { ignoreTree } from './ignore-tree.ts';

export interface ComparisonJob {
  readonly live: Uint8Array;
  readonly shadow: Uint8Array;
  readonly ignore: readonly string[];
  readonly values: boolean;
}

/** As for hosts of shadows (isolates/main.ts). Linux keeps it per thread. */
const NICE = 10;

setPriority(NICE);
parentPort?.on('message', ({ live, shadow, ignore, values }: ComparisonJob) => {
  const verdict: BodyVerdict = compareBodies(live, shadow, ignoreTree(ignore), values);
  parentPort?.postMessage(verdict);
});
