// Fake gateways and hosts that speak real frames to the control plane's socket.
import { onTestFinished } from 'vitest';
import { newEpoch } from '../../core/ids/index.ts';
import { FRAME, ReconnectingPeer } from '../../core/protocol/index.ts';
import type { Frame, Role } from '../../core/protocol/index.ts';
import { routeDeltaSchema, routeTableSchema } from '../../core/routing/index.ts';
import type { RouteDelta, RouteFunction, RouteTable } from '../../core/routing/index.ts';

export interface FakePeer {
  readonly send: (frame: Frame) => void;
  /** Connections that ended. */
  readonly closes: () => number;
  readonly close: () => void;
}

/** Connects as `role`; resolves when the hello was accepted. */
export async function usePeer(socket: string, role: Role, name: string): Promise<FakePeer> {
  let closes = 0;
  const peer = await new Promise<ReconnectingPeer>((resolve) => {
    const made: ReconnectingPeer = new ReconnectingPeer(socket, { self: { role, name, epoch: newEpoch() }, accepts: ['control'] }, {
      onOpen: () => setImmediate(() => resolve(made)),
      onFrame: () => {},
      onClose: () => void (closes += 1),
    });
    onTestFinished(() => made.close());
  });
  return { send: (frame) => peer.connection?.send(frame), closes: () => closes, close: () => peer.close() };
}

export interface GatewayOptions {
  readonly name?: string;
  /** What it says it has. */
  readonly has?: { readonly epoch: number; readonly revision: number };
  /** Milliseconds before it acknowledges; 'never': it does not. */
  readonly delayMs?: number | 'never';
}

/** Follows the route table as a gateway does: strictly, a delta that does not fit is an error that `faults` shows. */
export class FakeGateway {
  readonly tables: RouteTable[] = [];
  readonly deltas: RouteDelta[] = [];
  readonly faults: string[] = [];
  readonly functions = new Map<string, RouteFunction>();
  delayMs: number | 'never';
  revision = 0;
  epoch = 0;
  readonly #peer: ReconnectingPeer;
  readonly #waiters: { readonly revision: number; readonly resolve: () => void }[] = [];

  constructor(socket: string, options: GatewayOptions = {}) {
    this.delayMs = options.delayMs ?? 0;
    if (options.has !== undefined) ({ epoch: this.epoch, revision: this.revision } = options.has);
    this.#peer = new ReconnectingPeer(socket, { self: { role: 'gateway', name: options.name ?? 'gateway', epoch: newEpoch() }, accepts: ['control'] }, {
      onOpen: (connection) => connection.send([FRAME.subscribe, 0, this.epoch, this.revision]),
      onFrame: (frame) => this.#take(frame),
      onClose: () => {},
    });
  }

  send(frame: Frame): void {
    this.#peer.connection?.send(frame);
  }

  acknowledge(): void {
    this.send([FRAME.applied, 0, this.revision]);
  }

  close(): void {
    this.#peer.close();
  }

  /** Resolves when it has applied `revision` or a later one. */
  reached(revision: number): Promise<void> {
    if (this.revision >= revision) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push({ revision, resolve }));
  }

  #take(frame: Frame): void {
    if (frame[0] === FRAME.table) {
      const table = routeTableSchema.parse(frame[2]);
      this.tables.push(table);
      this.functions.clear();
      for (const fn of table.functions) this.functions.set(fn.name, fn);
      this.#reach(table.epoch, table.revision);
    } else if (frame[0] === FRAME.delta) {
      const delta = routeDeltaSchema.parse(frame[2]);
      this.deltas.push(delta);
      if ((delta.formerEpoch ?? delta.epoch) !== this.epoch || delta.previous !== this.revision) {
        this.faults.push(`a delta from ${delta.previous} on ${this.revision}`);
        return;
      }
      for (const name of delta.remove) this.functions.delete(name);
      for (const fn of delta.upsert) this.functions.set(fn.name, fn);
      this.#reach(delta.epoch, delta.revision);
    }
  }

  #reach(epoch: number, revision: number): void {
    this.epoch = epoch;
    this.revision = revision;
    if (this.delayMs === 0) this.acknowledge();
    else if (this.delayMs !== 'never') setTimeout(() => this.send([FRAME.applied, 0, revision]), this.delayMs);
    for (const waiter of this.#waiters) if (revision >= waiter.revision) waiter.resolve();
  }
}

/** A gateway that has its first table and has acknowledged it, unless it never does. */
export async function useGateway(socket: string, options: GatewayOptions = {}): Promise<FakeGateway> {
  const gateway = new FakeGateway(socket, options);
  onTestFinished(() => gateway.close());
  await gateway.reached(Math.max(1, options.has?.revision ?? 1));
  // The acknowledgement is on its way: one turn of both loops.
  await new Promise((resolve) => setTimeout(resolve, 10));
  return gateway;
}
