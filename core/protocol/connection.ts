// One connection between two processes of the node: hello, frames batched per loop turn, heartbeat, go-away.
import type { Socket } from 'node:net';
import { PlatformError, toPlatformError } from '../errors/index.ts';
import { FrameReader } from './frame-reader.ts';
import { FrameWriter } from './frame-writer.ts';
import { FRAME, PROTOCOL_VERSION } from './frames.ts';
import type { Frame, HelloFrame, Role } from './frames.ts';

/** Who a process says it is. */
export interface Identity {
  readonly role: Role;
  readonly name: string;
  /** Random, not 0; new with each life of the process. */
  readonly epoch: number;
}

export interface Peer extends Identity {
  readonly pid: number;
}

export interface ConnectionHandlers {
  /** The peer's hello was accepted; frames may be sent. */
  onOpen(connection: FrameConnection): void;
  /** Any frame but hello, ping and pong. A throw closes the connection with it. */
  onFrame(frame: Frame, connection: FrameConnection): void;
  /** Exactly once, also when it never opened. `error` is undefined after a close without a fault. */
  onClose(connection: FrameConnection, error: PlatformError | undefined): void;
}

export interface ConnectionOptions {
  readonly self: Identity;
  /** Roles that are accepted on the other side. */
  readonly accepts: readonly Role[];
  /** Time for the peer's hello, milliseconds. Default 5,000. */
  readonly helloMs?: number;
  /** A ping this often, milliseconds; 0: none. Default 0: on one machine a dead peer closes its socket. */
  readonly pingMs?: number;
  /** So much is handed to the kernel before the loop turn ends: the peer begins on another core while this one goes on. Default: all waits for the end. */
  readonly eagerBytes?: number;
}

const HELLO_MS = 5_000;

/** Owns its socket. Frames sent before `onOpen` are kept and follow the hello. */
export class FrameConnection {
  readonly #socket: Socket;
  readonly #handlers: ConnectionHandlers;
  readonly #options: ConnectionOptions;
  readonly #reader = new FrameReader();
  readonly #writer: FrameWriter;
  readonly #helloTimer: NodeJS.Timeout;
  readonly #eagerBytes: number;
  #pingTimer: NodeJS.Timeout | undefined;
  #unanswered = 0;
  #peer: Peer | undefined;
  #closed = false;
  #flushDue = false;
  readonly #flush = (): void => {
    this.#flushDue = false;
    if (!this.#closed) this.#writer.flush();
  };
  readonly #take = (frame: Frame): void => this.#onFrame(frame);

  constructor(socket: Socket, options: ConnectionOptions, handlers: ConnectionHandlers) {
    this.#socket = socket;
    this.#options = options;
    this.#eagerBytes = options.eagerBytes ?? Number.POSITIVE_INFINITY;
    this.#handlers = handlers;
    this.#writer = new FrameWriter((bytes) => socket.write(bytes));
    this.#helloTimer = setTimeout(() => this.destroy(new PlatformError('protocol_violation', { why: 'no hello in time' })), options.helloMs ?? HELLO_MS);
    socket.on('data', (chunk: Buffer) => {
      try {
        this.#reader.push(chunk, this.#take);
      } catch (thrown) {
        this.destroy(toPlatformError(thrown));
      }
    });
    socket.on('error', () => {
      // `close` follows and reports; a peer that was killed ends in ECONNRESET or EPIPE here.
    });
    socket.on('close', () => this.#onClose(undefined));
    this.send([FRAME.hello, 0, PROTOCOL_VERSION, options.self.role, options.self.name, process.pid, options.self.epoch]);
  }

  /** Undefined until the peer's hello has come. */
  get peer(): Peer | undefined {
    return this.#peer;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Bytes that the kernel has not taken: what back-pressure is measured by. */
  get backlogBytes(): number {
    return this.#socket.writableLength + this.#writer.pendingBytes;
  }

  /** Bytes of all that was sent, and how many of them the kernel has: from there they reach the peer also if this process dies. All, once it is closed. */
  get sentBytes(): number {
    return this.#writer.addedBytes;
  }

  get takenBytes(): number {
    return this.#closed ? this.#writer.addedBytes : this.#writer.addedBytes - this.backlogBytes;
  }

  /** Sends with what else comes up in this loop turn, in batches. Ignored once closed: `onClose` has told the owner. */
  send(frame: Frame): void {
    if (this.#closed) return;
    this.#writer.add(frame);
    if (this.#writer.pendingBytes >= this.#eagerBytes) {
      this.#writer.flush();
      return;
    }
    if (!this.#flushDue) {
      this.#flushDue = true;
      setImmediate(this.#flush);
    }
  }

  /** Hands what was sent to the kernel now, for a loop that is about to block. */
  flush(): void {
    if (!this.#closed) this.#writer.flush();
  }

  /** Closes once what was sent has been written. */
  end(): void {
    if (this.#closed) return;
    this.#writer.flush();
    this.#socket.end();
  }

  /** Closes at once. */
  destroy(error?: PlatformError): void {
    if (this.#closed) return;
    this.#socket.destroy();
    this.#onClose(error);
  }

  #onFrame(frame: Frame): void {
    if (this.#closed) return;
    switch (frame[0]) {
      case FRAME.hello:
        this.#onHello(frame);
        return;
      case FRAME.ping:
        this.send([FRAME.pong, 0, frame[2]]);
        return;
      case FRAME.pong:
        this.#unanswered = 0;
        return;
      default:
        if (this.#peer === undefined) throw new PlatformError('protocol_violation', { why: 'a frame before hello' });
        this.#handlers.onFrame(frame, this);
    }
  }

  #onHello([, , version, role, name, pid, epoch]: HelloFrame): void {
    if (this.#peer !== undefined) throw new PlatformError('protocol_violation', { why: 'a second hello' });
    if (version !== PROTOCOL_VERSION) throw new PlatformError('protocol_violation', { why: `protocol version ${version}, not ${PROTOCOL_VERSION}` });
    if (!this.#options.accepts.includes(role)) throw new PlatformError('protocol_violation', { why: `a ${role} may not connect here` });
    clearTimeout(this.#helloTimer);
    this.#peer = { role, name, pid, epoch };
    const pingMs = this.#options.pingMs ?? 0;
    if (pingMs > 0) {
      this.#pingTimer = setInterval(() => this.#ping(), pingMs);
      this.#pingTimer.unref();
    }
    this.#handlers.onOpen(this);
  }

  #ping(): void {
    if (this.#unanswered >= 3) {
      this.destroy(new PlatformError('protocol_violation', { why: 'three pings without an answer' }));
      return;
    }
    this.#unanswered += 1;
    this.send([FRAME.ping, 0, this.#unanswered]);
  }

  #onClose(error: PlatformError | undefined): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#helloTimer);
    clearInterval(this.#pingTimer);
    this.#handlers.onClose(this, error);
  }
}
