// Bounds of one host that no setting changes.

/** Outgoing calls of one invocation at the same time; more wait. The same number stands in the schema of limits. */
export const SUBREQUESTS_AT_ONCE = 6;

/** waitUntil work may go on this long past the end of the response. */
export const LINGER_MS = 30_000;

/** Isolates of one process. */
export const MAX_ISOLATES = 3_500;

/** Share of the kernel's memory maps (vm.max_map_count) that isolates may take: V8 aborts the process when there are none left. */
export const MAX_MAPS_SHARE = 0.75;

/** An isolate that nothing entered for so long is reclaimed, with memory enough. */
export const IDLE_MS = 300_000;

/** Invocations under way: each that was entered has one of the journal's 16,383 slots. The gateway holds to the same number. */
export const MAX_RUNNING = 16_000;

/**
 * Entries of one function that wait for their turn: all that it may have of timers (10,000 an isolate) or of first entries (`limits.concurrency`, to
 * 10,000), twice. About 300 bytes each, with what an entry carries beside them bounded by credits and by the size of what crosses.
 */
export const MAX_QUEUED_PER_FUNCTION = 20_000;

/** The same for all functions of the host: 30 MB. */
export const MAX_QUEUED = 100_000;

/**
 * Operations that one entry may ask of the host. One takes 0.75 to 1.7 µs with what the runtime does around it, so the default budget of 50 ms ends long
 * before; this bounds entries with large budgets, which hold the loop all the while. What an operation leaves behind in the host has bounds of its own.
 */
export const MAX_ENTRY_OPERATIONS = 250_000;

/** Bytes or characters that one entry may hand to the host. What crosses is copied outside of the isolate's memory limit. */
export const MAX_ENTRY_BYTES = 1_073_741_824;
