// The endpoints of tenants: quotas, and what is used of them.
import { z } from 'zod';
import { quotasSchema, tenantNameSchema, tenantPutSchema } from '../../core/schemas/index.ts';
import type { Catalog, Tenants } from '../model/index.ts';
import { tenantUsageSchema } from '../stats/index.ts';
import type { FigureStore } from '../stats/index.ts';
import { endpoint } from './endpoint.ts';
import type { Answer, Endpoint } from './endpoint.ts';
import { page, paging } from './paging.ts';

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
      method: 'GET', path: '/v1/tenants', operation: 'listTenants', access: 'reader', summary: 'Tenants that have functions or quotas, in order of their names.',
      params: NONE, query: paging(/^[a-z0-9-]{1,63}$/), answers: { 200: page(tenantViewSchema) }, errors: [],
      handle: ({ query: { limit, cursor } }): Answer => {
        const names = catalog.tenants(cursor, limit + 1);
        return { status: 200, body: { items: names.slice(0, limit).map(view), next: names.length > limit ? (names[limit - 1] ?? null) : null } };
      },
    }),
    endpoint({
      method: 'GET', path: '/v1/tenants/{name}', operation: 'getTenant', access: 'reader', summary: 'One tenant: its quotas, and what its functions use.',
      params: NAME, query: NONE, answers: { 200: tenantViewSchema }, errors: ['not_found'],
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
