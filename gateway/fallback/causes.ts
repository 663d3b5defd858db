// Which failures a fallback may stand in for: every error code, as the cause that owners of functions name it by.
import type { ERRORS, ErrorCode } from '../../core/errors/index.ts';
import type { FallbackCause } from '../../core/schemas/index.ts';

/** `switch`: an operator's word, which the static answer always follows. null: nothing stands in for it. */
export type Cause = FallbackCause | 'switch' | null;

/** Codes that are not the caller's fault: each needs a decision, so a new one is an error here until it has one. */
type Faulty = { [C in ErrorCode]: (typeof ERRORS)[C]['fault'] extends 'caller' ? never : C }[ErrorCode];

/** What a caller did wrong stays a failure, so those codes are absent; throttles are listed although some count as the caller's fault. */
export const CAUSES = {
  switched_off: 'switch',

  function_threw: 'error', bad_response: 'error',
  // What functions get from their calls: one that passes it on fails by it.
  upstream_failed: 'error', upstream_timeout: 'error', egress_refused: 'error', shadow_refused: 'error', subrequest_limit_exceeded: 'error', tenant_subrequests_limited: 'throttle',
  sidecar_lost: 'unavailable',

  cpu_limit_exceeded: 'kill', memory_limit_exceeded: 'kill', wall_limit_exceeded: 'kill',

  rate_limited: 'throttle', tenant_rate_limited: 'throttle', caller_rate_limited: 'throttle', caller_concurrency_exceeded: 'throttle',
  overloaded: 'throttle', quarantined: 'throttle', tenant_memory_exceeded: 'throttle',

  unavailable: 'unavailable', host_lost: 'unavailable', isolate_lost: 'unavailable', internal: 'unavailable', protocol_violation: 'unavailable',

  // An answer would keep the loop turning.
  loop_detected: null,
  // Never what a caller of a function gets.
  build_failed: null, gate_failed: null, storage_failed: null,
} as const satisfies Readonly<Record<Faulty, Cause> & Partial<Record<ErrorCode, Cause>>>;

const causes: Readonly<Partial<Record<ErrorCode, Cause>>> = CAUSES;

export function causeOf(code: ErrorCode): Cause {
  return causes[code] ?? null;
}
