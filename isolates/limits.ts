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
