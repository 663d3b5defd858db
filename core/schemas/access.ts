// Tokens of the control API: who may do what, with which functions, until when.
import { z } from 'zod';
import { tenantNameSchema } from './tenants.ts';

/** From the weakest: reads what it covers; deploys the functions that it covers; does everything on the node. */
export const ROLES = ['reader', 'deployer', 'admin'] as const;
export type Role = (typeof ROLES)[number];

const MAX_PATTERNS = 1_000;

/** A function's name, or the beginning of names and `*`. */
export const functionPatternSchema = z.string().regex(/^(?=.{1,63}$)(?:[a-z][a-z0-9-]*\*?|\*)$/, "must be a function's name, or the beginning of names followed by *");

/** POST /v1/tokens. `functions` and `tenants` bind the token: both must hold; absent: no bound. */
export const tokenPostSchema = z
  .strictObject({
    /** What people and the audit trail call it. */
    name: z.string().regex(/^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$/, 'must be 1 to 64 letters, digits and inner . _ -'),
    role: z.enum(ROLES),
    functions: z.array(functionPatternSchema).min(1).max(MAX_PATTERNS).optional(),
    tenants: z.array(tenantNameSchema).min(1).max(MAX_PATTERNS).optional(),
    /** Absent: it holds until it is revoked. */
    expiresAt: z.iso.datetime({ offset: true }).optional(),
  })
  .refine((token) => token.role !== 'admin' || token.functions === undefined, { path: ['functions'], message: 'cannot bind the role admin, which is about the whole node' })
  .refine((token) => token.role !== 'admin' || token.tenants === undefined, { path: ['tenants'], message: 'cannot bind the role admin, which is about the whole node' });
export type TokenPost = z.infer<typeof tokenPostSchema>;
