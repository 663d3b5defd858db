// What the control API takes for functions and versions.
import { z } from 'zod';
import { TIER_NAME } from '../config/index.ts';
import { FUNCTION_NAME } from '../ids/index.ts';
import { callersSchema, fallbackSchema, retentionSchema, skewSchema } from './delivery.ts';
import { filePathSchema } from './file-paths.ts';
import { gateFields, deployGatesSchema } from './gates.ts';
import { limitsSchema } from './limits.ts';
import { tenantNameSchema } from './tenants.ts';
import { triggerSchema } from './triggers.ts';

export const functionNameSchema = z.string().regex(FUNCTION_NAME, 'must be 1 to 62 of a-z, 0-9 and single inner hyphens, starting with a letter');

const variableName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/, 'must be 1 to 128 letters, digits or _, not starting with a digit');
const MAX_VARIABLES = 256;
const MAX_VALUE_CHARACTERS = 65_536;
const value = z.string().max(MAX_VALUE_CHARACTERS);
const bounded = <T extends z.ZodType>(schema: z.ZodRecord<typeof variableName, T>): z.ZodRecord<typeof variableName, T> =>
  schema.refine((r) => Object.keys(r).length <= MAX_VARIABLES, `at most ${MAX_VARIABLES} variables`);

export const SHAPES = ['auto', 'fetch', 'business', 'lambda', 'fc', 'midway'] as const;

/** PUT /v1/functions/:name. Absent fields stay as they are; a field that is there replaces the old one whole, but `secrets` merge by key. */
export const functionPutSchema = z.strictObject({
  tenant: tenantNameSchema.optional(),
  /** Trust tier, one of the node's; another one moves the function to the hosts of that tier. */
  tier: z.string().regex(TIER_NAME, 'must be 1 to 31 of a-z and 0-9, starting with a letter').optional(),
  limits: limitsSchema.optional(),
  env: bounded(z.record(variableName, value)).optional(),
  /** null removes the secret. */
  secrets: bounded(z.record(variableName, value.nullable())).optional(),
  triggers: z.array(triggerSchema).max(100).optional(),
  bindings: z.record(variableName, z.strictObject({ type: z.string() })).refine((b) => Object.keys(b).length === 0, 'this node offers no bindings').optional(),
  public: z.boolean().optional(),
  debug: z.boolean().optional(),
  keepWarm: z.int().min(0).max(100).optional(),
  shape: z.enum(SHAPES).optional(),
  /** Where the user's id comes from: `header:NAME`, `cookie:NAME` or `jwt:CLAIM`. */
  user: z.string().regex(/^(?:header|cookie|jwt):[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/, 'must be header:NAME, cookie:NAME or jwt:CLAIM').nullable().optional(),
  /** Limits of each caller; null: none. */
  callers: callersSchema.nullable().optional(),
  /** What callers get when it fails; null: the failure. */
  fallback: fallbackSchema.nullable().optional(),
  /** Callers stay on the version that served them; null: they don't. */
  skew: skewSchema.nullable().optional(),
  /** Versions that are kept; null: all. */
  retention: retentionSchema.nullable().optional(),
  /** What every upload is tried by before it gets traffic, unless it says otherwise; null: nothing. */
  gates: deployGatesSchema.nullable().optional(),
});

export type FunctionPut = z.infer<typeof functionPutSchema>;

/** Whole packages come with the upload: date-fns alone has 5,136 files, 2,661 of them code. */
const MAX_FILES = 20_000;
const MAX_SOURCE_CHARACTERS = 20 * 1_048_576;

export const uploadSchema = z
  .strictObject({
    files: z
      .record(filePathSchema, z.string())
      .refine((files) => Object.keys(files).length > 0, 'must hold at least one file')
      .refine((files) => Object.keys(files).length <= MAX_FILES, `at most ${MAX_FILES} files`)
      .refine((files) => Object.values(files).reduce((sum, text) => sum + text.length, 0) <= MAX_SOURCE_CHARACTERS, `at most ${MAX_SOURCE_CHARACTERS} characters in all`),
    main: filePathSchema,
    message: z.string().max(2_048).optional(),
    /** false: no version snapshot is made of it, until it is switched on. */
    snapshot: z.boolean().optional(),
    ...gateFields,
  })
  .refine((upload) => Object.hasOwn(upload.files, upload.main), { path: ['main'], message: 'must name one of files' });

export const copySchema = z.strictObject({ from: z.int().min(1), message: z.string().max(2_048).optional(), snapshot: z.boolean().optional(), ...gateFields });

/** PUT …/versions/:n/snapshot */
export const snapshotPutSchema = z.strictObject({ enabled: z.boolean() });

export type Upload = z.infer<typeof uploadSchema>;

/** Paging of every list. */
export const pageSchema = z.strictObject({ limit: z.coerce.number().int().min(1).max(1_000).default(100), cursor: z.string().max(512).optional() });
