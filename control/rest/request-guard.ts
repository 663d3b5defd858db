// What one request brings into its commits: its authority and conditions, checked again where no other write can come between, and its idempotency key.
import type { Change } from '../../core/ports/index.ts';
import type { Guard } from '../model/index.ts';
import type { FirstRun } from './idempotency-keys.ts';

export interface GuardOptions {
  /** Throws when the caller may not do this (any more). */
  readonly allowed: () => void;
  /** Rejects when what the request acts on is not what its If-Match says. */
  readonly conditions: (() => Promise<void>) | undefined;
  readonly firstRun: FirstRun | undefined;
}

export class RequestGuard implements Guard {
  readonly #options: GuardOptions;
  #isCommitted = false;

  constructor(options: GuardOptions) {
    this.#options = options;
  }

  async check(): Promise<void> {
    this.#options.allowed();
    // What has changed after its own first commit is its own doing.
    if (!this.#isCommitted) await this.#options.conditions?.();
  }

  joins(): readonly Change[] {
    return this.#isCommitted ? [] : (this.#options.firstRun?.joins() ?? []);
  }

  committed(): void {
    if (this.#isCommitted) return;
    this.#isCommitted = true;
    this.#options.firstRun?.committed();
  }
}
