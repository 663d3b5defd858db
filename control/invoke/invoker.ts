// The control plane as an invoker: `event` frames over the gateway's socket, each answered by its `outcome`; and operators' pardons.
import { setTimeout as sleep } from 'node:timers/promises';
import { PlatformError } from '../../core/errors/index.ts';
import type { Logger } from '../../core/log/index.ts';
import { FRAME, ReconnectingPeer } from '../../core/protocol/index.ts';
import type { EventFrame, FailFrame, FrameConnection, Identity, OutcomeFrame, PardonFrame } from '../../core/protocol/index.ts';

export interface Outcome {
  /** 200, or the status of the problem in `body`. */
  readonly status: number;
  /** 0: no version was chosen. */
  readonly version: number;
  readonly invocation: string;
  readonly cpuUs: number;
  readonly wallMs: number;
  /** As in x-thimble-reason, or ''. */
  readonly reason: string;
  /** JSON. */
  readonly body: string;
}

interface Waiting {
  /** null: a pardon, which has no outcome. */
  readonly resolve: (outcome: Outcome | null) => void;
  readonly reject: (error: PlatformError) => void;
}

/** A gateway that is just starting, or coming back, is worth this wait, milliseconds. */
const CONNECT_MS = 1_000;

/** Invocations that wait for their outcome at once; the gateway has limits of its own. */
const MAX_WAITING = 1_000;

export class Invoker {
  readonly #peer: ReconnectingPeer;
  readonly #waiting = new Map<number, Waiting>();
  /** Told once there is a connection. */
  #connected = Promise.withResolvers<void>();
  #lastId = 0;

  constructor(gatewaySocket: string, self: Identity, logger: Logger) {
    this.#peer = new ReconnectingPeer(gatewaySocket, { self, accepts: ['gateway'] }, {
      onOpen: () => this.#connected.resolve(),
      onFrame: (frame) => {
        if (frame[0] === FRAME.outcome) this.#settle(frame[1], outcomeOf(frame));
        else if (frame[0] === FRAME.done) this.#settle(frame[1], null);
        else if (frame[0] === FRAME.fail) this.#refused(frame);
        else if (frame[0] !== FRAME.goaway) throw new PlatformError('protocol_violation', { why: `frame ${frame[0]} to an invoker` });
      },
      onClose: (_connection: FrameConnection, error) => {
        if (error !== undefined) logger.warn({ code: error.code, why: error.message }, 'the connection to the gateway was closed');
        this.#connected = Promise.withResolvers();
        this.#lost();
      },
    });
  }

  /**
   * Runs one event. The wall limit of the function ends it: there is no other.
   *
   * @param version  0: as the traffic says
   * @throws unavailable  no gateway is connected within a second, or it went away meanwhile: then the event may have run
   * @throws overloaded
   */
  async invoke(fn: string, version: number, kind: string, body: string, user: string): Promise<Outcome> {
    const outcome = await this.#ask((id) => [FRAME.event, id, fn, version, kind, body, user]);
    if (outcome === null) throw new PlatformError('protocol_violation', { why: 'an event was answered without an outcome' });
    return outcome;
  }

  /**
   * Has the gateway forget what it holds against the function. Resolves when it has.
   *
   * @throws unavailable, not_found, overloaded
   */
  async pardon(fn: string): Promise<void> {
    await this.#ask((id) => [FRAME.pardon, id, fn]);
  }

  async #ask(frame: (id: number) => EventFrame | PardonFrame): Promise<Outcome | null> {
    if (this.#peer.connection === undefined) await Promise.race([this.#connected.promise, sleep(CONNECT_MS, undefined, { ref: false })]);
    const { connection } = this.#peer;
    if (connection === undefined) throw new PlatformError('unavailable', { part: 'the gateway' });
    if (this.#waiting.size >= MAX_WAITING) throw new PlatformError('overloaded', { what: 'events of the control plane' });
    this.#lastId += 1;
    const id = this.#lastId;
    return await new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      connection.send(frame(id));
    });
  }

  close(): void {
    this.#peer.close();
    this.#lost();
  }

  #settle(id: number, outcome: Outcome | null): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    waiting?.resolve(outcome);
  }

  #refused([, id, code, params]: FailFrame): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    const what = params?.['what'];
    waiting?.reject(code === 'not_found' && typeof what === 'string' ? new PlatformError('not_found', { what }) : new PlatformError('unavailable', { part: 'the gateway' }));
  }

  #lost(): void {
    for (const { reject } of this.#waiting.values()) reject(new PlatformError('unavailable', { part: 'the gateway' }));
    this.#waiting.clear();
  }
}

function outcomeOf([, , status, version, invocation, cpuUs, wallMs, reason, body]: OutcomeFrame): Outcome {
  return { status, version, invocation, cpuUs, wallMs, reason, body };
}
