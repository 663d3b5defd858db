// RFC 9457 problem details: the only shape in which a failure leaves the node over HTTP.
import { ERRORS } from './table.ts';
import type { ErrorCode, ErrorParams, ErrorSpec } from './table.ts';
import { describe } from './platform-error.ts';

export const PROBLEM_CONTENT_TYPE = 'application/problem+json';

/** RFC 9457 members, `code`, and the members that the code's row adds (`errors` of `invalid`, `build_failed` and `gate_failed`). */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ErrorCode;
  readonly detail: string;
  readonly retryable: boolean;
  readonly [extension: string]: unknown;
}

/**
 * The body of an error answer.
 *
 * @param extensions  further members, such as `instance`, or `stack` where the function's debug is on
 */
export function problem<C extends ErrorCode>(code: C, params: ErrorParams<C>, extensions?: Readonly<Record<string, unknown>>): Problem {
  const spec: ErrorSpec = ERRORS[code];
  const listed = typeof params === 'object' && params !== null && 'errors' in params ? { errors: params.errors } : undefined;
  return {
    type: `urn:thimble:error:${code}`,
    title: code.replaceAll('_', ' '),
    status: spec.status,
    code,
    detail: describe(code, params),
    retryable: spec.retryable,
    ...listed,
    // The version that was made and gets no traffic.
    ...(code === 'gate_failed' && typeof params === 'object' && params !== null && 'version' in params && params.version !== undefined ? { version: params.version } : undefined),
    ...extensions,
  };
}
