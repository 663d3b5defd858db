// Load at a fixed rate: latency counts from when a request was due, so that a server which stalls cannot hide what it kept waiting.
import { fork } from 'node:child_process';
import { join } from 'node:path';

export interface OpenLoopRequest {
  /** As it goes on the wire. */
  readonly text: string;
  /** What its answer must be; undefined: anything. */
  readonly body: string | undefined;
}

export interface OpenLoopJob {
  readonly port: number;
  readonly requests: readonly OpenLoopRequest[];
  /** Which request is sent, in order. */
  readonly picks: readonly number[];
  readonly perSec: number;
  /** Requests under way at once; further ones wait, which counts. */
  readonly connections: number;
}

/** One entry a request, in the order in which they were due. */
export interface OpenLoopResult {
  readonly dueMs: readonly number[];
  /** From when it was due to the last byte of its answer; -1: none came. */
  readonly latencyMs: readonly number[];
  /** `200`, `200 cold`, another status with the problem's code, `wrong body`, `connection lost`, `no answer`. */
  readonly outcomes: readonly string[];
  /** How late the generator itself was with each request: its own share of the latencies. */
  readonly lagMs: readonly number[];
}

export const isGood = (outcome: string): boolean => outcome === '200' || outcome === '200 cold';

/** Runs in a process of its own, so that the bench's own work delays nothing. */
export async function openLoop(job: OpenLoopJob): Promise<OpenLoopResult> {
  const child = fork(join(import.meta.dirname, 'open-loop-child.ts'), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  return await new Promise((resolve, reject) => {
    child.once('message', (message) => resolve(message as OpenLoopResult));
    child.once('error', reject);
    child.once('exit', () => reject(new Error('the open-loop client failed')));
    child.send(job);
  });
}

/** How often each outcome was. */
export function countOutcomes(outcomes: Iterable<string>): Readonly<Record<string, number>> {
  const counts = new Map<string, number>();
  for (const outcome of outcomes) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  return Object.fromEntries([...counts].toSorted(([, a], [, b]) => b - a));
}
