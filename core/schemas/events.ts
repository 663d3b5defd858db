// Events that are no HTTP request: what POST /v1/functions/:name/invoke takes, and what dispatcher and hosts pass on.
import { z } from 'zod';

/** Any JSON value. */
export const jsonSchema = z.json();

/** As much as one call may bring; the function's own `limits.bodyBytes` holds too. */
export const MAX_EVENT_CHARACTERS = 1_048_576;

const MAX_MESSAGES = 100;

const scheduledEventSchema = z.strictObject({
  type: z.literal('scheduled'),
  /** The expression that was due, as the handler reads it. */
  cron: z.string().max(256).default(''),
  /** When it was due, milliseconds since the epoch; absent: now. */
  scheduledTime: z.int().min(0).optional(),
});

const messageSchema = z.strictObject({
  /** Absent: a random one. */
  id: z.string().min(1).max(256).optional(),
  body: jsonSchema,
  /** When it was sent, milliseconds since the epoch; absent: now. */
  timestamp: z.int().min(0).optional(),
  /** Deliveries, this one included. */
  attempts: z.int().min(1).max(1_000_000).default(1),
});

const queueEventSchema = z.strictObject({
  type: z.literal('queue'),
  queue: z.string().min(1).max(256),
  messages: z.array(messageSchema).min(1).max(MAX_MESSAGES),
});

const businessEventSchema = z.strictObject({
  type: z.literal('business'),
  /** The exported function. */
  export: z.string().min(1).max(256),
  args: z.array(jsonSchema).default([]),
  /** What `ctx.user` is. */
  user: z.string().min(1).max(1_024).optional(),
});

export const eventSchema = z.discriminatedUnion('type', [scheduledEventSchema, queueEventSchema, businessEventSchema]);
export type FunctionEvent = z.infer<typeof eventSchema>;

/** POST /v1/functions/:name/invoke. */
export const invokeSchema = z.strictObject({
  event: eventSchema,
  /** Absent: as the traffic of the function says. */
  version: z.int().min(1).optional(),
});
export type Invoke = z.infer<typeof invokeSchema>;

/** What a run gave, besides how it went. */
export const eventResultSchema = z.strictObject({
  /** `queue`: what becomes of each message, in their order. */
  messages: z.array(z.strictObject({ id: z.string(), outcome: z.enum(['ack', 'retry']), delaySeconds: z.int().optional() })).optional(),
  /** `business`: what the function returned; null for nothing. */
  result: jsonSchema.optional(),
});

/** What every answer says of the invocation, of one that failed in its problem. */
export const runSchema = z.strictObject({
  version: z.int(),
  invocation: z.string(),
  /** From accept to answer. */
  durationMs: z.number(),
  cpuMs: z.number(),
  /** Of a cold start, as in x-thimble-reason. */
  reason: z.string().optional(),
});

export const invokeAnswerSchema = eventResultSchema.extend({ outcome: z.literal('ok'), ...runSchema.shape });
