// What is admitted of one tenant over all its functions.
import { RateLimiter } from '../core/rate/index.ts';

export class TenantGate {
  readonly rate = new RateLimiter();
  /** Invocations that hold a slot, of all its functions. */
  running = 0;
  /** Invocations per second; 0: no quota. */
  ratePerSec = 0;

  configure(ratePerSec: number): void {
    this.ratePerSec = ratePerSec;
    this.rate.configure(ratePerSec);
  }
}
