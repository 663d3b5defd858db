// Watches the entries of one host: who runs, with what budget, whether it was killed, and what CPU time it is charged.
import { Worker } from 'node:worker_threads';
import type { IsolateHandle } from '../vm.ts';
import type { MeterData } from './meter.ts';
import { WORD, WORDS } from './state.ts';
import { Watchdog } from './watchdog.ts';

/** Entries shorter than this are charged their wall time: an upper bound, and cheaper than a system call. */
const EXACT_ABOVE_US = 1_000;

/**
 * Clocks are compared anew after this much of a turn. Between two marks the loop may have waited for its core: that much an entry may be charged too little.
 */
const MARK_EVERY_MS = 1;

export interface EntryCost {
  /** CPU time charged, microseconds. */
  readonly cpuUs: number;
  /** The entry was claimed for a kill: its isolate is being disposed. */
  readonly killed: boolean;
}

export class EntryWatch {
  readonly #words: Int32Array;
  readonly #watchdog: Watchdog;
  readonly #meter: Worker;
  #entry = 0;
  #startedMs = 0;
  /** CPU and wall clock at one moment of this loop turn, outside of entries; `#turnMs` 0: not taken in this turn. */
  #turnCpuUs = 0;
  #turnMs = 0;
  readonly #cost = { cpuUs: 0, killed: false };
  /** `performance.now()` at the end of the last entry. */
  endedMs = 0;

  /** `performance.now()` at the begin of the last entry. */
  get startedMs(): number {
    return this.#startedMs;
  }

  /** @param beatFd  descriptor of the journal file, for the heartbeat; -1 for none */
  constructor(beatFd: number) {
    const buffer = new SharedArrayBuffer(WORDS * 4);
    this.#words = new Int32Array(buffer);
    this.#watchdog = new Watchdog(buffer);
    const data: MeterData = { buffer, beatFd };
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    this.#meter = new Worker(new URL(`./meter.${extension}`, import.meta.url), { workerData: data, stderr: false });
  }

  /** Resolves when the meter runs: before that nothing may be entered. */
  async started(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#meter.once('online', resolve);
      this.#meter.once('error', reject);
    });
    // From here on a dead meter means that no budget holds: the process must not go on.
    this.#meter.on('error', (error) => {
      throw error;
    });
  }

  register(isolate: IsolateHandle): number {
    return this.#watchdog.register(isolate);
  }

  unregister(slot: number): void {
    this.#watchdog.unregister(slot);
  }

  /** Right before an entry into the isolate of `slot`. @param budgetUs  what is left, microseconds, up to 2^31 - 1 */
  begin(slot: number, budgetUs: number): void {
    if (this.#turnMs === 0 || this.endedMs - this.#turnMs > MARK_EVERY_MS) this.#mark();
    const words = this.#words;
    this.#entry = this.#entry >= 0x7fff_fff0 ? 1 : this.#entry + 1;
    words[WORD.slot] = slot;
    words[WORD.budgetUs] = budgetUs;
    Atomics.store(words, WORD.entry, this.#entry);
    if (Atomics.load(words, WORD.parked) === 1) {
      Atomics.store(words, WORD.wake, 1);
      Atomics.notify(words, WORD.wake);
    }
    this.#startedMs = performance.now();
  }

  /** Has the watchdog end the running entry, as the meter does when its budget is spent: isolated-vm does not end an isolate that called out on this thread. */
  kill(): void {
    const words = this.#words;
    if (Atomics.compareExchange(words, WORD.entry, this.#entry, -this.#entry) !== this.#entry) return;
    Atomics.store(words, WORD.command, Atomics.load(words, WORD.slot));
    Atomics.notify(words, WORD.command);
  }

  /** Right after it. The object is reused by the next entry. */
  end(): EntryCost {
    this.endedMs = performance.now();
    const wallUs = (this.endedMs - this.#startedMs) * 1_000;
    const cost = this.#cost;
    cost.killed = Atomics.compareExchange(this.#words, WORD.entry, this.#entry, 0) !== this.#entry;
    if (cost.killed) Atomics.store(this.#words, WORD.entry, 0);
    if (wallUs < EXACT_ABOVE_US) {
      cost.cpuUs = wallUs;
      return cost;
    }
    const { user, system } = process.threadCpuUsage();
    // What ran between the mark and this entry used at most its wall time: subtracting that never charges this entry too much.
    const beforeUs = (this.#startedMs - this.#turnMs) * 1_000;
    cost.cpuUs = Math.max(0, Math.min(wallUs, user + system - this.#turnCpuUs - beforeUs));
    this.#mark();
    return cost;
  }

  /** The loop turn is over: what the host does in between is nobody's. */
  endTurn(): void {
    this.#turnMs = 0;
  }

  #mark(): void {
    const { user, system } = process.threadCpuUsage();
    this.#turnCpuUs = user + system;
    this.#turnMs = performance.now();
  }
}
