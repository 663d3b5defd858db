// One invocation inside the isolate: call the handler, hand its response to the host, keep waitUntil work.
import { MAX_HEAD_CHARACTERS, OP } from './abi.ts';
import { pump, sendBody } from './body.guest.ts';
import type { ChunkSource } from './body.guest.ts';
import { DOMException, describeThrown } from './errors.guest.ts';
import { serialiseHeaders } from './headers.guest.ts';
import { log, op } from './host.guest.ts';
import { MapPrototypeDelete, MapPrototypeGet, MapPrototypeSet, NativeMap, NativeTypeError } from './primordials.guest.ts';
import { abortRequest, incomingRequest } from './request.guest.ts';
import type { Request } from './request.guest.ts';
import { isResponse, responseParts } from './response.guest.ts';

export type Handler = (request: Request, env: unknown, ctx: ExecutionContext) => unknown;

/** What a handler of the platform's own gives in place of a response: a failure of the error table. Functions never see the class. */
export class Failure {
  readonly #code: string;
  readonly message: string;
  readonly stack: string;
  /** Parameters of the code, as JSON; '' for none. */
  readonly params: string;

  constructor(code: string, message: string, stack = '', params = '') {
    this.#code = code;
    this.message = message;
    this.stack = stack;
    this.params = params;
  }

  get code(): string {
    return this.#code;
  }

  static is(value: unknown): value is Failure {
    return typeof value === 'object' && value !== null && #code in value;
  }
}

const INTERNAL = Symbol('internal');

/** The third argument of `fetch`. */
export class ExecutionContext {
  readonly #invocation: number;
  /** waitUntil promises that have not settled. */
  #waiting = 0;
  #responded = false;
  /** The response is a stream that this isolate still writes. */
  #streaming = false;

  constructor(key: symbol, invocation: number) {
    if (key !== INTERNAL) throw new NativeTypeError('Illegal constructor');
    this.#invocation = invocation;
  }

  /** Keeps the invocation alive until the promise settles, at the longest 30 s past the end of the response. */
  waitUntil(promise: unknown): void {
    this.#waiting += 1;
    void this.#settle(promise);
  }

  /** There is no origin to pass through to: kept for functions that call it. */
  passThroughOnException(): void {}

  async #settle(promise: unknown): Promise<void> {
    try {
      await promise;
    } catch (thrown) {
      const { message, stack } = describeThrown(thrown);
      log('error', stack || message);
    }
    this.#waiting -= 1;
    if (this.#waiting > 0 || !this.#responded) return;
    this.#forgetIfOver();
    op(OP.finished, this.#invocation);
  }

  /** From here on a client that goes away concerns nobody in here. */
  #forgetIfOver(): void {
    if (this.#waiting === 0 && !this.#streaming) MapPrototypeDelete(running, this.#invocation);
  }

  static [INTERNAL] = {
    invocationOf(ctx: ExecutionContext): number {
      return ctx.#invocation;
    },
    /** The response is given. @returns whether waitUntil work goes on */
    responded(ctx: ExecutionContext): boolean {
      ctx.#responded = true;
      return ctx.#waiting > 0;
    },
    async stream(ctx: ExecutionContext, sink: number, source: ChunkSource): Promise<void> {
      ctx.#streaming = true;
      await pump(sink, source);
      ctx.#streaming = false;
      ctx.#forgetIfOver();
    },
    forgetIfOver(ctx: ExecutionContext): void {
      ctx.#forgetIfOver();
    },
  };
}

export const { invocationOf } = ExecutionContext[INTERNAL];
const { responded, stream, forgetIfOver } = ExecutionContext[INTERNAL];
delete (ExecutionContext as { [INTERNAL]?: unknown })[INTERNAL];

/** Requests whose abort could matter: those that are not answered whole, or that leave work behind. */
const running = new NativeMap<number, Request>();

export function invoke(handler: Handler, env: unknown, id: number, head: string, handle: number): void {
  const request = incomingRequest(head, handle);
  const ctx = new ExecutionContext(INTERNAL, id);
  MapPrototypeSet(running, id, request);
  let result: unknown;
  try {
    result = handler(request, env, ctx);
  } catch (thrown) {
    fail(id, ctx, thrown);
    return;
  }
  // A plain response needs no promise at all.
  if (isResponse(result)) respond(id, ctx, result);
  else void awaitResult(id, ctx, result);
}

async function awaitResult(id: number, ctx: ExecutionContext, result: unknown): Promise<void> {
  let response: unknown;
  try {
    response = await result;
  } catch (thrown) {
    fail(id, ctx, thrown);
    return;
  }
  respond(id, ctx, response);
}

function respond(id: number, ctx: ExecutionContext, result: unknown): void {
  if (!isResponse(result)) {
    if (Failure.is(result)) send(id, ctx, result.code, result.message, result.stack, result.params);
    else refuse(id, ctx, 'the handler did not return a Response');
    return;
  }
  const { status, headers, headText, body } = responseParts(result);
  if (status < 200) {
    refuse(id, ctx, 'the handler returned Response.error()');
    return;
  }
  const fields = headers === undefined ? headText : serialiseHeaders(headers);
  if (fields.length > MAX_HEAD_CHARACTERS) {
    refuse(id, ctx, 'the headers of the response are too large');
    return;
  }
  let out;
  try {
    out = sendBody(body);
  } catch {
    refuse(id, ctx, 'the body of the response has already been read');
    return;
  }
  op(OP.respond, id, status, fields, out.kind, out.value, responded(ctx) ? 1 : 0);
  if (out.source === null) forgetIfOver(ctx);
  else void stream(ctx, out.value as number, out.source);
}

function refuse(id: number, ctx: ExecutionContext, why: string): void {
  send(id, ctx, 'bad_response', why, '', '');
}

function fail(id: number, ctx: ExecutionContext, thrown: unknown): void {
  const { message, stack } = describeThrown(thrown);
  send(id, ctx, 'function_threw', message, stack, '');
}

function send(id: number, ctx: ExecutionContext, code: string, message: string, stack: string, params: string): void {
  MapPrototypeDelete(running, id);
  op(OP.fail, id, code, message, stack, responded(ctx) ? 1 : 0, params);
}

/** The client went away, or the time is over. */
export function abort(id: number): void {
  const request = MapPrototypeGet(running, id) as Request | undefined;
  if (request === undefined) return;
  MapPrototypeDelete(running, id);
  abortRequest(request, new DOMException('The client went away or the time limit was reached', 'AbortError'));
}
