// One connection of a host: the versions it was told, the invocations under way on it, and the frames of both directions.
import { groupOfHost } from '../core/config/index.ts';
import type { HostGroup } from '../core/config/index.ts';
import { PlatformError } from '../core/errors/index.ts';
import { FRAME } from '../core/protocol/index.ts';
import type { EntriesRow, Frame, FrameConnection, Peer, Target, TenantRow } from '../core/protocol/index.ts';
import type { Exchange } from './exchange.ts';
import type { VersionTarget } from './route.ts';

/** A version as this connection knows it. */
interface TargetUse {
  readonly number: number;
  inFlight: number;
  /** The host is no home of the version: forgotten there once nothing of it runs. */
  leaving: boolean;
}

export interface HostLoad {
  readonly isolates: number;
  readonly running: number;
  readonly residentBytes: number;
  /** Share of the last quarter of a second in which its loop was not idle, 0 to 1. */
  readonly busy: number;
}

/** What a host reports about entries of a version (core/protocol/frames.ts, entries). */
export type OnEntries = (target: VersionTarget, row: EntriesRow) => void;

/** The journal of a host has room for so many invocations under way (core/protocol/journal.ts), less some in case of a slow release. */
export const MAX_PER_HOST = 16_000;

export class HostLink {
  readonly name: string;
  readonly pid: number;
  readonly group: HostGroup;
  readonly #connection: FrameConnection;
  readonly #onEntries: OnEntries;
  readonly #targets = new Map<VersionTarget, TargetUse>();
  readonly #numbers = new Map<number, VersionTarget>();
  readonly #exchanges = new Map<number, Exchange>();
  #nextTarget = 1;
  /** The host said goaway: it gets nothing new. */
  draining = false;
  /** CPU time that the invocations under way are likely to need in all, microseconds. */
  aheadUs = 0;
  /** Invocations that it ever got. */
  invoked = 0;
  load: HostLoad = { isolates: 0, running: 0, residentBytes: 0, busy: 0 };

  constructor(connection: FrameConnection, peer: Peer, onEntries: OnEntries) {
    this.#connection = connection;
    this.#onEntries = onEntries;
    this.name = peer.name;
    this.pid = peer.pid;
    this.group = groupOfHost(peer.name);
  }

  get inFlight(): number {
    return this.#exchanges.size;
  }

  /** Versions that it was told of. */
  targets(): IterableIterator<VersionTarget> {
    return this.#targets.keys();
  }

  /** Invocations whose final frame has not come. */
  exchanges(): Exchange[] {
    return [...this.#exchanges.values()];
  }

  /** Sends the invocation, and before it what it runs, if this connection does not know that yet. */
  invoke(exchange: Exchange, wallLeftMs: number): void {
    const { target } = exchange;
    const { place } = target;
    let use = this.#targets.get(target);
    if (use === undefined) {
      use = { number: this.#nextTarget, inFlight: 0, leaving: false };
      this.#nextTarget += 1;
      this.#targets.set(target, use);
      this.#numbers.set(use.number, target);
      this.#connection.send([FRAME.target, use.number, target.frame]);
    }
    use.inFlight += 1;
    use.leaving = place.homes[0] !== this && !place.homes.includes(this);
    place.inFlight += 1;
    this.invoked += 1;
    exchange.likelyCpuUs = place.meanCpuUs;
    this.aheadUs += exchange.likelyCpuUs;
    this.#exchanges.set(exchange.id, exchange);
    this.#connection.send([FRAME.invoke, exchange.id, use.number, exchange.head, exchange.bodyMode, exchange.body, wallLeftMs]);
  }

  /** The invocation's final frame has come, or never will. */
  release(exchange: Exchange): void {
    if (!this.#exchanges.delete(exchange.id)) return;
    const { target } = exchange;
    // Sums of fractions: an idle host has nothing ahead of it, whatever rounding says.
    this.aheadUs = this.#exchanges.size === 0 ? 0 : this.aheadUs - exchange.likelyCpuUs;
    target.place.inFlight -= 1;
    const use = this.#targets.get(target);
    if (use === undefined) return;
    use.inFlight -= 1;
    if (use.leaving || target.retired) this.drop(target);
  }

  /** The version is not wanted here any more: the host hears it once its last invocation is over, and its isolate goes. */
  drop(target: VersionTarget): void {
    const use = this.#targets.get(target);
    if (use === undefined) return;
    use.leaving = true;
    if (use.inFlight > 0) return;
    this.#targets.delete(target);
    this.#numbers.delete(use.number);
    this.#connection.send([FRAME.forget, use.number]);
  }

  /** For a target that only warm frames name. @returns its number */
  nameTarget(target: Target): number {
    const number = this.#nextTarget;
    this.#nextTarget += 1;
    this.#connection.send([FRAME.target, number, target]);
    return number;
  }

  forgetTarget(number: number): void {
    this.#connection.send([FRAME.forget, number]);
  }

  sendWarm(number: number, isolates: number): void {
    this.#connection.send([FRAME.warm, number, isolates]);
  }

  /** The connection is gone. Whoever still holds this object holds little. */
  forgetTargets(): void {
    this.#targets.clear();
    this.#numbers.clear();
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

  tellTenants(rows: readonly TenantRow[]): void {
    this.#connection.send([FRAME.tenants, 0, rows]);
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
        this.load = { isolates: frame[2], running: frame[3], residentBytes: frame[4], busy: frame[5] / 1_000 };
        return;
      case FRAME.entries:
        for (const row of frame[2]) {
          // One that has just been dropped is of no interest.
          const target = this.#numbers.get(row[0]);
          if (target !== undefined) this.#onEntries(target, row);
        }
        return;
      default:
        throw new PlatformError('protocol_violation', { why: `frame type ${frame[0]} from a host` });
    }
  }
}
