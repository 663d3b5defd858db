// Every frame that two processes of a node exchange: an array whose first element is the type and whose second is the exchange id.
//
// An exchange is one request with one response: an invocation (gateway to host) or a call (host to sidecar). The opener chooses
// the id, a positive number that is not in use on this connection. Bodies of either direction travel as `data` frames under byte
// credits (flow.ts) and finish with `end`. The responder finishes every exchange with exactly one final frame:
//   invocation: `respond` whose `final` is true, or `done`, or `fail`;   call: `reply` without a stream, `end`, or `fail`;
//   event (control or sidecar to gateway): `outcome`;   pardon (control to gateway): `done` or `fail`.
// After `cancel` from the opener the responder still sends its final frame; until then the id stays in use.

/** Raised when a frame changes its meaning. Peers of different versions refuse each other in `hello`. */
export const PROTOCOL_VERSION = 4;

/** Payload of one frame in bytes; a longer length prefix ends the connection. */
export const MAX_FRAME_BYTES = 32 * 1_048_576;

/** A body up to this size rides in the frame that opens or answers the exchange. */
export const INLINE_BODY_BYTES = 64 * 1_024;

/** An entry that uses more CPU time than this delays its neighbours noticeably, microseconds. */
export const LONG_ENTRY_US = 4_000;

/** Body bytes in flight without a credit, per exchange and direction. */
export const STREAM_WINDOW_BYTES = 256 * 1_024;

/** Largest `data` payload: one exchange must not hold the socket for long. */
export const MAX_DATA_BYTES = 64 * 1_024;

/** As the code of a `cancel`: give the invocation back, by failing it as `isolate_lost` that was not entered, unless it has begun. */
export const RECALL = 'recall';

export const FRAME = {
  hello: 0,
  goaway: 1,
  ping: 2,
  pong: 3,
  data: 4,
  end: 5,
  credit: 6,
  cancel: 7,
  fail: 8,
  target: 16,
  forget: 17,
  invoke: 18,
  respond: 19,
  done: 20,
  load: 21,
  event: 22,
  outcome: 23,
  warm: 24,
  entries: 25,
  pardon: 26,
  tenants: 27,
  call: 32,
  reply: 33,
  logs: 48,
  figures: 49,
  subscribe: 64,
  table: 65,
  delta: 66,
  applied: 67,
  quotas: 68,
  shadow: 70,
} as const;

export type FrameType = (typeof FRAME)[keyof typeof FRAME];

/** How the body travels: none, whole in this frame, or as `data` frames that follow. */
export const BODY = { none: 0, inline: 1, stream: 2 } as const;
export type BodyMode = (typeof BODY)[keyof typeof BODY];

export type Role = 'gateway' | 'host' | 'sidecar' | 'control';

/** Milliseconds of each phase of a cold start: waiting, isolate made, version's code evaluated, handler to response head. */
export type ColdPhases = readonly [queueMs: number, isolateMs: number, restoreMs: number, handlerMs: number];

/** First frame in both directions. `epoch` (random, not 0) tells one life of the process from the next. */
export type HelloFrame = readonly [typeof FRAME.hello, 0, version: number, role: Role, name: string, pid: number, epoch: number];
/** The sender takes no new exchange and closes when those under way are finished. */
export type GoawayFrame = readonly [typeof FRAME.goaway, 0, code: string];
export type PingFrame = readonly [typeof FRAME.ping, 0, nonce: number];
export type PongFrame = readonly [typeof FRAME.pong, 0, nonce: number];

export type DataFrame = readonly [typeof FRAME.data, id: number, bytes: Uint8Array];
export type EndFrame = readonly [typeof FRAME.end, id: number];
export type CreditFrame = readonly [typeof FRAME.credit, id: number, bytes: number];
/** The sender is no longer interested: a client went away, a limit struck, a reader cancelled. `code` is an error code, `client_gone`, or `RECALL`. */
export type CancelFrame = readonly [typeof FRAME.cancel, id: number, code: string];
/** Typed failure, final. `detail` (message, stack) is there only for functions with `debug` on, and for logs. */
export type FailFrame = readonly [
  typeof FRAME.fail, id: number, code: string, params: Readonly<Record<string, unknown>> | null, cpuUs: number, cold: ColdPhases | null, detail: string | null,
];

/** What an invocation runs: sent once per connection before the first `invoke` that names it. Settings that change make a new target. */
export interface Target {
  readonly function: string;
  readonly version: number;
  readonly digest: string;
  readonly tenant: string;
  readonly tier: string;
  readonly debug: boolean;
  readonly shape: string;
  readonly cpuMs: number;
  readonly memoryMb: number;
  readonly subrequests: number;
  /** Has WebAssembly: runs on hosts of the group `wasm` only. */
  readonly wasm: boolean;
  /** Secrets of the function, sealed for the tier (`core/crypto`, purpose `secrets/FUNCTION`); '' when it has none. */
  readonly secrets: string;
  /** It repeats requests that others have answered (gateway/shadow): runs on hosts of the group `shadow` only, and must change nothing outside (sidecar/engine/side-effects.ts). */
  readonly shadow: boolean;
}
export type TargetFrame = readonly [typeof FRAME.target, target: number, Target];
/** The target will not be named again: its isolate may drain and go. */
export type ForgetFrame = readonly [typeof FRAME.forget, target: number];

/**
 * `head` is one string of fields parted by line feeds: method, absolute URL, then header name and value in turn (names in lower case,
 * each value one line). `wallMs` is what is left of the wall limit; the gateway enforces it.
 */
export type InvokeFrame = readonly [
  typeof FRAME.invoke, id: number, target: number, head: string, mode: BodyMode, body: Uint8Array | string | null, wallMs: number,
];
/** `head`: header name and value in turn, parted by line feeds; '' for none. `final`: nothing more comes, not even waitUntil work. */
export type RespondFrame = readonly [
  typeof FRAME.respond, id: number, status: number, head: string, mode: BodyMode, body: Uint8Array | string | null, final: boolean, cpuUs: number, cold: ColdPhases | null,
];
export type DoneFrame = readonly [typeof FRAME.done, id: number, cpuUs: number];
/**
 * An invocation that is no HTTP request, to the gateway's dispatcher: `kind` is `scheduled`, `queue` or `business`, `body` its event as JSON
 * (core/schemas/events.ts). `version` 0: as the function's traffic says. `user`: the user's id for a business call, '' for none. Hosts get it as an `invoke`
 * whose method is the kind behind an at sign, which no HTTP method has.
 *
 * `kind` `http`, from the control plane alone: one HTTP request, whose `body` is `{method, path, headers, body}`. The outcome of status 200 is
 * `{status, headers: [[name, value]], body}` as JSON, whatever status the function answered with.
 */
export type EventFrame = readonly [typeof FRAME.event, id: number, fn: string, version: number, kind: string, body: string, user: string];
/**
 * `status` 200: `body` is what the handler's run gave, as JSON; else it is a problem (RFC 9457), as JSON. `version` 0: none was chosen. `reason`: as in x-thimble-reason.
 */
export type OutcomeFrame = readonly [
  typeof FRAME.outcome, id: number, status: number, version: number, invocation: string, cpuUs: number, wallMs: number, reason: string, body: string,
];
/**
 * Gateway to host: keep so many isolates of the target alive from now on, and make those that are missing before a call asks for them. 0: as called for.
 * A host keeps one at the most. It answers all but 0 in the same form: how many there are, once they are ready or can't be made.
 */
export type WarmFrame = readonly [typeof FRAME.warm, target: number, isolates: number];
/** What has been entered of one target since the last frame. `long`: entries over `LONG_ENTRY_US`; `maxUs`: CPU time of the longest. */
export type EntriesRow = readonly [target: number, entries: number, long: number, maxUs: number];
/** Host to gateway, at most four times a second: how long entries are, for the choice of lanes. Targets whose figures say nothing new are left out. */
export type EntriesFrame = readonly [typeof FRAME.entries, 0, rows: readonly EntriesRow[]];
/** `limitBytes`: quota of memory. `bytes`: what isolates of the tenant take. */
export type TenantRow = readonly [tenant: string, limitBytes: number, bytes: number];
/** Gateway to host: all tenants with a quota of memory, and what their isolates on other hosts take. Host to gateway: what its own take. Each when it has changed. */
export type TenantsFrame = readonly [typeof FRAME.tenants, 0, rows: readonly TenantRow[]];
/** An operator's word: the function is no longer quarantined and its strikes are forgotten. */
export type PardonFrame = readonly [typeof FRAME.pardon, id: number, fn: string];
/** State of a host, sent when it changes but at most four times a second. `busy`: thousandths of the time since the last look in which its loop was not idle. */
export type LoadFrame = readonly [typeof FRAME.load, 0, isolates: number, running: number, residentBytes: number, busy: number];

/**
 * A call of a middleware client. `head` belongs to client and operation (for `http` / `fetch`: method, URL, redirect mode, then headers, as in
 * `invoke`). `deadlineMs` is what is left. Both sides treat tenant, function and invocation as the host's word, checked against its tier.
 * `shadow`: of an invocation whose target is one. What would change anything outside fails with `shadow_refused`.
 */
export type CallFrame = readonly [
  typeof FRAME.call, id: number, client: string, operation: string, head: string, mode: BodyMode, body: Uint8Array | string | null,
  deadlineMs: number, traceparent: string, tenant: string, fn: string, invocation: string, shadow: boolean,
];
/** `head` for `http` / `fetch`: status, final URL, `1` if redirected else `0`, then headers. */
export type ReplyFrame = readonly [typeof FRAME.reply, id: number, head: string, mode: BodyMode, body: Uint8Array | string | null];

/** One line of a function's log. */
export type LogRow = readonly [timeMs: number, level: string, fn: string, version: number, invocation: string, message: string, fields: string | null];
/** `dropped`: rows per function that did not fit since the last frame. */
export type LogsFrame = readonly [typeof FRAME.logs, 0, rows: readonly LogRow[], dropped: Readonly<Record<string, number>>];
/** Increments since the last frame (gateway) or the present state (host): see figures.ts. */
export type FiguresFrame = readonly [typeof FRAME.figures, 0, figures: unknown];

/** Gateway to control: what it has. `epoch` 0: nothing. The answer is `table` or, when the epoch is the same and the gap is known, `delta`. */
export type SubscribeFrame = readonly [typeof FRAME.subscribe, 0, epoch: number, revision: number];
export type TableFrame = readonly [typeof FRAME.table, 0, table: unknown];
export type DeltaFrame = readonly [typeof FRAME.delta, 0, delta: unknown];
export type AppliedFrame = readonly [typeof FRAME.applied, 0, revision: number];

/** Control to sidecar: outgoing calls per second of every tenant that has such a quota; whole, at each change. */
export type QuotasFrame = readonly [typeof FRAME.quotas, 0, rows: readonly (readonly [tenant: string, subrequestsPerSec: number])[]];

/** Gateway to control: what came of repeated requests since the last frame, see shadow-figures.ts. */
export type ShadowFrame = readonly [typeof FRAME.shadow, 0, figures: unknown];

export type Frame =
  | HelloFrame | GoawayFrame | PingFrame | PongFrame | DataFrame | EndFrame | CreditFrame | CancelFrame | FailFrame
  | TargetFrame | ForgetFrame | InvokeFrame | RespondFrame | DoneFrame | LoadFrame | EventFrame | OutcomeFrame | WarmFrame | EntriesFrame | PardonFrame | TenantsFrame | CallFrame | ReplyFrame
  | LogsFrame | FiguresFrame | SubscribeFrame | TableFrame | DeltaFrame | AppliedFrame | QuotasFrame | ShadowFrame;
