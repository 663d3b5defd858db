// Wrong tokens by address: counted, logged, and after too many of them refused unread.
import { isIPv4 } from 'node:net';
import type { Logger } from '../../core/log/index.ts';

/** Wrong tokens that an address may send at once, and how many more each second. */
const BURST = 60;
const PER_SEC = 1;
/** Addresses that are remembered; the one that was seen the longest ago goes first. */
const MAX_ADDRESSES = 10_000;
/** A log line of an address this often at the most; it says how many it stands for. */
const LOG_MS = 10_000;

interface Attempts {
  /** Failures that are left. */
  left: number;
  atMs: number;
  loggedMs: number;
  unlogged: number;
}

export class FailedAttempts {
  readonly #now: () => number;
  readonly #logger: Logger;
  readonly #addresses = new Map<string, Attempts>();
  /** Wrong tokens that were read. */
  failures = 0;
  /** Requests that were refused unread. */
  refused = 0;

  /** @param now  monotonic milliseconds */
  constructor(logger: Logger, now: () => number = () => performance.now()) {
    this.#logger = logger;
    this.#now = now;
  }

  /** Whether the address has used up its failures: what it sends is refused without a look, so that guessing goes at `PER_SEC` at most. */
  exhausted(address: string): boolean {
    const found = this.#addresses.get(networkOf(address));
    if (found === undefined) return false;
    this.#refill(found);
    if (found.left >= 1) return false;
    this.refused += 1;
    return true;
  }

  failed(address: string): void {
    const network = networkOf(address);
    const found = this.#addresses.get(network) ?? { left: BURST, atMs: this.#now(), loggedMs: -Infinity, unlogged: 0 };
    this.#refill(found);
    found.left = Math.max(0, found.left - 1);
    // Behind all others.
    this.#addresses.delete(network);
    this.#addresses.set(network, found);
    if (this.#addresses.size > MAX_ADDRESSES) {
      const [oldest] = this.#addresses.keys();
      if (oldest !== undefined) this.#addresses.delete(oldest);
    }
    this.failures += 1;
    found.unlogged += 1;
    if (this.#now() - found.loggedMs < LOG_MS) return;
    this.#logger.warn({ code: 'unauthorized', address, attempts: found.unlogged }, 'a token was wrong, had expired or was revoked');
    found.loggedMs = this.#now();
    found.unlogged = 0;
  }

  #refill(attempts: Attempts): void {
    const nowMs = this.#now();
    attempts.left = Math.min(BURST, attempts.left + ((nowMs - attempts.atMs) / 1_000) * PER_SEC);
    attempts.atMs = nowMs;
  }
}

/** What one client has: an IPv4 address, or the /64 of an IPv6 one (RFC 6177: a site gets at least that). */
export function networkOf(address: string): string {
  const mapped = address.startsWith('::ffff:') ? address.slice(7) : address;
  if (isIPv4(mapped) || !address.includes(':')) return mapped;
  const [head = '', tail] = address.split('%', 1)[0]?.split('::') ?? [];
  const front = head === '' ? [] : head.split(':');
  const back = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - front.length - back.length);
  return [...front, ...Array.from({ length: zeros }, () => '0'), ...back].slice(0, 4).map((group) => group.replace(/^0+(?=.)/, '')).join(':');
}
