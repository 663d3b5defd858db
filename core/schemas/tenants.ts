// Quotas of a tenant: what all its functions together may take of a node.
import { z } from 'zod';

const none = (max: number): z.ZodDefault<z.ZodInt> => z.int().min(0).max(max).default(0);

export const tenantNameSchema = z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, 'must be 1 to 63 of a-z, 0-9 and inner hyphens');

/** 0 everywhere: no quota. */
export const quotasSchema = z.strictObject({
  /** Functions that exist at once. */
  functions: none(1_000_000),
  /** Heap and buffers of all isolates on the node, MB. */
  memoryMb: none(1_048_576),
  /** Invocations per second on the node. */
  rps: none(1_000_000),
  /** Outgoing calls per second on the node. */
  subrequestsPerSec: none(1_000_000),
});

export type Quotas = z.infer<typeof quotasSchema>;

/** PUT /v1/tenants/:name. Replaces the quotas whole. */
export const tenantPutSchema = z.strictObject({ quotas: quotasSchema });

/** The quotas that gateways and hosts enforce. */
export const routeQuotasSchema = z.object({ rps: z.number(), memoryMb: z.number() });
