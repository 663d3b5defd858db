// The callers of one function that its limits are counted for: a bounded table that a flood of made-up keys can neither grow nor make forget.
import { conform } from '../../core/rate/index.ts';
import type { Arrivals, CellRate } from '../../core/rate/index.ts';

/** What is counted of one caller. */
export class Caller implements Arrivals {
  tatMs = 0;
  /** Requests under way. */
  running = 0;

  /** Whether nothing is lost when it is forgotten: a caller of whom nothing is known would be treated just the same. */
  idle(nowMs: number): boolean {
    return this.running === 0 && this.tatMs <= nowMs;
  }
}

/** Places of all tables of a gateway. */
export interface CallerRoom {
  taken: number;
  readonly limit: number;
  /** Whether a table that holds so many may have one more. */
  readonly hasRoom: (held: number) => boolean;
}

/** Callers of one function that are told apart. */
export const MAX_CALLERS = 20_000;
/** Places that a newcomer looks at to find an idle one. Each call moves the hand on, so that the whole table passes by. */
const LOOKS = 4;

/**
 * Only idle callers are ever forgotten, so whoever is being limited stays limited, whatever else comes. When no place is free and none idle,
 * newcomers share one caller's allowance, `crowd`, until there is one: a flood of made-up keys gets what the table holds and one more, and
 * callers that are known by then feel nothing of it.
 */
export class CallerTable {
  readonly crowd = new Caller();
  readonly #room: CallerRoom;
  readonly #callers = new Map<string, Caller>();
  /** Goes round like that of a clock; kept, since a walk from the start would pass all the holes that were left there. */
  #hand = this.#callers.entries();
  /** Requests that had to share `crowd`. */
  crowded = 0;

  constructor(room: CallerRoom) {
    this.#room = room;
  }

  /** Callers that have a place, those included whose place is not needed yet. */
  get size(): number {
    return this.#callers.size;
  }

  /** @param key  of bounded length (caller-key.ts) */
  get(key: string, nowMs: number): Caller {
    const known = this.#callers.get(key);
    if (known !== undefined) return known;
    if (!this.#hasPlace(nowMs)) {
      this.crowded += 1;
      return this.crowd;
    }
    const caller = new Caller();
    // A key that was cut out of a header would keep the whole header alive.
    this.#callers.set(Buffer.from(key).toString(), caller);
    this.#room.taken += 1;
    return caller;
  }

  /** Gives back the places of idle callers. */
  sweep(nowMs: number): void {
    for (const [key, caller] of this.#callers) if (caller.idle(nowMs)) this.#remove(key);
  }

  /** The table is not used any more. */
  clear(): void {
    this.#room.taken -= this.#callers.size;
    this.#callers.clear();
  }

  #hasPlace(nowMs: number): boolean {
    for (let looks = 0; looks < LOOKS; looks++) {
      const at = this.#hand.next();
      if (at.done === true) {
        this.#hand = this.#callers.entries();
        break;
      }
      const [key, caller] = at.value;
      if (caller.idle(nowMs)) this.#remove(key);
    }
    return this.#callers.size < MAX_CALLERS && this.#room.hasRoom(this.#callers.size);
  }

  #remove(key: string): void {
    this.#callers.delete(key);
    this.#room.taken -= 1;
  }
}

/** @returns 0 when the request may pass, which counts it, or the milliseconds after which one may */
export function admit(caller: Caller, rate: CellRate, nowMs: number): number {
  return conform(caller, rate, nowMs);
}
