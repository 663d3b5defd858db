// Shared words between the host's loop, the meter thread and the watchdog isolate. All Int32.

export const WORD = {
  /** Number of the running entry: 0 none, n running, -n claimed for a kill, by the meter or by the loop. */
  entry: 0,
  /** Watchdog slot of the isolate that is entered. */
  slot: 1,
  /** What is left of the invocation's CPU budget, microseconds. */
  budgetUs: 2,
  /** To the watchdog: slot to dispose, or YIELD. */
  command: 3,
  /** 1 while the meter sleeps long: the loop wakes it at the next entry. */
  parked: 4,
  wake: 5,
  /** Calls that wait for the watchdog to leave its loop. */
  calls: 6,
} as const;

export const WORDS = 8;

/** Watchdog command: nothing but a reason to wake and look at `calls`. */
export const YIELD = -1;
