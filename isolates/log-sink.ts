// Functions' log lines on their way to the control plane: bounded per function and in all, with drops counted.
import { FRAME } from '../core/protocol/index.ts';
import type { LogRow, ReconnectingPeer, Target } from '../core/protocol/index.ts';
import type { Invocation } from './invocation.ts';
import type { StackMapper } from './stacks/stack-mapper.ts';

const ROWS_PER_WINDOW = 1_000;
/** Of a shadow: what it says must not push out of its function's log what others say. */
const SHADOW_ROWS_PER_WINDOW = 100;
const WINDOW_MS = 10_000;
const MAX_ROWS = 20_000;
const MESSAGE_CHARACTERS = 10_240;
const FLUSH_MS = 200;
const ROWS_PER_FRAME = 500;

/** A row whose message may still change. */
type Row = [...LogRow];

export class LogSink {
  readonly #peer: ReconnectingPeer;
  readonly #stacks: StackMapper;
  #rows: LogRow[] = [];
  /** Rows whose stack is still being mapped: what is behind them waits, so that rows stay in order. */
  readonly #unmapped = new Set<LogRow>();
  #dropped: Record<string, number> = {};
  #windowStart = 0;
  readonly #inWindow = new Map<string, number>();
  readonly #timer: NodeJS.Timeout;

  constructor(peer: ReconnectingPeer, stacks: StackMapper) {
    this.#peer = peer;
    this.#stacks = stacks;
    this.#timer = setInterval(() => this.flush(), FLUSH_MS);
  }

  write(invocation: Invocation, level: string, message: string, fields: string | null): void {
    this.#write(invocation.target.target, invocation.printableId, level, message, fields);
  }

  /** A line about the function itself, of no invocation. */
  note(target: Target, level: string, message: string, fields: Readonly<Record<string, unknown>>): void {
    this.#write(target, '', level, message, JSON.stringify(fields));
  }

  #write(target: Target, invocation: string, level: string, message: string, fields: string | null): void {
    const { function: fn, version } = target;
    const now = Date.now();
    if (now - this.#windowStart >= WINDOW_MS) {
      this.#windowStart = now;
      this.#inWindow.clear();
    }
    const rows = (this.#inWindow.get(fn) ?? 0) + 1;
    this.#inWindow.set(fn, rows);
    if (rows > (target.shadow ? SHADOW_ROWS_PER_WINDOW : ROWS_PER_WINDOW) || this.#rows.length >= MAX_ROWS) {
      this.#dropped[fn] = (this.#dropped[fn] ?? 0) + 1;
      return;
    }
    const mapped = this.#stacks.map(target, message.slice(0, MESSAGE_CHARACTERS));
    const row: Row = [now, level, fn, version, invocation, typeof mapped === 'string' ? mapped : message.slice(0, MESSAGE_CHARACTERS), target.shadow ? marked(fields) : fields];
    this.#rows.push(row);
    if (typeof mapped === 'string') return;
    this.#unmapped.add(row);
    void mapped.then((text) => {
      row[5] = text;
      this.#unmapped.delete(row);
    });
  }

  /** Keeps what it has while the control plane is away. @param all  also rows whose stacks are not mapped yet */
  flush(all = false): void {
    const { connection } = this.#peer;
    if (connection === undefined || (this.#rows.length === 0 && Object.keys(this.#dropped).length === 0)) return;
    const ready = all || this.#unmapped.size === 0 ? this.#rows.length : this.#rows.findIndex((row) => this.#unmapped.has(row));
    for (let at = 0; at === 0 || at < ready; at += ROWS_PER_FRAME) {
      connection.send([FRAME.logs, 0, this.#rows.slice(at, Math.min(ready, at + ROWS_PER_FRAME)), at === 0 ? this.#dropped : {}]);
    }
    this.#rows = this.#rows.slice(ready);
    this.#dropped = {};
  }

  close(): void {
    clearInterval(this.#timer);
    this.flush(true);
  }
}

/** The fields of a shadow's row, with the mark at their end: of members with the same name JSON.parse takes the last. */
function marked(fields: string | null): string {
  if (fields === null || !fields.startsWith('{') || !fields.endsWith('}')) return JSON.stringify({ ...(fields === null ? {} : { fields }), shadow: true });
  const inner = fields.slice(1, -1).trim();
  return inner === '' ? '{"shadow":true}' : `{${inner},"shadow":true}`;
}
