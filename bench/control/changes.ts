// From a change of traffic to the word that every gateway has applied it: the control API's own answer, one change after the other.
import type { ThimbleNode } from '../lib/thimble-node.ts';
import { nameOf } from './seed.ts';
import type { Sizes } from './seed.ts';

/** @returns milliseconds of each change, from the request to its answer */
export async function measureChanges(node: ThimbleNode, { functions, versions }: Sizes, count: number): Promise<number[]> {
  const all: number[] = [];
  for (let i = 0; i < count; i++) {
    // Spread over the table, by a step that has no divisor in common with its size.
    const name = nameOf((i * 7_919) % functions);
    const weight = (i % 9_999) / 100 + 0.01;
    const split = [{ version: versions, weight: Math.round((100 - weight) * 100) / 100 }, { version: Math.max(1, versions - 1), weight }];
    const startedMs = performance.now();
    const answer = await node.api('PUT', `/v1/functions/${name}/traffic`, { split, sticky: 'user' });
    all.push(performance.now() - startedMs);
    if (answer['applied'] !== true) throw new Error(`the change of ${name} was not applied`);
  }
  return all;
}
