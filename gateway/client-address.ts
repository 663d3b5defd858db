// Who sent a request: the peer's address, whether it is a trusted proxy, and the forwarded fields that follow from that.
import { BlockList, isIP } from 'node:net';
import { isHeaderValue } from '../core/http/index.ts';
import type { RequestHead } from './request-head.ts';

export interface PeerAddress {
  /** IPv4 in dotted form also when it came mapped into IPv6; IPv6 in short form. */
  readonly text: string;
  readonly trusted: boolean;
}

const MAX_CACHED = 8_192;
const MAPPED = /^(?:0{0,4}:){1,6}:?ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/i;

/** The usual form of an address as the listener prints it (IPv6 without any shortening). */
export function shortAddress(text: string): string {
  if (isIP(text) !== 6) return text;
  // URL writes IPv6 as RFC 5952 wants it.
  const normal = new URL(`http://[${text}]/`).hostname.slice(1, -1);
  const mapped = MAPPED.exec(normal);
  if (mapped !== null) {
    const high = Number.parseInt(mapped[1] ?? '', 16);
    const low = Number.parseInt(mapped[2] ?? '', 16);
    return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
  }
  return normal;
}

/** Addresses and CIDRs of THIMBLE_TRUSTED_PROXIES. */
export class PeerAddresses {
  readonly #trusted = new BlockList();
  readonly #known = new Map<string, PeerAddress>();

  /** @param proxies  addresses or CIDRs, checked by the settings */
  constructor(proxies: readonly string[]) {
    for (const entry of proxies) {
      const [address = '', bits] = entry.split('/');
      const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
      if (bits === undefined) this.#trusted.addAddress(address, family);
      else this.#trusted.addSubnet(address, Number(bits), family);
    }
  }

  /**
   * The address of the client itself: the peer's, or behind trusted proxies the last one of X-Forwarded-For that is not a trusted proxy's. What
   * stands in front of it the client may have written itself.
   */
  client(head: RequestHead, peer: PeerAddress): string {
    if (!peer.trusted || head.forwardedFor === '') return peer.text;
    const chain = head.forwardedFor.split(',');
    for (let i = chain.length - 1; i >= 0; i--) {
      const entry = (chain[i] ?? '').trim();
      const family = isIP(entry);
      // A proxy that we trust wrote what is no address, or one that means something to itself only: it knows no better.
      if (family === 0 || entry.includes('%')) return peer.text;
      const short = shortAddress(entry);
      if (!this.#trusted.check(short, isIP(short) === 6 ? 'ipv6' : 'ipv4')) return short;
    }
    return peer.text;
  }

  /** @param raw  as the listener gives it: ASCII */
  get(raw: ArrayBuffer): PeerAddress {
    const text = Buffer.from(raw).toString('latin1');
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    const short = shortAddress(text);
    const family = isIP(short);
    const peer = { text: short, trusted: family !== 0 && this.#trusted.check(short, family === 6 ? 'ipv6' : 'ipv4') };
    if (this.#known.size >= MAX_CACHED) this.#known.clear();
    this.#known.set(text, peer);
    return peer;
  }
}

const REQUEST_ID = /^[\u0021-\u007e]{1,128}$/;

/** The id that a trusted proxy gave the request, or ''. */
export function believedRequestId(head: RequestHead, peer: PeerAddress): string {
  return peer.trusted && REQUEST_ID.test(head.requestId) ? head.requestId : '';
}

/** `https` only when a trusted proxy says so: the gateway itself speaks plain HTTP. */
export function protocolOf(head: RequestHead, peer: PeerAddress): 'http' | 'https' {
  if (!peer.trusted || head.forwardedProto === '') return 'http';
  const first = head.forwardedProto.split(',', 1)[0] ?? '';
  return first.trim().toLowerCase() === 'https' ? 'https' : 'http';
}

/** `\nname\nvalue` of the forwarded fields that a function gets. What untrusted peers claim is dropped. */
export function forwardedFields(head: RequestHead, peer: PeerAddress, host: string, protocol: string): string {
  if (!peer.trusted) return `\nx-forwarded-for\n${peer.text}\nx-forwarded-proto\nhttp\nx-forwarded-host\n${host}`;
  const chain = head.forwardedFor !== '' && isHeaderValue(head.forwardedFor) ? `${head.forwardedFor}, ${peer.text}` : peer.text;
  const outerHost = head.forwardedHost !== '' && isHeaderValue(head.forwardedHost) ? head.forwardedHost : host;
  const others = isHeaderValue(head.forwarded.replaceAll('\n', ' ')) ? head.forwarded : '';
  return `\nx-forwarded-for\n${chain}\nx-forwarded-proto\n${protocol}\nx-forwarded-host\n${outerHost}${others}`;
}
