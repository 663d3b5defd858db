// Both ends of a Unix socket: the listener that owns the file, and the peer that comes back after every loss.
import { chmodSync, rmSync, statSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { dirname } from 'node:path';
import type { Server } from 'node:net';
import { FrameConnection } from './connection.ts';
import type { ConnectionHandlers, ConnectionOptions } from './connection.ts';

/** Listens on `path`, replacing what a dead process left there. Resolves when it accepts. */
export async function listenPeers(path: string, options: ConnectionOptions, handlers: ConnectionHandlers): Promise<Server> {
  rmSync(path, { force: true });
  const server = createServer((socket) => new FrameConnection(socket, options, handlers));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      resolve();
    });
  });
  // Only this user's processes may speak to the node; and hosts of another user, when the folder hands on their group (set-group-ID, inode(7)).
  chmodSync(path, (statSync(dirname(path)).mode & 0o2000) === 0 ? 0o600 : 0o660);
  return server;
}

const RETRY_MIN_MS = 10;
const RETRY_MAX_MS = 250;

/** Keeps one connection to `path` up: connects, and after every loss again, 10 ms to 250 ms apart, until closed. */
export class ReconnectingPeer {
  readonly #path: string;
  readonly #options: ConnectionOptions;
  readonly #handlers: ConnectionHandlers;
  #connection: FrameConnection | undefined;
  #open = false;
  #stopped = false;
  #retryMs = RETRY_MIN_MS;
  #timer: NodeJS.Timeout | undefined;

  constructor(path: string, options: ConnectionOptions, handlers: ConnectionHandlers) {
    this.#path = path;
    this.#options = options;
    this.#handlers = handlers;
    this.#connect();
  }

  /** The open connection, or undefined while there is none. */
  get connection(): FrameConnection | undefined {
    return this.#open ? this.#connection : undefined;
  }

  /** Ends the connection and connects no more. */
  close(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#connection?.end();
  }

  #connect(): void {
    this.#connection = new FrameConnection(connect(this.#path), this.#options, {
      onOpen: (connection) => {
        this.#open = true;
        this.#retryMs = RETRY_MIN_MS;
        this.#handlers.onOpen(connection);
      },
      onFrame: (frame, connection) => this.#handlers.onFrame(frame, connection),
      onClose: (connection, error) => {
        const wasOpen = this.#open;
        this.#open = false;
        this.#connection = undefined;
        if (!this.#stopped) {
          this.#timer = setTimeout(() => this.#connect(), this.#retryMs);
          this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MAX_MS);
        }
        // A refused attempt while the listener restarts is no event for the owner.
        if (wasOpen || error !== undefined) this.#handlers.onClose(connection, error);
      },
    });
  }
}
