// A whole gateway: the listener for clients, the socket for hosts, the feed of routes, and what happens to all of them at a drain.
import { join } from 'node:path';
import type { Server } from 'node:net';
import { groupOfHost, kindOfGroup } from '../core/config/index.ts';
import type { GroupKind, HostGroup } from '../core/config/index.ts';
import { newEpoch } from '../core/ids/index.ts';
import type { Logger } from '../core/log/index.ts';
import { FRAME, listenPeers } from '../core/protocol/index.ts';
import type { FrameConnection, Identity } from '../core/protocol/index.ts';
import type { RouteDelta } from '../core/routing/index.ts';
import { AccessLog } from './access-log.ts';
import { PeerAddresses } from './client-address.ts';
import { Dispatcher } from './dispatcher.ts';
import { EventEntry } from './event-entry.ts';
import { FigureClock } from './figure-clock.ts';
import { HostDemand } from './host-demand.ts';
import { HostLink } from './host-link.ts';
import type { HostDied } from './lost-hosts.ts';
import { presentGroup, tierGroups } from './placement.ts';
import { boundReceiveBuffers } from './receive-buffer.ts';
import { RequestEntry } from './request-entry.ts';
import { RouteFeed } from './route-feed.ts';
import { RouteFile, readRouteFile } from './route-file.ts';
import { RouteTable } from './route-table.ts';
import { Shadows } from './shadow/index.ts';
import { listen } from './uws.ts';
import type { Listener } from './uws.ts';
import { TenantMemory } from './tenant-memory.ts';
import { WarmKeeper } from './warm-keeper.ts';

export interface GatewayOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly trustedProxies: readonly string[];
  readonly dataFolder: string;
  /** Where hosts and invokers connect: this gateway listens. */
  readonly gatewaySocket: string;
  /** Where the control plane listens. */
  readonly controlSocket: string;
  readonly logger: Logger;
  /** Where access lines go; default: `logger`. */
  readonly accessLogger?: Logger;
  /** Says whether hosts of an on-demand group are wanted; default: nobody listens. */
  readonly onDemand?: (group: HostGroup, wanted: boolean) => void;
  /** Hosts of a group that runs on demand are wanted no more without work for so long, milliseconds; by kind. Default 5 minutes. */
  readonly idleMs?: Readonly<Partial<Record<GroupKind, number>>>;
  /** false: versions that begin to get traffic are started by their first call. Default true. */
  readonly preWarm?: boolean;
  /** Default: random. */
  readonly epoch?: number;
}

const FIGURES_MS = 500;
const REVIEW_MS = 500;
const IDLE_MS = 300_000;

/** About nine small invocations: a loop turn over many client sockets is long, and the host can begin meanwhile. */
const EAGER_BYTES = 4_096;

export class Gateway {
  readonly epoch: number;
  readonly #options: GatewayOptions;
  readonly #table: RouteTable;
  readonly #dispatcher: Dispatcher;
  readonly #shadows: Shadows;
  readonly #links = new Map<FrameConnection, HostLink>();
  readonly #events: EventEntry;
  readonly #accessLog: AccessLog;
  readonly #file: RouteFile;
  readonly #identity: Identity;
  readonly #warm: WarmKeeper<HostLink>;
  readonly #tenantMemory = new TenantMemory();
  readonly #demands = new Map<HostGroup, HostDemand>();
  #feed: RouteFeed | undefined;
  #peers: Server | undefined;
  #listener: Listener | undefined;
  readonly #figureClock = new FigureClock(FIGURES_MS);
  #reviewTimer: NodeJS.Timeout | undefined;
  #draining = false;
  #onTable: (() => void) | undefined;
  #fileAgeMs = 0;

  constructor(options: GatewayOptions) {
    this.#options = options;
    this.epoch = options.epoch ?? newEpoch();
    this.#identity = { role: 'gateway', name: 'gateway', epoch: this.epoch };
    this.#table = new RouteTable((targets) => this.#dispatcher.retire(targets), (gate) => this.#dispatcher.strikes.changed(gate));
    this.#accessLog = new AccessLog(options.accessLogger ?? options.logger);
    this.#dispatcher = new Dispatcher({ epoch: this.epoch, table: this.#table, accessLog: this.#accessLog, logger: options.logger });
    this.#shadows = new Shadows({ epoch: this.epoch, live: this.#dispatcher, routes: this.#table, logger: options.logger });
    this.#events = new EventEntry({ epoch: this.epoch, table: this.#table, dispatcher: this.#dispatcher });
    const { hosts } = this.#dispatcher;
    this.#warm = new WarmKeeper({
      homes: (fn, version) => {
        const gate = this.#table.get(fn.name)?.gate;
        const { standing = null } = gate ?? {};
        // What rests, or may not run on ordinary hosts, is not started there before it is called: its next start may be its next kill.
        if (standing !== null && (standing.quarantined || standing.penalised)) return [];
        const place = gate?.knownPlace(version);
        return hosts.preferred(fn.name, place, presentGroup(tierGroups(fn.tier), fn.limits.wasm, gate, place, hosts));
      },
      present: (name) => this.#table.get(name)?.fn, preWarm: options.preWarm ?? true, logger: options.logger,
    });
    this.#dispatcher.onHostMissing = () => this.#reviewDemand();
    this.#shadows.dispatcher.onHostMissing = () => this.#reviewDemand();
    this.#file = new RouteFile(join(options.dataFolder, 'gateway', 'routes.msgpack'), () => this.#table.snapshot(), options.logger);
  }

  /** The port that clients connect to. */
  get port(): number {
    return this.#listener?.port ?? 0;
  }

  get table(): RouteTable {
    return this.#table;
  }

  get shadows(): Shadows {
    return this.#shadows;
  }

  get dispatcher(): Dispatcher {
    return this.#dispatcher;
  }

  /**
   * Resolves when clients are accepted: once there is a route table, from the file or from the control plane.
   *
   * @throws port_taken  the listener's address cannot be bound
   */
  async start(): Promise<void> {
    const { logger, gatewaySocket, controlSocket, host, port, trustedProxies } = this.#options;
    this.#loadFile();
    this.#peers = await listenPeers(
      gatewaySocket,
      { self: this.#identity, accepts: ['host', 'control'], eagerBytes: EAGER_BYTES },
      {
        onOpen: (connection) => {
          if (connection.peer?.role === 'host') this.#hostOpened(connection);
          else this.#events.opened(connection);
        },
        onFrame: (frame, connection) => {
          const link = this.#links.get(connection);
          if (link === undefined) {
            this.#events.onFrame(frame, connection);
            return;
          }
          if (frame[0] === FRAME.goaway) {
            this.#dispatcherOf(link).hosts.drain(link);
            this.#warm.hostDrains();
          } else if (frame[0] === FRAME.warm) {
            this.#warm.answered(link, frame[1], frame[2]);
          } else if (frame[0] === FRAME.tenants) {
            this.#tenantMemory.reported(link, frame[2]);
          } else {
            link.onFrame(frame);
          }
        },
        onClose: (connection, error) => {
          const link = this.#links.get(connection);
          if (link === undefined) {
            this.#events.closed(connection);
            return;
          }
          this.#links.delete(connection);
          this.#tenantMemory.closed(link);
          if (error !== undefined) logger.error({ host: link.name, code: error.code, err: error }, 'a host was cut off');
          else if (!link.draining && !this.#draining) logger.warn({ host: link.name, inFlight: link.inFlight }, 'a host is gone');
          this.#dispatcherOf(link).hostClosed(link);
          if (!isShadow(link)) this.#warm.hostClosed(link, !link.draining && !this.#draining);
        },
      },
    );
    const firstTable = this.#table.loaded ? undefined : new Promise<void>((resolve) => { this.#onTable = resolve; });
    this.#feed = new RouteFeed({ socketPath: controlSocket, self: this.#identity, table: this.#table, logger, fileAgeMs: this.#fileAgeMs, beforeDelta: (delta) => this.#warm.prepare(delta), onApplied: (delta) => this.#tableChanged(delta) });
    await firstTable;
    const entry = new RequestEntry({
      epoch: this.epoch, table: this.#table, dispatcher: this.#dispatcher, peers: new PeerAddresses(trustedProxies), shadows: this.#shadows, logger,
      readiness: () => this.#readiness(), tableAgeMs: () => this.#feed?.ageMs ?? 0,
    });
    this.#listener = await listen(host, port, entry.take);
    if (!(await boundReceiveBuffers(this.#listener.port))) logger.warn('receive buffers are not bounded: large uploads of very fast clients may cost much memory');
    this.#figureClock.start(() => this.#pushFigures());
    this.#reviewTimer = setInterval(() => {
      this.#dispatcher.strikes.review();
      this.#dispatcher.reviewFallbacks();
      this.#table.callers.review(performance.now());
      this.#dispatcher.hosts.tick(performance.now());
      this.#shadows.tick(performance.now());
      this.#warm.tick(performance.now());
      this.#tenantMemory.review(this.#accountable(), this.#table.memoryQuotas());
      this.#reviewDemand();
      this.#dispatcher.clearWishes();
      this.#shadows.dispatcher.clearWishes();
    }, REVIEW_MS);
    this.#reviewTimer.unref();
    logger.info({ host, port: this.#listener.port, functions: this.#table.size, revision: this.#table.revision }, 'listening');
  }

  /** The supervisor's word about a dead host. */
  hostDied(verdict: HostDied): void {
    (kindOfGroup(groupOfHost(verdict.host)) === 'shadow' ? this.#shadows.dispatcher : this.#dispatcher).lostHosts.died(verdict);
  }

  /**
   * Takes no new connection, answers what runs and waits, closing each connection with its answer. Resolves when all invocations are over,
   * the work behind `waitUntil` included, or after `withinMs`, when the rest is cut off.
   */
  async drain(withinMs: number): Promise<void> {
    if (this.#draining) return;
    this.#draining = true;
    this.#dispatcher.closing = true;
    this.#shadows.close();
    this.#listener?.stopAccepting();
    if (this.#dispatcher.activeCount > 0) {
      await new Promise<void>((resolve) => {
        const late = setTimeout(resolve, withinMs);
        this.#dispatcher.onIdle = () => {
          clearTimeout(late);
          resolve();
        };
      });
    }
    await this.#close();
  }

  async #close(): Promise<void> {
    clearInterval(this.#reviewTimer);
    this.#figureClock.stop();
    this.#dispatcher.abandonAll();
    this.#listener?.close();
    this.#dispatcher.wheel.stop();
    this.#dispatcher.lostHosts.close();
    this.#pushFigures();
    this.#accessLog.reportSuppressed();
    this.#feed?.close();
    this.#warm.close();
    for (const link of this.#links.values()) link.close();
    this.#peers?.close();
    await this.#file.close();
  }

  #loadFile(): void {
    const { dataFolder, logger } = this.#options;
    const path = join(dataFolder, 'gateway', 'routes.msgpack');
    try {
      const content = readRouteFile(path);
      if (content === undefined) return;
      this.#table.replace(content.table);
      this.#fileAgeMs = content.ageMs;
      this.#warm.tableReplaced(content.table.functions);
      if (content.torn > 0) logger.warn({ bytes: content.torn, path, revision: content.table.revision }, 'the last change of the route file is torn; the control plane sends it again');
    } catch (thrown) {
      logger.error({ err: thrown, path }, 'the route file is refused; routes come from the control plane');
    }
  }

  /** What repeats requests is kept apart from what callers wait for. */
  #dispatcherOf(link: HostLink): Dispatcher {
    return isShadow(link) ? this.#shadows.dispatcher : this.#dispatcher;
  }

  /** Hosts whose isolates count for their tenants. */
  #accountable(): HostLink[] {
    return [...this.#links.values()].filter((link) => !isShadow(link));
  }

  #hostOpened(connection: FrameConnection): void {
    const { peer } = connection;
    if (peer === undefined) return;
    const link = new HostLink(connection, peer, (target, row) => this.#dispatcherOf(link).lanes.entries(target, row));
    this.#links.set(connection, link);
    this.#options.logger.info({ host: link.name, hostPid: link.pid }, 'a host is here');
    this.#dispatcherOf(link).hostOpened(link);
    if (!isShadow(link)) this.#warm.hostOpened(link);
  }

  #tableChanged(delta: RouteDelta | undefined): void {
    this.#file.changed(delta);
    this.#dispatcher.tableChanged();
    this.#shadows.tableChanged();
    if (delta === undefined) this.#warm.tableReplaced(this.#table.functions());
    else this.#warm.changed(delta);
    this.#onTable?.();
    this.#onTable = undefined;
  }

  #readiness(): 'ready' | 'draining' | 'no route table' | 'no host' {
    if (this.#draining) return 'draining';
    if (!this.#table.loaded) return 'no route table';
    return this.#dispatcher.hosts.openCount === 0 ? 'no host' : 'ready';
  }

  /** Hosts of all groups but the default ones run only while they are used. */
  #reviewDemand(): void {
    if (this.#draining) return;
    this.#reviewGroups(this.#dispatcher);
    this.#reviewGroups(this.#shadows.dispatcher);
  }

  #reviewGroups(dispatcher: Dispatcher): void {
    const { hosts } = dispatcher;
    for (const group of new Set([...dispatcher.missedGroups(), ...hosts.openGroups()])) {
      const kind = kindOfGroup(group);
      if (kind === 'default') continue;
      let demand = this.#demands.get(group);
      if (demand === undefined) {
        demand = new HostDemand(this.#options.idleMs?.[kind] ?? IDLE_MS);
        this.#demands.set(group, demand);
      }
      const waiting = dispatcher.parked(group) + Number(dispatcher.wished(group));
      const wanted = demand.review(performance.now(), waiting, hosts.inFlight(group), hosts.invoked(group), hosts.openIn(group));
      if (wanted !== undefined) this.#options.onDemand?.(group, wanted);
    }
  }

  /** Increments stay with us while the control plane is away: nothing is lost but what finds no room among the versions counted apart. */
  #pushFigures(): void {
    this.#accessLog.reportSuppressed();
    const connection = this.#feed?.connection;
    if (connection === undefined) return;
    const { hosts, lanes } = this.#dispatcher;
    const node = {
      inFlight: this.#dispatcher.inFlight, queued: this.#dispatcher.queued, clients: this.#listener?.clients ?? 0, revision: this.#table.revision,
      tableAgeMs: Math.round(this.#feed?.ageMs ?? 0), replays: this.#dispatcher.replays, residentBytes: process.memoryUsage.rss(),
      slowVersions: lanes.slow, laneChanges: lanes.counts, spreadVersions: hosts.homes.spread, homeChanges: hosts.homes.counts,
    };
    const { figures, strikes, fallbacks } = this.#dispatcher;
    connection.send([FRAME.figures, 0, { ...figures.take(node), span: this.#figureClock.take(), standing: strikes.figures(), callers: this.#table.callers.figures(), lastGood: { ...fallbacks.store } }]);
    const rows = this.#dispatcher.explanations.take();
    if (rows !== undefined) connection.send(rows);
    for (const frame of [this.#shadows.take(), this.#shadows.takeLogs()]) if (frame !== undefined) connection.send(frame);
  }
}

function isShadow({ group }: HostLink): boolean {
  return kindOfGroup(group) === 'shadow';
}
