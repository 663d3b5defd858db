// Paging and flags of query strings.
import { z } from 'zod';
import { pageSchema } from '../../core/schemas/index.ts';

/** `limit` and `cursor`; a cursor is what `next` said, of the form that this list gives out. */
export function paging(cursor: RegExp, defaultLimit = 100): z.ZodObject<{ limit: z.ZodDefault<z.ZodCoercedNumber>; cursor: z.ZodOptional<z.ZodString> }> {
  return pageSchema.extend({
    limit: z.coerce.number().int().min(1).max(1_000).default(defaultLimit),
    cursor: z.string().regex(cursor, 'must be the next of an earlier page').optional(),
  });
}

/** `{items, next}`; `next` is null on the last page. */
export function page<T extends z.ZodType>(item: T): z.ZodObject<{ items: z.ZodArray<T>; next: z.ZodNullable<z.ZodString> }, z.core.$strict> {
  return z.strictObject({ items: z.array(item), next: z.string().nullable() });
}

/** `true`, `1`, `false` or `0`; absent: false. */
export const flag = z.enum(['true', '1', 'false', '0']).default('false').transform((text) => text === 'true' || text === '1');
