// A request that is turned away at the door: why, and when it may come again.
import type { Failure } from './problem-answer.ts';

export interface Refusal {
  readonly failure: Failure;
  /** Whole seconds; absent: the code's default. */
  readonly retryAfterS?: number;
}
