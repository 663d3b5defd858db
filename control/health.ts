// Health and readiness of the node, as the supervisor and the sockets report it.
import type { Isolation, ProcessState } from '../core/config/index.ts';

export interface Readiness {
  readonly ready: boolean;
  /** What is missing, in words for operators; empty when ready. */
  readonly missing: readonly string[];
}

export class NodeHealth {
  #processes: readonly ProcessState[] = [];
  #isolation: Isolation | null = null;
  #draining = false;
  readonly #gateways: () => number;

  /** @param gateways  how many gateways have applied a route table */
  constructor(gateways: () => number) {
    this.#gateways = gateways;
  }

  get processes(): readonly ProcessState[] {
    return this.#processes;
  }

  /** What confines hosts; null while the supervisor is finding out. */
  get isolation(): Isolation | null {
    return this.#isolation;
  }

  get draining(): boolean {
    return this.#draining;
  }

  /** The supervisor's latest word. */
  update(processes: readonly ProcessState[], isolation: Isolation | null): void {
    this.#processes = processes;
    this.#isolation = isolation;
  }

  drain(): void {
    this.#draining = true;
  }

  readiness(): Readiness {
    const missing: string[] = [];
    if (this.#draining) missing.push('the control plane is draining');
    if (this.#gateways() === 0) missing.push('no gateway has the route table');
    if (this.#processes.length === 0) missing.push('the supervisor has not reported yet');
    // Hosts that run on demand come and go, and may die of what they run.
    for (const { name, state, onDemand } of this.#processes) if (state !== 'ready' && !onDemand) missing.push(`${name} is ${state}`);
    return { ready: missing.length === 0, missing };
  }
}
