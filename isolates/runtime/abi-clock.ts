// Operations of the clock: area 7. All answer in milliseconds, as of the begin of the running entry.

export const CLOCK = {
  /** Time since 1970-01-01 UTC, whole milliseconds. */
  epochMs: 224,
  /** Time since the isolate was made, in steps of 0.1 ms; never goes back. */
  elapsedMs: 225,
  /** When the isolate was made: time since 1970-01-01 UTC, in steps of 0.1 ms. */
  originMs: 226,
} as const;
