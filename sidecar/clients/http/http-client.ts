// The `http` client: operation `fetch`, over undici connections that only go where the egress guard lets them.
import { networkInterfaces } from 'node:os';
import { PlatformError } from '../../../core/errors/index.ts';
import { EgressGuard, EgressPolicy } from '../../egress/index.ts';
import type { Resolver } from '../../egress/index.ts';
import type { Call, CallTask, MiddlewareClient } from '../../engine/index.ts';
import { DEFAULT_DECODE_LIMITS } from './codings.ts';
import type { DecodeLimits } from './codings.ts';
import { systemConnect } from './connector.ts';
import type { ConnectFactory } from './connector.ts';
import { FetchCall, logRefusal } from './fetch-call.ts';
import type { FetchServices } from './fetch-call.ts';
import { Pools } from './pools.ts';

export interface HttpClientOptions {
  /** See EgressSettings. */
  readonly egressAllow: readonly string[];
  readonly ownPorts: readonly number[];
  /** Default: the system's. */
  readonly resolver?: Resolver;
  /** Default: undici's. */
  readonly connect?: ConnectFactory;
  /** Connections of one tenant to one origin. Default 128. */
  readonly maxConnections?: number;
  /** Response head. Default 64 KiB. */
  readonly maxHeaderBytes?: number;
  readonly decodeLimits?: Partial<DecodeLimits>;
  /** Origins that one tenant has connections to. Default 2,000. */
  readonly maxPoolsPerTenant?: number;
  /** With more open sockets, idle ones are not kept. Default 2,048. */
  readonly keepSocketsBelow?: number;
}

const MAX_POOLS = 20_000;
const MAX_POOLS_PER_TENANT = 2_000;
/** Most systems give a process at least 4,096 descriptors; Node raises its own limit to the hard one. */
const KEEP_SOCKETS_BELOW = 2_048;

/** Addresses of this machine's interfaces: its own ports are off limits on them too. */
function interfaceAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map((each) => each.address.replace(/%.*$/, '')));
}

export class HttpClient implements MiddlewareClient, FetchServices {
  readonly name = 'http';
  readonly operations: ReadonlySet<string> = new Set(['fetch']);
  readonly guard: EgressGuard;
  readonly pools: Pools;
  readonly decodeLimits: DecodeLimits;
  #holding: FetchCall[] = [];
  readonly #settle = (): void => {
    const held = this.#holding;
    this.#holding = [];
    for (const fetch of held) fetch.settle();
  };

  /** @throws settings_invalid  an entry of `egressAllow` is malformed */
  constructor(options: HttpClientOptions) {
    const policy = new EgressPolicy({ allow: options.egressAllow, ownPorts: options.ownPorts, ownAddresses: interfaceAddresses() });
    this.guard = new EgressGuard(policy, options.resolver);
    this.pools = new Pools({
      connect: options.connect ?? systemConnect(),
      maxConnections: options.maxConnections ?? 128,
      maxHeaderBytes: options.maxHeaderBytes ?? 64 * 1_024,
      maxPools: MAX_POOLS,
      maxPoolsPerTenant: options.maxPoolsPerTenant ?? MAX_POOLS_PER_TENANT,
      budget: { open: 0, keepBelow: options.keepSocketsBelow ?? KEEP_SOCKETS_BELOW },
    });
    this.decodeLimits = { ...DEFAULT_DECODE_LIMITS, ...options.decodeLimits };
  }

  get sockets(): number {
    return this.pools.sockets;
  }

  start(call: Call): CallTask {
    let fetch: FetchCall;
    try {
      fetch = new FetchCall(call, this);
    } catch (thrown) {
      if (thrown instanceof PlatformError) logRefusal(call, thrown, '');
      throw thrown;
    }
    fetch.begin();
    return fetch;
  }

  hold(fetch: FetchCall): void {
    if (this.#holding.length === 0) setImmediate(this.#settle);
    this.#holding.push(fetch);
  }

  async close(): Promise<void> {
    this.pools.close();
  }
}
