// Events from other processes of the node (DESIGN.md, decision 6): they pass the same limits, lines and replays as requests do.
import { PlatformError } from '../core/errors/index.ts';
import { invocationId } from '../core/ids/index.ts';
import { FRAME } from '../core/protocol/index.ts';
import type { EventFrame, Frame, FrameConnection } from '../core/protocol/index.ts';
import type { RequestFacts } from '../core/routing/index.ts';
import { childTraceparent } from '../core/trace/index.ts';
import type { Dispatcher } from './dispatcher.ts';
import { EventAnswer, MAX_ANSWER_BYTES } from './event-answer.ts';
import type { Gathered, Incomplete } from './event-answer.ts';
import { Exchange } from './exchange.ts';
import { PROBE, probeOutcome, readProbe } from './probe.ts';
import { problemAnswer, specOf } from './problem-answer.ts';
import type { Failure } from './problem-answer.ts';
import { failureReason } from './reason.ts';
import { ResponseFields } from './response-fields.ts';
import type { RouteTable } from './route-table.ts';
import { userField } from './user-field.ts';

export interface EventEntryOptions {
  readonly epoch: number;
  readonly table: RouteTable;
  readonly dispatcher: Dispatcher;
}

const KINDS: ReadonlySet<string> = new Set(['scheduled', 'queue', 'business', PROBE]);

// Filled and written within one call.
const fields = new ResponseFields();

/** An event has nothing that a rule of traffic could match; only the user of a business call counts. */
class EventFacts implements RequestFacts {
  readonly #user: string;

  constructor(user: string) {
    this.#user = user;
  }

  header(): undefined {}
  cookie(): undefined {}
  query(): undefined {}

  user(): string | undefined {
    return this.#user === '' ? undefined : this.#user;
  }

  random(): number {
    return Math.random();
  }
}

export class EventEntry {
  readonly #options: EventEntryOptions;
  /** Events under way, by the connection that waits for their outcome. */
  readonly #waiting = new Map<FrameConnection, Map<number, EventAnswer>>();

  constructor(options: EventEntryOptions) {
    this.#options = options;
  }

  opened(connection: FrameConnection): void {
    this.#waiting.set(connection, new Map());
  }

  closed(connection: FrameConnection): void {
    for (const answer of this.#waiting.get(connection)?.values() ?? []) answer.abandon();
    this.#waiting.delete(connection);
  }

  /** @throws protocol_violation  a frame that no invoker may send; the connection closes */
  onFrame(frame: Frame, connection: FrameConnection): void {
    const waiting = this.#waiting.get(connection);
    if (waiting === undefined) return;
    switch (frame[0]) {
      case FRAME.event:
        if (waiting.has(frame[1]) || !KINDS.has(frame[4])) throw new PlatformError('protocol_violation', { why: 'an event with an id in use or of an unknown kind' });
        this.#take(frame, connection, waiting);
        return;
      case FRAME.cancel:
        waiting.get(frame[1])?.abandon();
        waiting.delete(frame[1]);
        return;
      case FRAME.pardon:
        this.#pardon(frame[1], frame[2], connection);
        return;
      case FRAME.goaway:
        return;
      default:
        throw new PlatformError('protocol_violation', { why: `frame type ${frame[0]} from an invoker` });
    }
  }

  #pardon(id: number, name: string, connection: FrameConnection): void {
    if (connection.peer?.role !== 'control') throw new PlatformError('protocol_violation', { why: 'a pardon by anyone but the control plane' });
    const { dispatcher, table } = this.#options;
    const gate = table.get(name)?.gate;
    if (gate === undefined) {
      connection.send([FRAME.fail, id, 'not_found', { what: `function ${name}` }, 0, null, null]);
      return;
    }
    dispatcher.strikes.pardon(gate);
    connection.send([FRAME.done, id, 0]);
  }

  #take(frame: EventFrame, connection: FrameConnection, waiting: Map<number, EventAnswer>): void {
    const [, exchangeId, name, wanted, kind, body, user] = frame;
    const { dispatcher, table, epoch } = this.#options;
    const acceptedAtMs = performance.now();
    const id = dispatcher.nextId();
    const requestId = invocationId(epoch, id);
    const refuse = (failure: Failure, version: number, retryAfterS?: number): void => {
      const problem = problemAnswer(failure, fields, retryAfterS);
      if (version > 0) {
        dispatcher.figures.cell(name, version).answered(specOf(failure.code).status, failure.code, 0);
        dispatcher.explanations.note(name, version, requestId, failure);
      }
      connection.send([FRAME.outcome, exchangeId, specOf(failure.code).status, version, requestId, 0, 0, failureReason(failure.code, failure.params), problem]);
    };
    const route = table.get(name);
    if (dispatcher.closing) return refuse({ code: 'unavailable', params: { part: 'the gateway' } }, 0);
    if (route === undefined) return refuse({ code: 'not_found', params: { what: `function ${name}` } }, 0);
    const { fn } = route;
    const version = wanted || route.onlyVersion || route.choose(new EventFacts(user));
    const target = version === 0 ? undefined : route.target(version);
    if (target === undefined) return refuse({ code: 'no_version', params: { function: name, version: version || null } }, 0);
    const probe = kind === PROBE ? readProbe(body, connection.peer?.role) : undefined;
    if (kind === PROBE && probe === undefined) return refuse({ code: 'bad_request', params: { why: 'no client could send it' } }, version);
    const bytes = Buffer.from(probe?.body ?? body);
    if (bytes.length > fn.limits.bodyBytes) return refuse({ code: 'body_too_large', params: { limitBytes: fn.limits.bodyBytes } }, version);
    const refusal = dispatcher.refusal(route.gate, acceptedAtMs, fn.limits.rps);
    if (refusal !== undefined) return refuse(refusal.failure, version, refusal.retryAfterS);

    const method = probe?.method ?? `@${kind}`;
    const path = probe?.path ?? '';
    const place = probe === undefined ? 'thimble://event/' : `http://${name}.localhost${path}\nhost\n${name}.localhost${probe.fields}`;
    const head = `${method}\n${place}\nx-request-id\n${requestId}\ntraceparent\n${childTraceparent('')}${userField(user)}`;
    const answer = new EventAnswer((gathered) => {
      waiting.delete(exchangeId);
      const { status, reason, text } = probe !== undefined && typeof gathered !== 'string' ? probeOutcome(gathered) : outcomeOf(gathered);
      connection.send([
        FRAME.outcome, exchangeId, status, exchange.target.frame.version, requestId, Math.max(0, exchange.cpuUs), performance.now() - acceptedAtMs, reason, text,
      ]);
    }, probe !== undefined);
    waiting.set(exchangeId, answer);
    const exchange = new Exchange(dispatcher, { id, requestId, method, path, head, peer: connection.peer?.name ?? '', acceptedAtMs }, route, target, answer);
    exchange.followsTraffic = wanted === 0;
    dispatcher.enter(exchange);
    exchange.onBodyGathered(bytes);
  }
}

function outcomeOf(gathered: Gathered | Incomplete): { readonly status: number; readonly reason: string; readonly text: string } {
  if (typeof gathered !== 'string') return { status: gathered.status, reason: gathered.reason, text: gathered.body };
  const why = gathered === 'broken' ? 'the result broke off' : `the result is larger than ${MAX_ANSWER_BYTES} bytes`;
  return { status: specOf('bad_response').status, reason: '', text: problemAnswer({ code: 'bad_response', params: { why } }, fields) };
}
