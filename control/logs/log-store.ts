// The latest log rows of every function, in memory: bounded per function and in all, drops counted, followers fed.
import { z } from 'zod';
import type { LogRow } from '../../core/protocol/index.ts';

export const logRowSchema = z.strictObject({
  time: z.iso.datetime(),
  level: z.string(),
  invocation: z.string(),
  version: z.int(),
  message: z.string(),
  fields: z.unknown(),
});
export type LogLine = z.infer<typeof logRowSchema>;

export interface LogStoreOptions {
  /** Rows of functions that do not exist are dropped: a host names them as it likes. */
  readonly exists: (name: string) => boolean;
  /** Rows kept of one function. Default 1,000. */
  readonly rows?: number;
  /** Characters kept of one function. Default 262,144. */
  readonly characters?: number;
  /** Characters kept in all; above it the functions that were silent longest lose theirs. Default 67,108,864. */
  readonly allCharacters?: number;
}

/** Gets each new row, and how many were dropped. Must not throw, and returns at once. */
export interface Follower {
  row(sequence: number, line: LogLine): void;
  dropped(rows: number): void;
  /** The function was deleted, or the node ends. */
  end(): void;
}

interface Kept {
  readonly sequence: number;
  readonly line: LogLine;
  readonly characters: number;
}

interface Ring {
  rows: Kept[];
  characters: number;
  /** Rows that senders could not pass on, or that were thrown out here unread. */
  dropped: number;
  readonly followers: Set<Follower>;
}

const LEVELS = new Set(['trace', 'debug', 'info', 'warn', 'error', 'fatal']);
const MAX_MESSAGE_CHARACTERS = 10_240;
const MAX_FIELDS_CHARACTERS = 10_240;
const MAX_ID_CHARACTERS = 64;
const ROW_OVERHEAD = 100;
/** Latest time that Date can show (ECMA-262 section 21.4.1.1). */
const MAX_TIME_MS = 8.64e15;

export class LogStore {
  readonly #options: Required<LogStoreOptions>;
  /** In the order of their last row: the first has been silent longest. */
  readonly #rings = new Map<string, Ring>();
  #sequence = 0;
  #characters = 0;

  constructor(options: LogStoreOptions) {
    this.#options = { rows: 1_000, characters: 262_144, allCharacters: 67_108_864, ...options };
  }

  /** Characters kept in all. */
  get characters(): number {
    return this.#characters;
  }

  /** Takes a frame of a host: its rows are another process's word, so every part is cut to size. */
  take(rows: readonly LogRow[], dropped: Readonly<Record<string, number>>): void {
    for (const row of rows) {
      if (this.#options.exists(row[2])) this.#add(row[2], toLine(row));
    }
    for (const [name, count] of Object.entries(dropped)) {
      if (count > 0 && this.#options.exists(name)) this.#drop(this.#ring(name), count);
    }
    this.#shrink();
  }

  /** Rows after `after` (0: from the oldest that is kept), the oldest first. */
  list(name: string, after: number, limit: number): { readonly items: readonly { readonly sequence: number; readonly line: LogLine }[]; readonly dropped: number } {
    const ring = this.#rings.get(name);
    if (ring === undefined) return { items: [], dropped: 0 };
    return { items: ring.rows.filter((kept) => kept.sequence > after).slice(0, limit), dropped: ring.dropped };
  }

  /** @returns stops following */
  follow(name: string, follower: Follower): () => void {
    const ring = this.#ring(name);
    ring.followers.add(follower);
    return () => ring.followers.delete(follower);
  }

  followers(name: string): number {
    return this.#rings.get(name)?.followers.size ?? 0;
  }

  /** Drops what a deleted function has logged. */
  forget(name: string): void {
    const ring = this.#rings.get(name);
    if (ring === undefined) return;
    this.#rings.delete(name);
    this.#characters -= ring.characters;
    for (const follower of ring.followers) follower.end();
  }

  close(): void {
    for (const name of this.#rings.keys()) this.forget(name);
  }

  #add(name: string, line: LogLine): void {
    const ring = this.#ring(name);
    const characters = line.message.length + sizeOf(line.fields) + ROW_OVERHEAD;
    this.#sequence += 1;
    ring.rows.push({ sequence: this.#sequence, line, characters });
    ring.characters += characters;
    this.#characters += characters;
    // A full ring loses its oldest rows: that is what a ring is for, and no drop.
    let surplus = Math.max(0, ring.rows.length - this.#options.rows);
    let excess = ring.characters - this.#options.characters;
    for (let i = 0; i < surplus; i++) excess -= ring.rows[i]?.characters ?? 0;
    while (excess > 0 && surplus < ring.rows.length - 1) {
      excess -= ring.rows[surplus]?.characters ?? 0;
      surplus += 1;
    }
    // Cut a tenth at once, so that a full ring does not copy itself for each row.
    if (surplus > 0) this.#cut(ring, Math.min(ring.rows.length - 1, surplus + Math.floor(this.#options.rows / 10)));
    // Back to the end of the order: it has just spoken.
    this.#rings.delete(name);
    this.#rings.set(name, ring);
    for (const follower of ring.followers) follower.row(this.#sequence, line);
  }

  #cut(ring: Ring, count: number): void {
    for (const kept of ring.rows.splice(0, count)) {
      ring.characters -= kept.characters;
      this.#characters -= kept.characters;
    }
  }

  #drop(ring: Ring, count: number): void {
    ring.dropped += count;
    for (const follower of ring.followers) follower.dropped(count);
  }

  #shrink(): void {
    for (const [name, ring] of this.#rings) {
      if (this.#characters <= this.#options.allCharacters) return;
      this.#drop(ring, ring.rows.length);
      this.#cut(ring, ring.rows.length);
      if (ring.followers.size === 0 && ring.dropped === 0) this.#rings.delete(name);
    }
  }

  #ring(name: string): Ring {
    let ring = this.#rings.get(name);
    if (ring === undefined) this.#rings.set(name, (ring = { rows: [], characters: 0, dropped: 0, followers: new Set() }));
    return ring;
  }
}

function toLine([timeMs, level, , version, invocation, message, fields]: LogRow): LogLine {
  return {
    time: new Date(Math.min(timeMs, MAX_TIME_MS)).toISOString(),
    level: LEVELS.has(level) ? level : 'info',
    invocation: invocation.slice(0, MAX_ID_CHARACTERS),
    version,
    message: cut(message, MAX_MESSAGE_CHARACTERS),
    fields: fields === null ? null : parseFields(fields),
  };
}

function cut(text: string, characters: number): string {
  return text.length <= characters ? text : `${text.slice(0, characters)}…`;
}

/** The fields as data where they are JSON and not too long; else as the text that came. */
function parseFields(text: string): unknown {
  if (text.length > MAX_FIELDS_CHARACTERS) return cut(text, MAX_FIELDS_CHARACTERS);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

function sizeOf(fields: unknown): number {
  if (fields === null) return 0;
  return typeof fields === 'string' ? fields.length : JSON.stringify(fields).length;
}
