// Words for an exchange: what is known of its request, where it stands towards hosts, and what a dead host had done with it.

/** What is known of a request when it is admitted. */
export interface RequestInfo {
  /** Sequence number of the invocation, and the exchange id on host connections. */
  readonly id: number;
  readonly requestId: string;
  readonly method: string;
  readonly path: string;
  /** The head as the host gets it (core/protocol/frames.ts, invoke). */
  readonly head: string;
  readonly peer: string;
  readonly acceptedAtMs: number;
}

/** Where an exchange stands towards hosts. */
export const PHASE = {
  /** The request body is being gathered. */
  gathering: 0,
  /** In the line of its function. */
  queued: 1,
  /** Admitted, and no host is there. */
  parked: 2,
  /** A host has it. */
  running: 3,
  /** Its host is gone, and what happened there is not known. */
  held: 4,
  /** The host's side is over, or never was. */
  over: 5,
} as const;
export type Phase = (typeof PHASE)[keyof typeof PHASE];

/** What a dead host had done with an invocation. */
export type Fate = 'waiting' | 'entered' | 'onThread';

/** After so many replays the request itself is the likely cause. */
export const MAX_REPLAYS = 2;
