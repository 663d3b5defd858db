// A request of the control plane's own to one version: a smoke request, which passes everything that a client's would behind the route.
import { z } from 'zod';
import { PlatformError } from '../core/errors/index.ts';
import { isHeaderName, isHeaderValue } from '../core/http/index.ts';
import type { Role } from '../core/protocol/index.ts';
import type { Gathered } from './event-answer.ts';
import { methodBit } from './method-set.ts';

/** Kind of its event frame. */
export const PROBE = 'http';

const probeSchema = z.strictObject({ method: z.string(), path: z.string(), headers: z.record(z.string(), z.string()), body: z.string() });

/** What only the gateway sets, or what frames the message. */
const NOT_TAKEN = /^(?:host|content-length|transfer-encoding|connection|keep-alive|upgrade|te|trailer|expect|traceparent|x-request-id|x-forwarded-.*|x-thimble-.*)$/;

export interface Probe {
  readonly method: string;
  readonly path: string;
  /** Name and value in turn, each behind a line feed. */
  readonly fields: string;
  readonly body: string;
}

/**
 * @returns undefined when no client could send such a request
 * @throws protocol_violation  it does not come from the control plane
 */
export function readProbe(text: string, role: Role | undefined): Probe | undefined {
  if (role !== 'control') throw new PlatformError('protocol_violation', { why: 'a request by anyone but the control plane' });
  const probe = probeSchema.safeParse(parsed(text)).data;
  if (probe === undefined || methodBit(probe.method) === 0 || !/^\/[\x21-\x7e]*$/.test(probe.path)) return undefined;
  let fields = '';
  for (const [given, value] of Object.entries(probe.headers)) {
    const name = given.toLowerCase();
    if (!isHeaderName(name) || !isHeaderValue(value)) return undefined;
    if (!NOT_TAKEN.test(name)) fields += `\n${name}\n${value}`;
  }
  return { method: probe.method, path: probe.path, fields, body: probe.body };
}

/** The answer whole, as the function or the gateway gave it. */
export function probeOutcome({ status, reason, body, headers }: Gathered): { readonly status: number; readonly reason: string; readonly text: string } {
  const pairs: [string, string][] = [];
  for (let at = 0; at + 1 < headers.length; at += 2) pairs.push([headers[at] ?? '', headers[at + 1] ?? '']);
  return { status: 200, reason, text: JSON.stringify({ status, headers: pairs, body }) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
