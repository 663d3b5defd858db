// Smoke requests: sent to the committed version through the gateway's dispatcher, before it gets traffic.
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { PlatformError } from '../../core/errors/index.ts';
import type { GateError, GatesReport, Smoke } from '../../core/schemas/index.ts';

type Row = NonNullable<GatesReport['smoke']>[number];

export interface ProbeOutcome {
  /** 200: `body` is a `probeAnswerSchema` as JSON; else a problem. */
  readonly status: number;
  readonly body: string;
  readonly wallMs: number;
}

/** What the gateway gathers of an answer. */
const probeAnswerSchema = z.object({ status: z.int(), headers: z.array(z.tuple([z.string(), z.string()])), body: z.string() });
type ProbeAnswer = z.infer<typeof probeAnswerSchema>;
const problemSchema = z.object({ code: z.string(), detail: z.string().default('') });

/** Refusals that say nothing about the version: the node is busy, or has not heard of it yet. */
const PASSING: ReadonlySet<string> = new Set(['overloaded', 'unavailable', 'isolate_lost', 'host_lost', 'no_version', 'not_found', 'rate_limited']);
const TRIES = 5;
const BETWEEN_MS = 200;
const SHOWN_CHARACTERS = 300;

export interface SmokeOptions {
  /** Sends one request to the version. @throws unavailable, overloaded */
  readonly send: (request: { readonly method: string; readonly path: string; readonly headers: Readonly<Record<string, string>>; readonly body: string }) => Promise<ProbeOutcome>;
  /** Default: the clock's. */
  readonly sleep?: (ms: number) => Promise<unknown>;
}

/** One after the other, in their order: a later one may read what an earlier one has written. */
export async function runSmoke(requests: readonly Smoke[], { send, sleep: wait = sleep }: SmokeOptions): Promise<{ readonly rows: readonly Row[]; readonly errors: readonly GateError[] }> {
  const rows: Row[] = [];
  const errors: GateError[] = [];
  for (const [index, smoke] of requests.entries()) {
    const name = `smoke[${index}] ${smoke.method} ${smoke.path}`;
    const { answer, wallMs, why } = await attempt(smoke, send, wait);
    const wrong = answer === undefined ? [why] : differences(smoke.expect, answer);
    rows.push({ name, outcome: wrong.length === 0 ? 'passed' : 'failed', status: answer?.status ?? 0, ms: Math.round(wallMs * 1_000) / 1_000 });
    for (const message of wrong) errors.push({ gate: 'smoke', name, message });
  }
  return { rows, errors };
}

interface Attempt {
  readonly answer: ProbeAnswer | undefined;
  readonly wallMs: number;
  readonly why: string;
}

async function attempt(smoke: Smoke, send: SmokeOptions['send'], wait: NonNullable<SmokeOptions['sleep']>): Promise<Attempt> {
  for (let tried = 1; ; tried++) {
    const outcome = await once(smoke, send);
    if (tried >= TRIES || outcome.passing === undefined) return outcome;
    await wait(BETWEEN_MS * tried);
  }
}

async function once({ method, path, headers, body = '' }: Smoke, send: SmokeOptions['send']): Promise<Attempt & { readonly passing: string | undefined }> {
  let outcome: ProbeOutcome;
  try {
    outcome = await send({ method, path, headers, body });
  } catch (thrown) {
    if (!(thrown instanceof PlatformError)) throw thrown;
    return { answer: undefined, wallMs: 0, why: `not sent: ${thrown.message}`, passing: thrown.code };
  }
  const given = parsed(outcome.body);
  if (outcome.status !== 200) {
    const { code = 'unavailable', detail = '' } = problemSchema.safeParse(given).data ?? {};
    return { answer: undefined, wallMs: outcome.wallMs, why: `not answered: ${code}: ${detail}`, passing: PASSING.has(code) ? code : undefined };
  }
  const answer = probeAnswerSchema.safeParse(given).data;
  if (answer === undefined) return { answer, wallMs: outcome.wallMs, why: 'the answer could not be read', passing: undefined };
  // The platform's own refusals come as problems, like any client would get them.
  const code = answer.status >= 429 && isProblem(answer) ? problemSchema.safeParse(parsed(answer.body)).data?.code : undefined;
  return { answer, wallMs: outcome.wallMs, why: '', passing: code !== undefined && PASSING.has(code) ? code : undefined };
}

function isProblem({ headers }: ProbeAnswer): boolean {
  return headers.some(([name, value]) => name.toLowerCase() === 'content-type' && value.startsWith('application/problem+json'));
}

/** What of the answer is not as expected, in words. */
export function differences(expected: Smoke['expect'], answer: ProbeAnswer): string[] {
  const wrong: string[] = [];
  const { status } = answer;
  // What callers would get in place of an answer says nothing good about the version.
  const fallback = answer.headers.find(([name]) => name.toLowerCase() === 'x-thimble-fallback');
  if (fallback !== undefined) wrong.push(`the version failed, and its fallback answered: ${shown(fallback[1])}`);
  if (expected.status === undefined ? status < 200 || status > 299 : status !== expected.status) {
    wrong.push(`expected status ${expected.status ?? '200 to 299'}, got ${status}${status >= 400 ? `: ${shown(answer.body)}` : ''}`);
  }
  for (const [name, value] of Object.entries(expected.headers ?? {})) {
    const got = answer.headers.filter(([field]) => field.toLowerCase() === name.toLowerCase()).map(([, text]) => text);
    if (!got.includes(value)) wrong.push(`expected header ${name}: ${shown(value)}, got ${got.length === 0 ? 'none' : shown(got.join(', '))}`);
  }
  if (expected.body !== undefined && answer.body !== expected.body) wrong.push(`expected the body ${shown(expected.body)}, got ${shown(answer.body)}`);
  if (expected.json !== undefined) {
    const json = parsed(answer.body);
    const path = json === undefined ? '' : firstDifference(expected.json, json, '');
    if (json === undefined) wrong.push(`expected JSON, got ${shown(answer.body)}`);
    else if (path !== undefined) wrong.push(`the JSON differs at ${path === '' ? 'its root' : path}`);
  }
  return wrong;
}

/** JSON pointer (RFC 6901) of the first member of `expected` that `actual` has not alike, or undefined. */
function firstDifference(expected: unknown, actual: unknown, at: string): string | undefined {
  if (typeof expected !== 'object' || expected === null) return Object.is(expected, actual) || expected === actual ? undefined : at;
  if (typeof actual !== 'object' || actual === null || Array.isArray(expected) !== Array.isArray(actual)) return at;
  if (Array.isArray(expected) && expected.length !== (actual as unknown[]).length) return at;
  for (const [key, value] of Object.entries(expected)) {
    const path = `${at}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    const found = Object.hasOwn(actual, key) ? firstDifference(value, (actual as Record<string, unknown>)[key], path) : path;
    if (found !== undefined) return found;
  }
  return undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function shown(text: string): string {
  return JSON.stringify(text.length <= SHOWN_CHARACTERS ? text : `${text.slice(0, SHOWN_CHARACTERS)}…`);
}
