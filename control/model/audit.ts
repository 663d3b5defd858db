// The audit trail: rows chained by SHA-256, so that a row that was changed or taken out shows.
import { z } from 'zod';
import { sha256Hex } from '../../core/crypto/index.ts';
import type { Change } from '../../core/ports/index.ts';
import { canonicalJson } from './canonical-json.ts';

export const AUDIT_START = '0'.repeat(64);

const MAX_TEXT_CHARACTERS = 1_024;
const MAX_ITEMS = 100;

export const auditRowSchema = z.strictObject({
  /** Counts from 1 without a gap. */
  sequence: z.number(),
  time: z.string(),
  actor: z.string(),
  /** Address that the request came from, '' when the node did it by itself; absent in rows of earlier releases. */
  from: z.string().optional(),
  action: z.string(),
  target: z.string(),
  /** What was there before the change: only what changed; null: nothing. */
  before: z.unknown(),
  after: z.unknown(),
  /** SHA-256 (hex) over the canonical JSON of the row without this member. */
  hash: z.string(),
  /** `hash` of the row before; zeros for the first. */
  previous: z.string(),
});
export type AuditRow = z.infer<typeof auditRowSchema>;

/** Who changes something: the name of a token, or of a part of the node that acts by itself. */
export interface Actor {
  readonly name: string;
  /** Client address; '' for a part of the node. */
  readonly from: string;
  /** Of a request: what must hold when its change is made, and what is committed with it. */
  readonly guard?: Guard;
}

/** A request's say in its own commits. The ledger asks it while no other write can come between. */
export interface Guard {
  /** Rejects when the request may not make its change any more: its token was revoked, or what it has read has changed. */
  check(): Promise<void>;
  /** What goes into the same commit as the change. */
  joins(): readonly Change[];
  /** The commit has happened. */
  committed(): void;
}

/** The end of a trail: whoever remembers it notices when rows behind it are cut off. */
export interface AuditHead {
  readonly sequence: number;
  readonly hash: string;
}

export interface AuditEntry {
  readonly action: string;
  readonly target: string;
  readonly before: unknown;
  readonly after: unknown;
}

/** The next row of the chain. */
export function chainRow(entry: AuditEntry, actor: Actor, time: string, previous: { readonly sequence: number; readonly hash: string }): AuditRow {
  const row = {
    sequence: previous.sequence + 1,
    time,
    actor: actor.name,
    from: actor.from,
    action: entry.action,
    target: entry.target,
    before: summarise(entry.before) ?? null,
    after: summarise(entry.after) ?? null,
    previous: previous.hash,
  };
  return { ...row, hash: hashRow(row) };
}

export function hashRow(row: Omit<AuditRow, 'hash'>): string {
  return sha256Hex(canonicalJson(row));
}

/** Whether `actor` is who `wanted` says: the whole of it, or the name of a token without its id. */
export function isActor(actor: string, wanted: string): boolean {
  return actor === wanted || actor.startsWith(`${wanted}/`);
}

/** Bounds what a row holds: a long text or list is kept as its size and SHA-256, which still tells whether it changed. */
function summarise(value: unknown): unknown {
  if (typeof value === 'string') return value.length <= MAX_TEXT_CHARACTERS ? value : { characters: value.length, sha256: sha256Hex(value) };
  if (Array.isArray(value)) return value.length <= MAX_ITEMS ? value.map(summarise) : { items: value.length, sha256: sha256Hex(canonicalJson(value)) };
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).filter(([, member]) => member !== undefined);
    if (entries.length > MAX_ITEMS) return { members: entries.length, sha256: sha256Hex(canonicalJson(value)) };
    return Object.fromEntries(entries.map(([key, member]) => [key, summarise(member)]));
  }
  return value;
}
