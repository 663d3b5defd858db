// Connections that can only go to checked addresses: the lookup is pinned, and the connected socket is looked at again.
import type { Socket } from 'node:net';
import { buildConnector } from 'undici';
import { PlatformError } from '../../../core/errors/index.ts';
import { canonicalAddress, refused } from '../../egress/index.ts';
import type { Address } from '../../egress/index.ts';

/** Opens a socket, like undici's connector; tests put their own in. */
export type Connect = (options: buildConnector.Options, callback: buildConnector.Callback) => Socket | undefined;

/** Makes a `Connect` that resolves every name with `lookup`. */
export type ConnectFactory = (lookup: PinnedLookup) => Connect;

type LookupCallback = (error: NodeJS.ErrnoException | null, address: string | { address: string; family: number }[], family?: number) => void;
export type PinnedLookup = (hostname: string, options: { readonly all?: boolean | undefined }, callback: LookupCallback) => void;

const CONNECT_MS = 5_000;

/** @param ca  certificates to trust beside the system's, PEM; none by default */
export function systemConnect(ca?: string): ConnectFactory {
  return (lookup) => {
    const connector = buildConnector({ allowH2: false, timeout: CONNECT_MS, lookup: lookup as never, ...(ca === undefined ? {} : { ca }) } as buildConnector.BuildOptions);
    // The declared type says void, but undici's connector returns the socket that it opens (8.12, lib/core/connect.js).
    return connector as unknown as Connect;
  };
}

/** The pinned side of one origin: connects to `addresses()` only, whatever the name would resolve to now. */
export class PinnedConnector {
  readonly #addresses: () => readonly Address[];
  readonly #connect: Connect;

  constructor(factory: ConnectFactory, addresses: () => readonly Address[]) {
    this.#addresses = addresses;
    this.#connect = factory((_hostname, options, callback) => {
      const list = addresses().map(({ address, family }) => ({ address, family }));
      const first = list[0];
      if (first === undefined) callback(new PlatformError('upstream_failed', { why: 'dns' }), []);
      else if (options.all === true) callback(null, list);
      else callback(null, first.address, first.family);
    });
  }

  /** @returns the socket that is being opened, so that the caller can give it up */
  connect(options: buildConnector.Options, callback: buildConnector.Callback): Socket | undefined {
    return this.#connect(options, (...result) => {
      const [error, socket] = result;
      if (error !== null) {
        callback(error, null);
        return;
      }
      if (this.#isPinned(socket)) {
        callback(null, socket);
        return;
      }
      socket.on('error', () => {});
      socket.destroy();
      // A closed socket has no address any more: that is a reset, not a trick.
      callback(socket.remoteAddress === undefined ? Object.assign(new Error('closed'), { code: 'ECONNRESET' }) : refused('address_changed'), null);
    });
  }

  #isPinned(socket: Socket): boolean {
    const remote = canonicalAddress(socket.remoteAddress ?? '');
    return remote !== undefined && this.#addresses().some((a) => a.address === remote.address);
  }
}
