// The egress guard: one URL in, checked and pinned addresses out. One lookup a check; lookups of one tenant wait for each other.
import { lookup } from 'node:dns';
import { PlatformError } from '../../core/errors/index.ts';
import { canonicalAddress } from './addresses.ts';
import type { Address } from './addresses.ts';
import { hostOf, portOf } from './policy.ts';
import type { EgressPolicy, EgressRule } from './policy.ts';

/** All addresses (A and AAAA) of a name. Rejects when it has none. */
export type Resolver = (name: string) => Promise<readonly string[]>;

/** The system's resolver (getaddrinfo), so that /etc/hosts and the search order of this machine hold. */
export const systemResolver: Resolver = (name) =>
  new Promise((resolve, reject) => {
    lookup(name, { all: true, order: 'verbatim' }, (error, addresses) => {
      if (error === null) resolve(addresses.map((a) => a.address));
      else reject(error);
    });
  });

/** What a connection to the host is pinned to. */
export interface CheckedTarget {
  readonly addresses: readonly Address[];
  /** `performance.now()` until which the check may be used again for new requests. */
  readonly freshUntilMs: number;
}

/** How long a name's check holds: as long as the shortest time to live that resolvers commonly honour. */
const NAME_FRESH_MS = 5_000;
/** More than these are checked, but not connected to. */
const MAX_PINNED = 16;
/** getaddrinfo blocks a thread of the pool; a tenant with slow names must not hold them all. */
const LOOKUPS_PER_TENANT = 2;
const MAX_WAITING_LOOKUPS = 1_000;

interface Lookup {
  readonly name: string;
  readonly resolve: (addresses: readonly string[]) => void;
  readonly reject: (error: unknown) => void;
}

interface Lane {
  running: number;
  readonly waiting: Lookup[];
}

export const refused = (rule: EgressRule): PlatformError<'egress_refused'> => new PlatformError('egress_refused', { rule });

export class EgressGuard {
  readonly #policy: EgressPolicy;
  readonly #resolver: Resolver;
  readonly #lanes = new Map<string, Lane>();
  readonly #underWay = new Map<string, Promise<readonly string[]>>();

  constructor(policy: EgressPolicy, resolver: Resolver = systemResolver) {
    this.#policy = policy;
    this.#resolver = resolver;
  }

  /**
   * Checks a URL whose host is a literal address, without waiting; undefined: it is a name.
   *
   * @throws egress_refused
   */
  checkNow(url: URL): CheckedTarget | undefined {
    const rule = this.#policy.checkUrl(url);
    if (rule !== undefined) throw refused(rule);
    const literal = canonicalAddress(hostOf(url));
    return literal === undefined ? undefined : this.#pin(url, [literal], Number.POSITIVE_INFINITY);
  }

  /**
   * Resolves the name once and checks every address that it has.
   *
   * @throws egress_refused, upstream_failed (`dns`)
   */
  async checkName(url: URL, tenant: string): Promise<CheckedTarget> {
    const host = hostOf(url);
    let texts: readonly string[];
    try {
      texts = await this.#lookup(host, tenant);
    } catch (cause) {
      if (cause instanceof PlatformError) throw cause;
      throw new PlatformError('upstream_failed', { why: 'dns' }, { cause });
    }
    if (texts.length === 0) throw new PlatformError('upstream_failed', { why: 'dns' });
    const addresses = new Map<string, Address>();
    for (const text of texts) {
      const address = canonicalAddress(text);
      // No address, or one with a zone: nothing that may be connected to.
      if (address === undefined) throw refused('address_not_public');
      addresses.set(address.address, address);
    }
    return this.#pin(url, [...addresses.values()], performance.now() + NAME_FRESH_MS);
  }

  #pin(url: URL, addresses: readonly Address[], freshUntilMs: number): CheckedTarget {
    const rule = this.#policy.checkAddresses(hostOf(url), portOf(url), addresses);
    if (rule !== undefined) throw refused(rule);
    return { addresses: addresses.slice(0, MAX_PINNED), freshUntilMs };
  }

  #lookup(name: string, tenant: string): Promise<readonly string[]> {
    const key = `${tenant}\n${name}`;
    let promise = this.#underWay.get(key);
    if (promise === undefined) {
      promise = this.#enqueue(name, tenant).finally(() => this.#underWay.delete(key));
      this.#underWay.set(key, promise);
    }
    return promise;
  }

  #enqueue(name: string, tenant: string): Promise<readonly string[]> {
    let lane = this.#lanes.get(tenant);
    if (lane === undefined) this.#lanes.set(tenant, (lane = { running: 0, waiting: [] }));
    const { waiting } = lane;
    if (waiting.length >= MAX_WAITING_LOOKUPS) return Promise.reject(new PlatformError('overloaded', { what: 'name lookups of this tenant' }));
    const answer = new Promise<readonly string[]>((resolve, reject) => waiting.push({ name, resolve, reject }));
    this.#next(tenant, lane);
    return answer;
  }

  #next(tenant: string, lane: Lane): void {
    while (lane.running < LOOKUPS_PER_TENANT) {
      const job = lane.waiting.shift();
      if (job === undefined) break;
      lane.running += 1;
      void this.#resolver(job.name)
        .then(job.resolve, job.reject)
        .finally(() => {
          lane.running -= 1;
          this.#next(tenant, lane);
        });
    }
    if (lane.running === 0) this.#lanes.delete(tenant);
  }
}
