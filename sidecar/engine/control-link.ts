// The line to the control plane: logs and figures, pushed twice a second while it is there, and the quotas of tenants that it sends.
import { FRAME, ReconnectingPeer } from '../../core/protocol/index.ts';
import type { Identity } from '../../core/protocol/index.ts';
import type { SidecarServer } from './server.ts';

const PUSH_MS = 500;

export class ControlLink {
  readonly #peer: ReconnectingPeer;
  readonly #server: SidecarServer;
  readonly #timer: NodeJS.Timeout;

  /** @param path  Unix socket of the control plane; it may come and go */
  constructor(path: string, self: Identity, server: SidecarServer) {
    this.#server = server;
    this.#peer = new ReconnectingPeer(path, { self, accepts: ['control'] }, {
      onOpen: () => this.push(),
      // What a newer control plane might send is ignored. Without one the quotas stay as they were.
      onFrame: (frame) => {
        if (frame[0] === FRAME.quotas) server.admission.setRates(frame[2]);
      },
      onClose: () => {},
    });
    this.#timer = setInterval(() => this.push(), PUSH_MS);
  }

  /** Sends what has gathered; without a connection it goes on gathering, within its bounds. */
  push(): void {
    const connection = this.#peer.connection;
    if (connection === undefined) return;
    const logs = this.#server.tally.takeLogs();
    if (logs !== undefined) connection.send(logs);
    connection.send([FRAME.figures, 0, this.#server.tally.figures(this.#server.sockets)]);
  }

  /** A last push, then the end. */
  close(): void {
    clearInterval(this.#timer);
    this.push();
    this.#peer.close();
  }
}
