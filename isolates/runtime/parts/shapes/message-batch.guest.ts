// The batch of a `queue` handler, of the form that Workers have: what is not retried counts as done when the handler returns.
// https://developers.cloudflare.com/queues/configuration/javascript-apis/#messagebatch
import { NativeNumber, NativeTypeError, ObjectFreeze } from '../../primordials.guest.ts';

export interface QueueEvent {
  readonly queue: string;
  readonly messages: readonly { readonly id: string; readonly timestamp: number; readonly body: unknown; readonly attempts: number }[];
}

/** What becomes of one message. */
export interface MessageOutcome {
  readonly id: string;
  readonly outcome: 'ack' | 'retry';
  readonly delaySeconds?: number;
}

interface RetryOptions {
  readonly delaySeconds?: number;
}

const MAX_DELAY_SECONDS = 43_200;

type Decision = { readonly outcome: 'ack' } | { readonly outcome: 'retry'; readonly delaySeconds: number | undefined };

/** For all messages that have no decision of their own. The first call counts, as it does for each message. */
interface Whole {
  decision: Decision | undefined;
}

function retryOf(options: RetryOptions | undefined): Decision {
  const delay = options?.delaySeconds;
  if (delay !== undefined && !(NativeNumber.isInteger(delay) && delay >= 0 && delay <= MAX_DELAY_SECONDS)) {
    throw new NativeTypeError(`delaySeconds must be a whole number from 0 to ${MAX_DELAY_SECONDS}`);
  }
  return { outcome: 'retry', delaySeconds: delay };
}

class Message {
  readonly id: string;
  readonly timestamp: Date;
  readonly body: unknown;
  readonly attempts: number;
  readonly #whole: Whole;
  #decision: Decision | undefined;

  constructor(message: QueueEvent['messages'][number], whole: Whole) {
    this.id = message.id;
    this.timestamp = new Date(message.timestamp);
    this.body = message.body;
    this.attempts = message.attempts;
    this.#whole = whole;
  }

  ack(): void {
    if (this.#whole.decision === undefined) this.#decision ??= { outcome: 'ack' };
  }

  retry(options?: RetryOptions): void {
    const decision = retryOf(options);
    if (this.#whole.decision === undefined) this.#decision ??= decision;
  }

  static outcome(message: Message, id: string, fallback: Decision): MessageOutcome {
    const decision = message.#decision ?? fallback;
    if (decision.outcome === 'ack') return { id, outcome: 'ack' };
    return decision.delaySeconds === undefined ? { id, outcome: 'retry' } : { id, outcome: 'retry', delaySeconds: decision.delaySeconds };
  }
}
const { outcome } = Message;
delete (Message as { outcome?: unknown }).outcome;

export class MessageBatch {
  readonly queue: string;
  readonly messages: readonly Message[];
  readonly #all: Message[] = [];
  readonly #ids: string[] = [];
  readonly #whole: Whole = { decision: undefined };

  constructor(event: QueueEvent) {
    this.queue = event.queue;
    const shown: Message[] = [];
    for (let i = 0; i < event.messages.length; i++) {
      const message = event.messages[i] as QueueEvent['messages'][number];
      this.#ids[i] = message.id;
      shown[i] = this.#all[i] = new Message(message, this.#whole);
    }
    this.messages = ObjectFreeze(shown);
  }

  ackAll(): void {
    this.#whole.decision ??= { outcome: 'ack' };
  }

  retryAll(options?: RetryOptions): void {
    const decision = retryOf(options);
    this.#whole.decision ??= decision;
  }

  /** @param threw  the handler failed: what was not acknowledged goes back */
  static outcomes(batch: MessageBatch, threw: boolean): MessageOutcome[] {
    const fallback: Decision = batch.#whole.decision ?? (threw ? { outcome: 'retry', delaySeconds: undefined } : { outcome: 'ack' });
    const list: MessageOutcome[] = [];
    for (let i = 0; i < batch.#all.length; i++) list[i] = outcome(batch.#all[i] as Message, batch.#ids[i] as string, fallback);
    return list;
  }
}
export const outcomesOf = MessageBatch.outcomes;
delete (MessageBatch as { outcomes?: unknown }).outcomes;
