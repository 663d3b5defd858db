// Traffic: which versions get which requests. Rules first (first match wins), then a weighted split.
import { z } from 'zod';

const versionNumber = z.int().min(1);
const text = z.string().max(1_024);

export interface Condition {
  readonly header?: Readonly<Record<string, string>> | undefined;
  readonly cookie?: Readonly<Record<string, string>> | undefined;
  readonly query?: Readonly<Record<string, string>> | undefined;
  readonly user?: { readonly in?: readonly string[] | undefined; readonly percent?: number | undefined } | undefined;
  readonly all?: readonly Condition[] | undefined;
  readonly any?: readonly Condition[] | undefined;
}

/** All named parts must hold. */
export const conditionSchema: z.ZodType<Condition> = z.lazy(() =>
  z.strictObject({
    header: z.record(text, text).optional(),
    cookie: z.record(text, text).optional(),
    query: z.record(text, text).optional(),
    user: z.strictObject({ in: z.array(text).max(10_000).optional(), percent: z.number().min(0).max(100).optional() }).optional(),
    all: z.array(conditionSchema).max(20).optional(),
    any: z.array(conditionSchema).max(20).optional(),
  }),
);

/** Tests of all rules of a function, and user ids in them: a request may be held against each. */
const MAX_TESTS = 1_000;
const MAX_USER_IDS = 50_000;

/** Names that a condition tests, and user ids that it lists. */
function sizeOf({ header, cookie, query, user, all = [], any = [] }: Condition): { tests: number; ids: number } {
  const size = { tests: 1, ids: user?.in?.length ?? 0 };
  for (const named of [header, cookie, query]) size.tests += Object.keys(named ?? {}).length;
  for (const part of [...all, ...any]) {
    const { tests, ids } = sizeOf(part);
    size.tests += tests;
    size.ids += ids;
  }
  return size;
}

const rulesSchema = z
  .array(z.strictObject({ when: conditionSchema, version: versionNumber }))
  .max(100)
  .refine((rules) => rules.reduce((sum, { when }) => sum + sizeOf(when).tests, 0) <= MAX_TESTS, `at most ${MAX_TESTS} conditions and names in all rules together`)
  .refine((rules) => rules.reduce((sum, { when }) => sum + sizeOf(when).ids, 0) <= MAX_USER_IDS, `at most ${MAX_USER_IDS} user ids in all rules together`);

/** A weight in percent, in steps of 0.01. */
const weight = z.number().min(0).max(100).refine((w) => Math.abs(w * 100 - Math.round(w * 100)) < 1e-6, 'must be in steps of 0.01');

export const trafficSchema = z.strictObject({
  rules: rulesSchema.default([]),
  split: z
    .array(z.strictObject({ version: versionNumber, weight }))
    .min(1)
    .max(100)
    .refine((s) => s.reduce((sum, part) => sum + Math.round(part.weight * 100), 0) === 10_000, 'weights must sum to 100')
    .refine((s) => new Set(s.map((part) => part.version)).size === s.length, 'a version may appear once'),
  /** What keeps a caller on its version: `header:NAME`, `cookie:NAME` or `user`. */
  sticky: z.string().regex(/^(?:header:[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}|cookie:[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}|user)$/, 'must be header:NAME, cookie:NAME or user').optional(),
});

export type Traffic = z.infer<typeof trafficSchema>;
