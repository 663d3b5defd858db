// One request from admission to the host's final frame: joins the client's side and the host's side, and decides what each failure means.
import type { HostGroup } from '../core/config/index.ts';
import type { ErrorCode, Fault } from '../core/errors/index.ts';
import { hasNoBody, isIdempotent } from '../core/http/index.ts';
import { BODY, RECALL } from '../core/protocol/index.ts';
import type { BodyMode, ColdPhases, FailFrame, RespondFrame } from '../core/protocol/index.ts';
import { Client } from './client.ts';
import type { ClientOwner, OwnFields } from './client.ts';
import type { Caller } from './callers/caller-table.ts';
import type { Dispatcher } from './dispatcher.ts';
import { FALLBACK_FIELD } from './fallback/fallbacks.ts';
import type { Substitute } from './fallback/fallbacks.ts';
import type { Queued } from './function-gate.ts';
import { MAX_REPLAYS, PHASE } from './exchange-phase.ts';
import type { Fate, Phase, RequestInfo } from './exchange-phase.ts';
import { figuresOf, recordEnd } from './exchange-record.ts';
import type { HostLink } from './host-link.ts';
import { problemAnswer, reportedFailure, specOf } from './problem-answer.ts';
import type { Failure } from './problem-answer.ts';
import { coldReason, failureReason, serverTiming } from './reason.ts';
import { RequestBody } from './request-body.ts';
import type { BodyOwner } from './request-body.ts';
import { ResponseFields } from './response-fields.ts';
import { ResponseStream } from './response-stream.ts';
import type { Route, VersionTarget } from './route.ts';
import { strikeReason } from './strikes.ts';
import type { TenantGate } from './tenant-gate.ts';
import type { Timed } from './timing-wheel.ts';
import type { ClientResponse } from './uws.ts';

/** Recorded for clients that went away before their answer: the status that nginx made customary. */
const CLIENT_GONE_STATUS = 499;

// Filled and written within one call.
const fields = new ResponseFields();

export class Exchange implements ClientOwner, BodyOwner, OwnFields, Timed, Queued {
  timerNext: Timed | null = null;
  timerPrevious: Timed | null = null;
  timerAtMs = 0;
  queueNext: Queued | null = null;
  queuePrevious: Queued | null = null;

  readonly request: RequestInfo;
  readonly route: Route;
  readonly client: Client;
  readonly #dispatcher: Dispatcher;
  readonly #isHead: boolean;
  target: VersionTarget;
  phase: Phase = PHASE.gathering;
  /** The tenant that it counts against while it holds a slot of its function, else null: the function may change its tenant meanwhile. */
  slotOf: TenantGate | null = null;
  /** The host that has it, or had it last. */
  link: HostLink | null = null;
  /** The hosts that may run it, as it was decided when it was last sent or parked. */
  group: HostGroup = '';
  /** Until when a parked exchange waits for a host. */
  parkedUntilMs = 0;
  bodyMode: BodyMode = BODY.none;
  /** The whole body when it is inline; kept for a replay until the answer. */
  body: Uint8Array | null = null;
  #requestBody: RequestBody | null = null;
  #dispatchedAtMs = 0;
  /** What its host's link counts it for while it has it, microseconds. */
  likelyCpuUs = 0;
  replays = 0;

  /** Who sends it, where callers of the function have limits of their own: counted as running until the exchange is over. */
  caller: Caller | null = null;
  /** It named no version, so it gets the forced one when there is one. */
  followsTraffic = false;
  /** Its answer is a caller's: a failure may be replaced by the function's fallback, and a good answer kept for one. */
  isServed: boolean;

  versionText: string;
  reason = '';
  serverTiming = '';
  pin = '';
  wasCold = false;
  /** The function's answer has come. */
  #responded = false;
  #stream: ResponseStream | null = null;
  #clientDone = false;
  /** The client got a function's whole answer. */
  #answered = false;
  /** -1: not known. */
  #cpuUs = -1;

  constructor(dispatcher: Dispatcher, request: RequestInfo, route: Route, target: VersionTarget, response: ClientResponse) {
    this.#dispatcher = dispatcher;
    this.request = request;
    this.route = route;
    this.target = target;
    this.#isHead = request.method === 'HEAD';
    // An event (`@queue`) has nobody who could make do with another answer.
    this.isServed = !request.method.startsWith('@');
    this.versionText = target.versionText;
    this.client = new Client(response, this);
    dispatcher.wheel.set(this, request.acceptedAtMs + route.fn.limits.wallMs);
  }

  /** It runs another version, or the same under other settings, from now on. No host has it. */
  retarget(target: VersionTarget): void {
    this.target = target;
    // Nobody is held to a version that did not serve him.
    if (target.versionText !== this.versionText) this.pin = '';
    this.versionText = target.versionText;
  }

  get id(): number {
    return this.request.id;
  }

  /** CPU time that the host has reported, microseconds; -1: nothing yet. */
  get cpuUs(): number {
    return this.#cpuUs;
  }

  get requestId(): string {
    return this.request.requestId;
  }

  get head(): string {
    return this.request.head;
  }

  // The request body.

  /** @param declaredBytes  Content-Length, -1 for chunked */
  takeBody(declaredBytes: number): void {
    this.#requestBody = new RequestBody(this.client, this, this.route.fn.limits.bodyBytes, declaredBytes);
    if (this.#requestBody.streams) this.onBodyStreams();
  }

  onBodyGathered(body: Buffer): void {
    if (this.#clientDone) return;
    if (body.length > 0) {
      this.bodyMode = BODY.inline;
      this.body = body;
      this.onHeld(body.length);
    }
    this.#dispatcher.start(this);
  }

  onBodyStreams(): void {
    if (this.#clientDone) return;
    this.bodyMode = BODY.stream;
    this.#dispatcher.start(this);
  }

  onBodyTooLarge(): void {
    this.fail({ code: 'body_too_large', params: { limitBytes: this.route.fn.limits.bodyBytes } });
  }

  onHeld(bytes: number): void {
    this.#dispatcher.memory.heldBytes += bytes;
    this.route.gate.heldBytes += bytes;
  }

  // Towards a host.

  /** Sends the invocation to `link`. */
  sendTo(link: HostLink): void {
    const now = performance.now();
    this.link = link;
    this.phase = PHASE.running;
    this.#dispatchedAtMs = now;
    link.invoke(this, Math.max(1, Math.round(this.request.acceptedAtMs + this.route.fn.limits.wallMs - now)));
    if (this.bodyMode === BODY.stream) this.#requestBody?.attach(link, this.id);
  }

  onRespond(frame: RespondFrame): void {
    const [, , status, head, mode, body, final, cpuUs, cold] = frame;
    this.#cpuUs = cpuUs;
    if (!this.#clientDone && !this.#responded) this.#answer(status, head, mode, body, cpuUs, cold);
    if (final) this.#hostDone();
  }

  #answer(status: number, head: string, mode: BodyMode, body: Uint8Array | string | null, cpuUs: number, cold: ColdPhases | null): void {
    const now = performance.now();
    const why = status < 200 || status > 599 ? `status ${status}` : fields.read(head);
    if (why !== '') {
      this.fail({ code: 'bad_response', params: { why } });
      return;
    }
    this.#responded = true;
    // Nobody is held to a version that failed for him.
    if (status >= 500) this.pin = '';
    if (cold !== null) this.#coldStart(cold, now);
    if (this.target.frame.debug) this.serverTiming = serverTiming(this.#waitedMs, now - this.request.acceptedAtMs, cpuUs, cold);
    if (this.route.fallback !== null) this.#keep(status, head, mode, body, now);
    this.#dropBody();
    if (mode !== BODY.stream) {
      this.client.answer(this, status, fields, body, this.#isHead, this.#dispatcher.closing);
      this.#finishClient(status, '', null);
    } else if (this.#isHead || hasNoBody(status)) {
      this.client.answer(this, status, fields, null, this.#isHead, this.#dispatcher.closing);
      this.#cancelHost('client_gone');
      this.#finishClient(status, '', null);
    } else {
      this.#stream = new ResponseStream(this.client, this, status, head, now);
      this.#dispatcher.wheel.set(this, this.#stream.deadlineMs(this.route.fn.limits));
    }
  }

  #keep(status: number, head: string, mode: BodyMode, body: Uint8Array | string | null, nowMs: number): void {
    const { fallback, gate } = this.route;
    // A body that is still to come is not kept, nor what was on its way when its function was switched off.
    if (fallback === null || fallback.ttlMs === 0 || mode === BODY.stream || !this.isServed || gate.killed) return;
    this.#dispatcher.fallbacks.keep(this.route, this.request, this.bodyMode !== BODY.none, this.target.frame.version, status, head, body, nowMs);
  }

  onData(bytes: Uint8Array): void {
    // After the client has gone the host may not know yet.
    if (this.#clientDone || this.#stream === null || bytes.length === 0) return;
    const credit = this.#stream.push(bytes, performance.now());
    if (credit < 0) this.fail({ code: 'protocol_violation', params: { why: 'a body beyond its credit' } });
    else if (credit > 0) this.link?.credit(this.id, credit);
  }

  onClientWritable(): void {
    const credit = this.#stream?.drained(performance.now()) ?? 0;
    if (credit > 0 && this.phase === PHASE.running) this.link?.credit(this.id, credit);
  }

  onEnd(): void {
    if (this.#clientDone || this.#stream === null) return;
    this.#stream.end(this.#dispatcher.closing);
    this.#finishClient(this.#stream.status, '', null);
  }

  onDone(cpuUs: number): void {
    this.#cpuUs = cpuUs;
    if (!this.#clientDone) this.fail({ code: 'bad_response', params: { why: 'it ended without a response' } }, null, true);
    this.#hostDone();
  }

  onFail(frame: FailFrame): void {
    const [, , code, params, cpuUs, cold, detail] = frame;
    this.#cpuUs = cpuUs;
    if (code === 'cpu_limit_exceeded') this.#dispatcher.lanes.killed(this.target, cpuUs, params);
    const reason = strikeReason(code, params);
    if (reason !== undefined) this.#dispatcher.strikes.killed(this, reason);
    if (this.#clientDone) {
      this.#hostDone();
      return;
    }
    if (cold !== null) this.#coldStart(cold, performance.now());
    // Whether the invocation had run is the host's word; without it the careful answer is yes.
    if (code === 'isolate_lost' || code === 'unavailable') {
      const entered = params?.['entered'] !== false;
      if (this.#replayable(entered)) {
        this.#replay();
        return;
      }
    }
    this.fail(reportedFailure(code, params), detail, true);
    this.#hostDone();
  }

  /** Asks its host to give it back unless it has begun there. */
  recall(): void {
    if (this.phase === PHASE.running && !this.#responded && !this.#clientDone) this.link?.cancel(this.id, RECALL);
  }

  onCredit(bytes: number): void {
    this.#requestBody?.grant(bytes);
  }

  /** The function has cancelled the request body. */
  onBodyUnwanted(): void {
    this.#requestBody?.discard();
  }

  // A lost host.

  /**
   * The connection of its host is gone.
   *
   * @returns held: until it is known what happened there; answered: only work behind the response was lost; over: nothing is left of it
   */
  onLinkLost(): 'held' | 'answered' | 'over' {
    if (this.#clientDone || this.#responded) {
      const answered = this.#clientDone && this.#answered;
      if (!this.#clientDone) this.fail({ code: 'host_lost', params: null }, null, true);
      this.#hostDone();
      return answered ? 'answered' : 'over';
    }
    this.#requestBody?.detach();
    this.phase = PHASE.held;
    return 'held';
  }

  onHostLost(fate: Fate): void {
    if (this.phase !== PHASE.held) return;
    if (fate !== 'onThread' && this.#replayable(fate === 'entered')) {
      this.#replay();
      return;
    }
    this.fail({ code: 'host_lost', params: null }, null, true);
    this.#hostDone();
  }

  /** Entered code may have had effects: it runs again only if that is what the method promises and nothing of the body is lost. */
  #replayable(entered: boolean): boolean {
    if (this.#responded || this.#clientDone || this.replays >= MAX_REPLAYS) return false;
    if (this.#requestBody?.begun === true) return false;
    return !entered || (this.bodyMode === BODY.none && isIdempotent(this.request.method));
  }

  #replay(): void {
    this.replays += 1;
    if (this.bodyMode === BODY.stream) this.#requestBody?.detach();
    this.link?.release(this);
    this.#dispatcher.replay(this);
  }

  // Limits and the client.

  onTimer(nowMs: number): void {
    if (this.#clientDone) return;
    if (this.#stream !== null) {
      this.#checkStream(this.#stream, nowMs);
      return;
    }
    const { wallMs } = this.route.fn.limits;
    const wallAtMs = this.request.acceptedAtMs + wallMs;
    if (nowMs >= wallAtMs) {
      this.fail({ code: 'wall_limit_exceeded', params: { limit: wallMs, ...(this.#dispatchedAtMs === 0 ? { queue: nowMs - this.request.acceptedAtMs } : {}) } });
    } else if (this.phase === PHASE.parked && nowMs >= this.parkedUntilMs) {
      this.fail({ code: 'unavailable', params: { part: 'a host' } });
    } else {
      this.#dispatcher.wheel.set(this, wallAtMs);
    }
  }

  #checkStream(stream: ResponseStream, nowMs: number): void {
    const { limits } = this.route.fn;
    const limit = stream.limitReached(limits, nowMs);
    if (limit === 0) this.#dispatcher.wheel.set(this, stream.deadlineMs(limits));
    else this.fail({ code: 'wall_limit_exceeded', params: { limit } });
  }

  onClientGone(): void {
    if (this.#clientDone) return;
    this.#cancelHost('client_gone');
    this.#finishClient(this.#stream?.headOut === true ? this.#stream.status : CLIENT_GONE_STATUS, 'client_gone', null);
  }

  /** The gateway ends and waits no longer. */
  abandon(): void {
    if (!this.#clientDone) this.fail({ code: 'unavailable', params: { part: 'the gateway' } });
  }

  /**
   * The request has failed: answers, or breaks the answer off, and cancels what a host still does for it.
   *
   * @param detail  message and stack from the host
   * @param hostOver  the host's side is over: there is nothing to cancel
   */
  fail(failure: Failure, detail: string | null = null, hostOver = false, retryAfterS?: number): void {
    if (this.#clientDone) return;
    const { code } = failure;
    const spec = specOf(code);
    const begun = this.#stream?.headOut === true ? this.#stream.status : 0;
    let substitute: Substitute | undefined;
    if (begun > 0) {
      this.client.kill();
    } else {
      this.reason = failureReason(code, failure.params) || this.reason;
      this.serverTiming = '';
      this.pin = '';
      // Closing is what stops a client that is still sending a body which nobody wants.
      const close = this.#dispatcher.closing || (this.#requestBody !== null && !this.#requestBody.complete);
      substitute = this.isServed ? this.#dispatcher.fallbacks.instead(this.#dispatcher.presentRoute(this.route), this.request, code, performance.now()) : undefined;
      if (substitute === undefined) {
        const body = problemAnswer(failure, fields, retryAfterS, this.target.frame.debug ? detail : null);
        this.client.answer(this, spec.status, fields, body, this.#isHead, close);
      } else {
        fields.read(substitute.head);
        fields.add(FALLBACK_FIELD, substitute.mark);
        this.client.answer(this, substitute.status, fields, substitute.body, this.#isHead, close);
      }
    }
    const { params } = failure;
    if (params !== null && params !== undefined && 'limit' in params && 'used' in params) figuresOf(this.#dispatcher, this.target).struck(code, Number(params.limit), Number(params.used));
    this.#dispatcher.explanations.note(this.target.frame.function, this.target.frame.version, this.request.requestId, failure);
    if (!hostOver) this.#cancelHost(code);
    this.#finishClient(begun || spec.status, code, detail, spec.fault, substitute);
  }

  get #waitedMs(): number {
    return this.#dispatchedAtMs === 0 ? 0 : this.#dispatchedAtMs - this.request.acceptedAtMs;
  }

  #coldStart(cold: ColdPhases, nowMs: number): void {
    this.wasCold = true;
    this.reason = coldReason(cold, this.#waitedMs);
    figuresOf(this.#dispatcher, this.target).cold((nowMs - this.request.acceptedAtMs) * 1_000, cold, this.#waitedMs);
  }

  #cancelHost(code: ErrorCode | 'client_gone'): void {
    if (this.phase === PHASE.running) this.link?.cancel(this.id, code);
  }

  #dropBody(): void {
    if (this.body === null) return;
    this.onHeld(-this.body.length);
    this.body = null;
  }

  /** The client has its answer, or will never have one. */
  #finishClient(status: number, code: string, detail: string | null, fault?: Fault, substitute?: Substitute): void {
    this.#clientDone = true;
    this.#answered = code === '';
    this.#dispatcher.wheel.clear(this);
    this.#dropBody();
    this.#requestBody?.discard();
    recordEnd(this.#dispatcher, this, status, code, detail, fault, substitute);
    // A host that has it still owes its final frame, and keeps the slot until then. Everywhere else this was all.
    if (this.phase !== PHASE.running) this.#dispatcher.leave(this);
  }

  /** The host's final frame has come, or never will. */
  #hostDone(): void {
    if (this.phase === PHASE.over) return;
    if (this.#cpuUs >= 0) {
      figuresOf(this.#dispatcher, this.target).cpu(this.#cpuUs);
      this.target.place.used(this.#cpuUs, this.#dispatcher.hosts.window);
      if (this.target.place.lane.slow) this.#dispatcher.lanes.ended(this.target, this.#cpuUs);
    }
    this.link?.release(this);
    this.#dispatcher.leave(this);
  }
}
