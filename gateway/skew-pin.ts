// Skew protection: a page, its assets and its later calls stay on the version that served it, for a time and while it can still be reached.
import type { RequestFacts, RouteFunction } from '../core/routing/index.ts';
import type { Skew } from '../core/schemas/index.ts';

/** What is asked of the route: its version for this request, were there no pin; 0: none is live. */
export interface Chooser {
  choose(facts: RequestFacts): number;
}

export interface Pinned {
  readonly version: number;
  /** Set-Cookie for the answer; '' for none. */
  readonly cookie: string;
}

interface Pin {
  readonly version: number;
  /** Since it was given out; 0 for a header, which does not say. */
  readonly ageMs: number;
}

/** Other gateways' clocks may be ahead by so much. */
const CLOCK_SKEW_MS = 60_000;
const VERSION = /^[1-9][0-9]{0,9}$/;
/** Version, and when it was given out, seconds since 1970. */
const COOKIE = /^([1-9][0-9]{0,9})\.([1-9][0-9]{0,10})$/;

/**
 * Of one function. Pins are not signed: whom a made-up one could lead to is bounded here. A version is held while traffic sends anybody to it,
 * and `maxAgeMs` from the moment that traffic left it (which the control plane notes); never while another is forced.
 */
export class SkewPin {
  readonly #skew: Skew;
  readonly #name: string;
  readonly #fn: RouteFunction;
  readonly #live: ReadonlySet<number>;
  readonly #now: () => number;

  /** @param now  wall clock, ms: pins outlive processes, and their ages come from browsers */
  constructor(fn: RouteFunction, skew: Skew, now: () => number = Date.now) {
    this.#fn = fn;
    this.#skew = skew;
    // The last dot parts them: names of functions have none, so no two functions of a host have the same cookie.
    this.#name = skew.by === 'cookie' ? `${skew.name}.${fn.name}` : skew.name.toLowerCase();
    const { rules = [], split = [] } = fn.traffic ?? {};
    this.#live = new Set([...rules, ...split.filter(({ weight }) => weight > 0)].map(({ version }) => version));
    this.#now = now;
  }

  /** Of the gateway's own cookie; '' when the pin is a header. */
  get cookieName(): string {
    return this.#skew.by === 'cookie' ? this.#name : '';
  }

  /**
   * The version for a request: the one that it was served before, else the one that `route` chooses.
   *
   * @param secure  the request came by https
   */
  place(route: Chooser, facts: RequestFacts, secure: boolean): Pinned {
    const nowMs = this.#now();
    const pin = this.#read(facts, nowMs);
    const held = pin !== undefined && this.#holds(pin.version, nowMs);
    const version = held ? pin.version : route.choose(facts);
    if (version === 0 || this.#skew.by === 'header') return { version, cookie: '' };
    // A page that is loaded late would have little time left: while traffic would send it here anyway, the time begins anew. Otherwise not,
    // or whoever keeps coming would never follow a change of traffic.
    const fresh = held && (pin.ageMs < this.#skew.maxAgeMs / 2 || route.choose(facts) !== version);
    return { version, cookie: fresh ? '' : this.#cookie(version, nowMs, secure) };
  }

  #read(facts: RequestFacts, nowMs: number): Pin | undefined {
    if (this.#skew.by === 'header') {
      const text = facts.header(this.#name);
      return text !== undefined && VERSION.test(text) ? { version: Number(text), ageMs: 0 } : undefined;
    }
    const [, version, issuedAtS] = COOKIE.exec(facts.cookie(this.#name) ?? '') ?? [];
    if (version === undefined) return undefined;
    const ageMs = nowMs - Number(issuedAtS) * 1_000;
    return ageMs < -CLOCK_SKEW_MS || ageMs >= this.#skew.maxAgeMs ? undefined : { version: Number(version), ageMs };
  }

  #holds(version: number, nowMs: number): boolean {
    const { forced, versions, leftAt } = this.#fn;
    if (forced !== undefined || versions[version] === undefined) return false;
    return this.#live.has(version) || nowMs < (leftAt?.[version] ?? Number.NEGATIVE_INFINITY) + this.#skew.maxAgeMs;
  }

  #cookie(version: number, nowMs: number, secure: boolean): string {
    const maxAgeS = Math.ceil(this.#skew.maxAgeMs / 1_000);
    return `${this.#name}=${version}.${Math.floor(nowMs / 1_000)}; Max-Age=${maxAgeS}; Path=/; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`;
  }
}
