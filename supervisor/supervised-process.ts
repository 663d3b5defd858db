// One place in the node that is always filled: starts its process, watches it, starts it again, drains it.
import { closeSync } from 'node:fs';
import type { DeathCause, FromChild, JournalRef, ProcessState, ToChild } from '../core/config/index.ts';
import { PlatformError } from '../core/errors/index.ts';
import type { Logger } from '../core/log/index.ts';
import { readBeat, readJournal } from '../core/protocol/index.ts';
import { ChildLife } from './child-life.ts';
import type { Command, LifeHandlers } from './child-life.ts';
import { HeartbeatWatch, openJournal } from './heartbeat.ts';
import { residentBytes } from './proc.ts';
import { RestartPolicy } from './restart-policy.ts';
import type { LoadedHost } from './standby-host.ts';

export interface ProcessPlan {
  readonly name: string;
  readonly command: Command;
  /** The first message of each life, made anew; undefined for a program that takes none. */
  readonly bootMessage?: () => ToChild;
  /** Folder for the journal file where /dev/shm cannot be written; given: the process has a heartbeat and a journal. */
  readonly journalFolder?: string;
  /** A process that is resident with more is killed, bytes; absent: not watched. */
  readonly residentBytes?: number;
  /** It runs only while it is wanted: its absence is no fault. */
  readonly onDemand?: boolean;
  /** A process of the same command that is loaded already, when there is one: a restart takes it instead of a new one. */
  readonly standby?: () => LoadedHost | undefined;
  /** Time to get ready, milliseconds; a process that is not ready then is killed. */
  readonly readyMs?: number;
}

export interface ProcessEvents {
  /** State, pid or number of restarts changed. */
  onChange(): void;
  onSpawn(name: string, pid: number): void;
  /** A process with a journal died: what it had entered. Called before anything is started again. */
  onJournal?(name: string, pid: number, journal: { readonly onThread: JournalRef | null; readonly entered: readonly JournalRef[]; readonly cause: DeathCause }): void;
  /** A message of the program other than about its start. */
  onMessage?(message: FromChild): void;
  /** A log line of the process, JSON with its line feed. */
  onLogLine(line: string): void;
}

/** Generous: a loaded machine starts slowly, and a start that was given up starts over. */
const READY_MS = 30_000;

/** Signals that nothing in a host sends to itself. */
const FROM_OUTSIDE: ReadonlySet<string> = new Set(['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT']);

/** Between the time that a draining process is given and its kill: enough to tell its clients and to close. */
const LAST_STEPS_MS = 400;

export class SupervisedProcess {
  readonly name: string;
  readonly #plan: ProcessPlan;
  readonly #events: ProcessEvents;
  /** Speaks in the process's name: for lines that are not its own JSON. */
  readonly #logger: Logger;
  readonly #policy = new RestartPolicy();
  #state: ProcessState['state'] = 'starting';
  #restarts = 0;
  #retired = false;
  #life: ChildLife | undefined;
  #journalFd: number | undefined;
  #watch = new HeartbeatWatch();
  #readyAt: number | undefined;
  #readyTimer: NodeJS.Timeout | undefined;
  #restartTimer: NodeJS.Timeout | undefined;
  #firstStart: { resolve(): void; reject(error: PlatformError): void } | undefined;
  #failure: string | undefined;
  /** Why this life was killed by us for what it did. */
  #killedFor: DeathCause | undefined;
  #whenEnded: (() => void)[] = [];

  constructor(plan: ProcessPlan, logger: Logger, events: ProcessEvents) {
    this.name = plan.name;
    this.#plan = plan;
    this.#logger = logger;
    this.#events = events;
  }

  get state(): ProcessState['state'] {
    return this.#state;
  }

  get pid(): number | null {
    return this.#life?.pid ?? null;
  }

  /** For the control plane and health. */
  describe(kind: ProcessState['kind']): ProcessState {
    const pid = this.pid;
    return { name: this.name, kind, pid, state: this.#state, restarts: this.#restarts, onDemand: this.#plan.onDemand ?? false, residentBytes: pid === null ? 0 : residentBytes(pid) };
  }

  /**
   * Starts the first life; resolves when it is ready. From then on the process is kept alive until `drain` or `kill`.
   *
   * @throws unavailable  the first life ended, or was not ready in time: the node does not start with a part that never worked
   */
  async start(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#firstStart = { resolve, reject };
      this.#spawn();
    });
  }

  /** Lost when the process is not there: it is meant for what this life knows. */
  send(message: ToChild): void {
    this.#life?.send(message);
  }

  /** Looks at heartbeat and memory once; kills a host that is silent, stuck, or far too large. */
  poll(): void {
    if (this.#journalFd === undefined || this.#life === undefined || this.#life.ended) return;
    this.#checkMemory(this.#life);
    const beat = readBeat(this.#journalFd);
    const verdict = this.#watch.look(beat);
    if (verdict === 'alive') return;
    this.#logger.error({ verdict, beat }, 'the heartbeat is lost: the process is killed');
    // Judged anew only with the next life; until the kernel reports the end nothing more can be done.
    this.#watch = new HeartbeatWatch();
    this.#killedFor = verdict;
    this.#life.kill();
  }

  #checkMemory(life: ChildLife): void {
    const limit = this.#plan.residentBytes;
    if (limit === undefined || life.pid === undefined) return;
    const bytes = residentBytes(life.pid);
    if (bytes <= limit) return;
    this.#logger.error({ residentBytes: bytes, limit }, 'the process takes too much memory and is killed');
    this.#killedFor = 'memory';
    life.kill();
  }

  /** From now on a death is final; what runs goes on. */
  retire(): void {
    this.#retired = true;
    clearTimeout(this.#restartTimer);
    this.#firstStart?.reject(new PlatformError('unavailable', { part: this.name }));
    this.#firstStart = undefined;
  }

  /** Asks the process to finish and waits for its end; kills it after `withinMs`. Never starts again. */
  async drain(withinMs: number): Promise<void> {
    this.retire();
    const life = this.#life;
    if (life === undefined || life.ended) return;
    this.#setState('draining');
    life.send({ type: 'drain', withinMs: Math.max(0, Math.floor(withinMs) - LAST_STEPS_MS) });
    const timer = setTimeout(() => {
      this.#logger.warn({ withinMs: Math.round(withinMs) }, 'the process did not finish in time and is killed');
      life.kill();
    }, withinMs);
    await this.#ended();
    clearTimeout(timer);
  }

  /** Ends the process at once. Never starts again. */
  async kill(): Promise<void> {
    this.retire();
    if (this.#life === undefined || this.#life.ended) return;
    this.#setState('draining');
    this.#life.kill();
    await this.#ended();
  }

  async #ended(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#whenEnded.push(resolve);
    });
  }

  #setState(state: ProcessState['state']): void {
    this.#state = state;
    this.#events.onChange();
  }

  #spawn(): void {
    this.#readyAt = undefined;
    this.#failure = undefined;
    this.#killedFor = undefined;
    this.#watch = new HeartbeatWatch();
    const startedAt = performance.now();
    try {
      this.#begin(this.#handlers(startedAt));
    } catch (thrown) {
      // No memory, no descriptors: the same as a life that ended at once.
      this.#logger.error({ err: thrown }, 'the process cannot be started');
      this.#life = undefined;
      this.#onEnd('not started');
      return;
    }
    if (this.#life?.pid === undefined) return;
    this.#events.onSpawn(this.name, this.#life.pid);
    const boot = this.#plan.bootMessage?.();
    if (boot !== undefined) this.#life.send(boot);
    const readyMs = this.#plan.readyMs ?? READY_MS;
    this.#readyTimer = setTimeout(() => {
      this.#failure = `not ready within ${readyMs} ms`;
      this.#life?.kill();
    }, readyMs);
    this.#events.onChange();
  }

  #begin(handlers: LifeHandlers): void {
    const loaded = this.#plan.standby?.();
    if (loaded === undefined) {
      this.#journalFd = this.#plan.journalFolder === undefined ? undefined : openJournal(this.#plan.journalFolder);
      this.#life = new ChildLife(this.#plan.command, this.#journalFd, handlers);
    } else {
      this.#journalFd = loaded.journalFd;
      this.#life = loaded.life;
      loaded.life.handOver(handlers);
    }
  }

  #handlers(startedAt: number): LifeHandlers {
    return {
      onReady: () => this.#onReady(startedAt),
      onFailed: (code, message) => {
        this.#failure = `${code}: ${message}`;
      },
      onMessage: (message) => this.#events.onMessage?.(message),
      onEnd: (how) => this.#onEnd(how),
      onJsonLine: (line) => this.#events.onLogLine(line),
      onTextLine: (text) => this.#logger.warn(text),
    };
  }

  #onReady(startedAt: number): void {
    clearTimeout(this.#readyTimer);
    this.#readyAt = performance.now();
    this.#logger.info({ childPid: this.pid, startMs: Math.round(this.#readyAt - startedAt), restarts: this.#restarts }, 'the process is ready');
    if (this.#retired) return;
    this.#firstStart?.resolve();
    this.#firstStart = undefined;
    this.#setState('ready');
  }

  #onEnd(how: string): void {
    clearTimeout(this.#readyTimer);
    const pid = this.pid;
    this.#life = undefined;
    this.#closeJournal(pid, this.#killedFor ?? (FROM_OUTSIDE.has(how) ? 'outside' : 'crashed'));
    for (const resolve of this.#whenEnded.splice(0)) resolve();
    if (this.#retired) {
      this.#setState('draining');
      return;
    }
    if (this.#firstStart !== undefined) {
      this.#firstStart.reject(new PlatformError('unavailable', { part: this.name }, { cause: new Error(this.#failure ?? how) }));
      this.#firstStart = undefined;
      this.#setState('failed');
      return;
    }
    const choice = this.#policy.onDeath(this.#readyAt === undefined ? undefined : performance.now() - this.#readyAt);
    this.#restarts += 1;
    this.#logger.error({ childPid: pid, how, failure: this.#failure, restartInMs: choice.delayMs, restarts: this.#restarts }, choice.failed ? 'the process keeps dying: the next try is later' : 'the process died');
    this.#setState(choice.failed ? 'failed' : 'restarting');
    if (choice.delayMs === 0) this.#spawn();
    else this.#restartTimer = setTimeout(() => this.#spawn(), choice.delayMs);
  }

  #closeJournal(pid: number | null, cause: DeathCause): void {
    if (this.#journalFd === undefined) return;
    if (pid !== null) this.#events.onJournal?.(this.name, pid, { ...readJournal(this.#journalFd), cause });
    closeSync(this.#journalFd);
    this.#journalFd = undefined;
  }
}
