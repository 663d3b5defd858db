// How a function is delivered: limits per caller, answers when it fails, skew protection, shadow traffic, emergency switches, names of versions.
import { z } from 'zod';

const FIELD = "[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}";
const version = z.int().min(1);
const reason = z.string().max(1_024);

/** What tells one caller from another: `header:NAME`, `cookie:NAME`, `user` (of the function's `user`), or `address` of the client. */
export const callerKeySchema = z.string().regex(new RegExp(`^(?:header:${FIELD}|cookie:${FIELD}|user|address)$`), 'must be header:NAME, cookie:NAME, user or address');

/** Limits of each caller of a function, on each gateway. Requests without the key share one allowance. */
export const callersSchema = z.strictObject({
  by: callerKeySchema,
  /** Requests per second; 0: no limit. */
  rps: z.number().min(0).max(100_000).refine((rps) => rps === 0 || rps >= 0.001, 'must be 0 or at least 0.001').default(0),
  /** Requests that may come at once before `rps` holds; 0: a second's worth. */
  burst: z.int().min(0).max(100_000).default(0),
  /** Requests at once; 0: no limit. */
  concurrency: z.int().min(0).max(10_000).default(0),
});
export type Callers = z.infer<typeof callersSchema>;

/** `error`: the code failed; `kill`: a limit killed it; `throttle`: a rate, a queue or a quarantine refused it; `unavailable`: the platform could not run it. */
export const FALLBACK_CAUSES = ['error', 'kill', 'throttle', 'unavailable'] as const;
export type FallbackCause = (typeof FALLBACK_CAUSES)[number];

const MAX_FALLBACK_CHARACTERS = 65_536;
const headerName = z.string().regex(new RegExp(`^${FIELD}$`), 'must be a header name (RFC 9110 token)');
const headerValue = z.string().max(4_096).regex(/^[\t\x20-\x7e\x80-\xff]*$/, 'must be one line of Latin-1');

export const staticAnswerSchema = z.strictObject({
  status: z.int().min(200).max(599).default(200),
  headers: z.record(headerName, headerValue).refine((h) => Object.keys(h).length <= 50, 'at most 50 headers').default({}),
  body: z.string().max(MAX_FALLBACK_CHARACTERS).default(''),
});
export type StaticAnswer = z.infer<typeof staticAnswerSchema>;

/**
 * What callers get in place of a failure, marked by `x-thimble-fallback`. The last good answer comes first, then the static one. A function that is
 * switched off by hand (`emergency.killed`) answers the static one whatever `on` says.
 */
export const fallbackSchema = z.strictObject({
  on: z.array(z.enum(FALLBACK_CAUSES)).min(1).refine((on) => new Set(on).size === on.length, 'each may appear once').default([...FALLBACK_CAUSES]),
  static: staticAnswerSchema.optional(),
  /** The last 2xx answer to the same GET, while it is younger than `ttlMs`. */
  lastGood: z.strictObject({ ttlMs: z.int().min(1_000).max(86_400_000) }).optional(),
}).refine((f) => f.static !== undefined || f.lastGood !== undefined, 'must have static or lastGood');
export type Fallback = z.infer<typeof fallbackSchema>;

/** Longest time that callers stay on the version that served them, milliseconds. */
export const MAX_SKEW_AGE_MS = 7 * 86_400_000;

/** Callers stay on the version that served them first, while it can be reached. */
export const skewSchema = z.strictObject({
  by: z.enum(['cookie', 'header']),
  /** Of the cookie or header that carries the version. */
  name: headerName.default('thimble-version'),
  maxAgeMs: z.int().min(1_000).max(MAX_SKEW_AGE_MS).default(3_600_000),
});
export type Skew = z.infer<typeof skewSchema>;

const jsonPointer = z.string().max(512).regex(/^(?:\/(?:[^~/]|~0|~1)*)*$/, 'must be a JSON pointer (RFC 6901); * stands for any member');

/** Fields whose values are secrets or belong to one answer only. */
const NOT_COMPARED: ReadonlySet<string> = new Set(['set-cookie', 'set-cookie2', 'date', 'content-length', 'connection', 'transfer-encoding', 'server', 'x-request-id']);

/** PUT /v1/functions/:name/shadow: requests that were answered are repeated to `version`, whose answers are compared and thrown away. */
export const shadowSchema = z.strictObject({
  version,
  /** Of the requests that traffic sends elsewhere, percent, drawn at random. */
  percent: z.number().min(0).max(100).default(100),
  methods: z.array(z.enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])).min(1).max(7).refine((m) => new Set(m).size === m.length, 'each may appear once').default(['GET', 'HEAD']),
  /** Response headers that must be alike. */
  headers: z.array(headerName.refine((name) => !NOT_COMPARED.has(name.toLowerCase()) && !name.toLowerCase().startsWith('x-thimble-'), 'is not compared: it is a cookie, or the gateway\'s own')).max(50).default(['content-type']),
  /** Members of JSON bodies that may differ; what is below them too. */
  ignore: z.array(jsonPointer).max(100).default([]),
  /** Whether listed differences show the values of both sides; false: only where they are. */
  values: z.boolean().default(true),
});
export type Shadow = z.infer<typeof shadowSchema>;

/** The settings as they are kept: counting begins anew with each change of them. */
export const shadowRecordSchema = shadowSchema.extend({ since: z.iso.datetime() });
export type ShadowRecord = z.infer<typeof shadowRecordSchema>;

/** PUT /v1/functions/:name/emergency. Replaces the switches whole; each acts at once on every gateway. */
export const emergencySchema = z.strictObject({
  /** No request reaches the function: callers get its static fallback, or `switched_off`. */
  killed: z.boolean().default(false),
  /** Every request gets this version, whatever the traffic says. */
  forced: version.nullable().default(null),
  /** No deploy, no change of traffic, no rollout. */
  frozen: z.boolean().default(false),
  reason: reason.default(''),
});
export type Emergency = z.infer<typeof emergencySchema>;

/** Who set a switch last, and when; '' and null: nobody has. */
const SET = { by: z.string().default(''), at: z.iso.datetime().nullable().default(null) };

/** The switches as they stand. */
export const emergencyStateSchema = emergencySchema.extend(SET);
export type EmergencyState = z.infer<typeof emergencyStateSchema>;

/** PUT /v1/freeze: no deploys on the whole node. */
export const freezeSchema = z.strictObject({ frozen: z.boolean(), reason: reason.default('') });
export type Freeze = z.infer<typeof freezeSchema>;

export const freezeStateSchema = freezeSchema.extend(SET);
export type FreezeState = z.infer<typeof freezeStateSchema>;

/** `stable`, `next`: a movable name of a version, also in a host label (`next--card.localhost`). Never of the form v1, which is a number. */
export const aliasNameSchema = z.string().regex(/^(?!v\d+$)[a-z](?:[a-z0-9]|-(?!-)){0,30}(?<!-)$/, 'must be 1 to 31 of a-z, 0-9 and single inner hyphens, starting with a letter, and not v and a number');
export const aliasPutSchema = z.strictObject({ version });

/** PUT …/versions/:n/pin */
export const pinPutSchema = z.strictObject({ pinned: z.boolean() });

/** The newest `keep` versions stay, and every one that is live, pinned, named by an alias or part of a rollout. */
export const retentionSchema = z.strictObject({ keep: z.int().min(1).max(100_000) });
export type Retention = z.infer<typeof retentionSchema>;

/** POST /v1/functions/:name/purge. `keep` absent: what the function's retention says; of a deleted function none. */
export const purgeSchema = z.strictObject({ keep: z.int().min(0).max(100_000).optional(), dryRun: z.boolean().default(false) });
export type PurgePost = z.infer<typeof purgeSchema>;

/** POST /v1/backups. `keys`: with the files secret.key and admin.token of the data folder. */
export const backupPostSchema = z.strictObject({ keys: z.boolean().default(true) });
