// Gates before traffic: what an upload brings to be tried by, and the report of how it went.
import { z } from 'zod';
import { jsonSchema } from './events.ts';
import { filePathSchema } from './file-paths.ts';

const FIELD = "[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}";
const headerName = z.string().regex(new RegExp(`^${FIELD}$`), 'must be a header name (RFC 9110 token)');
const headerValue = z.string().max(4_096).regex(/^[\t\x20-\x7e\x80-\xff]*$/, 'must be one line of Latin-1');
const headers = z.record(headerName, headerValue).refine((h) => Object.keys(h).length <= 50, 'at most 50 headers');

const MAX_TEST_FILES = 200;
const MAX_SMOKE = 20;
const MAX_BODY_CHARACTERS = 65_536;

const testFilesSchema = z.array(filePathSchema).max(MAX_TEST_FILES).refine((files) => new Set(files).size === files.length, 'each file may appear once');

/** What an answer must be. Absent status: 200 to 299. */
const smokeExpectSchema = z.strictObject({
  status: z.int().min(200).max(599).optional(),
  /** Whole values; names in any case. */
  headers: headers.optional(),
  /** The whole body as text. */
  body: z.string().max(MAX_BODY_CHARACTERS).optional(),
  /** Members that the body must have, as JSON: objects may have more of them, arrays must be as long. */
  json: jsonSchema.optional(),
});

const smokeSchema = z.strictObject({
  method: z.enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']).default('GET'),
  /** Path and query, as in a request line. */
  path: z.string().max(2_048).regex(/^\/[\x21-\x22\x24-\x7e]*$/, 'must begin with / and hold no space, no # and nothing but ASCII').default('/'),
  headers: headers.default({}),
  body: z.string().max(MAX_BODY_CHARACTERS).optional(),
  expect: smokeExpectSchema.default({}),
});
export type Smoke = z.infer<typeof smokeSchema>;

/** What a version may be at the most; times and heap are those of the best of three starts in a host that has nothing else to do. */
const ceilingsSchema = z.strictObject({
  bundleBytes: z.int().min(1).optional(),
  gzipBytes: z.int().min(1).optional(),
  /** From the wish for an isolate to the evaluated module, wall time. */
  startMs: z.number().min(0.1).max(60_000).optional(),
  /** CPU time of evaluating the module. */
  startCpuMs: z.number().min(0.1).max(60_000).optional(),
  /** What the heap holds after the start, MiB. */
  heapMb: z.number().min(0.1).max(1_024).optional(),
});
export type Ceilings = z.infer<typeof ceilingsSchema>;

/** Of an upload; what is absent there is as the function's setting `gates` says. */
export const gateFields = {
  /** Files with unit tests. They are no part of the bundle unless it imports them. */
  tests: testFilesSchema.optional(),
  /** Requests that the version is sent before it gets traffic. */
  smoke: z.array(smokeSchema).max(MAX_SMOKE).optional(),
  ceilings: ceilingsSchema.optional(),
} as const;

/** Setting of a function: what every upload is tried by unless it says otherwise. */
export const deployGatesSchema = z.strictObject(gateFields);
export type DeployGates = z.infer<typeof deployGatesSchema>;

const place = { file: z.string().optional(), line: z.int().optional(), column: z.int().optional() };

/** One thing that did not hold. */
export const gateErrorSchema = z.strictObject({ gate: z.enum(['tests', 'smoke', 'ceilings']), name: z.string(), message: z.string(), ...place, stack: z.string().optional() });
export type GateError = z.infer<typeof gateErrorSchema>;

const outcome = z.enum(['passed', 'failed', 'skipped']);

export const gatesReportSchema = z.strictObject({
  /** `pending`: smoke requests have not been answered, or the node ended before they were; such a version gets no traffic, nor does a failed one. */
  state: z.enum(['passed', 'failed', 'pending']),
  tests: z.strictObject({
    passed: z.int(), failed: z.int(), skipped: z.int(), ms: z.number(),
    /** Failed ones first, then in their order; at most 500. */
    items: z.array(z.strictObject({ name: z.string(), outcome, ms: z.number(), cpuMs: z.number(), ...place })),
  }).nullable(),
  smoke: z.array(z.strictObject({ name: z.string(), outcome, status: z.int(), ms: z.number() })).nullable(),
  ceilings: z.array(z.strictObject({ name: z.string(), limit: z.number(), value: z.number(), outcome })).nullable(),
  /** At most 50. */
  errors: z.array(gateErrorSchema),
});
export type GatesReport = z.infer<typeof gatesReportSchema>;
