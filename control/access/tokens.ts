// The tokens of the API: made, listed, revoked, and recognised. What is stored opens nothing.
import { timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { PlatformError } from '../../core/errors/index.ts';
import type { Change, RecordStore } from '../../core/ports/index.ts';
import { ROLES } from '../../core/schemas/index.ts';
import type { TokenPost } from '../../core/schemas/index.ts';
import { KEYS, allOf } from '../model/index.ts';
import type { Actor, Ledger, Written } from '../model/index.ts';
import type { Caller } from './caller.ts';
import { hashToken, idOfToken, newToken } from './token-text.ts';

const MAX_TOKENS = 10_000;

const text = z.string();
export const tokenRecordSchema = z.strictObject({
  id: text,
  name: text,
  role: z.enum(ROLES),
  functions: z.array(text).nullable(),
  tenants: z.array(text).nullable(),
  /** SHA-256 of the token, hex. */
  hash: text,
  expiresAt: text.nullable(),
  createdAt: text,
  createdBy: text,
});
export type TokenRecord = z.infer<typeof tokenRecordSchema>;

const useRecordSchema = z.strictObject({ at: z.number() });

export interface TokensOptions {
  readonly store: RecordStore;
  readonly ledger: Ledger;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

interface Known {
  readonly record: TokenRecord;
  readonly caller: Caller;
  /** Milliseconds since the epoch; Infinity: never. */
  readonly expiresMs: number;
  usedMs: number | null;
  /** Called when it is revoked. */
  readonly watchers: Set<() => void>;
}

export class Tokens {
  readonly #options: TokensOptions;
  readonly #now: () => number;
  readonly #known = new Map<string, Known>();
  /** Ids whose use is newer than what the store says. */
  readonly #unsaved = new Set<string>();

  constructor(options: TokensOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    // Keys are in the order of ids, which is that of their making: so is the map.
    for (const { value } of allOf(options.store, KEYS.tokens)) this.#add(tokenRecordSchema.parse(value));
    for (const { key, value } of allOf(options.store, KEYS.tokenUses)) {
      const known = this.#known.get(key.slice(KEYS.tokenUses.length));
      if (known !== undefined) known.usedMs = useRecordSchema.parse(value).at;
    }
  }

  /** All of them, the oldest first. */
  *all(): Generator<TokenRecord> {
    for (const { record } of this.#known.values()) yield record;
  }

  /** @throws not_found */
  require(id: string): TokenRecord {
    const known = this.#known.get(id);
    if (known === undefined) throw new PlatformError('not_found', { what: `token ${id}` });
    return known.record;
  }

  /** When the token was last used, to the minute; null: not yet. */
  lastUsed(id: string): string | null {
    const usedMs = this.#known.get(id)?.usedMs ?? null;
    return usedMs === null ? null : new Date(usedMs).toISOString();
  }

  /**
   * Makes a token. Its text is in the result and nowhere else.
   *
   * @throws invalid  it would have expired already
   * @throws conflict  there are as many as may be
   */
  async create(actor: Actor, post: TokenPost): Promise<Written<{ readonly record: TokenRecord; readonly token: string }>> {
    const expiresMs = post.expiresAt === undefined ? Infinity : Date.parse(post.expiresAt);
    if (expiresMs <= this.#now()) throw new PlatformError('invalid', { errors: [{ path: 'expiresAt', message: 'must be in the future' }] });
    const made = newToken(this.#now());
    const written = await this.#options.ledger.write(actor, (now) => {
      if (this.#known.size >= MAX_TOKENS) throw new PlatformError('conflict', { with: `the ${MAX_TOKENS} tokens that there are: revoke some first` });
      const record: TokenRecord = {
        id: made.id,
        name: post.name,
        role: post.role,
        functions: post.functions === undefined ? null : [...new Set(post.functions)].toSorted(),
        tenants: post.tenants === undefined ? null : [...new Set(post.tenants)].toSorted(),
        hash: made.hash,
        expiresAt: expiresMs === Infinity ? null : new Date(expiresMs).toISOString(),
        createdAt: now,
        createdBy: actor.name,
      };
      return { changes: [{ key: KEYS.token(made.id), value: record }], audit: { action: 'token.create', target: made.id, before: null, after: shown(record) }, result: record };
    });
    this.#add(written.result);
    return { ...written, result: { record: written.result, token: made.text } };
  }

  /**
   * Revokes a token: from the commit on it is refused, also where a request or a stream of it is under way.
   *
   * @throws not_found
   */
  async revoke(actor: Actor, id: string): Promise<Written<TokenRecord>> {
    const written = await this.#options.ledger.write(actor, () => {
      const record = this.require(id);
      return {
        changes: [{ key: KEYS.token(id), remove: true }, { key: KEYS.tokenUse(id), remove: true }],
        audit: { action: 'token.revoke', target: id, before: shown(record), after: null },
        result: record,
      };
    });
    const known = this.#known.get(id);
    this.#known.delete(id);
    this.#unsaved.delete(id);
    for (const end of known?.watchers ?? []) end();
    return written;
  }

  /** Whose token this is; undefined: nobody's, or one that has expired or was revoked. The time it takes tells nothing about the secret. */
  recognise(token: string): Caller | undefined {
    const id = idOfToken(token);
    const known = id === undefined ? undefined : this.#known.get(id);
    if (known === undefined || !timingSafeEqual(Buffer.from(known.record.hash, 'hex'), Buffer.from(hashToken(token), 'hex'))) return undefined;
    if (known.expiresMs <= this.#now()) return undefined;
    this.#use(known);
    return known.caller;
  }

  /** Whether what it was recognised by still holds. */
  holds({ tokenId }: Caller): boolean {
    if (tokenId === null) return true;
    const known = this.#known.get(tokenId);
    return known !== undefined && known.expiresMs > this.#now();
  }

  /** Calls `end` once when the caller's token is revoked or expires. @returns stops watching */
  watch({ tokenId }: Caller, end: () => void): () => void {
    const known = tokenId === null ? undefined : this.#known.get(tokenId);
    if (known === undefined) return () => {};
    let timer: NodeJS.Timeout | undefined;
    const stop = (): void => {
      known.watchers.delete(over);
      clearTimeout(timer);
    };
    const over = (): void => {
      stop();
      end();
    };
    // A timer holds 2^31 - 1 ms at most.
    const wait = (): void => {
      const leftMs = known.expiresMs - this.#now();
      if (leftMs <= 0) over();
      else if (leftMs !== Infinity) timer = setTimeout(wait, Math.min(leftMs, 2 ** 31 - 1)).unref();
    };
    known.watchers.add(over);
    wait();
    return stop;
  }

  /** Writes down when tokens were last used: every minute, and at the end. A crash loses a minute of it. */
  async saveUses(): Promise<void> {
    if (this.#unsaved.size === 0) return;
    const changes: Change[] = [];
    for (const id of this.#unsaved) {
      const usedMs = this.#known.get(id)?.usedMs;
      if (usedMs !== undefined && usedMs !== null) changes.push({ key: KEYS.tokenUse(id), value: { at: usedMs } });
    }
    this.#unsaved.clear();
    await this.#options.store.commit(changes);
  }

  #add(record: TokenRecord): void {
    const { id, role, functions, tenants, expiresAt } = record;
    const caller: Caller = { name: `${record.name}/${id}`, tokenId: id, role, functions, tenants };
    this.#known.set(id, { record, caller, expiresMs: expiresAt === null ? Infinity : Date.parse(expiresAt), usedMs: null, watchers: new Set() });
  }

  #use(known: Known): void {
    const minute = Math.floor(this.#now() / 60_000) * 60_000;
    if (known.usedMs === minute) return;
    known.usedMs = minute;
    this.#unsaved.add(known.record.id);
  }
}

/** What the audit trail may hold: all but the hash, which nobody needs there. */
function shown({ name, role, functions, tenants, expiresAt }: TokenRecord): Readonly<Record<string, unknown>> {
  return { name, role, functions, tenants, expiresAt };
}
