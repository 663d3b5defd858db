// The pool: targets by key, one cold start a loop turn, reclaim of what is idle, bounds on how many isolates there are.
import { toPlatformError } from '../core/errors/index.ts';
import type { Target } from '../core/protocol/index.ts';
import type { HostServices } from './host-services.ts';
import type { Invocation } from './invocation.ts';
import { IDLE_MS, MAX_ISOLATES } from './limits.ts';
import { newTargetState } from './targets.ts';
import type { TargetState } from './targets.ts';
import { TenantIsolate } from './tenant-isolate.ts';
import type { VersionReader } from './version-files.ts';

const SWEEP_MS = 10_000;
/** Isolates disposed in one sweep at the most: disposing a large one blocks the loop for milliseconds. */
const SWEEP_BATCH = 50;

export class IsolatePool {
  readonly #host: HostServices;
  readonly #versions: VersionReader;
  readonly #states = new Map<string, TargetState>();
  readonly #starts: TargetState[] = [];
  #starting = false;
  #isolates = 0;
  readonly #timer: NodeJS.Timeout;

  constructor(host: HostServices, versions: VersionReader) {
    this.#host = host;
    this.#versions = versions;
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
      state = newTargetState(target, key);
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

  /** Runs the invocation now when the isolate is alive, else after its cold start. */
  dispatch(state: TargetState, invocation: Invocation): void {
    const { isolate } = state;
    if (isolate !== null) {
      isolate.invoke(invocation);
      return;
    }
    const now = performance.now();
    invocation.cold = { receivedMs: now, startedMs: 0, isolateMs: 0, restoreMs: 0 };
    state.waiting.push(invocation);
    this.#prepare(state);
  }

  /** After an invocation or an isolate has ended: starts again what still has callers, lets go of what nobody names. */
  settle(state: TargetState): void {
    if (state.isolate === null && state.waiting.length > 0) {
      this.#prepare(state);
      return;
    }
    if (state.names > 0 || state.waiting.length > 0 || (state.isolate !== null && state.isolate.running > 0)) return;
    this.#states.delete(state.key);
    state.isolate?.end('retired');
    if (state.version !== null) this.#host.shelf.forget(state.target, state.version.start);
  }

  isolateEnded(): void {
    this.#isolates -= 1;
  }

  #prepare(state: TargetState): void {
    if (state.loading) return;
    state.loading = true;
    if (state.version !== null && this.#versions.isCurrent(state.target, state.version)) {
      this.#enqueue(state);
      return;
    }
    this.#versions.load(state.target).then(
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

  #enqueue(state: TargetState): void {
    this.#starts.push(state);
    if (this.#starting) return;
    this.#starting = true;
    setImmediate(this.#startNext);
  }

  // One cold start a turn: making an isolate is synchronous, and what is warm must not wait behind many of them.
  readonly #startNext = (): void => {
    const state = this.#starts.shift();
    if (state === undefined) {
      this.#starting = false;
      return;
    }
    this.#start(state);
    if (this.#starts.length > 0) setImmediate(this.#startNext);
    else this.#starting = false;
  };

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
    if (version.start.snapshot !== '' && this.#host.shelf.take(state.target, version.start.snapshot) === null) {
      // Others have taken its place in memory while this one waited.
      this.#startAnew(state);
      return;
    }
    const startedMs = performance.now();
    let isolate: TenantIsolate;
    try {
      isolate = new TenantIsolate(state, this.#host, version.start);
    } catch (thrown) {
      this.#host.logger.error({ err: thrown, code: 'internal', function: state.target.function }, 'an isolate can not be made');
      if (version.start.snapshot !== '') {
        this.#host.shelf.refuse(state.target, version.start.snapshot, 'restore_failed');
        this.#startAnew(state);
        return;
      }
      for (const invocation of state.waiting.splice(0)) this.#refuse(invocation, 'internal', null);
      return;
    }
    this.#isolates += 1;
    state.coldStarts += 1;
    const isolateMs = performance.now();
    const loaded = isolate.load(version, first);
    const restoreMs = performance.now();
    if (loaded) {
      state.isolate = isolate;
    } else if (state.version === null) {
      // Its snapshot was refused: the module is evaluated, by a cold start of its own.
      this.#startAnew(state);
      return;
    }
    const waiting = state.waiting.splice(0);
    for (const invocation of waiting) {
      if (invocation.finished) continue;
      if (invocation.cold !== null) Object.assign(invocation.cold, { startedMs: Math.max(startedMs, invocation.cold.receivedMs), isolateMs, restoreMs });
      if (loaded) this.#run(state, invocation);
      // The first caller has the reason; a module that can't start fails the same way for the others.
      else this.#refuse(invocation, 'function_threw', null);
    }
  }

  /** Reads the version's files again: what it started from is gone or of no use. */
  #startAnew(state: TargetState): void {
    state.version = null;
    this.#prepare(state);
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
