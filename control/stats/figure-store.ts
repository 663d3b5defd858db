// Merges the figures that gateways, hosts and the sidecar push. In memory only: a restart of the control plane starts at zero.
import type { LaneName } from '../../core/config/index.ts';
import { figuresSchema } from '../../core/protocol/index.ts';
import type { GatewayFigures, HostFigures, Peer, SidecarFigures } from '../../core/protocol/index.ts';
import type { LogHistogram } from '../../core/metrics/index.ts';
import type { SecondSeries } from '../sensing/index.ts';
import { BoundedSeries } from './bounded-series.ts';
import { Standings } from './standings.ts';
import { Totals } from './totals.ts';
import type { ColdPhase } from './totals.ts';
import type { FunctionStats, TenantUsage, VersionStats } from './views.ts';

export interface FigureStoreOptions {
  /** Tenant of a function that exists, else undefined: figures of others are dropped. */
  readonly tenantOf: (name: string) => string | undefined;
  /** Gets every frame that was accepted, the loss of its sender, and the end of functions. Default: nobody does. */
  readonly seconds?: SecondSeries;
  /** Versions whose figures are kept; the one without news for longest goes first. Default 20,000. */
  readonly versions?: number;
  /** Named functions, and named tenants, of `/metrics`. Default 200. */
  readonly series?: number;
}

interface VersionEntry {
  readonly version: number;
  readonly totals: Totals;
  lane: LaneName;
  homes: number;
}

const MAX_HOST_ROWS = 20_000;

/** What a gateway said of itself last. */
export type GatewayState = GatewayFigures['node'] & Pick<GatewayFigures, 'callers' | 'lastGood'>;

/** What hosts hold of one version. */
type Held = Pick<VersionStats, 'isolates' | 'keptWarm' | 'memoryBytes' | 'retired' | 'retiring' | 'running'>;

const NONE_HELD: Held = { isolates: 0, running: 0, memoryBytes: 0, retired: {}, retiring: 0, keptWarm: 0 };

function sums(a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>): Record<string, number> {
  const sum = { ...a };
  for (const [key, value] of Object.entries(b)) sum[key] = (sum[key] ?? 0) + value;
  return sum;
}

export class FigureStore {
  readonly #options: FigureStoreOptions & Required<Omit<FigureStoreOptions, 'seconds'>>;
  readonly #since = new Date().toISOString();
  /** Key: `name@version`, in the order of their last news. */
  readonly #versions = new Map<string, VersionEntry>();
  readonly #hosts = new Map<string, HostFigures & { readonly epoch: number }>();
  readonly #gateways = new Map<string, GatewayState>();
  #sidecar: SidecarFigures['node'] | undefined;
  readonly standings = new Standings();
  readonly node = new Totals();
  readonly functions: BoundedSeries;
  readonly tenants: BoundedSeries;
  #rejected = 0;

  constructor(options: FigureStoreOptions) {
    this.#options = { versions: 20_000, series: 200, ...options };
    this.functions = new BoundedSeries(this.#options.series);
    this.tenants = new BoundedSeries(this.#options.series);
  }

  get hosts(): ReadonlyMap<string, HostFigures> {
    return this.#hosts;
  }

  get gateways(): ReadonlyMap<string, GatewayState> {
    return this.#gateways;
  }

  get sidecar(): SidecarFigures['node'] | undefined {
    return this.#sidecar;
  }

  /** Frames that were not of the schema, or not the sender's to send. */
  get rejected(): number {
    return this.#rejected;
  }

  /** Takes a frame. A process may only speak for itself. */
  take(peer: Peer, figures: unknown): void {
    const parsed = figuresSchema.safeParse(figures);
    if (!parsed.success || parsed.data.kind !== peer.role || (parsed.data.kind === 'host' && Math.max(parsed.data.versions.length, parsed.data.used.length) > MAX_HOST_ROWS)) {
      this.#rejected += 1;
      return;
    }
    switch (parsed.data.kind) {
      case 'gateway':
        this.#takeGateway(peer.name, parsed.data);
        this.#options.seconds?.takeGateway(peer.name, parsed.data, (name) => this.#options.tenantOf(name) !== undefined);
        break;
      case 'host':
        this.#hosts.set(peer.name, { ...parsed.data, used: [], host: peer.name, epoch: peer.epoch });
        this.#takeUsed(parsed.data.used);
        this.#options.seconds?.takeHost(peer, parsed.data);
        break;
      case 'sidecar':
        this.#sidecar = parsed.data.node;
        break;
    }
  }

  /** A process is gone, and with it what it held. */
  lost(peer: Peer): void {
    this.#options.seconds?.lost(peer);
    // A host that is already back under its name has another epoch.
    if (peer.role === 'host' && this.#hosts.get(peer.name)?.epoch === peer.epoch) this.#hosts.delete(peer.name);
    if (peer.role === 'gateway') {
      this.#gateways.delete(peer.name);
      this.standings.lost(peer.name);
    }
    if (peer.role === 'sidecar') this.#sidecar = undefined;
  }

  forget(name: string): void {
    this.#options.seconds?.forget(name);
    this.functions.remove(name);
    for (const key of this.#versions.keys()) if (key.startsWith(`${name}@`)) this.#versions.delete(key);
  }

  /** Once a minute: which functions and tenants have series of their own. */
  review(): void {
    this.functions.review();
    this.tenants.review();
  }

  /** @param versions  numbers to show even if nothing was counted for them */
  stats(name: string, versions: Iterable<number>): FunctionStats {
    const held = new Map<number, Held>();
    for (const host of this.#hosts.values()) {
      for (const row of host.versions) {
        if (row.function !== name) continue;
        const sum = held.get(row.version) ?? NONE_HELD;
        held.set(row.version, {
          isolates: sum.isolates + row.isolates, running: sum.running + row.running, memoryBytes: sum.memoryBytes + row.memoryBytes,
          retired: sums(sum.retired, row.retired), retiring: sum.retiring + row.retiring, keptWarm: sum.keptWarm + row.keptWarm,
        });
      }
    }
    const numbers = [...new Set(versions)].toSorted((a, b) => a - b);
    return {
      name,
      since: this.#since,
      standing: this.standings.of(name),
      callersTracked: [...this.#gateways.values()].reduce((sum, { callers }) => sum + (callers?.functions[name] ?? 0), 0),
      versions: numbers.map((version) => {
        const { totals = new Totals(), lane = 'fast', homes = 0 } = this.#versions.get(`${name}@${version}`) ?? {};
        return {
          version,
          requests: totals.requests,
          statuses: Object.fromEntries(totals.statuses),
          codes: Object.fromEntries(totals.codes),
          fallbacks: Object.fromEntries(totals.fallbacks),
          wallMs: quantilesMs(totals.wallUs),
          cpuMs: quantilesMs(totals.cpuUs),
          coldStarts: totals.coldStarts,
          coldMs: quantilesMs(totals.coldUs),
          coldPhasesMs: meanPhases(totals),
          limits: Object.fromEntries(totals.limits),
          used: { entries: totals.entries, cpuMs: ms(totals.usedUs), startupCpuMs: ms(totals.startupUs), softLimits: totals.softLimits },
          ...(held.get(version) ?? NONE_HELD),
          lane,
          homes,
        };
      }),
    };
  }

  /** Of the functions that the tenant has now. */
  tenantUsage(tenant: string): TenantUsage {
    let isolates = 0;
    let memoryBytes = 0;
    for (const host of this.#hosts.values()) {
      for (const row of host.versions) {
        if (this.#options.tenantOf(row.function) !== tenant) continue;
        isolates += row.isolates;
        memoryBytes += row.memoryBytes;
      }
    }
    let requests = 0;
    const codes: Record<string, number> = {};
    for (const [key, { totals }] of this.#versions) {
      if (this.#options.tenantOf(key.slice(0, key.lastIndexOf('@'))) !== tenant) continue;
      requests += totals.requests;
      for (const [code, count] of totals.codes) codes[code] = (codes[code] ?? 0) + count;
    }
    return { isolates, memoryBytes, requests, codes };
  }

  #takeGateway(gateway: string, figures: GatewayFigures): void {
    const { node, callers, lastGood } = figures;
    this.#gateways.set(gateway, { ...node, callers, lastGood });
    this.standings.take(gateway, figures.standing);
    for (const row of figures.versions) {
      this.node.add(row);
      const tenant = this.#options.tenantOf(row.function);
      // Requests that found no function, or one that has just been deleted, count for the node only.
      if (tenant === undefined || !Number.isSafeInteger(row.version)) continue;
      this.functions.add(row.function, row);
      this.tenants.add(tenant, row);
      const entry = this.#entryOf(row);
      entry.totals.add(row);
      entry.lane = row.lane ?? entry.lane;
      entry.homes = row.homes ?? entry.homes;
    }
    this.#dropOldest();
  }

  #takeUsed(used: HostFigures['used']): void {
    for (const row of used) {
      this.node.use(row);
      const tenant = this.#options.tenantOf(row.function);
      if (tenant === undefined || !Number.isSafeInteger(row.version)) continue;
      this.functions.use(row.function, row);
      this.tenants.use(tenant, row);
      this.#entryOf(row).totals.use(row);
    }
    this.#dropOldest();
  }

  /** The entry of a version that has news. */
  #entryOf({ function: name, version }: { readonly function: string; readonly version: number }): VersionEntry {
    const key = `${name}@${version}`;
    const entry = this.#versions.get(key) ?? { version, totals: new Totals(), lane: 'fast', homes: 0 };
    this.#versions.delete(key);
    this.#versions.set(key, entry);
    return entry;
  }

  #dropOldest(): void {
    for (const key of this.#versions.keys()) {
      if (this.#versions.size <= this.#options.versions) break;
      this.#versions.delete(key);
    }
  }
}

function meanPhases({ coldPhasesMs, coldStarts }: Totals): Record<ColdPhase, number> {
  const mean = (sumMs: number): number => (coldStarts === 0 ? 0 : Math.round((sumMs / coldStarts) * 1_000) / 1_000);
  return { queue: mean(coldPhasesMs.queue), isolate: mean(coldPhasesMs.isolate), restore: mean(coldPhasesMs.restore), handler: mean(coldPhasesMs.handler) };
}

function quantilesMs(us: LogHistogram): { p50: number | null; p99: number | null } {
  const at = (q: number): number | null => (us.total === 0 ? null : ms(us.quantile(q)));
  return { p50: at(0.5), p99: at(0.99) };
}

function ms(us: number): number {
  return Math.round(us) / 1_000;
}
