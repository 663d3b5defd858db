// What the caches of all functions hold, in memory, within bounds: of an entry, of a tenant, of the node.
import { fieldOf } from './freshness.ts';
import type { Fields, Keeping } from './freshness.ts';
import { DEFAULT_CACHE } from './cache-head.ts';
import type { Deposit, Query } from './cache-head.ts';

export interface CacheLimits {
  /** Bytes of all entries. */
  readonly nodeBytes: number;
  /** Bytes of one tenant's entries, those under way included. */
  readonly tenantBytes: number;
  /** Body of one entry, bytes. */
  readonly entryBytes: number;
  /** Entries of one function. */
  readonly entriesPerFunction: number;
  /** Caches that one function has opened. */
  readonly cachesPerFunction: number;
}

const MIB = 1_048_576;

/** @param nodeMb  bytes of all entries in MiB; a tenant may have a quarter of it, an entry at most 8 MiB */
export function cacheLimits(nodeMb: number): CacheLimits {
  const nodeBytes = nodeMb * MIB;
  const tenantBytes = Math.floor(nodeBytes / 4);
  return { nodeBytes, tenantBytes, entryBytes: Math.min(8 * MIB, Math.floor(tenantBytes / 4)), entriesPerFunction: 10_000, cachesPerFunction: 64 };
}

/** What an entry costs besides its texts and its body, bytes: objects, links, places in maps. */
const ENTRY_OVERHEAD = 1_024;
/** Entries of one URL that differ by what their Vary names. */
const MAX_VARIANTS = 16;

export interface Entry {
  readonly deposit: Deposit;
  readonly fields: Fields;
  readonly expiresMs: number;
  readonly body: readonly Uint8Array[];
  readonly bodyBytes: number;
  readonly bytes: number;
  readonly home: FunctionCaches;
  readonly order: number;
  /** Replies that are sending it: its bytes stay counted until the last is done. */
  readers: number;
  gone: boolean;
}

class Tenant {
  bytes = 0;
  /** Entries, the one that was used longest ago first. */
  readonly recent = new Set<Entry>();
}

class FunctionCaches {
  readonly tenant: Tenant;
  /** By name, in the order of their making; entries by URL. */
  readonly caches = new Map<string, Map<string, Entry[]>>();
  entries = 0;

  constructor(tenant: Tenant) {
    this.tenant = tenant;
  }
}

/** Bytes of a body that is coming in: they count from the moment they are here. */
export interface Reservation {
  readonly tenant: Tenant;
  bytes: number;
}

const withoutSearch = (url: string): string => {
  const at = url.indexOf('?');
  return at < 0 ? url : url.slice(0, at);
};

/** Whether what `Vary` names is the same in both requests. */
function sameVariant(entry: Entry, headers: Fields): boolean {
  const vary = fieldOf(entry.fields, 'vary');
  return vary === undefined || vary.split(',').every((name) => fieldOf(entry.deposit.headers, name.trim().toLowerCase()) === fieldOf(headers, name.trim().toLowerCase()));
}

export class CacheStore {
  readonly limits: CacheLimits;
  /** Milliseconds as of `Date.now()`. */
  readonly now: () => number;
  readonly #tenants = new Map<string, Tenant>();
  /** By tenant and function: no key of one can name another's. */
  readonly #functions = new Map<string, FunctionCaches>();
  #bytes = 0;
  #order = 0;

  constructor(limits: CacheLimits, now: () => number = Date.now) {
    this.limits = limits;
    this.now = now;
  }

  get bytes(): number {
    return this.#bytes;
  }

  // ---- caches

  /** @returns false when the function has too many */
  open(tenant: string, fn: string, name: string): boolean {
    const { caches } = this.#of(tenant, fn);
    if (caches.has(name)) return true;
    if (caches.size >= this.limits.cachesPerFunction) return false;
    caches.set(name, new Map());
    return true;
  }

  has(tenant: string, fn: string, name: string): boolean {
    return this.#functions.get(scope(tenant, fn))?.caches.has(name) ?? false;
  }

  names(tenant: string, fn: string): string[] {
    return Array.from(this.#functions.get(scope(tenant, fn))?.caches.keys() ?? []);
  }

  /** @returns whether there was one */
  drop(tenant: string, fn: string, name: string): boolean {
    const home = this.#functions.get(scope(tenant, fn));
    const cache = home?.caches.get(name);
    if (home === undefined || cache === undefined) return false;
    for (const entries of Array.from(cache.values())) for (const entry of Array.from(entries)) this.#remove(entry);
    home.caches.delete(name);
    return true;
  }

  // ---- entries

  /** Entries that match, the oldest first; the expired ones among them go. */
  find(tenant: string, fn: string, query: Query): Entry[] {
    const home = this.#functions.get(scope(tenant, fn));
    if (home === undefined) return [];
    const nowMs = this.now();
    const found: Entry[] = [];
    for (const [name, cache] of home.caches) {
      if (query.cache === '' ? name === DEFAULT_CACHE : name !== query.cache) continue;
      const entries = query.url === '' || query.ignoreSearch ? Array.from(cache.values()).flat() : Array.from(cache.get(query.url) ?? []);
      const here: Entry[] = [];
      for (const entry of entries) {
        if (query.url !== '' && query.ignoreSearch && withoutSearch(entry.deposit.url) !== withoutSearch(query.url)) continue;
        if (query.url !== '' && !query.ignoreVary && !sameVariant(entry, query.headers)) continue;
        if (entry.expiresMs <= nowMs) this.#remove(entry);
        else here.push(entry);
      }
      found.push(...here.sort((a, b) => a.order - b.order));
    }
    return found;
  }

  /** Notes that the entry was used. */
  touch(entry: Entry): void {
    const { recent } = entry.home.tenant;
    if (recent.delete(entry)) recent.add(entry);
  }

  /** A reply begins to send it. */
  hold(entry: Entry): void {
    entry.readers += 1;
  }

  letGo(entry: Entry): void {
    entry.readers -= 1;
    if (entry.gone && entry.readers === 0) this.#count(entry.home.tenant, -entry.bytes);
  }

  /** @returns how many there were */
  delete(tenant: string, fn: string, query: Query): number {
    const found = this.find(tenant, fn, query);
    for (const entry of found) this.#remove(entry);
    return found.length;
  }

  reserve(tenant: string): Reservation {
    return { tenant: this.#tenant(tenant), bytes: 0 };
  }

  /** @returns false when there is no room, even after everything that may go has gone */
  grow(reservation: Reservation, bytes: number): boolean {
    if (!this.#makeRoom(reservation.tenant, bytes)) return false;
    this.#count(reservation.tenant, bytes);
    reservation.bytes += bytes;
    return true;
  }

  release(reservation: Reservation): void {
    this.#count(reservation.tenant, -reservation.bytes);
    reservation.bytes = 0;
  }

  /**
   * Puts an entry in the place of those that match its request. Takes over the reservation, which covers the body.
   *
   * @returns what is used up, or undefined
   */
  put(tenant: string, fn: string, deposit: Deposit, keep: Keeping, body: readonly Uint8Array[], reservation: Reservation): string | undefined {
    this.delete(tenant, fn, { cache: deposit.cache, url: deposit.url, headers: deposit.headers, ignoreSearch: false, ignoreVary: false });
    const overhead = ENTRY_OVERHEAD + 2 * (deposit.url.length + length(deposit.headers) + length(keep.fields) + length(deposit.about));
    const bodyBytes = reservation.bytes;
    if (!this.grow(reservation, overhead)) return this.#refuse(reservation, 'bytes in caches');
    if (!this.open(tenant, fn, deposit.cache)) return this.#refuse(reservation, 'caches of this function');
    const home = this.#of(tenant, fn);
    const cache = home.caches.get(deposit.cache) as Map<string, Entry[]>;
    if (home.entries >= this.limits.entriesPerFunction) {
      const oldest = first(home.tenant.recent, (entry) => entry.home === home);
      if (oldest !== undefined) this.#remove(oldest);
    }
    this.#order += 1;
    const entry: Entry = { deposit, fields: keep.fields, expiresMs: keep.expiresMs, body, bodyBytes, bytes: reservation.bytes, home, order: this.#order, readers: 0, gone: false };
    // The bytes are the entry's now.
    reservation.bytes = 0;
    const variants = cache.get(deposit.url);
    if (variants === undefined) cache.set(deposit.url, [entry]);
    else variants.push(entry);
    if (variants !== undefined && variants.length > MAX_VARIANTS) this.#remove(variants[0] as Entry);
    home.entries += 1;
    home.tenant.recent.add(entry);
    return undefined;
  }

  #refuse(reservation: Reservation, what: string): string {
    this.release(reservation);
    return what;
  }

  /** Evicts what was used longest ago: within the tenant first, then of whoever has most. */
  #makeRoom(tenant: Tenant, bytes: number): boolean {
    while (tenant.bytes + bytes > this.limits.tenantBytes) if (!this.#evict(tenant)) return false;
    while (this.#bytes + bytes > this.limits.nodeBytes) {
      let largest = tenant;
      for (const each of this.#tenants.values()) if (each.recent.size > 0 && (largest.recent.size === 0 || each.bytes > largest.bytes)) largest = each;
      if (!this.#evict(largest)) return false;
    }
    return true;
  }

  #evict(tenant: Tenant): boolean {
    const oldest = first(tenant.recent, (entry) => entry.readers === 0);
    if (oldest === undefined) return false;
    this.#remove(oldest);
    return true;
  }

  #remove(entry: Entry): void {
    if (entry.gone) return;
    entry.gone = true;
    const { home, deposit } = entry;
    const cache = home.caches.get(deposit.cache);
    const variants = cache?.get(deposit.url);
    if (variants !== undefined) {
      variants.splice(variants.indexOf(entry), 1);
      if (variants.length === 0) cache?.delete(deposit.url);
    }
    home.entries -= 1;
    home.tenant.recent.delete(entry);
    if (entry.readers === 0) this.#count(home.tenant, -entry.bytes);
  }

  #count(tenant: Tenant, bytes: number): void {
    tenant.bytes += bytes;
    this.#bytes += bytes;
  }

  #tenant(name: string): Tenant {
    let tenant = this.#tenants.get(name);
    if (tenant === undefined) this.#tenants.set(name, (tenant = new Tenant()));
    return tenant;
  }

  #of(tenant: string, fn: string): FunctionCaches {
    const key = scope(tenant, fn);
    let home = this.#functions.get(key);
    if (home === undefined) this.#functions.set(key, (home = new FunctionCaches(this.#tenant(tenant))));
    return home;
  }
}

function scope(tenant: string, fn: string): string {
  return JSON.stringify([tenant, fn]);
}

function length(texts: readonly string[]): number {
  let total = 0;
  for (const text of texts) total += text.length;
  return total;
}

function first<T>(items: Iterable<T>, fits: (item: T) => boolean): T | undefined {
  for (const item of items) if (fits(item)) return item;
  return undefined;
}
