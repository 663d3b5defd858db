// What tells the callers of a function apart, read from a request: bounded in length, and such that nobody chooses where it lands in a table.
import { sha256Hex } from '../../core/crypto/index.ts';

/** Longer keys are told apart by their SHA-256: 65 characters with its mark, so that no key as it came looks like one. */
const MAX_PLAIN = 63;

/** Parts of a request that a key can come from. */
export interface CallerFacts {
  header(name: string): string | undefined;
  cookie(name: string): string | undefined;
  user(): string | undefined;
}

export type KeyReader = (facts: CallerFacts, address: string) => string;

/** @param by  `header:NAME`, `cookie:NAME`, `user` or `address` (core/schemas/delivery.ts) */
export function keyReader(by: string): KeyReader {
  const name = by.slice(by.indexOf(':') + 1);
  if (by === 'address') return (_, address) => tableKey(addressBlock(address));
  if (by === 'user') return (facts) => tableKey(facts.user());
  if (by.startsWith('cookie:')) return (facts) => tableKey(facts.cookie(name));
  const field = name.toLowerCase();
  return (facts) => tableKey(facts.header(field));
}

/**
 * The key as the table has it. Without one: a single key for all who have none.
 *
 * The mark in front also keeps keys from being read as numbers: V8 places those in a map by their value, so that they can be made to collide.
 */
function tableKey(key: string | undefined): string {
  if (key === undefined || key === '') return '';
  return key.length <= MAX_PLAIN ? `=${key}` : `#${sha256Hex(key)}`;
}

/**
 * An IPv4 address, or the first 64 bits of an IPv6 one: what is behind them is one site's to choose (RFC 4291 section 2.5.4, RFC 6177), so
 * a single caller has as many addresses as it likes.
 *
 * @param address  in short form (client-address.ts)
 */
export function addressBlock(address: string): string {
  if (!address.includes(':')) return address;
  const [head = '', tail] = address.split('::', 2);
  const front = head === '' ? [] : head.split(':');
  const back = tail === undefined || tail === '' ? [] : tail.split(':');
  const groups = tail === undefined ? front : [...front, ...Array.from({ length: Math.max(0, 8 - front.length - back.length) }, () => '0'), ...back];
  return groups.slice(0, 4).join(':');
}
