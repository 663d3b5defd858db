// Reading the audit trail: rows by what they say, piece by piece, and the check of the whole chain.
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RecordStore } from '../../core/ports/index.ts';
import { AUDIT_START, auditRowSchema, hashRow, isActor } from './audit.ts';
import type { AuditHead, AuditRow } from './audit.ts';
import { KEYS } from './records.ts';

/** Rows that are read before others have their turn of the loop: 2 ms of a check, which takes 10 µs a row. */
const PIECE = 200;

/** Rows that hold all that is given. */
export interface AuditFilter {
  /** The actor's name; of a token also without its id. */
  readonly actor?: string | undefined;
  /** An action, or a group of them: `function` is `function.create`, `function.change` … */
  readonly action?: string | undefined;
  /** A target, or the function whose versions, aliases … are targets: `card` is also `card@7`. */
  readonly target?: string | undefined;
  /** From this time on, milliseconds since the epoch. */
  readonly sinceMs?: number | undefined;
  /** Up to and without this time. */
  readonly untilMs?: number | undefined;
}

/** The function that a row is about, when its target names one: what comes before the version, alias or number. */
export function subjectOf({ target }: Pick<AuditRow, 'target'>): string {
  return /^[^@/:#]*/.exec(target)?.[0] ?? '';
}

export function fits(row: AuditRow, { actor, action, target, sinceMs, untilMs }: AuditFilter): boolean {
  if (actor !== undefined && !isActor(row.actor, actor)) return false;
  if (action !== undefined && row.action !== action && !row.action.startsWith(`${action}.`)) return false;
  if (target !== undefined && row.target !== target && subjectOf(row) !== target) return false;
  if (sinceMs === undefined && untilMs === undefined) return true;
  const atMs = Date.parse(row.time);
  return (sinceMs === undefined || atMs >= sinceMs) && (untilMs === undefined || atMs < untilMs);
}

/** The rows of the trail after `after`, a piece at a time. */
export function* auditRows(store: RecordStore, after: number): Generator<readonly AuditRow[], undefined> {
  for (let last = after; ; ) {
    const rows = store.list({ prefix: KEYS.audit, after: KEYS.auditRow(last), limit: PIECE }).map(({ value }) => auditRowSchema.parse(value));
    const end = rows.at(-1);
    if (end === undefined) return undefined;
    yield rows;
    last = end.sequence;
  }
}

export interface Scan {
  readonly items: readonly AuditRow[];
  /** Sequence number to go on after; null: the trail is read to its end. */
  readonly next: number | null;
}

/**
 * Up to `limit` rows after `after` that `wanted` takes. It reads at most `maxRows` rows of the trail, and lets others have the loop in
 * between: a filter that takes few rows gives short pages, even empty ones, that say where to go on.
 */
export async function scanTrail(store: RecordStore, after: number, limit: number, wanted: (row: AuditRow) => boolean, maxRows: number): Promise<Scan> {
  const items: AuditRow[] = [];
  let seen = 0;
  let last = after;
  for (const rows of auditRows(store, after)) {
    for (const row of rows) {
      // A further row is there, so there is a next page.
      if (items.length === limit || seen === maxRows) return { items, next: last };
      seen += 1;
      last = row.sequence;
      if (wanted(row)) items.push(row);
    }
    await nextTurn();
  }
  return { items, next: null };
}

export interface TrailVerdict {
  readonly rows: number;
  /** The last row that holds; sequence 0 and zeros: none. */
  readonly head: AuditHead;
  /** Sequence number of the first row that does not fit the one before it; null: the chain is whole. */
  readonly broken: number | null;
  /** Why, in words for operators; null: nothing is wrong. */
  readonly why: string | null;
}

/** Checks rows as they come, one after the other, whether from a store or from a file. */
export class ChainCheck {
  readonly #remembered: AuditHead | undefined;
  readonly #isPart: boolean;
  #head: AuditHead = { sequence: 0, hash: AUDIT_START };
  #rows = 0;
  #wrong: { readonly broken: number; readonly why: string } | undefined;
  #met = false;

  /**
   * @param remembered  a head that was noted earlier: the chain must still go through it
   * @param isPart  it may begin later than at the first row, as an export since some time does
   */
  constructor(remembered?: AuditHead, isPart = false) {
    this.#remembered = remembered;
    this.#isPart = isPart;
    this.#met = remembered === undefined || remembered.sequence === 0;
  }

  /** @returns false when this row, or one before it, does not hold: nothing after it can say more */
  add(value: unknown): boolean {
    if (this.#wrong !== undefined) return false;
    const expected = this.#head.sequence + 1;
    const parsed = auditRowSchema.safeParse(value);
    if (!parsed.success) return this.#fail(expected, 'it has no form of a row');
    const { hash, ...row } = parsed.data;
    const first = this.#rows === 0 && this.#isPart;
    if (!first && row.sequence !== expected) return this.#fail(expected, row.sequence > expected ? 'rows are missing' : 'a row comes twice, or out of order');
    if (!first && row.previous !== this.#head.hash) return this.#fail(row.sequence, 'it does not follow the row before');
    if (hashRow(row) !== hash) return this.#fail(row.sequence, 'its content does not have its hash');
    if (row.sequence === this.#remembered?.sequence) {
      if (hash !== this.#remembered.hash) return this.#fail(row.sequence, 'it is not the row that was there when the head was noted: the trail was written anew');
      this.#met = true;
    }
    this.#head = { sequence: row.sequence, hash };
    this.#rows += 1;
    return true;
  }

  verdict(): TrailVerdict {
    const wrong = this.#wrong ?? (this.#met ? undefined : { broken: this.#head.sequence + 1, why: `it ends before row ${this.#remembered?.sequence ?? 0}, which was there when the head was noted: its end is cut off` });
    return { rows: this.#rows, head: this.#head, broken: wrong?.broken ?? null, why: wrong?.why ?? null };
  }

  #fail(broken: number, why: string): false {
    this.#wrong = { broken, why };
    return false;
  }
}

/** Checks the whole trail of a store, letting others have the loop in between. */
export async function checkTrail(store: RecordStore, remembered?: AuditHead): Promise<TrailVerdict> {
  const check = new ChainCheck(remembered);
  for (const values of storedRows(store)) {
    if (!values.every((value) => check.add(value))) break;
    await nextTurn();
  }
  return check.verdict();
}

/** The sequence number of the first row that does not fit the one before it, or null when the whole trail holds. For a store that serves nobody. */
export function verifyTrail(store: RecordStore): number | null {
  const check = new ChainCheck();
  for (const values of storedRows(store)) if (!values.every((value) => check.add(value))) break;
  return check.verdict().broken;
}

/** Rows as they are stored, whatever they are. */
function* storedRows(store: RecordStore): Generator<readonly unknown[], undefined> {
  for (let after: string = KEYS.audit; ; ) {
    const rows = store.list({ prefix: KEYS.audit, after, limit: PIECE });
    const end = rows.at(-1);
    if (end === undefined) return undefined;
    yield rows.map(({ value }) => value);
    after = end.key;
  }
}
