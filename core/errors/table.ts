// Every failure that Thimble can name: one row a code, the single source for HTTP answers, logs, metrics and docs/errors.md.

/** Whose failure it is: the caller's request, the tenant's code, or the platform (only the last pages someone). */
export type Fault = 'caller' | 'tenant' | 'platform';

/** One failure. `message` gets the typed parameters of its code; no text in it may come from inside the platform. */
export interface ErrorSpec {
  /** HTTP status of the answer. */
  readonly status: number;
  readonly fault: Fault;
  /** Whether the same request may succeed when sent again unchanged. */
  readonly retryable: boolean;
  /** Default of the Retry-After header, in seconds; absent: none is sent. */
  readonly retryAfterS?: number;
  /** What the code means, for docs/errors.md. */
  readonly meaning: string;
  /** The sentence that the caller reads. */
  readonly message: (params: never) => string;
  /** How to solve it. */
  readonly fix: string;
}

interface FieldError {
  readonly path: string;
  readonly message: string;
}

interface BuildMessage {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly text: string;
}

interface GateFailure {
  /** Which gate. */
  readonly gate: string;
  /** Of the test, the request or the ceiling. */
  readonly name: string;
  readonly message: string;
}

/** Codes are API: never renamed, never reused. */
export const ERRORS = {
  bad_request: {
    status: 400, fault: 'caller', retryable: false,
    meaning: 'The HTTP request itself is malformed or ambiguous, and the connection is closed; or the body of a business call is not {"args": […]}.',
    message: (p: { readonly why: string }) => `the request is malformed: ${p.why}`,
    fix: 'Send one Host, at most one Content-Length, no Transfer-Encoding but chunked, and header names that are RFC 9110 tokens; to an operation, JSON with an array args.',
  },
  unauthorized: {
    status: 401, fault: 'caller', retryable: false,
    meaning: 'The control API was called without a valid token.',
    message: () => 'a valid bearer token is needed',
    fix: 'Send Authorization: Bearer with the token of THIMBLE_TOKEN or of the file admin.token in the data folder, or with one of POST /v1/tokens that is neither expired nor revoked.',
  },
  forbidden: {
    status: 403, fault: 'caller', retryable: false,
    meaning: 'The token is valid but may not do this; action says what.',
    message: (p: { readonly action: string }) => `this token may not ${p.action}`,
    fix: 'Use a token whose role covers the action, and that is bound to the function or tenant; action names what was asked for.',
  },
  too_many_attempts: {
    status: 429, fault: 'caller', retryable: true, retryAfterS: 1,
    meaning: 'The address has sent too many wrong tokens to the control API: for a while its tokens are refused unread, but those that were right from there before.',
    message: () => 'too many wrong tokens came from this address',
    fix: 'Correct the token, and honour Retry-After; the log of the control plane names the address.',
  },
  no_route: {
    status: 404, fault: 'caller', retryable: false,
    meaning: 'No function is found by trigger, host label or x-thimble-function header; or a business function exports no such operation.',
    message: () => 'no function answers this address',
    fix: 'Check the path and host against the triggers, or name the function in the first host label or in x-thimble-function. Operations are POST /NAME.',
  },
  no_version: {
    status: 404, fault: 'caller', retryable: false,
    meaning: 'The function exists, but has no live version, or not the version or alias asked for.',
    message: (p: { readonly function: string; readonly version: number | null; /** '' when the address named none. */ readonly alias?: string }) =>
      p.version === null
        ? `function ${p.function} has no live version`
        : p.version < 0
          ? `function ${p.function} has no alias ${p.alias ?? ''}`
          : `function ${p.function} has no version ${p.version}`,
    fix: 'Upload a version, or send traffic to one that exists.',
  },
  not_found: {
    status: 404, fault: 'caller', retryable: false,
    meaning: 'The control API has no such resource.',
    message: (p: { readonly what: string }) => `${p.what} does not exist`,
    fix: 'List the collection to see what exists.',
  },
  method_not_allowed: {
    status: 405, fault: 'caller', retryable: false,
    meaning: 'A trigger matches host and path, but none takes this method; or an operation was not called by POST.',
    message: (p: { readonly allow: string }) => `this address takes ${p.allow}`,
    fix: 'Use one of the methods of the Allow header, or add the method to the trigger.',
  },
  conflict: {
    status: 409, fault: 'caller', retryable: false,
    meaning: 'The change contradicts something that exists, such as a trigger of another function.',
    message: (p: { readonly with: string }) => `this conflicts with ${p.with}`,
    fix: 'Change or remove the other one first.',
  },
  function_quota_exceeded: {
    status: 409, fault: 'caller', retryable: false,
    meaning: 'The tenant has as many functions as its quota allows.',
    message: (p: { readonly tenant: string; readonly limit: number }) => `tenant ${p.tenant} may have ${p.limit} functions`,
    fix: 'Delete functions that are not needed, or have the operator raise quotas.functions of the tenant.',
  },
  frozen: {
    status: 409, fault: 'caller', retryable: false,
    meaning: 'An operator has frozen the function, or the whole node: no deploy, no change of traffic or settings, no rollout.',
    message: (p: { readonly what: string; readonly by: string; readonly reason: string }) => `${p.what} is frozen by ${p.by}${p.reason === '' ? '' : `: ${p.reason}`}`,
    fix: 'Ask who froze it. An administrator unfreezes with PUT /v1/functions/NAME/emergency or PUT /v1/freeze; killing and forcing a version work all the while.',
  },
  precondition_failed: {
    status: 412, fault: 'caller', retryable: false,
    meaning: 'The resource has changed since it was read (If-Match).',
    message: () => 'the resource has changed since it was read',
    fix: 'Read it again and repeat the change.',
  },
  body_too_large: {
    status: 413, fault: 'caller', retryable: false,
    meaning: 'The request body is larger than limits.bodyBytes. Inside a function, of a response that is put into a cache: larger than an entry may be.',
    message: (p: { readonly limitBytes: number }) => `the body is larger than ${p.limitBytes} bytes`,
    fix: 'Send less, or raise limits.bodyBytes of the function.',
  },
  invalid: {
    status: 422, fault: 'caller', retryable: false,
    meaning: 'A field of the request has a wrong type or value, or an event fits no handler of its function; errors names each.',
    message: (p: { readonly errors: readonly FieldError[] }) =>
      p.errors.length === 1 ? `one field is invalid: ${p.errors[0]?.path ?? ''}` : `${p.errors.length} fields are invalid`,
    fix: 'Correct each field that errors names.',
  },
  build_failed: {
    status: 422, fault: 'tenant', retryable: false,
    meaning: 'The uploaded files cannot be built; errors names file, line and column.',
    message: (p: { readonly errors: readonly BuildMessage[] }) =>
      p.errors.length === 1 ? 'the build failed with one error' : `the build failed with ${p.errors.length} errors`,
    fix: 'Correct the source at the places that errors names.',
  },
  gate_failed: {
    status: 422, fault: 'tenant', retryable: false,
    meaning: 'A test, a smoke request or a ceiling did not hold, or a version whose gates did not pass was to get traffic; errors names each.',
    message: (p: { readonly errors: readonly GateFailure[]; readonly version?: number | undefined }) =>
      `${p.version === undefined ? '' : `version ${p.version} gets no traffic: `}${p.errors.length === 1 ? 'a gate failed' : `gates failed in ${p.errors.length} ways`}`,
    fix: 'Correct what errors names and deploy again; or deploy the same files without that gate.',
  },
  rate_limited: {
    status: 429, fault: 'caller', retryable: true, retryAfterS: 1,
    meaning: 'The function gets more requests per second than limits.rps.',
    message: (p: { readonly ratePerSec: number }) => `more than ${p.ratePerSec} requests per second`,
    fix: 'Slow down and honour Retry-After, or raise limits.rps.',
  },
  tenant_rate_limited: {
    status: 429, fault: 'caller', retryable: true, retryAfterS: 1,
    meaning: 'All functions of the tenant together get more requests per second than its quota allows on this node.',
    message: (p: { readonly ratePerSec: number }) => `more than ${p.ratePerSec} requests per second for all functions of the tenant`,
    fix: 'Slow down and honour Retry-After, or have the operator raise quotas.rps of the tenant.',
  },
  caller_rate_limited: {
    status: 429, fault: 'caller', retryable: true, retryAfterS: 1,
    meaning: 'One caller of the function, as callers.by tells them apart, sends more requests per second than callers.rps.',
    message: (p: { readonly ratePerSec: number }) => `more than ${p.ratePerSec} requests per second of one caller`,
    fix: 'Slow down and honour Retry-After, or raise callers.rps or callers.burst. Requests without the key of callers.by share one allowance.',
  },
  caller_concurrency_exceeded: {
    status: 429, fault: 'caller', retryable: true, retryAfterS: 1,
    meaning: 'One caller of the function, as callers.by tells them apart, has callers.concurrency requests under way.',
    message: (p: { readonly limit: number }) => `more than ${p.limit} requests at once of one caller`,
    fix: 'Wait for an answer before the next request, or raise callers.concurrency. Requests without the key of callers.by share one allowance.',
  },
  headers_too_large: {
    status: 431, fault: 'caller', retryable: false,
    meaning: 'The request head has too many bytes or too many headers.',
    message: (p: { readonly limitBytes: number }) => `the request head is larger than ${p.limitBytes} bytes or has too many headers`,
    fix: 'Send fewer or shorter headers; large cookies are the usual cause.',
  },
  internal: {
    status: 500, fault: 'platform', retryable: false,
    meaning: 'A defect of the platform; the log has the details under the same code.',
    message: () => 'an internal error happened',
    fix: 'Report it with the x-request-id; the platform log has the cause.',
  },
  function_threw: {
    status: 500, fault: 'tenant', retryable: false,
    meaning: 'The function threw, or its promise rejected, and nothing caught it.',
    message: () => 'the function threw',
    fix: 'Read the function\'s log for the stack, or switch debug on to have it in the answer.',
  },
  bad_response: {
    status: 500, fault: 'tenant', retryable: false,
    meaning: 'The function\'s result is no valid response, or has no JSON form.',
    message: (p: { readonly why: string }) => `the function gave no valid response: ${p.why}`,
    fix: 'Return a Response with a status of 200 to 599 and valid headers.',
  },
  host_lost: {
    status: 502, fault: 'platform', retryable: true,
    meaning: 'The process that ran the invocation died, and the request may not be replayed safely.',
    message: () => 'the process that ran this request was lost',
    fix: 'Send it again if it is idempotent. If one function causes it again and again, look for huge allocations in it.',
  },
  memory_limit_exceeded: {
    status: 503, fault: 'tenant', retryable: false,
    meaning: 'The isolate outgrew limits.memoryMb and was killed.',
    message: (p: { readonly limit: number }) => `the isolate exceeded its ${p.limit} MB of memory`,
    fix: 'Lower the peak memory of the function (stream instead of buffering), or raise limits.memoryMb.',
  },
  tenant_memory_exceeded: {
    status: 503, fault: 'tenant', retryable: true, retryAfterS: 1,
    meaning: 'The isolates of the tenant take all the memory of its quota on this node, and none of them is idle: no further one is made.',
    message: (p: { readonly limit: number }) => `all functions of the tenant together take their ${p.limit} MB of memory`,
    fix: 'Lower the memory of the tenant\'s functions, or have the operator raise quotas.memoryMb of the tenant.',
  },
  cpu_limit_exceeded: {
    status: 503, fault: 'tenant', retryable: false,
    meaning:
      'The invocation used more CPU time than limits.cpuMs, over all its entries; or, where operations or bytes are named, one entry asked the host for more of them than any may.',
    message: (p: { readonly limit: number; readonly operations?: number; readonly bytes?: number }) =>
      p.operations !== undefined
        ? `one entry asked for more than ${p.operations} operations of the host`
        : p.bytes !== undefined
          ? `one entry handed more than ${p.bytes} bytes to the host`
          : `the invocation exceeded its ${p.limit} ms of CPU time`,
    fix: 'Do less work per call, or raise limits.cpuMs. Operations and bytes are counted from one await that has to wait to the next.',
  },
  isolate_lost: {
    status: 503, fault: 'tenant', retryable: true,
    meaning: 'Another invocation got this isolate killed, or it was retired and did not drain in time, and the request may not be replayed safely.',
    message: () => 'this isolate was killed, and not for what this request did',
    fix: 'Send it again if it is idempotent; the log of the function names the invocation that was killed, or the retired isolate.',
  },
  overloaded: {
    status: 503, fault: 'platform', retryable: true, retryAfterS: 1,
    meaning: 'limits.concurrency is reached and the queue is full, or the node sheds load.',
    message: (p: { readonly what: string }) => `too many requests at once: ${p.what}`,
    fix: 'Honour Retry-After; raise limits.concurrency or add hosts if it lasts.',
  },
  switched_off: {
    status: 503, fault: 'tenant', retryable: false,
    meaning: 'An operator has killed the function: no request reaches it.',
    message: () => 'the function is switched off',
    fix: 'Ask who switched it off: GET /v1/functions/NAME has the reason under emergency. A static fallback answers in its place.',
  },
  quarantined: {
    status: 503, fault: 'tenant', retryable: true, retryAfterS: 1,
    meaning: 'The function was killed five times within ten seconds, or has killed two hosts, and rests.',
    message: () => 'the function was killed too often and rests',
    fix: 'Fix what gets it killed (its log names the kills) and deploy again: the next request is let through. It is probed by itself after Retry-After; an operator can pardon it.',
  },
  unavailable: {
    status: 503, fault: 'platform', retryable: true, retryAfterS: 1,
    meaning: 'A part of the platform that the request needs is down or draining.',
    message: (p: { readonly part: string }) => `${p.part} is not available now`,
    fix: 'Honour Retry-After. If it lasts, readyz names the part that is missing.',
  },
  wall_limit_exceeded: {
    status: 504, fault: 'tenant', retryable: false,
    meaning: 'No response head came within limits.wallMs of accepting the request, or a response stream was silent or open too long.',
    message: (p: { readonly limit: number }) => `no answer within ${p.limit} ms`,
    fix: 'Give upstream calls a deadline of their own (AbortSignal.timeout), or raise limits.wallMs.',
  },
  loop_detected: {
    status: 508, fault: 'tenant', retryable: false,
    meaning: 'Functions call each other, or themselves, deeper than allowed: through the node, or over the network and back (counted in CDN-Loop, RFC 8586).',
    message: (p: { readonly limit: number }) => `functions call each other more than ${p.limit} deep`,
    fix: 'Break the cycle between the functions.',
  },
  egress_refused: {
    status: 502, fault: 'tenant', retryable: false,
    meaning: 'fetch was called with an address that the egress policy refuses. Inside a function: a TypeError with this code.',
    message: (p: { readonly rule: string }) => `this address may not be reached: ${p.rule}`,
    fix: 'Call public http or https addresses, or have the operator name the address in THIMBLE_EGRESS_ALLOW.',
  },
  shadow_refused: {
    status: 502, fault: 'tenant', retryable: false,
    meaning: 'A repeated request (shadow traffic) would have changed something outside: a call with a method other than GET, HEAD or OPTIONS. Inside a function: a TypeError with this code.',
    message: (p: { readonly what: string }) => `a shadow may change nothing outside: ${p.what}`,
    fix: 'Expected of a shadow. Exempt what differs because of it with ignore, or leave requests that write out of methods.',
  },
  subrequest_limit_exceeded: {
    status: 502, fault: 'tenant', retryable: false,
    meaning: 'One invocation made more outgoing calls than limits.subrequests. Inside a function: a TypeError with this code.',
    message: (p: { readonly limit: number }) => `more than ${p.limit} outgoing calls in one invocation`,
    fix: 'Make fewer calls, or raise limits.subrequests.',
  },
  tenant_subrequests_limited: {
    status: 502, fault: 'tenant', retryable: true,
    meaning: 'All functions of the tenant together make more outgoing calls per second than its quota allows. Inside a function: a TypeError with this code.',
    message: (p: { readonly limit: number }) => `more than ${p.limit} outgoing calls per second for all functions of the tenant`,
    fix: 'Make fewer calls, or have the operator raise quotas.subrequestsPerSec of the tenant.',
  },
  upstream_failed: {
    status: 502, fault: 'tenant', retryable: true,
    meaning: 'An upstream could not be reached or broke off. Inside a function: a TypeError with this code.',
    message: (p: { readonly why: string }) => `the upstream failed: ${p.why}`,
    fix: 'Check that the upstream runs and answers; retry if the call is idempotent.',
  },
  upstream_timeout: {
    status: 504, fault: 'tenant', retryable: true,
    meaning: 'An upstream did not answer before the deadline of the invocation. Inside a function: a TypeError with this code.',
    message: (p: { readonly afterMs: number }) => `the upstream did not answer within ${p.afterMs} ms`,
    fix: 'Check the upstream, or raise limits.wallMs.',
  },
  sidecar_lost: {
    status: 502, fault: 'platform', retryable: true,
    meaning: 'The sidecar died during an outgoing call that may not be repeated safely. Inside a function: a TypeError with this code.',
    message: () => 'the process that made the outgoing call was lost',
    fix: 'Repeat the call if it is idempotent.',
  },
  protocol_violation: {
    status: 500, fault: 'platform', retryable: false,
    meaning: 'A process of the node sent a frame that is malformed or not allowed; its connection is closed.',
    message: (p: { readonly why: string }) => `protocol violation: ${p.why}`,
    fix: 'Processes of different releases must not be mixed; restart the node. Otherwise report it.',
  },
  settings_invalid: {
    status: 500, fault: 'caller', retryable: false,
    meaning: 'The node does not start: a setting is wrong.',
    message: (p: { readonly errors: readonly FieldError[] }) =>
      `the settings are invalid:\n${p.errors.map((e) => `  ${e.path}: ${e.message}`).join('\n')}`,
    fix: 'Correct each setting that the message names.',
  },
  data_locked: {
    status: 500, fault: 'caller', retryable: false,
    meaning: 'The node does not start: another node uses the data folder.',
    message: (p: { readonly folder: string; readonly pid: number }) => `the data folder ${p.folder} is in use by process ${p.pid}`,
    fix: 'Stop the other node, or set THIMBLE_DATA to another folder.',
  },
  port_taken: {
    status: 500, fault: 'caller', retryable: false,
    meaning: 'The node does not start: a port is in use.',
    message: (p: { readonly port: number; readonly setting: string }) => `port ${p.port} (${p.setting}) is already in use`,
    fix: 'Stop what listens there, or choose another port.',
  },
  store_too_new: {
    status: 500, fault: 'caller', retryable: false,
    meaning: 'The node does not start, or a backup is not restored: a later release wrote the store.',
    message: (p: { readonly found: number; readonly known: number }) => `the store has format ${p.found}, and this release knows formats up to ${p.known}`,
    fix: 'Start the release that wrote it, or a later one; or restore a backup that was made before the upgrade.',
  },
  backup_invalid: {
    status: 500, fault: 'caller', retryable: false,
    meaning: 'A backup is not whole, was changed, or is none; nothing was restored.',
    message: (p: { readonly why: string }) => `this backup cannot be used: ${p.why}`,
    fix: 'Use another backup; the message says what is wrong with this one.',
  },
  storage_failed: {
    status: 503, fault: 'platform', retryable: true, retryAfterS: 1,
    meaning: 'The control plane could not write to disk; nothing was changed.',
    message: () => 'the change could not be stored',
    fix: 'Check free space and permissions of the data folder.',
  },
} as const satisfies Record<string, ErrorSpec>;

export type ErrorCode = keyof typeof ERRORS;

/** The typed parameters of a code's message. */
export type ErrorParams<C extends ErrorCode> = Parameters<(typeof ERRORS)[C]['message']> extends [infer P] ? P : undefined;
