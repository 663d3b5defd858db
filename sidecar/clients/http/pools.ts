// All pools: one per tenant and origin, dropped when nothing has used them for a while.
import { PlatformError } from '../../../core/errors/index.ts';
import type { CheckedTarget } from '../../egress/index.ts';
import { OriginPool } from './origin-pool.ts';
import type { PoolOptions } from './origin-pool.ts';

export interface PoolsOptions extends PoolOptions {
  /** Origins of one tenant and of all together; a call that needs one more is refused. */
  readonly maxPoolsPerTenant: number;
  readonly maxPools: number;
}

const SWEEP_MS = 5_000;

interface Entry {
  readonly tenant: string;
  readonly pool: OriginPool;
  lastUsedMs: number;
}

export class Pools {
  readonly #options: PoolsOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #perTenant = new Map<string, number>();
  readonly #timer: NodeJS.Timeout;

  constructor(options: PoolsOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.sweep(performance.now() - SWEEP_MS), SWEEP_MS);
    this.#timer.unref();
  }

  get size(): number {
    return this.#entries.size;
  }

  get sockets(): number {
    return this.#options.budget.open;
  }

  /** The pool whose check still holds, or undefined: check the URL, then `pin`. */
  fresh(tenant: string, origin: string): OriginPool | undefined {
    const entry = this.#entries.get(`${tenant}\n${origin}`);
    if (entry === undefined) return undefined;
    const nowMs = performance.now();
    if (entry.pool.freshUntilMs <= nowMs) return undefined;
    entry.lastUsedMs = nowMs;
    return entry.pool;
  }

  /**
   * The pool of this origin, for the addresses of a check just made.
   *
   * @throws overloaded  there are too many pools
   */
  pin(tenant: string, origin: string, target: CheckedTarget): OriginPool {
    const key = `${tenant}\n${origin}`;
    const entry = this.#entries.get(key);
    if (entry !== undefined) {
      entry.pool.repin(target);
      entry.lastUsedMs = performance.now();
      return entry.pool;
    }
    if (this.#full(tenant)) this.sweep(Number.POSITIVE_INFINITY);
    if (this.#full(tenant)) throw new PlatformError('overloaded', { what: 'origins that are called' });
    const pool = new OriginPool(origin, target, this.#options);
    this.#entries.set(key, { tenant, pool, lastUsedMs: performance.now() });
    this.#perTenant.set(tenant, (this.#perTenant.get(tenant) ?? 0) + 1);
    return pool;
  }

  /** Drops pools that hold nothing and were last used before that time (of `performance.now()`). */
  sweep(beforeMs: number): void {
    for (const [key, { tenant, pool, lastUsedMs }] of this.#entries) {
      if (!pool.empty || lastUsedMs >= beforeMs) continue;
      this.#entries.delete(key);
      const left = (this.#perTenant.get(tenant) ?? 1) - 1;
      if (left === 0) this.#perTenant.delete(tenant);
      else this.#perTenant.set(tenant, left);
    }
  }

  close(): void {
    clearInterval(this.#timer);
    for (const { pool } of this.#entries.values()) pool.close();
    this.#entries.clear();
    this.#perTenant.clear();
  }

  #full(tenant: string): boolean {
    return this.#entries.size >= this.#options.maxPools || (this.#perTenant.get(tenant) ?? 0) >= this.#options.maxPoolsPerTenant;
  }
}
