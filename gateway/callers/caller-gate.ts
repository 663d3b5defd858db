// Limits of each caller of one function: its settings, which may change, and its table, which stays while callers are told apart in the same way.
import { UNLIMITED, cellRate } from '../../core/rate/index.ts';
import type { CellRate } from '../../core/rate/index.ts';
import type { Callers } from '../../core/schemas/index.ts';
import type { Refusal } from '../refusal.ts';
import { keyReader } from './caller-key.ts';
import type { CallerFacts, KeyReader } from './caller-key.ts';
import { CallerTable, admit } from './caller-table.ts';
import type { Caller, CallerRoom } from './caller-table.ts';

export class CallerGate {
  readonly table: CallerTable;
  readonly by: string;
  readonly #read: KeyReader;
  #rate: CellRate = UNLIMITED;
  #ratePerSec = 0;
  #concurrency = 0;

  constructor(by: string, room: CallerRoom) {
    this.by = by;
    this.#read = keyReader(by);
    this.table = new CallerTable(room);
  }

  /** What was used up under the old settings stays used up, as far as the new ones reach. */
  configure({ rps, burst, concurrency }: Callers): void {
    this.#ratePerSec = rps;
    this.#rate = cellRate(rps, burst);
    this.#concurrency = concurrency;
  }

  /** Who sends the request. @param address  of the client */
  caller(facts: CallerFacts, address: string, nowMs: number): Caller {
    return this.table.get(this.#read(facts, address), nowMs);
  }

  /** @returns undefined when the request may come in: then it has counted towards the rate, and is to be counted as running */
  refusal(caller: Caller, nowMs: number): Refusal | undefined {
    const limit = this.#concurrency;
    if (limit > 0 && caller.running >= limit) return { failure: { code: 'caller_concurrency_exceeded', params: { limit } } };
    const waitMs = admit(caller, this.#rate, nowMs);
    if (waitMs === 0) return undefined;
    return { failure: { code: 'caller_rate_limited', params: { ratePerSec: this.#ratePerSec, limit: this.#ratePerSec } }, retryAfterS: Math.max(1, Math.ceil(waitMs / 1_000)) };
  }
}
