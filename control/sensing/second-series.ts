// Figures of every version by the second, for 15 minutes, in bounded memory.
import type { GatewayFigures, HostFigures, Peer, VersionFigures } from '../../core/protocol/index.ts';
import { GatewayProgress } from './gateway-progress.ts';
import { HeldMemory, versionKey } from './held-memory.ts';
import { SecondLog } from './second-log.ts';
import { CodeBook, VersionSums } from './version-sums.ts';
import type { Held } from './version-sums.ts';
import type { Series, Window } from './window.ts';

export interface SecondSeriesOptions {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Versions that are tracked; the one without news for longest goes first. Default 20,000. */
  readonly versions?: number;
  /** Bytes of all records, room to grow included. When they are more, what is oldest goes early. Default 128 MiB. */
  readonly bytes?: number;
  /** Told of each increment, with the second that it counts in. */
  readonly onFigures?: (figures: VersionFigures, second: number, held: Held) => void;
}

/** How long seconds are kept. */
export const KEPT_S = 900;
/** What is left at least when memory is short, before whole versions go. */
const LEAST_S = 120;
/** So much is let go of at once when memory is short. */
const STEP_S = 30;
/** All versions are looked through for old records in so many turns, one a second. */
const SWEEP_TURNS = 20;
/** A gateway's clock is believed so far ahead of ours. */
const AHEAD_MS = 2_000;

interface Entry {
  readonly fn: string;
  readonly version: number;
  readonly log: SecondLog;
}

/**
 * A version costs memory for the seconds in which it answered something, and nothing once those are 15 minutes old. Increments count in
 * the second of the middle of their frame's span: gateways cut frames just after each half second, so that is the second in which they
 * happened, but for what a gateway answers in the turn of its loop that crosses the boundary. What gathered while the control plane was
 * away comes as one frame, and counts in the second in its middle.
 */
export class SecondSeries implements Series {
  readonly book = new CodeBook();
  readonly #options: SecondSeriesOptions;
  readonly #limits: { readonly versions: number; readonly bytes: number };
  /** By version key, in the order of their last news. */
  readonly #entries = new Map<string, Entry>();
  readonly #byFunction = new Map<string, Set<number>>();
  readonly #progress = new GatewayProgress();
  readonly held = new HeldMemory();
  /** Seconds before it are gone, or may be; 0: nothing has been counted yet. */
  #floor = 0;
  /** Whether the floor was raised for want of memory. */
  #short = false;
  #bytes = 0;
  #dropped = 0;
  #sweep: IterableIterator<[string, Entry]> | undefined;

  constructor(options: SecondSeriesOptions) {
    this.#options = options;
    this.#limits = { versions: options.versions ?? 20_000, bytes: options.bytes ?? 128 * 1_048_576 };
  }

  get upToMs(): number {
    return this.#progress.upToMs;
  }

  /** Bytes of all records, room to grow included. */
  get bytes(): number {
    return this.#bytes;
  }

  get versionsTracked(): number {
    return this.#entries.size;
  }

  /** Versions that were let go of with seconds that were still wanted, since there were too many. */
  get versionsDropped(): number {
    return this.#dropped;
  }

  /** How far back seconds are kept now: 15 minutes, less when memory is short, or when counting began later. */
  get keptMs(): number {
    return this.#floor === 0 ? 0 : Math.max(0, this.#second() - this.#floor) * 1_000;
  }

  /** Takes a gateway's figures: only those of functions that exist. */
  takeGateway(gateway: string, figures: GatewayFigures, exists: (fn: string) => boolean): void {
    const nowMs = this.#options.now();
    const [fromMs, toMs] = figures.span ?? [nowMs, nowMs];
    const middleMs = (Math.min(fromMs, toMs) + toMs) / 2;
    const believed = middleMs > nowMs + AHEAD_MS || middleMs < nowMs - KEPT_S * 1_000 ? nowMs : middleMs;
    const second = Math.floor(believed / 1_000);
    for (const row of figures.versions) {
      if (!Number.isSafeInteger(row.version) || !counted(row) || !exists(row.function)) continue;
      const key = versionKey(row.function, row.version);
      const held = this.held.of(key);
      this.#add(key, row, second, held);
      this.#options.onFigures?.(row, second, held);
    }
    this.#progress.heard(gateway, Math.min(toMs, nowMs + AHEAD_MS), nowMs);
  }

  takeHost({ name, epoch }: Peer, figures: HostFigures): void {
    this.held.take(name, epoch, figures.versions);
  }

  lost({ role, name, epoch }: Peer): void {
    if (role === 'gateway') this.#progress.lost(name, this.#options.now());
    if (role === 'host') this.held.lost(name, epoch);
  }

  /** A function is gone. */
  forget(fn: string): void {
    for (const version of this.#byFunction.get(fn) ?? []) this.#remove(versionKey(fn, version));
  }

  /** Versions of a function that have seconds. */
  versionsOf(fn: string): readonly number[] {
    return [...(this.#byFunction.get(fn) ?? [])];
  }

  window(fn: string, version: number, fromMs: number, toMs: number): Window {
    const sums = new VersionSums();
    this.sum(fn, version, fromMs, toMs, sums);
    return {
      fromMs, toMs,
      requests: sums.requests,
      failed: sums.failed,
      codes: new Map([...sums.codes].map(([number, count]) => [this.book.name(number), count])),
      wallUs: sums.wallUs,
      cpuUs: sums.cpuUs,
      coldStarts: sums.coldStarts,
      memoryBytes: sums.looks === 0 ? 0 : (sums.memoryKib / sums.looks) * 1_024,
      isolates: sums.looks === 0 ? 0 : sums.isolates / sums.looks,
    };
  }

  /** Adds the seconds of a version that begin within [fromMs, toMs) to `into`. */
  sum(fn: string, version: number, fromMs: number, toMs: number, into: VersionSums): void {
    this.#entries.get(versionKey(fn, version))?.log.each(Math.ceil(fromMs / 1_000), Math.ceil(toMs / 1_000), () => into);
  }

  /** Adds each second of a version within [fromMs, toMs) to its sums in `into`, by the second since 1970. */
  sumBySecond(fn: string, version: number, fromMs: number, toMs: number, into: Map<number, VersionSums>): void {
    this.#entries.get(versionKey(fn, version))?.log.each(Math.ceil(fromMs / 1_000), Math.ceil(toMs / 1_000), (second) => {
      let sums = into.get(second);
      if (sums === undefined) into.set(second, (sums = new VersionSums()));
      return sums;
    });
  }

  /** Meant for once a second: lets go of what is old, and of what there is no room for. */
  review(): void {
    const nowMs = this.#options.now();
    this.#progress.review(nowMs);
    const second = this.#second();
    if (this.#floor > 0 && this.#floor <= second - KEPT_S) {
      this.#floor = second - KEPT_S;
      this.#short = false;
    }
    if (this.#bytes > this.#limits.bytes && this.#floor + STEP_S <= second - LEAST_S) {
      this.#floor += STEP_S;
      this.#short = true;
      for (const [key, entry] of this.#entries) this.#expire(key, entry, true);
    } else {
      this.#sweepSome();
    }
    for (const key of this.#entries.keys()) {
      if (this.#bytes <= this.#limits.bytes) break;
      // Only when the least that is kept of all is too much.
      if (this.#floor + STEP_S <= second - LEAST_S) break;
      this.#drop(key);
    }
  }

  #add(key: string, row: VersionFigures, second: number, held: Held): void {
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      entry = { fn: row.function, version: row.version, log: new SecondLog() };
      let versions = this.#byFunction.get(row.function);
      if (versions === undefined) this.#byFunction.set(row.function, (versions = new Set()));
      versions.add(row.version);
    } else {
      this.#entries.delete(key);
    }
    this.#entries.set(key, entry);
    // Another gateway may be behind; but what was let go of for want of memory does not come back.
    if (this.#floor === 0 || (second < this.#floor && !this.#short)) this.#floor = second;
    const before = entry.log.capacity;
    entry.log.add(second, row, held, this.book);
    this.#bytes += entry.log.capacity - before;
    if (this.#entries.size <= this.#limits.versions) return;
    for (const oldest of this.#entries.keys()) {
      this.#drop(oldest);
      break;
    }
  }

  #expire(key: string, entry: Entry, tight = false): void {
    const before = entry.log.capacity;
    entry.log.expire(this.#floor, tight);
    this.#bytes += entry.log.capacity - before;
    if (entry.log.empty) this.#remove(key);
  }

  #sweepSome(): void {
    this.#sweep ??= this.#entries.entries();
    for (let n = Math.ceil(this.#entries.size / SWEEP_TURNS); n > 0; n--) {
      const next = this.#sweep.next();
      if (next.done === true) {
        this.#sweep = undefined;
        return;
      }
      this.#expire(...next.value);
    }
  }

  #drop(key: string): void {
    this.#dropped += 1;
    this.#remove(key);
  }

  #remove(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#bytes -= entry.log.capacity;
    this.#entries.delete(key);
    const versions = this.#byFunction.get(entry.fn);
    versions?.delete(entry.version);
    if (versions?.size === 0) this.#byFunction.delete(entry.fn);
  }

  #second(): number {
    return Math.floor(this.#options.now() / 1_000);
  }
}

/** Frames also carry versions that have only changed their lane. */
function counted({ statuses, codes, cpuUs, coldStarts }: VersionFigures): boolean {
  return cpuUs.length > 0 || coldStarts > 0 || Object.keys(statuses).length > 0 || Object.keys(codes).length > 0;
}
