// What is admitted of one tenant over all its functions.
import { RateLimiter } from '../core/rate/index.ts';

export class TenantGate {
  readonly rate = new RateLimiter();
  /** Invocations that hold a slot, of all its functions. */
  running = 0;
  /** Invocations per second; 0: no quota. */
  ratePerSec = 0;
  /** Memory of all isolates, MB; 0: no quota. */
  memoryMb = 0;

  configure(ratePerSec: number, memoryMb: number): void {
    this.memoryMb = memoryMb;
    this.ratePerSec = ratePerSec;
    this.rate.configure(ratePerSec);
  }
}
