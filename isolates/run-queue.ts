// The host's scheduler: which function's work is entered next. Fair by CPU time among tenants, and among the functions of each (docs/decisions/0011).
//
// Work that comes while nobody waits, and early in a turn of the loop, runs at once. All else waits here: in order within its function, in rounds among
// functions. The loop reads its sockets after every quantum, so that newcomers and cancels are seen whatever is queued.
import { Flow, QUANTUM_US, Rounds } from './fair-rounds.ts';
import type { Periods } from './fair-rounds.ts';
import type { Invocation } from './invocation.ts';
import { MAX_QUEUED, MAX_QUEUED_PER_FUNCTION } from './limits.ts';
import { Line } from './line.ts';
import type { Linked } from './line.ts';

/** Busy periods are told apart by a small number: it only has to differ from the last one a flow has seen. */
const PERIOD_MASK = 0x3fff_ffff;

/** One entry, or one cold start, that waits for its turn. */
export class Queued implements Linked {
  before: Linked | null = null;
  behind: Linked | null = null;
  inLine: object | null = null;
  readonly flow: FunctionFlow;
  /** Whose entry it is; null for a cold start, which is its callers' common affair. */
  readonly owner: Invocation | null;
  readonly run: () => void;
  readonly sinceMs = performance.now();

  constructor(flow: FunctionFlow, owner: Invocation | null, run: () => void) {
    this.flow = flow;
    this.owner = owner;
    this.run = run;
  }

  /** Not yet its turn, and not taken out. */
  get waits(): boolean {
    return this.inLine !== null;
  }
}

/** What one function has waiting; all its versions together. */
export class FunctionFlow extends Flow {
  readonly name: string;
  readonly tenant: TenantFlow;
  readonly line = new Line<Queued>();
  /** Targets of this function. */
  users = 0;

  constructor(name: string, tenant: TenantFlow) {
    super();
    this.name = name;
    this.tenant = tenant;
  }
}

class TenantFlow extends Flow {
  readonly name: string;
  readonly rounds: Rounds<FunctionFlow>;
  readonly functions = new Map<string, FunctionFlow>();
  /** Cold starts of all its functions take turns with its functions as if they were one more: a flood of them must not hold up what is warm. */
  readonly starts: FunctionFlow;
  /** Flows with something in their lines. */
  waiting = 0;

  constructor(name: string, periods: Periods) {
    super();
    this.name = name;
    this.rounds = new Rounds<FunctionFlow>(periods);
    this.starts = new FunctionFlow('', this);
  }
}

export interface QueueFigures {
  /** Entries and cold starts that wait now. */
  readonly queued: number;
  /** Those that had to wait, so far. */
  readonly waits: number;
  /** How long they did, in all, milliseconds. */
  readonly waitedMs: number;
}

export interface QueueBounds {
  readonly perFunction: number;
  readonly perHost: number;
}

export class RunQueue {
  readonly #bounds: QueueBounds;
  readonly #periods: Periods = { period: 0 };
  readonly #tenants = new Map<string, TenantFlow>();
  readonly #rounds = new Rounds<TenantFlow>(this.#periods);
  #queued = 0;
  /** CPU time of this turn of the loop, or of this visit of the queue, microseconds. */
  #turnUs = 0;
  /** All that was ever charged, microseconds. */
  #chargedUs = 0;
  #scheduled = false;
  #waits = 0;
  #waitedMs = 0;
  readonly #drain = (): void => this.#visit();

  constructor(bounds: QueueBounds = { perFunction: MAX_QUEUED_PER_FUNCTION, perHost: MAX_QUEUED }) {
    this.#bounds = bounds;
  }

  get figures(): QueueFigures {
    return { queued: this.#queued, waits: this.#waits, waitedMs: Math.round(this.#waitedMs) };
  }

  /** The flow of a function; `close` must follow. */
  open(tenant: string, name: string): FunctionFlow {
    let above = this.#tenants.get(tenant);
    if (above === undefined) {
      above = new TenantFlow(tenant, this.#periods);
      this.#tenants.set(tenant, above);
    }
    let flow = above.functions.get(name);
    if (flow === undefined) {
      flow = new FunctionFlow(name, above);
      above.functions.set(name, flow);
    }
    flow.users += 1;
    return flow;
  }

  close(flow: FunctionFlow): void {
    flow.users -= 1;
    const { tenant } = flow;
    if (flow.users > 0) return;
    tenant.functions.delete(flow.name);
    if (tenant.functions.size === 0) this.#tenants.delete(tenant.name);
  }

  /** Whether work of this function may run now. When not, `add` it. */
  admits(flow: FunctionFlow): boolean {
    if (this.#turnUs >= QUANTUM_US) return false;
    if (this.#queued === 0) return true;
    return flow.line.length === 0 && flow.tenant.rounds.creditUs(flow) > 0 && this.#rounds.creditUs(flow.tenant) > 0;
  }

  /** @returns null when too much waits already, of this function or in all */
  add(flow: FunctionFlow, owner: Invocation, run: () => void): Queued | null {
    if (flow.line.length >= this.#bounds.perFunction || this.#queued >= this.#bounds.perHost) return null;
    const queued = new Queued(flow, owner, run);
    owner.queued ??= new Set();
    owner.queued.add(queued);
    this.#push(queued);
    return queued;
  }

  /** A cold start. Never runs within this call, and never two in a turn. There is one a target at the most, so they need no bound. */
  start(flow: FunctionFlow, run: () => void): void {
    this.#push(new Queued(flow.tenant.starts, null, run));
  }

  /** The invocation is over, or never was: what it has waiting goes. */
  takeOut(owner: Invocation): void {
    if (owner.queued === null) return;
    for (const queued of owner.queued) this.#remove(queued);
    owner.queued = null;
  }

  /** An entry has ended. */
  charge(flow: FunctionFlow, cpuUs: number): void {
    this.#turnUs += cpuUs;
    this.#chargedUs += cpuUs;
    flow.tenant.rounds.charge(flow, cpuUs);
    this.#rounds.charge(flow.tenant, cpuUs);
  }

  /** A turn of the loop with entries is over. */
  endTurn(): void {
    this.#turnUs = 0;
    if (this.#queued === 0) this.#periods.period = (this.#periods.period + 1) & PERIOD_MASK;
  }

  #push(queued: Queued): void {
    const { flow } = queued;
    const { tenant } = flow;
    flow.line.push(queued);
    if (flow.line.length === 1) {
      tenant.rounds.add(flow);
      tenant.waiting += 1;
      if (tenant.waiting === 1) this.#rounds.add(tenant);
    }
    this.#queued += 1;
    this.#waits += 1;
    this.#schedule();
  }

  #remove(queued: Queued): void {
    const { flow } = queued;
    const { tenant } = flow;
    flow.line.remove(queued);
    this.#queued -= 1;
    this.#waitedMs += performance.now() - queued.sinceMs;
    if (flow.line.length > 0) return;
    tenant.rounds.remove(flow);
    tenant.waiting -= 1;
    if (tenant.waiting === 0) this.#rounds.remove(tenant);
  }

  /** Runs what is next for one quantum; then the loop reads its sockets. */
  #visit(): void {
    this.#scheduled = false;
    this.#turnUs = 0;
    let started = false;
    try {
      for (let next = this.#next(); next !== null && this.#turnUs < QUANTUM_US; next = this.#next()) {
        if (next.owner === null) {
          // Making an isolate is synchronous: what has come meanwhile goes first.
          if (started) return;
          started = true;
        }
        this.#remove(next);
        next.owner?.queued?.delete(next);
        if (next.owner === null) this.#runStart(next);
        else next.run();
      }
    } finally {
      if (this.#queued > 0) this.#schedule();
    }
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(this.#drain);
  }

  #next(): Queued | null {
    return this.#rounds.next()?.rounds.next()?.line.first ?? null;
  }

  /** A cold start costs more than its entries, which have been charged where they belong: the tenant's starts pay for the rest. */
  #runStart(start: Queued): void {
    const before = cpuUs();
    const charged = this.#chargedUs;
    start.run();
    this.charge(start.flow, Math.max(0, cpuUs() - before - (this.#chargedUs - charged)));
  }
}

/** CPU time of this thread, microseconds. */
function cpuUs(): number {
  const { user, system } = process.threadCpuUsage();
  return user + system;
}
