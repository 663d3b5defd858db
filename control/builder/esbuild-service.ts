// The warm esbuild process: builds with a time limit, and a new process when the old one hangs or dies.
import * as esbuild from 'esbuild';
import type { BuildFailure, BuildOptions, BuildResult } from 'esbuild';

export class BuildTimeout extends Error {}
export class BuilderLost extends Error {}

export interface EsbuildServiceOptions {
  /** Longest build, milliseconds. Default 20,000. */
  readonly buildMs?: number;
  /** Builds at the same time; more wait. Default 2. */
  readonly atOnce?: number;
  /** Stands in for esbuild in tests. */
  readonly engine?: Pick<typeof esbuild, 'build' | 'stop'>;
}

interface Job {
  readonly options: BuildOptions;
  readonly resolve: (result: BuildResult) => void;
  readonly reject: (error: unknown) => void;
  attempts: number;
}

const BUILD_MS = 20_000;
const MAX_ATTEMPTS = 2;

/**
 * esbuild keeps one service process for all builds, started by the first and used from then on. It parses tenants' code but runs none.
 *
 * esbuild's own client neither notices a hang nor starts again after a death, and builds that were under way at `stop` never settle. So
 * every build is raced here, and what was under way at a stop starts again.
 */
export class EsbuildService {
  readonly #engine: Pick<typeof esbuild, 'build' | 'stop'>;
  readonly #buildMs: number;
  readonly #atOnce: number;
  readonly #waiting: Job[] = [];
  readonly #running = new Map<Job, () => void>();
  #restarts = 0;

  constructor(options: EsbuildServiceOptions = {}) {
    this.#engine = options.engine ?? esbuild;
    this.#buildMs = options.buildMs ?? BUILD_MS;
    this.#atOnce = options.atOnce ?? 2;
  }

  /** Times that the process had to be ended or was found dead. */
  get restarts(): number {
    return this.#restarts;
  }

  /** Starts the process, so that the first deploy does not pay for it. */
  async warm(): Promise<void> {
    await this.build({ stdin: { contents: '' }, write: false, logLevel: 'silent' });
  }

  /**
   * @throws BuildTimeout  it took longer than the limit; the process was ended
   * @throws BuilderLost  the process died under this build, twice
   * @throws esbuild's BuildFailure  the input is at fault
   */
  build(options: BuildOptions): Promise<BuildResult> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ options, resolve, reject, attempts: 0 });
      this.#next();
    });
  }

  /** Ends the process. A later build starts another. */
  async stop(): Promise<void> {
    await this.#engine.stop();
  }

  #next(): void {
    while (this.#running.size < this.#atOnce) {
      const [job] = this.#waiting;
      if (job === undefined) return;
      // What was under way when the process died runs alone the second time: so only the guilty one can die of it.
      const alone = job.attempts > 0 || [...this.#running.keys()].some((running) => running.attempts > 1);
      if (alone && this.#running.size > 0) return;
      this.#waiting.shift();
      this.#start(job);
    }
  }

  #start(job: Job): void {
    job.attempts += 1;
    let over = false;
    const finish = (settle: () => void): void => {
      if (over) return;
      over = true;
      clearTimeout(timer);
      this.#running.delete(job);
      settle();
      this.#next();
    };
    const timer = setTimeout(() => {
      finish(() => job.reject(new BuildTimeout(`the build took longer than ${this.#buildMs} ms`)));
      this.#restart();
    }, this.#buildMs);
    // What is left of an abandoned attempt: it may neither settle the job nor hold its place.
    this.#running.set(job, () => {
      over = true;
      clearTimeout(timer);
    });
    this.#engine.build(job.options).then(
      (result) => finish(() => job.resolve(result)),
      (error: unknown) => {
        if (over) return;
        if (isBuildFailure(error)) finish(() => job.reject(error));
        else this.#restart();
      },
    );
  }

  /** Ends the process, and starts again what ran in it; what has now lost it twice, the second time alone, is at fault itself. */
  #restart(): void {
    this.#restarts += 1;
    const jobs = [...this.#running];
    this.#running.clear();
    for (const [, abandon] of jobs) abandon();
    void this.#engine.stop();
    for (const [job] of jobs) {
      if (job.attempts >= MAX_ATTEMPTS) job.reject(new BuilderLost('the build process died of it: the source is too large, or nested too deep'));
      else this.#waiting.unshift(job);
    }
    this.#next();
  }
}

/** Faults of the input, which esbuild lists with their places. */
export function isBuildFailure(error: unknown): error is BuildFailure {
  // A service that died is a plain error without a list.
  return error instanceof Error && 'errors' in error && Array.isArray(error.errors) && error.errors.length > 0;
}
