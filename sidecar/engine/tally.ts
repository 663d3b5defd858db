// What the process counts and logs between two pushes to the control plane, bounded per function.
import type { LogRow, LogsFrame, SidecarFigures } from '../../core/protocol/index.ts';
import { FRAME } from '../../core/protocol/index.ts';

const ROWS_PER_FUNCTION = 100;
const ROWS_IN_ALL = 5_000;
const MAX_FUNCTIONS_DROPPED = 10_000;

export class Tally {
  /** Since the start of the process. */
  calls = 0;
  refused = 0;
  failed = 0;
  /** Now. */
  active = 0;
  #rows: LogRow[] = [];
  #perFunction = new Map<string, number>();
  #dropped = new Map<string, number>();

  /** The version is not known here: 0. */
  log(level: 'info' | 'warn', fn: string, invocation: string, message: string, fields: Readonly<Record<string, unknown>>): void {
    const n = this.#perFunction.get(fn) ?? 0;
    if (n >= ROWS_PER_FUNCTION || this.#rows.length >= ROWS_IN_ALL) {
      if (this.#dropped.size < MAX_FUNCTIONS_DROPPED || this.#dropped.has(fn)) this.#dropped.set(fn, (this.#dropped.get(fn) ?? 0) + 1);
      return;
    }
    this.#perFunction.set(fn, n + 1);
    this.#rows.push([Date.now(), level, fn, 0, invocation, message, JSON.stringify(fields)]);
  }

  /** Rows since the last call, or undefined when there are none. */
  takeLogs(): LogsFrame | undefined {
    if (this.#rows.length === 0 && this.#dropped.size === 0) return undefined;
    const frame: LogsFrame = [FRAME.logs, 0, this.#rows, Object.fromEntries(this.#dropped)];
    this.#rows = [];
    this.#perFunction = new Map();
    this.#dropped = new Map();
    return frame;
  }

  /** `calls`, `refused` and `failed` count since the start of the process; the rest is the present state. */
  figures(sockets: number): SidecarFigures {
    return {
      kind: 'sidecar',
      node: { calls: this.calls, active: this.active, refused: this.refused, failed: this.failed, residentBytes: process.memoryUsage.rss(), sockets },
    };
  }
}
