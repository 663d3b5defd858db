// Invocations of hosts that died, held until the supervisor has read the dead host's journal.
import type { DeathCause, JournalRef } from '../core/config/index.ts';
import type { Exchange } from './exchange.ts';

/** What the supervisor tells after a host's death. */
export interface HostDied {
  readonly host: string;
  readonly pid: number;
  readonly onThread: JournalRef | null;
  readonly entered: readonly JournalRef[];
  /** Default: `crashed`. */
  readonly cause?: DeathCause;
}

/** How long the supervisor's word is waited for. It reads the journal right after the death; this is for when it cannot. */
export const VERDICT_MS = 700;
/** A word that comes before the connection's end is kept so long. */
const EARLY_MS = 5_000;

interface Held {
  readonly exchanges: readonly Exchange[];
  readonly timer: NodeJS.Timeout;
}

export class LostHosts {
  readonly #epoch: number;
  readonly #onKiller: (killer: Exchange, cause: DeathCause) => void;
  /** By host and process: `host-1/4711`. */
  readonly #held = new Map<string, Held>();
  readonly #early = new Map<string, { readonly verdict: HostDied; readonly timer: NodeJS.Timeout }>();

  /**
   * @param epoch  the gateway's: journal entries of another life of it mean nothing
   * @param onKiller  hears which invocation was on the thread of a dead host, answered or not, before any other of that host goes on
   */
  constructor(epoch: number, onKiller: (killer: Exchange, cause: DeathCause) => void) {
    this.#epoch = epoch;
    this.#onKiller = onKiller;
  }

  /** The connection of this host process is gone with these invocations under way; those that are answered may still be what killed it. */
  hold(host: string, pid: number, exchanges: readonly Exchange[]): void {
    const key = `${host}/${pid}`;
    const early = this.#early.get(key);
    if (early !== undefined) {
      clearTimeout(early.timer);
      this.#early.delete(key);
      this.#settle(exchanges, early.verdict);
      return;
    }
    if (exchanges.length === 0) return;
    const before = this.#held.get(key);
    clearTimeout(before?.timer);
    const all = [...(before?.exchanges ?? []), ...exchanges];
    const timer = setTimeout(() => {
      this.#held.delete(key);
      this.#settle(all, undefined);
    }, VERDICT_MS);
    timer.unref();
    this.#held.set(key, { exchanges: all, timer });
  }

  /** The supervisor's word. May come before or after the connection's end. */
  died(verdict: HostDied): void {
    const key = `${verdict.host}/${verdict.pid}`;
    const held = this.#held.get(key);
    if (held !== undefined) {
      clearTimeout(held.timer);
      this.#held.delete(key);
      this.#settle(held.exchanges, verdict);
      return;
    }
    const timer = setTimeout(() => this.#early.delete(key), EARLY_MS);
    timer.unref();
    this.#early.set(key, { verdict, timer });
  }

  close(): void {
    for (const { timer } of [...this.#held.values(), ...this.#early.values()]) clearTimeout(timer);
    this.#held.clear();
    this.#early.clear();
  }

  /** Without a verdict every invocation counts as entered, and none as the one on the thread. */
  #settle(exchanges: readonly Exchange[], verdict: HostDied | undefined): void {
    const entered = new Set<number>();
    for (const ref of verdict?.entered ?? []) if (ref.epoch === this.#epoch) entered.add(ref.sequence);
    const onThread = verdict?.onThread?.epoch === this.#epoch ? verdict.onThread.sequence : 0;
    const killer = onThread === 0 ? undefined : exchanges.find((exchange) => exchange.id === onThread);
    if (killer !== undefined) this.#onKiller(killer, verdict?.cause ?? 'crashed');
    for (const exchange of exchanges) {
      if (exchange.id === onThread) exchange.onHostLost('onThread');
      else exchange.onHostLost(verdict === undefined || entered.has(exchange.id) ? 'entered' : 'waiting');
    }
  }
}
