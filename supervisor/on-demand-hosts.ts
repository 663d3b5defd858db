// Hosts of a group that runs only while it is wanted: started by the gateway's wish, drained when that ends.
import { toPlatformError } from '../core/errors/index.ts';
import type { Logger } from '../core/log/index.ts';
import type { ProcessPlan, SupervisedProcess } from './supervised-process.ts';

/** What an idle host gets to say goodbye in, milliseconds: nothing runs on it. */
const DRAIN_MS = 5_000;

export interface OnDemandOptions {
  readonly plans: readonly ProcessPlan[];
  /** Makes the process and adds it to the node's. */
  readonly create: (plan: ProcessPlan) => SupervisedProcess;
  /** It has ended for good. */
  readonly forget: (process: SupervisedProcess) => void;
  readonly logger: Logger;
}

export class OnDemandHosts {
  readonly #options: OnDemandOptions;
  readonly #running = new Map<ProcessPlan, SupervisedProcess>();
  #wanted = false;

  constructor(options: OnDemandOptions) {
    this.#options = options;
  }

  /** Whether hosts are wanted from now on. Those that are just ending start again afterwards. */
  want(wanted: boolean): void {
    this.#wanted = wanted;
    for (const plan of this.#options.plans) {
      const process = this.#running.get(plan);
      if (wanted && process === undefined) void this.#start(plan);
      else if (!wanted && process !== undefined && process.state !== 'draining') void this.#drain(plan, process);
    }
  }

  /** Once it is ready it is kept alive like any other; a first start that fails is tried again at the next wish. */
  async #start(plan: ProcessPlan): Promise<void> {
    const process = this.#options.create(plan);
    this.#running.set(plan, process);
    try {
      await process.start();
    } catch (thrown) {
      this.#options.logger.error({ err: thrown, code: toPlatformError(thrown).code, host: plan.name }, 'a host that is wanted does not start');
      this.#gone(plan, process);
    }
  }

  async #drain(plan: ProcessPlan, process: SupervisedProcess): Promise<void> {
    await process.drain(DRAIN_MS);
    this.#gone(plan, process);
    if (this.#wanted) void this.#start(plan);
  }

  #gone(plan: ProcessPlan, process: SupervisedProcess): void {
    if (this.#running.get(plan) === process) this.#running.delete(plan);
    this.#options.forget(process);
  }
}
