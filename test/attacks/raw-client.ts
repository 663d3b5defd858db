// A lean HTTP/1.1 client: one kept-alive connection, one request at a time. For loads where node:http would be most of the work.
import { connect } from 'node:net';
import type { Socket } from 'node:net';

export interface RawAnswer {
  /** 0: the connection ended, or nothing came in time. */
  readonly status: number;
  readonly body: string;
  /** Why there is no answer. */
  readonly error: 'none' | 'closed' | 'timeout';
}

const HEAD_END = '\r\n\r\n';
const LAST_CHUNK = '\r\n0\r\n\r\n';

export class RawClient {
  readonly #port: number;
  readonly #timeoutMs: number;
  #socket: Socket | undefined;
  #received = '';
  #settle: ((answer: RawAnswer) => void) | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(port: number, timeoutMs: number) {
    this.#port = port;
    this.#timeoutMs = timeoutMs;
  }

  /** Never rejects. Text is Latin-1. */
  async ask(method: string, path: string, fn: string, body: string): Promise<RawAnswer> {
    const socket = this.#socket ?? this.#connect();
    return new Promise((resolve) => {
      this.#settle = resolve;
      this.#timer = setTimeout(() => this.#end({ status: 0, body: '', error: 'timeout' }), this.#timeoutMs);
      const length = body === '' && method === 'GET' ? '' : `content-length: ${body.length}\r\n`;
      socket.write(`${method} ${path} HTTP/1.1\r\nhost: h\r\nx-thimble-function: ${fn}\r\n${length}\r\n${body}`, 'latin1');
    });
  }

  close(): void {
    this.#socket?.destroy();
  }

  #connect(): Socket {
    const socket = connect(this.#port, '127.0.0.1');
    socket.setNoDelay(true);
    this.#socket = socket;
    this.#received = '';
    socket.on('data', (chunk: Buffer) => this.#take(chunk.toString('latin1')));
    socket.on('error', () => {});
    socket.on('close', () => {
      if (this.#socket === socket) this.#end({ status: 0, body: '', error: 'closed' });
    });
    return socket;
  }

  #take(text: string): void {
    this.#received += text;
    const headEnd = this.#received.indexOf(HEAD_END);
    if (headEnd < 0) return;
    const head = this.#received.slice(0, headEnd).toLowerCase();
    const body = this.#received.slice(headEnd + HEAD_END.length);
    const length = /\r\ncontent-length: (\d+)/.exec(head)?.[1];
    const isWhole = length === undefined ? `\r\n${body}`.endsWith(LAST_CHUNK) : body.length >= Number(length);
    if (!isWhole) return;
    this.#received = '';
    const answer: RawAnswer = { status: Number(head.slice(9, 12)), body, error: 'none' };
    if (head.includes('\r\nconnection: close')) this.#drop();
    this.#resolve(answer);
  }

  #end(answer: RawAnswer): void {
    this.#drop();
    this.#resolve(answer);
  }

  #drop(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.destroy();
  }

  #resolve(answer: RawAnswer): void {
    clearTimeout(this.#timer);
    const settle = this.#settle;
    this.#settle = undefined;
    settle?.(answer);
  }
}
