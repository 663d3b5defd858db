// Idempotency keys of POST: a request that is sent again gets the answer of the first, and is not carried out twice.
import { createHash, createHmac, hkdfSync } from 'node:crypto';
import { z } from 'zod';
import { seal, unseal } from '../../core/crypto/index.ts';
import { PlatformError } from '../../core/errors/index.ts';
import type { Logger } from '../../core/log/index.ts';
import type { Change, RecordStore } from '../../core/ports/index.ts';
import type { Caller } from '../access/index.ts';
import { KEYS, allOf, canonicalJson } from '../model/index.ts';

export const KEEP_MS = 24 * 3_600_000;
/** Keys of one caller that are kept; beyond, the oldest goes. */
export const MAX_KEYS = 10_000;
/** A longer answer is not kept: the key still keeps the request from being carried out again. */
const MAX_ANSWER_CHARACTERS = 262_144;
const KEY_BYTES = 32;
const MAX_KEY_CHARACTERS = 255;

const recordSchema = z.strictObject({
  atMs: z.number(),
  /** HMAC of the request. */
  print: z.string(),
  /** The sealed answer; null: the change was made, and its answer is not known (yet). */
  answer: z.string().nullable(),
});
type Kept = z.infer<typeof recordSchema>;

const answerSchema = z.strictObject({ status: z.number(), type: z.string(), text: z.string() });
export type KeptAnswer = z.infer<typeof answerSchema>;

export interface IdempotencyOptions {
  readonly store: RecordStore;
  readonly logger: Logger;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

/** The first request with its key, while it is carried out. */
export interface FirstRun {
  /** Goes into the commit of its change, so that a crash cannot part the two. */
  joins(): readonly Change[];
  committed(): void;
  /** Keeps the answer; it may be sent then. */
  answered(answer: KeptAnswer): Promise<void>;
  /** It was refused: when it had not changed anything, the key is free again, and the same request may be tried anew. */
  failed(answer: KeptAnswer): Promise<void>;
}

/** @see https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-idempotency-key-header-07 */
export class IdempotencyKeys {
  readonly #options: IdempotencyOptions;
  readonly #now: () => number;
  /** Keys in the store by caller, the oldest first. */
  readonly #kept = new Map<string, Map<string, Omit<Kept, 'answer'>>>();
  readonly #running = new Set<string>();

  constructor(options: IdempotencyOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    const found = [...allOf(options.store, KEYS.idempotencyKeys)].map(({ key, value }) => ({ key, ...recordSchema.parse(value) }));
    for (const { key, atMs, print } of found.toSorted((a, b) => a.atMs - b.atMs)) this.#remember(key, { atMs, print });
  }

  /**
   * Takes the key for a request.
   *
   * @param token  of the caller: what is stored is sealed and signed with a key that only it gives, so that the store alone opens no answer
   * @param request  method, address and body
   * @returns the answer that the same request got before, or the way to report on this one
   * @throws invalid  the key was used with another request
   * @throws conflict  the first one is under way, or its answer was lost
   */
  begin(caller: Caller, token: string, header: string, request: unknown): KeptAnswer | FirstRun {
    const secret = Buffer.from(hkdfSync('sha256', token, 'thimble', 'idempotency', KEY_BYTES));
    const name = createHash('sha256').update(keyIn(header)).digest('hex');
    const key = KEYS.idempotencyKey(caller.tokenId ?? 'admin', name);
    const print = createHmac('sha256', secret).update(canonicalJson(request)).digest('hex');
    if (this.#running.has(key)) throw new PlatformError('conflict', { with: 'a request with this Idempotency-Key that is under way' });
    const kept = this.#kept.get(callerOf(key))?.get(key);
    if (kept !== undefined && kept.atMs + KEEP_MS > this.#now()) {
      if (kept.print !== print) throw new PlatformError('invalid', { errors: [{ path: 'idempotency-key', message: 'was used with another request' }] });
      return this.#answerOf(key, secret);
    }
    this.#running.add(key);
    return this.#firstRun(key, secret, print);
  }

  /** Removes what is older than it is kept for. */
  async sweep(): Promise<void> {
    const endMs = this.#now() - KEEP_MS;
    const old = [...this.#kept.values()].flatMap((keys) => [...keys].filter(([, { atMs }]) => atMs <= endMs).map(([key]) => key));
    if (old.length === 0) return;
    await this.#options.store.commit(old.map((key) => ({ key, remove: true as const })));
    for (const key of old) this.#forget(key);
  }

  #answerOf(key: string, secret: Buffer): KeptAnswer {
    const { answer } = recordSchema.parse(this.#options.store.get(key)?.value);
    if (answer === null) throw new PlatformError('conflict', { with: 'a request with this Idempotency-Key that was carried out, but whose answer is not kept: read what it has made' });
    return answerSchema.parse(JSON.parse(unseal(secret, key, answer)));
  }

  #firstRun(key: string, secret: Buffer, print: string): FirstRun {
    const atMs = this.#now();
    let isCommitted = false;
    const keep = async (answer: KeptAnswer): Promise<void> => {
      const sealed = answer.text.length > MAX_ANSWER_CHARACTERS ? null : seal(secret, key, JSON.stringify(answer));
      const value: Kept = { atMs, print, answer: sealed };
      const tooMany = this.#tooMany(key);
      try {
        await this.#options.store.commit([{ key, value }, ...tooMany.map((old) => ({ key: old, remove: true as const }))]);
        this.#remember(key, { atMs, print });
        for (const old of tooMany) this.#forget(old);
      } catch (thrown) {
        // The change is made: its answer is true whether or not it can be repeated.
        this.#options.logger.error({ err: thrown, code: 'storage_failed' }, 'the answer to a request with an idempotency key is not kept');
      } finally {
        this.#running.delete(key);
      }
    };
    return {
      joins: () => [{ key, value: { atMs, print, answer: null } satisfies Kept }],
      committed: () => {
        isCommitted = true;
        this.#remember(key, { atMs, print });
      },
      answered: keep,
      failed: async (answer) => {
        if (isCommitted) await keep(answer);
        else this.#running.delete(key);
      },
    };
  }

  #remember(key: string, kept: Omit<Kept, 'answer'>): void {
    const caller = callerOf(key);
    const keys = this.#kept.get(caller);
    if (keys === undefined) this.#kept.set(caller, new Map([[key, kept]]));
    else keys.set(key, kept);
  }

  #forget(key: string): void {
    const caller = callerOf(key);
    const keys = this.#kept.get(caller);
    keys?.delete(key);
    if (keys?.size === 0) this.#kept.delete(caller);
  }

  /** Keys of the same caller that must go so that this one may stay. */
  #tooMany(key: string): string[] {
    const keys = this.#kept.get(callerOf(key));
    const more = (keys?.size ?? 0) + (keys?.has(key) === true ? 0 : 1) - MAX_KEYS;
    return keys === undefined || more <= 0 ? [] : [...keys.keys()].filter((old) => old !== key).slice(0, more);
  }
}

export function isKeptAnswer(begun: KeptAnswer | FirstRun): begun is KeptAnswer {
  return 'status' in begun;
}

/** A string of RFC 9651, as the draft asks, or the same without quotes, as most clients send it. @throws invalid */
function keyIn(header: string): string {
  const quoted = /^"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])+)"$/.exec(header)?.[1]?.replaceAll(/\\(.)/g, '$1');
  const key = quoted ?? (/^[\x21\x23-\x7e]+$/.test(header) ? header : '');
  if (key === '' || key.length > MAX_KEY_CHARACTERS) throw new PlatformError('invalid', { errors: [{ path: 'idempotency-key', message: `must be a string in quotes, of 1 to ${MAX_KEY_CHARACTERS} printable ASCII characters` }] });
  return key;
}

function callerOf(key: string): string {
  return key.slice(KEYS.idempotencyKeys.length, key.lastIndexOf('/'));
}
