// One line per finished request: failures always, up to a rate per code; the rest sampled.
import type { Fault } from '../core/errors/index.ts';
import type { Logger } from '../core/log/index.ts';

export interface AccessRecord {
  readonly request: string;
  /** '' when none was found. */
  readonly function: string;
  readonly version: number;
  readonly method: string;
  /** Without the query, which may hold secrets. */
  readonly path: string;
  readonly status: number;
  /** An error code, `client_gone`, or ''. */
  readonly code: string;
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly replays: number;
  readonly client: string;
  /** As in x-thimble-reason: why it was cold, throttled or killed; '' for nothing of that kind. */
  readonly reason: string;
  /** What answered in place of the failure; '' for nothing. `status` is then what the caller got. */
  readonly fallback: '' | 'static' | 'last-good';
  /** Message and stack of the function, when the host sent them. */
  readonly detail: string | null;
}

/** One of so many answers without a failure is logged. */
const SAMPLE = 1_000;
const PER_CODE_PER_SECOND = 20;
const MAX_PATH = 256;

const LEVELS: Readonly<Record<Fault, 'error' | 'warn' | 'info'>> = { platform: 'error', tenant: 'warn', caller: 'info' };

export class AccessLog {
  readonly #logger: Logger;
  #countdown = 1;
  #second = 0;
  readonly #written = new Map<string, number>();
  readonly #suppressed = new Map<string, number>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Whether the next answer without a failure is one of the sample. Asked first, so that no record is made in vain. */
  sampled(): boolean {
    if (--this.#countdown > 0) return false;
    this.#countdown = SAMPLE;
    return true;
  }

  /** Whether a failure with this code still has room in this second; counts it as suppressed if not. */
  hasRoom(code: string): boolean {
    const second = Math.floor(performance.now() / 1_000);
    if (second !== this.#second) {
      this.#second = second;
      this.reportSuppressed();
      this.#written.clear();
    }
    const written = this.#written.get(code) ?? 0;
    if (written >= PER_CODE_PER_SECOND) {
      this.#suppressed.set(code, (this.#suppressed.get(code) ?? 0) + 1);
      return false;
    }
    this.#written.set(code, written + 1);
    return true;
  }

  write(record: AccessRecord, fault: Fault | undefined): void {
    const line = { ...record, path: record.path.length > MAX_PATH ? `${record.path.slice(0, MAX_PATH)}…` : record.path, wallMs: round(record.wallMs), cpuMs: round(record.cpuMs) };
    this.#logger[fault === undefined ? 'info' : LEVELS[fault]](line, fault === undefined ? 'request' : 'request failed');
  }

  /** Says how many lines were left out since the last time. Called now and then, so that the count of a quiet code appears too. */
  reportSuppressed(): void {
    if (this.#suppressed.size === 0) return;
    this.#logger.warn({ suppressed: Object.fromEntries(this.#suppressed) }, 'lines of failed requests were left out');
    this.#suppressed.clear();
  }
}

function round(ms: number): number {
  return Math.round(ms * 1_000) / 1_000;
}
