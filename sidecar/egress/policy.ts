// The egress policy, pure: may this URL be fetched, may these addresses be connected to. No lookup and no socket in here.
import { BlockList } from 'node:net';
import { PlatformError } from '../../core/errors/index.ts';
import { canonicalAddress, isGlobalUnicast, isLoopback } from './addresses.ts';
import type { Address } from './addresses.ts';

/** Why an address is refused. The words are API: functions see them in the error, operators in the log. */
export type EgressRule =
  | 'url' | 'method' | 'scheme' | 'userinfo' | 'port' | 'host_name'
  /** At least one address of the host is not global unicast. */
  | 'address_not_public'
  /** A port of this node itself. */
  | 'own_port'
  /** The socket is connected to another address than the one that was checked. */
  | 'address_changed';

export interface EgressSettings {
  /** `host[:port]`, `[v6][:port]`, `CIDR[:port]`: reachable although private or loopback. */
  readonly allow: readonly string[];
  /** Ports of this node: on its own addresses only for an entry of `allow` that is exactly that host and port. */
  readonly ownPorts: readonly number[];
  /** Addresses of this machine's interfaces, beside loopback. */
  readonly ownAddresses: readonly string[];
}

/** Ports that fetch never reaches (fetch standard, "bad port"): protocols that can be spoken to with an HTTP request. 0 is no port. */
const BAD_PORTS: ReadonlySet<number> = new Set([
  0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139,
  143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659,
  4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
]);

/** Names that mean something inside a network only: special-use domains (RFC 6761, 6762, 8375) and cloud metadata services. */
const PRIVATE_SUFFIX = /(?:^|\.)(?:localhost|localdomain|local|internal|intranet|lan|home\.arpa|arpa|onion|invalid|test|example|metadata\.goog)$/;

interface AllowedAddresses {
  readonly list: BlockList;
  /** 0: any port. */
  readonly port: number;
  /** A whole address and a port: the only form that opens one of the node's own ports. */
  readonly exact: boolean;
}

/** Effective port of an http or https URL. */
export function portOf(url: URL): number {
  return url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
}

/** Host of a URL as names and addresses are compared: no brackets, no final dot. */
export function hostOf(url: URL): string {
  const { hostname } = url;
  if (hostname.startsWith('[')) return hostname.slice(1, -1);
  return hostname.endsWith('.') ? hostname.slice(0, -1) : hostname;
}

export class EgressPolicy {
  /** Allowed names: host to its ports; 0 stands for any. */
  readonly #names = new Map<string, Set<number>>();
  readonly #addresses: AllowedAddresses[] = [];
  readonly #ownPorts: ReadonlySet<number>;
  readonly #ownAddresses: ReadonlySet<string>;

  /** @throws settings_invalid  an entry of `allow` is neither a host, an address nor a CIDR */
  constructor(settings: EgressSettings) {
    this.#ownPorts = new Set(settings.ownPorts);
    this.#ownAddresses = new Set(settings.ownAddresses.map((a) => canonicalAddress(a)?.address ?? a));
    for (const entry of settings.allow) this.#allow(entry);
  }

  /** What can be said without the host's addresses; undefined: go on and check those. */
  checkUrl(url: URL): EgressRule | undefined {
    if (url.protocol !== 'http:' && url.protocol !== 'https:') return 'scheme';
    if (url.username !== '' || url.password !== '') return 'userinfo';
    const host = hostOf(url);
    const port = portOf(url);
    const address = canonicalAddress(host);
    if (BAD_PORTS.has(port) && !this.#names.get(host)?.has(port) && !(address !== undefined && this.#allowsAddress(address, port, true))) return 'port';
    if (address !== undefined || this.#allowsName(host, port)) return undefined;
    return !host.includes('.') || PRIVATE_SUFFIX.test(host) ? 'host_name' : undefined;
  }

  /** Every address must pass: one bad address among good ones is how a name is rebound. */
  checkAddresses(host: string, port: number, addresses: readonly Address[]): EgressRule | undefined {
    const named = this.#allowsName(host, port);
    for (const address of addresses) {
      if (!named && !isGlobalUnicast(address) && !this.#allowsAddress(address, port, false)) return 'address_not_public';
      if (this.#ownPorts.has(port) && (isLoopback(address) || this.#ownAddresses.has(address.address))) {
        if (!this.#names.get(host)?.has(port) && !this.#allowsAddress(address, port, true)) return 'own_port';
      }
    }
    return undefined;
  }

  #allowsName(host: string, port: number): boolean {
    const ports = this.#names.get(host);
    return ports !== undefined && (ports.has(0) || ports.has(port));
  }

  #allowsAddress({ address, family }: Address, port: number, exactly: boolean): boolean {
    const kind = family === 4 ? 'ipv4' : 'ipv6';
    return this.#addresses.some((a) => (a.port === port || (a.port === 0 && !exactly)) && (a.exact || !exactly) && a.list.check(address, kind));
  }

  #allow(entry: string): void {
    const { host, bits, port } = parseEntry(entry);
    const address = canonicalAddress(host);
    if (address === undefined) {
      if (bits !== undefined) throw invalid(entry);
      const ports = this.#names.get(host) ?? new Set<number>();
      ports.add(port);
      this.#names.set(host, ports);
      return;
    }
    const most = address.family === 4 ? 32 : 128;
    // A mapped CIDR such as ::ffff:10.0.0.0/104 counts from the IPv4 part.
    const length = bits === undefined ? most : host.includes(':') && address.family === 4 ? bits - 96 : bits;
    if (!(length >= 0 && length <= most)) throw invalid(entry);
    const list = new BlockList();
    list.addSubnet(address.address, length, address.family === 4 ? 'ipv4' : 'ipv6');
    this.#addresses.push({ list, port, exact: length === most && port !== 0 });
  }
}

const invalid = (entry: string): PlatformError =>
  new PlatformError('settings_invalid', { errors: [{ path: 'THIMBLE_EGRESS_ALLOW', message: `${entry}: must be host[:port], [v6]:port or CIDR[:port]` }] });

function parseEntry(entry: string): { readonly host: string; readonly bits: number | undefined; readonly port: number } {
  const text = entry.trim();
  // A bare IPv6 address or CIDR: its colons are no port.
  const bare = /^([0-9a-f:.]*:[0-9a-f:.]*)(?:\/(\d{1,3}))?$/i.exec(text);
  if (bare?.[1] !== undefined && canonicalAddress(bare[1]) !== undefined) {
    return { host: bare[1], bits: bare[2] === undefined ? undefined : Number(bare[2]), port: 0 };
  }
  const m = /^(\[[0-9a-f:.]+\]|[^:/[\]\s]+|[0-9a-f:.]+(?=\/))(?:\/(\d{1,3}))?(?::(\d{1,5}))?$/i.exec(text);
  if (m?.[1] === undefined) throw invalid(entry);
  const port = m[3] === undefined ? 0 : Number(m[3]);
  if (m[3] !== undefined && (port < 1 || port > 65_535)) throw invalid(entry);
  const raw = m[1].includes(':') && !m[1].startsWith('[') ? `[${m[1]}]` : m[1];
  if (!URL.canParse(`http://${raw}/`)) throw invalid(entry);
  return { host: hostOf(new URL(`http://${raw}/`)), bits: m[2] === undefined ? undefined : Number(m[2]), port };
}
