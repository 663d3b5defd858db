// What a function's owner reads of kills and throttles: rows of the function's own log, few per code, and the limits that struck for its figures.
import { describe } from '../core/errors/index.ts';
import type { ErrorCode, ErrorParams } from '../core/errors/index.ts';
import { FRAME } from '../core/protocol/index.ts';
import type { LogRow, LogsFrame } from '../core/protocol/index.ts';
import type { Failure } from './problem-answer.ts';
import { isExplained } from './reason.ts';

/** After a row, further ones of the same function and code are counted for so long, milliseconds. */
const AGAIN_MS = 5_000;
/** Pairs of function and code that are remembered; beyond them rows are left out. */
const MAX_NOTES = 5_000;
/** Rows that wait for the control plane. */
const MAX_ROWS = 2_000;

interface Note {
  readonly untilMs: number;
  /** Left out since its row. */
  times: number;
}

export class Explanations {
  readonly #notes = new Map<string, Note>();
  #rows: LogRow[] = [];
  #dropped: Record<string, number> = {};

  /** An invocation failed, or was refused at the door. Costs nothing for codes that explain themselves. @param invocation  its printable id */
  note(fn: string, version: number, invocation: string, failure: Failure): void {
    const { code } = failure;
    if (!isExplained(code)) return;
    const key = `${fn} ${code}`;
    const now = performance.now();
    const known = this.#notes.get(key);
    if (known !== undefined && now < known.untilMs) {
      known.times += 1;
      return;
    }
    if (known === undefined && this.#notes.size >= MAX_NOTES) {
      for (const [old, { untilMs }] of this.#notes) if (untilMs <= now) this.#notes.delete(old);
      if (this.#notes.size >= MAX_NOTES) return;
    }
    this.#notes.set(key, { untilMs: now + AGAIN_MS, times: 0 });
    const message = describe(code, failure.params as unknown as ErrorParams<ErrorCode>);
    // `times`: how often it happened since the last row of this code.
    const fields = JSON.stringify({ code, ...numbers(failure.params), ...(known === undefined || known.times === 0 ? {} : { times: known.times + 1 }) });
    this.tell(fn, version, invocation, 'warn', message, fields);
  }

  /** A row that is rare by its nature. @param invocation  printable id, or '' */
  tell(fn: string, version: number, invocation: string, level: 'info' | 'warn' | 'error', message: string, fields: string | null = null): void {
    if (this.#rows.length >= MAX_ROWS) this.#dropped[fn] = (this.#dropped[fn] ?? 0) + 1;
    else this.#rows.push([Date.now(), level, fn, version, invocation, message, fields]);
  }

  /** The rows since the last call; call it only when they can be sent. */
  take(): LogsFrame | undefined {
    if (this.#rows.length === 0 && Object.keys(this.#dropped).length === 0) return undefined;
    const frame: LogsFrame = [FRAME.logs, 0, this.#rows, this.#dropped];
    this.#rows = [];
    this.#dropped = {};
    return frame;
  }
}

/** Of the parameters, what may be shown: texts may come from a function. */
function numbers(params: Failure['params']): Record<string, number> {
  return Object.fromEntries(Object.entries(params ?? {}).filter((entry): entry is [string, number] => typeof entry[1] === 'number'));
}
