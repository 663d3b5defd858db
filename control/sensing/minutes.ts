// Figures of every version by the minute: gathered in memory, written once the minute is over, kept for 30 days.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { z } from 'zod';
import { PlatformError } from '../../core/errors/index.ts';
import type { Logger } from '../../core/log/index.ts';
import type { OrderedRows } from '../../core/ports/index.ts';
import type { VersionFigures } from '../../core/protocol/index.ts';
import { CodeBook, MAX_ENCODED_BYTES, VersionSums } from './version-sums.ts';
import type { Held } from './version-sums.ts';

export interface MinutesOptions {
  /** Opens the rows; called when they are first needed, and again after it has thrown. */
  readonly open: () => OrderedRows;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly logger: Logger;
  /** Rows on disk. When they are more, the oldest go before their 30 days are over. Default 20 million: some 4 GB. */
  readonly rows?: number;
  /** Minutes of versions that wait to be written; what comes beyond while the disk refuses is lost, and counted. Default 50,000. */
  readonly pending?: number;
}

export const KEPT_MINUTES = 30 * 24 * 60;
const MINUTE_S = 60;
const MINUTE_MS = 60_000;
/** Gateways say what happened half a second later, at most, unless they stall. What comes later yet is added to the row. */
const GRACE_MS = 2_000;
const RETRY_MS = 10_000;
/** Rows of one transaction: some 10 ms. */
const BATCH_ROWS = 1_000;
/** One look for old rows: so many functions, and so many rows of each. */
const EXPIRE_FUNCTIONS = 200;
const EXPIRE_ROWS = 500;
/** Between the ends of two rounds. */
const EXPIRE_EVERY_MS = 3_600_000;
/** What a round takes off the time that is kept, while there are too many rows. */
const SHORTER_MINUTES = 360;
const LEAST_MINUTES = 60;

const FORMAT = 1;
/** Before the first function's name. */
const CODES_KEY = '!codes';
/** After the last one's. */
const END = '~';

const digits = (n: number, width: number): string => String(n).padStart(width, '0');
const rowKey = (fn: string, minute: number, version: number): string => `${fn}/${digits(minute, 8)}/${digits(version, 16)}`;
const ROW_KEY = /^([^/]+)\/(\d{8})\/(\d{16})$/;

const draft = new Uint8Array(1 + MAX_ENCODED_BYTES);
const sums = new VersionSums();

/** What was there, and more of the same minute. */
function joined(bytes: Uint8Array | undefined, add: (to: VersionSums) => void): Uint8Array {
  sums.clear();
  if (bytes?.[0] === FORMAT) sums.addEncoded(bytes, 1);
  add(sums);
  draft[0] = FORMAT;
  return draft.slice(0, sums.encode(draft, 1));
}

/** A minute of a version that is not written yet. */
interface Pending {
  readonly fn: string;
  readonly minute: number;
  readonly version: number;
  bytes: Uint8Array;
}

export class Minutes {
  readonly #options: Required<MinutesOptions>;
  readonly #pending = new Map<string, Pending>();
  #rows: OrderedRows | undefined;
  #book: CodeBook;
  #codesWritten = 0;
  #flushing: Promise<void> | undefined;
  #retryAtMs = 0;
  #failing = false;
  /** Where the round of expiry goes on; undefined: none is under way. */
  #expireFrom: string | undefined;
  #expireAtMs = 0;
  #keptMinutes = KEPT_MINUTES;
  readonly counts = { written: 0, failed: 0, lost: 0, expired: 0 };

  constructor(options: MinutesOptions) {
    this.#options = { rows: 20_000_000, pending: 50_000, ...options };
    this.#book = new CodeBook();
    try {
      this.#opened();
    } catch (thrown) {
      this.#failed(thrown);
    }
  }

  /** The name of a code's number in sums that were read. */
  codeName(number: number): string {
    return this.#book.name(number);
  }

  get pending(): number {
    return this.#pending.size;
  }

  /** How long rows are kept; shorter while there are too many. */
  get keptMinutes(): number {
    return this.#keptMinutes;
  }

  /** @param second  since 1970, in which it happened */
  add(figures: VersionFigures, second: number, held: Held): void {
    const minute = Math.floor(second / MINUTE_S);
    const key = rowKey(figures.function, minute, figures.version);
    const known = this.#pending.get(key);
    if (known !== undefined) {
      known.bytes = joined(known.bytes, (to) => to.addFigures(figures, held, this.#book));
    } else if (this.#pending.size >= this.#options.pending) {
      this.counts.lost += 1;
    } else {
      this.#pending.set(key, { fn: figures.function, minute, version: figures.version, bytes: joined(undefined, (to) => to.addFigures(figures, held, this.#book)) });
    }
  }

  /** Writes the minutes that are over. Never throws: what the disk refuses is kept, and tried again after 10 s. */
  async flush(all = false): Promise<void> {
    await this.#flushing;
    if (!all && this.#options.now() < this.#retryAtMs) return;
    this.#flushing = this.#flush(all);
    await this.#flushing;
  }

  /** One bounded step of letting go of old rows; meant for once a second. */
  expire(): void {
    const rows = this.#rows;
    const nowMs = this.#options.now();
    if (rows === undefined || (this.#expireFrom === undefined && nowMs < this.#expireAtMs)) return;
    const oldest = Math.floor(nowMs / MINUTE_MS) - this.#keptMinutes;
    let from = this.#expireFrom ?? '0';
    const gone: string[] = [];
    for (let functions = 0; functions < EXPIRE_FUNCTIONS && gone.length < EXPIRE_ROWS; functions++) {
      const [first] = rows.keys(from, END, 1);
      const fn = first === undefined ? undefined : ROW_KEY.exec(first)?.[1];
      if (fn === undefined) {
        this.#roundOver(rows, nowMs);
        from = '';
        break;
      }
      const old = rows.keys(`${fn}/`, `${fn}/${digits(oldest, 8)}`, EXPIRE_ROWS);
      gone.push(...old);
      // The next function's rows begin after all keys of this one: '0' follows '/'.
      from = old.length < EXPIRE_ROWS ? `${fn}0` : `${fn}/`;
    }
    try {
      if (gone.length > 0) rows.write(gone.map((key) => [key, null]));
      this.counts.expired += gone.length;
    } catch (thrown) {
      this.#failed(thrown);
      return;
    }
    this.#expireFrom = from === '' ? undefined : from;
  }

  /**
   * Minutes of a function within [fromMinute, toMinute) in which something happened, in order, those not yet written too.
   *
   * @param includes  says which versions are added up
   * @param limit  of minutes
   * @returns `next`: the minute to go on from, or null when there are no more
   */
  read(fn: string, includes: (version: number) => boolean, fromMinute: number, toMinute: number, limit: number): { readonly minutes: Map<number, VersionSums>; readonly next: number | null } {
    const minutes = new Map<number, VersionSums>();
    const take = (minute: number, bytes: Uint8Array): void => {
      let into = minutes.get(minute);
      if (into === undefined) minutes.set(minute, (into = new VersionSums()));
      if (bytes[0] === FORMAT) into.addEncoded(bytes, 1);
    };
    let next: number | null = null;
    const found = this.#rows?.range(`${fn}/${digits(fromMinute, 8)}`, `${fn}/${digits(toMinute, 8)}`, READ_ROWS) ?? [];
    for (const { key, bytes } of found) {
      const [, , minute, of] = ROW_KEY.exec(key) ?? [];
      if (includes(Number(of))) take(Number(minute), bytes);
    }
    // Cut at a whole minute: the last one may have more versions.
    if (found.length === READ_ROWS) next = Number(ROW_KEY.exec(found.at(-1)?.key ?? '')?.[2]);
    for (const one of this.#pending.values()) {
      if (one.fn === fn && one.minute >= fromMinute && one.minute < (next ?? toMinute) && includes(one.version)) take(one.minute, one.bytes);
    }
    if (next !== null && next > fromMinute) minutes.delete(next);
    else if (next !== null) next += 1;
    const order = [...minutes.keys()].toSorted((a, b) => a - b);
    for (const minute of order.slice(limit)) minutes.delete(minute);
    return { minutes: new Map(order.slice(0, limit).map((minute) => [minute, minutes.get(minute) ?? new VersionSums()])), next: order[limit] ?? next };
  }

  async #flush(all: boolean): Promise<void> {
    const due = this.#options.now() - GRACE_MS;
    const keys = [...this.#pending].filter(([, { minute }]) => all || (minute + 1) * MINUTE_MS <= due).map(([key]) => key);
    for (let at = 0; at < keys.length; at += BATCH_ROWS) {
      if (at > 0) await nextTurn();
      if (!this.#writeBatch(keys.slice(at, at + BATCH_ROWS))) return;
    }
  }

  #writeBatch(keys: readonly string[]): boolean {
    try {
      const rows = this.#opened();
      const changes: [string, Uint8Array][] = [];
      if (this.#book.names.length > this.#codesWritten) changes.push([CODES_KEY, Buffer.from(JSON.stringify(this.#book.names))]);
      for (const key of keys) {
        const bytes = this.#pending.get(key)?.bytes;
        // A row is there when the control plane was started anew within the minute, or figures came late.
        if (bytes !== undefined) changes.push([key, joined(rows.get(key), (to) => to.addEncoded(bytes, 1))]);
      }
      rows.write(changes);
      this.#codesWritten = this.#book.names.length;
    } catch (thrown) {
      this.#failed(thrown);
      return false;
    }
    for (const key of keys) this.#pending.delete(key);
    this.counts.written += keys.length;
    this.#failing = false;
    return true;
  }

  #opened(): OrderedRows {
    if (this.#rows !== undefined) return this.#rows;
    const rows = this.#options.open();
    const codes = rows.get(CODES_KEY);
    const names = codes === undefined ? [] : z.array(z.string()).parse(JSON.parse(Buffer.from(codes).toString()));
    this.#codesWritten = names.length;
    this.#renumber(new CodeBook(names));
    this.#rows = rows;
    return rows;
  }

  /** What was gathered while the rows could not be opened has numbers of a book that is not theirs. */
  #renumber(book: CodeBook): void {
    const before = this.#book;
    this.#book = book;
    for (const one of this.#pending.values()) {
      one.bytes = joined(one.bytes, (to) => {
        const codes = [...to.codes];
        to.codes.clear();
        for (const [number, count] of codes) to.codes.set(book.number(before.name(number)), count);
      });
    }
  }

  #failed(thrown: unknown): void {
    this.counts.failed += 1;
    this.#retryAtMs = this.#options.now() + RETRY_MS;
    // Once for each time that it begins: the metric counts the rest.
    if (this.#failing) return;
    this.#failing = true;
    const error = thrown instanceof PlatformError ? thrown : new PlatformError('storage_failed', undefined, { cause: thrown });
    const { logger } = this.#options;
    logger.error({ code: error.code, err: error, cause: error.cause instanceof Error ? error.cause.message : undefined, pending: this.#pending.size }, 'figures by the minute cannot be written; they wait in memory');
  }

  #roundOver(rows: OrderedRows, nowMs: number): void {
    this.#expireAtMs = nowMs + EXPIRE_EVERY_MS;
    if (rows.count > this.#options.rows) {
      this.#keptMinutes = Math.max(LEAST_MINUTES, this.#keptMinutes - SHORTER_MINUTES);
      this.#expireAtMs = nowMs;
      this.#options.logger.warn({ rows: rows.count, keptMinutes: this.#keptMinutes }, 'there are more figures by the minute than there is room for; the oldest go early');
    } else if (rows.count < this.#options.rows / 2) {
      this.#keptMinutes = Math.min(KEPT_MINUTES, this.#keptMinutes + SHORTER_MINUTES);
    }
  }
}

/** Rows that one read looks at. */
const READ_ROWS = 20_000;
