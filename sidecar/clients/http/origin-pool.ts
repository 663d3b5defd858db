// The connections of one tenant to one origin: kept alive, capped, and never used past the check that pinned them.
import type { Socket } from 'node:net';
import { Client } from 'undici';
import { canonicalAddress } from '../../egress/index.ts';
import type { Address, CheckedTarget } from '../../egress/index.ts';
import { PinnedConnector } from './connector.ts';
import type { ConnectFactory } from './connector.ts';

/** One connection, or the attempt at one. Carries one request at a time. */
export interface Slot {
  readonly client: Client;
  /** Open or opening; undefined while there is none. */
  socket: Socket | undefined;
  open: boolean;
  /** Requests that it has finished. */
  used: number;
  idle: boolean;
  gone: boolean;
}

/** Who waits for a slot. */
export interface SlotUser {
  useSlot(slot: Slot, pool: OriginPool): void;
}

/** Shared by all pools of a process. */
export interface SocketBudget {
  /** Open now. */
  open: number;
  /** With more than these open, a connection is closed when its request is done, instead of kept. */
  readonly keepBelow: number;
}

export interface PoolOptions {
  readonly budget: SocketBudget;
  readonly connect: ConnectFactory;
  readonly maxConnections: number;
  readonly maxHeaderBytes: number;
}

/** Shorter than the 5 s after which Node's own servers close an idle connection, so that ours is closed first. */
const KEEP_ALIVE_MS = 4_000;
/** A server's keep-alive hint is believed up to this. */
const KEEP_ALIVE_MAX_MS = 60_000;

export class OriginPool {
  readonly #origin: string;
  readonly #options: PoolOptions;
  readonly #connector: PinnedConnector;
  #target: CheckedTarget;
  #pinned: ReadonlySet<string>;
  readonly #slots = new Set<Slot>();
  /** The most recently used is last, and is used next: the rest may go idle and close. */
  readonly #idle: Slot[] = [];
  readonly #waiting = new Set<SlotUser>();

  constructor(origin: string, target: CheckedTarget, options: PoolOptions) {
    this.#origin = origin;
    this.#options = options;
    this.#target = target;
    this.#pinned = new Set(target.addresses.map((a) => a.address));
    this.#connector = new PinnedConnector(options.connect, () => this.#target.addresses);
  }

  get freshUntilMs(): number {
    return this.#target.freshUntilMs;
  }

  get addresses(): readonly Address[] {
    return this.#target.addresses;
  }

  /** Nothing runs, waits or is open. */
  get empty(): boolean {
    return this.#slots.size === 0 && this.#waiting.size === 0;
  }

  /** A new check of the same origin: idle connections to addresses that are not in it are closed, busy ones when they are done. */
  repin(target: CheckedTarget): void {
    this.#target = target;
    this.#pinned = new Set(target.addresses.map((a) => a.address));
    for (const slot of this.#idle.filter((each) => !this.#holds(each))) this.discard(slot);
  }

  /** Gives the user a slot now, or when one is free. */
  enter(user: SlotUser): void {
    const slot = this.#idle.pop() ?? (this.#slots.size < this.#options.maxConnections ? this.#open() : undefined);
    if (slot === undefined) {
      this.#waiting.add(user);
      return;
    }
    slot.idle = false;
    user.useSlot(slot, this);
  }

  /** The user waits no more. */
  leave(user: SlotUser): void {
    this.#waiting.delete(user);
  }

  /** The slot's request is finished and its connection is in order. */
  release(slot: Slot): void {
    if (slot.gone) return;
    slot.used += 1;
    if (!this.#holds(slot)) {
      this.discard(slot);
      return;
    }
    const next = this.#nextWaiting();
    if (next !== undefined) {
      next.useSlot(slot, this);
    } else if (slot.open && this.#options.budget.open <= this.#options.budget.keepBelow) {
      slot.idle = true;
      this.#idle.push(slot);
    } else {
      this.discard(slot);
    }
  }

  /** Closes the slot's connection, with whatever runs on it. */
  discard(slot: Slot): void {
    if (slot.gone) return;
    slot.gone = true;
    this.#slots.delete(slot);
    if (slot.idle) {
      const at = this.#idle.lastIndexOf(slot);
      if (at >= 0) this.#idle.splice(at, 1);
    }
    // undici leaves a socket that is still connecting to its own timeout.
    if (!slot.open) slot.socket?.destroy();
    void slot.client.destroy();
    const next = this.#nextWaiting();
    if (next !== undefined) next.useSlot(this.#open(), this);
  }

  close(): void {
    this.#waiting.clear();
    for (const slot of this.#slots) this.discard(slot);
  }

  #nextWaiting(): SlotUser | undefined {
    const [next] = this.#waiting;
    if (next !== undefined) this.#waiting.delete(next);
    return next;
  }

  #holds(slot: Slot): boolean {
    const remote = slot.open ? slot.socket?.remoteAddress : undefined;
    return remote === undefined || this.#pinned.has(remote) || this.#pinned.has(canonicalAddress(remote)?.address ?? '');
  }

  #open(): Slot {
    const client = new Client(this.#origin, {
      connect: (options, callback) => {
        slot.socket = this.#connector.connect(options, (...result) => {
          if (result[0] === null) slot.socket = result[1];
          callback(...result);
        });
      },
      pipelining: 1,
      // Deadlines are the engine's: they also cover lookup, waiting and connecting.
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveMaxTimeout: KEEP_ALIVE_MAX_MS,
      maxHeaderSize: this.#options.maxHeaderBytes,
      allowH2: false,
    });
    const slot: Slot = { client, socket: undefined, open: false, used: 0, idle: false, gone: false };
    client.on('connect', () => {
      slot.open = true;
      this.#options.budget.open += 1;
    });
    client.on('disconnect', () => {
      if (slot.open) this.#options.budget.open -= 1;
      slot.open = false;
      if (slot.idle) this.discard(slot);
    });
    // undici emits this when a handler breaks its own rules; the slot is of no use then.
    (client as NodeJS.EventEmitter).on('error', () => this.discard(slot));
    this.#slots.add(slot);
    return slot;
  }
}
