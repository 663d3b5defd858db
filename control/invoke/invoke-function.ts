// POST …/invoke: the event as handlers get it, and the outcome as callers read it.
import { randomUUID } from 'node:crypto';
import { PlatformError } from '../../core/errors/index.ts';
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
  if (status === 200) return { status, body: { outcome: 'ok', ...eventResultSchema.parse(JSON.parse(body)), ...run } };
  return { status, body: { ...(JSON.parse(body) as Record<string, unknown>), ...run } };
}
