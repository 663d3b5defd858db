// One connection of a host: the versions it was told, the invocations under way on it, and the frames of both directions.
import { groupOfHost } from '../core/config/index.ts';
import type { HostGroup } from '../core/config/index.ts';
import { PlatformError } from '../core/errors/index.ts';
import { FRAME } from '../core/protocol/index.ts';
import type { EntriesRow, Frame, FrameConnection, Peer } from '../core/protocol/index.ts';
import type { Exchange } from './exchange.ts';
import type { VersionTarget } from './route.ts';

/** A version as this connection knows it. */
interface TargetUse {
  readonly number: number;
  inFlight: number;
  /** What the host said last of its entries. */
  entries: EntriesRow | null;
}

export interface HostLoad {
  readonly isolates: number;
  readonly running: number;
  readonly residentBytes: number;
}

/** The journal of a host has room for so many invocations under way (core/protocol/journal.ts), less some in case of a slow release. */
export const MAX_PER_HOST = 16_000;

export class HostLink {
  readonly name: string;
  readonly pid: number;
  readonly group: HostGroup;
  readonly #connection: FrameConnection;
  readonly #targets = new Map<VersionTarget, TargetUse>();
  readonly #exchanges = new Map<number, Exchange>();
  #nextTarget = 1;
  /** The host said goaway: it gets nothing new. */
  draining = false;
  /** CPU time that the invocations under way are likely to need in all, microseconds. */
  aheadUs = 0;
  load: HostLoad = { isolates: 0, running: 0, residentBytes: 0 };

  constructor(connection: FrameConnection, peer: Peer) {
    this.#connection = connection;
    this.name = peer.name;
    this.pid = peer.pid;
    this.group = groupOfHost(peer.name);
  }

  get inFlight(): number {
    return this.#exchanges.size;
  }

  /** Invocations whose final frame has not come. */
  exchanges(): Exchange[] {
    return [...this.#exchanges.values()];
  }

  /** Sends the invocation, and before it what it runs, if this connection does not know that yet. */
  invoke(exchange: Exchange, wallLeftMs: number): void {
    const { target } = exchange;
    let use = this.#targets.get(target);
    if (use === undefined) {
      use = { number: this.#nextTarget, inFlight: 0, entries: null };
      this.#nextTarget += 1;
      this.#targets.set(target, use);
      this.#connection.send([FRAME.target, use.number, target.frame]);
    }
    use.inFlight += 1;
    exchange.likelyCpuUs = exchange.route.gate.meanCpuUs;
    this.aheadUs += exchange.likelyCpuUs;
    this.#exchanges.set(exchange.id, exchange);
    this.#connection.send([FRAME.invoke, exchange.id, use.number, exchange.head, exchange.bodyMode, exchange.body, wallLeftMs]);
  }

  /** The invocation's final frame has come, or never will. */
  release(exchange: Exchange): void {
    if (!this.#exchanges.delete(exchange.id)) return;
    this.aheadUs -= exchange.likelyCpuUs;
    const use = this.#targets.get(exchange.target);
    if (use === undefined) return;
    use.inFlight -= 1;
    if (exchange.target.retired) this.retire(exchange.target);
  }

  /** The version is named no more: the host hears it once its last invocation is over. */
  retire(target: VersionTarget): void {
    const use = this.#targets.get(target);
    if (use === undefined || use.inFlight > 0) return;
    this.#targets.delete(target);
    this.#connection.send([FRAME.forget, use.number]);
  }

  /** Targets that were forgotten meanwhile are of no interest. */
  #onEntries(row: EntriesRow): void {
    for (const use of this.#targets.values()) if (use.number === row[0]) use.entries = row;
  }

  /** What the host said last of the entries of this version; null: nothing. */
  entriesOf(target: VersionTarget): EntriesRow | null {
    return this.#targets.get(target)?.entries ?? null;
  }

  cancel(id: number, code: string): void {
    this.#connection.send([FRAME.cancel, id, code]);
  }

  credit(id: number, bytes: number): void {
    this.#connection.send([FRAME.credit, id, bytes]);
  }

  sendData(id: number, bytes: Uint8Array): void {
    this.#connection.send([FRAME.data, id, bytes]);
  }

  sendEnd(id: number): void {
    this.#connection.send([FRAME.end, id]);
  }

  close(): void {
    this.#connection.end();
  }

  /** @throws protocol_violation  a frame that a host may not send; the connection closes */
  onFrame(frame: Frame): void {
    switch (frame[0]) {
      case FRAME.respond:
        this.#exchanges.get(frame[1])?.onRespond(frame);
        return;
      case FRAME.data:
        this.#exchanges.get(frame[1])?.onData(frame[2]);
        return;
      case FRAME.end:
        this.#exchanges.get(frame[1])?.onEnd();
        return;
      case FRAME.done:
        this.#exchanges.get(frame[1])?.onDone(frame[2]);
        return;
      case FRAME.fail:
        this.#exchanges.get(frame[1])?.onFail(frame);
        return;
      case FRAME.credit:
        this.#exchanges.get(frame[1])?.onCredit(frame[2]);
        return;
      case FRAME.cancel:
        this.#exchanges.get(frame[1])?.onBodyUnwanted();
        return;
      case FRAME.load:
        this.load = { isolates: frame[2], running: frame[3], residentBytes: frame[4] };
        return;
      case FRAME.entries:
        for (const row of frame[2]) this.#onEntries(row);
        return;
      default:
        throw new PlatformError('protocol_violation', { why: `frame type ${frame[0]} from a host` });
    }
  }
}
