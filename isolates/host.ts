// One host process: pool, watch, journal and links, wired; what it reports, and how it drains.
import { newEpoch } from '../core/ids/index.ts';
import { kindOfGroup } from '../core/config/index.ts';
import type { GroupKind, HostBoot } from '../core/config/index.ts';
import type { Logger } from '../core/log/index.ts';
import { FRAME, JournalWriter, ReconnectingPeer } from '../core/protocol/index.ts';
import type { HostFigures, Identity } from '../core/protocol/index.ts';
import { Accounts } from './accounts.ts';
import { GatewayLink } from './gateway-link.ts';
import type { HostServices } from './host-services.ts';
import type { Caller, Invocation } from './invocation.ts';
import { IsolatePool } from './isolate-pool.ts';
import { IsolateLife } from './life/isolate-life.ts';
import { LINGER_MS, MAX_RUNNING } from './limits.ts';
import { LogSink } from './log-sink.ts';
import type { Platform } from './platform/load.ts';
import { RunQueue } from './run-queue.ts';
import { SnapshotShelf } from './snapshots/shelf.ts';
import { SidecarClient } from './sidecar-client.ts';
import { StackMapper } from './stacks/stack-mapper.ts';
import { SpareVms } from './spare-vms.ts';
import { externalBytes } from './vm.ts';
import { VersionReader } from './version-files.ts';
import { Turns } from './turns.ts';
import { EntryWatch } from './watch/entry-watch.ts';

const LOAD_MS = 250;
const FIGURES_MS = 500;
/** Hosts that run with other flags of V8: what was made without them can't be restored there. */
const OTHER_FLAGS: readonly GroupKind[] = ['wasm', 'penalty', 'shadow'];

export class Host {
  readonly #boot: HostBoot;
  readonly #pool: IsolatePool;
  readonly #control: ReconnectingPeer;
  readonly #gateway: ReconnectingPeer;
  readonly #sidecar: SidecarClient;
  readonly #logs: LogSink;
  readonly #turns: Turns;
  readonly #queue = new RunQueue();
  readonly #accounts: Accounts;
  readonly #life: IsolateLife;
  readonly #links = new Map<Caller, GatewayLink>();
  readonly #shelf: SnapshotShelf;
  readonly #kills: Record<string, number> = {};
  readonly #timers: NodeJS.Timeout[] = [];
  #lastLoad = '';
  #lastLoop = performance.eventLoopUtilization();

  private constructor(boot: HostBoot, logger: Logger, platform: Platform, watch: EntryWatch) {
    this.#boot = boot;
    const self: Identity = { role: 'host', name: boot.name, epoch: newEpoch() };
    this.#control = new ReconnectingPeer(boot.sockets.control, { self, accepts: ['control'] }, { onOpen: () => {}, onFrame: () => {}, onClose: () => {} });
    const stacks = new StackMapper(boot.dataFolder);
    this.#logs = new LogSink(this.#control, stacks);
    this.#sidecar = new SidecarClient(boot.sockets.sidecar, self);
    const kind = kindOfGroup(boot.group);
    const spares = new SpareVms(platform, kind === 'wasm');
    this.#turns = new Turns(boot.journalFd >= 0 ? new JournalWriter(boot.journalFd) : null, () => this.#endTurn(watch), () => spares.refill());
    this.#accounts = new Accounts(this.#queue, this.#logs, kind === 'slow');
    this.#life = new IsolateLife({ budgetBytes: boot.memoryBytes, logs: this.#logs, logger });
    this.#shelf = new SnapshotShelf({ platform: platform.key, snapshots: boot.snapshots && !OTHER_FLAGS.includes(kindOfGroup(boot.group)), external: externalBytes, logger });
    const services: HostServices = {
      spares,
      shelf: this.#shelf,
      watch,
      life: this.#life,
      turns: this.#turns,
      queue: this.#queue,
      accounts: this.#accounts,
      logs: this.#logs,
      stacks,
      sidecar: this.#sidecar,
      logger,
      lingerMs: LINGER_MS,
      ended: (invocation) => this.#ended(invocation),
      refuse: (invocation, code, params) => {
        invocation.finished = true;
        invocation.connection.send([FRAME.fail, invocation.id, code, params, invocation.cpuUs, null, null]);
        this.#ended(invocation);
      },
      isolateEnded: (isolate, reason, culprit) => {
        if (isolate.state.names === 0) setImmediate(() => this.#pool.settle(isolate.state));
        if (reason === 'retired') return;
        this.#kills[reason] = (this.#kills[reason] ?? 0) + 1;
        const { function: fn, version } = isolate.state.target;
        logger.warn({ function: fn, version, reason, invocation: culprit?.printableId }, 'an isolate was killed');
        // Those that waited for it start anew, once its own invocations have been answered.
        setImmediate(() => this.#pool.settle(isolate.state));
      },
    };
    this.#pool = new IsolatePool(services, new VersionReader(boot.dataFolder, Buffer.from(boot.tierKey, 'base64'), this.#shelf));
    this.#gateway = new ReconnectingPeer(boot.sockets.gateway, { self, accepts: ['gateway'] }, {
      onOpen: (connection) => {
        this.#links.set(connection, new GatewayLink(connection, this.#pool, boot.tier, kind === 'penalty' || kind === 'shadow' ? null : kind === 'wasm', kind === 'shadow', () => MAX_RUNNING - this.#running()));
        this.#lastLoad = '';
      },
      onFrame: (frame, connection) => this.#links.get(connection)?.onFrame(frame),
      onClose: (connection, error) => {
        if (error !== undefined) logger.error({ err: error, code: error.code }, 'the gateway connection failed');
        this.#links.get(connection)?.close();
        this.#links.delete(connection);
      },
    });
    this.#timers.push(setInterval(() => this.#sendLoad(), LOAD_MS), setInterval(() => this.#sendFigures(), FIGURES_MS));
  }

  /** Resolves when budgets hold: nothing is entered before the meter runs. */
  static async start(boot: HostBoot, logger: Logger, platform: Platform): Promise<Host> {
    const watch = new EntryWatch(boot.journalFd);
    await watch.started();
    return new Host(boot, logger, platform, watch);
  }

  /** Takes nothing new; resolves when every invocation has ended, or after `withinMs`. */
  async drain(withinMs: number): Promise<void> {
    this.#gateway.connection?.send([FRAME.goaway, 0, 'unavailable']);
    const until = performance.now() + withinMs;
    while (this.#running() > 0 && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 10));
    for (const timer of this.#timers) clearInterval(timer);
    this.#sendFigures();
    this.#logs.close();
    this.#pool.close();
    this.#life.close();
    // Last frames leave with this turn.
    await new Promise((resolve) => setTimeout(resolve, 5));
    this.#gateway.close();
    this.#sidecar.close();
    this.#control.close();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }

  #running(): number {
    let running = 0;
    for (const link of this.#links.values()) running += link.running;
    return running;
  }

  #endTurn(watch: EntryWatch): void {
    watch.endTurn();
    this.#queue.endTurn();
  }

  #ended(invocation: Invocation): void {
    this.#queue.takeOut(invocation);
    this.#links.get(invocation.connection)?.ended(invocation);
    this.#turns.release(invocation);
    if (invocation.target.names === 0) setImmediate(() => this.#pool.settle(invocation.target));
  }

  #sendLoad(): void {
    const news = this.#accounts.takeNews();
    if (news.size > 0) for (const link of this.#links.values()) link.tellEntries(news);
    const rows = this.#life.tenants.review();
    if (rows !== undefined) this.#gateway.connection?.send([FRAME.tenants, 0, rows]);
    const running = this.#running();
    const loop = performance.eventLoopUtilization();
    // Twentieths: a host at rest has nothing to say.
    const busy = Math.round(performance.eventLoopUtilization(loop, this.#lastLoop).utilization * 20) * 50;
    this.#lastLoop = loop;
    const load = `${this.#pool.isolates} ${running} ${busy}`;
    if (load === this.#lastLoad) return;
    this.#lastLoad = load;
    this.#gateway.connection?.send([FRAME.load, 0, this.#pool.isolates, running, process.memoryUsage.rss(), busy]);
  }

  #sendFigures(): void {
    const { connection } = this.#control;
    if (connection === undefined) return;
    const life = this.#life;
    const versions: HostFigures['versions'] = [];
    let coldStarts = 0;
    for (const { target, isolate, coldStarts: started, retiring, retired, holds } of this.#pool.states()) {
      coldStarts += started;
      if (isolate === null) continue;
      versions.push({
        function: target.function, version: target.version, isolates: 1 + retiring, memoryBytes: isolate.gauge.usedBytes, running: isolate.running, retiring, keptWarm: holds > 0 ? 1 : 0, retired,
      });
    }
    const figures: HostFigures = {
      kind: 'host',
      host: this.#boot.name,
      versions,
      node: {
        isolates: this.#pool.isolates, running: this.#running(), residentBytes: process.memoryUsage.rss(), kills: this.#kills, coldStarts,
        retiring: life.retiring, keptWarm: this.#pool.keptWarm, heapBytes: life.heapBytes, retired: life.retired, reclaimed: life.reclaimed, shrunk: life.shrunk, collections: life.collections,
        softLimits: this.#accounts.softLimits, ...this.#queue.figures,
      },
      used: this.#accounts.takeUsed(),
      snapshots: this.#shelf.takeFigures(),
    };
    connection.send([FRAME.figures, 0, figures]);
  }
}
