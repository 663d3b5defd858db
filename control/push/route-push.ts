// Pushes route-table revisions to gateways and knows which of them have applied what.
import { toPlatformError } from '../../core/errors/index.ts';
import type { RouteDelta, RouteFunction, RouteTable } from '../../core/routing/index.ts';
import { FRAME, MAX_FRAME_BYTES, encode } from '../../core/protocol/index.ts';
import type { FrameConnection } from '../../core/protocol/index.ts';
import type { Logger } from '../../core/log/index.ts';

/** What the push reads of the catalog. */
export interface RouteSource {
  readonly revision: number;
  route(name: string): RouteFunction | undefined;
  routes(): RouteFunction[];
  changedSince(revision: number): { readonly upsert: readonly string[]; readonly remove: readonly string[] };
}

export interface RoutePushOptions {
  readonly source: RouteSource;
  /** Of this life on the store; revisions of another epoch do not compare. */
  readonly epoch: number;
  /** Tells this store from another. */
  readonly origin: number;
  /** Earlier lives, and the revision that each ended with: up to there their history is that of this one. Default: none. */
  readonly former?: readonly { readonly epoch: number; readonly until: number }[];
  readonly logger: Logger;
  /** Longest wait for gateways, milliseconds. Default 1,000. */
  readonly waitMs?: number;
  /** Route bytes of a delta in one frame; larger ones go in pieces. Default half of the frame limit. */
  readonly frameBytes?: number;
  /** The same of a table. Default 256 KiB. */
  readonly tableFrameBytes?: number;
}

interface Gateway {
  readonly connection: FrameConnection;
  subscribed: boolean;
  applied: number;
  /** It has made one write wait in vain; the next ones don't wait until it has caught up. */
  lagging: boolean;
}

interface Waiter {
  readonly revision: number;
  readonly resolve: (applied: boolean) => void;
  readonly timer: NodeJS.Timeout;
}

const WAIT_MS = 1_000;
/**
 * Of a table: a gateway decodes a frame in one turn of its loop, in 3 ms at this size, and holds what it has decoded besides what it made of
 * it. It puts the pieces together before it serves any of them. Those of a delta act one by one, so a delta has as few as can be.
 */
const TABLE_FRAME_BYTES = 262_144;
/** A gateway that reads nothing is cut off before its backlog fills this process; it starts over when it comes back. */
const MAX_BACKLOG_BYTES = 64 * 1_048_576;

export class RoutePush {
  readonly #options: RoutePushOptions;
  readonly #gateways = new Map<FrameConnection, Gateway>();
  readonly #waiters = new Set<Waiter>();
  /** Whether a gateway should be there: then a write waits for one that is about to come back. */
  #expected = false;

  constructor(options: RoutePushOptions) {
    this.#options = options;
  }

  /** Gateways that have applied a table. */
  get synced(): number {
    let count = 0;
    for (const gateway of this.#gateways.values()) if (gateway.subscribed && gateway.applied > 0) count += 1;
    return count;
  }

  /** The supervisor runs a gateway: until it has connected, writes wait for it once. */
  expect(): void {
    if (this.#gateways.size === 0) this.#expected = true;
  }

  opened(connection: FrameConnection): void {
    this.#gateways.set(connection, { connection, subscribed: false, applied: 0, lagging: false });
  }

  closed(connection: FrameConnection): void {
    if (!this.#gateways.delete(connection)) return;
    // It comes back within milliseconds unless the node ends.
    if (this.#gateways.size === 0) this.#expected = true;
    this.#settle();
  }

  /** Answers with what the gateway lacks. @param revision  what it has, of `epoch` */
  subscribe(connection: FrameConnection, epoch: number, revision: number): void {
    const gateway = this.#gateways.get(connection);
    if (gateway === undefined) return;
    gateway.subscribed = true;
    gateway.applied = 0;
    const { source, logger } = this.#options;
    const known = revision > 0 && revision <= this.#lastOf(epoch);
    logger.info({ gateway: connection.peer?.name, revision, to: source.revision, whole: !known }, 'a gateway subscribes');
    if (known) {
      const { upsert, remove } = source.changedSince(revision);
      this.#sendDelta(gateway, revision, source.revision, upsert.map((name) => source.route(name)).filter((route) => route !== undefined), remove, epoch);
    } else {
      this.#sendTable(gateway);
    }
    this.#settle();
  }

  applied(connection: FrameConnection, revision: number): void {
    const gateway = this.#gateways.get(connection);
    if (gateway === undefined || revision > this.#options.source.revision) return;
    gateway.applied = Math.max(gateway.applied, revision);
    if (gateway.applied === this.#options.source.revision) gateway.lagging = false;
    this.#settle();
  }

  /** Sends a commit to every subscriber. Names that have no route any more are removed. */
  publish(previous: number, revision: number, names: readonly string[]): void {
    const upsert: RouteFunction[] = [];
    const remove: string[] = [];
    for (const name of names) {
      const route = this.#options.source.route(name);
      if (route === undefined) remove.push(name);
      else upsert.push(route);
    }
    for (const gateway of this.#gateways.values()) {
      if (!gateway.subscribed) continue;
      const { connection } = gateway;
      if (connection.backlogBytes > MAX_BACKLOG_BYTES) {
        this.#options.logger.warn({ gateway: connection.peer?.name, bytes: connection.backlogBytes }, 'a gateway does not read and is cut off');
        connection.destroy();
        continue;
      }
      try {
        this.#sendDelta(gateway, previous, revision, upsert, remove);
      } catch (thrown) {
        // The commit stands whatever becomes of its push: the gateway starts over and gets it then.
        connection.destroy(toPlatformError(thrown));
      }
    }
  }

  /**
   * Whether every connected gateway has applied `revision`; waits for it, at most a second. False too when none is connected: nobody
   * serves the change yet. Gateways that were waited for in vain are not waited for again before they have caught up.
   */
  whenApplied(revision: number): Promise<boolean> {
    const now = this.#state(revision);
    if (now !== 'wait') return Promise.resolve(now === 'applied');
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#late(waiter), this.#options.waitMs ?? WAIT_MS);
      const waiter = { revision, resolve, timer };
      this.#waiters.add(waiter);
    });
  }

  #state(revision: number): 'applied' | 'wait' | 'not' {
    if (this.#gateways.size === 0) return this.#expected ? 'wait' : 'not';
    let lagging = false;
    for (const gateway of this.#gateways.values()) {
      if (gateway.applied >= revision) continue;
      if (!gateway.lagging) return 'wait';
      lagging = true;
    }
    return lagging ? 'not' : 'applied';
  }

  #settle(): void {
    for (const waiter of this.#waiters) {
      const state = this.#state(waiter.revision);
      if (state === 'wait') continue;
      this.#waiters.delete(waiter);
      clearTimeout(waiter.timer);
      waiter.resolve(state === 'applied');
    }
  }

  #late(waiter: Waiter): void {
    if (this.#gateways.size === 0) this.#expected = false;
    for (const gateway of this.#gateways.values()) {
      if (gateway.applied >= waiter.revision || gateway.lagging) continue;
      gateway.lagging = true;
      this.#options.logger.warn({ gateway: gateway.connection.peer?.name, revision: waiter.revision, applied: gateway.applied }, 'a gateway has not applied a revision in time');
    }
    this.#settle();
  }

  /** The last revision of an epoch that this history holds; 0: it holds none. */
  #lastOf(epoch: number): number {
    const { source, former = [] } = this.#options;
    return epoch === this.#options.epoch ? source.revision : (former.find((life) => life.epoch === epoch)?.until ?? 0);
  }

  #sendTable(gateway: Gateway): void {
    const { source, epoch, origin } = this.#options;
    const pieces = this.#pieces(source.routes(), this.#options.tableFrameBytes ?? TABLE_FRAME_BYTES);
    const [first = []] = pieces;
    // A table too large for one frame starts at revision 0 and is completed by deltas on that; the last has the revision that it is of.
    const table: RouteTable = { epoch, origin, revision: pieces.length > 1 ? 0 : source.revision, functions: first };
    this.#send(gateway, FRAME.table, table);
    this.#sendPieces(gateway, 0, source.revision, pieces.slice(1), []);
  }

  #sendDelta(gateway: Gateway, previous: number, revision: number, upsert: readonly RouteFunction[], remove: readonly string[], from = this.#options.epoch): void {
    const pieces = this.#pieces(upsert, this.#options.frameBytes ?? MAX_FRAME_BYTES / 2);
    this.#sendPieces(gateway, previous, revision, pieces.length === 0 ? [[]] : pieces, remove, from);
  }

  #sendPieces(gateway: Gateway, previous: number, revision: number, pieces: readonly RouteFunction[][], remove: readonly string[], from = this.#options.epoch): void {
    const { epoch } = this.#options;
    for (const [index, upsert] of pieces.entries()) {
      const last = index === pieces.length - 1;
      // The first piece takes the gateway over into this epoch.
      const rebased = index === 0 && from !== epoch ? { formerEpoch: from } : undefined;
      const delta: RouteDelta = { epoch, ...rebased, previous, revision: last ? revision : previous, upsert, remove: last ? [...remove] : [] };
      this.#send(gateway, FRAME.delta, delta);
    }
  }

  #send(gateway: Gateway, type: typeof FRAME.table | typeof FRAME.delta, body: RouteTable | RouteDelta): void {
    gateway.connection.send(type === FRAME.table ? [FRAME.table, 0, body] : [FRAME.delta, 0, body]);
  }

  #pieces(routes: readonly RouteFunction[], limit: number): RouteFunction[][] {
    const pieces: RouteFunction[][] = [];
    let bytes = 0;
    for (const route of routes) {
      const size = routes.length === 1 ? 0 : encode(route).length;
      const piece = pieces.at(-1);
      if (piece === undefined || bytes + size > limit) {
        pieces.push([route]);
        bytes = size;
      } else {
        piece.push(route);
        bytes += size;
      }
    }
    return pieces;
  }
}
