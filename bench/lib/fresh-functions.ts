// Functions that nobody has called: each is a tenant of its own, and its first call is a cold start.
import type { Example } from './examples.ts';
import { uploadOf } from './examples.ts';
import type { ThimbleNode } from './thimble-node.ts';

/**
 * Deploys `count` copies of an example under names of their own. Each copy differs by one constant, so no two share a digest and with it
 * an isolate's code, a snapshot or a cache entry.
 *
 * @returns the names, in order
 */
export async function deployFresh(node: ThimbleNode, example: Example, prefix: string, count: number): Promise<readonly string[]> {
  const names = Array.from({ length: count }, (_, i) => `${prefix}${i + 1}`);
  for (const name of names) {
    await node.api('PUT', `/v1/functions/${name}`, { tenant: name });
    await node.api('POST', `/v1/functions/${name}/versions`, uploadOf(example, name));
  }
  return names;
}
