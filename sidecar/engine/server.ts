// The listening side: hosts connect, sessions serve their calls, a drain ends them.
import type { Server } from 'node:net';
import { listenPeers } from '../../core/protocol/index.ts';
import type { FrameConnection, Identity } from '../../core/protocol/index.ts';
import type { Logger } from '../../core/log/index.ts';
import { Admission, DEFAULT_LIMITS } from './admission.ts';
import type { AdmissionLimits } from './admission.ts';
import type { MiddlewareClient } from './client.ts';
import { HostSession } from './session.ts';
import type { SessionContext } from './session.ts';
import { Tally } from './tally.ts';

export interface SidecarServerOptions {
  /** Unix socket for hosts. */
  readonly path: string;
  readonly self: Identity;
  readonly clients: readonly MiddlewareClient[];
  readonly logger: Logger;
  readonly limits?: Partial<AdmissionLimits>;
}

export class SidecarServer {
  readonly tally = new Tally();
  readonly #clients: readonly MiddlewareClient[];
  readonly #logger: Logger;
  readonly #sessions = new Map<FrameConnection, HostSession>();
  readonly #context: { -readonly [K in keyof SessionContext]: SessionContext[K] };
  #server: Server | undefined;
  #onIdle: (() => void) | undefined;

  private constructor(options: SidecarServerOptions) {
    this.#clients = options.clients;
    this.#logger = options.logger;
    this.#context = {
      clients: new Map(options.clients.map((client) => [client.name, client])),
      admission: new Admission({ ...DEFAULT_LIMITS, ...options.limits }),
      tally: this.tally,
      draining: false,
    };
  }

  get admission(): Admission {
    return this.#context.admission;
  }

  /** Resolves when hosts may connect. */
  static async listen(options: SidecarServerOptions): Promise<SidecarServer> {
    const server = new SidecarServer(options);
    server.#server = await listenPeers(options.path, { self: options.self, accepts: ['host'] }, {
      onOpen: (connection) => server.#onOpen(connection),
      onFrame: (frame, connection) => server.#sessions.get(connection)?.onFrame(frame),
      onClose: (connection, error) => {
        const session = server.#sessions.get(connection);
        server.#sessions.delete(connection);
        if (error !== undefined) {
          const { name, pid } = connection.peer ?? { name: 'unknown', pid: 0 };
          server.#logger.warn({ code: error.code, host: name, hostPid: pid }, `host connection closed: ${error.message}`);
        }
        session?.onClose();
        if (server.#sessions.size === 0) server.#onIdle?.();
      },
    });
    return server;
  }

  get sockets(): number {
    let sockets = 0;
    for (const client of this.#clients) sockets += client.sockets;
    return sockets;
  }

  /** Body bytes that wait in this process. */
  get heldBytes(): number {
    return this.#context.admission.heldBytes;
  }

  /** Takes no new call, finishes those under way, then closes; what still runs after `withinMs` is cut off. */
  async drain(withinMs: number): Promise<void> {
    this.#context.draining = true;
    this.#server?.close();
    if (this.#sessions.size > 0) {
      await new Promise<void>((resolve) => {
        const late = setTimeout(resolve, withinMs);
        this.#onIdle = () => {
          clearTimeout(late);
          resolve();
        };
        for (const session of this.#sessions.values()) session.goaway();
      });
    }
    for (const session of this.#sessions.values()) session.destroy();
    await Promise.all(this.#clients.map((client) => client.close()));
  }

  #onOpen(connection: FrameConnection): void {
    const session = new HostSession(connection, this.#context);
    this.#sessions.set(connection, session);
    if (this.#context.draining) session.goaway();
  }
}
