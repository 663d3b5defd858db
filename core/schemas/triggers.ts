// Triggers: what turns an outside event into an invocation. HTTP triggers are URLPattern paths with an optional host.
import { URLPattern } from 'urlpattern-polyfill';
import { z } from 'zod';

/** Methods are RFC 9110 tokens; those that functions may be called with. */
export const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;

function isPattern(init: { pathname?: string; hostname?: string }): boolean {
  try {
    new URLPattern(init);
    return true;
  } catch {
    return false;
  }
}

export const httpTriggerSchema = z.strictObject({
  type: z.literal('http'),
  /** URLPattern of the host name, without a port; absent: every host. */
  host: z.string().min(1).max(253).refine((hostname) => isPattern({ hostname }), 'must be a URLPattern host name').optional(),
  /** URLPattern of the path, such as `/cards/:id`. */
  path: z.string().max(2_048).startsWith('/', 'must start with /').refine((pathname) => isPattern({ pathname }), 'must be a URLPattern path'),
  /** Absent: every method. A trigger with GET takes HEAD too. */
  methods: z.array(z.enum(METHODS)).min(1).max(METHODS.length).optional(),
});

export type HttpTrigger = z.infer<typeof httpTriggerSchema>;

/**
 * A trigger that was checked when it came in, such as one of a store. To find out whether a text is a URLPattern costs 70 µs, which ten thousand
 * functions would pay at every start.
 */
export const storedTriggerSchema = z.strictObject({ type: z.literal('http'), host: z.string().optional(), path: z.string(), methods: z.array(z.enum(METHODS)).optional() });

export const triggerSchema = z.discriminatedUnion('type', [httpTriggerSchema]);
export type Trigger = z.infer<typeof triggerSchema>;
