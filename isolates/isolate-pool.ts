// The pool: targets by key, their isolates, one start a loop turn, and who takes the place of whom.
import { toPlatformError } from '../core/errors/index.ts';
import type { Target, TenantRow } from '../core/protocol/index.ts';
import type { HostServices } from './host-services.ts';
import type { ColdTimes, Invocation } from './invocation.ts';
import { BackgroundStarts } from './life/background-starts.ts';
import type { RetireReason } from './life/isolate-life.ts';
import { startFor } from './life/nobody.ts';
import { newTargetState } from './targets.ts';
import type { TargetState } from './targets.ts';
import { TenantIsolate } from './tenant-isolate.ts';
import type { VersionReader } from './version-files.ts';

/** A gateway that is gone comes back within this time, or what nobody names goes. */
const ORPHAN_MS = 30_000;
/** A start that no caller waits for and that failed is tried again after this time, and then after twice as long each time. */
const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 60_000;
/** How often what is to be kept warm, and what nobody names, is looked over. */
const REVIEW_MS = 500;

export class IsolatePool {
  readonly #host: HostServices;
  readonly #versions: VersionReader;
  readonly #states = new Map<string, TargetState>();
  /** States that gateways want to be kept warm. */
  readonly #held = new Set<TargetState>();
  /** States whose gateway is gone, since when. */
  readonly #orphans = new Map<TargetState, number>();
  readonly #background: BackgroundStarts<TargetState>;
  readonly #timer: NodeJS.Timeout;

  constructor(host: HostServices, versions: VersionReader) {
    this.#host = host;
    this.#versions = versions;
    host.life.onRetire = (isolate, reason) => this.#retire(isolate, reason);
    this.#background = new BackgroundStarts((state) => this.#start(state), () => host.queue.figures.queued > 0);
    this.#timer = setInterval(() => this.#review(performance.now()), REVIEW_MS);
  }

  get isolates(): number {
    return this.#host.life.isolates;
  }

  /** Isolates that are kept warm. */
  get keptWarm(): number {
    let count = 0;
    for (const { isolate } of this.#held) if (isolate !== null) count += 1;
    return count;
  }

  states(): IterableIterator<TargetState> {
    return this.#states.values();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#background.close();
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
    this.#orphans.delete(state);
    return state;
  }

  /** A gateway names it no more: its isolate goes when nothing runs in it. */
  release(state: TargetState): void {
    state.names -= 1;
    this.settle(state);
  }

  /** The gateway that named it is gone, but will be back: its isolate stays for a while. */
  orphan(state: TargetState): void {
    state.names -= 1;
    if (state.names === 0) this.#orphans.set(state, performance.now());
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
    this.#prepare(state, 'urgent');
  }

  /** From now on an isolate of it is kept alive, and made anew when a limit has killed it. */
  hold(state: TargetState): void {
    state.holds += 1;
    this.#held.add(state);
    if (state.isolate !== null) this.#host.life.reclassify(state.isolate, performance.now());
  }

  letGo(state: TargetState): void {
    state.holds -= 1;
    if (state.holds > 0) return;
    this.#held.delete(state);
    if (state.isolate !== null) this.#host.life.reclassify(state.isolate, performance.now());
  }

  /** Calls back once: now or after its start when there is an isolate, or when there will be none for the time being. */
  whenStarted(state: TargetState, callback: (alive: boolean) => void): void {
    if (state.isolate !== null) {
      callback(true);
      return;
    }
    state.onStart.push(callback);
    this.#prepare(state, 'background');
  }

  /** It has waited, and its isolate may have come and gone meanwhile. */
  #inTurn(state: TargetState, invocation: Invocation, receivedMs: number): void {
    const { isolate } = state;
    if (isolate === null) {
      invocation.cold ??= { receivedMs, startedMs: 0, isolateMs: 0, restoreMs: 0 };
      this.dispatch(state, invocation);
      return;
    }
    if (invocation.cancelled) {
      // The start was made for it, and so it could not be withdrawn.
      isolate.finish(invocation);
      return;
    }
    if (invocation.cold !== null) waited(invocation.cold);
    isolate.invoke(invocation);
  }

  /** Tenants with a quota of memory. */
  setQuotas(rows: readonly TenantRow[]): void {
    this.#host.life.tenants.configure(rows);
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
      this.#prepare(state, 'urgent');
      return;
    }
    if (state.names > 0 || this.#states.get(state.key) !== state || this.#orphans.has(state) || state.retiring > 0 || state.waiting.length > 0 || (state.isolate !== null && state.isolate.running > 0)) return;
    this.#states.delete(state.key);
    if (state.isolate !== null) this.#host.life.unnamed(state.isolate);
    this.#host.queue.close(state.flow);
    this.#host.accounts.close(state);
    if (state.version !== null) this.#host.shelf.forget(state.target, state.version.start);
  }

  /** A fresh isolate is made first, so that no call waits for it. */
  #retire(isolate: TenantIsolate, reason: RetireReason): void {
    const { state } = isolate;
    if (state.isolate !== isolate || state.replace !== null || performance.now() < state.notBeforeMs) return;
    state.replace = reason;
    this.#prepare(state, 'urgent');
  }

  #prepare(state: TargetState, how: 'urgent' | 'background'): void {
    if (state.start === 'urgent' || state.start === how) return;
    const reading = state.start !== 'none' && state.version === null;
    state.start = how;
    if (state.version !== null) {
      if (this.#versions.isCurrent(state.target, state.version)) {
        this.#enqueue(state);
        return;
      }
      state.version = null;
    }
    if (reading) return;
    this.#versions.load(state.target).then(
      (version) => {
        state.version = version;
        this.#enqueue(state);
      },
      (thrown: unknown) => {
        state.start = 'none';
        const error = toPlatformError(thrown);
        this.#host.logger.error({ err: error, cause: error.cause, code: error.code, function: state.target.function, version: state.target.version }, 'a version can not be loaded');
        for (const invocation of state.waiting.splice(0)) this.#refuse(invocation, error.code, { part: 'the version' });
        this.#startFailed(state);
      },
    );
  }

  // In its turn, and one a turn of the loop: making an isolate is synchronous, and what is warm must not wait behind many of them.
  #enqueue(state: TargetState): void {
    if (state.start === 'urgent') this.#host.queue.start(state.flow, () => this.#start(state));
    else this.#background.add(state);
  }

  /** Its turn has come. */
  #start(state: TargetState): void {
    state.start = 'none';
    const { version, isolate: former, replace } = state;
    state.replace = null;
    const first = state.waiting.find((invocation) => !invocation.cancelled);
    const named = state.names > 0 || this.#orphans.has(state);
    const wanted = former === null ? first !== undefined || (named && (state.onStart.length > 0 || state.holds > 0)) : replace !== null;
    if (version === null || !wanted) {
      for (const invocation of state.waiting.splice(0)) this.#run(state, invocation);
      for (const told of state.onStart.splice(0)) told(state.isolate !== null);
      return;
    }
    // What nobody waits for must not push out what somebody used.
    const { life } = this.#host;
    const optional = first === undefined && former === null;
    if ((optional && life.short) || !life.makeRoom()) {
      for (const invocation of state.waiting.splice(0)) this.#refuse(invocation, 'overloaded', { what: 'isolates of one host' });
      this.#startFailed(state);
      return;
    }
    if (version.start.snapshot !== '' && this.#host.shelf.take(state.target, version.start.snapshot) === null) {
      // Others have taken its place in memory while this one waited.
      this.#startAnew(state, replace);
      return;
    }
    const quotaMb = former === null ? life.tenants.refusal(state.target.tenant) : undefined;
    if (quotaMb !== undefined) {
      for (const invocation of state.waiting.splice(0)) this.#refuse(invocation, 'tenant_memory_exceeded', { limit: quotaMb });
      this.#startFailed(state);
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
        this.#startAnew(state, replace);
        return;
      }
      for (const invocation of state.waiting.splice(0)) this.#refuse(invocation, 'internal', null);
      this.#startFailed(state);
      return;
    }
    state.coldStarts += 1;
    const isolateMs = performance.now();
    const cause = first ?? startFor(state);
    const loaded = isolate.load(version, cause);
    const restoreMs = performance.now();
    if (loaded) {
      state.failedStarts = 0;
      if (state.isolate !== null) state.isolate.replaceBy(isolate);
      state.isolate = isolate;
      if (former !== null && replace !== null) life.leaves(former, replace);
      if (first === undefined) isolate.loadedForNobody(cause);
      for (const told of state.onStart.splice(0)) told(true);
    } else if (state.version === null) {
      // Its snapshot was refused: the module is evaluated, by a cold start of its own.
      this.#startAnew(state, replace);
      return;
    } else {
      this.#startFailed(state);
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
  #startAnew(state: TargetState, replace: RetireReason | null): void {
    state.version = null;
    state.replace = replace;
    this.#prepare(state, 'urgent');
  }

  /** Callers try again whenever they come; what nobody waits for is tried again later. */
  #startFailed(state: TargetState): void {
    state.notBeforeMs = performance.now() + Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** state.failedStarts);
    state.failedStarts += 1;
    for (const told of state.onStart.splice(0)) told(false);
  }

  #run(state: TargetState, invocation: Invocation): void {
    if (invocation.cancelled) {
      this.#host.ended(invocation);
      return;
    }
    // In turn as well: those that waited for a cold start may be many, and an earlier one of them may have got the isolate killed.
    this.dispatch(state, invocation);
  }

  #refuse(invocation: Invocation, code: string, params: Readonly<Record<string, unknown>> | null): void {
    if (invocation.finished) return;
    this.#host.refuse(invocation, code, params);
  }

  #review(nowMs: number): void {
    for (const [state, sinceMs] of this.#orphans) {
      if (nowMs - sinceMs < ORPHAN_MS) break;
      this.#orphans.delete(state);
      this.settle(state);
    }
    if (this.#host.life.short) return;
    for (const state of this.#held) if (state.isolate === null && nowMs >= state.notBeforeMs) this.#prepare(state, 'background');
  }
}

/** Time in the queue behind a cold start is of its queue phase: what came before it moves up to the entry. */
function waited(cold: ColdTimes): void {
  const sinceMs = performance.now() - cold.restoreMs;
  cold.startedMs += sinceMs;
  cold.isolateMs += sinceMs;
  cold.restoreMs += sinceMs;
}
