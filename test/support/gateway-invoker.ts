// The control plane as an invoker of events, over a gateway's socket.
import { onTestFinished } from 'vitest';
import { newEpoch } from '../../core/ids/index.ts';
import { FRAME, ReconnectingPeer } from '../../core/protocol/index.ts';
import type { Frame, OutcomeFrame } from '../../core/protocol/index.ts';
import { until } from './gateway-stand.ts';
import type { Stand } from './gateway-stand.ts';

export interface Sent {
  readonly fn?: string;
  readonly version?: number;
  readonly kind?: string;
  readonly body?: string;
  readonly user?: string;
}

export interface Outcome {
  readonly status: number;
  readonly version: number;
  readonly cpuUs: number;
  readonly reason: string;
  readonly body: Record<string, unknown>;
}

export class Invoker {
  readonly outcomes = new Map<number, OutcomeFrame>();
  readonly peer: ReconnectingPeer;
  closes = 0;
  #id = 0;

  constructor(peer: ReconnectingPeer) {
    this.peer = peer;
  }

  begin({ fn = 'f', version = 0, kind = 'scheduled', body = '{}', user = '' }: Sent = {}): number {
    this.#id += 1;
    this.peer.connection?.send([FRAME.event, this.#id, fn, version, kind, body, user]);
    return this.#id;
  }

  async outcome(id: number): Promise<Outcome> {
    await until(() => this.outcomes.has(id));
    const [, , status, version, , cpuUs, , reason, body] = this.outcomes.get(id) as OutcomeFrame;
    return { status, version, cpuUs, reason, body: JSON.parse(body) as Record<string, unknown> };
  }

  send(sent?: Sent): Promise<Outcome> {
    return this.outcome(this.begin(sent));
  }
}

export async function useInvoker(stand: Stand): Promise<Invoker> {
  return await new Promise((resolve) => {
    const peer = new ReconnectingPeer(stand.hostSocket, { self: { role: 'control', name: 'control', epoch: newEpoch() }, accepts: ['gateway'] }, {
      onOpen: () => setImmediate(() => resolve(invoker)),
      onFrame: (frame: Frame) => {
        if (frame[0] === FRAME.outcome) invoker.outcomes.set(frame[1], frame);
      },
      onClose: () => void (invoker.closes += 1),
    });
    const invoker = new Invoker(peer);
    onTestFinished(() => peer.close());
  });
}
