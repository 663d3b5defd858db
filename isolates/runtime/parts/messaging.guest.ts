// MessageEvent, MessageChannel, MessagePort (HTML standard, sections 9.1 and 9.4).
import { DOMException } from '../errors.guest.ts';
import { loadEvents } from '../events.guest.ts';
import { NativeTypeError, ObjectFreeze, append } from '../primordials.guest.ts';
import { addPlatformObject, cloneWithTransfer } from '../structured-clone.guest.ts';
import { queueTask } from '../timers.guest.ts';
import type { EventInit } from './events/event.guest.ts';

const { Event, EventTarget, dictionary, fire, handlerOf, reinitialise, setHandler, toDOMString } = loadEvents();

/** Messages that wait in one port for its start. */
const MAX_WAITING = 10_000;
const INTERNAL = Symbol('internal');

interface MessageEventInit extends EventInit {
  data?: unknown;
  origin?: unknown;
  lastEventId?: unknown;
  source?: unknown;
  ports?: unknown;
}

export class MessageEvent extends Event {
  #data: unknown;
  #origin: string;
  #lastEventId: string;
  #source: object | null;
  #ports: readonly MessagePort[];

  constructor(type: string, init: MessageEventInit | undefined = undefined) {
    if (arguments.length === 0) throw new NativeTypeError('MessageEvent needs a type');
    super(type, init);
    const { data = null, lastEventId = '', origin = '', ports, source } = dictionary<MessageEventInit>(init);
    this.#data = data;
    this.#lastEventId = toDOMString(lastEventId);
    this.#origin = toDOMString(origin);
    this.#ports = ObjectFreeze(ports === undefined ? [] : portList(ports));
    this.#source = toSource(source);
  }

  get data(): unknown { return this.#data; }
  get origin(): string { return this.#origin; }
  get lastEventId(): string { return this.#lastEventId; }
  get source(): object | null { return this.#source; }
  get ports(): readonly MessagePort[] { return this.#ports; }

  initMessageEvent(
    type: string, bubbles: unknown = false, cancelable: unknown = false, data: unknown = null, origin: unknown = '', lastEventId: unknown = '', source: unknown = null, ports: unknown = [],
  ): void {
    void this.#data;
    if (arguments.length === 0) throw new NativeTypeError('initMessageEvent needs a type');
    const list = portList(ports);
    if (!reinitialise(this, type, bubbles, cancelable)) return;
    this.#data = data;
    this.#origin = toDOMString(origin);
    this.#lastEventId = toDOMString(lastEventId);
    this.#source = toSource(source);
    this.#ports = ObjectFreeze(list);
  }
}

/** MessageEventSource: of its types only MessagePort exists here. */
function toSource(value: unknown): object | null {
  if (value === undefined || value === null) return null;
  if (!isPort(value)) throw new NativeTypeError('source must be a MessagePort or null');
  return value;
}

/** sequence<object>: whatever its iterator gives. */
function sequence(value: unknown): unknown[] {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) throw new NativeTypeError('an iterable is needed');
  const items: unknown[] = [];
  for (const item of value as Iterable<unknown>) append(items, item);
  return items;
}

function portList(value: unknown): MessagePort[] {
  const items = sequence(value);
  for (let i = 0; i < items.length; i++) if (!isPort(items[i])) throw new NativeTypeError('ports must be MessagePorts');
  return items as MessagePort[];
}

interface Message {
  readonly data: unknown;
  readonly ports: readonly MessagePort[];
}

let isPort: (value: unknown) => value is MessagePort;
let entangle: (a: MessagePort, b: MessagePort) => void;

export class MessagePort extends EventTarget {
  /** The port that messages of this one arrive at; null: closed, or moved away. */
  #other: MessagePort | null = null;
  /** Messages before `start`. Afterwards each is a task of its own, owned by the invocation that posted it. */
  #waiting: Message[] = [];
  #started = false;
  /** Closed, or transferred: nothing arrives here any more. */
  #detached = false;
  /** Where a transferred port lives on. */
  #movedTo: MessagePort | null = null;

  static {
    isPort = (value): value is MessagePort => typeof value === 'object' && value !== null && #other in value;
    entangle = (a, b) => {
      a.#other = b;
      b.#other = a;
    };
    addPlatformObject({
      is: isPort,
      transfer: (port) => {
        if ((port as MessagePort).#detached) throw new DOMException('this port can not be transferred', 'DataCloneError');
        return (port as MessagePort).#move();
      },
    });
  }

  constructor(key: unknown = undefined) {
    if (key !== INTERNAL) throw new NativeTypeError('Illegal constructor');
    super();
  }

  /** Section 9.4.4, "message port post message steps". */
  postMessage(message: unknown, options: unknown = undefined): void {
    const other = this.#other;
    if (arguments.length === 0) throw new NativeTypeError('postMessage needs a message');
    const transfer = transferList(options);
    const ports: MessagePort[] = [];
    let doomed = false;
    for (let i = 0; i < transfer.length; i++) {
      const item = transfer[i];
      if (!isPort(item)) {
        if ((typeof item !== 'object' && typeof item !== 'function') || item === null) throw new NativeTypeError('only objects can be transferred');
        continue;
      }
      if (item === this || item.#detached || includes(ports, item)) throw new DOMException('this port can not be transferred', 'DataCloneError');
      if (item === other) doomed = true;
      append(ports, item);
    }
    const { copy: data, moved: all } = cloneWithTransfer(message, transfer as object[]);
    const moved: MessagePort[] = [];
    for (let i = 0; i < all.length; i++) if (isPort(all[i])) append(moved, all[i] as unknown as MessagePort);
    // A port that is sent to itself is lost, and the message with it.
    if (other === null || doomed) return;
    other.#receive({ data, ports: ObjectFreeze(moved) });
  }

  start(): void {
    if (this.#started || this.#detached) return;
    this.#started = true;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (let i = 0; i < waiting.length; i++) this.#queue(waiting[i] as Message);
  }

  close(): void {
    const other = this.#other;
    this.#detached = true;
    this.#other = null;
    this.#waiting = [];
    if (other === null) return;
    other.#other = null;
    queueTask(() => {
      if (other.#detached) return;
      // What was posted before has been delivered; nothing can come after.
      fire(other, new Event('close'));
    });
  }

  get onmessage(): unknown {
    void this.#other;
    return handlerOf(this, 'message');
  }
  set onmessage(handler: unknown) {
    void this.#other;
    setHandler(this, 'message', handler);
    this.start();
  }

  get onmessageerror(): unknown {
    void this.#other;
    return handlerOf(this, 'messageerror');
  }
  set onmessageerror(handler: unknown) {
    void this.#other;
    setHandler(this, 'messageerror', handler);
  }

  get onclose(): unknown {
    void this.#other;
    return handlerOf(this, 'close');
  }
  set onclose(handler: unknown) {
    void this.#other;
    setHandler(this, 'close', handler);
  }

  #receive(message: Message): void {
    if (this.#movedTo !== null) {
      this.#movedTo.#receive(message);
    } else if (this.#started) {
      this.#queue(message);
    } else {
      if (this.#waiting.length >= MAX_WAITING) throw new DOMException('too many messages wait for this port', 'QuotaExceededError');
      append(this.#waiting, message);
    }
  }

  #queue(message: Message): void {
    queueTask(() => {
      if (this.#movedTo !== null) this.#movedTo.#receive(message);
      else if (!this.#detached) fire(this, new MessageEvent('message', message));
    });
  }

  /** The transfer steps: this object is done for, and a new one goes on with its queue and its counterpart. */
  #move(): MessagePort {
    const successor = new MessagePort(INTERNAL);
    const other = this.#other;
    successor.#waiting = this.#waiting;
    this.#waiting = [];
    this.#detached = true;
    this.#movedTo = successor;
    this.#other = null;
    if (other !== null) entangle(successor, other);
    return successor;
  }
}

function includes(ports: readonly MessagePort[], port: MessagePort): boolean {
  for (let i = 0; i < ports.length; i++) if (ports[i] === port) return true;
  return false;
}

/** The second argument of `postMessage`: a sequence, or a dictionary with one. */
function transferList(options: unknown): unknown[] {
  if (options === undefined || options === null) return [];
  if (typeof options === 'object' || typeof options === 'function') {
    if ((options as { [Symbol.iterator]?: unknown })[Symbol.iterator] !== undefined) return sequence(options);
  }
  const { transfer } = dictionary<{ transfer: unknown }>(options);
  return transfer === undefined ? [] : sequence(transfer);
}

export class MessageChannel {
  readonly #port1 = new MessagePort(INTERNAL);
  readonly #port2 = new MessagePort(INTERNAL);

  constructor() {
    entangle(this.#port1, this.#port2);
  }

  get port1(): MessagePort { return this.#port1; }
  get port2(): MessagePort { return this.#port2; }
}
