// Owns the thread that compares bodies: started when it is first needed, ended when it rests, and when a comparison takes too long.
import { Worker } from 'node:worker_threads';
import type { BodyVerdict } from './compare-bodies.ts';
import type { ComparisonJob } from './comparison-worker.ts';

/** A comparison takes some milliseconds of CPU time. Much longer, and the thread is ended: a backstop, since it is the last to get a core. */
const LIMIT_MS = 10_000;
const IDLE_MS = 30_000;
/** Two bodies of 128 KiB become some megabytes of objects. */
const RESOURCES = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 16 } as const;

const GIVEN_UP: BodyVerdict = { outcome: 'incomparable', differences: [] };

export interface ComparisonThreadOptions {
  /** Default 10,000. */
  readonly limitMs?: number;
  /** Default 30,000. */
  readonly idleMs?: number;
}

export class ComparisonThread {
  readonly #limitMs: number;
  readonly #idleMs: number;
  #worker: Worker | undefined;
  #done: ((verdict: BodyVerdict) => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  /** Threads started so far. */
  starts = 0;

  constructor({ limitMs = LIMIT_MS, idleMs = IDLE_MS }: ComparisonThreadOptions = {}) {
    this.#limitMs = limitMs;
    this.#idleMs = idleMs;
  }

  get running(): boolean {
    return this.#worker !== undefined;
  }

  /** One at a time: the caller waits for the last one. Never rejects. */
  async compare(job: ComparisonJob): Promise<BodyVerdict> {
    if (this.#closed || this.#done !== undefined) return GIVEN_UP;
    const worker = (this.#worker ??= this.#start());
    clearTimeout(this.#timer);
    return new Promise((resolve) => {
      this.#done = resolve;
      this.#timer = setTimeout(() => this.#end(), this.#limitMs);
      worker.postMessage(job);
    });
  }

  close(): void {
    this.#closed = true;
    this.#end();
  }

  #start(): Worker {
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    const worker = new Worker(new URL(`./comparison-worker.${extension}`, import.meta.url), { name: 'shadow comparisons', resourceLimits: RESOURCES, stderr: false });
    this.starts += 1;
    worker.unref();
    worker.on('message', (verdict: BodyVerdict) => {
      if (this.#worker === worker) this.#settle(verdict);
    });
    // Out of memory, or a defect: the next comparison has a new one.
    worker.on('error', () => this.#lost(worker));
    worker.on('exit', () => this.#lost(worker));
    return worker;
  }

  #settle(verdict: BodyVerdict): void {
    clearTimeout(this.#timer);
    if (this.#worker !== undefined && !this.#closed) {
      this.#timer = setTimeout(() => this.#end(), this.#idleMs);
      this.#timer.unref();
    }
    const done = this.#done;
    this.#done = undefined;
    done?.(verdict);
  }

  #end(): void {
    const worker = this.#worker;
    this.#worker = undefined;
    void worker?.terminate();
    this.#settle(GIVEN_UP);
  }

  #lost(worker: Worker): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    this.#settle(GIVEN_UP);
  }
}
