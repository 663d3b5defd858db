// Gives memory back: isolates that rest are shrunk, and in the end disposed of, by rest and by pressure, within a share of the loop's time.
import type { HeapSize } from '../vm.ts';
import type { HeapGauge } from './heap-gauge.ts';
import { IdleList } from './idle-list.ts';
import type { IdlePlace } from './idle-list.ts';
import { pressureOf } from './pressure.ts';
import { TimeBudget } from './time-budget.ts';

/** What this needs of an isolate. */
export interface Reclaimable extends IdlePlace<Reclaimable> {
  readonly gauge: HeapGauge;
  readonly running: number;
  /** Gateways want it kept alive while there is memory. */
  readonly keptWarm: boolean;
  measure(into: HeapSize): void;
  collect(shrink: boolean): boolean;
  /** `collect` does nothing. Default: it does. */
  readonly uncollectable?: boolean;
}

/** Why an isolate in which nothing ran was disposed of. */
export type ReclaimReason = 'idle' | 'pressure' | 'cap';

export interface ReclaimActions<T> {
  /** Disposes of it: nothing runs in it. */
  readonly reclaim: (isolate: T, reason: ReclaimReason) => void;
  /** Disposes of it: it was retired, or is named no more. */
  readonly finish: (isolate: T) => void;
  /** There is no more idle isolate to reclaim, and still memory is short: retires the one that has grown the most, if one has. */
  readonly retireLargest: () => void;
  /** The isolate's memory has changed by so much. */
  readonly resized: (bytes: number) => void;
}

export interface ReclaimOptions {
  /** Resident memory at which the process is killed, bytes. */
  readonly budgetBytes: number;
  readonly idleMs: number;
  /** Default: of this process. */
  readonly residentBytes?: () => number;
  /** Share of the time since the last call in which the loop did something, what it did for us included, 0 to 1. Default: measured. */
  readonly busyShare?: () => number;
}

/** How often memory and rest are looked at. */
const TICK_MS = 250;
/** Rest after which an isolate goes, when memory is nearly short. */
const LEAST_IDLE_MS = 5_000;
/** Rest after which an isolate is shrunk. */
const SHRINK_AFTER_MS = 10_000;
/** Memory beyond what it had after its start from which shrinking is worth its milliseconds. */
const WORTH_BYTES = 1_048_576;
/** Larger heaps take too long to shrink. */
const MAX_SHRUNK_BYTES = 32 * 1_048_576;
/** Loop time for disposing of what has to go: 0.2 to 20 ms for one isolate. */
const NEED_MS_PER_S = 50;
const NEED_SAVED_MS = 50;
/** The same for what may wait. Under a hundredth, so that neighbours do not feel it at their 99th percentile; more while the loop has little to do. */
const CALM_MS_PER_S = 8;
const CALM_SAVED_MS = 10;
const QUIET_MS_PER_S = 250;
/** For one tick. */
const QUIET_SAVED_MS = 60;
/** A loop is quiet when it does something in less than this share of the time. */
const QUIET_SHARE = 0.05;
/** Of one loop turn. What is begun is finished, so one large isolate may take longer. */
const WORK_MS_PER_TURN = 2;
/** Isolates that may go for one that comes. */
const GONE_PER_START = 4;
/** An isolate takes this besides its heap. */
const BASE_BYTES = 524_288;

export class Reclaimer<T extends Reclaimable> {
  readonly #options: ReclaimOptions;
  readonly #actions: ReclaimActions<T>;
  readonly #readResident: () => number;
  readonly #size: HeapSize = { usedBytes: 0, residentBytes: 0 };
  readonly #idle = new IdleList<Reclaimable>();
  /** Those that are kept warm: the last to go. */
  readonly #idleWarm = new IdleList<Reclaimable>();
  readonly #finished: T[] = [];
  readonly #need = new TimeBudget(NEED_MS_PER_S, NEED_SAVED_MS);
  readonly #calm = new TimeBudget(CALM_MS_PER_S, CALM_SAVED_MS);
  readonly #readBusy: () => number;
  #tickedMs = 0;
  /** Loop time that was used here since the last tick. */
  #workedMs = 0;
  readonly #timer: NodeJS.Timeout;
  #pressure = pressureOf(0, 1, 0, 0);
  /** What is still to be given back of the excess that the last look found, bytes. */
  #excessBytes = 0;
  #working = false;
  residentBytes = 0;
  /** Isolates shrunk so far. */
  shrunk = 0;

  constructor(options: ReclaimOptions, actions: ReclaimActions<T>) {
    this.#options = options;
    this.#actions = actions;
    this.#readResident = options.residentBytes ?? ((): number => process.memoryUsage.rss());
    this.#readBusy = options.busyShare ?? busySince();
    this.#timer = setInterval(() => this.tick(performance.now()), TICK_MS);
    this.#look();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** Nothing runs in it from now on. */
  rests(isolate: T, nowMs: number): void {
    (isolate.keptWarm ? this.#idleWarm : this.#idle).add(isolate, nowMs);
  }

  /** Something runs in it, or it ends. */
  wakes(isolate: T): void {
    this.#idle.remove(isolate);
    this.#idleWarm.remove(isolate);
  }

  /** It is out of service and nothing runs in it: it is disposed of soon, never within this call, which its last entry may have made. */
  finish(isolate: T): void {
    this.wakes(isolate);
    this.#finished.push(isolate);
    if (!this.#working) this.#workNextTurn();
  }

  /** Whether a new isolate that nobody waits for would only push out another. */
  get short(): boolean {
    return this.#pressure.excessBytes > 0;
  }

  /** Makes room for a caller who waits, at once: by what was to be disposed of anyway, or by the one that has rested longest. @returns false when all are busy */
  makeRoom(): boolean {
    const finished = this.#finished.shift();
    if (finished !== undefined) {
      this.#actions.finish(finished);
      return true;
    }
    const oldest = (this.#idle.first ?? this.#idleWarm.first) as T | null;
    if (oldest === null) return false;
    this.#reclaim(oldest, 'cap');
    return true;
  }

  /** Before each start: under pressure, more goes than comes, however many are started. */
  beforeStart(): void {
    this.#look();
    for (let i = 0; i < GONE_PER_START && this.#excessBytes > 0; i++) if (!this.#workOnNeed()) return;
  }

  tick(nowMs: number): void {
    this.#look();
    const busy = this.#readBusy() - this.#workedMs / Math.max(1, nowMs - this.#tickedMs);
    if (busy < QUIET_SHARE) this.#calm.allow(QUIET_MS_PER_S, QUIET_SAVED_MS);
    else this.#calm.allow(CALM_MS_PER_S, CALM_SAVED_MS);
    this.#tickedMs = nowMs;
    this.#workedMs = 0;
    this.#work(nowMs);
    if (this.#pressure.dire && this.#excessBytes > 0 && this.#idle.length + this.#idleWarm.length + this.#finished.length === 0) this.#actions.retireLargest();
  }

  #look(): void {
    this.residentBytes = this.#readResident();
    const { budgetBytes, idleMs } = this.#options;
    this.#pressure = pressureOf(this.residentBytes, budgetBytes, idleMs, Math.min(idleMs, LEAST_IDLE_MS));
    this.#excessBytes = this.#pressure.excessBytes;
  }

  #work(nowMs = performance.now()): void {
    if (this.#working) return;
    let atMs = nowMs;
    for (;;) {
      // In dire need the time does not matter: at its budget the process is killed.
      const budget = (this.#need.open(atMs) || (this.#pressure.dire && this.#excessBytes > 0)) && this.#workOnNeed() ? this.#need : this.#calm.open(atMs) && this.#workOnCalm(nowMs) ? this.#calm : null;
      if (budget === null) return;
      const usedMs = performance.now() - atMs;
      budget.spend(usedMs);
      this.#workedMs += usedMs;
      atMs += usedMs;
      if (atMs - nowMs < WORK_MS_PER_TURN) continue;
      this.#workNextTurn();
      return;
    }
  }

  #workNextTurn(): void {
    this.#working = true;
    setImmediate(this.#goOn);
  }

  readonly #goOn = (): void => {
    this.#working = false;
    this.#work();
  };

  /** One step of what has to be done. @returns false when there is nothing */
  #workOnNeed(): boolean {
    const finished = this.#finished.shift();
    if (finished !== undefined) {
      this.#actions.finish(finished);
      return true;
    }
    if (this.#excessBytes === 0) return false;
    const oldest = (this.#idle.first ?? (this.#pressure.dire ? this.#idleWarm.first : null)) as T | null;
    if (oldest === null) return false;
    this.#reclaim(oldest, 'pressure');
    return true;
  }

  /** One step of what may wait. @returns false when there is nothing */
  #workOnCalm(nowMs: number): boolean {
    const oldest = this.#idle.first as T | null;
    if (oldest !== null && nowMs - oldest.idleSinceMs >= this.#pressure.idleMs) {
      this.#reclaim(oldest, 'idle');
      return true;
    }
    const resting = (this.#idle.nextUnseen(nowMs - SHRINK_AFTER_MS) ?? this.#idleWarm.nextUnseen(nowMs - SHRINK_AFTER_MS)) as T | null;
    if (resting === null) return false;
    this.#shrink(resting);
    return true;
  }

  #reclaim(isolate: T, reason: ReclaimReason): void {
    this.wakes(isolate);
    this.#excessBytes = Math.max(0, this.#excessBytes - isolate.gauge.residentBytes - BASE_BYTES);
    this.#actions.reclaim(isolate, reason);
  }

  #shrink(isolate: T): void {
    const { gauge } = isolate;
    const before = gauge.residentBytes;
    isolate.measure(this.#size);
    gauge.residentBytes = this.#size.residentBytes;
    if (isolate.uncollectable !== true && gauge.grownBytes > WORTH_BYTES && this.#size.usedBytes <= MAX_SHRUNK_BYTES) {
      this.shrunk += 1;
      if (!isolate.collect(true)) return;
      isolate.measure(this.#size);
      gauge.rested(this.#size);
    }
    this.#actions.resized(gauge.residentBytes - before);
  }
}

/** Measures how busy the loop is from one call to the next. */
function busySince(): () => number {
  let last = performance.eventLoopUtilization();
  return () => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, last);
    last = now;
    return utilization;
  };
}
