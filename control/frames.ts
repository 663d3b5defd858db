// The control plane's socket: who may say what on it, passed on to the part that it is for.
import type { Server } from 'node:net';
import { newEpoch } from '../core/ids/index.ts';
import type { Logger } from '../core/log/index.ts';
import { FRAME, listenPeers } from '../core/protocol/index.ts';
import type { Frame, FrameConnection } from '../core/protocol/index.ts';
import { PlatformError } from '../core/errors/index.ts';
import type { LogStore } from './logs/index.ts';
import type { RoutePush } from './push/index.ts';
import type { ShadowStore } from './shadows/index.ts';
import type { Snapshots } from './snapshots/index.ts';
import type { FigureStore } from './stats/index.ts';

export interface FrameServices {
  readonly push: RoutePush;
  readonly logs: LogStore;
  readonly figures: FigureStore;
  readonly snapshots: Snapshots;
  readonly shadows: ShadowStore;
  /** Outgoing calls per second of the tenants that have such a quota. */
  readonly subrequestRates: () => readonly (readonly [tenant: string, perSec: number])[];
  readonly logger: Logger;
}

export interface FrameServer {
  /** Quotas have changed: tells the sidecar. */
  pushQuotas(): void;
  close(): void;
}

/** Listens on `path` for gateways, hosts and the sidecar. */
export async function listenFrames(path: string, services: FrameServices): Promise<FrameServer> {
  const { push, figures, logger } = services;
  const connections = new Set<FrameConnection>();
  const sendQuotas = (connection: FrameConnection): void => connection.send([FRAME.quotas, 0, services.subrequestRates()]);
  const server: Server = await listenPeers(path, { self: { role: 'control', name: 'control', epoch: newEpoch() }, accepts: ['gateway', 'host', 'sidecar'] }, {
    onOpen: (connection) => {
      connections.add(connection);
      if (connection.peer?.role === 'gateway') push.opened(connection);
      if (connection.peer?.role === 'sidecar') sendQuotas(connection);
    },
    onFrame: (frame, connection) => take(frame, connection, services),
    onClose: (connection, error) => {
      connections.delete(connection);
      const { peer } = connection;
      if (error !== undefined) logger.warn({ peer: peer?.name, code: error.code, why: error.message }, 'a connection was closed');
      if (peer === undefined) return;
      figures.lost(peer);
      push.closed(connection);
    },
  });
  return {
    pushQuotas: (): void => {
      for (const connection of connections) if (connection.peer?.role === 'sidecar') sendQuotas(connection);
    },
    close: (): void => {
      server.close();
      for (const connection of connections) connection.destroy();
    },
  };
}

function take(frame: Frame, connection: FrameConnection, { push, logs, figures, snapshots, shadows }: FrameServices): void {
  const { peer } = connection;
  if (peer === undefined) return;
  switch (frame[0]) {
    case FRAME.figures:
      figures.take(peer, frame[2]);
      if (peer.role === 'host') snapshots.fallen(figures.hosts.get(peer.name)?.snapshots.fallen ?? []);
      return;
    case FRAME.shadow:
      shadows.take(peer, frame[2]);
      return;
    case FRAME.logs:
      logs.take(frame[2], frame[3]);
      return;
    case FRAME.subscribe:
      if (peer.role === 'gateway') return push.subscribe(connection, frame[2], frame[3]);
      break;
    case FRAME.applied:
      if (peer.role === 'gateway') return push.applied(connection, frame[2]);
      break;
    case FRAME.goaway:
      return;
  }
  throw new PlatformError('protocol_violation', { why: `frame ${frame[0]} from a ${peer.role}` });
}
