// A host process that is loaded and has no place yet: it takes the place of the next one that dies, so that a death costs its neighbours milliseconds.
import { closeSync } from 'node:fs';
import { toPlatformError } from '../core/errors/index.ts';
import type { Logger } from '../core/log/index.ts';
import { ChildLife } from './child-life.ts';
import type { Command, LifeHandlers } from './child-life.ts';
import { openJournal } from './heartbeat.ts';
import { RestartPolicy } from './restart-policy.ts';

/** A process without a boot message, and its journal: both belong to who takes them. */
export interface LoadedHost {
  readonly life: ChildLife;
  readonly journalFd: number;
}

export interface StandbyOptions {
  /** As hosts of the default groups are started: a process can only take the place of one with the same command. */
  readonly command: Command;
  readonly journalFolder: string;
  readonly logger: Logger;
  readonly onSpawn: (pid: number) => void;
  readonly onChange: () => void;
  readonly onLogLine: (line: string) => void;
}

/** The host that has just taken a place has the processor first, milliseconds. */
const NEXT_AFTER_MS = 500;

export class StandbyHost {
  readonly #options: StandbyOptions;
  readonly #policy = new RestartPolicy();
  #loaded: LoadedHost | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: StandbyOptions) {
    this.#options = options;
  }

  get pid(): number | null {
    return this.#loaded?.life.pid ?? null;
  }

  /** Starts the process; from now on there is always one again soon after one was taken. */
  start(): void {
    if (this.#closed || this.#loaded !== undefined) return;
    const { command, journalFolder, logger, onSpawn, onChange } = this.#options;
    try {
      const journalFd = openJournal(journalFolder);
      const life: ChildLife = new ChildLife(command, journalFd, this.#handlers(() => this.#died(life, journalFd)));
      this.#loaded = { life, journalFd };
      if (life.pid !== undefined) onSpawn(life.pid);
      onChange();
    } catch (thrown) {
      logger.warn({ err: thrown, code: toPlatformError(thrown).code }, 'no standby host: a host that dies is back later');
      this.#again(this.#policy.onDeath(undefined).delayMs);
    }
  }

  /** @returns undefined when there is none just now: the caller starts its own */
  take(): LoadedHost | undefined {
    const loaded = this.#loaded;
    if (loaded === undefined || loaded.life.ended) return undefined;
    this.#loaded = undefined;
    this.#again(NEXT_AFTER_MS);
    return loaded;
  }

  /** Ends the process: nothing runs in it. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#loaded?.life.kill();
  }

  #again(afterMs: number): void {
    if (this.#closed) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.start(), Math.max(afterMs, NEXT_AFTER_MS));
  }

  #died(life: ChildLife, journalFd: number): void {
    closeSync(journalFd);
    if (this.#loaded?.life === life) this.#loaded = undefined;
    this.#options.onChange();
    this.#again(this.#policy.onDeath(undefined).delayMs);
  }

  #handlers(onEnd: () => void): LifeHandlers {
    const { logger, onLogLine } = this.#options;
    return { onReady: () => {}, onFailed: () => {}, onMessage: () => {}, onEnd, onJsonLine: onLogLine, onTextLine: (text) => logger.warn(text) };
  }
}
