// One isolate of one function version: every entry into it, every operation out of it, and its end.
import { PlatformError } from '../core/errors/index.ts';
import type { IncomingBody } from './bodies/incoming-body.ts';
import { toBuffer } from './bodies/incoming-body.ts';
import { EntryAllowance } from './entry-allowance.ts';
import { givenFailure } from './given-failure.ts';
import type { HostServices } from './host-services.ts';
import type { Invocation } from './invocation.ts';
import { HeapGauge } from './life/heap-gauge.ts';
import { IsolateBodies } from './isolate-bodies.ts';
import { IsolateTimers } from './isolate-timers.ts';
import { IsolateAreas, pureOperation } from './operations/index.ts';
import type { AreaIsolate } from './operations/index.ts';
import { OutgoingCalls } from './outgoing-calls.ts';
import { rejectionOf } from './rejections.ts';
import { ResponseSender } from './response-sender.ts';
import type { Queued } from './run-queue.ts';
import { BODY_KIND, ENTER, ENTERED, OP, PENDING, REASON, UNRESTORABLE } from './runtime/abi.ts';
import type { Sink } from './sinks.ts';
import type { TargetState } from './targets.ts';
import type { StartData } from './snapshots/shelf.ts';
import type { LoadedVersion } from './version-files.ts';
import type { HeapSize, Vm } from './vm.ts';

/** CPU time that evaluating a module may take; apart from any invocation's budget. */
export const STARTUP_CPU_MS = 1_000;
/** Smallest budget of an entry: an invocation that has a hair left may still fail properly. */
const MIN_BUDGET_US = 500;
/** Answers of a turn wait no longer than this for the ones behind them. */
const FLUSH_AFTER_MS = 0.5;
const MAX_BUDGET_US = 0x7fff_ffff;
/** An entry that took longer may have allocated much: the heap is looked at. */
const LONG_US = 1_000;
/** CPU time of a garbage collection that the host asks for. It runs nothing of the tenant's, but what goes wrong must end. */
const COLLECT_BUDGET_US = 2_000_000;

const MIB = 1_048_576;
/** Where the message of a thrown error ends and its stack begins. */
const FIRST_FRAME = '\n    at ';
const STACK_CHARACTERS = 16_384;

/** Why an isolate ended. `cpu` and `memory` were limits, `broken` is a defect, `retired` is the pool's wish, `overdue` one that did not drain after it. */
export type EndReason = 'cpu' | 'memory' | 'broken' | 'retired' | 'overdue';

export class TenantIsolate implements AreaIsolate {
  readonly state: TargetState;
  readonly #host: HostServices;
  readonly #vm: Vm;
  readonly #watchSlot: number;
  readonly #invocations = new Map<number, Invocation>();
  readonly #timers = new IsolateTimers(this);
  readonly #bodies = new IsolateBodies(this);
  readonly #calls: OutgoingCalls;
  readonly #sender: ResponseSender;
  readonly #areas = new IsolateAreas(this);
  readonly #allowance = new EntryAllowance();
  /** Invocations that gave or finished a response during the running entry. */
  #touched: Invocation[] = [];
  #current: Invocation | null = null;
  /** Entries that were asked for: the isolate counts those that reached it. */
  #entries = 0;
  #cancelling = false;
  /** Made with the module evaluated. */
  readonly #restored: boolean;
  #dead = false;
  #replaced = false;
  readonly madeMs = performance.now();
  readonly gauge: HeapGauge;
  idleList: unknown = null;
  idlePrevious: TenantIsolate | null = null;
  idleNext: TenantIsolate | null = null;
  idleSinceMs = 0;

  /** Makes the isolate, from the version's snapshot when that is at hand; `load` must follow. */
  constructor(state: TargetState, host: HostServices, { snapshot }: StartData) {
    this.state = state;
    this.#host = host;
    const blob = snapshot === '' ? null : host.shelf.take(state.target, snapshot);
    this.#restored = blob !== null;
    this.#vm = blob === null ? host.spares.take(state.target.memoryMb, state.target.wasm) : host.spares.restored(state.target.memoryMb, state.target.wasm, blob);
    this.#vm.attach((code, a, b, c, d, e, f) => this.#operation(code, a, b, c, d, e, f));
    this.#watchSlot = host.watch.register(this.#vm.handle);
    this.gauge = new HeapGauge(state.target.memoryMb);
    host.life.made(this);
    this.#calls = new OutgoingCalls(this, host);
    this.#sender = new ResponseSender(this, host);
  }

  /** Its garbage goes when V8 finds it. */
  get uncollectable(): boolean {
    return !this.#vm.canCollect;
  }

  get dead(): boolean {
    return this.#dead;
  }

  get running(): number {
    return this.#invocations.size;
  }

  /** It gets no new invocation: another has taken its place, or it is at its end. */
  get leaving(): boolean {
    return this.#dead || this.#replaced;
  }

  get leaksUntilMs(): number {
    return this.state.leaksUntilMs;
  }

  set leaksUntilMs(ms: number) {
    this.state.leaksUntilMs = ms;
  }

  get keptWarm(): boolean {
    return this.state.holds > 0;
  }

  measure(into: HeapSize): void {
    this.#vm.measure(into);
  }

  /** A full garbage collection, outside of entries. @returns false when what survived was over the limit: the isolate has ended then */
  collect(shrink: boolean): boolean {
    if (this.#dead || this.#current !== null) return !this.#dead;
    const { watch } = this.#host;
    watch.begin(this.#watchSlot, COLLECT_BUDGET_US);
    let thrown: unknown;
    try {
      this.#vm.collect(shrink);
    } catch (error) {
      thrown = error;
    }
    const { killed } = watch.end();
    if (killed) this.#end('cpu', null, 0, undefined);
    else if (this.#vm.isDisposed) this.#end('memory', null, 0, undefined);
    else if (thrown !== undefined) this.#host.logger.error({ err: thrown, code: 'internal', function: this.state.target.function }, 'a collection failed');
    return !this.#dead;
  }

  /**
   * Evaluates the module on behalf of `cause`, or wakes it up where a snapshot holds it evaluated.
   *
   * @returns false when it has no handler, was killed, and `cause` has failed; or, with `cause` as it was and no version in the state, when its snapshot is no use
   */
  load(version: LoadedVersion, cause: Invocation): boolean {
    this.#admit(cause);
    if (!this.#restored && !this.#define(version, cause)) return false;
    const cpuBefore = cause.cpuUs;
    const startupUs = STARTUP_CPU_MS * 1_000;
    const { shape } = this.state.target;
    let error = this.#restored
      ? this.#enter(cause, ENTER.restore, 1, version.secrets, shape, undefined, startupUs)
      : this.#enter(cause, ENTER.load, 0, version.env, shape, undefined, startupUs);
    // What awaits at its top level, or in its hook, is ready after its microtasks, or never.
    if (error === PENDING) error = this.#enter(cause, ENTER.loaded, 0, undefined, undefined, undefined, Math.max(MIN_BUDGET_US, startupUs - (cause.cpuUs - cpuBefore)));
    // Start-up has a budget of its own.
    cause.cpuUs = cpuBefore;
    if (this.#restored) {
      if (error === UNRESTORABLE) return this.#evaluateInstead(version, cause);
      if (this.#dead || error !== '') this.#host.shelf.refuse(this.state.target, version.start.snapshot, this.#dead ? 'restore_failed' : 'hook_threw');
      else this.#host.shelf.restored();
    }
    if (this.#dead) return false;
    if (error === '') {
      this.#host.life.started(this);
      return true;
    }
    const text = String(error);
    this.fail(cause, 'function_threw', text.split(FIRST_FRAME, 1)[0] ?? '', text, { start: true });
    this.end('retired');
    return false;
  }

  #define(version: LoadedVersion, cause: Invocation): boolean {
    const { codeCache } = version.start;
    try {
      this.#vm.define(version.code, version.filename, codeCache === '' ? null : this.#host.shelf.take(this.state.target, codeCache));
      return true;
    } catch (thrown) {
      this.#end('broken', cause, 0, thrown);
      return false;
    }
  }

  /** The module made it impossible to restore it. Nothing of the invocation has run. */
  #evaluateInstead({ start }: LoadedVersion, cause: Invocation): false {
    this.#host.shelf.refuse(this.state.target, start.snapshot, 'touches_secret');
    this.state.version = null;
    this.#invocations.delete(cause.id);
    this.end('retired');
    return false;
  }

  /** No call waited for `load`. What the module has begun, such as a fetch whose answer its handlers await, may go on as behind a response. */
  loadedForNobody(cause: Invocation): void {
    cause.cancelled = cause.responseDone = cause.finalSent = true;
    cause.lingerTimer = setTimeout(() => this.finish(cause), this.#host.lingerMs);
    this.#settleCancelled(cause);
  }

  /** First entry of an invocation, whose turn it is. */
  invoke(invocation: Invocation): void {
    this.#admit(invocation);
    if (invocation.requestBody !== null) invocation.bodyHandle = this.addBody(invocation.requestBody, invocation);
    const kind = invocation.isEvent ? ENTER.event : ENTER.invoke;
    this.#enterNow(invocation, kind, invocation.id, invocation.head, invocation.bodyHandle === 0 ? undefined : invocation.bodyHandle, undefined);
  }

  #admit(invocation: Invocation): void {
    if (this.idleSinceMs !== 0) this.#host.life.wakes(this);
    this.#invocations.set(invocation.id, invocation);
    invocation.isolate = this;
  }

  /**
   * Any later entry: a settled operation, a timer, an abort; at once, or when it is the function's turn. Does nothing once the invocation or the isolate has
   * ended.
   *
   * @returns its place in the queue when it has to wait
   */
  enter(owner: Invocation, kind: number, id: number, a?: unknown, b?: unknown, c?: unknown): Queued | null {
    if (owner.finished) return null;
    const { queue } = this.#host;
    const { flow } = this.state;
    if (queue.admits(flow)) {
      this.#enterNow(owner, kind, id, a, b, c);
      return null;
    }
    const queued = queue.add(flow, owner, () => this.#enterNow(owner, kind, id, a, b, c));
    // An operation that is never settled would keep its caller for ever.
    if (queued === null) this.fail(owner, 'overloaded', 'too many entries wait for their turn', '', { what: 'entries that wait in one host' });
    return queued;
  }

  #enterNow(owner: Invocation, kind: number, id: number, a: unknown, b: unknown, c: unknown): void {
    if (owner.finished) return;
    const leftUs = owner.target.target.cpuMs * 1_000 - owner.cpuUs;
    if (leftUs <= 0) {
      // Spent between entries: this one is over, and what it left behind in the isolate must not go on.
      this.#end('cpu', owner, owner.cpuUs, undefined);
      return;
    }
    this.#enter(owner, kind, id, a, b, c, Math.min(MAX_BUDGET_US, Math.max(MIN_BUDGET_US, leftUs)));
  }

  #enter(owner: Invocation, kind: number, id: number, a: unknown, b: unknown, c: unknown, budgetUs: number): unknown {
    if (this.#dead) return undefined;
    if (this.#current !== null) throw new PlatformError('internal', undefined, { cause: new Error('an entry inside an entry') });
    const { watch, turns, accounts } = this.#host;
    if (!turns.entering(owner)) {
      this.fail(owner, 'overloaded', 'too many invocations in one host', '', { what: 'invocations of one host' });
      return undefined;
    }
    this.#current = owner;
    this.#allowance.renew();
    let thrown: unknown;
    let threw = false;
    let result: unknown;
    watch.begin(this.#watchSlot, budgetUs);
    this.#entries += 1;
    try {
      result = this.#vm.enter(kind, id, a, b, c);
      // Code in WebAssembly grows its memory without asking: what it has taken shows at the end of the entry, which pays for the look.
      if (this.#vm.usesWasm && Number(this.#vm.enter(ENTER.wasmBytes, 0, undefined, undefined, undefined)) > owner.target.target.memoryMb * MIB) this.#vm.dispose();
    } catch (error) {
      threw = true;
      thrown = error;
    }
    const { cpuUs, killed } = watch.end();
    this.#current = null;
    owner.cpuUs += cpuUs;
    if (isStart(kind)) accounts.started(owner, cpuUs);
    else accounts.entered(owner, cpuUs);
    if ((this.gauge.entriesLeft -= 1) <= 0 || cpuUs > LONG_US) this.#host.life.look(this);
    if (killed) this.#end('cpu', owner, isStart(kind) ? cpuUs : owner.cpuUs, undefined, isStart(kind));
    else if (this.#vm.isDisposed) this.#end('memory', owner, 0, undefined);
    else if (threw) return this.#rejected(owner, kind, id, thrown, budgetUs - cpuUs);
    else if (kind === ENTER.rejected && result === undefined) return undefined;
    else {
      if (owner.cpuUs >= owner.softCpuUs && !isStart(kind)) accounts.softLimit(owner);
      this.#afterEntry(owner);
    }
    if (watch.endedMs - turns.flushedMs > FLUSH_AFTER_MS) {
      turns.flushedMs = watch.endedMs;
      owner.connection.flush();
    }
    return result;
  }

  /**
   * The entry threw: after its microtasks, isolated-vm throws a copy of the first rejection that nobody handles. What was answered stands, and the
   * isolate is told in a further entry. It answers with the entry's own result, or with nothing when the throw was no rejection at all.
   */
  #rejected(owner: Invocation, kind: number, id: number, thrown: unknown, budgetUs: number): unknown {
    const isReport = kind === ENTER.rejected;
    let told: unknown;
    // What is rejected while listeners hear of a rejection is logged, and they don't hear of it: else there would be no end.
    if (!isReport || (id & REASON.quietly) === 0) {
      const { reason, value, stack } = rejectionOf(thrown);
      told = this.#enter(owner, ENTER.rejected, isReport ? reason | REASON.quietly : reason, value, stack, this.#entries, Math.max(MIN_BUDGET_US, budgetUs));
    }
    if (typeof told !== 'string') this.#end('broken', owner, 0, thrown);
    else if (isReport) return told;
    else if (told.startsWith(ENTERED.text)) return told.slice(ENTERED.text.length);
    return undefined;
  }

  #afterEntry(owner: Invocation): void {
    const touched = this.#touched;
    if (touched.length > 0) {
      this.#touched = [];
      for (const invocation of touched) this.#sender.advance(invocation);
    }
    this.#sender.flush();
    this.#calls.flush();
    if (owner.cancelled && !owner.finished && !this.#cancelling) this.#settleCancelled(owner);
  }

  // ---- operations: called by the runtime during an entry ----

  #operation(code: number, a: unknown, b: unknown, c: unknown, d: unknown, e: unknown, f: unknown): unknown {
    const owner = this.#current;
    // Operations exist only inside entries; the arguments are the runtime's, so a wrong type means a broken isolate.
    if (owner === null) throw new TypeError('no invocation');
    if (!this.#allowance.allows(a, b, c, d, e, f)) {
      // The throw can be caught, so it is not the end; it gives the watchdog, on another thread, the moment that it needs.
      this.#host.watch.kill();
      throw new RangeError('too many operations in one entry');
    }
    switch (code) {
      case OP.respond:
        this.#onRespond(a, b, c, d, e, f);
        return undefined;
      case OP.fail:
        this.#onFail(a, b, c, d, e, f);
        return undefined;
      case OP.finished: {
        const invocation = this.#invocations.get(a as number);
        if (invocation !== undefined) {
          invocation.lingers = false;
          this.#touched.push(invocation);
        }
        return undefined;
      }
      case OP.log:
        this.#host.logs.write(owner, text(a), text(b), c === '' ? null : text(c));
        return undefined;
      case OP.bodyText:
      case OP.bodyBytes:
        return this.#bodies.whole(owner, a, Number(b), code === OP.bodyText);
      case OP.bodyRead:
        return this.#bodies.read(owner, a, Number(b));
      case OP.bodyCancel:
        this.#bodies.cancel(a);
        return undefined;
      case OP.sinkWrite:
        return this.#sinkWrite(owner, a, b);
      case OP.sinkEnd:
        this.#sink(a)?.end();
        return undefined;
      case OP.sinkError:
        this.#sink(a)?.fail(String(b), String(c));
        return undefined;
      case OP.fetch:
        return this.#calls.start(owner, Number(a), String(b), Number(c), d, e === undefined ? 0 : Number(e));
      case OP.cancel:
        this.#calls.cancel(Number(a));
        return undefined;
      case OP.timerStart:
        return this.#timers.start(owner, Number(a), Number(b), c === 1);
      case OP.timerClear:
        this.#timers.clear(Number(a));
        return undefined;
      case OP.url:
      case OP.urlSet:
      case OP.utf8Encode:
      case OP.utf8Decode:
      case OP.random:
      case OP.uuid:
        return pureOperation(code, a, b, c);
      case OP.lazy:
        this.#vm.runLazy(String(a));
        return undefined;
      default:
        return this.#areas.of(code).run(code, owner, a, b, c, d, e, f);
    }
  }

  get services(): HostServices {
    return this.#host;
  }

  get entryStartedMs(): number {
    return this.#host.watch.startedMs;
  }

  begin(owner: Invocation): void {
    owner.operationsUnderWay += 1;
  }

  resolve(owner: Invocation, id: number, a: unknown, b?: unknown): void {
    owner.operationsUnderWay -= 1;
    this.enter(owner, ENTER.settle, id, 1, a, b);
  }

  reject(owner: Invocation, id: number, code: string, message: string): void {
    owner.operationsUnderWay -= 1;
    this.enter(owner, ENTER.settle, id, 0, code, message);
  }

  charge(owner: Invocation, cpuUs: number): void {
    owner.cpuUs += cpuUs;
    this.#host.accounts.elsewhere(owner, cpuUs);
  }

  #onRespond(id: unknown, status: unknown, head: unknown, kind: unknown, value: unknown, lingers: unknown): void {
    const invocation = this.#invocations.get(id as number);
    if (invocation === undefined || invocation.given !== null || invocation.cancelled) {
      if (invocation?.cancelled === true) this.#answeredTooLate(invocation, lingers === 1);
      return;
    }
    invocation.given = { status: Number(status), head: String(head), kind: Number(kind), value };
    invocation.lingers = lingers === 1;
    // A stream's chunks come during this very entry, so its head goes first; anything else waits until the entry has kept its budget.
    if (kind === BODY_KIND.sink) this.#sender.advance(invocation);
    else this.#touched.push(invocation);
  }

  #onFail(id: unknown, code: unknown, message: unknown, stack: unknown, lingers: unknown, params: unknown): void {
    const invocation = this.#invocations.get(id as number);
    if (invocation === undefined || invocation.given !== null) return;
    if (invocation.cancelled) {
      this.#answeredTooLate(invocation, lingers === 1);
      return;
    }
    invocation.given = givenFailure(code, message, stack, params);
    invocation.lingers = lingers === 1;
    this.#touched.push(invocation);
  }

  #answeredTooLate(invocation: Invocation, lingers: boolean): void {
    invocation.given = { code: 'wall_limit_exceeded', message: '', stack: '', params: null };
    invocation.lingers = lingers;
    this.#touched.push(invocation);
  }

  /** @returns the handle by which the isolate names it until the owner has ended */
  addBody(body: IncomingBody, owner: Invocation): number {
    return this.#bodies.add(body, owner);
  }

  body(handle: unknown): IncomingBody | undefined {
    return this.#bodies.get(handle);
  }

  invocation(id: unknown): Invocation | undefined {
    return this.#invocations.get(id as number);
  }

  // ---- sinks: streams that the isolate writes ----

  #sink(sink: unknown): Sink | undefined {
    return this.#sender.sink(sink as number) ?? this.#calls.sink(sink as number);
  }

  #sinkWrite(owner: Invocation, sink: unknown, bytes: unknown): number {
    const target = this.#sink(sink);
    if (target === undefined || !(bytes instanceof Uint8Array)) {
      setImmediate(() => this.enter(owner, ENTER.sinkCancel, Number(sink)));
      return 0;
    }
    if (target.write(toBuffer(bytes))) return 1;
    target.whenDrained(() => this.enter(owner, target.closed ? ENTER.sinkCancel : ENTER.drain, Number(sink)));
    return 0;
  }

  // ---- the end of an invocation ----

  /** The client went away or a limit struck at the gateway. */
  cancel(invocation: Invocation): void {
    if (invocation.cancelled || invocation.finished) return;
    invocation.cancelled = true;
    invocation.responseDone = true;
    if (!this.#invocations.has(invocation.id)) return;
    invocation.lingerTimer ??= setTimeout(() => this.finish(invocation), this.#host.lingerMs);
    // Signal, streams and calls are told one after the other, each in an entry; only then is it asked whether anything is left.
    this.#cancelling = true;
    this.enter(invocation, ENTER.abort, invocation.id);
    invocation.requestBody?.fail('client_gone');
    const sink = this.#sender.sinkOf(invocation);
    invocation.response?.close();
    // Its writer may wait for its source instead of the client: closing alone would not reach it.
    if (sink !== undefined) this.enter(invocation, ENTER.sinkCancel, sink);
    this.#calls.cancelOf(invocation);
    this.#cancelling = false;
    if (!invocation.finished) this.#settleCancelled(invocation);
  }

  /** Nobody waits any more: once all its entries have had their turn it is over when it has answered and has no waitUntil work, or when nothing is left that could wake it. */
  #settleCancelled(invocation: Invocation): void {
    if ((invocation.queued?.size ?? 0) > 0) return;
    const answered = invocation.given !== null && !invocation.lingers;
    if (answered || ((invocation.timers?.size ?? 0) === 0 && invocation.callsUnderWay === 0 && invocation.operationsUnderWay === 0)) this.finish(invocation);
  }

  /** Sends the typed failure as the final frame. */
  fail(invocation: Invocation, code: string, message: string, stack: string, params: Readonly<Record<string, unknown>> | null = null): void {
    this.#sender.fail(invocation, code, message, stack, params);
  }

  /** The final frame: everything that the invocation owned goes. */
  finish(invocation: Invocation): void {
    if (invocation.finished) return;
    this.#sender.done(invocation);
    this.release(invocation);
  }

  /** After the final frame. */
  release(invocation: Invocation): void {
    invocation.finished = true;
    if (invocation.lingerTimer !== null) clearTimeout(invocation.lingerTimer);
    this.#timers.clearOf(invocation);
    this.#calls.cancelOf(invocation);
    this.#bodies.releaseOf(invocation);
    this.#areas.release(invocation);
    this.#invocations.delete(invocation.id);
    invocation.isolate = null;
    this.#host.ended(invocation);
    if (this.#invocations.size === 0 && !this.#dead) this.#host.life.rests(this, this.#host.turns.nowMs);
  }

  // ---- the end of the isolate ----

  /** Another isolate takes the new invocations from now on. */
  replaceBy(successor: TenantIsolate): void {
    this.#replaced = true;
    this.state.isolate = successor;
  }

  /** Takes the isolate out of service, unprovoked: nothing must run in it. */
  end(reason: 'retired'): void {
    this.#end(reason, null, 0, undefined);
  }

  /** It was retired, and what runs in it does not end: `isolate_lost`. */
  giveUp(): void {
    this.#end('overdue', null, 0, undefined);
  }

  #end(reason: EndReason, culprit: Invocation | null, usedCpuUs: number, thrown: unknown, atStart = false): void {
    if (this.#dead) return;
    this.#dead = true;
    const { target } = this.state;
    if (this.state.isolate === this) this.state.isolate = null;
    this.#sender.flush();
    // A killed isolate has left the watchdog's table already; unregistering it again does no harm.
    this.#host.watch.unregister(this.#watchSlot);
    this.#vm.dispose();
    this.#timers.clearAll();
    this.#areas.close();
    this.#host.life.gone(this);
    this.#host.isolateEnded(this, reason, culprit);
    for (const invocation of Array.from(this.#invocations.values())) {
      if (invocation !== culprit) {
        this.fail(invocation, 'isolate_lost', '', '', { entered: invocation.slot !== 0 });
      } else if (reason === 'cpu') {
        const limit = atStart ? STARTUP_CPU_MS : target.cpuMs;
        const used = Math.round(usedCpuUs / 1_000);
        const { overdrawn } = this.#allowance;
        this.fail(invocation, 'cpu_limit_exceeded', '', '', overdrawn === null ? { limit, used: Math.max(limit, used) } : { limit, used, ...overdrawn });
      } else if (reason === 'memory') {
        this.fail(invocation, 'memory_limit_exceeded', '', '', { limit: target.memoryMb, used: target.memoryMb });
      } else {
        const error = thrown instanceof Error ? thrown : new Error(String(thrown));
        const message = `${error.name}: ${error.message}`.slice(0, STACK_CHARACTERS);
        this.fail(invocation, 'function_threw', message, (error.stack ?? '').slice(0, STACK_CHARACTERS));
      }
    }
  }
}

function isStart(kind: number): boolean {
  return kind === ENTER.load || kind === ENTER.loaded || kind === ENTER.restore;
}

/** An argument of the runtime that must be text. */
function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
