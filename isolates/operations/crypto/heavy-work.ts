// Cryptography that takes milliseconds and more: on Node's thread pool, few at once, and paid by the invocation before and after.
import { availableParallelism } from 'node:os';
import type { Invocation } from '../../invocation.ts';
import type { AreaIsolate } from '../area.ts';
import { CryptoFailure } from './failure.ts';

/** Works of one host under way at once: the loop's own core stays free where there is another. Node's pool has four threads, and files need some. */
const AT_ONCE = Math.max(1, Math.min(3, availableParallelism() - 1));
/** Works of one isolate that wait; more are refused. */
const MAX_WAITING = 64;

export interface HeavyWork {
  readonly isolate: AreaIsolate;
  readonly owner: Invocation;
  /** What it should cost, microseconds of CPU time, on the low side. */
  readonly estimateUs: number;
  /** Starts it; `done` is called in a later turn of the loop. */
  readonly start: (done: () => void) => void;
  /** Within a turn of the loop, after `start` has called back and the cost has been charged. */
  readonly settle: () => void;
}

/** The works of one host. */
class HeavyWorks {
  readonly #waiting: HeavyWork[] = [];
  readonly #running = new Set<HeavyWork>();

  /**
   * Takes it on. Its estimate is charged at once, so that what an invocation has asked for can't be more than what it may use.
   *
   * @throws OperationError when the invocation's CPU time doesn't suffice, or too many wait
   */
  add(work: HeavyWork): void {
    const { owner, isolate } = work;
    requireBudget(owner, work.estimateUs);
    if (this.#waiting.reduce((n, other) => n + (other.isolate === isolate ? 1 : 0), 0) >= MAX_WAITING) throw new CryptoFailure('OperationError', 'too much cryptographic work is waiting');
    isolate.charge(owner, work.estimateUs);
    isolate.begin(owner);
    this.#waiting.push(work);
    this.#next();
  }

  /** Forgets what waits for an invocation that is over. What runs goes on to its end, which the estimate bounds. */
  drop(isDropped: (work: HeavyWork) => boolean): void {
    for (let i = this.#waiting.length - 1; i >= 0; i--) if (isDropped(this.#waiting[i] as HeavyWork)) this.#waiting.splice(i, 1);
  }

  /** The first that waits whose isolate has none running: nobody holds all places. */
  #next(): void {
    while (this.#running.size < AT_ONCE) {
      const at = this.#waiting.findIndex((work) => !Array.from(this.#running).some((other) => other.isolate === work.isolate));
      if (at < 0) return;
      this.#start(this.#waiting.splice(at, 1)[0] as HeavyWork);
    }
  }

  #start(work: HeavyWork): void {
    this.#running.add(work);
    const startedMs = performance.now();
    const poolBefore = poolCpuUs();
    const done = (): void => {
      const wallUs = (performance.now() - startedMs) * 1_000;
      this.#running.delete(work);
      // Other works may run beside it, and so may the meter: an upper bound, never more than the wall time.
      const usedUs = Math.min(wallUs, poolCpuUs() - poolBefore);
      work.isolate.charge(work.owner, Math.max(0, usedUs - work.estimateUs));
      this.#next();
      if (!work.isolate.dead) work.settle();
    };
    try {
      work.start(done);
    } catch {
      // Parameters that Node refuses: it fails as it would have later.
      setImmediate(done);
    }
  }
}

export const heavyWorks = new HeavyWorks();

/** CPU time of all threads of this process but the loop's, microseconds. */
function poolCpuUs(): number {
  const all = process.cpuUsage();
  const own = process.threadCpuUsage();
  return all.user + all.system - own.user - own.system;
}

/** Refuses what an invocation can't pay: the work itself can't be interrupted. */
export function requireBudget(owner: Invocation, estimateUs: number): void {
  if (estimateUs > owner.target.target.cpuMs * 1_000 - owner.cpuUs) throw new CryptoFailure('OperationError', 'this takes more CPU time than the invocation has left (limits.cpuMs)');
}

/** Microseconds of PBKDF2 for one iteration and block, about two thirds of what was measured on the development machine. */
const PBKDF2_US: Readonly<Record<string, number>> = { sha1: 0.08, sha256: 0.16, sha384: 0.27, sha512: 0.27 };
const HASH_BYTES: Readonly<Record<string, number>> = { md5: 16, sha1: 20, rmd160: 20, sha224: 28, sha256: 32, sha384: 48, sha512: 64 };

export function pbkdf2Us(hash: string, iterations: number, bytes: number): number {
  return iterations * Math.max(1, Math.ceil(bytes / (HASH_BYTES[hash] ?? 32))) * (PBKDF2_US[hash] ?? 0.3);
}

export function scryptUs(n: number, r: number, p: number): number {
  return n * r * p * 0.2;
}

/** RSA keys: the search for primes varies by a factor of three, and grows with the fourth power of the size. */
export function rsaUs(bits: number): number {
  return 20_000 * (bits / 2_048) ** 4;
}
