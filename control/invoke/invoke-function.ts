// POST …/invoke: the event as handlers get it, and the outcome as callers read it.
import { randomUUID } from 'node:crypto';
import { ERRORS, PlatformError, problem } from '../../core/errors/index.ts';
import { MAX_EVENT_CHARACTERS, eventResultSchema } from '../../core/schemas/index.ts';
import type { FunctionEvent, Invoke } from '../../core/schemas/index.ts';
import type { Invoker, Outcome } from './invoker.ts';

export interface InvokeAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** @throws unavailable, overloaded, body_too_large */
export async function invokeFunction(invoker: Invoker, name: string, { event, version }: Invoke): Promise<InvokeAnswer> {
  const body = JSON.stringify(completed(event, Date.now()));
  if (body.length > MAX_EVENT_CHARACTERS) throw new PlatformError('body_too_large', { limitBytes: MAX_EVENT_CHARACTERS });
  const user = event.type === 'business' ? (event.user ?? '') : '';
  return answerOf(await invoker.invoke(name, version ?? 0, event.type, body, user));
}

/** What was left out is what it is now. */
function completed(event: FunctionEvent, nowMs: number): object {
  switch (event.type) {
    case 'scheduled':
      return { cron: event.cron, scheduledTime: event.scheduledTime ?? nowMs };
    case 'queue':
      return { queue: event.queue, messages: event.messages.map((message) => ({ id: randomUUID(), timestamp: nowMs, ...message })) };
    case 'business':
      return { export: event.export, args: event.args };
  }
}

/** A failure keeps its status and problem, with what is known of the run beside it. */
function answerOf({ status, version, invocation, cpuUs, wallMs, reason, body }: Outcome): InvokeAnswer {
  const run = {
    ...(version === 0 ? {} : { version }), invocation, durationMs: Math.round(wallMs * 1_000) / 1_000, cpuMs: Math.round(cpuUs) / 1_000, ...(reason === '' ? {} : { reason }),
  };
  const given = parsed(body);
  if (status !== 200 && given !== undefined) return { status, body: { ...given, ...run } };
  const result = status === 200 ? eventResultSchema.safeParse(given) : undefined;
  if (result?.success === true) return { status, body: { outcome: 'ok', ...result.data, ...run } };
  // A function may have replaced what makes JSON of the outcome.
  return { status: ERRORS.bad_response.status, body: { ...problem('bad_response', { why: 'it is no outcome of an event' }), ...run } };
}

function parsed(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
