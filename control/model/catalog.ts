// The functions in memory, as the store has them: what reads, route tables and checks look at. Changed only after a commit.
import { PlatformError } from '../../core/errors/index.ts';
import type { Change, ListOptions, RecordStore, StoredRecord } from '../../core/ports/index.ts';
import type { RouteFunction } from '../../core/routing/index.ts';
import type { Trigger } from '../../core/schemas/index.ts';
import { KEYS, functionRecordSchema, numberOfKey, removedRecordSchema, tenantRecordSchema } from './records.ts';
import type { FunctionRecord, RemovedRecord, TenantRecord } from './records.ts';
import { methodsOverlap, patternKey } from './trigger-patterns.ts';
import { VersionIndex, indexedVersionSchema } from './version-index.ts';

/** Versions that can be addressed besides those with traffic (`v7--card.localhost`): the newest ones, so that a route table stays small. */
export const ADDRESSABLE_VERSIONS = 200;

const NO_NUMBERS: ReadonlySet<number> = new Set();

interface Entry {
  readonly record: FunctionRecord;
  /** Revision of the commit that wrote it. */
  readonly revision: number;
}

interface Owner {
  readonly name: string;
  readonly trigger: Trigger;
}

export class Catalog {
  readonly #functions = new Map<string, Entry>();
  readonly #removed = new Map<string, { readonly record: RemovedRecord; readonly revision: number }>();
  readonly #versions = new VersionIndex();
  /** Versions that may get no traffic: their gates have not passed. */
  readonly #blocked = new Map<string, Set<number>>();
  readonly #owners = new Map<string, Owner[]>();
  readonly #tenants = new Map<string, TenantRecord>();
  /** Names of the functions of each tenant. */
  readonly #members = new Map<string, Set<string>>();
  #sorted: string[] | undefined;
  #revision: number;

  private constructor(revision: number) {
    this.#revision = revision;
  }

  /**
   * Reads every function of the store.
   *
   * @throws internal  a record is not of this release's form; its key is in the cause
   */
  static load(store: RecordStore): Catalog {
    const catalog = new Catalog(store.revision);
    for (const record of allOf(store, KEYS.functions)) catalog.#setFunction(parse(functionRecordSchema, record), record.revision);
    for (const record of allOf(store, KEYS.removedFunctions)) catalog.#setRemoved(parse(removedRecordSchema, record), record.revision);
    for (const record of allOf(store, KEYS.tenants)) catalog.#setTenant(parse(tenantRecordSchema, record), record.revision);
    for (const record of allOf(store, KEYS.allVersions)) catalog.#versions.set(nameOfKey(record.key), numberOfKey(record.key), parse(indexedVersionSchema, record));
    for (const { key } of allOf(store, KEYS.gateBlocks)) catalog.#setBlocked(key, true);
    return catalog;
  }

  /** Revision of the last commit. */
  get revision(): number {
    return this.#revision;
  }

  get size(): number {
    return this.#functions.size;
  }

  get(name: string): Entry | undefined {
    return this.#functions.get(name);
  }

  /** @throws not_found */
  require(name: string): Entry {
    const entry = this.#functions.get(name);
    if (entry === undefined) throw new PlatformError('not_found', { what: `function ${name}` });
    return entry;
  }

  removed(name: string): RemovedRecord | undefined {
    return this.#removed.get(name)?.record;
  }

  /** Its quotas; undefined when it never got any. */
  tenant(name: string): TenantRecord | undefined {
    return this.#tenants.get(name);
  }

  /** How many functions the tenant has. */
  functionsOf(tenant: string): number {
    return this.#members.get(tenant)?.size ?? 0;
  }

  /** Names of the tenant's functions, in no order. */
  namesOf(tenant: string): Iterable<string> {
    return this.#members.get(tenant) ?? [];
  }

  /** Tenants that have functions or quotas, in order, after `after`. */
  tenants(after: string | undefined, limit: number): readonly string[] {
    const all = [...new Set([...this.#members.keys(), ...this.#tenants.keys()])].toSorted();
    const from = after === undefined ? 0 : all.findIndex((name) => name > after);
    return from < 0 ? [] : all.slice(from, from + limit);
  }

  /** Outgoing calls per second of every tenant that has such a quota. */
  subrequestRates(): (readonly [tenant: string, perSec: number])[] {
    return [...this.#tenants.values()].filter(({ quotas }) => quotas.subrequestsPerSec > 0).map(({ name, quotas }) => [name, quotas.subrequestsPerSec] as const);
  }

  /** Names in order, after `after`. */
  names(after: string | undefined, limit: number): readonly string[] {
    this.#sorted ??= [...this.#functions.keys()].toSorted();
    if (after === undefined) return this.#sorted.slice(0, limit);
    // The first name behind `after`, by halving.
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#sorted[middle] ?? '') <= after) low = middle + 1;
      else high = middle;
    }
    return this.#sorted.slice(low, low + limit);
  }

  /** Digest by number, the oldest first. */
  digests(name: string): ReadonlyMap<number, string> {
    return this.#versions.digests(name);
  }

  /** Versions of all functions that were made from these sources. */
  usesOf(sources: string): number {
    return this.#versions.uses(sources);
  }

  /** Digest of the sources of a version. */
  sourcesOf(name: string, version: number): string | undefined {
    return this.#versions.sources(name, version);
  }

  /** The tier that a function has, or had when it was deleted. */
  tierOf(name: string): string | undefined {
    return (this.#functions.get(name)?.record ?? this.removed(name))?.tier;
  }

  /** Tiers that functions have, or had when they were deleted. */
  tiers(): string[] {
    return [...new Set([...this.#functions.values(), ...this.#removed.values()].map(({ record }) => record.tier))];
  }

  /** Versions of all functions, deleted ones included. */
  get versionCount(): number {
    return this.#versions.size;
  }

  /** Whether some version of any function has it. */
  hasDigest(digest: string): boolean {
    return this.#versions.holders(digest).length > 0;
  }

  /** Whether some version of a function in this tier has the digest. */
  needs(tier: string, digest: string): boolean {
    return this.#versions.holders(digest).some((name) => this.tierOf(name) === tier);
  }

  /** Numbers of versions whose gates have not passed. */
  blocked(name: string): ReadonlySet<number> {
    return this.#blocked.get(name) ?? NO_NUMBERS;
  }

  /** Every digest that some version of a function in this tier has; also of functions that were deleted in it. */
  digestsOf(tier: string): Set<string> {
    const all = new Set<string>();
    for (const [name, versions] of this.#versions.all()) {
      if (this.tierOf(name) === tier) for (const digest of versions.values()) all.add(digest);
    }
    return all;
  }

  /** The function, other than `name`, that already has the pattern of `trigger` with a method in common. */
  ownerOf(trigger: Trigger, name: string): Owner | undefined {
    return this.#owners.get(patternKey(trigger))?.find((owner) => owner.name !== name && methodsOverlap(owner.trigger, trigger));
  }

  /** The function as gateways get it. */
  route(name: string): RouteFunction | undefined {
    const record = this.#functions.get(name)?.record;
    if (record === undefined) return undefined;
    const live = liveVersions(record);
    const own = [...this.digests(name)].filter(([version]) => version >= record.firstVersion);
    const versions = own.filter(([version], index) => index >= own.length - ADDRESSABLE_VERSIONS || live.has(version));
    const { rps = 0, memoryMb = 0 } = this.#tenants.get(record.tenant)?.quotas ?? {};
    return {
      name,
      tenant: record.tenant,
      ...(rps > 0 || memoryMb > 0 ? { quotas: { rps, memoryMb } } : {}),
      tier: record.tier,
      public: record.public,
      debug: record.debug,
      shape: record.shape,
      limits: record.limits,
      user: record.user,
      triggers: record.triggers,
      keepWarm: record.keepWarm,
      secrets: record.secrets,
      traffic: record.traffic,
      ...(record.places === null ? undefined : { places: record.places }),
      ...(record.skew === null || Object.keys(record.leftAt).length === 0 ? undefined : { leftAt: record.leftAt }),
      ...(record.callers === null ? undefined : { callers: record.callers }),
      ...(record.fallback === null ? undefined : { fallback: record.fallback }),
      ...(record.skew === null ? undefined : { skew: record.skew }),
      ...(record.shadow === null ? undefined : { shadow: record.shadow }),
      ...(record.emergency.killed ? { killed: true as const } : undefined),
      ...(record.emergency.forced === null ? undefined : { forced: record.emergency.forced }),
      ...(Object.keys(record.aliases).length === 0 ? undefined : { aliases: record.aliases }),
      versions: Object.fromEntries(versions),
    };
  }

  routes(): RouteFunction[] {
    return [...this.#functions.keys()].map((name) => this.route(name)).filter((route) => route !== undefined);
  }

  /** What has changed after `revision`: the functions that were written and those that are gone. */
  changedSince(revision: number): { readonly upsert: readonly string[]; readonly remove: readonly string[] } {
    const after = (entries: Iterable<[string, { readonly revision: number }]>): string[] =>
      [...entries].filter(([, entry]) => entry.revision > revision).map(([name]) => name);
    return { upsert: after(this.#functions), remove: after(this.#removed) };
  }

  /** Follows a commit. @returns names of the functions that it wrote or removed */
  apply(changes: readonly Change[], revision: number): readonly string[] {
    const names: string[] = [];
    this.#revision = revision;
    for (const change of changes) {
      const { key } = change;
      if (key.startsWith(KEYS.functions)) {
        const name = key.slice(KEYS.functions.length);
        names.push(name);
        if ('remove' in change) this.#deleteFunction(name);
        else this.#setFunction(functionRecordSchema.parse(change.value), revision);
      } else if (key.startsWith(KEYS.removedFunctions)) {
        if ('remove' in change) this.#removed.delete(key.slice(KEYS.removedFunctions.length));
        else this.#setRemoved(removedRecordSchema.parse(change.value), revision);
      } else if (key.startsWith(KEYS.tenants) && !('remove' in change)) {
        const record = tenantRecordSchema.parse(change.value);
        this.#setTenant(record, revision);
        names.push(...this.namesOf(record.name));
      } else if (key.startsWith(KEYS.allVersions)) {
        if ('remove' in change) this.#versions.delete(nameOfKey(key), numberOfKey(key));
        else this.#versions.set(nameOfKey(key), numberOfKey(key), indexedVersionSchema.parse(change.value));
      } else if (key.startsWith(KEYS.gateBlocks)) {
        this.#setBlocked(key, !('remove' in change));
      }
    }
    return names;
  }

  #setFunction(record: FunctionRecord, revision: number): void {
    this.#disown(record.name);
    if (!this.#functions.has(record.name)) this.#sorted = undefined;
    this.#functions.set(record.name, { record, revision });
    const members = this.#members.get(record.tenant);
    if (members === undefined) this.#members.set(record.tenant, new Set([record.name]));
    else members.add(record.name);
    for (const trigger of record.triggers) {
      const key = patternKey(trigger);
      const owners = this.#owners.get(key);
      const owner = { name: record.name, trigger };
      if (owners === undefined) this.#owners.set(key, [owner]);
      else owners.push(owner);
    }
  }

  #deleteFunction(name: string): void {
    this.#disown(name);
    this.#functions.delete(name);
    this.#sorted = undefined;
  }

  /** Quotas are part of the routes of all functions of the tenant: they have changed with it. */
  #setTenant(record: TenantRecord, revision: number): void {
    this.#tenants.set(record.name, record);
    for (const name of this.namesOf(record.name)) {
      const entry = this.#functions.get(name);
      if (entry !== undefined) this.#functions.set(name, { record: entry.record, revision: Math.max(entry.revision, revision) });
    }
  }

  #disown(name: string): void {
    const tenant = this.#functions.get(name)?.record.tenant;
    if (tenant !== undefined) {
      const members = this.#members.get(tenant);
      members?.delete(name);
      if (members?.size === 0) this.#members.delete(tenant);
    }
    for (const trigger of this.#functions.get(name)?.record.triggers ?? []) {
      const key = patternKey(trigger);
      const left = (this.#owners.get(key) ?? []).filter((owner) => owner.name !== name);
      if (left.length === 0) this.#owners.delete(key);
      else this.#owners.set(key, left);
    }
  }

  #setRemoved(record: RemovedRecord, revision: number): void {
    this.#removed.set(record.name, { record, revision });
  }

  #setBlocked(key: string, isBlocked: boolean): void {
    const name = key.slice(KEYS.gateBlocks.length, key.lastIndexOf('/'));
    const blocked = this.#blocked.get(name) ?? new Set();
    if (isBlocked) this.#blocked.set(name, blocked.add(numberOfKey(key)));
    else if (blocked.delete(numberOfKey(key)) && blocked.size === 0) this.#blocked.delete(name);
  }
}

/** Versions that must be reachable: live, forced, shadowed, pinned or named. */
export function liveVersions(record: FunctionRecord): Set<number> {
  const { traffic, shadow, emergency, aliases, pinned } = record;
  const live = new Set([...(traffic?.rules ?? []), ...(traffic?.split ?? [])].map((part) => part.version));
  for (const version of [...Object.values(aliases), ...pinned]) live.add(version);
  if (shadow !== null) live.add(shadow.version);
  if (emergency.forced !== null) live.add(emergency.forced);
  return live;
}

function nameOfKey(key: string): string {
  return key.slice(key.indexOf('/') + 1, key.lastIndexOf('/'));
}

function parse<T>(schema: { parse(value: unknown): T }, record: StoredRecord): T {
  try {
    return schema.parse(record.value);
  } catch (cause) {
    throw new PlatformError('internal', undefined, { cause: new Error(`the record ${record.key} has an unknown form`, { cause }) });
  }
}

/** Every record below `prefix`, read page by page. */
export function* allOf(store: RecordStore, prefix: string): Generator<StoredRecord> {
  let options: ListOptions = { prefix, limit: 500 };
  for (;;) {
    const rows = store.list(options);
    yield* rows;
    const last = rows.at(-1);
    if (last === undefined) return;
    options = { prefix, after: last.key, limit: 500 };
  }
}
