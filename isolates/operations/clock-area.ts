// The clock of one isolate, as of the begin of its running entry: time that passes during an entry does not show.
import { CLOCK } from '../runtime/abi-clock.ts';
import type { Invocation } from '../invocation.ts';
import type { AreaIsolate, OperationArea } from './area.ts';

/** The wall clock is compared with the monotonic one so often: it may be set, and the two drift apart. */
const CHECK_MS = 1_000;
/** A smaller difference is the wall clock's own grain: following it would let time go back. */
const TOLERANCE_MS = 2;

/** Milliseconds since 1970 at which `performance.now()` was 0, as far as is known. */
let zeroMs = Date.now() - performance.now();
let checkedMs = 0;

/** Wall time at a moment of the monotonic clock. */
function wallMs(monotonicMs: number): number {
  const now = performance.now();
  if (now - checkedMs > CHECK_MS) {
    checkedMs = now;
    const fresh = Date.now() - now;
    if (Math.abs(fresh - zeroMs) > TOLERANCE_MS) zeroMs = fresh;
  }
  return zeroMs + monotonicMs;
}

/** Steps of 0.1 ms: the resolution that HR-TIME (section 8.1) gives to contexts that are not isolated from others. */
function coarse(ms: number): number {
  return Math.floor(ms * 10) / 10;
}

export class ClockArea implements OperationArea {
  readonly #isolate: AreaIsolate;

  constructor(isolate: AreaIsolate) {
    this.#isolate = isolate;
  }

  run(code: number, _owner: Invocation): number {
    const { entryStartedMs, madeMs } = this.#isolate;
    switch (code) {
      case CLOCK.epochMs:
        return Math.floor(wallMs(entryStartedMs));
      case CLOCK.elapsedMs:
        return coarse(entryStartedMs - madeMs);
      case CLOCK.originMs:
        return coarse(wallMs(madeMs));
      default:
        throw new TypeError('unknown operation of the clock');
    }
  }
}
