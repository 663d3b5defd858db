// The route table in memory: every function by name and by trigger, changed by whole tables and deltas.
import { CallerGates } from './callers/caller-gates.ts';
import { FunctionGate } from './function-gate.ts';
import { Route } from './route.ts';
import { TenantGate } from './tenant-gate.ts';
import type { MemoryQuota } from './tenant-memory.ts';
import type { VersionTarget } from './route.ts';
import { TriggerIndex } from './trigger-index.ts';
import type { Authority } from './authority.ts';
import type { RouteDelta, RouteFunction, RouteTable as TableData } from '../core/routing/index.ts';

/** In place of a version: no function has it. */
export const NO_ALIAS = -1;

/** What a request's address led to. */
export interface Found {
  readonly route: Route;
  /** The version that a `v7--card` or `next--card` label asks for; 0: traffic decides, `NO_ALIAS`: the function has no such alias. */
  readonly version: number;
}

export class RouteTable {
  readonly #onRetired: (targets: readonly VersionTarget[]) => void;
  readonly #onChanged: (gate: FunctionGate) => void;
  readonly #routes = new Map<string, Route>();
  /** Of every tenant that has had a function since the last whole table. */
  #tenants = new Map<string, TenantGate>();
  #triggers = new TriggerIndex<Route>();
  readonly callers = new CallerGates();
  /** Functions that were switched off since somebody asked. */
  #killed: FunctionGate[] = [];
  #epoch = 0;
  #origin: number | undefined;
  #revision = 0;
  #loaded = false;

  /**
   * @param onRetired  versions that no new request gets, or not with these settings
   * @param onChanged  a function runs other versions or with other limits from now on
   */
  constructor(onRetired: (targets: readonly VersionTarget[]) => void, onChanged: (gate: FunctionGate) => void = () => {}) {
    this.#onRetired = onRetired;
    this.#onChanged = onChanged;
  }

  /** Whether there has been a table at all. */
  get loaded(): boolean {
    return this.#loaded;
  }

  get epoch(): number {
    return this.#epoch;
  }

  /** The store that the table comes from; undefined: it does not say. */
  get origin(): number | undefined {
    return this.#origin;
  }

  get revision(): number {
    return this.#revision;
  }

  get size(): number {
    return this.#routes.size;
  }

  get(name: string): Route | undefined {
    return this.#routes.get(name);
  }

  * functions(): Generator<TableData['functions'][number]> {
    for (const { fn } of this.#routes.values()) yield fn;
  }

  /** The present table as data. The entries are shared and never change. */
  snapshot(): TableData {
    return { epoch: this.#epoch, ...(this.#origin === undefined ? undefined : { origin: this.#origin }), revision: this.#revision, functions: [...this.#routes.values()].map((route) => route.fn) };
  }

  /** Replaces everything. Functions that stay keep what is counted, and their warm isolates where nothing changed for hosts. */
  replace(table: TableData): void {
    const retired: VersionTarget[] = [];
    const former = new Map(this.#routes);
    const formerTenants = this.#tenants;
    this.#tenants = new Map(table.functions.map(({ tenant }) => [tenant, formerTenants.get(tenant) ?? new TenantGate()]));
    this.#routes.clear();
    this.#triggers = new TriggerIndex();
    for (const fn of table.functions) {
      this.#put(fn, former.get(fn.name), retired);
      former.delete(fn.name);
    }
    for (const route of former.values()) this.#gone(route, retired);
    this.#origin = table.origin;
    this.#arrived(table.epoch, table.revision, retired);
  }

  /** Whether the delta can be applied: it begins where this table ends. */
  follows(delta: RouteDelta): boolean {
    return this.#loaded && (delta.formerEpoch ?? delta.epoch) === this.#epoch && delta.previous === this.#revision;
  }

  /** @returns false when the delta does not follow on the present revision; nothing is changed then */
  apply(delta: RouteDelta): boolean {
    if (!this.follows(delta)) return false;
    const retired: VersionTarget[] = [];
    for (const name of delta.remove) {
      const route = this.#routes.get(name);
      if (route === undefined) continue;
      this.#gone(route, retired);
      this.#routes.delete(name);
      this.#triggers.remove(name);
    }
    for (const fn of delta.upsert) this.#put(fn, this.#routes.get(fn.name), retired);
    this.#arrived(delta.epoch, delta.revision, retired);
    return true;
  }

  /**
   * The function for a request: by trigger, by host label, by header; each falls through when it names none that may be reached so.
   *
   * @param bit  the method (method-set.ts)
   * @param named  value of x-thimble-function, '' for none
   * @returns undefined when there is none; `allow` then tells 404 from 405
   */
  find(authority: Authority, path: string, bit: number, named: string): Found | undefined {
    const byTrigger = this.#triggers.find(authority.hostname, path, bit);
    if (byTrigger !== undefined) return { route: byTrigger, version: previewed(authority, byTrigger.fn) };
    if (authority.functionName !== '') {
      const route = this.#routes.get(authority.functionName);
      if (route !== undefined && route.fn.public) return { route, version: previewed(authority, route.fn) };
    }
    if (named !== '') {
      const route = this.#routes.get(named);
      if (route !== undefined && route.fn.public) return { route, version: 0 };
    }
    return undefined;
  }

  /** Tenants with a quota of memory. */
  memoryQuotas(): MemoryQuota[] {
    const quotas: MemoryQuota[] = [];
    for (const [tenant, { memoryMb }] of this.#tenants) if (memoryMb > 0) quotas.push({ tenant, memoryMb });
    return quotas;
  }

  /** The functions that were switched off since the last call. */
  takeKilled(): readonly FunctionGate[] {
    const killed = this.#killed;
    if (killed.length > 0) this.#killed = [];
    return killed;
  }

  /** After `find` found nothing: the methods that a matching trigger takes, or ''. */
  get allow(): string {
    return this.#triggers.allow;
  }

  #put(fn: TableData['functions'][number], former: Route | undefined, retired: VersionTarget[]): void {
    const gate = former?.gate ?? new FunctionGate(fn.name);
    gate.configure(fn.limits);
    gate.tenant = this.#tenant(fn);
    gate.callers = this.callers.configure(fn.name, fn.callers);
    gate.forced = fn.forced ?? 0;
    if (fn.killed === true && !gate.killed) this.#killed.push(gate);
    gate.killed = fn.killed === true;
    const route = new Route(fn, gate);
    if (former !== undefined) retired.push(...route.inherit(former));
    // Only of interest for a function that something is held against.
    if (former !== undefined && gate.standing !== null && !runsAlike(former.fn, fn)) this.#onChanged(gate);
    this.#routes.set(fn.name, route);
    this.#triggers.set(fn.name, route, fn.triggers);
  }

  #gone(route: Route, retired: VersionTarget[]): void {
    retired.push(...route.retireAll());
    this.callers.remove(route.fn.name);
  }

  #tenant(fn: TableData['functions'][number]): TenantGate {
    let gate = this.#tenants.get(fn.tenant);
    if (gate === undefined) {
      gate = new TenantGate();
      this.#tenants.set(fn.tenant, gate);
    }
    gate.configure(fn.quotas?.rps ?? 0, fn.quotas?.memoryMb ?? 0);
    return gate;
  }

  #arrived(epoch: number, revision: number, retired: readonly VersionTarget[]): void {
    this.#epoch = epoch;
    this.#revision = revision;
    this.#loaded = true;
    if (retired.length > 0) this.#onRetired(retired);
  }
}

/** The version that the host asks for, where it names this function: then also for a path that a trigger of the function takes. */
function previewed({ functionName, version, alias }: Authority, { name, aliases }: RouteFunction): number {
  if ((version === 0 && alias === '') || functionName !== name) return 0;
  if (alias === '') return version;
  return aliases !== undefined && Object.hasOwn(aliases, alias) ? (aliases[alias] ?? NO_ALIAS) : NO_ALIAS;
}

/** Whether a function that was killed before would be killed again, as far as its settings tell. */
function runsAlike(a: RouteFunction, b: RouteFunction): boolean {
  return JSON.stringify([a.traffic, a.forced, a.limits.cpuMs, a.limits.memoryMb]) === JSON.stringify([b.traffic, b.forced, b.limits.cpuMs, b.limits.memoryMb]);
}
