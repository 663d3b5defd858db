// The route table: all that a gateway needs to find, limit and dispatch a function, pushed by the control plane and kept on disk.
import { z } from 'zod';
import { callersSchema, fallbackSchema, limitsSchema, routeQuotasSchema, shadowRecordSchema, skewSchema, trafficSchema, triggerSchema } from '../schemas/index.ts';

export const routeFunctionSchema = z.object({
  name: z.string(),
  tenant: z.string(),
  tier: z.string(),
  public: z.boolean(),
  debug: z.boolean(),
  shape: z.string(),
  limits: limitsSchema,
  /** Of its tenant, for all its functions together; absent: none. */
  quotas: routeQuotasSchema.optional(),
  /** Where the user's id comes from, or null. */
  user: z.string().nullable(),
  triggers: z.array(triggerSchema),
  /** Hosts on which each version with traffic stays warm. */
  keepWarm: z.number().min(0).default(0),
  /** Secrets sealed for the tier, '' for none. */
  secrets: z.string(),
  /** null: no version is live. */
  traffic: trafficSchema.nullable(),
  /** Who of the split gets which version, by its number (places.ts). Absent: derived from the split. */
  places: z.record(z.string(), z.array(z.int())).optional(),
  /** Versions that traffic has left behind, and when, ms since 1970: callers that were served by them are still held to them. Only with `skew`. */
  leftAt: z.record(z.string(), z.number()).optional(),
  callers: callersSchema.optional(),
  fallback: fallbackSchema.optional(),
  skew: skewSchema.optional(),
  shadow: shadowRecordSchema.optional(),
  /** No request reaches it. */
  killed: z.literal(true).optional(),
  /** The version that every request gets, whatever `traffic` says. */
  forced: z.number().optional(),
  /** Numbers by name. */
  aliases: z.record(z.string(), z.number()).optional(),
  /** Digest of every version that can be addressed, by number. */
  versions: z.record(z.string(), z.string()),
});

export type RouteFunction = z.infer<typeof routeFunctionSchema>;

export const routeTableSchema = z.object({
  /** One life of the control plane on its store: revisions of different epochs do not compare. */
  epoch: z.number(),
  /** Which store it comes from, over all its lives. Absent: of an earlier release. */
  origin: z.number().optional(),
  revision: z.number(),
  functions: z.array(routeFunctionSchema),
});

export type RouteTable = z.infer<typeof routeTableSchema>;

export const routeDeltaSchema = z.object({
  epoch: z.number(),
  /** Epoch of `previous`, where that is another: the control plane has started anew, on what that revision was. */
  formerEpoch: z.number().optional(),
  /** The revision that this delta applies to. */
  previous: z.number(),
  revision: z.number(),
  upsert: z.array(routeFunctionSchema),
  remove: z.array(z.string()),
});

export type RouteDelta = z.infer<typeof routeDeltaSchema>;
