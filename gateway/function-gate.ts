// What is admitted of one function: requests at once, the queue behind them, requests per second. Survives changes of its settings.
import type { Limits } from '../core/schemas/index.ts';
import { RateLimiter } from '../core/rate/index.ts';
import type { CallerGate } from './callers/caller-gate.ts';
import type { Standing } from './standing.ts';
import { TenantGate } from './tenant-gate.ts';
import { VersionPlace } from './version-place.ts';

/** An entry of a queue: linked, so that a client that goes away leaves in constant time. */
export interface Queued {
  queueNext: Queued | null;
  queuePrevious: Queued | null;
}

const MAX_QUEUE = 1_000;

/** First in, first out; an entry may leave from the middle. */
export class WaitingLine<T extends Queued> {
  #first: Queued | null = null;
  #last: Queued | null = null;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(entry: T): void {
    entry.queuePrevious = this.#last;
    entry.queueNext = null;
    if (this.#last === null) this.#first = entry;
    else this.#last.queueNext = entry;
    this.#last = entry;
    this.#length += 1;
  }

  shift(): T | undefined {
    const first = this.#first;
    if (first === null) return undefined;
    this.remove(first as T);
    return first as T;
  }

  /** The entry must be in this line. */
  remove(entry: T): void {
    if (entry.queuePrevious === null) this.#first = entry.queueNext;
    else entry.queuePrevious.queueNext = entry.queueNext;
    if (entry.queueNext === null) this.#last = entry.queuePrevious;
    else entry.queueNext.queuePrevious = entry.queuePrevious;
    entry.queueNext = entry.queuePrevious = null;
    this.#length -= 1;
  }
}

export class FunctionGate<T extends Queued = Queued> {
  readonly name: string;
  /** What its tenant may take on the node, shared by all functions of the tenant. */
  tenant = new TenantGate();
  readonly rate = new RateLimiter();
  readonly line = new WaitingLine<T>();
  /** Invocations that hold a slot: from dispatch to the host's final frame. */
  running = 0;
  /** Of these, those that wait for a host. */
  parked = 0;
  /** Bytes of request bodies that the gateway holds for it. */
  heldBytes = 0;
  concurrency = 1;
  /** An operator has switched it off: no request reaches it. */
  killed = false;
  /** The version that an operator has forced, which every request gets that does not name another by its address; 0: none. */
  forced = 0;
  /** Limits of each of its callers; null: none. */
  callers: CallerGate | null = null;
  /** What its kills have cost it; null: nothing is held against it. */
  standing: Standing | null = null;
  /** By number; those that were called. */
  readonly #places = new Map<number, VersionPlace>();

  constructor(name: string) {
    this.name = name;
  }

  configure(limits: Limits): void {
    this.concurrency = limits.concurrency;
    this.rate.configure(limits.rps);
  }

  /** What is known of a version, whatever settings it runs under. @returns undefined while it has not been called */
  knownPlace(version: number): VersionPlace | undefined {
    return this.#places.get(version);
  }

  /** The same, begun when there is nothing yet. */
  place(version: number): VersionPlace {
    let place = this.#places.get(version);
    if (place === undefined) {
      place = new VersionPlace(this.name, version);
      this.#places.set(version, place);
    }
    return place;
  }

  /** The version is gone. */
  forget(version: number): void {
    this.#places.delete(version);
  }

  /** How many may wait: twice what may run, so that a burst waits about two service times at the most. */
  get queueLimit(): number {
    return Math.min(2 * this.concurrency, MAX_QUEUE);
  }
}
