// Shadow traffic: requests that were answered are repeated to a version that takes no traffic, and both answers are compared.
//
// Shadows have a dispatcher of their own and hosts of their own. So nothing that they do is counted, limited, queued, struck or quarantined together with
// what callers wait for, and a version that loops or kills its process there costs live requests nothing but idle CPU time (docs/decisions/0019).
import { kindOfGroup } from '../../core/config/index.ts';
import { invocationId } from '../../core/ids/index.ts';
import type { Logger } from '../../core/log/index.ts';
import { FRAME, INLINE_BODY_BYTES } from '../../core/protocol/index.ts';
import type { LogsFrame, ShadowDifference, ShadowFrame, ShadowRow } from '../../core/protocol/index.ts';
import type { RouteFunction } from '../../core/routing/index.ts';
import { AccessLog } from '../access-log.ts';
import { Dispatcher } from '../dispatcher.ts';
import { mayTake } from '../fair-share.ts';
import type { Route } from '../route.ts';
import type { ClientResponse } from '../uws.ts';
import { AnswerRecord } from './answer-record.ts';
import type { Held } from './answer-record.ts';
import { ComparisonLine } from './comparison-line.ts';
import { ComparisonThread } from './comparison-thread.ts';
import { firstLook, verdictOf } from './compare-answers.ts';
import { Mirror } from './mirror.ts';
import type { MirrorOwner, MirroredRequest, SkipReason } from './mirror.ts';
import { ShadowAnswer } from './shadow-answer.ts';
import type { ShadowEnd } from './shadow-answer.ts';
import { ShadowExchange } from './shadow-exchange.ts';
import { ShadowLane } from './shadow-lane.ts';
import { shownPath } from './shown.ts';

/** Requests drawn and not yet compared, over all functions. */
export const MAX_OPEN = 256;
/** Invocations of shadows at once, over all functions. */
export const MAX_RUNNING = 32;
/** Request heads, bodies and answers that are held for it all, bytes. */
export const MAX_HELD_BYTES = 16 * 1_048_576;
/** Differences in one frame, of some kilobytes each at the most. What is left follows with the next. */
const MAX_DIFFERENCES_PER_FRAME = 2_000;
/** Functions in one frame. */
const MAX_ROWS = 2_000;
/** Share of its time from which on a loop counts as busy. */
const BUSY = 0.95;

export interface ShadowsOptions {
  readonly epoch: number;
  /** Where callers' requests go: looked at to see whether the node is busy. */
  readonly live: Dispatcher;
  readonly routes: { get(name: string): Pick<Route, 'fn'> | undefined };
  readonly logger: Logger;
  /** Default: Math.random. */
  readonly random?: () => number;
}

/** A repeated request whose answer is awaited. */
interface Repeated {
  readonly mirror: Mirror;
  readonly record: AnswerRecord;
  readonly answer: ShadowAnswer;
  readonly exchange: ShadowExchange;
}

export class Shadows implements MirrorOwner {
  readonly dispatcher: Dispatcher;
  readonly #options: ShadowsOptions;
  readonly #random: () => number;
  readonly #lanes = new Map<string, ShadowLane>();
  readonly #held: Held = { bytes: 0 };
  readonly #line = new ComparisonLine<Repeated>((repeated) => this.#compare(repeated));
  readonly #thread = new ComparisonThread();
  /** Those that hosts have, or that wait for one. */
  readonly #repeated = new Set<Repeated>();
  #open = 0;
  #closed = false;
  /** The gateway's own loop has no time to spare. */
  #loopBusy = false;
  #lastLoop = performance.eventLoopUtilization();

  constructor(options: ShadowsOptions) {
    this.#options = options;
    this.#random = options.random ?? Math.random;
    this.dispatcher = new Dispatcher({
      // Not among the lines of requests that somebody made.
      epoch: options.epoch, accessLog: new AccessLog(options.logger.child({}, { level: 'silent' })), logger: options.logger.child({ shadow: true }), lastResort: true,
      table: { get: (name) => this.#lanes.get(name)?.route, takeKilled: () => [] },
    });
  }

  /** Requests drawn and not yet compared. */
  get open(): number {
    return this.#open;
  }

  get heldBytes(): number {
    return this.#held.bytes;
  }

  /**
   * Decides about a request whose function has a shadow, and whose version traffic has chosen.
   *
   * @param version  the one that answers the caller
   * @param bodyBytes  declared: 0 for none, -1 for a chunked body
   * @returns what takes the place of the client's response; undefined: the request is not repeated
   */
  draw(fn: RouteFunction, version: number, request: MirroredRequest, bodyBytes: number, response: ClientResponse): Mirror | undefined {
    const lane = this.#laneOf(fn);
    // What reaches the shadow by itself has nothing to be compared with.
    if (lane === undefined || version === lane.settings.version || this.#closed) return undefined;
    if (!lane.methods.has(request.method)) {
      lane.skip('method');
      return undefined;
    }
    const { percent } = lane.settings;
    if (percent < 100 && this.#random() * 100 >= percent) return undefined;
    if (bodyBytes > INLINE_BODY_BYTES) {
      lane.skip('request_body');
      return undefined;
    }
    const why = this.#refusal(lane);
    if (why !== undefined) {
      lane.drop(why);
      return undefined;
    }
    this.#open += 1;
    lane.open += 1;
    return new Mirror(response, this, lane, request, version, bodyBytes !== 0, this.#held);
  }

  answered(mirror: Mirror): void {
    // The client's answer leaves with this turn of the loop.
    setImmediate(() => this.#launch(mirror));
  }

  skipped(mirror: Mirror, reason: SkipReason): void {
    mirror.lane.skip(reason);
    this.#release(mirror);
  }

  /** The route table has changed. */
  tableChanged(): void {
    for (const [name, lane] of this.#lanes) {
      const fn = this.#options.routes.get(name)?.fn;
      if (fn === undefined || !lane.is(fn)) this.#end(name, lane);
      else if (lane.fn !== fn) this.#follow(lane, fn);
    }
  }

  /** Meant for twice a second. */
  tick(nowMs: number): void {
    const loop = performance.eventLoopUtilization();
    this.#loopBusy = performance.eventLoopUtilization(loop, this.#lastLoop).utilization >= BUSY;
    this.#lastLoop = loop;
    this.dispatcher.strikes.review();
    this.dispatcher.hosts.tick(nowMs);
  }

  /** What was counted since the last call; call it only when it can be sent. */
  take(): ShadowFrame | undefined {
    const rows: ShadowRow[] = [];
    let differences = 0;
    // A copy: who has been heard goes to the end, so that each gets its turn where one frame has not room for all.
    for (const [name, lane] of Array.from(this.#lanes)) {
      if (rows.length >= MAX_ROWS || differences >= MAX_DIFFERENCES_PER_FRAME) break;
      const row = lane.take();
      if (row === undefined) continue;
      rows.push(row);
      differences += row.differences.length;
      this.#lanes.delete(name);
      this.#lanes.set(name, lane);
    }
    return rows.length === 0 ? undefined : [FRAME.shadow, 0, { rows }];
  }

  /** Rows about kills and quarantines for functions' logs, marked. */
  takeLogs(): LogsFrame | undefined {
    const frame = this.dispatcher.explanations.take();
    if (frame === undefined) return undefined;
    const rows = frame[2].map(([time, level, fn, version, invocation, message, fields]) =>
      [time, level, fn, version, invocation, message, JSON.stringify({ ...(JSON.parse(fields ?? '{}') as object), shadow: true })] as const);
    return [FRAME.logs, 0, rows, frame[3]];
  }

  /** The gateway ends: nobody waits for any of it. */
  close(): void {
    this.#closed = true;
    this.#line.close();
    this.#thread.close();
    for (const [name, lane] of this.#lanes) this.#end(name, lane);
    this.dispatcher.abandonAll();
    this.dispatcher.wheel.stop();
    this.dispatcher.lostHosts.close();
  }

  /** Why there is no room for another one now. Shadows are the first to go without. */
  #refusal(lane: ShadowLane): string | undefined {
    if (this.#busy) return 'busy';
    if (this.#open >= MAX_OPEN || !mayTake(lane.open, this.#open, MAX_OPEN)) return 'too_many';
    if (this.#held.bytes >= MAX_HELD_BYTES) return 'memory';
    const { standing } = lane.gate;
    return standing !== null && standing.refuses(performance.now()) ? 'quarantined' : undefined;
  }

  /** Requests of callers wait, or this process or every ordinary host is at its limit. */
  get #busy(): boolean {
    if (this.#loopBusy || this.#options.live.queued > 0) return true;
    let ordinary = 0;
    for (const { group, load } of this.#options.live.hosts.all) {
      if (kindOfGroup(group) !== 'default') continue;
      if (load.busy < BUSY) return false;
      ordinary += 1;
    }
    return ordinary > 0;
  }

  #launch(mirror: Mirror): void {
    const { lane, request, body } = mirror;
    const { target, gate } = lane;
    const { dispatcher } = this;
    const now = performance.now();
    const tooMany = dispatcher.activeCount >= MAX_RUNNING || !mayTake(gate.running, dispatcher.activeCount, MAX_RUNNING);
    const why = lane.ended ? 'changed' : target === undefined ? 'no_version' : this.#busy ? 'busy' : tooMany ? 'too_many' : dispatcher.refusal(gate, now, 0)?.failure.code;
    if (why !== undefined || target === undefined) {
      lane.drop(why ?? 'no_version');
      this.#release(mirror);
      return;
    }
    lane.launched(mirror.wallUs, mirror.cpuUs);
    const id = this.#options.live.nextId();
    const record = new AnswerRecord(lane.headers, this.#held);
    const answer = new ShadowAnswer(record, (end) => setImmediate(() => this.#ended(repeated, end)));
    const info = { id, requestId: invocationId(this.#options.epoch, id), method: request.method, path: request.path, head: request.head, peer: '', acceptedAtMs: now };
    const exchange = new ShadowExchange(dispatcher, info, lane.route, target, answer);
    const repeated: Repeated = { mirror, record, answer, exchange };
    this.#repeated.add(repeated);
    dispatcher.enter(exchange);
    if (body.length > 0) exchange.onBodyGathered(body);
    else dispatcher.start(exchange);
  }

  /** The shadow has answered, or never will. */
  #ended(repeated: Repeated, end: ShadowEnd): void {
    const { mirror, record, exchange } = repeated;
    const { lane } = mirror;
    // Its shadow ended meanwhile, and this with it.
    if (!this.#repeated.delete(repeated)) return;
    if (end !== 'whole') {
      lane.compared(end === 'too large' ? 'incomparable' : 'different', mirror.live.status, exchange.failure === '' ? record.status : 500);
      if (end !== 'too large') this.#list(repeated, [{ kind: 'body', at: '', live: `${mirror.live.bytes} bytes`, shadow: end === 'stream' ? 'an event stream' : `broke off after ${record.bytes} bytes` }]);
      return this.#close(repeated);
    }
    if (exchange.failure !== '' && !exchange.blamed) {
      lane.lose(exchange.failure);
      return this.#close(repeated);
    }
    this.#line.add(repeated);
  }

  async #compare(repeated: Repeated): Promise<void> {
    const { mirror, record, exchange } = repeated;
    const { lane, live } = mirror;
    if (lane.ended) return this.#close(repeated);
    try {
      const { ignore, values } = lane.settings;
      const look = firstLook(live, record, exchange.failure, { headers: lane.headers, ignore: lane.ignore, values });
      const body = typeof look.body === 'string' ? { outcome: look.body, differences: [] } : await this.#thread.compare({ live: look.body[0], shadow: look.body[1], ignore, values });
      const { outcome, differences } = verdictOf(look, body);
      lane.compared(outcome, live.status, record.status);
      this.#list(repeated, differences);
    } catch (thrown) {
      // A defect here is no reason to end the gateway.
      lane.compared('incomparable', live.status, record.status);
      this.#options.logger.error({ err: thrown, code: 'internal', function: lane.fn.name }, 'two answers could not be compared');
    }
    this.#close(repeated);
  }

  #list({ mirror, exchange }: Repeated, differences: readonly Pick<ShadowDifference, 'kind' | 'at' | 'live' | 'shadow'>[]): void {
    if (differences.length === 0) return;
    const { request, lane, version } = mirror;
    const path = shownPath(request.path, request.query);
    lane.list(differences.map((one) => ({ atMs: Date.now(), method: request.method, path, invocation: exchange.requestId, version, ...one })));
  }

  #close({ mirror, record }: Repeated): void {
    record.release();
    this.#release(mirror);
  }

  #release(mirror: Mirror): void {
    mirror.release();
    mirror.lane.open -= 1;
    this.#open -= 1;
  }

  #laneOf(fn: RouteFunction): ShadowLane | undefined {
    const { shadow } = fn;
    if (shadow === undefined) return undefined;
    const known = this.#lanes.get(fn.name);
    if (known?.fn === fn) return known;
    if (known?.is(fn) === true) {
      this.#follow(known, fn);
      return known;
    }
    if (known !== undefined) this.#end(fn.name, known);
    const lane = new ShadowLane(fn, shadow, MAX_RUNNING);
    this.#lanes.set(fn.name, lane);
    return lane;
  }

  #follow(lane: ShadowLane, fn: RouteFunction): void {
    const retired = lane.follow(fn);
    lane.gate.configure({ ...fn.limits, rps: 0, concurrency: MAX_RUNNING });
    if (retired !== undefined) this.dispatcher.retire([retired]);
  }

  #end(name: string, lane: ShadowLane): void {
    lane.ended = true;
    this.#lanes.delete(name);
    // What nobody will compare makes room for what somebody will.
    for (const repeated of this.#repeated) {
      if (repeated.mirror.lane !== lane) continue;
      this.#repeated.delete(repeated);
      repeated.answer.abandon();
      this.#close(repeated);
    }
    if (lane.target === undefined) return;
    lane.target.retired = true;
    this.dispatcher.retire([lane.target]);
  }
}
