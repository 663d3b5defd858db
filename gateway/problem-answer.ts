// A failure as an HTTP answer: status, fields and the problem+json body.
import { ERRORS, PROBLEM_CONTENT_TYPE, isErrorCode, problem } from '../core/errors/index.ts';
import type { ErrorCode, ErrorParams, ErrorSpec } from '../core/errors/index.ts';
import type { ResponseFields } from './response-fields.ts';

export interface Failure {
  readonly code: ErrorCode;
  readonly params: Readonly<Record<string, unknown>> | null;
}

/** Codes whose message needs a parameter: what stands in when a host sent none. */
const DEFAULTS: Readonly<Partial<Record<ErrorCode, Readonly<Record<string, unknown>>>>> = {
  bad_response: { why: 'unknown' }, overloaded: { what: 'the host' }, unavailable: { part: 'the host' },
  caller_rate_limited: { ratePerSec: 0 }, caller_concurrency_exceeded: { limit: 0 }, frozen: { what: 'it', by: 'an operator', reason: '' },
  tenant_memory_exceeded: { limit: 0 }, tenant_subrequests_limited: { limit: 0 }, cpu_limit_exceeded: { limit: 0 }, memory_limit_exceeded: { limit: 0 }, loop_detected: { limit: 0 }, protocol_violation: { why: 'unknown' },
  bad_request: { why: 'unknown' }, method_not_allowed: { allow: 'POST' }, invalid: { errors: [] }, egress_refused: { rule: 'unknown' }, upstream_failed: { why: 'unknown' }, subrequest_limit_exceeded: { limit: 0 }, upstream_timeout: { afterMs: 0 },
};

/** The failure that a host reports. Codes that are not in the table are defects: the client reads `internal`. */
export function reportedFailure(code: string, params: Readonly<Record<string, unknown>> | null): Failure {
  if (!isErrorCode(code)) return { code: 'internal', params: null };
  return { code, params: { ...DEFAULTS[code], ...params } };
}

export function specOf(code: ErrorCode): ErrorSpec {
  return ERRORS[code];
}

/**
 * Fills `fields` for the answer.
 *
 * @param retryAfterS  whole seconds; absent: the code's default, if it has one
 * @param detail  message and stack of the function, only when its debug is on
 * @returns the body
 */
export function problemAnswer(failure: Failure, fields: ResponseFields, retryAfterS?: number, detail?: string | null): string {
  const { code, params } = failure;
  const extensions: Record<string, unknown> = {};
  if (detail !== undefined && detail !== null) {
    extensions['detail'] = detail.split('\n', 1)[0] ?? '';
    extensions['stack'] = detail;
  }
  // What a failed batch or timer still decided about its messages and its repetition.
  const outcome = params?.['outcome'];
  if (typeof outcome === 'object' && outcome !== null) {
    const { messages, retry } = outcome as { messages?: unknown; retry?: unknown };
    if (Array.isArray(messages)) extensions['messages'] = messages;
    if (typeof retry === 'boolean') extensions['retry'] = retry;
  }
  fields.clear().add('content-type', PROBLEM_CONTENT_TYPE).add('cache-control', 'no-store');
  const retry = retryAfterS ?? specOf(code).retryAfterS;
  if (retry !== undefined) fields.add('retry-after', String(retry));
  if (code === 'method_not_allowed' && typeof params?.['allow'] === 'string') fields.add('allow', params['allow']);
  return JSON.stringify(problem(code, params as unknown as ErrorParams<ErrorCode>, extensions));
}
