// Functions' log lines on their way to the control plane: bounded per function and in all, with drops counted.
import { FRAME } from '../core/protocol/index.ts';
import type { LogRow, ReconnectingPeer } from '../core/protocol/index.ts';
import type { Invocation } from './invocation.ts';

const ROWS_PER_WINDOW = 1_000;
const WINDOW_MS = 10_000;
const MAX_ROWS = 20_000;
const MESSAGE_CHARACTERS = 10_240;
const FLUSH_MS = 200;
const ROWS_PER_FRAME = 500;

export class LogSink {
  readonly #peer: ReconnectingPeer;
  #rows: LogRow[] = [];
  #dropped: Record<string, number> = {};
  #windowStart = 0;
  readonly #inWindow = new Map<string, number>();
  readonly #timer: NodeJS.Timeout;

  constructor(peer: ReconnectingPeer) {
    this.#peer = peer;
    this.#timer = setInterval(() => this.flush(), FLUSH_MS);
  }

  write(invocation: Invocation, level: string, message: string, fields: string | null): void {
    const { function: fn, version } = invocation.target.target;
    const now = Date.now();
    if (now - this.#windowStart >= WINDOW_MS) {
      this.#windowStart = now;
      this.#inWindow.clear();
    }
    const rows = (this.#inWindow.get(fn) ?? 0) + 1;
    this.#inWindow.set(fn, rows);
    if (rows > ROWS_PER_WINDOW || this.#rows.length >= MAX_ROWS) {
      this.#dropped[fn] = (this.#dropped[fn] ?? 0) + 1;
      return;
    }
    this.#rows.push([now, level, fn, version, invocation.printableId, message.slice(0, MESSAGE_CHARACTERS), fields]);
  }

  /** Keeps what it has while the control plane is away. */
  flush(): void {
    const { connection } = this.#peer;
    if (connection === undefined || (this.#rows.length === 0 && Object.keys(this.#dropped).length === 0)) return;
    for (let at = 0; at === 0 || at < this.#rows.length; at += ROWS_PER_FRAME) {
      connection.send([FRAME.logs, 0, this.#rows.slice(at, at + ROWS_PER_FRAME), at === 0 ? this.#dropped : {}]);
    }
    this.#rows = [];
    this.#dropped = {};
  }

  close(): void {
    clearInterval(this.#timer);
    this.flush();
  }
}
