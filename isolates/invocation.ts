// One invocation as the host keeps it: budget, what it owns, and how far its answer has got.
import type { InvocationId } from '../core/ids/index.ts';
import { invocationId } from '../core/ids/index.ts';
import type { FrameConnection } from '../core/protocol/index.ts';
import type { IncomingBody } from './bodies/incoming-body.ts';
import type { OutgoingBody } from './bodies/outgoing-body.ts';
import type { GivenFailure } from './given-failure.ts';
import type { Queued } from './run-queue.ts';
import type { TargetState } from './targets.ts';
import type { TenantIsolate } from './tenant-isolate.ts';

/** Who an invocation answers. */
export type Caller = Pick<FrameConnection, 'backlogBytes' | 'flush' | 'peer' | 'send' | 'sentBytes' | 'takenBytes'>;

/** Share of the CPU budget at which the function's log warns. */
const SOFT_SHARE = 0.8;

/** A response that the handler has given, to be sent when its entry has ended within the budget. */
export interface GivenResponse {
  readonly status: number;
  readonly head: string;
  readonly kind: number;
  readonly value: unknown;
}

const AT_SIGN = 64;

/** Times of a cold start, milliseconds of `performance.now()`, 0 while unknown. */
export interface ColdTimes {
  receivedMs: number;
  startedMs: number;
  isolateMs: number;
  restoreMs: number;
}

export class Invocation {
  /** Exchange id on the gateway's connection: the gateway's sequence number. */
  readonly id: number;
  readonly connection: Caller;
  readonly target: TargetState;
  readonly head: string;
  readonly requestBody: IncomingBody | null;
  /** `performance.now()` at which the wall limit strikes. */
  readonly deadlineMs: number;
  /** Where it runs: not always the present isolate of its target. Null before it was admitted and after its end. */
  isolate: TenantIsolate | null = null;
  /** Journal slot; 0 until first entered. */
  slot = 0;
  /** CPU time used so far, microseconds. */
  cpuUs = 0;
  /** Where the soft limit is; infinite once it was reached. */
  softCpuUs: number;
  cold: ColdTimes | null = null;
  /** Body handle of the request in its isolate, 0 when it has none. */
  bodyHandle = 0;
  given: GivenResponse | GivenFailure | null = null;
  /** The head has been sent. */
  answered = false;
  /** waitUntil work goes on after the response. */
  lingers = false;
  /** The whole response has been sent, or nobody waits for it. */
  responseDone = false;
  /** The final frame has been sent: nothing of this invocation may be entered any more. */
  finished = false;
  response: OutgoingBody | null = null;
  lingerTimer: NodeJS.Timeout | null = null;
  /** The final frame was part of the response. */
  finalSent = false;
  /** Outgoing calls made, and under way. */
  calls = 0;
  callsUnderWay = 0;
  /** Operations that settle in a later entry (operations/area.ts). */
  operationsUnderWay = 0;
  /** Entries that wait for their turn. */
  queued: Set<Queued> | null = null;
  // What an invocation owns ends with it. Null until there is any: most have none.
  callOperations: Set<number> | null = null;
  /** Operations of calls that wait for a place, in order; some may have been given up. */
  waitingCalls: number[] | null = null;
  timers: Set<number> | null = null;
  /** Body handles in its isolate. */
  handles: number[] | null = null;
  /** The client went away or a limit struck at the gateway: nobody waits for an answer. */
  cancelled = false;

  constructor(id: number, connection: Caller, target: TargetState, head: string, requestBody: IncomingBody | null, deadlineMs: number) {
    this.id = id;
    this.connection = connection;
    this.target = target;
    this.head = head;
    this.requestBody = requestBody;
    this.deadlineMs = deadlineMs;
    this.softCpuUs = target.target.cpuMs * 1_000 * SOFT_SHARE;
  }

  /** '' for the start of an isolate that no caller waits for. */
  get printableId(): InvocationId | '' {
    return this.id === 0 ? '' : invocationId(this.epoch, this.id);
  }

  get epoch(): number {
    return this.connection.peer?.epoch ?? 0;
  }

  /** Not HTTP: a timer, a queue or a business call (EVENT of runtime/abi-shapes.ts), whose body is JSON. */
  get isEvent(): boolean {
    return this.head.charCodeAt(0) === AT_SIGN;
  }

  get method(): string {
    return this.head.slice(0, this.head.indexOf('\n'));
  }

  /** One header of the request, or ''. Fields of `head`: method, URL, then names and values in turn. */
  header(name: string): string {
    const fields = this.head.split('\n');
    for (let i = 2; i + 1 < fields.length; i += 2) if (fields[i] === name) return fields[i + 1] ?? '';
    return '';
  }
}
