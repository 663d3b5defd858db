// The life of a host's isolates after their start: watched, rested, shrunk, retired, reclaimed; and how many there may be.
import { readFileSync } from 'node:fs';
import type { Logger } from '../../core/log/index.ts';
import { IDLE_MS, MAX_ISOLATES, MAX_MAPS_SHARE } from '../limits.ts';
import type { LogSink } from '../log-sink.ts';
import type { TenantIsolate } from '../tenant-isolate.ts';
import type { HeapSize } from '../vm.ts';
import { Reclaimer } from './reclaimer.ts';
import { Retirees } from './retirees.ts';
import { SoftLimit } from './soft-limit.ts';
import { TenantMemory } from './tenant-memory.ts';

/** Why an isolate gets no new invocations while others of its version do. */
export type RetireReason = 'memory_soft_limit' | 'memory_pressure' | 'tenant_memory';

const MIB = 1_048_576;
/** Only what is worth the start of another. */
const MIN_GROWN_BYTES = 4 * MIB;
/** The kernel's default for vm.max_map_count (Linux, Documentation/admin-guide/sysctl/vm). */
const DEFAULT_MAPS = 65_530;
/** Memory maps of an isolate, and of each MiB of its heap, whose pages are of 256 KiB (measured). */
const MAPS_PER_ISOLATE = 10;
const MAPS_PER_MIB = 4.5;

export interface LifeOptions {
  /** Resident memory at which the process is killed, bytes. */
  readonly budgetBytes: number;
  readonly logs: LogSink;
  readonly logger: Logger;
}

export class IsolateLife {
  readonly #options: LifeOptions;
  readonly #size: HeapSize = { usedBytes: 0, residentBytes: 0 };
  readonly #soft: SoftLimit<TenantIsolate>;
  readonly #reclaimer: Reclaimer<TenantIsolate>;
  readonly #retirees: Retirees;
  readonly tenants: TenantMemory;
  readonly #alive = new Set<TenantIsolate>();
  readonly #maxMaps = mostMaps() * MAX_MAPS_SHARE;
  #heapBytes = 0;
  /** Isolates so far, by reason. */
  readonly retired: Record<string, number> = {};
  readonly reclaimed: Record<string, number> = {};
  /** Puts a fresh isolate in the place of this one, then calls `leaves`. */
  onRetire: (isolate: TenantIsolate, reason: RetireReason) => void = () => {};

  constructor(options: LifeOptions) {
    this.#options = options;
    this.tenants = new TenantMemory({
      reclaim: (isolate) => {
        raise(this.reclaimed, 'tenant_memory');
        isolate.end('retired');
      },
      retire: (isolate) => this.onRetire(isolate, 'tenant_memory'),
    });
    this.#soft = new SoftLimit((isolate) => this.onRetire(isolate, 'memory_soft_limit'));
    this.#retirees = new Retirees((isolate, why) => this.#giveUp(isolate, why));
    this.#reclaimer = new Reclaimer({ budgetBytes: options.budgetBytes, idleMs: IDLE_MS }, {
      reclaim: (isolate, reason) => {
        raise(this.reclaimed, reason);
        isolate.end('retired');
      },
      finish: (isolate) => isolate.end('retired'),
      retireLargest: () => this.#retireLargest(),
      resized: (bytes) => (this.#heapBytes += bytes),
    });
  }

  close(): void {
    this.#reclaimer.close();
    this.#retirees.close();
  }

  /** Isolates alive, those that drain included. */
  get isolates(): number {
    return this.#alive.size;
  }

  get retiring(): number {
    return this.#retirees.size;
  }

  /** Memory that V8 holds for the heaps of all isolates, and their buffers, bytes; each as it was last looked at. */
  get heapBytes(): number {
    return this.#heapBytes;
  }

  get collections(): number {
    return this.#soft.collections;
  }

  get shrunk(): number {
    return this.#reclaimer.shrunk;
  }

  /** Memory is short: an isolate that nobody waits for must not be made. */
  get short(): boolean {
    return this.#reclaimer.short;
  }

  /** Makes sure that one more fits, if need be in the place of one that rests. @returns false when all are busy */
  makeRoom(): boolean {
    this.#reclaimer.beforeStart();
    const full = this.#alive.size >= MAX_ISOLATES || this.#alive.size * MAPS_PER_ISOLATE + (this.#heapBytes / MIB) * MAPS_PER_MIB >= this.#maxMaps;
    return !full || this.#reclaimer.makeRoom();
  }

  made(isolate: TenantIsolate): void {
    this.#alive.add(isolate);
    this.tenants.made(isolate);
  }

  /** Its module has been evaluated. */
  started(isolate: TenantIsolate): void {
    const { gauge } = isolate;
    const before = gauge.residentBytes;
    isolate.measure(this.#size);
    gauge.start(this.#size);
    this.#heapBytes += gauge.residentBytes - before;
  }

  /** After an entry, when the isolate's gauge asks for it or the entry was long. */
  look(isolate: TenantIsolate): void {
    this.#heapBytes += this.#soft.look(isolate);
  }

  /** The last invocation in it has ended. */
  rests(isolate: TenantIsolate, nowMs: number): void {
    if (isolate.leaving) this.#reclaimer.finish(isolate);
    else this.#reclaimer.rests(isolate, nowMs);
  }

  wakes(isolate: TenantIsolate): void {
    this.#reclaimer.wakes(isolate);
  }

  /** Whether it is kept warm has changed. */
  reclassify(isolate: TenantIsolate, nowMs: number): void {
    if (isolate.idleSinceMs === 0) return;
    this.#reclaimer.wakes(isolate);
    this.#reclaimer.rests(isolate, nowMs);
  }

  /** Another has taken its place: what runs in it goes on to its end. */
  leaves(isolate: TenantIsolate, reason: RetireReason): void {
    const { gauge, state, running } = isolate;
    raise(this.retired, reason);
    raise(state.retired, reason);
    const { function: fn, version, memoryMb } = state.target;
    const usedMb = Math.round(gauge.usedBytes / MIB);
    const limitMb = reason === 'memory_soft_limit' ? Math.round(gauge.softBytes / MIB) : memoryMb;
    this.#options.logger.warn({ code: reason, function: fn, version, limitMb, usedMb, running }, 'an isolate is retired');
    this.#options.logs.note(state.target, 'warn', TEXTS[reason], { code: reason, limit: limitMb, used: usedMb, memoryMb });
    if (running === 0) this.#reclaimer.finish(isolate);
    else this.#retirees.add(isolate);
  }

  /** It runs under settings that are no longer in force, and nothing runs in it. */
  unnamed(isolate: TenantIsolate): void {
    raise(this.retired, 'settings');
    this.#reclaimer.finish(isolate);
  }

  /** It is disposed of, for whatever reason. */
  gone(isolate: TenantIsolate): void {
    if (!this.#alive.delete(isolate)) return;
    this.tenants.gone(isolate);
    this.#heapBytes -= isolate.gauge.residentBytes;
    this.#soft.forget(isolate);
    this.#reclaimer.wakes(isolate);
    this.#retirees.remove(isolate);
  }

  /** Rare: memory is short and nothing rests. */
  #retireLargest(): void {
    let largest: TenantIsolate | undefined;
    for (const isolate of this.#alive) if (!isolate.leaving && isolate.gauge.grownBytes > (largest?.gauge.grownBytes ?? MIN_GROWN_BYTES)) largest = isolate;
    if (largest !== undefined) this.onRetire(largest, 'memory_pressure');
  }

  #giveUp(isolate: TenantIsolate, why: string): void {
    const { function: fn, version } = isolate.state.target;
    this.#options.logger.warn({ code: 'isolate_lost', function: fn, version, running: isolate.running, why }, 'a retired isolate did not drain and is killed');
    this.#options.logs.note(isolate.state.target, 'error', `a retired isolate was killed: ${why}`, { code: 'isolate_lost', running: isolate.running });
    isolate.giveUp();
  }
}

const TEXTS = {
  memory_soft_limit: 'the isolate holds on to nearly all of its memory: a fresh one has taken over, and what runs in this one goes on to its end',
  tenant_memory: 'the isolates of the tenant take more memory than its quota, and this one has grown the most: a fresh one has taken over, and what runs in this one goes on to its end',
  memory_pressure: 'the host is short of memory and this isolate has grown the most: a fresh one has taken over, and what runs in this one goes on to its end',
} as const satisfies Record<RetireReason, string>;

function raise(counts: Record<string, number>, reason: string): void {
  counts[reason] = (counts[reason] ?? 0) + 1;
}

/** Memory maps that the kernel lets a process have; its default where that can't be read. */
function mostMaps(): number {
  try {
    return Number(readFileSync('/proc/sys/vm/max_map_count', 'latin1')) || DEFAULT_MAPS;
  } catch {
    return DEFAULT_MAPS;
  }
}
