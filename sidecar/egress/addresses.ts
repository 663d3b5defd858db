// IP addresses: one spelling for each, the IPv4 address inside an IPv6 one, and whether an address is global unicast.
import { BlockList, isIP } from 'node:net';

/** A checked address, in the spelling that `net` uses. */
export interface Address {
  readonly address: string;
  readonly family: 4 | 6;
}

/** IPv4 that is not global unicast: IANA special-purpose registry (RFC 6890 and its updates), multicast, class E. */
const V4_REFUSED: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8], ['10.0.0.0', 8], ['100.64.0.0', 10], ['127.0.0.0', 8], ['169.254.0.0', 16], ['172.16.0.0', 12], ['192.0.0.0', 24], ['192.0.2.0', 24],
  ['192.88.99.0', 24], ['192.168.0.0', 16], ['198.18.0.0', 15], ['198.51.100.0', 24], ['203.0.113.0', 24], ['224.0.0.0', 4], ['240.0.0.0', 4],
];

/** Inside 2000::/3, the only IPv6 block that IANA gives out as global unicast. Teredo is in 2001::/23; 6to4 (2002::/16) may hide any IPv4. */
const V6_REFUSED: readonly (readonly [string, number])[] = [
  ['2001::', 23], ['2001:db8::', 32], ['2002::', 16], ['3fff::', 20],
];

const refused = new BlockList();
for (const [net, bits] of V4_REFUSED) refused.addSubnet(net, bits, 'ipv4');
for (const [net, bits] of V6_REFUSED) refused.addSubnet(net, bits, 'ipv6');
const globalV6 = new BlockList();
globalV6.addSubnet('2000::', 3, 'ipv6');

/** The eight 16-bit groups of an IPv6 address without a zone. */
function groups(address: string): number[] {
  // The URL parser knows every spelling (dotted tails, `::` anywhere) and answers with hexadecimal groups and one `::`.
  const text = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  const [head = '', tail] = text.split('::');
  const before = head === '' ? [] : head.split(':');
  if (tail === undefined) return before.map((g) => Number.parseInt(g, 16));
  const after = tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0');
  return [...before, ...zeros, ...after].map((g) => Number.parseInt(g, 16));
}

const dotted = (high: number, low: number): string => `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;

/**
 * One spelling for each address: IPv4 dotted, IPv4-mapped IPv6 (RFC 4291 section 2.5.5.2) as the IPv4 that it is, other IPv6 as in RFC 5952.
 *
 * @returns undefined when the text is no address, or has a zone (link-local by nature)
 */
export function canonicalAddress(text: string): Address | undefined {
  const family = isIP(text);
  if (family === 4) return { address: text, family: 4 };
  if (family !== 6 || text.includes('%')) return undefined;
  const g = groups(text);
  if (g.slice(0, 5).every((n) => n === 0) && g[5] === 0xffff) return { address: dotted(g[6] ?? 0, g[7] ?? 0), family: 4 };
  return { address: new URL(`http://[${text}]/`).hostname.slice(1, -1), family: 6 };
}

/**
 * Whether a packet to the canonical address can only leave for the public internet. NAT64 (64:ff9b::/96, RFC 6052) counts as the IPv4
 * address inside it; every other way to embed one (6to4, Teredo, IPv4-compatible, local NAT64) is refused as a whole.
 */
export function isGlobalUnicast({ address, family }: Address): boolean {
  if (family === 4) return !refused.check(address, 'ipv4');
  const g = groups(address);
  if (g[0] === 0x64 && g[1] === 0xff9b && g.slice(2, 6).every((n) => n === 0)) return !refused.check(dotted(g[6] ?? 0, g[7] ?? 0), 'ipv4');
  return globalV6.check(address, 'ipv6') && !refused.check(address, 'ipv6');
}

/** Whether connecting to the address reaches this machine's loopback: Linux takes the unspecified addresses for it too. */
export function isLoopback({ address, family }: Address): boolean {
  return family === 4 ? address.startsWith('127.') || address.startsWith('0.') : address === '::1' || address === '::';
}
