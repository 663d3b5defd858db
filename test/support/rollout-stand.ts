// Rollouts on a fake clock: the real engine, ledger and catalog over a store in memory, and made-up traffic that follows the split.
import { Catalog, EmergencySwitches, KEYS, Ledger, TrafficControl, frozenBy, functionRecordSchema } from '../../control/model/index.ts';
import type { FunctionRecord } from '../../control/model/index.ts';
import { Rollouts } from '../../control/rollouts/index.ts';
import type { RolloutRecord } from '../../control/rollouts/index.ts';
import type { Series, Window } from '../../control/sensing/window.ts';
import { createLogger } from '../../core/log/index.ts';
import { LogHistogram } from '../../core/metrics/index.ts';
import type { RecordStore } from '../../core/ports/index.ts';
import { limitsSchema, rolloutPostSchema } from '../../core/schemas/index.ts';
import { MemoryStore } from './control-memory-store.ts';
import { randomOf } from './seed.ts';

export const FN = 'card';
export const ME = { name: 'me', from: '127.0.0.1' };
const EPOCH_MS = Date.parse('2026-01-01T00:00:00.000Z');

/** How a version answers. Latencies and CPU times are log-normal. */
export interface Behaviour {
  /** Share of requests that fail. */
  readonly failing: number;
  /** Milliseconds in the middle. */
  readonly wallMs: number;
  readonly cpuMs?: number;
  /** Standard deviation of the logarithm: 0.5 is a p99 of 3.2 times the p50, 1 one of 10 times. */
  readonly spread?: number;
  /** A share of requests that takes so many times as long. */
  readonly tail?: { readonly share: number; readonly times: number };
  /** Of an isolate. */
  readonly memoryMb?: number;
  /** Requests that were cold starts (100 ms), in each of the first seconds of the version. */
  readonly cold?: { readonly perSecond: number; readonly seconds: number };
}

export interface StandOptions {
  readonly seed: number;
  /** Requests a second, at random times. */
  readonly perSec: number;
  /** By version, at a time in milliseconds since the stand began. */
  readonly behaviour: (version: number, atMs: number) => Behaviour;
  readonly store?: RecordStore;
  readonly split?: FunctionRecord['traffic'];
  /** From the end of a second until its figures can be read. */
  readonly lagMs?: number;
}

const SLICE_MS = 500;
const TABLE = 8_192;
const tables = new Map<string, Uint8Array>();

/** Bucket by quantile, of a log-normal time in microseconds. */
function tableOf(medianUs: number, spread: number): Uint8Array {
  const key = `${medianUs}/${spread}`;
  const found = tables.get(key);
  if (found !== undefined) return found;
  const table = Uint8Array.from({ length: TABLE }, (_, i) => {
    const us = medianUs * Math.exp(spread * normalQuantile((i + 0.5) / TABLE));
    return Math.max(0, Math.ceil(Math.log2(us) * 4));
  });
  tables.set(key, table);
  return table;
}

/** Of the standard normal distribution, by halving on its distribution function (Abramowitz and Stegun 26.2.17, error below 7.5e-8). */
function normalQuantile(p: number): number {
  let low = -6;
  let high = 6;
  for (let i = 0; i < 50; i++) {
    const middle = (low + high) / 2;
    if (normalBelow(middle) < p) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

function normalBelow(x: number): number {
  const t = 1 / (1 + 0.231_641_9 * Math.abs(x));
  const poly = t * (0.319_381_53 + t * (-0.356_563_782 + t * (1.781_477_937 + t * (-1.821_255_978 + t * 1.330_274_429))));
  const above = (Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)) * poly;
  return x >= 0 ? 1 - above : above;
}

interface Cell {
  requests: number;
  failed: number;
  coldStarts: number;
  readonly wallUs: LogHistogram;
  readonly cpuUs: LogHistogram;
  readonly memoryBytes: number;
}

/** Figures by version and second. */
class MadeSeries implements Series {
  readonly cells = new Map<string, Cell>();
  upToMs = 0;

  window(_fn: string, version: number, fromMs: number, toMs: number): Window {
    const cell = this.cells.get(`${version}/${fromMs}`);
    const none = new LogHistogram();
    return {
      fromMs, toMs, codes: new Map(), requests: cell?.requests ?? 0, failed: cell?.failed ?? 0, coldStarts: cell?.coldStarts ?? 0,
      wallUs: cell?.wallUs ?? none, cpuUs: cell?.cpuUs ?? none, memoryBytes: cell?.memoryBytes ?? 0, isolates: cell === undefined ? 0 : 1,
    };
  }
}

export class RolloutStand {
  readonly store: RecordStore;
  readonly catalog: Catalog;
  readonly ledger: Ledger;
  readonly traffic: TrafficControl;
  readonly switches: EmergencySwitches;
  readonly series = new MadeSeries();
  /** Of all versions. */
  requests = 0;
  failed = 0;
  readonly #options: StandOptions;
  readonly #random: () => number;
  #nowMs = EPOCH_MS;
  #rollouts: Rollouts;
  /** false: no figures come. */
  reporting = true;

  private constructor(options: StandOptions, store: RecordStore) {
    this.#options = options;
    this.#random = randomOf(options.seed);
    this.store = store;
    this.catalog = Catalog.load(store);
    this.ledger = new Ledger({
      store,
      catalog: this.catalog,
      onCommit: () => {},
      now: () => new Date(this.#nowMs),
      frozen: (name) => frozenBy(store, this.catalog, name),
      accompany: (changes, actor, now) => this.#rollouts.accompany(changes, actor, now),
    });
    this.traffic = new TrafficControl(this.catalog, this.ledger);
    this.switches = new EmergencySwitches({ store, catalog: this.catalog, ledger: this.ledger });
    this.#rollouts = this.#engine();
  }

  /** A function with versions 1 to 3, version 1 live. */
  static async open(options: StandOptions): Promise<RolloutStand> {
    const store = options.store ?? new MemoryStore();
    const at = new Date(EPOCH_MS).toISOString();
    const record = functionRecordSchema.parse({
      name: FN, tenant: 'default', limits: limitsSchema.parse({}), env: {}, secretNames: [], secrets: '', triggers: [], bindings: {}, public: true, debug: false, keepWarm: 0, shape: 'auto', user: null,
      traffic: options.split ?? { rules: [], split: [{ version: 1, weight: 100 }] }, history: [], lastVersion: 3, firstVersion: 1, createdAt: at, changedAt: at,
    });
    const version = (number: number): unknown => ({ version: number, digest: `sha256-${number}`, bytes: 1, buildMs: 1, message: null, from: null, main: 'a.js', sources: 's', env: {}, bindings: {}, createdAt: at, createdBy: 'me' });
    await store.commit([{ key: KEYS.function(FN), value: record }, ...[1, 2, 3].map((number) => ({ key: KEYS.version(FN, number), value: version(number) }))]);
    return new RolloutStand(options, store);
  }

  get rollouts(): Rollouts {
    return this.#rollouts;
  }

  /** Milliseconds since the stand began. */
  get elapsedMs(): number {
    return this.#nowMs - EPOCH_MS;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  get record(): FunctionRecord {
    return this.catalog.require(FN).record;
  }

  async start(post: Readonly<Record<string, unknown>>): Promise<RolloutRecord> {
    return (await this.#rollouts.start(ME, FN, rolloutPostSchema.parse(post))).result;
  }

  /** Lets time pass; `done` ends it early. @returns whether it did */
  async run(ms: number, done: () => boolean = () => false): Promise<boolean> {
    for (const endMs = this.#nowMs + ms; this.#nowMs < endMs; ) {
      this.#slice();
      this.#nowMs += SLICE_MS;
      const upToMs = Math.floor((this.#nowMs - (this.#options.lagMs ?? 500)) / 1_000) * 1_000;
      if (this.reporting) this.series.upToMs = upToMs;
      await this.#rollouts.tick();
      if (done()) return true;
    }
    return false;
  }

  /** Until the rollout is over, at most `ms`. */
  async finish(number: number, ms: number): Promise<RolloutRecord> {
    await this.run(ms, () => this.#rollouts.watchOf(FN) === undefined);
    return this.#rollouts.get(FN, number);
  }

  /** The control plane dies, and all that it had in memory with it. */
  restart(): void {
    this.series.cells.clear();
    this.#rollouts = this.#engine();
  }

  #engine(): Rollouts {
    const logger = createLogger({ name: 'control', level: 'silent' });
    return new Rollouts({ store: this.store, catalog: this.catalog, ledger: this.ledger, series: this.series, logger, now: () => this.#nowMs });
  }

  /** Requests of the next half second, by the split that holds now. */
  #slice(): void {
    const { perSec, behaviour } = this.#options;
    const split = this.record.traffic?.split ?? [];
    const secondMs = Math.floor(this.#nowMs / 1_000) * 1_000;
    const counts = new Map<number, number>();
    for (let i = 0; i < (perSec * SLICE_MS) / 1_000; i++) {
      let place = this.#random() * 100;
      const version = split.find((part) => (place -= part.weight) < 0)?.version ?? 0;
      counts.set(version, (counts.get(version) ?? 0) + 1);
    }
    for (const [version, count] of counts) {
      const how = behaviour(version, this.elapsedMs);
      const wall = tableOf(how.wallMs * 1_000, how.spread ?? 0.5);
      const { share = 0, times = 1 } = how.tail ?? {};
      const tail = tableOf(how.wallMs * 1_000 * times, how.spread ?? 0.5);
      const cpu = tableOf((how.cpuMs ?? 1) * 1_000, 0.3);
      const cell = this.#cell(version, secondMs, how);
      let cold = how.cold !== undefined && this.elapsedMs < how.cold.seconds * 1_000 ? how.cold.perSecond : 0;
      for (let i = 0; i < count; i++) {
        cell.requests += 1;
        if (this.#random() < how.failing) {
          cell.failed += 1;
          this.failed += 1;
        }
        const isCold = cold-- > 0;
        if (isCold) cell.coldStarts += 1;
        cell.wallUs.addPairs([[isCold ? Math.ceil(Math.log2(100_000) * 4) : ((share > 0 && this.#random() < share ? tail : wall)[Math.floor(this.#random() * TABLE)] ?? 0), 1]]);
        cell.cpuUs.addPairs([[cpu[Math.floor(this.#random() * TABLE)] ?? 0, 1]]);
      }
      this.requests += count;
    }
  }

  #cell(version: number, secondMs: number, { memoryMb = 10 }: Behaviour): Cell {
    const key = `${version}/${secondMs}`;
    const found = this.series.cells.get(key);
    if (found !== undefined) return found;
    // A level that moves a little.
    const cell: Cell = { requests: 0, failed: 0, coldStarts: 0, wallUs: new LogHistogram(), cpuUs: new LogHistogram(), memoryBytes: memoryMb * 1_048_576 * (0.8 + 0.4 * this.#random()) };
    this.series.cells.set(key, cell);
    return cell;
  }
}
