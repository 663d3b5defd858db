// Whose tests run now: few at once on the node, one of a tenant, and tenants take turns, so that no one's tests hold up another's deploys.
import { PlatformError } from '../../core/errors/index.ts';

export interface TurnsOptions {
  /** Runs at once. */
  readonly atOnce: number;
  /** Runs of one tenant that wait; more are refused. */
  readonly waitingPerTenant: number;
}

export class Turns {
  readonly #options: TurnsOptions;
  readonly #running = new Set<string>();
  /** Tenants that wait, the one whose turn is next first. */
  readonly #waiting = new Map<string, (() => void)[]>();

  constructor(options: TurnsOptions) {
    this.#options = options;
  }

  get running(): number {
    return this.#running.size;
  }

  /**
   * Runs `task` when it is the tenant's turn.
   *
   * @throws overloaded  too many of this tenant wait
   */
  async take<T>(tenant: string, task: () => Promise<T>): Promise<T> {
    if (this.#running.has(tenant) || this.#running.size >= this.#options.atOnce) {
      const queue = this.#waiting.get(tenant) ?? [];
      if (queue.length >= this.#options.waitingPerTenant) throw new PlatformError('overloaded', { what: 'tests of one tenant' });
      const turn = Promise.withResolvers<void>();
      queue.push(turn.resolve);
      this.#waiting.set(tenant, queue);
      await turn.promise;
    } else {
      this.#running.add(tenant);
    }
    try {
      return await task();
    } finally {
      this.#running.delete(tenant);
      this.#next();
    }
  }

  #next(): void {
    for (const [tenant, queue] of this.#waiting) {
      if (this.#running.has(tenant)) continue;
      // Behind the others from now on.
      this.#waiting.delete(tenant);
      const start = queue.shift();
      if (queue.length > 0) this.#waiting.set(tenant, queue);
      this.#running.add(tenant);
      start?.();
      return;
    }
  }
}
