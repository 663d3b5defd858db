// How a host's resident memory, against its budget, decides what it gives back.

/** Below this share of the budget, idle isolates stay as long as they may. */
const EASY = 0.7;
/** Above this, idle isolates go whatever their rest, until the host is below it again. */
const TIGHT = 0.85;
/** Above this, growing isolates are retired, and those that are kept warm lose their privilege. */
const DIRE = 0.92;

export interface Pressure {
  /** An isolate that has rested for so long is reclaimed. */
  readonly idleMs: number;
  /** So much has to go now, bytes. */
  readonly excessBytes: number;
  readonly dire: boolean;
}

/**
 * The supervisor kills a host at its budget, so all of this happens below it.
 *
 * @param idleMs  rest after which an isolate goes when there is memory enough
 * @param leastIdleMs  the same just below the point where rest counts no more
 */
export function pressureOf(residentBytes: number, budgetBytes: number, idleMs: number, leastIdleMs: number): Pressure {
  const share = residentBytes / budgetBytes;
  const tightness = Math.min(1, Math.max(0, (share - EASY) / (TIGHT - EASY)));
  return { idleMs: idleMs - tightness * (idleMs - leastIdleMs), excessBytes: Math.max(0, residentBytes - TIGHT * budgetBytes), dire: share > DIRE };
}
