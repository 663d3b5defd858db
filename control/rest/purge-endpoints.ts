// The endpoint that takes old versions away.
import { z } from 'zod';
import { purgeSchema } from '../../core/schemas/index.ts';
import { HOLDS } from '../model/index.ts';
import { NAME, NONE, RESULT, acknowledged } from './addresses.ts';
import { endpoint } from './endpoint.ts';
import type { Answer, Endpoint } from './endpoint.ts';
import type { Services } from './services.ts';

/** Numbers that an answer lists. */
const MAX_LISTED = 1_000;

const answer = z.strictObject({
  keep: z.int(),
  dryRun: z.boolean(),
  /** How many versions went, or would go. */
  count: z.int(),
  /** Their numbers, the oldest first; the first thousand. */
  versions: z.array(z.int()),
  /** Versions that stay although they are older than the newest `keep`; the first thousand. */
  held: z.array(z.strictObject({ version: z.int(), by: z.array(z.enum(HOLDS)) })),
  /** Sources that went because no other version is made from them. */
  sources: z.int(),
  /** Entries of the rollback history that named what went, and those before them. */
  history: z.int(),
  ...RESULT,
});

export function purgeEndpoints(services: Services): Endpoint[] {
  const { purge } = services;
  return [
    endpoint({
      method: 'POST', path: '/v1/functions/{name}/purge', operation: 'purgeVersions', access: 'deployer',
      summary: 'Removes all versions but the newest, and those that are live, forced, shadowed, pinned, named by an alias, next in the rollback history, or in a rollout. Also for a deleted function.',
      params: NAME, query: NONE, body: { schema: purgeSchema, optional: true, limitBytes: 1_024 },
      answers: { 200: answer }, errors: ['not_found', 'body_too_large', 'storage_failed'],
      handle: async ({ params: { name }, body, actor }): Promise<Answer> => {
        const { revision, ...purged } = await purge.run(actor, name, body);
        const result = { ...purged, count: purged.versions.length, versions: purged.versions.slice(0, MAX_LISTED), held: purged.held.slice(0, MAX_LISTED) };
        return { status: 200, body: { ...result, ...(await acknowledged(services, { revision, result })) } };
      },
    }),
  ];
}
