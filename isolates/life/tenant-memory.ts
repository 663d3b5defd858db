// What the isolates of tenants with a memory quota take, here and on other hosts, and what goes when that is too much.
import type { TenantRow } from '../../core/protocol/index.ts';
import type { TenantIsolate } from '../tenant-isolate.ts';

/** What an isolate takes before it has run, bytes: enough for a small function, found by measuring those that had just started. */
const FRESH_BYTES = 1_600_000;
/** Isolates that one review reclaims of a tenant at the most: disposing of one takes up to milliseconds. */
const MAX_RECLAIMED = 20;
/** Changes below are no news. */
const STEP_BYTES = 256 * 1_024;

interface Account {
  limitBytes: number;
  elsewhereBytes: number;
}

export interface TenantMemoryActions {
  reclaim(isolate: TenantIsolate): void;
  /** Has a fresh isolate take its place. */
  retire(isolate: TenantIsolate): void;
}

export class TenantMemory {
  readonly #actions: TenantMemoryActions;
  #accounts = new Map<string, Account>();
  /** Of all tenants: a quota may come at any time. */
  readonly #isolates = new Map<string, Set<TenantIsolate>>();
  #reported = '';

  constructor(actions: TenantMemoryActions) {
    this.#actions = actions;
  }

  /** The quotas of all tenants that have one, whole, with what their isolates on other hosts take. */
  configure(rows: readonly TenantRow[]): void {
    this.#accounts = new Map(rows.map(([tenant, limitBytes, elsewhereBytes]) => [tenant, { limitBytes, elsewhereBytes }]));
    this.#reported = '';
  }

  made(isolate: TenantIsolate): void {
    const { tenant } = isolate.state.target;
    const isolates = this.#isolates.get(tenant);
    if (isolates === undefined) this.#isolates.set(tenant, new Set([isolate]));
    else isolates.add(isolate);
  }

  gone(isolate: TenantIsolate): void {
    const { tenant } = isolate.state.target;
    const isolates = this.#isolates.get(tenant);
    isolates?.delete(isolate);
    if (isolates?.size === 0) this.#isolates.delete(tenant);
  }

  /**
   * Makes room for one more isolate of the tenant, if need be in place of those that have rested longest.
   *
   * @returns undefined when it fits, else the quota in MB
   */
  refusal(tenant: string): number | undefined {
    const account = this.#accounts.get(tenant);
    if (account === undefined) return undefined;
    this.#shrink(tenant, account, FRESH_BYTES);
    return this.#overBytes(tenant, account, FRESH_BYTES) > 0 ? Math.round(account.limitBytes / 1_048_576) : undefined;
  }

  /** Brings tenants back to their quotas. @returns what their isolates here take, when that is news */
  review(): readonly TenantRow[] | undefined {
    if (this.#accounts.size === 0) return undefined;
    const rows: TenantRow[] = [];
    for (const [tenant, account] of this.#accounts) {
      // Room for one more: a host that needs it can only wait for it.
      this.#shrink(tenant, account, FRESH_BYTES);
      if (this.#overBytes(tenant, account, 0) > 0) this.#retireLargest(tenant);
      rows.push([tenant, account.limitBytes, Math.round(this.#ownBytes(tenant) / STEP_BYTES) * STEP_BYTES]);
    }
    const text = JSON.stringify(rows);
    if (text === this.#reported) return undefined;
    this.#reported = text;
    return rows;
  }

  #ownBytes(tenant: string): number {
    let bytes = 0;
    for (const { gauge } of this.#isolates.get(tenant) ?? []) bytes += gauge.residentBytes;
    return bytes;
  }

  #overBytes(tenant: string, { limitBytes, elsewhereBytes }: Account, moreBytes: number): number {
    return this.#ownBytes(tenant) + elsewhereBytes + moreBytes - limitBytes;
  }

  #shrink(tenant: string, account: Account, moreBytes: number): void {
    let over = this.#overBytes(tenant, account, moreBytes);
    if (over <= 0) return;
    const resting = [...(this.#isolates.get(tenant) ?? [])].filter((isolate) => isolate.idleSinceMs > 0).toSorted((a, b) => a.idleSinceMs - b.idleSinceMs);
    for (const isolate of resting.slice(0, MAX_RECLAIMED)) {
      over -= isolate.gauge.residentBytes;
      this.#actions.reclaim(isolate);
      if (over <= 0) return;
    }
  }

  #retireLargest(tenant: string): void {
    let largest: TenantIsolate | undefined;
    for (const isolate of this.#isolates.get(tenant) ?? []) if (!isolate.leaving && isolate.gauge.grownBytes > (largest?.gauge.grownBytes ?? FRESH_BYTES)) largest = isolate;
    if (largest !== undefined) this.#actions.retire(largest);
  }
}
