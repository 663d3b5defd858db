// What callers get in place of a failure: the static answer or the last good one, and the keeping of the latter.
import { Token, serializeItem } from 'structured-headers';
import type { ErrorCode } from '../../core/errors/index.ts';
import { INLINE_BODY_BYTES } from '../../core/protocol/index.ts';
import type { FunctionGate } from '../function-gate.ts';
import type { Route } from '../route.ts';
import { causeOf } from './causes.ts';
import { eachField, fieldValue, fieldsOfRequest } from './head-fields.ts';
import { Shelf } from './last-good.ts';
import type { GoodAnswer, ReadField, Store } from './last-good.ts';
import type { ReadyAnswer } from './plan.ts';
import { requestKey } from './request-key.ts';
import { decides, isForWhole, isPlainGet, storable } from './storable.ts';

export const FALLBACK_FIELD = 'x-thimble-fallback';

export type FallbackKind = 'static' | 'last-good';

/** An answer that stands in for a failure. */
export interface Substitute extends ReadyAnswer {
  readonly kind: FallbackKind;
  /** Value of x-thimble-fallback: an RFC 9651 item. */
  readonly mark: string;
}

/** A request as the host gets it, or would have got it. */
export interface Asked {
  readonly method: string;
  readonly head: string;
}

/** How often answers that are too old are looked for, milliseconds. */
const SWEEP_MS = 10_000;
/** Kept of an answer's fields, characters; more: it is not kept. */
const MAX_HEAD = 16_384;

export class Fallbacks {
  readonly #store: Store = { bytes: 0, answers: 0 };
  /** By gate, so that a function that is made anew under the name of another begins without its answers. */
  readonly #shelves = new Map<FunctionGate, Shelf>();
  #sweptAtMs = 0;

  /** What is kept of all functions. */
  get store(): Readonly<Store> {
    return this.#store;
  }

  /**
   * What the caller gets in place of the failure; undefined: the failure itself. The last good answer comes first, but never while the function
   * is switched off: it may be just what must not be seen any more.
   *
   * @param route  as the function is now
   */
  instead({ fallback: plan, gate, fn, skew }: Route, { method, head }: Asked, code: ErrorCode, nowMs: number): Substitute | undefined {
    if (plan === null) return undefined;
    const cause = causeOf(code);
    if (cause === null || (cause !== 'switch' && !plan.answers(cause))) return undefined;
    if (cause !== 'switch' && plan.ttlMs > 0 && (method === 'GET' || method === 'HEAD') && isForWhole(head)) {
      const found = this.#shelves.get(gate)?.find(requestKey(head, skew?.cookieName), readerOf(head), plan.ttlMs, nowMs);
      // A version was forced because the others are not to be trusted.
      if (found !== undefined && (fn.forced === undefined || fn.forced === found.version)) return lastGood(found, code, nowMs);
    }
    return plan.static === null ? undefined : { ...plan.static, kind: 'static', mark: serializeItem([new Token('static'), new Map([['code', new Token(code)]])]) };
  }

  /** A function has answered: keeps it if it may be given out again, and lets go of the former if that may not any more. Only for functions that want it. */
  keep({ gate, skew }: Route, { method, head: asked }: Asked, hasBody: boolean, version: number, status: number, head: string, body: Uint8Array | string | null, nowMs: number): void {
    if (!decides(status) || !isPlainGet(method, asked, hasBody)) return;
    const key = requestKey(asked, skew?.cookieName);
    let shelf = this.#shelves.get(gate);
    const rules = head.length > MAX_HEAD || (body?.length ?? 0) > INLINE_BODY_BYTES ? undefined : storable(status, head);
    if (rules === undefined) {
      shelf?.drop(key);
      return;
    }
    if (shelf === undefined) {
      shelf = new Shelf(this.#store);
      this.#shelves.set(gate, shelf);
    }
    const read = readerOf(asked);
    shelf.put(key, {
      status,
      // Strings and bytes may be parts of much larger ones, which they would keep alive.
      head: Buffer.from(head, 'latin1').toString('latin1'),
      body: body === null ? null : typeof body === 'string' ? Buffer.from(body) : Buffer.copyBytesFrom(body),
      version, storedAtMs: nowMs, usableMs: rules.usableMs,
      vary: rules.vary.flatMap((name) => [name, Buffer.from(read(name), 'latin1').toString('latin1')]),
    }, read);
  }

  /** Nothing of what the function has answered so far is given out any more. */
  forget(gate: FunctionGate): void {
    this.#shelves.get(gate)?.clear();
    this.#shelves.delete(gate);
  }

  /** Called now and then, and when routes have changed. @param present  the function of a gate as it is now; undefined: it is gone */
  review(present: (gate: FunctionGate) => Route | undefined, nowMs: number): void {
    const due = nowMs - this.#sweptAtMs >= SWEEP_MS;
    if (due) this.#sweptAtMs = nowMs;
    for (const [gate, shelf] of this.#shelves) {
      const ttlMs = present(gate)?.fallback?.ttlMs ?? 0;
      if (ttlMs === 0) this.forget(gate);
      else if (due) shelf.sweep(ttlMs, nowMs);
    }
  }
}

function readerOf(head: string): ReadField {
  const at = fieldsOfRequest(head);
  return (name) => fieldValue(head, at, name);
}

function lastGood({ status, head, body, version, storedAtMs }: GoodAnswer, code: ErrorCode, nowMs: number): Substitute {
  const age = Math.floor((nowMs - storedAtMs) / 1_000);
  return {
    kind: 'last-good', status, head: agedHead(head, age), body,
    mark: serializeItem([new Token('last-good'), new Map<string, number | Token>([['age', age], ['code', new Token(code)], ['version', version]])]),
  };
}

/** With its age (RFC 9111 section 5.1), and not to be kept by caches on the way, which would give it out when the function is well again. */
function agedHead(head: string, ageS: number): string {
  let aged = `age\n${ageS}\ncache-control\nno-store`;
  eachField(head, 0, (name, value) => {
    const lower = name.toLowerCase();
    if (lower !== 'age' && lower !== 'cache-control' && lower !== 'expires') aged += `\n${name}\n${value}`;
  });
  return aged;
}
