// A host as the sidecar sees one: speaks real frames over the real socket, and follows the credit rules unless told not to.
import { connect } from 'node:net';
import { onTestFinished } from 'vitest';
import { BODY, FRAME, FrameConnection, ReceiveWindow, SendWindow } from '../../core/protocol/index.ts';
import type { CallFrame, FailFrame, Frame, ReplyFrame } from '../../core/protocol/index.ts';

export interface FetchOptions {
  readonly url: string;
  readonly method?: string;
  readonly redirect?: string;
  /** Name and value in turn. */
  readonly headers?: readonly string[];
  readonly body?: Uint8Array | string | null;
  /** Announce a streamed body; the test sends it. */
  readonly streamed?: boolean;
  readonly deadlineMs?: number;
  readonly traceparent?: string;
  readonly tenant?: string;
  readonly fn?: string;
  readonly client?: string;
  readonly operation?: string;
  readonly shadow?: boolean;
  readonly head?: string;
  /** Grant credit for what arrives (default), or leave that to the test. */
  readonly autoCredit?: boolean;
  /** Drop the body's bytes after counting them. */
  readonly countOnly?: boolean;
}

export interface Answer {
  readonly status: number;
  readonly url: string;
  readonly redirected: boolean;
  readonly headers: readonly (readonly [string, string])[];
  header(name: string): string | undefined;
  readonly inline: boolean;
  readonly body: Buffer;
  readonly bytes: number;
}

/** A call that ended in `fail`, or with its connection (`connection_closed`). */
export class CallFailed extends Error {
  readonly code: string;
  readonly params: unknown;
  constructor(code: string, params: unknown) {
    super(`${code} ${JSON.stringify(params)}`);
    this.code = code;
    this.params = params;
  }
}

export class OpenCall {
  readonly id: number;
  /** The reply frame; rejects when the call fails before it. */
  readonly head: Promise<ReplyFrame>;
  /** Resolves with the whole answer, rejects with CallFailed. */
  readonly answer: Promise<Answer>;
  bytes = 0;
  readonly #host: TestHost;
  readonly #options: FetchOptions;
  readonly #window = new SendWindow();
  readonly #receive = new ReceiveWindow();
  readonly #chunks: Buffer[] = [];
  #reply: ReplyFrame | undefined;
  #onOpen: (() => void) | undefined;
  #over = false;
  #stopped = false;
  #resolveHead!: (frame: ReplyFrame) => void;
  #rejectHead!: (error: Error) => void;
  #resolve!: (answer: Answer) => void;
  #reject!: (error: Error) => void;

  constructor(id: number, host: TestHost, options: FetchOptions) {
    this.id = id;
    this.#host = host;
    this.#options = options;
    this.head = new Promise((resolve, reject) => {
      this.#resolveHead = resolve;
      this.#rejectHead = reject;
    });
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // Whoever looks at one need not look at the other.
    this.head.catch(() => {});
    this.answer.catch(() => {});
  }

  get over(): boolean {
    return this.#over;
  }

  /** The sidecar has said that it reads no more of the request body. */
  get bodyStopped(): boolean {
    return this.#stopped;
  }

  /** Sends a part of the request body when there is credit for it. */
  async write(bytes: Uint8Array): Promise<void> {
    while (!this.#window.open && !this.#over && !this.#stopped) await new Promise<void>((resolve) => (this.#onOpen = resolve));
    if (this.#over || this.#stopped) return;
    this.#window.spend(bytes.length);
    this.#host.send([FRAME.data, this.id, bytes]);
  }

  end(): void {
    if (!this.#over && !this.#stopped) this.#host.send([FRAME.end, this.id]);
  }

  cancel(code = 'client_gone'): void {
    this.#host.send([FRAME.cancel, this.id, code]);
  }

  credit(bytes: number): void {
    this.#host.send([FRAME.credit, this.id, bytes]);
  }

  onFrame(frame: Frame): void {
    switch (frame[0]) {
      case FRAME.credit:
        if (this.#window.grant(frame[2])) this.#onOpen?.();
        return;
      case FRAME.reply:
        this.#reply = frame;
        this.#resolveHead(frame);
        if (frame[3] !== BODY.stream) {
          if (frame[4] !== null) this.#keep(Buffer.from(frame[4] as Uint8Array));
          this.#finish();
        }
        return;
      case FRAME.data:
        this.#keep(Buffer.from(frame[2]));
        if (this.#options.autoCredit !== false) {
          this.#receive.received(frame[2].length);
          const due = this.#receive.consumed(frame[2].length);
          if (due > 0) this.credit(due);
        }
        return;
      case FRAME.cancel:
        this.#stopped = true;
        this.#onOpen?.();
        return;
      case FRAME.end:
        this.#finish();
        return;
      case FRAME.fail: {
        const [, , code, params] = frame as FailFrame;
        this.failWith(new CallFailed(code, params));
        return;
      }
      default:
        this.failWith(new CallFailed('unexpected_frame', frame));
    }
  }

  failWith(error: CallFailed): void {
    if (this.#over) return;
    this.#over = true;
    this.#host.calls.delete(this.id);
    this.#onOpen?.();
    this.#rejectHead(error);
    this.#reject(error);
  }

  #keep(bytes: Buffer): void {
    this.bytes += bytes.length;
    if (this.#options.countOnly !== true) this.#chunks.push(bytes);
  }

  #finish(): void {
    if (this.#over || this.#reply === undefined) return;
    this.#over = true;
    this.#host.calls.delete(this.id);
    this.#onOpen?.();
    const [status, url, redirected, ...rest] = this.#reply[2].split('\n');
    const headers: [string, string][] = [];
    for (let i = 0; i < rest.length; i += 2) headers.push([rest[i] ?? '', rest[i + 1] ?? '']);
    this.#resolve({
      status: Number.parseInt(status ?? '', 10), url: url ?? '', redirected: redirected === '1', headers, header: (name) => headers.find(([n]) => n === name)?.[1],
      inline: this.#reply[3] !== BODY.stream, body: Buffer.concat(this.#chunks), bytes: this.bytes,
    });
  }
}

export class TestHost {
  readonly calls = new Map<number, OpenCall>();
  readonly frames: Frame[] = [];
  goaway = false;
  /** Resolves with the code of what closed the connection, or ''. */
  readonly closed: Promise<string>;
  #connection!: FrameConnection;
  #nextId = 1;
  #onClosed!: (code: string) => void;

  private constructor() {
    this.closed = new Promise((resolve) => (this.#onClosed = resolve));
  }

  /** Connects and waits for the hellos. Closed when the test ends. */
  static async connect(path: string, name = 'host-1'): Promise<TestHost> {
    const host = new TestHost();
    await new Promise<void>((resolve, reject) => {
      host.#connection = new FrameConnection(connect(path), { self: { role: 'host', name, epoch: 7 }, accepts: ['sidecar'] }, {
        onOpen: () => resolve(),
        onFrame: (frame) => host.#onFrame(frame),
        onClose: (_connection, error) => {
          for (const call of host.calls.values()) call.failWith(new CallFailed('connection_closed', null));
          host.#onClosed(error?.code ?? '');
          reject(error ?? new Error('closed before hello'));
        },
      });
    });
    onTestFinished(() => host.close());
    return host;
  }

  get isClosed(): boolean {
    return this.#connection.closed;
  }

  send(frame: Frame): void {
    this.#connection.send(frame);
  }

  close(): void {
    this.#connection.destroy();
  }

  /** Opens a call and returns at once. */
  open(options: FetchOptions, id = this.#nextId): OpenCall {
    this.#nextId = Math.max(this.#nextId, id) + 1;
    const call = new OpenCall(id, this, options);
    this.calls.set(id, call);
    this.send(callFrame(id, options));
    return call;
  }

  /** A whole call. */
  fetch(options: FetchOptions): Promise<Answer> {
    return this.open(options).answer;
  }

  /** The code that a call fails with, or `ok`. */
  async codeOf(options: FetchOptions): Promise<string> {
    try {
      await this.fetch(options);
      return 'ok';
    } catch (thrown) {
      return (thrown as CallFailed).code;
    }
  }

  #onFrame(frame: Frame): void {
    if (frame[0] === FRAME.goaway) {
      this.goaway = true;
      return;
    }
    const call = this.calls.get(frame[1]);
    if (call === undefined) this.frames.push(frame);
    else call.onFrame(frame);
  }
}

export function callFrame(id: number, options: FetchOptions): CallFrame {
  const head = options.head ?? [options.method ?? 'GET', options.url, options.redirect ?? 'follow', ...(options.headers ?? [])].join('\n');
  const body = options.body ?? null;
  const mode = options.streamed === true ? BODY.stream : body === null ? BODY.none : BODY.inline;
  return [
    FRAME.call, id, options.client ?? 'http', options.operation ?? 'fetch', head, mode, body, options.deadlineMs ?? 10_000, options.traceparent ?? '',
    options.tenant ?? 'default', options.fn ?? 'card', 'inv-1', options.shadow ?? false,
  ];
}

/** Waits until `condition` holds; fails the test after `withinMs`. */
export async function until(condition: () => boolean | Promise<boolean>, withinMs = 5_000): Promise<void> {
  const late = performance.now() + withinMs;
  while (!(await condition())) {
    if (performance.now() > late) throw new Error('the condition did not come true in time');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

