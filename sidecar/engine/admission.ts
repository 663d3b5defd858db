// How much may be under way at once: calls per function, tenant and connection, bytes that wait in this process; and calls per second of tenants with a quota.
import { RateLimiter } from '../../core/rate/index.ts';

export interface AdmissionLimits {
  readonly callsPerFunction: number;
  readonly callsPerTenant: number;
  readonly callsPerConnection: number;
  /** Body bytes that are held in all; above it no new call starts. Each call holds two windows at the most. */
  readonly heldBytes: number;
  /** Bytes that a host has not taken from its socket; above it the calls of that connection stop producing. */
  readonly backlogBytes: number;
}

export const DEFAULT_LIMITS: AdmissionLimits = {
  callsPerFunction: 2_048,
  callsPerTenant: 8_192,
  callsPerConnection: 8_192,
  heldBytes: 256 * 1_048_576,
  backlogBytes: 4 * 1_048_576,
};

function add(counts: Map<string, number>, key: string, by: 1 | -1): void {
  const n = (counts.get(key) ?? 0) + by;
  if (n === 0) counts.delete(key);
  else counts.set(key, n);
}

/** Why a call may not start: an error code and its parameters. */
export type Refusal =
  | { readonly code: 'overloaded'; readonly params: { readonly what: string } }
  | { readonly code: 'tenant_subrequests_limited'; readonly params: { readonly limit: number } };

interface TenantRate {
  readonly limit: number;
  readonly limiter: RateLimiter;
}

const full = (what: string): Refusal => ({ code: 'overloaded', params: { what } });

/** One per process: functions have calls on the connections of several hosts. */
export class Admission {
  readonly limits: AdmissionLimits;
  readonly #functions = new Map<string, number>();
  readonly #tenants = new Map<string, number>();
  #rates = new Map<string, TenantRate>();
  #heldBytes = 0;

  constructor(limits: AdmissionLimits) {
    this.limits = limits;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** The quotas of tenants, whole: calls per second. What was used up under the old ones stays used up. */
  setRates(rows: Iterable<readonly [tenant: string, perSec: number]>): void {
    const former = this.#rates;
    this.#rates = new Map();
    for (const [tenant, limit] of rows) {
      const limiter = former.get(tenant)?.limiter ?? new RateLimiter();
      limiter.configure(limit);
      this.#rates.set(tenant, { limit, limiter });
    }
  }

  /** @returns why it may not start, or undefined: the call is counted and must be given back with `leave` */
  enter(tenant: string, fn: string): Refusal | undefined {
    if (this.#heldBytes > this.limits.heldBytes) return full('bodies of outgoing calls');
    if ((this.#functions.get(fn) ?? 0) >= this.limits.callsPerFunction) return full('outgoing calls of this function');
    if ((this.#tenants.get(tenant) ?? 0) >= this.limits.callsPerTenant) return full('outgoing calls of this tenant');
    const rate = this.#rates.get(tenant);
    if (rate !== undefined && rate.limiter.take(performance.now()) > 0) return { code: 'tenant_subrequests_limited', params: { limit: rate.limit } };
    add(this.#functions, fn, 1);
    add(this.#tenants, tenant, 1);
    return undefined;
  }

  leave(tenant: string, fn: string): void {
    add(this.#functions, fn, -1);
    add(this.#tenants, tenant, -1);
  }

  /** Body bytes came in to wait (positive), or went on or were dropped (negative). */
  hold(bytes: number): void {
    this.#heldBytes += bytes;
  }
}
