// Endpoints about functions that were killed: what is held against them, and an operator's pardon.
import { z } from 'zod';
import { functionNameSchema } from '../../core/schemas/index.ts';
import { coversFunction } from '../access/index.ts';
import type { Actor, Catalog, Written } from '../model/index.ts';
import { functionStandingSchema } from '../stats/index.ts';
import type { FigureStore, FunctionStanding } from '../stats/index.ts';
import { endpoint } from './endpoint.ts';
import type { Answer, Endpoint } from './endpoint.ts';
import { page, paged, paging } from './paging.ts';

export interface StandingServices {
  readonly catalog: Catalog;
  readonly figures: FigureStore;
  readonly whenApplied: (revision: number) => Promise<boolean>;
  /** Has the gateway forget what it holds against the function, and writes it into the audit trail. */
  readonly pardon: (actor: Actor, name: string, before: FunctionStanding) => Promise<Written<undefined>>;
}

const NONE = z.strictObject({});
const NAME = z.strictObject({ name: functionNameSchema });
const rowSchema = z.strictObject({ name: z.string(), tier: z.string(), standing: functionStandingSchema });

export function standingEndpoints({ catalog, figures, whenApplied, pardon }: StandingServices): Endpoint[] {
  return [
    endpoint({
      method: 'GET', path: '/v1/quarantine', operation: 'listQuarantine', access: 'reader', partial: true, volatile: true,
      summary: 'Functions that something is held against, in order of their names: strikes, quarantine, a term on penalty hosts. At most half a second old.',
      params: NONE, query: paging(/^[a-z0-9-]{1,62}$/).extend({ tenant: z.string().max(63).optional(), tier: z.string().max(31).optional() }), answers: { 200: page(rowSchema) }, errors: [],
      handle: ({ query: { limit, cursor, tenant, tier }, caller }): Answer => {
        const found = figures.standings.all().filter(({ name }) => {
          const record = catalog.get(name)?.record;
          return record !== undefined && (cursor === undefined || name > cursor) && coversFunction(caller, name, record.tenant) && (tenant === undefined || record.tenant === tenant) && (tier === undefined || record.tier === tier);
        });
        return { status: 200, body: paged(found, { limit, view: ({ name, standing }) => ({ name, tier: catalog.require(name).record.tier, standing }), cursorOf: ({ name }) => name }) };
      },
    }),
    endpoint({
      method: 'POST', path: '/v1/functions/{name}/pardon', operation: 'pardonFunction', access: 'admin',
      summary: 'Forgets the strikes of a function: it leaves quarantine and penalty hosts at once. The answer says what was held against it.',
      params: NAME, query: NONE, body: { schema: NONE, optional: true, limitBytes: 1_024 },
      answers: { 200: z.strictObject({ name: z.string(), pardoned: functionStandingSchema, revision: z.int(), applied: z.boolean() }) },
      errors: ['not_found', 'unavailable', 'overloaded', 'body_too_large', 'storage_failed'],
      handle: async ({ params: { name }, actor }): Promise<Answer> => {
        catalog.require(name);
        const pardoned = figures.standings.of(name);
        const { revision } = await pardon(actor, name, pardoned);
        return { status: 200, body: { name, pardoned, revision, applied: await whenApplied(revision) } };
      },
    }),
  ];
}
