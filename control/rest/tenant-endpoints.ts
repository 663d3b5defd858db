// The endpoints of tenants: quotas, and what is used of them.
import { z } from 'zod';
import { quotasSchema, tenantNameSchema, tenantPutSchema } from '../../core/schemas/index.ts';
import { seesTenant } from '../access/index.ts';
import type { Catalog, Tenants } from '../model/index.ts';
import { tenantUsageSchema } from '../stats/index.ts';
import type { FigureStore } from '../stats/index.ts';
import { endpoint } from './endpoint.ts';
import type { Answer, Endpoint } from './endpoint.ts';
import { page, paged, paging } from './paging.ts';

export interface TenantServices {
  readonly catalog: Catalog;
  readonly tenants: Tenants;
  readonly figures: FigureStore;
  readonly whenApplied: (revision: number) => Promise<boolean>;
}

const NONE = z.strictObject({});
const NAME = z.strictObject({ name: tenantNameSchema });
const SETTINGS_BYTES = 65_536;

/** `functions` counts those that exist; the rest of `usage` is since the control plane started, or now. */
export const tenantViewSchema = z.strictObject({
  name: z.string(),
  quotas: quotasSchema,
  usage: tenantUsageSchema.extend({ functions: z.int() }),
  changedAt: z.iso.datetime().nullable(),
});

export function tenantEndpoints(services: TenantServices): Endpoint[] {
  const { catalog, tenants, figures } = services;
  const view = (name: string): z.infer<typeof tenantViewSchema> => {
    const { quotas, changedAt } = tenants.require(name);
    return { name, quotas, usage: { functions: catalog.functionsOf(name), ...figures.tenantUsage(name) }, changedAt };
  };
  return [
    endpoint({
      method: 'GET', path: '/v1/tenants', operation: 'listTenants', access: 'reader', partial: true, volatile: true, summary: 'Tenants that have functions or quotas, in order of their names; of a token that is bound, the tenants that it is bound to.',
      params: NONE, query: paging(/^[a-z0-9-]{1,63}$/).extend({ prefix: z.string().min(1).max(63).optional() }), answers: { 200: page(tenantViewSchema) }, errors: [],
      handle: ({ query: { limit, cursor, prefix }, caller }): Answer => {
        const wanted = (name: string): boolean => (prefix === undefined || name.startsWith(prefix)) && seesTenant(caller, name);
        return { status: 200, body: paged(catalog.tenants(cursor, Infinity), { limit, wanted, view, cursorOf: (name) => name }) };
      },
    }),
    endpoint({
      method: 'GET', path: '/v1/tenants/{name}', operation: 'getTenant', access: 'reader', summary: 'One tenant: its quotas, and what its functions use.',
      params: NAME, query: NONE, answers: { 200: tenantViewSchema }, errors: ['not_found'], volatile: ['usage'],
      handle: ({ params: { name } }): Answer => ({ status: 200, body: view(name) }),
    }),
    endpoint({
      method: 'PUT', path: '/v1/tenants/{name}', operation: 'putTenant', access: 'admin',
      summary: 'Replaces the quotas of a tenant whole; 0 is no quota. They act at once on all its functions; what is there above a quota stays.',
      params: NAME, query: NONE, body: { schema: tenantPutSchema, optional: false, limitBytes: SETTINGS_BYTES },
      answers: { 200: tenantViewSchema.extend({ revision: z.int(), applied: z.boolean() }) }, errors: ['body_too_large', 'storage_failed'],
      handle: async ({ params: { name }, body, actor }): Promise<Answer> => {
        const written = await tenants.put(actor, name, body.quotas);
        return { status: 200, body: { ...view(name), revision: written.revision, applied: await services.whenApplied(written.revision) } };
      },
    }),
  ];
}
