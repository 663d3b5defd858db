// The client's side of one request: the one object that holds the native response, and lets go of it before it becomes invalid.
import { hasNoBody, statusLine } from '../core/http/index.ts';
import type { ResponseFields } from './response-fields.ts';
import type { ClientResponse } from './uws.ts';

/** What stands in every answer besides its own fields; '' leaves a field out. */
export interface OwnFields {
  readonly requestId: string;
  readonly versionText: string;
  readonly reason: string;
  readonly serverTiming: string;
  /** Set-Cookie of skew protection. */
  readonly pin: string;
}

export interface ClientOwner {
  /** The client went away, or the connection was closed under the answer. Not called after an answer, nor after `kill`. */
  onClientGone(): void;
  /** The client has taken what a `write` could not send at once. */
  onClientWritable(): void;
}

// The native cork takes a function that runs at once. What it writes is put here, so that no closure is made per answer.
let response: ClientResponse;
let own: OwnFields;
let status = 0;
let fields: ResponseFields;
let body: string | Uint8Array | null = null;
let withoutBody = false;
let close = false;

function writeHead(): void {
  response.writeStatus(statusLine(status));
  fields.writeTo(response);
  response.writeHeader('x-request-id', own.requestId);
  if (own.versionText !== '') response.writeHeader('x-thimble-version', own.versionText);
  if (own.reason !== '') response.writeHeader('x-thimble-reason', own.reason);
  if (own.serverTiming !== '') response.writeHeader('server-timing', own.serverTiming);
  if (own.pin !== '') response.writeHeader('set-cookie', own.pin);
}

function writeAnswer(): void {
  writeHead();
  if (withoutBody) {
    // HEAD: the length that GET would have. 204 and 304 have none (RFC 9110 section 8.6).
    if (body !== null && !hasNoBody(status)) response.writeHeader('content-length', String(typeof body === 'string' ? Buffer.byteLength(body) : body.length));
    // The native call's own parameters are of no use: with a length the response never counts as ended, and the next request on the
    // connection closes it; with "close" and no length it writes a length of 2^63. So the client is asked to close.
    if (close) response.writeHeader('connection', 'close');
    response.endWithoutBody();
  } else {
    response.end(body ?? '', close);
  }
}

let wrote = true;
function writeFirstChunk(): void {
  writeHead();
  wrote = response.write(body as Uint8Array);
}
function writeChunk(): void {
  wrote = response.write(body as Uint8Array);
}
function writeEnd(): void {
  response.end(undefined, close);
}

function setAnswer(head: OwnFields, code: number, with_: ResponseFields, content: string | Uint8Array | null, isHead: boolean): void {
  own = head;
  status = code;
  fields = with_;
  // 205 must say that its length is 0 (RFC 9110 section 15.3.6).
  body = code === 205 && !isHead ? '' : content;
  withoutBody = isHead || code === 204 || code === 304;
}

/** What the listener gathers before it writes. */
const CORK_BYTES = 16 * 1_024;

/**
 * Refuses a request after which nothing on its connection can be trusted, since its framing is ambiguous.
 *
 * The listener closes only what has left its buffer, and until then goes on parsing: bytes behind the request would run as the next one.
 * So the body, which is JSON, gets white space until it does not fit that buffer. HEAD has no body: its connection closes unanswered.
 */
export function condemn(to: ClientResponse, head: OwnFields, code: number, with_: ResponseFields, content: string, isHead: boolean): void {
  if (isHead) to.close();
  else answerNow(to, head, code, with_, content.padEnd(CORK_BYTES), false, true);
}

/** Answers from within the request's handler, without an object that outlives it. */
export function answerNow(to: ClientResponse, head: OwnFields, code: number, with_: ResponseFields, content: string | Uint8Array, isHead: boolean, closeAfter: boolean): void {
  response = to;
  setAnswer(head, code, with_, content, isHead);
  close = closeAfter;
  to.cork(writeAnswer);
}

export class Client {
  #response: ClientResponse | null;
  readonly #owner: ClientOwner;
  #paused = false;

  constructor(to: ClientResponse, owner: ClientOwner) {
    this.#response = to;
    this.#owner = owner;
    to.onAborted(() => {
      if (this.#response === null) return;
      this.#response = null;
      owner.onClientGone();
    });
  }

  /** Whether an answer, or more of it, can be sent. */
  get open(): boolean {
    return this.#response !== null;
  }

  /** @param handler  gets each chunk of the request body; also after the answer */
  onBody(handler: (chunk: ArrayBuffer, last: boolean) => void): void {
    this.#response?.onData(handler);
  }

  pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#response?.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#response?.resume();
  }

  /**
   * The whole answer.
   *
   * @param content  null: none. Not sent for HEAD, and for statuses that have no body.
   */
  answer(head: OwnFields, code: number, with_: ResponseFields, content: string | Uint8Array | null, isHead: boolean, closeAfter: boolean): void {
    if (!this.#take()) return;
    setAnswer(head, code, with_, content, isHead);
    close = closeAfter;
    response.cork(writeAnswer);
  }

  /** Head and first chunk of a streamed answer. @returns false when the client has to drain first: `onClientWritable` follows */
  startStream(head: OwnFields, code: number, with_: ResponseFields, chunk: Uint8Array): boolean {
    const to = this.#response;
    if (to === null) return true;
    to.onWritable(() => {
      if (this.#response !== null) this.#owner.onClientWritable();
      return true;
    });
    response = to;
    own = head;
    status = code;
    fields = with_;
    body = chunk;
    to.cork(writeFirstChunk);
    return wrote;
  }

  /** A further, non-empty chunk. @returns as startStream */
  write(chunk: Uint8Array): boolean {
    const to = this.#response;
    if (to === null) return true;
    response = to;
    body = chunk;
    to.cork(writeChunk);
    return wrote;
  }

  /** The last chunk has been written. */
  endStream(closeAfter: boolean): void {
    if (!this.#take()) return;
    close = closeAfter;
    response.cork(writeEnd);
  }

  /** Closes the connection as it is: a streamed answer ends without its final chunk. */
  kill(): void {
    if (!this.#take()) return;
    response.close();
  }

  /** Lets go of the response, which is valid for one last use. A socket that was paused for its body would never read again. */
  #take(): boolean {
    const to = this.#response;
    if (to === null) return false;
    this.resume();
    this.#response = null;
    response = to;
    return true;
  }
}
