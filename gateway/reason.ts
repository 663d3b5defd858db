// x-thimble-reason: why a request was cold, throttled or killed, as an RFC 9651 item with parameters.
import { Token, serializeItem } from 'structured-headers';
import type { ErrorCode } from '../core/errors/index.ts';
import type { ColdPhases } from '../core/protocol/index.ts';

/** Codes that a kill, a throttle or the platform's state explains; the others explain themselves by their status. */
const EXPLAINED: ReadonlySet<string> = new Set<ErrorCode>([
  'cpu_limit_exceeded', 'memory_limit_exceeded', 'wall_limit_exceeded', 'isolate_lost', 'host_lost', 'overloaded', 'quarantined', 'unavailable',
  'rate_limited', 'tenant_rate_limited', 'caller_rate_limited', 'caller_concurrency_exceeded', 'switched_off', 'tenant_memory_exceeded', 'loop_detected',
]);

const KEY = /^[a-z*][a-z0-9_.*-]*$/;

/** A decimal has at most 12 digits and three after the point (RFC 9651 section 3.3.2). */
const bounded = (value: number): number => Math.min(Math.round(Math.max(value, 0) * 1_000) / 1_000, 999_999_999_999);

export function isExplained(code: string): boolean {
  return EXPLAINED.has(code);
}

/** @param params  those of the error; only numbers and dates are shown: texts may come from a function */
export function failureReason(code: ErrorCode, params: Readonly<Record<string, unknown>> | null | undefined): string {
  if (!EXPLAINED.has(code)) return '';
  const shown = new Map<string, number | Date>();
  for (const [key, value] of Object.entries(params ?? {})) {
    if (typeof value === 'number' && Number.isFinite(value) && KEY.test(key)) shown.set(key, bounded(value));
    // A Date of RFC 9651 is whole seconds.
    else if (value instanceof Date && KEY.test(key)) shown.set(key, value);
  }
  return serializeItem([new Token(code), shown]);
}

/** @param waitedMs  in the gateway, before the host got the request */
export function coldReason(cold: ColdPhases, waitedMs: number): string {
  const [queue, isolate, restore, handler] = cold;
  return serializeItem([
    new Token('cold_start'),
    new Map([['queue', bounded(queue + waitedMs)], ['isolate', bounded(isolate)], ['restore', bounded(restore)], ['handler', bounded(handler)]]),
  ]);
}

/** Server-Timing (https://www.w3.org/TR/server-timing/) for functions with debug on. Milliseconds. */
export function serverTiming(waitedMs: number, totalMs: number, cpuUs: number, cold: ColdPhases | null): string {
  const metrics: [string, number][] = [['wait', waitedMs], ['cpu', cpuUs / 1_000], ['total', totalMs]];
  if (cold !== null) metrics.push(['queue', cold[0]], ['isolate', cold[1]], ['restore', cold[2]], ['handler', cold[3]]);
  return metrics.map(([name, ms]) => `${name};dur=${bounded(ms)}`).join(', ');
}
