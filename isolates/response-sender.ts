// Turns what a handler gave into frames: head, body in whichever way it comes, the final frame, or the failure.
import { ERRORS, isErrorCode } from '../core/errors/index.ts';
import { BODY, FRAME, INLINE_BODY_BYTES } from '../core/protocol/index.ts';
import type { BodyMode, ColdPhases } from '../core/protocol/index.ts';
import { IncomingBody, collect } from './bodies/incoming-body.ts';
import { OutgoingBody, pipe } from './bodies/outgoing-body.ts';
import type { HostServices } from './host-services.ts';
import type { GivenResponse, Invocation } from './invocation.ts';
import { BODY_KIND, MAX_HEAD_CHARACTERS } from './runtime/abi.ts';
import type { Sink } from './sinks.ts';
import type { TenantIsolate } from './tenant-isolate.ts';

class ResponseSink implements Sink {
  readonly #sender: ResponseSender;
  readonly #invocation: Invocation;
  readonly #body: OutgoingBody;

  constructor(sender: ResponseSender, invocation: Invocation, body: OutgoingBody) {
    this.#sender = sender;
    this.#invocation = invocation;
    this.#body = body;
  }

  get closed(): boolean {
    return this.#body.closed;
  }

  belongsTo(invocation: Invocation): boolean {
    return this.#invocation === invocation;
  }

  write(bytes: Buffer): boolean {
    return this.#body.write(bytes);
  }

  whenDrained(callback: () => void): void {
    this.#body.whenDrained(callback);
  }

  end(): void {
    if (this.#body.closed) return;
    this.#body.end();
    this.#invocation.responseDone = true;
    this.#sender.touch(this.#invocation);
  }

  fail(message: string, stack: string): void {
    this.#body.close();
    this.#sender.fail(this.#invocation, 'function_threw', message, stack, null);
  }
}

export class ResponseSender {
  readonly #isolate: TenantIsolate;
  readonly #host: HostServices;
  readonly #sinks = new Map<number, ResponseSink>();
  /** Bodies with chunks of the running entry. */
  readonly #open = new Set<OutgoingBody>();
  /** Invocations to look at when the running entry has ended. */
  #due: Invocation[] = [];

  constructor(isolate: TenantIsolate, host: HostServices) {
    this.#isolate = isolate;
    this.#host = host;
  }

  sink(id: number): Sink | undefined {
    return this.#sinks.get(id);
  }

  /** Number of the sink that the isolate writes this invocation's response into. */
  sinkOf(invocation: Invocation): number | undefined {
    for (const [id, sink] of this.#sinks) if (sink.belongsTo(invocation)) return id;
    return undefined;
  }

  touch(invocation: Invocation): void {
    this.#due.push(invocation);
  }

  /** At the end of each entry. */
  flush(): void {
    if (this.#open.size > 0) {
      for (const body of this.#open) {
        body.flush();
        if (body.closed) this.#open.delete(body);
      }
    }
    if (this.#due.length > 0) {
      const due = this.#due;
      this.#due = [];
      for (const invocation of due) this.advance(invocation);
    }
  }

  /** Sends what has become due: the response, its end, or nothing. */
  advance(invocation: Invocation): void {
    if (invocation.finished) return;
    const { given } = invocation;
    if (given !== null && !invocation.answered && !invocation.cancelled) {
      if ('code' in given) {
        this.fail(invocation, given.code, given.message, given.stack, given.params);
        return;
      }
      this.#respond(invocation, given);
    }
    if (!invocation.responseDone || invocation.finished) return;
    if (invocation.lingers) invocation.lingerTimer ??= setTimeout(() => this.#isolate.finish(invocation), this.#host.lingerMs);
    else if (given !== null) this.#isolate.finish(invocation);
  }

  #respond(invocation: Invocation, given: GivenResponse): void {
    const { kind, value } = given;
    if (!Number.isInteger(given.status) || given.status < 200 || given.status > 599 || given.head.length > MAX_HEAD_CHARACTERS) {
      this.fail(invocation, 'bad_response', 'status or headers are out of bounds', '', { why: 'status or headers are out of bounds' });
      return;
    }
    if (kind === BODY_KIND.text && typeof value === 'string') {
      if (value.length <= INLINE_BODY_BYTES) this.#whole(invocation, given, BODY.inline, value);
      else this.#stream(invocation, given, new IncomingBody(Buffer.from(value)));
    } else if (kind === BODY_KIND.bytes && value instanceof Uint8Array) {
      if (value.length <= INLINE_BODY_BYTES) this.#whole(invocation, given, BODY.inline, value);
      else this.#stream(invocation, given, new IncomingBody(value));
    } else if (kind === BODY_KIND.handle) {
      this.#handle(invocation, given);
    } else if (kind === BODY_KIND.sink && typeof value === 'number') {
      this.#sinks.set(value, new ResponseSink(this, invocation, this.#begin(invocation, given)));
    } else {
      this.#whole(invocation, given, BODY.none, null);
    }
  }

  #whole(invocation: Invocation, given: GivenResponse, mode: BodyMode, body: Uint8Array | string | null): void {
    invocation.answered = true;
    invocation.responseDone = true;
    invocation.finalSent = !invocation.lingers;
    invocation.connection.send([FRAME.respond, invocation.id, given.status, given.head, mode, body, invocation.finalSent, invocation.cpuUs, coldPhases(invocation)]);
  }

  #begin(invocation: Invocation, given: GivenResponse): OutgoingBody {
    invocation.answered = true;
    invocation.connection.send([FRAME.respond, invocation.id, given.status, given.head, BODY.stream, null, false, invocation.cpuUs, coldPhases(invocation)]);
    const body = new OutgoingBody(invocation.connection, invocation.id);
    invocation.response = body;
    this.#open.add(body);
    return body;
  }

  #handle(invocation: Invocation, given: GivenResponse): void {
    const body = this.#isolate.body(given.value);
    if (body === undefined) {
      this.fail(invocation, 'bad_response', 'the body is gone with its invocation', '', { why: 'the body is gone with its invocation' });
      return;
    }
    if (!body.complete) {
      this.#stream(invocation, given, body);
      return;
    }
    // Complete bodies are gathered at once, within the call.
    collect(body, Number.MAX_SAFE_INTEGER, (bytes, error) => {
      if (bytes === null) this.fail(invocation, 'bad_response', 'the body broke off', '', { why: String(error) });
      else if (bytes.length <= INLINE_BODY_BYTES) this.#whole(invocation, given, BODY.inline, bytes);
      else this.#stream(invocation, given, new IncomingBody(bytes));
    });
  }

  #stream(invocation: Invocation, given: GivenResponse, from: IncomingBody): void {
    const to = this.#begin(invocation, given);
    pipe(from, to, (error) => {
      this.#open.delete(to);
      if (error !== null) {
        this.fail(invocation, isErrorCode(error) ? error : 'upstream_failed', 'the piped body broke off', '', null);
        return;
      }
      invocation.responseDone = true;
      this.advance(invocation);
    });
  }

  /** The typed failure, as the final frame; after the head it tells the gateway to break off. */
  fail(invocation: Invocation, code: string, message: string, stack: string, params: Readonly<Record<string, unknown>> | null): void {
    if (invocation.finished) return;
    // What the caller did wrong is no line of the function's log.
    if ((message !== '' && !isCallersFault(code)) || code.endsWith('_exceeded')) {
      this.#host.logs.write(invocation, 'error', stack || message || code, JSON.stringify(params === null ? { code } : { code, ...params }));
    }
    if (!invocation.finalSent) {
      invocation.finalSent = true;
      const { target } = invocation.target;
      const cold = invocation.answered ? null : coldPhases(invocation);
      const send = (text: string | null): void => invocation.connection.send([FRAME.fail, invocation.id, code, params, invocation.cpuUs, cold, text]);
      const detail = target.debug && message !== '' ? this.#host.stacks.map(target, stack === '' ? message : stack) : null;
      if (typeof detail === 'object' && detail !== null) {
        // The source map is being read: nothing of the invocation runs any more, and its final frame waits.
        invocation.finished = true;
        invocation.response?.close();
        void detail.then((text) => {
          send(text);
          this.#isolate.release(invocation);
        });
        return;
      }
      send(detail);
    }
    invocation.response?.close();
    this.#isolate.release(invocation);
  }

  /** The final frame of an invocation that was answered, or that nobody waits for. */
  done(invocation: Invocation): void {
    this.#open.forEach((body) => body.closed && this.#open.delete(body));
    for (const [id, sink] of this.#sinks) if (sink.closed) this.#sinks.delete(id);
    if (invocation.finalSent) return;
    invocation.finalSent = true;
    invocation.response?.close();
    invocation.connection.send([FRAME.done, invocation.id, invocation.cpuUs]);
  }
}

function isCallersFault(code: string): boolean {
  return isErrorCode(code) && ERRORS[code].fault === 'caller';
}

function coldPhases(invocation: Invocation): ColdPhases | null {
  const { cold } = invocation;
  if (cold === null || cold.restoreMs === 0) return null;
  const between = (from: number, to: number): number => Math.max(0, Math.round((to - from) * 100) / 100);
  return [
    between(cold.receivedMs, cold.startedMs), between(cold.startedMs, cold.isolateMs), between(cold.isolateMs, cold.restoreMs), between(cold.restoreMs, performance.now()),
  ];
}
