// Admission and dispatch: slots and lines of functions, caps of the node, the choice of a host, waiting for one, replays.
import { kindOfGroup } from '../core/config/index.ts';
import type { HostGroup } from '../core/config/index.ts';
import type { Logger } from '../core/log/index.ts';
import type { AccessLog } from './access-log.ts';
import type { Caller } from './callers/caller-table.ts';
import type { Exchange } from './exchange.ts';
import { PHASE } from './exchange-phase.ts';
import { WaitingLine } from './function-gate.ts';
import type { FunctionGate } from './function-gate.ts';
import { Explanations } from './explanations.ts';
import { Fallbacks } from './fallback/fallbacks.ts';
import type { HostLink } from './host-link.ts';
import { Hosts } from './hosts.ts';
import { mayTake } from './fair-share.ts';
import { Lanes } from './lanes.ts';
import { LostHosts } from './lost-hosts.ts';
import { groupFor } from './placement.ts';
import type { Failure } from './problem-answer.ts';
import type { Refusal } from './refusal.ts';
import type { BodyMemory } from './request-body.ts';
import type { RouteTable } from './route-table.ts';
import type { Route, VersionTarget } from './route.ts';
import { Strikes } from './strikes.ts';
import { TimingWheel } from './timing-wheel.ts';
import { VersionFigureBook } from './version-figures.ts';

/** Invocations that hold a slot, over all functions. */
export const MAX_IN_FLIGHT = 16_000;
/** Requests in the lines of all functions. */
export const MAX_QUEUED = 10_000;
/** Request bodies held for dispatch or replay, bytes. */
export const MAX_BODY_BYTES = 256 * 1_048_576;
/** How long a request waits for any host at all: one that died is back in well under a second. */
const MAX_PARKED_MS = 5_000;
/** Requests that wait for a host of an on-demand group. */
export const MAX_PARKED_ON_DEMAND = 1_000;

const SWITCHED_OFF: Failure = { code: 'switched_off', params: null };

export interface DispatcherOptions {
  /** Of this life of the gateway: the journal's entries carry it. */
  readonly epoch: number;
  readonly table: Pick<RouteTable, 'get' | 'takeKilled'>;
  readonly accessLog: AccessLog;
  readonly logger: Logger;
  /** There are no penalty hosts: a function that kills its host is quarantined at once. Default false. */
  readonly lastResort?: boolean;
}

export class Dispatcher {
  readonly wheel = new TimingWheel();
  readonly figures = new VersionFigureBook();
  readonly explanations = new Explanations();
  readonly fallbacks = new Fallbacks();
  readonly memory: BodyMemory = { heldBytes: 0 };
  readonly accessLog: AccessLog;
  readonly hosts = new Hosts();
  readonly lanes: Lanes;
  readonly lostHosts: LostHosts;
  readonly strikes: Strikes;
  readonly #table: Pick<RouteTable, 'get' | 'takeKilled'>;
  readonly #logger: Logger;
  /** Admitted, and no host of their group is there. */
  readonly #parked = new Map<HostGroup, WaitingLine<Exchange>>();
  #parkedCount = 0;
  /** Groups that requests do without for now. */
  readonly #wishes = new Set<HostGroup>();
  /** Functions with requests in their line. */
  readonly #waiting = new Set<FunctionGate>();
  readonly #active = new Set<Exchange>();
  #inFlight = 0;
  #queued = 0;
  #replays = 0;
  #sequence = 0;
  /** The gateway drains: every answer closes its connection. */
  closing = false;
  /** Called when a request begins to wait for a host of an on-demand group, or wishes for one. */
  onHostMissing: (() => void) | undefined;
  /** Called when the last exchange is over. */
  onIdle: (() => void) | undefined;

  constructor(options: DispatcherOptions) {
    this.#table = options.table;
    this.accessLog = options.accessLog;
    this.#logger = options.logger;
    this.lanes = new Lanes(options.logger);
    this.lanes.onSlow = ({ frame, groups }) => {
      if (!frame.wasm) this.wish(groups.slow);
    };
    this.strikes = new Strikes({
      logger: options.logger,
      explanations: this.explanations,
      recall: (gate, exceptId) => this.#recall(gate, exceptId),
      present: (gate) => options.table.get(gate.name)?.gate === gate,
      lastResort: options.lastResort ?? false,
    });
    this.lostHosts = new LostHosts(options.epoch, (killer, cause) => this.strikes.killedHost(killer, cause));
  }

  /** Exchanges that are not over, those that only wait for a host's final frame included. */
  get activeCount(): number {
    return this.#active.size;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** Requests that wait: in lines, and for a host. */
  get queued(): number {
    return this.#queued + this.#parkedCount;
  }

  /** Groups for which a request has waited, or would have. */
  missedGroups(): Iterable<HostGroup> {
    return [...this.#parked.keys(), ...this.#wishes];
  }

  openIn(group: HostGroup): number {
    return this.hosts.openIn(group);
  }

  /** A host of the group is wanted, though what would run there runs elsewhere meanwhile. */
  wish(group: HostGroup): void {
    if (this.#wishes.has(group) || this.hosts.openIn(group) > 0) return;
    this.#wishes.add(group);
    this.onHostMissing?.();
  }

  /** Whether the group was wished for since wishes were last cleared. */
  wished(group: HostGroup): boolean {
    return this.#wishes.has(group);
  }

  clearWishes(): void {
    this.#wishes.clear();
  }

  #parkedIn(group: HostGroup): WaitingLine<Exchange> {
    let line = this.#parked.get(group);
    if (line === undefined) {
      line = new WaitingLine();
      this.#parked.set(group, line);
    }
    return line;
  }

  /** Requests that wait for a host of this group. */
  parked(group: HostGroup): number {
    return this.#parked.get(group)?.length ?? 0;
  }

  /** Sequence number of the next invocation. */
  nextId(): number {
    this.#sequence += 1;
    return this.#sequence;
  }

  /** Replays so far. */
  get replays(): number {
    return this.#replays;
  }

  /**
   * The decision about a new request, before its body is read; all that refuses one at the door belongs here.
   *
   * @param caller  who sends it, where callers have limits of their own
   * @returns undefined when it may come in
   */
  refusal(gate: FunctionGate, nowMs: number, ratePerSec: number, caller: Caller | null = null): Refusal | undefined {
    if (gate.killed) return { failure: SWITCHED_OFF };
    if (gate.standing !== null) {
      const held = this.strikes.refusal(gate.standing, nowMs);
      if (held !== undefined) return held;
    }
    if (!mayTake(gate.heldBytes, this.memory.heldBytes, MAX_BODY_BYTES)) return { failure: { code: 'overloaded', params: { what: 'request bodies of the node' } } };
    if (!this.#hasSlot(gate) && !this.#hasPlace(gate)) return { failure: lineFull(gate) };
    // Before the rates that all callers share: what one sends too much must not use them up.
    if (caller !== null && gate.callers !== null) {
      const refused = gate.callers.refusal(caller, nowMs);
      if (refused !== undefined) return refused;
    }
    const waitMs = gate.rate.take(nowMs);
    if (waitMs > 0) return tooMany('rate_limited', ratePerSec, waitMs);
    const { tenant } = gate;
    const tenantWaitMs = tenant.rate.take(nowMs);
    if (tenantWaitMs > 0) return tooMany('tenant_rate_limited', tenant.ratePerSec, tenantWaitMs);
    return undefined;
  }

  /** A new exchange, whose body may still be on its way. */
  enter(exchange: Exchange): void {
    this.#active.add(exchange);
    const { standing } = exchange.route.gate;
    if (standing !== null) this.strikes.entered(standing, exchange);
  }

  /** The exchange can go to a host: takes a slot, or a place in its function's line. */
  start(exchange: Exchange): void {
    const { gate } = exchange.route;
    if (this.#inFlight >= MAX_IN_FLIGHT) {
      // With so many functions at work that nothing is left: shed, rather than let lines grow.
      exchange.fail({ code: 'overloaded', params: { what: 'requests of the node' } });
    } else if (!mayTake(gate.tenant.running, this.#inFlight, MAX_IN_FLIGHT)) {
      exchange.fail({ code: 'overloaded', params: { what: 'requests of its tenant' } });
    } else if (this.#hasSlot(gate)) {
      this.#admit(exchange);
    } else if (!this.#hasPlace(gate)) {
      exchange.fail(lineFull(gate));
    } else {
      exchange.phase = PHASE.queued;
      gate.line.push(exchange);
      this.#queued += 1;
      this.#waiting.add(gate);
    }
  }

  /** Sends it again, to another host if there is one. Its slot stays its own. */
  replay(exchange: Exchange): void {
    if (this.#refused(exchange)) return;
    this.#replays += 1;
    this.#logger.info({ request: exchange.requestId, function: exchange.target.frame.function, host: exchange.link?.name, replays: exchange.replays }, 'replayed');
    this.#send(exchange, exchange.link);
  }

  /** The exchange is over: gives back what it held, and lets the next one of its function in. */
  leave(exchange: Exchange): void {
    const { gate } = exchange.route;
    if (exchange.phase === PHASE.queued) {
      gate.line.remove(exchange);
      this.#queued -= 1;
      if (gate.line.length === 0) this.#waiting.delete(gate);
    } else if (exchange.phase === PHASE.parked) {
      this.#parkedIn(exchange.group).remove(exchange);
      this.#parkedCount -= 1;
      gate.parked -= 1;
    }
    exchange.phase = PHASE.over;
    this.#active.delete(exchange);
    if (exchange.caller !== null) {
      exchange.caller.running -= 1;
      exchange.caller = null;
    }
    if (gate.standing !== null) this.strikes.left(gate.standing, exchange);
    if (exchange.slotOf !== null) {
      exchange.slotOf.running -= 1;
      exchange.slotOf = null;
      gate.running -= 1;
      this.#inFlight -= 1;
      if (gate.line.length > 0) this.#pump(gate);
    }
    if (this.#active.size === 0) this.onIdle?.();
  }

  hostOpened(link: HostLink): void {
    this.hosts.add(link);
    const { group } = link;
    const parked = this.#parkedIn(group);
    for (let exchange = parked.shift(); exchange !== undefined; exchange = parked.shift()) {
      this.#parkedCount -= 1;
      exchange.route.gate.parked -= 1;
      this.#send(exchange, exchange.link);
      // No room on it: what comes behind has to wait as well.
      if ((exchange as Exchange).phase === PHASE.parked && exchange.group === group) break;
    }
  }

  hostClosed(link: HostLink): void {
    this.hosts.remove(link);
    const exchanges = link.exchanges();
    const behind = new Map<string, number>();
    for (const exchange of exchanges) {
      const left = exchange.onLinkLost();
      const name = exchange.target.frame.function;
      if (left === 'answered') behind.set(name, (behind.get(name) ?? 0) + 1);
    }
    if (behind.size > 0) this.#logger.warn({ code: 'wait_until_lost', host: link.name, functions: Object.fromEntries(behind) }, 'work behind responses was lost with its host');
    this.lostHosts.hold(link.name, link.pid, exchanges);
  }

  /** Limits may have been raised, versions replaced, and functions switched off. */
  tableChanged(): void {
    const killed = this.#table.takeKilled();
    if (killed.length > 0) this.#switchOff(new Set(killed));
    this.reviewFallbacks();
    for (const gate of this.#waiting) this.#pump(gate);
  }

  /** Lets go of last good answers that nobody may be given any more. */
  reviewFallbacks(): void {
    this.fallbacks.review((gate) => {
      const route = this.#table.get(gate.name);
      return route?.gate === gate ? route : undefined;
    }, performance.now());
  }

  /** The function as it is now, or as it was when it is gone. */
  presentRoute(route: Route): Route {
    const present = this.#table.get(route.fn.name);
    return present?.gate === route.gate ? present : route;
  }

  retire(targets: readonly VersionTarget[]): void {
    this.hosts.retire(targets);
    for (const { place } of targets) {
      if (place.target?.retired !== true) continue;
      this.hosts.homes.forget(place);
      this.lanes.forget(place);
    }
  }

  /** Fails everything that is not answered. */
  abandonAll(): void {
    for (const exchange of this.#active) exchange.abandon();
  }

  /** Whether another of its invocations may run. */
  #hasSlot(gate: FunctionGate): boolean {
    return gate.running < gate.concurrency && mayTake(gate.running, this.#inFlight, MAX_IN_FLIGHT);
  }

  /** Whether another of its requests may wait for a slot. */
  #hasPlace(gate: FunctionGate): boolean {
    return gate.line.length < gate.queueLimit && mayTake(gate.line.length, this.#queued, MAX_QUEUED);
  }

  #pump(gate: FunctionGate): void {
    while (gate.line.length > 0 && this.#hasSlot(gate)) {
      const next = gate.line.shift() as Exchange;
      this.#queued -= 1;
      this.#admit(next);
    }
    if (gate.line.length === 0) this.#waiting.delete(gate);
  }

  #admit(exchange: Exchange): void {
    const { gate } = exchange.route;
    exchange.slotOf = gate.tenant;
    gate.tenant.running += 1;
    gate.running += 1;
    this.#inFlight += 1;
    this.#send(exchange, null);
  }

  #send(exchange: Exchange, avoid: HostLink | null): void {
    if (this.#refused(exchange)) return;
    if (exchange.target.retired) exchange.retarget(this.#presentTarget(exchange));
    const { forced } = exchange.route.gate;
    if (forced !== 0 && exchange.followsTraffic && exchange.target.frame.version !== forced) exchange.retarget(this.presentRoute(exchange.route).target(forced) ?? exchange.target);
    const group = groupFor(exchange, this);
    exchange.group = group;
    const { place } = exchange.target;
    if (place.group !== group) {
      place.group = group;
      place.dirty = true;
    }
    const link = this.hosts.choose(place, avoid, group);
    if (link !== undefined) {
      exchange.sendTo(link);
      return;
    }
    const parked = this.#parkedIn(group);
    const onDemand = kindOfGroup(group) !== 'default';
    if (onDemand && !mayTake(exchange.route.gate.parked, parked.length, MAX_PARKED_ON_DEMAND)) {
      // It is in no line, and no host has it.
      exchange.phase = PHASE.over;
      exchange.fail({ code: 'overloaded', params: { what: 'requests that wait for a host of their group' } }, null, true);
      return;
    }
    exchange.phase = PHASE.parked;
    parked.push(exchange);
    this.#parkedCount += 1;
    exchange.route.gate.parked += 1;
    const now = performance.now();
    exchange.parkedUntilMs = now + MAX_PARKED_MS;
    this.wheel.set(exchange, Math.min(exchange.parkedUntilMs, exchange.request.acceptedAtMs + exchange.route.fn.limits.wallMs));
    if (onDemand) this.onHostMissing?.();
  }

  /** Answers an exchange whose function was quarantined or switched off since it came in. No host has it. @returns whether it was answered */
  #refused(exchange: Exchange): boolean {
    const { standing, killed } = exchange.route.gate;
    const refusal: Refusal | undefined = killed ? { failure: SWITCHED_OFF } : standing === null ? undefined : this.strikes.blocked(standing, exchange.id);
    if (refusal === undefined) return false;
    exchange.phase = PHASE.over;
    exchange.fail(refusal.failure, null, true, refusal.retryAfterS);
    return true;
  }

  /**
   * Ends everything that is under way for the functions: what waits is answered, what runs is cancelled and answered, and an answer that has begun is
   * broken off. Work behind an answer goes on, within its budget.
   */
  #switchOff(gates: ReadonlySet<FunctionGate>): void {
    for (const gate of gates) this.fallbacks.forget(gate);
    const ending = [...this.#active].filter(({ route }) => gates.has(route.gate));
    // Lines first: else each one that leaves would let the next one in, only for that to be refused.
    for (const exchange of ending) if (exchange.phase === PHASE.queued) exchange.fail(SWITCHED_OFF);
    for (const exchange of ending) exchange.fail(SWITCHED_OFF);
    this.#logger.warn({ functions: [...gates].map(({ name }) => name), ended: ending.length }, 'functions are switched off');
  }

  /** What waits here of a function that was quarantined is answered; what hosts have not begun of it comes back, to be placed anew. */
  #recall(gate: FunctionGate, exceptId: number): void {
    for (const exchange of this.#active) {
      if (exchange.route.gate !== gate || exchange.id === exceptId) continue;
      const refusal = gate.standing === null ? undefined : this.strikes.blocked(gate.standing, exchange.id);
      if (exchange.phase === PHASE.running) exchange.recall();
      else if (refusal !== undefined && (exchange.phase === PHASE.queued || exchange.phase === PHASE.parked)) exchange.fail(refusal.failure, null, true, refusal.retryAfterS);
    }
  }

  /** While it waited its version may have got other settings, or have gone: then it runs as it was admitted. */
  #presentTarget(exchange: Exchange): VersionTarget {
    const { function: name, version } = exchange.target.frame;
    return this.#table.get(name)?.target(version) ?? exchange.target;
  }
}

function tooMany(code: 'rate_limited' | 'tenant_rate_limited', ratePerSec: number, waitMs: number): Refusal {
  return { failure: { code, params: { ratePerSec, limit: ratePerSec } }, retryAfterS: Math.max(1, Math.ceil(waitMs / 1_000)) };
}

function lineFull(gate: FunctionGate): Failure {
  return { code: 'overloaded', params: { what: `${gate.running} run and ${gate.line.length} wait`, limit: gate.concurrency, queue: gate.line.length } };
}
