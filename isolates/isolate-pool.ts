// The pool: targets by key, one cold start a loop turn, reclaim of what is idle, bounds on how many isolates there are.
import { toPlatformError } from '../core/errors/index.ts';
import type { Target } from '../core/protocol/index.ts';
import type { HostServices } from './host-services.ts';
import type { ColdTimes, Invocation } from './invocation.ts';
import { IDLE_MS, MAX_ISOLATES } from './limits.ts';
import { newTargetState } from './targets.ts';
import type { TargetState } from './targets.ts';
import { TenantIsolate } from './tenant-isolate.ts';
import { loadVersion } from './version-files.ts';

const SWEEP_MS = 10_000;
/** Isolates disposed in one sweep at the most: disposing a large one blocks the loop for milliseconds. */
const SWEEP_BATCH = 50;

export class IsolatePool {
  readonly #host: HostServices;
  readonly #dataFolder: string;
  readonly #tierKey: Buffer;
  readonly #states = new Map<string, TargetState>();
  #isolates = 0;
  readonly #timer: NodeJS.Timeout;

  constructor(host: HostServices, dataFolder: string, tierKey: Buffer) {
    this.#host = host;
    this.#dataFolder = dataFolder;
    this.#tierKey = tierKey;
    this.#timer = setInterval(() => this.#sweep(), SWEEP_MS);
  }

  get isolates(): number {
    return this.#isolates;
  }

  states(): IterableIterator<TargetState> {
    return this.#states.values();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** The state of a target that a gateway names from now on. */
  acquire(target: Target): TargetState {
    const key = JSON.stringify(target);
    let state = this.#states.get(key);
    if (state === undefined) {
      state = newTargetState(target, key, this.#host.queue.open(target.tenant, target.function), this.#host.accounts.open(target));
      this.#states.set(key, state);
    }
    state.names += 1;
    return state;
  }

  /** A gateway names it no more: its isolate goes when nothing runs in it. */
  release(state: TargetState): void {
    state.names -= 1;
    this.settle(state);
  }

  /** Runs the invocation now when the isolate is alive and it is the function's turn, else after its cold start and in its turn. */
  dispatch(state: TargetState, invocation: Invocation): void {
    const { isolate, flow } = state;
    const { queue } = this.#host;
    if (isolate !== null) {
      if (queue.admits(flow)) {
        isolate.invoke(invocation);
        return;
      }
      const receivedMs = performance.now();
      if (queue.add(flow, invocation, () => this.#inTurn(state, invocation, receivedMs)) === null) this.#refuse(invocation, 'overloaded', { what: 'entries that wait in one host' });
      return;
    }
    invocation.cold ??= { receivedMs: performance.now(), startedMs: 0, isolateMs: 0, restoreMs: 0 };
    state.waiting.push(invocation);
    this.#prepare(state);
  }

  /** It has waited, and its isolate may have come and gone meanwhile. */
  #inTurn(state: TargetState, invocation: Invocation, receivedMs: number): void {
    const { isolate } = state;
    if (isolate === null) {
      invocation.cold ??= { receivedMs, startedMs: 0, isolateMs: 0, restoreMs: 0 };
      this.dispatch(state, invocation);
      return;
    }
    if (invocation.cold !== null) waited(invocation.cold);
    isolate.invoke(invocation);
  }

  /** Takes back one that was not entered: it never will be. */
  withdraw(invocation: Invocation): void {
    invocation.cancelled = true;
    invocation.finished = true;
    this.#host.ended(invocation);
  }

  /** After an invocation or an isolate has ended: starts again what still has callers, lets go of what nobody names. */
  settle(state: TargetState): void {
    if (state.isolate === null && state.waiting.length > 0) {
      this.#prepare(state);
      return;
    }
    if (this.#states.get(state.key) !== state) return;
    if (state.names > 0 || state.waiting.length > 0 || (state.isolate !== null && state.isolate.running > 0)) return;
    this.#states.delete(state.key);
    state.isolate?.end('retired');
    this.#host.queue.close(state.flow);
    this.#host.accounts.close(state);
  }

  isolateEnded(): void {
    this.#isolates -= 1;
  }

  #prepare(state: TargetState): void {
    if (state.loading) return;
    state.loading = true;
    if (state.version !== null) {
      this.#enqueue(state);
      return;
    }
    loadVersion(this.#dataFolder, this.#tierKey, state.target).then(
      (version) => {
        state.version = version;
        this.#enqueue(state);
      },
      (thrown: unknown) => {
        state.loading = false;
        const error = toPlatformError(thrown);
        this.#host.logger.error({ err: error, cause: error.cause, code: error.code, function: state.target.function, version: state.target.version }, 'a version can not be loaded');
        for (const invocation of state.waiting.splice(0)) this.#refuse(invocation, error.code, { part: 'the version' });
      },
    );
  }

  // In its turn, and one a turn of the loop: making an isolate is synchronous, and what is warm must not wait behind many of them.
  #enqueue(state: TargetState): void {
    this.#host.queue.start(state.flow, () => this.#start(state));
  }

  #start(state: TargetState): void {
    state.loading = false;
    const { version } = state;
    const first = state.waiting.find((invocation) => !invocation.cancelled);
    if (version === null || first === undefined || state.isolate !== null) {
      for (const invocation of state.waiting.splice(0)) this.#run(state, invocation);
      return;
    }
    if (this.#isolates >= MAX_ISOLATES && !this.#evictOldest()) {
      for (const invocation of state.waiting.splice(0)) this.#refuse(invocation, 'overloaded', { what: 'isolates of one host' });
      return;
    }
    const startedMs = performance.now();
    let isolate: TenantIsolate;
    try {
      isolate = new TenantIsolate(state, this.#host);
    } catch (thrown) {
      this.#host.logger.error({ err: thrown, code: 'internal', function: state.target.function }, 'an isolate can not be made');
      for (const invocation of state.waiting.splice(0)) this.#refuse(invocation, 'internal', null);
      return;
    }
    this.#isolates += 1;
    state.coldStarts += 1;
    const isolateMs = performance.now();
    const loaded = isolate.load(version, first);
    const restoreMs = performance.now();
    if (loaded) state.isolate = isolate;
    const waiting = state.waiting.splice(0);
    for (const invocation of waiting) {
      if (invocation.finished) continue;
      if (invocation.cold !== null) Object.assign(invocation.cold, { startedMs: Math.max(startedMs, invocation.cold.receivedMs), isolateMs, restoreMs });
      if (loaded) this.#run(state, invocation);
      // The first caller has the reason; a module that can't start fails the same way for the others.
      else this.#refuse(invocation, 'function_threw', null);
    }
  }

  #run(state: TargetState, invocation: Invocation): void {
    if (invocation.cancelled) {
      this.#host.ended(invocation);
      return;
    }
    // An earlier one of this batch may have got the isolate killed.
    if (state.isolate === null) this.dispatch(state, invocation);
    else state.isolate.invoke(invocation);
  }

  #refuse(invocation: Invocation, code: string, params: Readonly<Record<string, unknown>> | null): void {
    if (invocation.finished) return;
    this.#host.refuse(invocation, code, params);
  }

  #sweep(): void {
    const before = performance.now() - IDLE_MS;
    let disposed = 0;
    for (const state of this.#states.values()) {
      const { isolate } = state;
      if (isolate === null || isolate.running > 0 || isolate.lastUsedMs > before) continue;
      isolate.end('retired');
      disposed += 1;
      if (disposed >= SWEEP_BATCH) return;
    }
  }

  /** Makes room by the isolate that was used longest ago. @returns false when all are busy */
  #evictOldest(): boolean {
    let oldest: TenantIsolate | null = null;
    for (const { isolate } of this.#states.values()) {
      if (isolate === null || isolate.running > 0) continue;
      if (oldest === null || isolate.lastUsedMs < oldest.lastUsedMs) oldest = isolate;
    }
    oldest?.end('retired');
    return oldest !== null;
  }
}

/** Time in the queue behind a cold start is of its queue phase: what came before it moves up to the entry. */
function waited(cold: ColdTimes): void {
  const sinceMs = performance.now() - cold.restoreMs;
  cold.startedMs += sinceMs;
  cold.isolateMs += sinceMs;
  cold.restoreMs += sinceMs;
}
