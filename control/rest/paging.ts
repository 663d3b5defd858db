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

export interface PageOf<T, V> {
  readonly limit: number;
  readonly wanted?: (item: T) => boolean;
  readonly view: (item: T) => V;
  readonly cursorOf: (item: T) => string;
}

/**
 * A page of what is wanted of `found`, in the order of its cursors. It reads no further than one item beyond the page. A cursor is a key,
 * not a position, so what comes and goes between two pages neither repeats nor hides anything else.
 */
export function paged<T, V>(found: Iterable<T>, { limit, wanted, view, cursorOf }: PageOf<T, V>): { readonly items: readonly V[]; readonly next: string | null } {
  const items: V[] = [];
  let last: T | undefined;
  for (const item of found) {
    if (wanted?.(item) === false) continue;
    if (items.length === limit) return { items, next: last === undefined ? null : cursorOf(last) };
    items.push(view(item));
    last = item;
  }
  return { items, next: null };
}
