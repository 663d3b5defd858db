// Alert rules: what is watched, when it is too much, and who is told.
import { z } from 'zod';
import { functionNameSchema } from './functions.ts';
import { tenantNameSchema } from './tenants.ts';

/**
 * `errorRate`: failures (of the tenant or the platform, and answers of 500 and above) of requests, 0 to 1. `latencyP50`, `latencyP99`: from accept to the
 * end of the response, milliseconds. `cpuKills`: invocations killed for their CPU time. `saturation`: requests refused for want of room or by a
 * rate limit, of all requests, 0 to 1. `memory`: what all isolates hold, MB. `requests`: fewer requests than the threshold.
 * `rollout`: no condition; rollouts say when they end or roll back.
 */
export const ALERT_METRICS = ['errorRate', 'latencyP50', 'latencyP99', 'cpuKills', 'saturation', 'memory', 'requests', 'rollout'] as const;
export type AlertMetric = (typeof ALERT_METRICS)[number];

export const SEVERITIES = ['info', 'warning', 'critical'] as const;

const SHARES: ReadonlySet<AlertMetric> = new Set(['errorRate', 'saturation']);
const HOUR_MS = 3_600_000;

export const alertIdSchema = z.string().regex(/^[a-z](?:[a-z0-9-]{0,60}[a-z0-9])?$/, 'must be 1 to 62 of a-z, 0-9 and inner hyphens, and begin with a letter');

const webhookUrlSchema = z.string().max(2_048).superRefine((text, context) => {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) context.addIssue({ code: 'custom', message: 'must be an http or https URL' });
  else if (url.username !== '' || url.password !== '') context.addIssue({ code: 'custom', message: 'must not hold a user or password' });
});

/** Bytes of a signing secret, by the Standard Webhooks specification. */
const SECRET_BYTES = { least: 24, most: 64 } as const;

/** `whsec_` and base64 of 24 to 64 bytes (Standard Webhooks). */
const webhookSecretSchema = z.string().max(128).refine((text) => {
  const [, base64 = ''] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(text) ?? [];
  const bytes = Buffer.from(base64, 'base64');
  return bytes.length >= SECRET_BYTES.least && bytes.length <= SECRET_BYTES.most && bytes.toString('base64').replaceAll('=', '') === base64.replaceAll('=', '');
}, 'must be whsec_ and base64 of 24 to 64 bytes');

export const webhookSchema = z.strictObject({
  /** Write-only but for its origin: many services put a secret into the path. */
  url: webhookUrlSchema,
  /** Write-only. Absent: notifications are not signed. */
  secret: webhookSecretSchema.optional(),
});
export type Webhook = z.infer<typeof webhookSchema>;

const threshold = z.number().min(0).max(1e12);
const wholeSeconds = (min: number, max: number): z.ZodInt => z.int().min(min).max(max).multipleOf(1_000);

/** What a rule says without its webhook: what is shown of it and written into the audit trail. */
const ruleShape = {
  /** Exactly one of these three. With `tenant` and `all`, each function is judged by itself. */
  function: functionNameSchema.optional(),
  tenant: tenantNameSchema.optional(),
  all: z.literal(true).optional(),
  metric: z.enum(ALERT_METRICS),
  threshold: threshold.optional(),
  /** The latest time that is looked at. */
  windowMs: wholeSeconds(1_000, 900_000).default(60_000),
  /** How long it must be too much without a break before the alert fires. */
  forMs: wholeSeconds(0, HOUR_MS).default(0),
  /** The alert is over below it (`requests`: above). Absent: at nine tenths of the threshold (`requests`: eleven tenths). */
  resolveAt: threshold.optional(),
  /** … once it has been so for this long. */
  resolveForMs: wholeSeconds(0, HOUR_MS).default(30_000),
  /** Fewer requests in the window say nothing. Not for `cpuKills`, `memory` and `requests`. */
  minSamples: z.int().min(1).max(1_000_000).default(20),
  /** Told again while it lasts. 0: never. */
  repeatEveryMs: wholeSeconds(0, 24 * HOUR_MS).refine((ms) => ms === 0 || ms >= 60_000, 'must be 0, or a minute at least').default(4 * HOUR_MS),
  severity: z.enum(SEVERITIES).default('warning'),
};
export const alertRuleSchema = z.strictObject(ruleShape);
export type AlertRule = z.infer<typeof alertRuleSchema>;

/** PUT /v1/alerts/:id. Replaces the rule whole, but for `webhook`: absent, it stays; null: there is none. */
export const alertPutSchema = z.strictObject({ ...ruleShape, webhook: webhookSchema.nullable().optional() }).superRefine((rule, context) => {
  const refuse = (path: string, message: string): void => context.addIssue({ code: 'custom', path: [path], message });
  const scopes = (['function', 'tenant', 'all'] as const).filter((scope) => rule[scope] !== undefined);
  if (scopes.length !== 1) refuse(scopes[1] ?? 'function', 'must have exactly one of function, tenant and all');
  if (rule.metric === 'rollout') {
    if (rule.threshold !== undefined) refuse('threshold', 'rollout has none');
    return;
  }
  if (rule.threshold === undefined) return refuse('threshold', 'must be given');
  if (rule.threshold === 0) return refuse('threshold', 'must be more than 0');
  if (SHARES.has(rule.metric) && rule.threshold > 1) return refuse('threshold', 'is a share: 0 to 1');
  if (rule.metric === 'requests' && rule.function === undefined) refuse('metric', 'requests needs a function: one without any cannot be told from one that nobody needs');
  if (rule.resolveAt !== undefined && (rule.metric === 'requests' ? rule.resolveAt < rule.threshold : rule.resolveAt > rule.threshold)) {
    refuse('resolveAt', rule.metric === 'requests' ? 'must not be below the threshold' : 'must not be above the threshold');
  }
});
export type AlertPut = z.infer<typeof alertPutSchema>;
