// The meter: a worker thread that measures the running entry's CPU time, claims it for the watchdog when its budget is spent, and beats.
// It reads the kernel's account of the host's thread, so waiting for a contended core costs the tenant nothing. It also ends a stuck host that nobody watches any more.
import { openSync, readSync } from 'node:fs';
import { workerData } from 'node:worker_threads';
import { writeBeat } from '../../core/protocol/journal.ts';
import { WORD } from './state.ts';

export interface MeterData {
  readonly buffer: SharedArrayBuffer;
  /** Where beats go; -1: nowhere. */
  readonly beatFd: number;
}

/** How often a running entry is looked at. */
const TICK_MS = 4;
/** Ticks without any entry before the meter sleeps long. */
const PARK_AFTER_TICKS = 25;
const BEAT_MS = 100;
/** An orphan drains by itself and is gone by then, unless its loop is stuck. */
const ORPHAN_MS = 2_000;
/** What waiting counts after the disposal, beside CPU time: a host that got no core is not stuck yet, one that sleeps in native code for long is. */
const WAITING_COUNTS = 0.1;

const { buffer, beatFd } = workerData as MeterData;
const words = new Int32Array(buffer);
// The process's file is that of its first thread (Linux, fs/proc/base.c), which is the host's event loop.
const schedstat = openSync('/proc/self/schedstat', 'r');
const text = Buffer.alloc(128);

/** CPU time of the host's thread, milliseconds: the first field, nanoseconds on the CPU (Linux, Documentation/scheduler/sched-stats). */
function threadCpuMs(): number {
  const length = readSync(schedstat, text, 0, text.length, 0);
  return Number(text.toString('latin1', 0, text.indexOf(32) < length ? text.indexOf(32) : length)) / 1e6;
}

/** Who kills a host that is stuck. */
const parent = process.ppid;
let orphanAt = 0;

let seen = 0;
let seenAt = 0;
let seenCpu = 0;
let cpuMs = 0;
let budgetMs = 0;
let claimedAt = 0;
let claimedCpu = 0;
let quietTicks = 0;
let beats = 0;
let lastBeat = 0;
let sleepMs = TICK_MS;

for (;;) {
  const parked = quietTicks >= PARK_AFTER_TICKS;
  if (parked) Atomics.store(words, WORD.parked, 1);
  Atomics.wait(words, WORD.wake, 0, parked ? BEAT_MS : sleepMs);
  Atomics.store(words, WORD.parked, 0);
  Atomics.store(words, WORD.wake, 0);
  const now = performance.now();
  const entry = Atomics.load(words, WORD.entry);
  sleepMs = TICK_MS;
  if (entry > 0) {
    quietTicks = 0;
    if (entry === seen) {
      cpuMs = threadCpuMs() - seenCpu;
      // The claim names the entry, so an entry that ends now and the next one are both safe.
      if (cpuMs >= budgetMs && Atomics.compareExchange(words, WORD.entry, entry, -entry) === entry) {
        claimedAt = now;
        claimedCpu = cpuMs + seenCpu;
        Atomics.store(words, WORD.command, Atomics.load(words, WORD.slot));
        Atomics.notify(words, WORD.command);
      } else {
        sleepMs = Math.max(1, Math.min(TICK_MS, budgetMs - cpuMs));
      }
    } else {
      seen = entry;
      seenAt = now;
      cpuMs = 0;
      claimedAt = 0;
      budgetMs = Atomics.load(words, WORD.budgetUs) / 1_000;
      seenCpu = threadCpuMs();
      sleepMs = Math.max(1, Math.min(TICK_MS, budgetMs));
    }
  } else if (entry < 0 && claimedAt === 0) {
    // Claimed by the loop itself, which has seen more than CPU time.
    claimedAt = now;
    claimedCpu = threadCpuMs();
  } else if (entry === 0) {
    quietTicks += 1;
    seen = 0;
    claimedAt = 0;
  }
  if (beatFd >= 0 && now - lastBeat >= BEAT_MS - 1) {
    lastBeat = now;
    beats += 1;
    // A loop that is stuck in native code does not notice that its supervisor is gone, and nobody is left to kill it.
    if (process.ppid === parent) orphanAt = 0;
    else if (orphanAt === 0) orphanAt = now;
    else if (now - orphanAt > ORPHAN_MS) process.kill(process.pid, 'SIGKILL');
    writeBeat(beatFd, {
      count: beats, entry: Math.abs(entry), ageMs: seen === 0 ? 0 : now - seenAt, cpuMs, budgetMs,
      disposedMs: entry < 0 ? Math.max(threadCpuMs() - claimedCpu, (now - claimedAt) * WAITING_COUNTS, 0.001) : 0,
    });
  }
}
