// How much may be under way at once: calls per function, tenant and connection, and bytes that wait in this process.

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

/** One per process: functions have calls on the connections of several hosts. */
export class Admission {
  readonly limits: AdmissionLimits;
  readonly #functions = new Map<string, number>();
  readonly #tenants = new Map<string, number>();
  #heldBytes = 0;

  constructor(limits: AdmissionLimits) {
    this.limits = limits;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** @returns what is used up, or undefined: the call is counted and must be given back with `leave` */
  enter(tenant: string, fn: string): string | undefined {
    if (this.#heldBytes > this.limits.heldBytes) return 'bodies of outgoing calls';
    if ((this.#functions.get(fn) ?? 0) >= this.limits.callsPerFunction) return 'outgoing calls of this function';
    if ((this.#tenants.get(tenant) ?? 0) >= this.limits.callsPerTenant) return 'outgoing calls of this tenant';
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
