// What entries cost, booked once each: to the function's turn in the queue, to its version's figures, and to its target's row for the choice of lanes.
import { LONG_ENTRY_US } from '../core/protocol/index.ts';
import type { HostFigures, Target } from '../core/protocol/index.ts';
import type { Invocation } from './invocation.ts';
import type { LogSink } from './log-sink.ts';
import type { RunQueue } from './run-queue.ts';
import type { TargetState } from './targets.ts';

/** Lines of one function about its soft limit: at most one in this time, milliseconds. */
const SOFT_LIMIT_LINE_MS = 1_000;
/** Functions whose last line is remembered. */
const MAX_SOFT_LINES = 10_000;
/**
 * A target that had long entries is reported for so many windows with entries after the last long one: ten minutes of a row every 250 ms, so that a gateway
 * can see for how long they have been short.
 */
const SHORT_WINDOWS = 2_400;

/** Figures of one version since they were last taken. Its targets share it. */
export class VersionAccount {
  readonly function: string;
  readonly version: number;
  users = 0;
  entries = 0;
  /** CPU time of invocations, waitUntil work included, microseconds. */
  cpuUs = 0;
  /** ... and of evaluating the module, which is charged to no invocation. */
  startupUs = 0;
  softLimits = 0;

  constructor(name: string, version: number) {
    this.function = name;
    this.version = version;
  }
}

/** Entries of one target in the present window. */
export class EntryWindow {
  window = 0;
  entries = 0;
  long = 0;
  maxUs = 0;
  /** Windows since the last one with a long entry. */
  shortWindows = 0;
}

/** Rows for gateways: entries, long ones, and the longest one's CPU time in whole microseconds. */
export type EntryNews = ReadonlyMap<TargetState, readonly [entries: number, long: number, maxUs: number]>;

export class Accounts {
  readonly #queue: RunQueue;
  readonly #logs: LogSink;
  /** Every target is of interest, as on a slow host, where short entries are the news. */
  readonly #all: boolean;
  /** By `name@version`. */
  readonly #versions = new Map<string, VersionAccount>();
  /** Targets whose windows are reported. */
  readonly #watched = new Set<TargetState>();
  #window = 1;
  #softLimits = 0;
  /** When each function's log last had a line about its soft limit, and how many it has not had since. */
  readonly #softLines = new Map<string, { atMs: number; left: number }>();

  /** @param all  report every target's entries, not only those of targets with long ones */
  constructor(queue: RunQueue, logs: LogSink, all: boolean) {
    this.#queue = queue;
    this.#logs = logs;
    this.#all = all;
  }

  /** Invocations that reached their soft limit, so far. */
  get softLimits(): number {
    return this.#softLimits;
  }

  /** The account of a target's version; `close` must follow. */
  open(target: Target): VersionAccount {
    // What a shadow uses is no use of its version by anybody: the gateway counts it apart.
    if (target.shadow) return new VersionAccount(target.function, target.version);
    const key = `${target.function}@${target.version}`;
    let account = this.#versions.get(key);
    if (account === undefined) {
      account = new VersionAccount(target.function, target.version);
      this.#versions.set(key, account);
    }
    account.users += 1;
    return account;
  }

  /** The target is gone. What its version used is kept until it is taken. */
  close(state: TargetState): void {
    state.account.users -= 1;
    this.#watched.delete(state);
  }

  /** An entry of a running invocation, or what it had the host do besides, has ended. Called once for each. */
  entered(owner: Invocation, cpuUs: number): void {
    const state = owner.target;
    const { account, window } = state;
    this.#queue.charge(state.flow, cpuUs);
    account.entries += 1;
    account.cpuUs += cpuUs;
    if (window.window !== this.#window) {
      window.window = this.#window;
      window.entries = window.long = window.maxUs = 0;
      if (this.#all) this.#watched.add(state);
    }
    window.entries += 1;
    if (cpuUs > window.maxUs) window.maxUs = cpuUs;
    if (cpuUs > LONG_ENTRY_US) {
      window.long += 1;
      this.#watched.add(state);
    }
  }

  /** A module was evaluated, or a part of it; the queue charges the whole start by itself. */
  started(owner: Invocation, cpuUs: number): void {
    owner.target.account.startupUs += cpuUs;
  }

  /** CPU time that other threads of the host have spent for an invocation. */
  elsewhere(owner: Invocation, cpuUs: number): void {
    owner.target.account.cpuUs += cpuUs;
  }

  /** The invocation has used most of its budget and goes on: its function's log says so, once an invocation and at most once a second. */
  softLimit(owner: Invocation): void {
    const { account, target } = owner.target;
    owner.softCpuUs = Number.POSITIVE_INFINITY;
    account.softLimits += 1;
    this.#softLimits += 1;
    const now = performance.now();
    const line = this.#softLines.get(target.function);
    if (line !== undefined && now - line.atMs < SOFT_LIMIT_LINE_MS) {
      line.left += 1;
      return;
    }
    if (line === undefined && this.#softLines.size >= MAX_SOFT_LINES) this.#softLines.clear();
    const used = Math.round(owner.cpuUs / 100) / 10;
    const fields = { code: 'cpu_soft_limit', limit: target.cpuMs, used, ...(line === undefined || line.left === 0 ? {} : { more: line.left }) };
    this.#softLines.set(target.function, { atMs: now, left: 0 });
    this.#logs.write(owner, 'warn', `${used} of ${target.cpuMs} ms of CPU time are used: beyond the limit the invocation is killed`, JSON.stringify(fields));
  }

  /** Rows of the window that ends now: of targets with long entries, or that had some not long ago. */
  takeNews(): EntryNews {
    const news = new Map<TargetState, readonly [number, number, number]>();
    for (const state of this.#watched) {
      const { window } = state;
      if (window.window !== this.#window) continue;
      window.shortWindows = window.long > 0 ? 0 : window.shortWindows + 1;
      if (window.shortWindows > SHORT_WINDOWS) this.#watched.delete(state);
      else news.set(state, [window.entries, window.long, Math.round(window.maxUs)]);
    }
    this.#window += 1;
    return news;
  }

  /** Increments since the last call. Call it only when they can be sent. */
  takeUsed(): HostFigures['used'] {
    const used: HostFigures['used'] = [];
    for (const [key, account] of this.#versions) {
      if (account.entries > 0 || account.startupUs > 0 || account.cpuUs > 0) {
        used.push({ function: account.function, version: account.version, entries: account.entries, cpuUs: account.cpuUs, startupUs: account.startupUs, softLimits: account.softLimits });
        account.entries = account.cpuUs = account.startupUs = account.softLimits = 0;
      }
      if (account.users === 0) this.#versions.delete(key);
    }
    return used;
  }
}
