// Version snapshots of the node: which versions need one, the queue of builds, what came of them, and the switches.
import type { ConfinedPrograms, SnapshotPrograms } from '../../core/config/index.ts';
import { sha256Hex } from '../../core/crypto/index.ts';
import type { Logger } from '../../core/log/index.ts';
import type { RecordStore } from '../../core/ports/index.ts';
import type { HostFigures } from '../../core/protocol/index.ts';
import { EARNED_MS, REBUILD_REASONS, isSnapshotReason } from '../../core/versions/index.ts';
import type { SnapshotReason } from '../../core/versions/index.ts';
import { KEYS } from '../model/index.ts';
import type { Catalog, FunctionRecord } from '../model/index.ts';
import { makeSnapshot } from './make.ts';
import { hasNoNetwork } from './program.ts';
import type { Made } from './make.ts';
import { snapshotRecordSchema } from './records.ts';
import type { SnapshotRecord } from './records.ts';
import type { SnapshotFiles } from './snapshot-files.ts';

export interface SnapshotView {
  readonly state: 'pending' | 'ready' | 'none';
  readonly bytes?: number;
  readonly reason?: SnapshotReason;
}

export interface SnapshotsOptions {
  readonly store: RecordStore;
  readonly catalog: Catalog;
  /** By trust tier. */
  readonly files: (tier: string) => SnapshotFiles;
  readonly programs: SnapshotPrograms;
  readonly logger: Logger;
  /** For tests. */
  readonly make?: typeof makeSnapshot;
  /** Evaluation that takes longer earns a snapshot, milliseconds. Default `EARNED_MS`. */
  readonly earnedMs?: number;
}

interface Waiting {
  readonly name: string;
  readonly version: number;
}

/** Versions that wait for a build; live ones that find no place are looked for again when it is empty. */
const MAX_WAITING = 10_000;
const PAGE = 1_000;
/** Times that a version is built again since hosts found its files at fault, while this process lives. */
const MAX_REBUILDS = 3;
/** Builds of one version that ended by the machine's fault. */
const MAX_TRIES = 3;
/** Reasons that follow from code and environment alone: they hold for every version of the digest. */
const OF_THE_CODE: readonly SnapshotReason[] = [
  'not_earned', 'touches_fetch', 'touches_timer', 'touches_random', 'touches_clock', 'touches_host', 'touches_intl', 'touches_wasm', 'touches_finalization', 'touches_unavailable',
];
/** Reasons of hosts by which the module is at fault, or what it was given. */
const NOT_AGAIN: readonly SnapshotReason[] = ['hook_threw', 'touches_secret', 'restore_failed'];

const keyOf = (name: string, version: number): string => `${name}@${version}`;

export class Snapshots {
  readonly #options: SnapshotsOptions;
  readonly #records = new Map<string, SnapshotRecord>();
  /** Reasons that are not kept: another try may end otherwise. */
  readonly #passing = new Map<string, { readonly reason: SnapshotReason; readonly tries: number }>();
  readonly #byDigest = new Map<string, SnapshotRecord>();
  /** In order. */
  readonly #waiting = new Map<string, Waiting>();
  readonly #off = new Set<string>();
  readonly #rebuilds = new Map<string, number>();
  readonly #stop = new AbortController();
  readonly #builds = new Map<string, number>();
  #building: string | undefined;
  #work: Promise<void> = Promise.resolve();
  #disk: Promise<void> = Promise.resolve();
  #confined: ConfinedPrograms = {};
  /** Key and folder of the platform; null: there is none, undefined: not known yet. */
  #platform: { readonly key: string; readonly folder: string } | null | undefined;
  #overflowed = false;

  constructor(options: SnapshotsOptions) {
    this.#options = options;
    for (const { key, value } of this.#rows(KEYS.snapshots)) this.#keep(versionKey(key), snapshotRecordSchema.parse(value));
    for (const { key } of this.#rows(KEYS.snapshotSwitches)) this.#off.add(versionKey(key));
  }

  /** Builds by what came of them: `ready` or a reason. */
  get builds(): ReadonlyMap<string, number> {
    return this.#builds;
  }

  get waiting(): number {
    return this.#waiting.size + (this.#building === undefined ? 0 : 1);
  }

  /** The supervisor says which platform hosts run on. The first time, everything is looked over: after an upgrade, or a build that was cut short. */
  setPlatform(folder: string | null): void {
    if (this.#platform?.folder === folder || (this.#platform === null && folder === null)) return;
    this.#platform = folder === null ? null : { folder, key: folder.slice(folder.lastIndexOf('/') + 1) };
    this.#lookOver();
    this.#run();
  }

  /** The supervisor says what starts programs confined as the hosts of each tier are. */
  confine(confined: ConfinedPrograms): void {
    this.#confined = confined;
  }

  view(name: string, version: number, digest: string): SnapshotView {
    const key = keyOf(name, version);
    if (this.#off.has(key)) return { state: 'none', reason: 'switched_off' };
    if (!this.#options.programs.enabled) return { state: 'none', reason: 'switched_off_node' };
    if (this.#platform === null) return { state: 'none', reason: 'no_platform' };
    if (this.#waiting.has(key) || this.#building === key) return { state: 'pending' };
    const record = this.#current(key, digest) ?? this.#byDigest.get(this.#digestKey(digest));
    if (record !== undefined) return record.reason === null ? { state: 'ready', bytes: record.bytes } : { state: 'none', ...reasonOf(record) };
    return { state: 'none', reason: this.#passing.get(key)?.reason ?? 'not_built' };
  }

  /** A version was made, or its switch was turned on. */
  wanted(name: string, version: number): void {
    this.#enqueue(name, version);
    this.#run();
  }

  /** Functions were changed: traffic may have gone to versions that have none, or secrets may be others. */
  changed(names: readonly string[]): void {
    for (const name of names) this.#look(name, false);
    this.#run();
  }

  /** A host has loaded versions without their snapshots. */
  fallen(rows: HostFigures['snapshots']['fallen']): void {
    for (const { function: name, version, digest, sha256, reason } of rows) {
      const key = keyOf(name, version);
      const record = this.#current(key, digest);
      if (!isSnapshotReason(reason) || record?.reason !== null || (sha256 !== '' && record.sha256 !== sha256)) continue;
      if (NOT_AGAIN.includes(reason)) this.#takeAway(name, version, { ...record, reason, bytes: 0, sha256: '', secretNames: this.#secretNames(name) });
      else if (REBUILD_REASONS.includes(reason) && (this.#rebuilds.get(key) ?? 0) < MAX_REBUILDS) {
        this.#rebuilds.set(key, (this.#rebuilds.get(key) ?? 0) + 1);
        this.#records.delete(key);
        this.wanted(name, version);
      }
    }
  }

  /** After the switch of a version was committed. */
  async switched(name: string, version: number, digest: string, enabled: boolean): Promise<void> {
    const key = keyOf(name, version);
    if (enabled) {
      this.#off.delete(key);
      this.#records.delete(key);
      this.wanted(name, version);
      return;
    }
    this.#off.add(key);
    this.#waiting.delete(key);
    const tier = this.#options.catalog.get(name)?.record.tier;
    if (tier !== undefined) await this.#inTurn(() => this.#options.files(tier).withdraw(digest, name, version));
  }

  /** These versions exist no more. Their records went with them, and their files go with their folders. */
  forget(name: string, versions: readonly number[]): void {
    for (const key of versions.map((version) => keyOf(name, version))) {
      const { digest = '', platform = '' } = this.#records.get(key) ?? {};
      if (!this.#options.catalog.hasDigest(digest)) this.#byDigest.delete(`${digest} ${platform}`);
      this.#records.delete(key);
      this.#passing.delete(key);
      this.#waiting.delete(key);
      this.#off.delete(key);
      this.#rebuilds.delete(key);
    }
  }

  isOff(name: string, version: number): boolean {
    return this.#off.has(keyOf(name, version));
  }

  /** Ends the build under way; it is begun again at the next start. */
  async close(): Promise<void> {
    this.#stop.abort();
    this.#waiting.clear();
    await this.#work;
    await this.#disk;
  }

  /** Writes and removals of files, one after the other. */
  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const done = this.#disk.then(task);
    this.#disk = done.then(() => {}, () => {});
    return done;
  }

  #takeAway(name: string, version: number, record: SnapshotRecord): void {
    // At once, so that what comes next does not find it ready.
    this.#keep(keyOf(name, version), record);
    this.#inTurn(() => this.#settle(name, version, record)).catch((error: unknown) => this.#options.logger.error({ err: error, function: name, version }, 'a version snapshot could not be taken away'));
  }

  *#rows(prefix: string): Generator<{ readonly key: string; readonly value: unknown }> {
    for (let after: string | undefined; ; ) {
      const rows = this.#options.store.list({ prefix, limit: PAGE, ...(after === undefined ? undefined : { after }) });
      yield* rows;
      after = rows.at(-1)?.key;
      if (rows.length < PAGE) return;
    }
  }

  #digestKey(digest: string): string {
    return `${digest} ${this.#platform?.key ?? ''}`;
  }

  #keep(key: string, record: SnapshotRecord): void {
    this.#records.set(key, record);
    if (record.reason !== null && OF_THE_CODE.some((reason) => reason === record.reason)) this.#byDigest.set(`${record.digest} ${record.platform}`, record);
  }

  /** The record if it is of this version's files and of the platform in use. */
  #current(key: string, digest: string): SnapshotRecord | undefined {
    const record = this.#records.get(key);
    return record !== undefined && record.digest === digest && record.platform === this.#platform?.key ? record : undefined;
  }

  #secretNames(name: string): string[] {
    return this.#options.catalog.get(name)?.record.secretNames ?? [];
  }

  #lookOver(): void {
    this.#overflowed = false;
    let after: string | undefined;
    do {
      const names = this.#options.catalog.names(after, PAGE);
      for (const name of names) this.#look(name, true);
      after = names.length < PAGE ? undefined : names.at(-1);
    } while (after !== undefined);
  }

  /** @param newest  the newest version too, live or not: its build may have been cut short */
  #look(name: string, newest: boolean): void {
    const record = this.#options.catalog.get(name)?.record;
    if (record === undefined) return;
    const live = new Set([...(record.traffic?.rules ?? []), ...(record.traffic?.split ?? [])].map((part) => part.version));
    if (newest && record.lastVersion >= record.firstVersion) live.add(record.lastVersion);
    const digests = this.#options.catalog.digests(name);
    for (const version of live) {
      const digest = digests.get(version);
      if (digest !== undefined && this.#lacks(record, version, digest)) this.#enqueue(name, version);
    }
  }

  #lacks(record: FunctionRecord, version: number, digest: string): boolean {
    const key = keyOf(record.name, version);
    const known = this.#current(key, digest);
    if (known === undefined) return this.#byDigest.get(this.#digestKey(digest)) === undefined && (this.#passing.get(key)?.tries ?? 0) < MAX_TRIES;
    // What follows comes of settings of the function, which may have changed.
    if (known.tier !== record.tier) return true;
    if (known.reason === 'touches_secret') return known.secretNames.join() !== record.secretNames.join();
    if (known.reason === 'switched_off_node') return this.#options.programs.enabled;
    if (known.reason === 'switched_off') return !this.#off.has(key);
    return (known.reason === 'wasm') !== record.limits.wasm;
  }

  #enqueue(name: string, version: number): void {
    if (this.#stop.signal.aborted || this.#building === keyOf(name, version)) return;
    if (this.#waiting.size < MAX_WAITING) this.#waiting.set(keyOf(name, version), { name, version });
    else this.#overflowed = true;
  }

  /** One build at a time, as long as any waits. */
  #run(): void {
    if (this.#building !== undefined || this.#platform === undefined || this.#stop.signal.aborted) return;
    const [next] = this.#waiting;
    if (next === undefined) {
      if (this.#overflowed) setImmediate(() => this.#refill());
      return;
    }
    const [key, { name, version }] = next;
    this.#waiting.delete(key);
    this.#building = key;
    this.#work = this.#build(name, version)
      .catch((error: unknown) => {
        this.#passing.set(key, { reason: 'storage_failed', tries: (this.#passing.get(key)?.tries ?? 0) + 1 });
        this.#options.logger.error({ err: error, function: name, version }, 'a version snapshot could not be built');
      })
      .then(() => {
        this.#building = undefined;
        // Thousands that need nothing must not starve the loop.
        setImmediate(() => this.#run());
      });
  }

  /** The queue was full once: what found no place is looked for again. */
  #refill(): void {
    if (!this.#overflowed || this.#stop.signal.aborted) return;
    this.#lookOver();
    this.#run();
  }

  async #build(name: string, version: number): Promise<void> {
    const { catalog, files, programs, logger } = this.#options;
    const platform = this.#platform;
    const record = catalog.get(name)?.record;
    const digest = catalog.digests(name).get(version);
    const key = keyOf(name, version);
    // Deleted meanwhile, or another version of the same code has told.
    if (platform === null || platform === undefined || record === undefined || digest === undefined) return;
    if (!this.#lacks(record, version, digest)) return;
    const { bundle, environment } = await files(record.tier).read(digest);
    const withheld: SnapshotReason | null = this.#off.has(key) ? 'switched_off' : !programs.enabled ? 'switched_off_node' : record.limits.wasm ? 'wasm' : null;
    const job = {
      platformFolder: platform.folder, function: name, version, shape: record.shape, environment: { ...environment }, secretNames: record.secretNames, memoryMb: record.limits.memoryMb,
      earnedMs: this.#options.earnedMs ?? EARNED_MS, withheld,
    };
    const startedMs = performance.now();
    const made = await (this.#options.make ?? makeSnapshot)(programs, job, bundle, this.#stop.signal, this.#confined[record.tier]);
    if (this.#stop.signal.aborted) return;
    const outcome = made.reason ?? 'ready';
    this.#builds.set(outcome, (this.#builds.get(outcome) ?? 0) + 1);
    logger.info({ function: name, version, outcome, detail: made.detail, evaluateMs: made.evaluateMs, bytes: made.blob.length, codeCacheBytes: made.codeCache.length, noNetwork: hasNoNetwork(), buildMs: Math.round(performance.now() - startedMs) }, 'a version snapshot was built, or found not to be');
    if (made.again) {
      const tries = (this.#passing.get(key)?.tries ?? 0) + 1;
      this.#passing.set(key, { reason: made.reason ?? 'build_aborted', tries });
      if (tries < MAX_TRIES) this.#waiting.set(key, { name, version });
      return;
    }
    await this.#inTurn(() => this.#publish(record, version, digest, made, platform.key, bundle));
  }

  async #publish(record: FunctionRecord, version: number, digest: string, made: Made, platform: string, bundle: string): Promise<void> {
    const { catalog } = this.#options;
    const { name, secretNames, tenant, tier } = record;
    const files = this.#options.files(tier);
    const isGone = (): boolean => catalog.digests(name).get(version) !== digest;
    // Purged while its snapshot was built: its folder is not to come back.
    if (isGone()) return;
    const { reason, detail, evaluateMs, environment, engine, blob, sha256, heapBytes, codeCache } = made;
    if (engine !== null && codeCache.length > 0) {
      await files.publishCodeCache(digest, { format: 1, bundleSha256: sha256Hex(bundle), engine, sha256: sha256Hex(codeCache), bytes: codeCache.length }, codeCache);
    }
    const isOff = (): boolean => this.isOff(name, version) || catalog.get(name) === undefined || isGone();
    const publishes = reason === null && engine !== null && !isOff();
    if (publishes) {
      await files.publish({ format: 1, tenant, function: name, version, digest, engine, environment: [...environment], sha256, bytes: blob.length, heapBytes }, blob);
      // Switched off in the middle of it.
      if (isOff()) await files.withdraw(digest, name, version);
    }
    await this.#settle(name, version, {
      digest, tier, platform, reason: reason === null && !publishes ? 'switched_off' : reason, detail, evaluateMs, bytes: publishes ? blob.length : 0, sha256: publishes ? sha256 : '', codeCacheBytes: codeCache.length, secretNames,
      builtAt: new Date().toISOString(),
    });
  }

  /** Keeps what is known of a version from now on; what it had before goes when there is nothing now. */
  async #settle(name: string, version: number, record: SnapshotRecord): Promise<void> {
    const { store, files } = this.#options;
    this.#keep(keyOf(name, version), record);
    this.#passing.delete(keyOf(name, version));
    if (record.reason !== null) await files(record.tier).withdraw(record.digest, name, version);
    // Read and written in one turn: a purge is before both, or after both and takes this record too.
    if (store.get(KEYS.version(name, version)) === undefined) this.forget(name, [version]);
    else await store.commit([{ key: KEYS.snapshot(name, version), value: record }]);
  }
}

function reasonOf({ reason }: SnapshotRecord): { readonly reason?: SnapshotReason } {
  return reason !== null && isSnapshotReason(reason) ? { reason } : {};
}

/** `NAME@VERSION` from the key of a record. */
function versionKey(key: string): string {
  const [, name = '', version = ''] = key.split('/');
  return keyOf(name, Number(version));
}
